//! Who may connect at all: asked by libp2p before a connection costs anything, and again when its
//! peer is known.
//!
//! Partners are let in within the common limits. Strangers may connect to join, but slowly, and
//! only so many at a time: they can never take the places of partners. While the node works offline
//! nobody comes in or goes out.

use super::rate::{Limiter, network_of, place_of};
use super::{Shared, node_of, peer_of};
use crate::limits;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::{ConnectionClosed, DialFailure, ListenFailure};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use sincronia_protocol::ids::NodeId;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

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
    since: Instant,
}

/// The behaviour.
pub struct Door {
    shared: Arc<Shared>,
    knocking: Limiter,
    /// Connections that others began and that do not stand yet, with their places.
    pending: HashMap<ConnectionId, Option<IpAddr>>,
    /// How long a stranger keeps its place when another wants one.
    pub stranger_stay: Duration,
    /// Connections of strangers that make room.
    leaving: VecDeque<(PeerId, ConnectionId)>,
}

impl Door {
    pub fn new(shared: Arc<Shared>) -> Self {
        let (each, all) = (limits::CONNECTING_RATE_EACH, limits::CONNECTING_RATE_ALL);
        let knocking = Limiter::new(each, all, Instant::now());
        Self {
            shared,
            knocking,
            pending: HashMap::new(),
            stranger_stay: limits::STRANGER_STAY,
            leaving: VecDeque::new(),
        }
    }

    fn has_room_to_negotiate(&self, place: Option<IpAddr>) -> bool {
        let most = if place.is_none_or(|place| place.is_loopback()) {
            limits::CONNECTIONS_PENDING_LOCAL_MAX
        } else {
            limits::CONNECTIONS_PENDING_PER_PLACE_MAX
        };
        let network = place.and_then(network_of);
        let of_network = |one: &&Option<IpAddr>| one.and_then(network_of) == network;
        let is_full = network.is_some()
            && self.pending.values().filter(of_network).count()
                >= limits::CONNECTIONS_PENDING_PER_NETWORK_MAX;
        !is_full && self.pending.values().filter(|one| **one == place).count() < most
    }

    fn enter(
        &mut self,
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
        let connection = Connection { node, place, inbound, since: Instant::now() };
        self.shared.lock_connections().insert(id, connection);
        Ok(dummy::ConnectionHandler)
    }

    /// Whether one more stranger of a place may stay; where there are too many, the one that has
    /// stayed longest makes room, once it had its time.
    fn has_room_for_stranger(&mut self, place: Option<IpAddr>) -> bool {
        let mut connections = self.shared.lock_connections();
        let network = place.and_then(network_of);
        let (mut all, mut here, mut near) = (0, 0, 0);
        let mut oldest: Option<(Instant, ConnectionId)> = None;
        for (id, one) in connections.iter().filter(|(_, one)| one.inbound) {
            if self.shared.is_admitted(&one.node) {
                continue;
            }
            all += 1;
            here += usize::from(one.place == place);
            near += usize::from(network.is_some() && one.place.and_then(network_of) == network);
            if oldest.is_none_or(|oldest| (one.since, *id) < oldest) {
                oldest = Some((one.since, *id));
            }
        }
        let is_local = place.is_none_or(|place| place.is_loopback());
        if near >= limits::STRANGERS_PER_NETWORK_MAX
            || (!is_local && here >= limits::STRANGERS_PER_PLACE_MAX)
        {
            return false;
        }
        if all < limits::STRANGERS_MAX {
            return true;
        }
        let Some((_, id)) = oldest.filter(|(since, _)| since.elapsed() >= self.stranger_stay)
        else {
            return false;
        };
        let peer = connections.remove(&id).and_then(|one| peer_of(&one.node));
        self.leaving.extend(peer.map(|peer| (peer, id)));
        true
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
        let leaving = self.leaving.pop_front();
        leaving.map_or(Poll::Pending, |(peer_id, id)| {
            let connection = CloseConnection::One(id);
            Poll::Ready(ToSwarm::CloseConnection { peer_id, connection })
        })
    }
}
