//! The local HTTP API: the only door for people and programs of this organisation.
//!
//! # Contract
//! [`serve`] answers until it is told to stop, then finishes what it began. Every request passes
//! the [door](self) before any route is looked at: the host name is one of ours, no foreign page
//! sent it, the token is right. Bodies are JSON, bounded in size and time; so are headers,
//! connections and event streams, and the time in which an answer is read. Every answer is JSON,
//! every error an [`ApiError`](crate::api::ApiError). A request that arrived whole is carried out
//! to its end even if its sender has gone: nothing is left half done by a lost connection.
//!
//! # Threats
//! A page in a browser of the same machine (cross-site requests, a name that is rebound to
//! loopback), another user of the machine (the token is in a file only its owner reads), a program
//! that opens sockets and says nothing: who presented the token keeps its place, the others make
//! room for each other.
//!
//! # Deliberately absent
//! HTML, cookies, TLS (a proxy adds it beyond loopback), CORS, any rule about records.

mod announcement;
mod connection;
mod document;
mod door;
mod extract;
mod failure;
mod handlers;
mod places;
mod reading;
mod router;
mod stream;
mod token;

pub use announcement::{ADDRESS_FILE, Announcement, TOKEN_FILE};
pub use document::document;
pub use handlers::bundle::{COMPLETE_HEADER, NUMBER_HEADER};
pub use token::Token;

use crate::api::Service;
use crate::limits;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};

/// Who is let in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What every request must present.
    pub token: Token,
    /// Host names beyond those of loopback, with their port if it is not the default one.
    pub hosts: Vec<String>,
    /// Origins of pages that may call, beyond our own: `https://…`.
    pub origins: Vec<String>,
    /// How long a client may take.
    pub patience: Patience,
}

/// How long a client may take to send the two parts of a request, and to take the answer.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The header, and the time between two requests on one connection.
    pub header: Duration,
    /// The body.
    pub body: Duration,
    /// The answer: between one stretch of it and the next.
    pub reading: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            header: limits::HTTP_HEADER_TIMEOUT,
            body: limits::HTTP_BODY_TIMEOUT,
            reading: limits::HTTP_READING_TIMEOUT,
        }
    }
}

impl Settings {
    /// Loopback only, no pages of others.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self { token, hosts: Vec::new(), origins: Vec::new(), patience: Patience::default() }
    }
}

/// Listens on `address`, with a short queue: who waits longer than it takes to accept is better
/// told so at once.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(limits::HTTP_WAITING_MAX)
}

/// Answers requests until `shutdown` completes and the requests under way are answered.
pub async fn serve<S: Service>(
    listener: TcpListener,
    service: Arc<S>,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let port = listener.local_addr()?.port();
    let (closing, closed) = tokio::sync::watch::channel(false);
    let front = connection::Front {
        door: Arc::new(door::Door::new(&settings, port)),
        router: router::router(router::Shared::new(service, closed.clone())),
        closing: closed,
        patience: settings.patience,
    };
    connection::accept(listener, front, closing, shutdown).await;
    Ok(())
}
