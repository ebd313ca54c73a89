//! Streams of our two protocols, as a libp2p behaviour.
//!
//! Every negotiated stream becomes an event of the swarm, so none is lost however many arrive at
//! once: when the engine lags, the swarm waits. A stream per purpose and connection may be opened
//! at a time; its failure is an event too, also when the connection ends before anything is known:
//! libp2p forgets what was asked of a connection that is gone.

mod handler;

use super::Purpose;
use handler::{Handler, HandlerEvent};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, Stream, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::task::{Context, Poll};

/// What happened with a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// A stream stands.
    Opened {
        /// The peer.
        peer: PeerId,
        /// What it is for.
        purpose: Purpose,
        /// Whether this side opened it.
        outbound: bool,
        /// The stream.
        stream: Stream,
    },
    /// A stream could not be opened.
    Failed {
        /// The peer.
        peer: PeerId,
        /// What it was for.
        purpose: Purpose,
        /// Whether the peer does not speak the protocol; otherwise the line failed.
        unsupported: bool,
    },
}

/// The behaviour.
#[derive(Debug, Default)]
pub struct Streams {
    pending: VecDeque<ToSwarm<StreamEvent, Purpose>>,
    connections: HashMap<PeerId, Vec<ConnectionId>>,
    /// What was asked of a connection and is not known yet.
    asked: HashMap<ConnectionId, BTreeSet<Purpose>>,
}

impl Streams {
    /// Opens a stream to a connected peer; an event follows.
    pub fn open(&mut self, peer: PeerId, purpose: Purpose) {
        let connection = self.connections.get(&peer).and_then(|all| all.last().copied());
        let Some(connection) = connection else { return self.fail(peer, purpose) };
        // Asked twice, one outcome serves both.
        if self.asked.entry(connection).or_default().insert(purpose) {
            self.pending.push_back(ToSwarm::NotifyHandler {
                peer_id: peer,
                handler: NotifyHandler::One(connection),
                event: purpose,
            });
        }
    }

    fn fail(&mut self, peer: PeerId, purpose: Purpose) {
        let failed = StreamEvent::Failed { peer, purpose, unsupported: false };
        self.pending.push_back(ToSwarm::GenerateEvent(failed));
    }

    fn answered(&mut self, connection: ConnectionId, purpose: Purpose) {
        if let Some(asked) = self.asked.get_mut(&connection) {
            asked.remove(&purpose);
        }
    }

    fn ended(&mut self, peer: PeerId, connection: ConnectionId) {
        if let Some(all) = self.connections.get_mut(&peer) {
            all.retain(|one| *one != connection);
            if all.is_empty() {
                self.connections.remove(&peer);
            }
        }
        for purpose in self.asked.remove(&connection).unwrap_or_default() {
            self.fail(peer, purpose);
        }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            }) => self.connections.entry(peer_id).or_default().push(connection_id),
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.ended(peer_id, connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        let event = match event {
            HandlerEvent::Opened { purpose, outbound, stream } => {
                if outbound {
                    self.answered(connection, purpose);
                }
                StreamEvent::Opened { peer, purpose, outbound, stream }
            }
            HandlerEvent::Failed { purpose, unsupported } => {
                self.answered(connection, purpose);
                StreamEvent::Failed { peer, purpose, unsupported }
            }
        };
        self.pending.push_back(ToSwarm::GenerateEvent(event));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<StreamEvent, THandlerInEvent<Self>>> {
        self.pending.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
