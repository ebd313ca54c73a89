//! The network: libp2p, named nowhere else.
//!
//! # Contract
//! A node's libp2p identity is its node key, so the peer at the other end of a stream is a
//! [`NodeId`] that TLS authenticated. There are two stream protocols with frames of at most
//! [`FRAME_BYTES_MAX`] bytes, each preceded by its
//! length: *join*, which anyone may open though slowly, and *sync*, which only admitted nodes may
//! open.
//! [`NetworkEvent`]s arrive in a bounded channel; while it is full, nothing is read from peers.
//!
//! # Threats
//! Connections, streams and queues are bounded in `limits`. Frames longer than the limit, or empty,
//! end the session. A peer that does not read ends up with a full queue and a closed session. TCP
//! carries TLS 1.3 and QUIC its own; Noise, which has no post-quantum key exchange, is not compiled
//! in; a test reads the hybrid group from the wire. Strangers have few places and slow rates of
//! their own. Of the addresses that partners give, those are called at which a node of another can
//! be, which is asked again once a name was looked up. There is no discovery, and no identify
//! protocol, which would tell strangers the addresses of this machine and the version of this
//! program: nobody learns of a node who was not told.
//!
//! # Deliberately absent
//! Whom to connect to and when, what frames mean, retries.

mod address;
mod door;
mod fence;
mod port;
mod rate;
mod reach;
mod session;
mod shared;
mod streams;
mod swarm;
mod transport;

use shared::Shared;
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::limits::FRAME_BYTES_MAX;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

pub use address::is_address;
use address::{node_of, peer_of};

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// An invitation exchange.
    Join,
    /// A sync session.
    Sync,
}

impl Purpose {
    const fn protocol(self) -> &'static str {
        match self {
            Self::Join => "/sincronia/join/1",
            Self::Sync => "/sincronia/sync/1",
        }
    }
}

/// Names a session of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

/// Why a session ended. The variant says who must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseCause {
    /// The line broke, or the other side closed it.
    #[error("the line was closed")]
    Line,
    /// This side closed it.
    #[error("closed here")]
    Local,
    /// The peer sent a frame that is not one.
    #[error("the partner sent a frame that is too long or empty")]
    Malformed,
    /// The peer does not read what is sent to it.
    #[error("the partner stopped reading")]
    NotReading,
    /// The peer did not do its part in time.
    #[error("the partner did not go on in time")]
    Timeout,
}

/// Why a node was not reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialFailure {
    /// An address is not one.
    #[error("“{0}” is not an address; one looks like /ip4/192.0.2.1/tcp/4001")]
    BadAddress(String),
    /// The connection broke before the session stood.
    #[error("the connection broke ({0}); it is tried again")]
    Lost(String),
    /// There is no address.
    #[error("no address of the partner's node is known")]
    NoAddress,
    /// This node is told not to connect.
    #[error("this node works offline; go online first")]
    Offline,
    /// No node of another can be at the address, or at the one that its name stands for.
    #[error(
        "{0} is of this machine or of no node; ask the partner for an address at which others reach \
         it"
    )]
    OutOfReach(String),
    /// Somebody answers, but not in time.
    #[error("the node does not answer in time; it may be overloaded, it is tried again")]
    Timeout,
    /// The node does not speak this protocol, or does not admit us.
    #[error(
        "the node does not speak this protocol version; one of the two programs must be updated"
    )]
    Unsupported,
    /// Nobody answers.
    #[error("nobody answers at {0}; check that the node runs and that the address is reachable")]
    Unreachable(String),
    /// Another node answers.
    #[error("another node answers at this address; ask the partner for its present one")]
    WrongNode,
}

/// What the network tells.
#[derive(Debug)]
pub enum NetworkEvent {
    /// This node can be reached here.
    Listening(String),
    /// This node can no longer be reached here.
    NotListening(String),
    /// A session began.
    Opened {
        /// The session.
        session: SessionId,
        /// The node at the other end.
        node: NodeId,
        /// What it is for.
        purpose: Purpose,
        /// Whether this side opened it.
        outbound: bool,
    },
    /// A frame arrived.
    Frame {
        /// The session.
        session: SessionId,
        /// The frame.
        bytes: Vec<u8>,
        /// Its share of the room for frames that wait; free again when this is dropped.
        room: OwnedSemaphorePermit,
    },
    /// A session ended.
    Closed {
        /// The session.
        session: SessionId,
        /// Why.
        cause: CloseCause,
    },
    /// A node was not reached.
    DialFailed {
        /// The node.
        node: NodeId,
        /// What it was for.
        purpose: Purpose,
        /// Why.
        failure: DialFailure,
    },
}

