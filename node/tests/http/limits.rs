//! Headers, connections, slow clients.

use super::probe::Probe;
use super::server::{Server, read, read_one, request};
use sincronia_node::limits::{
    HTTP_BODY_TIMEOUT, HTTP_CONNECTIONS_MAX, HTTP_HEADER_BYTES_MAX, HTTP_HEADER_TIMEOUT,
};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn threat_04_a_client_that_never_ends_its_header_is_cut_off() {
    let server = Server::with(Probe::new(8), |settings| {
        settings.patience.header = Duration::from_millis(200);
    });
    let mut silent = server.connect().await;
    let mut dribbling = server.connect().await;
    let (mut reader, mut writer) = dribbling.split();
    let dribble = async {
        writer.write_all(b"GET /api/v1/health HTTP/1.1\r\nx: ").await.unwrap();
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while writer.write_all(b"x").await.is_ok() {
            pace.tick().await;
        }
    };
    let mut end = Vec::new();
    let ended = async {
        let _ = reader.read_to_end(&mut end).await;
    };
    tokio::select! {
        () = dribble => {}
        () = ended => {}
    }
    assert!([0, 408].contains(&read(&mut silent).await.status));
    assert_eq!(server.ask("GET", "/api/v1/spaces", None).await.status, 200);
}

#[test]
fn clients_have_seconds_and_not_minutes() {
    let settings = sincronia_node::http::Patience::default();
    assert_eq!((settings.header, settings.body), (HTTP_HEADER_TIMEOUT, HTTP_BODY_TIMEOUT));
    assert_eq!((settings.header.as_secs(), settings.body.as_secs()), (10, 30));
}

#[tokio::test]
async fn headers_beyond_their_limit_are_refused() {
    let server = Server::start();
    let large = "x".repeat(HTTP_HEADER_BYTES_MAX);
    let reply = server.ask_with("GET", "/api/v1/spaces", None, &[("x-large", &large)]).await;
    assert_eq!(reply.status, 431);
    let path = format!("/api/v1/spaces/{large}");
    assert!([414, 431].contains(&server.ask("GET", &path, None).await.status));
    let many: Vec<_> = (0..200).map(|_| ("x", "y")).collect();
    assert_eq!(server.ask_with("GET", "/api/v1/spaces", None, &many).await.status, 431);
    assert!(server.probe.take().is_empty());
}

#[tokio::test]
async fn threat_04_beyond_the_places_there_are_one_waits_until_another_goes() {
    let server = Server::start();
    let host = server.address.to_string();
    let text = request("GET", "/api/v1/health", Some(&host), &[], None)
        .replace("connection: close", "connection: keep-alive");
    let mut held = Vec::new();
    for _ in 0..HTTP_CONNECTIONS_MAX {
        let mut stream = server.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        assert_eq!(read_one(&mut stream).await.status, 200);
        held.push(stream);
    }
    let mut late = server.connect().await;
    late.write_all(text.as_bytes()).await.unwrap();
    // A round trip on a connection that stands: the server has had the chance to serve the late
    // one.
    let other = held.first_mut().unwrap();
    other.write_all(text.as_bytes()).await.unwrap();
    assert_eq!(read_one(other).await.status, 200);
    assert!(late.try_read(&mut [0; 1]).is_err(), "more connections than there are places");
    drop(held.pop());
    assert_eq!(read_one(&mut late).await.status, 200);
}
