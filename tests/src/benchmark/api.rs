//! The local API of a node, as far as measuring needs it.

use super::Failure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read;
use std::time::Duration;
use ureq::{Agent, Body, http::Response};

/// A list of ten thousand records is some twenty megabytes.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// Shorter than the node keeps a silent connection.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// The local API of a node. Clones share connections.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    base: String,
    bearer: String,
}

impl Api {
    /// The API at `address`, opened by `token`.
    pub fn new(address: &str, token: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(128)
            .max_idle_age(IDLE_MAX)
            .max_idle_connections_per_host(128)
            .build();
        let base = format!("http://{}/api/v1", address.trim());
        Self { agent: Agent::new_with_config(config), base, bearer: format!("Bearer {token}") }
    }

    /// Asks.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let request = self.agent.get(self.url(path)).header("authorization", &self.bearer);
        read(path, request.call()?)
    }

    /// Creates or acts.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = self.agent.post(self.url(path)).header("authorization", &self.bearer);
        read(path, request.send_json(body)?)
    }

    /// Changes.
    pub fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = self.agent.patch(self.url(path)).header("authorization", &self.bearer);
        read(path, request.send_json(body)?)
    }

    /// What happens from now on, line by line.
    pub fn events(&self) -> Result<impl Read + Send + use<>, Failure> {
        let request = self.agent.get(self.url("/events")).header("authorization", &self.bearer);
        Ok(request.call()?.into_body().into_reader())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn read<T: DeserializeOwned>(path: &str, mut answer: Response<Body>) -> Result<T, Failure> {
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    if !status.is_success() {
        return Err(format!("{path}: {status}: {}", body.read_to_string()?).into());
    }
    let bytes = body.read_to_vec()?;
    let bytes = if bytes.is_empty() { b"null".as_slice() } else { &bytes };
    Ok(serde_json::from_slice(bytes)?)
}
