//! Streams of our two protocols, as a libp2p behaviour.
//!
//! Every negotiated stream becomes an event of the swarm, so none is lost however many arrive at
//! once: when the engine lags, the swarm waits. A stream per purpose and connection may be opened
//! at a time; its failure is an event too.

mod handler;

use super::Purpose;
use handler::{Handler, HandlerEvent};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, Stream, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use std::collections::VecDeque;
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
}

impl Streams {
    /// Opens a stream to a connected peer; an event follows.
    pub fn open(&mut self, peer: PeerId, purpose: Purpose) {
        self.pending.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::Any,
            event: purpose,
        });
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

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        let event = match event {
            HandlerEvent::Opened { purpose, outbound, stream } => {
                StreamEvent::Opened { peer, purpose, outbound, stream }
            }
            HandlerEvent::Failed { purpose, unsupported } => {
                StreamEvent::Failed { peer, purpose, unsupported }
            }
        };
        self.pending.push_back(ToSwarm::GenerateEvent(event));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<StreamEvent, THandlerInEvent<Self>>> {
        self.pending.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
