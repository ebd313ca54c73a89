//! The task that drives libp2p.
//!
//! It never waits for the engine: what it tells goes into an outbox from which the channel of
//! events takes as it has room. Sessions tell for themselves, each in its own task.

use super::address::{dialable, port_of, with_port};
use super::fence::is_out_of_reach;
use super::port::check_free;
use super::reach::Reach;
use super::session::Session;
use super::shared::{Shared, Wishes};
use super::streams::StreamEvent;
use super::transport::{self, Behaviour, BehaviourEvent};
use super::{DialFailure, NetworkConfig, NetworkError, NetworkEvent, Purpose, node_of, peer_of};
use crate::limits;
use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm, ping};
use sincronia_protocol::ids::NodeId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};

/// What the handle asks of the task; answered when it is done.
pub enum Command {
    Pause(oneshot::Sender<()>),
    Resume(oneshot::Sender<Result<(), NetworkError>>),
    Shutdown(oneshot::Sender<()>),
}

struct Task {
    swarm: Swarm<Behaviour>,
    shared: Arc<Shared>,
    events: mpsc::Sender<NetworkEvent>,
    outbox: VecDeque<NetworkEvent>,
    listen: Vec<Multiaddr>,
    listeners: HashMap<ListenerId, usize>,
    wanted: BTreeMap<PeerId, BTreeSet<Purpose>>,
    reach: Reach,
}

/// Starts the task; it has bound its addresses when this returns.
pub async fn start(
    config: NetworkConfig,
    shared: Arc<Shared>,
    events: mpsc::Sender<NetworkEvent>,
) -> Result<(mpsc::Sender<Command>, Vec<String>), NetworkError> {
    let listen: Vec<Multiaddr> = config
        .listen
        .iter()
        .map(|text| text.parse().map_err(|_| NetworkError::BadAddress(text.clone())))
        .collect::<Result<_, _>>()?;
    let reach = Reach::of(&listen);
    let swarm = transport::build(&config, reach, Arc::clone(&shared))?;
    let (commands, queue) = mpsc::channel(16);
    let mut task = Task {
        swarm,
        shared,
        events,
        outbox: VecDeque::new(),
        listen,
        listeners: HashMap::new(),
        wanted: BTreeMap::new(),
        reach,
    };
    for index in 0..task.listen.len() {
        task.listen(index)?;
    }
    task.await_listeners().await?;
    let listening = task.listen.iter().map(ToString::to_string).collect();
    tokio::spawn(task.run(queue));
    Ok((commands, listening))
}

/// An error with all that it was caused by: some layers of the transport say nothing themselves.
fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut words: Vec<_> = causes.map(ToString::to_string).filter(|one| !one.is_empty()).collect();
    words.dedup();
    words.join(": ")
}

impl Task {
    fn listen(&mut self, index: usize) -> Result<(), NetworkError> {
        let Some(address) = self.listen.get(index) else { return Ok(()) };
        let refused = |cause: String| NetworkError::Listen { address: address.to_string(), cause };
        check_free(address).map_err(|error| refused(error.to_string()))?;
        let listener = self.swarm.listen_on(address.clone());
        let listener = listener.map_err(|error| refused(in_words(&error)))?;
        self.listeners.insert(listener, index);
        Ok(())
    }

