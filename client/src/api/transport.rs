//! Requests and answers over HTTP.

use super::not_running;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sincronia_node::api::{ApiError, ErrorCode};
use sincronia_node::http::Token;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use ureq::{Agent, AsSendBody, Body};

/// A local connection stands at once or not at all.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an ordinary answer may take: a joining and its comparison, on a busy machine.
pub const ORDINARY: Duration = Duration::from_mins(2);
/// How long a large import or a check of everything may take.
pub const LONG: Duration = Duration::from_hours(1);
/// The server speaks on an event stream every fifteen seconds at least.
const SILENCE: Duration = Duration::from_mins(1);
/// Shorter than the server keeps an idle connection, so that none is used that it just closed.
const IDLE: Duration = Duration::from_secs(5);
/// An answer larger than this is not one of ours.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// What a request is declared as.
const JSON: &str = "application/json";
/// What a file is declared as.
const BYTES: &str = "application/octet-stream";

/// Where the node is, and what it wants to see.
pub struct Transport {
    agent: Agent,
    address: SocketAddr,
    token: Token,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Transport({})", self.address)
    }
}

impl Transport {
    /// To `address` with `token`.
    pub fn new(address: SocketAddr, token: Token) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .max_idle_age(IDLE)
            .build();
        Self { agent: config.new_agent(), address, token }
    }

    /// Reads. A connection of before that the node closed meanwhile says nothing of the node: it is
    /// asked once more over another.
    pub fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let mut answer = self.ask(path)?;
        if answer.as_ref().is_err_and(was_closed) {
            answer = self.ask(path)?;
        }
        let response = answer.map_err(|cause| failure(&Method::GET, cause))?;
        let status = response.status();
        let bytes = content(response, &Method::GET)?;
        if status.is_success() { parse(&bytes) } else { Err(refusal(status, &bytes)) }
    }

    fn ask(&self, path: &str) -> Result<Result<Response<Body>, ureq::Error>, ApiError> {
        let request = self.request(Method::GET, path, JSON, ())?;
        let request = self.agent.configure_request(request).timeout_global(Some(ORDINARY)).build();
        Ok(self.agent.run(request))
    }

    /// Acts, with nothing more to say.
    pub fn act<T: DeserializeOwned>(&self, method: &Method, path: &str) -> Result<T, ApiError> {
        parse(&self.send(method, path, (), ORDINARY)?)
    }

    /// Acts on `body`, waiting for the answer at most `patience`.
    pub fn write<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: &impl Serialize,
        patience: Duration,
    ) -> Result<T, ApiError> {
        parse(&self.send(method, path, written(body)?, patience)?)
    }

    /// Asks for a file; its headers say more about it.
    pub fn fetch(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(HeaderMap, Vec<u8>), ApiError> {
        self.exchange(&Method::POST, path, JSON, written(body)?, LONG)
    }

    /// Asks for a file of any size, and writes it as it comes; its bytes.
    pub fn download(&self, path: &str, file: &mut impl Write) -> Result<u64, ApiError> {
        let method = Method::POST;
        let request = self.request(method.clone(), path, JSON, ())?;
        let request = self.agent.configure_request(request).timeout_global(Some(LONG)).build();
        let response = self.agent.run(request).map_err(|cause| failure(&method, cause))?;
        if !response.status().is_success() {
            return Err(refusal(response.status(), &content(response, &method)?));
        }
        let mut body = response.into_body().into_reader();
        std::io::copy(&mut body, file).map_err(|cause| broken_off(&cause))
    }

    /// Hands a file in.
    pub fn hand_in<T: DeserializeOwned>(&self, path: &str, bytes: &[u8]) -> Result<T, ApiError> {
        parse(&self.exchange(&Method::POST, path, BYTES, bytes, LONG)?.1)
    }

    /// An answer that goes on and on.
    pub fn follow(&self, path: &str) -> Result<Response<Body>, ApiError> {
        let request = self.request(Method::GET, path, JSON, ())?;
        let request = self.agent.configure_request(request).timeout_per_read(Some(SILENCE)).build();
        let response = self.agent.run(request).map_err(|cause| failure(&Method::GET, cause))?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        Err(refusal(response.status(), &content(response, &Method::GET)?))
    }

    fn send(
        &self,
        method: &Method,
        path: &str,
        body: impl AsSendBody,
        patience: Duration,
    ) -> Result<Vec<u8>, ApiError> {
        Ok(self.exchange(method, path, JSON, body, patience)?.1)
    }

    fn exchange(
        &self,
        method: &Method,
        path: &str,
        kind: &str,
        body: impl AsSendBody,
        patience: Duration,
    ) -> Result<(HeaderMap, Vec<u8>), ApiError> {
        let request = self.request(method.clone(), path, kind, body)?;
        let request = self.agent.configure_request(request).timeout_global(Some(patience)).build();
        let response = self.agent.run(request).map_err(|cause| failure(method, cause))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = content(response, method)?;
        if status.is_success() { Ok((headers, bytes)) } else { Err(refusal(status, &bytes)) }
    }

    fn request<B: AsSendBody>(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: B,
    ) -> Result<Request<B>, ApiError> {
        Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.expose()))
            .header(header::CONTENT_TYPE, kind)
            .body(body)
            .map_err(|_| not_running("the address or the token in its directory is damaged"))
    }
}

