//! The network: libp2p, named nowhere else.
//!
//! # Contract
//! A node's libp2p identity is its node key, so the peer at the other end of a stream is a
//! [`NodeId`] that TLS authenticated. There are two stream protocols with frames of at most
//! [`FRAME_BYTES_MAX`](sincronia_protocol::limits::FRAME_BYTES_MAX) bytes, each preceded by its
//! length: *join*, which anyone may open, and *sync*, which only admitted nodes may open.
//! [`NetworkEvent`]s arrive in a bounded channel; while it is full, nothing is read from peers.
//!
//! # Threats
//! Connections, streams and queues are bounded in `limits`. Frames longer than the limit, or empty,
//! end the session. A peer that does not read ends up with a full queue and a closed session. TCP
//! carries TLS 1.3 and QUIC its own; Noise, which has no post-quantum key exchange, is not compiled
//! in. There is no discovery: nobody learns of a node who was not told.
//!
//! # Deliberately absent
//! Whom to connect to and when, what frames mean, retries.

mod session;
mod streams;
mod swarm;

use libp2p::{Multiaddr, PeerId};
use sincronia_protocol::ids::NodeId;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::mpsc;

use session::Outgoing;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
}

/// Why a node was not reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialFailure {
    /// An address is not one.
    #[error("“{0}” is not an address; one looks like /ip4/192.0.2.1/tcp/4001")]
    BadAddress(String),
    /// There is no address.
    #[error("no address of this node is known")]
    NoAddress,
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

#[derive(Default)]
pub(crate) struct Shared {
    admitted: RwLock<HashSet<NodeId>>,
    sessions: Mutex<HashMap<SessionId, (NodeId, Purpose, Outgoing)>>,
    next: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
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

    /// Says who may open sync sessions. Sessions of nodes no longer admitted are closed.
    pub fn admit(&self, nodes: HashSet<NodeId>) {
        let mut gone = Vec::new();
        for (id, (node, purpose, _)) in self.shared.lock_sessions().iter() {
            if *purpose == Purpose::Sync && !nodes.contains(node) {
                gone.push(*id);
            }
        }
        *self.shared.admitted.write().unwrap_or_else(PoisonError::into_inner) = nodes;
        for session in gone {
            self.close(session);
        }
    }

    /// Reaches a node and opens a session; [`NetworkEvent::Opened`] or
    /// [`NetworkEvent::DialFailed`] follows.
    pub fn open(&self, node: NodeId, addresses: Vec<String>, purpose: Purpose) {
        let command = swarm::Command::Open { node, addresses, purpose };
        // A full queue means hundreds of attempts are under way; the next retry comes anyway.
        let _ = self.commands.try_send(command);
    }

    /// Queues a frame. A session whose queue is full is closed.
    pub fn send(&self, session: SessionId, frame: Vec<u8>) {
        let sessions = self.shared.lock_sessions();
        if let Some((_, _, outgoing)) = sessions.get(&session) {
            self.shared.sent.fetch_add(frame.len() as u64 + 4, Ordering::Relaxed);
            outgoing.push(frame);
        }
    }

    /// Ends a session once what is queued was sent.
    pub fn close(&self, session: SessionId) {
        if let Some((_, _, outgoing)) = self.shared.lock_sessions().remove(&session) {
            outgoing.finish();
        }
    }

    /// Works offline: closes every session and connection, and neither listens nor dials.
    pub async fn pause(&self) {
        let _ = self.commands.send(swarm::Command::Pause).await;
    }

    /// Listens again.
    pub async fn resume(&self) {
        let _ = self.commands.send(swarm::Command::Resume).await;
    }

    /// Bytes of frames so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            sent: self.shared.sent.load(Ordering::Relaxed),
            received: self.shared.received.load(Ordering::Relaxed),
        }
    }

    /// Ends the task and every session.
    pub async fn shutdown(&self) {
        let _ = self.commands.send(swarm::Command::Shutdown).await;
        self.commands.closed().await;
    }
}

impl Shared {
    fn lock_sessions(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<SessionId, (NodeId, Purpose, Outgoing)>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_admitted(&self, node: &NodeId) -> bool {
        self.admitted.read().unwrap_or_else(PoisonError::into_inner).contains(node)
    }

    fn next_session(&self) -> SessionId {
        SessionId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// The peer id of a node: both are its public key.
fn peer_of(node: &NodeId) -> Option<PeerId> {
    let key = libp2p::identity::ed25519::PublicKey::try_from_bytes(node.as_bytes()).ok()?;
    Some(PeerId::from_public_key(&libp2p::identity::PublicKey::from(key)))
}

/// The node of a peer id; none when it was not made from an Ed25519 key.
fn node_of(peer: &PeerId) -> Option<NodeId> {
    // Ed25519 peer ids hold the key itself: identity multihash of 08 01 12 20 ‖ key.
    let bytes = peer.to_bytes();
    let key = bytes.strip_prefix(&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20])?;
    key.try_into().ok().map(NodeId::from_bytes)
}

/// Whether a text is an address on which a node can listen or be reached.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.len() <= sincronia_protocol::limits::ADDRESS_BYTES_MAX
        && text.starts_with('/')
        && parse_address(text).is_some_and(|address| !address.is_empty())
}

fn parse_address(text: &str) -> Option<Multiaddr> {
    let address: Multiaddr = text.parse().ok()?;
    let is_peer = |part| matches!(part, libp2p::multiaddr::Protocol::P2p(_));
    Some(address.into_iter().filter(|part| !is_peer(part.clone())).collect())
}

#[cfg(test)]
mod tests;