    /// Waits until every listener has its first address, so that a taken port is known at once. A
    /// machine without any network has none to wait for.
    async fn await_listeners(&mut self) -> Result<(), NetworkError> {
        let mut open: HashSet<_> = self.listeners.keys().copied().collect();
        let until = tokio::time::Instant::now() + limits::OPEN_TIMEOUT;
        while !open.is_empty() {
            let next = tokio::time::timeout_at(until, self.swarm.select_next_some());
            let Ok(event) = next.await else { return Ok(()) };
            match &event {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    open.retain(|one| one != listener_id);
                }
                SwarmEvent::ListenerClosed { listener_id, reason: Err(error), .. }
                | SwarmEvent::ListenerError { listener_id, error } => {
                    return Err(self.listen_error(*listener_id, error));
                }
                _ => {}
            }
            self.handle(event);
        }
        Ok(())
    }

    fn listen_error(&self, listener: ListenerId, error: &std::io::Error) -> NetworkError {
        let address = self.listeners.get(&listener).and_then(|index| self.listen.get(*index));
        let address = address.map(ToString::to_string).unwrap_or_default();
        NetworkError::Listen { address, cause: error.to_string() }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let events = self.events.clone();
        loop {
            tokio::select! {
                room = events.reserve(), if !self.outbox.is_empty() => {
                    let Ok(room) = room else { return };
                    if let Some(event) = self.outbox.pop_front() {
                        room.send(event);
                    }
                }
                wishes = self.shared.wishes() => self.grant(wishes),
                command = commands.recv() => match command {
                    Some(Command::Pause(done)) => self.pause(done).await,
                    Some(Command::Resume(done)) => self.resume(done).await,
                    Some(Command::Shutdown(done)) => return self.pause(done).await,
                    None => return,
                },
                event = self.swarm.select_next_some() => self.handle(event),
            }
        }
    }

    fn grant(&mut self, wishes: Wishes) {
        for node in wishes.expel {
            let may_stay = self.shared.is_admitted(&node);
            if let Some(peer) = peer_of(&node).filter(|_| !may_stay) {
                let _ = self.swarm.disconnect_peer_id(peer);
            }
        }
        for ((node, purpose), addresses) in wishes.open {
            self.open(node, &addresses, purpose);
        }
    }

    fn open(&mut self, node: NodeId, addresses: &[String], purpose: Purpose) {
        if self.shared.is_paused() {
            return self.fail(node, purpose, DialFailure::Offline);
        }
        let Some(peer) = peer_of(&node) else {
            return self.fail(node, purpose, DialFailure::WrongNode);
        };
        if self.swarm.is_connected(&peer) {
            return self.swarm.behaviour_mut().streams.open(peer, purpose);
        }
        let addresses = match dialable(addresses, &peer, self.reach) {
            Ok(addresses) => addresses,
            Err(failure) => return self.fail(node, purpose, failure),
        };
        let options = DialOpts::peer_id(peer)
            .addresses(addresses)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .build();
        match self.swarm.dial(options) {
            // When a dial is under way already, its outcome serves this wish too.
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {
                self.wanted.entry(peer).or_default().insert(purpose);
            }
            Err(error) => self.fail(node, purpose, self.failure_of(&error)),
        }
    }

    fn handle_stream(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Opened { peer, purpose, outbound, stream } => {
                let Some(node) = node_of(&peer) else { return };
                let begun = begin(stream, node, purpose, outbound, &self.shared, &self.events);
                if !begun && outbound {
                    self.fail(node, purpose, DialFailure::Offline);
                } else if !begun {
                    debug!(?node, ?purpose, "stream refused");
                }
            }
            StreamEvent::Failed { peer, purpose, unsupported } => {
                let lost = || DialFailure::Lost("the line broke while it was opened".into());
                let failure = if unsupported { DialFailure::Unsupported } else { lost() };
                if let Some(node) = node_of(&peer) {
                    self.fail(node, purpose, failure);
                }
            }
        }
    }

    fn fail(&mut self, node: NodeId, purpose: Purpose, failure: DialFailure) {
        self.outbox.push_back(NetworkEvent::DialFailed { node, purpose, failure });
    }

    fn fail_wanted(&mut self, peer: &PeerId, failure: &DialFailure) {
        let wanted = self.wanted.remove(peer).unwrap_or_default();
        if let Some(node) = node_of(peer) {
            for purpose in wanted {
                self.fail(node, purpose, failure.clone());
            }
        }
    }

    /// Closes everything, then waits a moment for the goodbyes to leave.
    async fn pause(&mut self, done: oneshot::Sender<()>) {
        self.shared.set_paused(true);
        for listener in self.listeners.keys() {
            self.swarm.remove_listener(*listener);
        }
        for peer in self.wanted.keys().copied().collect::<Vec<_>>() {
            self.fail_wanted(&peer, &DialFailure::Offline);
        }
        for standing in self.shared.lock_sessions().values() {
            standing.outgoing.finish();
        }
        for peer in self.swarm.connected_peers().copied().collect::<Vec<_>>() {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closing = async {
            while self.swarm.connected_peers().next().is_some() || !self.listeners.is_empty() {
                let event = self.swarm.select_next_some().await;
                self.handle(event);
            }
        };
        let _ = timeout(limits::CLOSING_TIMEOUT, closing).await;
        self.listeners.clear();
        // A listener that said it has ended gives its port back when it is asked once more.
        while let Ok(event) = timeout(Duration::ZERO, self.swarm.select_next_some()).await {
            self.handle(event);
        }
        let _ = done.send(());
    }

    async fn resume(&mut self, done: oneshot::Sender<Result<(), NetworkError>>) {
        self.shared.set_paused(false);
        let open: HashSet<_> = self.listeners.values().copied().collect();
        let mut outcome = Ok(());
        for index in (0..self.listen.len()).filter(|index| !open.contains(index)) {
            if let Err(error) = self.listen_again(index).await {
                warn!(%error, "partners cannot reach this node there");
                outcome = outcome.and(Err(error));
            }
        }
        let _ = done.send(outcome);
    }

    /// Listens where this node listened before. The connections of QUIC that were closed give
    /// their port back only when the last of their packets must have arrived.
    async fn listen_again(&mut self, index: usize) -> Result<(), NetworkError> {
        let until = Instant::now() + limits::PORT_RELEASE_TIMEOUT;
        let is_quic = |address: &Multiaddr| {
            address.iter().any(|part| matches!(part, libp2p::multiaddr::Protocol::QuicV1))
        };
        let may_wait = self.listen.get(index).is_some_and(is_quic);
        loop {
            let outcome = self.listen(index);
            if outcome.is_ok() || !may_wait || Instant::now() >= until {
                return outcome;
            }
            let next = Instant::now() + limits::PORT_RELEASE_INTERVAL;
            while let Ok(event) = timeout_at(next, self.swarm.select_next_some()).await {
                self.handle(event);
            }
        }
    }

    fn handle(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                self.keep_port(listener_id, &address);
                self.outbox.push_back(NetworkEvent::Listening(address.to_string()));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.outbox.push_back(NetworkEvent::NotListening(address.to_string()));
            }
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                self.listeners.remove(&listener_id);
                if let Err(error) = reason {
                    warn!(%error, "partners cannot reach this node any more at an address");
                }
                let gone = addresses.iter().map(ToString::to_string);
                self.outbox.extend(gone.map(NetworkEvent::NotListening));
            }
            SwarmEvent::Behaviour(BehaviourEvent::Streams(event)) => self.handle_stream(event),
            SwarmEvent::ConnectionEstablished { peer_id, .. } => self.serve_wanted(&peer_id),
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.fail_wanted(&peer, &self.failure_of(&error));
            }
            SwarmEvent::IncomingConnectionError { error, .. } => debug!(%error, "not let in"),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                connection,
                result: Err(ping::Failure::Timeout),
                ..
            })) => {
                self.swarm.close_connection(connection);
            }
            _ => {}
        }
    }

    /// Keeps the port that the system chose, so that partners find the node there again.
    fn keep_port(&mut self, listener: ListenerId, address: &Multiaddr) {
        let wanted = self.listeners.get(&listener).and_then(|index| self.listen.get_mut(*index));
        if let (Some(wanted), Some(port)) = (wanted, port_of(address)) {
            *wanted = with_port(wanted, port);
        }
    }

    fn serve_wanted(&mut self, peer: &PeerId) {
        for purpose in self.wanted.remove(peer).unwrap_or_default() {
            self.swarm.behaviour_mut().streams.open(*peer, purpose);
        }
    }

    fn failure_of(&self, error: &DialError) -> DialFailure {
        match error {
            DialError::WrongPeerId { .. } | DialError::LocalPeerId { .. } => DialFailure::WrongNode,
            DialError::NoAddresses => DialFailure::NoAddress,
            DialError::Transport(attempts) => {
                let addresses: Vec<_> = attempts.iter().map(|(one, _)| one.to_string()).collect();
                let addresses = addresses.join(", ");
                if attempts.iter().all(|(_, error)| is_out_of_reach(error)) {
                    DialFailure::OutOfReach(addresses)
                } else {
                    DialFailure::Unreachable(addresses)
                }
            }
            _ if self.shared.is_paused() => DialFailure::Offline,
            error => DialFailure::Lost(error.to_string()),
        }
    }
}

/// Begins a session on a stream, unless that is not allowed; then the stream is dropped.
fn begin(
    stream: Stream,
    node: NodeId,
    purpose: Purpose,
    outbound: bool,
    shared: &Arc<Shared>,
    events: &mpsc::Sender<NetworkEvent>,
) -> bool {
    let Some(begun) = shared.begin(node, purpose, outbound) else { return false };
    let (shared, events) = (Arc::clone(shared), events.clone());
    let session = Session { begun, node, purpose, outbound, shared, events };
    tokio::spawn(session.run(stream));
    true
}
