//! What a caller is told when it does not work.

use super::probe::Probe;
use super::running::Running;
use sincronia_client::api::Client;
use sincronia_node::api::{ApiEvent, ErrorCode, SearchQuery};
use sincronia_node::http::{ADDRESS_FILE, TOKEN_FILE, Token};
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn a_token_of_an_earlier_run_is_said_to_be_wrong() {
    let running = Running::start();
    std::fs::write(running.directory.path().join(TOKEN_FILE), "0".repeat(64)).unwrap();
    let error = running.client().status().unwrap_err();
    assert_eq!((error.code, error.exit_code()), (ErrorCode::Unauthorised, 7));
    assert!(!format!("{error:?}").contains("0000"));
}

#[test]
fn a_node_that_stopped_is_said_to_be_stopped() {
    let mut running = Running::start();
    let client = running.client();
    client.shutdown().unwrap();
    running.runtime.block_on(&mut running.served).unwrap();
    let error = client.status().unwrap_err();
    assert_eq!((error.code, error.exit_code()), (ErrorCode::NodeNotRunning, 4), "{error}");
    let error = Client::connect(running.directory.path()).unwrap_err();
    assert_eq!(error.code, ErrorCode::NodeNotRunning);
}

#[test]
fn the_node_s_own_error_arrives_as_it_is() {
    let mut probe = Probe::new(8);
    probe.fails = true;
    let running = Running::with(probe);
    let error = running.client().doctor().unwrap_err();
    assert_eq!((error.code, error.exit_code()), (ErrorCode::Internal, 1));
    assert!(error.remedy.contains("log"));
}

/// Answers one connection with `text`, and returns what it was sent.
fn once(text: &'static str) -> (Client, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::at(listener.local_addr().unwrap(), Token::from_text("secret"));
    (client, std::thread::spawn(move || answer(&listener, text)))
}

/// Takes one connection, reads a request from it, and answers with `text`; the request.
fn answer(listener: &TcpListener, text: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 1_024];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let size = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..size]);
    }
    stream.write_all(text.as_bytes()).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A command read over a connection that the node was closing, and was told of a failure inside.
#[test]
fn who_reads_over_a_connection_that_is_closed_asks_once_more_over_another() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::at(listener.local_addr().unwrap(), Token::from_text("secret"));
    let node = std::thread::spawn(move || {
        ["", "HTTP/1.1 418 Teapot\r\ncontent-length: 0\r\n\r\n"].map(|text| answer(&listener, text))
    });
    let error = client.status().unwrap_err();
    assert!(error.message.contains("418"), "{error}");
    assert!(node.join().unwrap().iter().all(|request| request.starts_with("GET ")));
}

#[test]
fn an_unanswered_change_is_not_repeated_and_its_outcome_is_said_to_be_unknown() {
    let (client, heard) = once("");
    let error = client.rotate("fascicolo1").unwrap_err();
    assert!(error.remedy.contains("not known whether the change was made"), "{error:?}");
    assert!(heard.join().unwrap().starts_with("POST /api/v1/spaces/fascicolo1/rotate HTTP/1.1"));
}

#[test]
fn a_redirect_is_not_followed_with_the_token() {
    let (client, heard) =
        once("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    let error = client.status().unwrap_err();
    assert_eq!(error.code, ErrorCode::Internal);
    assert!(heard.join().unwrap().contains("Bearer secret"));
    assert!(!format!("{client:?} {error:?}").contains("secret"));
}

#[test]
fn an_error_of_a_newer_node_keeps_its_words() {
    let (client, _) = once(
        "HTTP/1.1 409 Conflict\r\nconnection: close\r\n\r\n\
         {\"code\":\"brand_new\",\"message\":\"because\",\"remedy\":\"wait\"}",
    );
    let error = client.status().unwrap_err();
    assert_eq!((error.message.as_str(), error.remedy.as_str()), ("because", "wait"));
}

/// A disk without room.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// It was a failure of the node, of which its log would tell.
#[test]
fn a_backup_for_which_the_disk_has_no_room_is_told_as_that() {
    let (client, _) = once("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc");
    let error = client.backup(&mut Full).unwrap_err();
    assert_eq!((error.code, error.exit_code()), (ErrorCode::DiskFull, 1));
    assert!(error.remedy.contains("room") && !error.remedy.contains("log"), "{error:?}");
}

#[test]
fn an_answer_that_is_none_of_ours_is_an_error() {
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
        "HTTP/1.1 500 No\r\ncontent-length: 3\r\n\r\n<p>",
        "SSH-2.0-OpenSSH\r\n",
    ] {
        let (client, _) = once(text);
        let error = client.status().unwrap_err();
        assert!(!error.remedy.is_empty(), "{text:?}");
    }
}

#[test]
fn events_arrive_until_the_node_stops() {
    let running = Running::start();
    let client = running.client();
    let mut events = client.events().unwrap();
    running.probe.events.send(ApiEvent::Cloned).unwrap();
    running.probe.events.send(ApiEvent::SpaceChanged { space: "s".into() }).unwrap();
    assert_eq!(events.next(), Some(Ok(ApiEvent::Cloned)));
    assert_eq!(events.next(), Some(Ok(ApiEvent::SpaceChanged { space: "s".into() })));
    client.shutdown().unwrap();
    assert_eq!(events.next(), None);
    assert_eq!(events.next(), None);
}

#[test]
fn whatever_is_searched_for_arrives_as_it_was_typed() {
    let running = Running::start();
    let q = "È \"urgente\" & 100 % +39 0187 #?/=\n".to_owned();
    let query = SearchQuery { q: q.clone(), kind: None, limit: None };
    running.client().search(&query).unwrap();
    assert_eq!(running.probe.take()[0].1[0]["q"], q);
}

#[test]
fn the_files_say_where_and_nothing_else_is_needed() {
    let running = Running::start();
    let address = std::fs::read_to_string(running.directory.path().join(ADDRESS_FILE)).unwrap();
    assert!(address.starts_with("127.0.0.1:"));
    assert!(running.client().health().unwrap().ok);
    assert!(running.client().description().unwrap()["paths"].is_object());
}
