//! How requests and the server end.

use super::probe::Probe;
use super::server::{Server, TOKEN, read, request};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_request_whose_sender_is_gone_is_carried_out() {
    let server = Server::start().await;
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [("authorization", bearer.as_str())];
    let mut stream = server.connect().await;
    let text = request("POST", "/api/v1/sync", Some(&host), &headers, None);
    stream.write_all(text.as_bytes()).await.unwrap();
    server.probe.called.notified().await;
    drop(stream);
    // The server has noticed that the connection is gone once it answers a later one.
    assert_eq!(server.ask("GET", "/api/v1/health", None).await.status, 200);
    server.probe.gate.notify_one();
    server.probe.called.notified().await;
    let calls: Vec<_> = server.probe.take().into_iter().map(|(method, _)| method).collect();
    assert_eq!(calls, ["sync", "synced"]);
}

#[tokio::test]
async fn a_failure_inside_is_an_answer_and_not_the_end() {
    let mut probe = Probe::new(8);
    probe.fails = true;
    let server = Server::with(probe, |_| {}).await;
    let reply = server.ask("GET", "/api/v1/doctor", None).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "internal"));
    assert!(!reply.body.contains("as the test wants"));
    assert_eq!(server.ask("GET", "/api/v1/spaces", None).await.status, 200);
}

#[tokio::test]
async fn stopping_answers_what_is_under_way_and_takes_nothing_new() {
    let mut server = Server::start().await;
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [("authorization", bearer.as_str())];
    let mut idle = server.connect().await;
    let mut under_way = server.connect().await;
    let text = request("POST", "/api/v1/sync", Some(&host), &headers, None);
    under_way.write_all(text.as_bytes()).await.unwrap();
    server.probe.called.notified().await;
    assert_eq!(server.ask("POST", "/api/v1/shutdown", None).await.status, 204);
    assert_eq!(read(&mut idle).await.status, 0);
    assert!(TcpStream::connect(server.address).await.is_err());
    server.probe.gate.notify_one();
    assert_eq!(read(&mut under_way).await.status, 204);
    (&mut server.task).await.unwrap();
}