/// The network cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The address is taken or not of this machine.
    #[error("cannot listen on {address}: {cause}; choose another address or stop what uses it")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        cause: String,
    },
    /// The address is not one.
    #[error("“{0}” is not an address; one looks like /ip4/0.0.0.0/tcp/4001")]
    BadAddress(String),
    /// The transports could not be set up.
    #[error("the network could not start: {0}")]
    Setup(String),
}

/// How the network is set up.
pub struct NetworkConfig {
    /// Seed of the node key.
    pub seed: zeroize::Zeroizing<[u8; 32]>,
    /// Where to listen.
    pub listen: Vec<String>,
}

/// Bytes of frames, lengths included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Sent.
    pub sent: u64,
    /// Received.
    pub received: u64,
}

/// A handle to the network task.
#[derive(Clone)]
pub struct Network {
    listening: Arc<[String]>,
    shared: Arc<Shared>,
    commands: mpsc::Sender<swarm::Command>,
}

impl Network {
    /// Starts listening. Events go to `events`.
    ///
    /// # Errors
    /// [`NetworkError`] when an address cannot be listened on.
    pub async fn start(
        config: NetworkConfig,
        events: mpsc::Sender<NetworkEvent>,
    ) -> Result<Self, NetworkError> {
        let shared = Arc::new(Shared::default());
        let (commands, listening) = swarm::start(config, Arc::clone(&shared), events).await?;
        Ok(Self { listening: listening.into(), shared, commands })
    }

    /// Where it was asked to listen, with the ports that the system chose: to listen there again at
    /// the next start, since partners remember them.
    #[must_use]
    pub fn listening(&self) -> &[String] {
        &self.listening
    }

    /// Says who may open sync sessions. Sessions and connections of nodes no longer admitted are
    /// closed once what is queued was sent.
    pub fn admit(&self, nodes: HashSet<NodeId>) {
        let gone = self.shared.replace_admitted(nodes);
        let mut idle: HashSet<NodeId> = gone.into_iter().collect();
        for standing in self.shared.lock_sessions().values() {
            idle.remove(&standing.node);
            if standing.purpose == Purpose::Sync && !self.shared.is_admitted(&standing.node) {
                standing.outgoing.finish();
            }
        }
        if !idle.is_empty() {
            self.shared.wish(|wishes| wishes.expel.extend(idle));
        }
    }

    /// Reaches a node and opens a session; exactly one of [`NetworkEvent::Opened`] and
    /// [`NetworkEvent::DialFailed`] follows. Never waits.
    pub fn open(&self, node: NodeId, addresses: Vec<String>, purpose: Purpose) {
        self.shared.wish(|wishes| wishes.open.extend([((node, purpose), addresses)]));
    }

    /// Queues a frame. Never waits: a session whose queue is full is closed, one that is gone takes
    /// nothing; [`NetworkEvent::Closed`] follows or preceded.
    pub fn send(&self, session: SessionId, frame: Vec<u8>) {
        if frame.is_empty() || frame.len() > FRAME_BYTES_MAX {
            debug_assert!(false, "a frame of {} bytes is not one", frame.len());
            return self.close(session);
        }
        if let Some(standing) = self.shared.lock_sessions().get(&session) {
            standing.outgoing.push(frame);
        }
    }

    /// Ends a session once what is queued was sent.
    pub fn close(&self, session: SessionId) {
        if let Some(standing) = self.shared.lock_sessions().get(&session) {
            standing.outgoing.finish();
        }
    }

    /// Works offline: closes every session and connection, and neither listens nor dials. Returns
    /// when that is done.
    pub async fn pause(&self) {
        self.command(swarm::Command::Pause).await;
    }

    /// Listens again, where it listened before, and dials again.
    ///
    /// # Errors
    /// [`NetworkError::Listen`] when partners cannot reach it at one of its addresses, whose port
    /// somebody took meanwhile; it works online nevertheless.
    pub async fn resume(&self) -> Result<(), NetworkError> {
        self.command(swarm::Command::Resume).await.unwrap_or(Ok(()))
    }

    /// Bytes of frames so far, of all sessions.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared.totals.traffic()
    }

    /// Bytes of frames so far of one session that stands.
    #[must_use]
    pub fn traffic_of(&self, session: SessionId) -> Option<Traffic> {
        self.shared.lock_sessions().get(&session).map(|standing| standing.counters.traffic())
    }

    /// Ends the task and every session.
    pub async fn shutdown(&self) {
        self.command(swarm::Command::Shutdown).await;
        self.commands.closed().await;
    }

    /// Asks the task for something and waits until it is done; a task that has ended has done it.
    async fn command<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> swarm::Command,
    ) -> Option<T> {
        let (done, is_done) = oneshot::channel();
        self.commands.send(command(done)).await.ok()?;
        is_done.await.ok()
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Network")
    }
}

#[cfg(test)]
mod tests;
