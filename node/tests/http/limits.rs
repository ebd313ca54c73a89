//! Headers, connections, slow clients.

use super::probe::Probe;
use super::server::{Server, TOKEN, read, read_one, request};
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
    let text = known_and_staying(&server);
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

/// A request with the token on a connection that stays open.
fn known_and_staying(server: &Server) -> String {
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [("authorization", bearer.as_str())];
    request("GET", "/api/v1/spaces", Some(&host), &headers, None)
        .replace("connection: close", "connection: keep-alive")
}

/// For as long as a client may say nothing: longer than this test waits.
const FOR_EVER: Duration = Duration::from_hours(1);
/// When this test gives up.
const DEADLINE: Duration = Duration::from_secs(20);

/// A node whose backups have no end.
fn without_end() -> Probe {
    let mut probe = Probe::new(8);
    probe.endless = true;
    probe
}

/// Any program of the machine may open connections: with all places taken by such as said
/// nothing, the node's own programs waited until their time was over, again and again.
#[tokio::test]
async fn threat_04_programs_without_the_token_keep_nobody_out() {
    let server = Server::with(Probe::new(8), |settings| settings.patience.header = FOR_EVER);
    let mut own = server.connect().await;
    let text = known_and_staying(&server);
    own.write_all(text.as_bytes()).await.unwrap();
    assert_eq!(read_one(&mut own).await.status, 200);
    let host = server.address.to_string();
    let free = request("GET", "/api/v1/health", Some(&host), &[], None)
        .replace("connection: close", "connection: keep-alive");
    let mut held = Vec::new();
    for number in 0..2 * HTTP_CONNECTIONS_MAX {
        let mut stream = server.connect().await;
        match number % 3 {
            0 => {}
            1 => stream.write_all(b"GET / HTTP/1.1\r\nx:").await.unwrap(),
            _ => stream.write_all(free.as_bytes()).await.unwrap(),
        }
        held.push(stream);
    }
    let asked = tokio::time::timeout(DEADLINE, server.ask("GET", "/api/v1/spaces", None)).await;
    assert_eq!(asked.expect("the places are held by who has no token").status, 200);
    // Whoever presented the token before stays, and the oldest of the others went.
    own.write_all(text.as_bytes()).await.unwrap();
    assert_eq!(read_one(&mut own).await.status, 200);
    assert_eq!(read(&mut held[0]).await.status, 0);
}

/// A backup is made from a snapshot, whose pages are not used again while it is held: somebody who
/// asked for one and did not read it made the store grow for as long as it liked.
#[tokio::test]
async fn threat_04_who_does_not_read_an_answer_is_left() {
    let server = Server::with(without_end(), |settings| {
        settings.patience.reading = Duration::from_millis(200);
    });
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [("authorization", bearer.as_str())];
    let text = request("POST", "/api/v1/backup", Some(&host), &headers, None);
    let mut deaf = server.connect().await;
    deaf.write_all(text.as_bytes()).await.unwrap();
    let left = tokio::time::timeout(DEADLINE, server.probe.left.notified()).await;
    assert!(left.is_ok(), "the answer is held for who does not read it");
}

/// Who reads slowly and goes on reading gets all of it.
#[tokio::test]
async fn who_reads_slowly_gets_the_whole_answer() {
    let server = Server::with(without_end(), |settings| {
        settings.patience.reading = Duration::from_secs(5);
    });
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [("authorization", bearer.as_str())];
    let text = request("POST", "/api/v1/backup", Some(&host), &headers, None);
    let mut slow = server.connect().await;
    slow.write_all(text.as_bytes()).await.unwrap();
    let (mut read, mut buffer) = (0, vec![0; 1024 * 1024]);
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    while read < 64 * 1024 * 1024 {
        pace.tick().await;
        let size = slow.read(&mut buffer).await.unwrap();
        assert!(size > 0, "the answer ends after {read} bytes");
        read += size;
    }
}

/// Each backup under way holds a thread and a snapshot.
#[tokio::test]
async fn threat_04_only_so_many_backups_are_made_at_once() {
    let server = Server::with(without_end(), |settings| {
        settings.patience.reading = FOR_EVER;
    });
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [("authorization", bearer.as_str())];
    let text = request("POST", "/api/v1/backup", Some(&host), &headers, None);
    let mut held = Vec::new();
    for _ in 0..sincronia_node::limits::BACKUPS_MAX {
        let mut stream = server.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        assert!(stream.read(&mut [0; 64]).await.unwrap() > 0);
        held.push(stream);
    }
    let one_more = tokio::time::timeout(DEADLINE, server.ask("POST", "/api/v1/backup", None)).await;
    let one_more = one_more.expect("one more is made");
    assert_eq!((one_more.status, one_more.code().as_str()), (503, "busy"));
}
