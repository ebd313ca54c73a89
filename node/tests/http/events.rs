//! The stream of events.

use super::probe::Probe;
use super::server::{Server, TOKEN, request};
use sincronia_node::api::ApiEvent;
use sincronia_node::limits::EVENT_LISTENERS_MAX;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

async fn listen(server: &Server) -> Lines<BufReader<TcpStream>> {
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [("authorization", bearer.as_str())];
    let mut stream = server.connect().await;
    let text = request("GET", "/api/v1/events", Some(&host), &headers, None);
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "HTTP/1.1 200 OK");
    while !lines.next_line().await.unwrap().unwrap().is_empty() {}
    lines
}

async fn until(lines: &mut Lines<BufReader<TcpStream>>, prefix: &str) -> Option<String> {
    loop {
        let line = lines.next_line().await.unwrap()?;
        if let Some(rest) = line.strip_prefix(prefix) {
            return Some(rest.to_owned());
        }
    }
}

fn every_event() -> Vec<ApiEvent> {
    vec![
        ApiEvent::RecordChanged { space: "s".into(), record: "r".into(), conflict: true },
        ApiEvent::Erased { space: "s".into(), record: "r".into(), own_edit: true },
        ApiEvent::SpaceChanged { space: "s".into() },
        ApiEvent::PartnerChanged { organisation: "o".into() },
        ApiEvent::Forked { space: "s".into(), author: "n".into() },
        ApiEvent::Cloned,
        ApiEvent::Lagged { missed: 2 },
    ]
}

#[tokio::test]
async fn events_arrive_in_order_under_their_names() {
    let server = Server::start();
    let mut lines = listen(&server).await;
    for event in every_event() {
        server.probe.events.send(event).unwrap();
    }
    for event in every_event() {
        assert_eq!(until(&mut lines, "event: ").await.unwrap(), event.name());
        let data = until(&mut lines, "data: ").await.unwrap();
        assert_eq!(serde_json::from_str::<ApiEvent>(&data).unwrap(), event);
        let tagged: serde_json::Value = serde_json::from_str(&data).unwrap();
        assert_eq!(tagged["event"], event.name());
    }
}

#[tokio::test]
async fn a_slow_listener_is_told_what_it_missed_and_nobody_waits_for_it() {
    let server = Server::with(Probe::new(4), |_| {});
    let mut lines = listen(&server).await;
    // One runtime thread: the listener's task runs only when this one waits.
    for _ in 0..100 {
        server.probe.events.send(ApiEvent::Cloned).unwrap();
    }
    assert_eq!(until(&mut lines, "event: ").await.unwrap(), "lagged");
    let data = until(&mut lines, "data: ").await.unwrap();
    assert_eq!(serde_json::from_str::<ApiEvent>(&data).unwrap(), ApiEvent::Lagged { missed: 96 });
    assert_eq!(until(&mut lines, "event: ").await.unwrap(), "cloned");
}

#[tokio::test]
async fn listeners_leave_room_for_others_and_give_their_place_back() {
    let server = Server::start();
    let mut listeners = Vec::new();
    for _ in 0..EVENT_LISTENERS_MAX {
        listeners.push(listen(&server).await);
    }
    let reply = server.ask("GET", "/api/v1/events", None).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "busy"));
    assert_eq!(server.ask("GET", "/api/v1/spaces", None).await.status, 200);
    listeners.clear();
    while server.probe.events.receiver_count() > 0 {
        server.ask("GET", "/api/v1/health", None).await;
    }
    drop(listen(&server).await);
}

#[tokio::test]
async fn the_stream_ends_when_the_server_stops() {
    let mut server = Server::start();
    let mut lines = listen(&server).await;
    server.probe.stop.notify_one();
    assert_eq!(until(&mut lines, "event: ").await, None);
    (&mut server.task).await.unwrap();
}
