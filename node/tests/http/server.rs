//! A server for one test, and a client that sends exactly the bytes it is given.

use super::probe::Probe;
use serde_json::Value;
use sincronia_node::http::{self, Settings, Token};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// The token that is let in.
pub const TOKEN: &str = "5f3c0000000000000000000000000000000000000000000000000000000000aa";

/// A running server; dropping it stops it.
pub struct Server {
    pub address: SocketAddr,
    pub probe: Arc<Probe>,
    pub task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub fn start() -> Self {
        Self::with(Probe::new(64), |_| {})
    }

    pub fn with(probe: Probe, change: impl FnOnce(&mut Settings)) -> Self {
        let listener = http::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let probe = Arc::new(probe);
        let mut settings = Settings::new(Token::from_text(TOKEN));
        change(&mut settings);
        let (service, stop) = (probe.clone(), probe.clone());
        let task = tokio::spawn(async move {
            let shutdown = async move { stop.stop.notified().await };
            http::serve(listener, service, settings, shutdown).await.unwrap();
        });
        Self { address, probe, task }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request with the right host and token, and reads its answer.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&str>) -> Reply {
        self.ask_with(method, path, body, &[]).await
    }

    pub async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let bearer = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", bearer.as_str())];
        if body.is_some() {
            all.push(("content-type", "application/json"));
        }
        all.extend_from_slice(headers);
        let host = self.address.to_string();
        self.send(&request(method, path, Some(&host), &all, body)).await
    }

    /// Sends a body that is declared as `kind`.
    pub async fn hand_in(&self, path: &str, kind: &str, body: &str) -> Reply {
        let (host, bearer) = (self.address.to_string(), format!("Bearer {TOKEN}"));
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        self.send(&request("POST", path, Some(&host), &headers, Some(body))).await
    }

    /// Sends `text` as it stands, and reads the answer to its end.
    pub async fn send(&self, text: &str) -> Reply {
        let mut stream = self.connect().await;
        // A server that refuses early may close before it has read everything.
        let _ = stream.write_all(text.as_bytes()).await;
        read(&mut stream).await
    }
}

/// A request as bytes.
pub fn request(
    method: &str,
    path: &str,
    host: Option<&str>,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in host.map(|host| ("host", host)).iter().chain(headers) {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    if let Some(body) = body {
        write!(text, "content-length: {}\r\n", body.len()).unwrap();
    }
    text + "\r\n" + body.unwrap_or_default()
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Reply {
    /// The stable code of an error.
    pub fn code(&self) -> String {
        let error: Value = serde_json::from_str(&self.body).unwrap_or_default();
        for field in ["message", "remedy"] {
            assert!(!error[field].as_str().unwrap_or_default().is_empty(), "{self:?}");
        }
        error["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Reads until the server closes; status 0 when it says nothing.
pub async fn read(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    parse(&String::from_utf8(bytes).unwrap())
}

/// Reads one answer on a connection that stays open.
pub async fn read_one(stream: &mut TcpStream) -> Reply {
    let mut text = String::new();
    loop {
        let mut buffer = [0; 4_096];
        let size = stream.read(&mut buffer).await.unwrap();
        text += std::str::from_utf8(&buffer[..size]).unwrap();
        let reply = parse(&text);
        let expected = reply.headers.get("content-length").and_then(|text| text.parse().ok());
        if size == 0 || (text.contains("\r\n\r\n") && expected.unwrap_or(0) <= reply.body.len()) {
            return reply;
        }
    }
}

fn parse(text: &str) -> Reply {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or("0");
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Reply { status: status.parse().unwrap(), headers, body: body.to_owned() }
}
