//! The local API of a real node, as bytes on its connection: requests, paths, queries, bodies.

use super::{Form, Parser};
use sincronia_node::config::Key;
use sincronia_node::keystore::{Strength, Unlock, create_key_file};
use sincronia_node::setup::{InitOptions, initialise};
use sincronia_node::{RunOptions, run};
use sincronia_protocol::recovery::WordList;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// What stands in an input for the name of the host and for the token, which are never the same.
const PLACES: [&str; 2] = ["{HOST}", "{TOKEN}"];
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests after which the node is asked how it is.
const PROBE_EVERY: u64 = 64;

/// A node in this process, with its network closed.
struct Running {
    address: SocketAddr,
    token: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _home: TempDir,
}

impl Running {
    fn start() -> Self {
        let home = TempDir::new().expect("a directory");
        let (directory, key) = (home.path().join("node"), home.path().join("key"));
        create_key_file(&key).expect("a key file");
        let unlock = Unlock::KeyFile(key);
        let name = "Comune di Prova".to_owned();
        let (words, strength) = (WordList::Italian, Strength::Light);
        let options = InitOptions {
            directory: directory.clone(),
            name,
            words,
            unlock: unlock.clone(),
            strength,
        };
        initialise(&options).expect("a new directory");
        let (stop, stopped) = oneshot::channel::<()>();
        let (place, overrides) = (directory.clone(), overrides());
        let thread = std::thread::spawn(move || {
            let options = RunOptions { unlock, directory, overrides, words, offline: true };
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime");
            let shutdown = async move { drop(stopped.await) };
            runtime.block_on(run(options, shutdown)).expect("a node");
        });
        let (address, token) = announced(&place);
        Self { address, token, stop: Some(stop), thread: Some(thread), _home: home }
    }

    /// Sends bytes and returns the status of the answer; none when the connection just ends.
    /// A client that says that nothing follows is gone for the server, also when it waits.
    fn ask(&self, request: &[u8], is_all: bool) -> Option<u16> {
        let request = filled(request, &[&self.address.to_string(), &self.token]);
        let mut stream = TcpStream::connect(self.address).expect("the API listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(&request);
        if is_all {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        if let Err(error) = &read {
            let is_closed = error.kind() == std::io::ErrorKind::ConnectionReset;
            assert!(is_closed, "the API leaves a request unanswered: {error}");
        }
        let line = answer.strip_prefix(b"HTTP/1.")?;
        std::str::from_utf8(line.get(2..5)?).ok()?.parse().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn overrides() -> Vec<(Key, String)> {
    vec![
        (Key::NetworkListen, "/ip4/127.0.0.1/tcp/0".into()),
        (Key::NetworkClosed, "true".into()),
        (Key::LogLevel, "error".into()),
    ]
}

fn announced(directory: &Path) -> (SocketAddr, String) {
    for _ in 0..600 {
        let read = |name| std::fs::read_to_string(directory.join(name)).ok();
        if let (Some(address), Some(token)) = (read("api-address"), read("api-token"))
            && let Ok(address) = address.trim().parse()
        {
            return (address, token.trim().to_owned());
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("the node in {} did not start", directory.display());
}

fn filled(request: &[u8], values: &[&str; 2]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(request.len() + 64);
    let mut rest = request;
    'bytes: while let Some((first, after)) = rest.split_first() {
        for (place, value) in PLACES.iter().zip(values) {
            if let Some(after) = rest.strip_prefix(place.as_bytes()) {
                filled.extend_from_slice(value.as_bytes());
                rest = after;
                continue 'bytes;
            }
        }
        filled.push(*first);
        rest = after;
    }
    filled
}

fn request(line: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    format!(
        "{line} HTTP/1.1\r\nHost: {{HOST}}\r\nAuthorization: Bearer {{TOKEN}}\r\n{kind}\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn samples() -> Vec<Vec<u8>> {
    let space = "fascicolo1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";
    let asked = [
        ("GET /api/v1/status".to_owned(), String::new()),
        ("GET /api/v1/spaces".into(), String::new()),
        ("GET /api/v1/nodes".into(), String::new()),
        ("GET /api/v1/records?kind=contact&limit=3&changed_since=1".into(), String::new()),
        ("GET /api/v1/conventions?organisation=ente1q&placement_kind=diurno".into(), String::new()),
        ("GET /api/v1/contacts?function=centralino".into(), String::new()),
        ("GET /api/v1/search?q=casa%20d%27accoglienza&limit=5".into(), String::new()),
        (format!("GET /api/v1/spaces/{space}/raw?from=1&author=nodo1q"), String::new()),
        (format!("GET /api/v1/spaces/{space}/records/scheda1q/history"), String::new()),
        ("POST /api/v1/invitations".into(), r#"{"expires_days":7}"#.into()),
        ("POST /api/v1/join".into(), r#"{"invitation":"invito1q"}"#.into()),
        ("POST /api/v1/identity".into(), r#"{"entries":["00ff"]}"#.into()),
        (
            "POST /api/v1/contacts".into(),
            r#"{"fields":{"function":"centralino","phone":"+390187"},"operator":"Ufficio"}"#.into(),
        ),
        (
            "POST /api/v1/records/batch".into(),
            r#"{"kind":"contact","rows":[{"function":"centralino"}],"operator":"U","dry_run":true}"#
                .into(),
        ),
        (
            format!("POST /api/v1/spaces/{space}/examine"),
            r#"{"access":["00"],"runs":["00"],"keys":[]}"#.into(),
        ),
        (format!("POST /api/v1/spaces/{space}/members"), r#"{"organisation":"ente1q"}"#.into()),
    ];
    asked.iter().map(|(line, body)| request(line, body)).collect()
}

const WORDS: &[&str] = &[
    "GET ",
    "POST ",
    "DELETE ",
    "PUT ",
    "OPTIONS * ",
    "/api/v1/",
    "%2e%2e/",
    "%00",
    "%ff",
    "?",
    "&",
    "=",
    "limit=18446744073709551616",
    "after=",
    "Host: evil.example\r\n",
    "Origin: null\r\n",
    "\r\n",
    "\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 99999999999\r\n",
    "Content-Encoding: gzip\r\n",
    "Content-Type: application/octet-stream\r\n",
    "Expect: 100-continue\r\n",
    "{HOST}",
    "{TOKEN}",
    "HTTP/1.0",
    "HTTP/2.0",
    "{\"fields\":{}}",
    "null",
    "[]",
    "\u{0}",
    "ffffffff\r\n",
    "0\r\n\r\n",
    "Upgrade: h2c\r\n",
];

/// Requests to a running node. It must answer each, never for a failure of its own, and go on.
#[must_use]
pub fn http() -> Parser {
    let node = Running::start();
    let mut asked = 0_u64;
    Parser::new("http", Form::Text(WORDS), samples(), move |input| {
        asked += 1;
        let status = node.ask(input, true);
        assert!(status.is_none_or(|status| status < 500), "the node failed: {status:?}");
        if asked.is_multiple_of(PROBE_EVERY) {
            let healthy = node.ask(&request("GET /api/v1/status", ""), false);
            assert_eq!(healthy, Some(200), "the node is not well");
        }
        status.is_some_and(|status| (200..300).contains(&status))
    })
}
