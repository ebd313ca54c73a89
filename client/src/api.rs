//! The typed client of a node's local API.
//!
//! # Contract
//! One method for each endpoint, blocking, with the server's own types. An error is the node's own
//! [`ApiError`], or one of ours in the same form, so that a caller has one code, one message, one
//! remedy and one exit code to deal with. A request that changes something is never sent twice; if
//! its answer does not come, the error says that the outcome is not known.
//!
//! # Threats
//! The token is read from a file that only the node's user can read, goes nowhere but to the
//! address in the file beside it, never through a proxy, never after a redirect, and is not shown.
//!
//! # Deliberately absent
//! Retries, caches, a synchronisation machine, a store of records.

mod backup;
mod bundle;
mod convention;
mod erasure;
mod event;
mod introduction;
mod invitation;
mod machine;
mod node;
mod partner;
mod path;
mod record;
mod space;
mod succession;
mod transport;

pub use event::Events;

use path::path;
use sincronia_node::api::{ApiError, ErrorCode, Health};
use sincronia_node::http::{ADDRESS_FILE, TOKEN_FILE, Token};
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use transport::Transport;

/// A connection to a running node.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// To the node whose directory this is, if it runs.
    pub fn connect(directory: &Path) -> Result<Self, ApiError> {
        let address = read(&directory.join(ADDRESS_FILE))?;
        let address = address.trim().parse().map_err(|_| unreadable(directory))?;
        let token = read(&directory.join(TOKEN_FILE))?;
        let client = Self::at(address, Token::from_text(&token));
        client.health()?;
        Ok(client)
    }

    /// To a node at `address`; asks nothing yet.
    #[must_use]
    pub fn at(address: SocketAddr, token: Token) -> Self {
        Self { transport: Transport::new(address, token) }
    }

    /// Whether the node answers.
    pub fn health(&self) -> Result<Health, ApiError> {
        self.transport.read(&path(&["health"])?)
    }

    /// What the node's program says its API is, as OpenAPI.
    pub fn description(&self) -> Result<serde_json::Value, ApiError> {
        self.transport.read(&path(&["openapi.json"])?)
    }
}

/// The files hold a line each; whatever is longer is not ours.
const FILE_BYTES_MAX: u64 = 1_024;

fn read(file: &Path) -> Result<String, ApiError> {
    let mut text = String::new();
    let read =
        File::open(file).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(not_running(&format!("there is no {}", file.display())))
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::PermissionDenied => Err(ApiError::new(
            ErrorCode::NotPermitted,
            format!("{} cannot be read by this user", file.display()),
            "run the command as the user that runs the node",
        )),
        Err(cause) => Err(not_running(&format!("{} cannot be read: {cause}", file.display()))),
    }
}

fn unreadable(directory: &Path) -> ApiError {
    not_running(&format!("{} holds no address", directory.join(ADDRESS_FILE).display()))
}

fn not_running(why: &str) -> ApiError {
    ApiError::new(
        ErrorCode::NodeNotRunning,
        format!("the node does not run: {why}"),
        "start it with `sincronia run`, or name the directory of a running node",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_never_ran_is_told_from_one_that_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let error = Client::connect(directory.path()).unwrap_err();
        assert_eq!((error.code, error.exit_code()), (ErrorCode::NodeNotRunning, 4));

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        std::fs::write(directory.path().join(ADDRESS_FILE), address.to_string()).unwrap();
        std::fs::write(directory.path().join(TOKEN_FILE), "token").unwrap();
        let error = Client::connect(directory.path()).unwrap_err();
        assert_eq!(error.code, ErrorCode::NodeNotRunning);
        assert!(error.remedy.contains("sincronia run"));

        std::fs::write(directory.path().join(ADDRESS_FILE), "somewhere").unwrap();
        let error = Client::connect(directory.path()).unwrap_err();
        assert_eq!(error.code, ErrorCode::NodeNotRunning);
    }
}
