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
use sincronia_node::http::{ADDRESS_FILE, Announcement, TOKEN_FILE, Token};
use std::io::ErrorKind;
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
        let failed = |name| move |cause| unread(&directory.join(name), &cause);
        let address = Announcement::address(directory).map_err(failed(ADDRESS_FILE))?;
        let address = address.trim().parse().map_err(|_| unreadable(directory))?;
        let (token, lives) = Announcement::token(directory).map_err(failed(TOKEN_FILE))?;
        if !lives {
            // A node that crashed left its files; nobody knows who listens there now.
            return Err(transport::gone());
        }
        let client = Self::at(address, token);
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

fn unread(file: &Path, cause: &std::io::Error) -> ApiError {
    let name = file.display();
    match cause.kind() {
        ErrorKind::NotFound => not_running(&format!("there is no {name}")),
        ErrorKind::PermissionDenied => ApiError::new(
            ErrorCode::NotPermitted,
            format!("{name} cannot be read by this user"),
            "run the command as the user that runs the node",
        ),
        _ => not_running(&format!("{name} cannot be read: {cause}")),
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

    /// A node was killed, and another user's program took its port: it was sent the commands of
    /// this organisation with all that was in them, and its answers were shown.
    #[test]
    fn threat_35_who_takes_the_port_of_a_dead_node_is_told_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::fs::write(directory.path().join(ADDRESS_FILE), address.to_string()).unwrap();
        std::fs::write(directory.path().join(TOKEN_FILE), "token").unwrap();
        let error = Client::connect(directory.path()).unwrap_err();
        assert_eq!(error.code, ErrorCode::NodeNotRunning);
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn a_pipe_in_the_place_of_the_files_keeps_nobody_waiting() {
        for name in [ADDRESS_FILE, TOKEN_FILE] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join(ADDRESS_FILE), "127.0.0.1:1").unwrap();
            let pipe = directory.path().join(name);
            let _ = std::fs::remove_file(&pipe);
            let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
            assert!(made.success());
            let error = Client::connect(directory.path()).unwrap_err();
            assert_eq!(error.code, ErrorCode::NodeNotRunning);
        }
    }

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
