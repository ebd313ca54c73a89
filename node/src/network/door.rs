//! Who may connect at all: asked by libp2p before a connection costs anything, and again when its
//! peer is known.
//!
//! Partners are let in within the common limits. Strangers may connect to join, but slowly, and
//! only so many at a time: they can never take the places of partners. While the node works offline
//! nobody comes in or goes out.

use super::rate::{Limiter, place_of};
use super::{Shared, node_of};
use crate::limits;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::{ConnectionClosed, DialFailure, ListenFailure};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use sincronia_protocol::ids::NodeId;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// Why a connection is not made.
#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error("this node works offline")]
    Offline,
    #[error("too many attempts from this place")]
    TooFast,
    #[error("too many connections of this place are being negotiated")]
    TooManyPending,
    #[error("too many strangers are connected")]
    TooMany,
    #[error("the peer has no node's key")]
    NoNode,
}

/// One connection, for whoever asks where a node is.
#[derive(Debug)]
pub struct Connection {
    pub node: NodeId,
    pub place: Option<IpAddr>,
    inbound: bool,
}

/// The behaviour.
pub struct Door {
    shared: Arc<Shared>,
    knocking: Limiter,
    /// Connections that others began and that do not stand yet, with their places.
    pending: HashMap<ConnectionId, Option<IpAddr>>,
}

impl Door {
    pub fn new(shared: Arc<Shared>) -> Self {
        let (each, all) = (limits::CONNECTING_RATE_EACH, limits::CONNECTING_RATE_ALL);
        let knocking = Limiter::new(each, all, Instant::now());
        Self { shared, knocking, pending: HashMap::new() }
    }

    fn has_room_to_negotiate(&self, place: Option<IpAddr>) -> bool {
        let most = if place.is_none_or(|place| place.is_loopback()) {
            limits::CONNECTIONS_PENDING_LOCAL_MAX
        } else {
            limits::CONNECTIONS_PENDING_PER_PLACE_MAX
        };
        self.pending.values().filter(|one| **one == place).count() < most
    }

    fn enter(
        &self,
        id: ConnectionId,
        peer: &PeerId,
        address: &Multiaddr,
        inbound: bool,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let node = node_of(peer).ok_or_else(|| ConnectionDenied::new(Denied::NoNode))?;
        self.check_open()?;
        let place = place_of(address);
        if inbound && !self.shared.is_admitted(&node) && !self.has_room_for_stranger(place) {
            return Err(ConnectionDenied::new(Denied::TooMany));
        }
        let connection = Connection { node, place, inbound };
        self.shared.lock_connections().insert(id, connection);
        Ok(dummy::ConnectionHandler)
    }

    fn has_room_for_stranger(&self, place: Option<IpAddr>) -> bool {
        let connections = self.shared.lock_connections();
        let is_stranger = |one: &&Connection| one.inbound && !self.shared.is_admitted(&one.node);
        let strangers = connections.values().filter(is_stranger);
        let (mut all, mut here) = (0, 0);
        for stranger in strangers {
            all += 1;
            here += usize::from(stranger.place == place);
        }
        let is_local = place.is_none_or(|place| place.is_loopback());
        all < limits::STRANGERS_MAX && (is_local || here < limits::STRANGERS_PER_PLACE_MAX)
    }

    fn check_open(&self) -> Result<(), ConnectionDenied> {
        let denied = || ConnectionDenied::new(Denied::Offline);
        if self.shared.is_paused() { Err(denied()) } else { Ok(()) }
    }
}

impl NetworkBehaviour for Door {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.check_open()?;
        let place = place_of(remote);
        if !self.knocking.admit(place, Instant::now()) {
            return Err(ConnectionDenied::new(Denied::TooFast));
        }
        if !self.has_room_to_negotiate(place) {
            return Err(ConnectionDenied::new(Denied::TooManyPending));
        }
        self.pending.insert(id, place);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending.remove(&id);
        self.enter(id, &peer, remote, true)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.check_open().map(|()| Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.enter(id, &peer, address, false)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        // Another behaviour may deny what this one let in: then it never stood.
        if let FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
        | FromSwarm::DialFailure(DialFailure { connection_id, .. })
        | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) = event
        {
            self.pending.remove(&connection_id);
            self.shared.lock_connections().remove(&connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