fn written(body: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(body).map_err(|_| {
        let remedy = "give keys as text and numbers that are finite";
        ApiError::new(ErrorCode::Invalid, "the request cannot be written as JSON", remedy)
    })
}

fn content(response: Response<Body>, method: &Method) -> Result<Vec<u8>, ApiError> {
    let body = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX);
    body.read_to_vec().map_err(|cause| failure(method, cause))
}

/// An answer without content is `null`.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = if bytes.is_empty() { b"null" } else { bytes };
    serde_json::from_slice(bytes).map_err(|_| {
        let remedy = "use the command and the node of the same version";
        ApiError::new(ErrorCode::Internal, "the node's answer is not understood", remedy)
    })
}

/// The node's own error, or what can be said when it has none, or one of a newer version.
fn refusal(status: StatusCode, bytes: &[u8]) -> ApiError {
    if let Ok(error) = serde_json::from_slice::<ApiError>(bytes) {
        return error;
    }
    let answer = serde_json::from_slice::<serde_json::Value>(bytes).unwrap_or_default();
    let text = |field: &str| answer.get(field).and_then(|value| value.as_str()).map(str::to_owned);
    ApiError::new(
        ErrorCode::Internal,
        text("message").unwrap_or_else(|| format!("the node answered with HTTP status {status}")),
        text("remedy").unwrap_or_else(|| "look at the node's log".to_owned()),
    )
}

/// Whether nothing came, because the other side had closed the connection.
fn was_closed(cause: &ureq::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let closed = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
    matches!(cause, ureq::Error::Io(cause) if closed.contains(&cause.kind()))
}

fn failure(method: &Method, cause: ureq::Error) -> ApiError {
    use std::io::ErrorKind;
    match cause {
        ureq::Error::ConnectionFailed
        | ureq::Error::HostNotFound
        | ureq::Error::Timeout(ureq::Timeout::Connect) => gone(),
        ureq::Error::Io(cause) if cause.kind() == ErrorKind::ConnectionRefused => gone(),
        ureq::Error::Timeout(_) => {
            lost(ErrorCode::Timeout, method, "the node did not answer in time".to_owned())
        }
        cause => lost(ErrorCode::Internal, method, format!("the answer did not arrive: {cause}")),
    }
}

/// Why a file was not written to its end.
fn broken_off(cause: &std::io::Error) -> ApiError {
    use std::io::ErrorKind;
    let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
    if full.contains(&cause.kind()) {
        let message = "the disk is full: the file was not written";
        let remedy = "free some room on the disk, or write the file to another one";
        return ApiError::new(ErrorCode::DiskFull, message, remedy);
    }
    let remedy = "check the disk and the node's log, then try again";
    ApiError::new(ErrorCode::Internal, format!("the file broke off: {cause}"), remedy)
}

pub(super) fn gone() -> ApiError {
    not_running("nobody answers at the address in its directory")
}

/// The request was sent and its answer is missing.
fn lost(code: ErrorCode, method: &Method, message: String) -> ApiError {
    let remedy = if *method == Method::GET {
        "try again; if it stays so, look at the node's log"
    } else {
        "it is not known whether the change was made: look before you try again"
    };
    ApiError::new(code, message, remedy)
}
