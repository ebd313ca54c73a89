//! The task that drives libp2p.

use super::{
    DialFailure, Network, NetworkConfig, NetworkError, NetworkEvent, Purpose, Shared, node_of,
    parse_address, peer_of, session,
    streams::{StreamEvent, Streams},
};
use crate::limits;
use futures::StreamExt;
use libp2p::connection_limits::{Behaviour as Limits, ConnectionLimits};
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm};
use sincronia_protocol::ids::NodeId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::mpsc;
use tracing::debug;

/// What the handle asks of the task.
pub enum Command {
    Open { node: NodeId, addresses: Vec<String>, purpose: Purpose },
    Pause,
    Resume,
    Shutdown,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: Limits,
    ping: libp2p::ping::Behaviour,
    streams: Streams,
}

struct Task {
    swarm: Swarm<Behaviour>,
    shared: Arc<Shared>,
    events: mpsc::Sender<NetworkEvent>,
    listen: Vec<Multiaddr>,
    listeners: HashMap<ListenerId, usize>,
    wanted: BTreeMap<PeerId, Vec<Purpose>>,
    paused: bool,
}

/// Starts the task; it has bound its addresses when this returns.
pub async fn start(
    config: NetworkConfig,
    shared: Arc<Shared>,
    events: mpsc::Sender<NetworkEvent>,
) -> Result<(mpsc::Sender<Command>, Vec<String>), NetworkError> {
    let listen: Result<Vec<_>, _> = config
        .listen
        .iter()
        .map(|text| text.parse().map_err(|_| NetworkError::BadAddress(text.clone())))
        .collect();
    let swarm = build(&config)?;
    let (commands, queue) = mpsc::channel(256);
    let mut task = Task {
        swarm,
        shared,
        events,
        listen: listen?,
        listeners: HashMap::new(),
        wanted: BTreeMap::new(),
        paused: false,
    };
    task.listen()?;
    task.await_listeners().await?;
    let listening = task.listen.iter().map(ToString::to_string).collect();
    tokio::spawn(task.run(queue));
    Ok((commands, listening))
}

fn build(config: &NetworkConfig) -> Result<Swarm<Behaviour>, NetworkError> {
    let setup = |error: &dyn std::fmt::Display| NetworkError::Setup(error.to_string());
    let mut seed = *config.seed;
    let keypair =
        libp2p::identity::Keypair::ed25519_from_bytes(&mut seed).map_err(|error| setup(&error))?;
    let yamux = || {
        let mut config = libp2p::yamux::Config::default();
        config.set_max_num_streams(limits::STREAMS_PER_CONNECTION_MAX);
        config
    };
    let connection_limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits::CONNECTIONS_PENDING_MAX))
        .with_max_pending_outgoing(Some(limits::CONNECTIONS_PENDING_MAX))
        .with_max_established(Some(limits::CONNECTIONS_MAX))
        .with_max_established_per_peer(Some(limits::CONNECTIONS_PER_PEER_MAX));
    let behaviour = Behaviour {
        limits: Limits::new(connection_limits),
        ping: libp2p::ping::Behaviour::default(),
        streams: Streams::default(),
    };
    let swarm = libp2p::SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(libp2p::tcp::Config::default().nodelay(true), libp2p::tls::Config::new, yamux)
        .map_err(|error| setup(&error))?
        .with_quic_config(|mut config| {
            config.max_concurrent_stream_limit =
                u32::try_from(limits::STREAMS_PER_CONNECTION_MAX).unwrap_or(32);
            config.max_stream_data = 1024 * 1024;
            config.max_connection_data = 4 * 1024 * 1024;
            config
        })
        .with_dns()
        .map_err(|error| setup(&error))?
        .with_behaviour(|_| behaviour)
        .map_err(|error| setup(&error))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(limits::IDLE_TIMEOUT))
        .build();
    Ok(swarm)
}

impl Task {
    fn listen(&mut self) -> Result<(), NetworkError> {
        for (index, address) in self.listen.clone().into_iter().enumerate() {
            let listener = self.swarm.listen_on(address.clone()).map_err(|error| {
                NetworkError::Listen { address: address.to_string(), cause: error.to_string() }
            })?;
            self.listeners.insert(listener, index);
        }
        Ok(())
    }

    /// Keeps the port that the system chose, so that partners find the node there again.
    fn keep_port(&mut self, listener: ListenerId, address: &Multiaddr) {
        let wanted = self.listeners.get(&listener).and_then(|index| self.listen.get_mut(*index));
        if let (Some(wanted), Some(port)) = (wanted, port_of(address)) {
            *wanted = with_port(wanted, port);
        }
    }

    /// Waits until every listener has its first address, so that a taken port is known at once.
    async fn await_listeners(&mut self) -> Result<(), NetworkError> {
        let mut open: HashSet<_> = self.listeners.keys().copied().collect();
        while !open.is_empty() {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, address } => {
                    open.remove(&listener_id);
                    self.keep_port(listener_id, &address);
                    self.tell_listening(&address).await;
                }
                SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                    let address = addresses.first().map(ToString::to_string).unwrap_or_default();
                    let cause = reason.err().map(|error| error.to_string()).unwrap_or_default();
                    return Err(NetworkError::Listen { address, cause });
                }
                SwarmEvent::ListenerError { error, .. } => {
                    let address = String::new();
                    return Err(NetworkError::Listen { address, cause: error.to_string() });
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn tell_listening(&mut self, address: &Multiaddr) {
        let _ = self.events.send(NetworkEvent::Listening(address.to_string())).await;
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        loop {
            tokio::select! {
                command = queue.recv() => match command {
                    Some(Command::Open { node, addresses, purpose }) => {
                        self.open(node, &addresses, purpose);
                    }
                    Some(Command::Pause) => self.pause(),
                    Some(Command::Resume) => self.resume(),
                    Some(Command::Shutdown) | None => break,
                },
                event = self.swarm.select_next_some() => self.handle(event).await,
            }
        }
        self.pause();
    }

    fn open(&mut self, node: NodeId, addresses: &[String], purpose: Purpose) {
        let Some(peer) = peer_of(&node).filter(|_| !self.paused) else {
            return self.fail(node, purpose, DialFailure::NoAddress);
        };
        if self.swarm.is_connected(&peer) {
            return self.open_stream(peer, purpose);
        }
        let mut parsed = Vec::new();
        for text in addresses {
            match parse_address(text) {
                Some(address) => parsed.push(address),
                None => return self.fail(node, purpose, DialFailure::BadAddress(text.clone())),
            }
        }
        if parsed.is_empty() {
            return self.fail(node, purpose, DialFailure::NoAddress);
        }
        let wanted = self.wanted.entry(peer).or_default();
        if !wanted.contains(&purpose) {
            wanted.push(purpose);
        }
        let options = DialOpts::peer_id(peer)
            .addresses(parsed)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .build();
        // When a dial is under way already, its outcome serves this wish too.
        let _ = self.swarm.dial(options);
    }

    fn open_stream(&mut self, peer: PeerId, purpose: Purpose) {
        self.swarm.behaviour_mut().streams.open(peer, purpose);
    }

    fn fail(&self, node: NodeId, purpose: Purpose, failure: DialFailure) {
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(NetworkEvent::DialFailed { node, purpose, failure }).await;
        });
    }

    fn pause(&mut self) {
        self.paused = true;
        self.wanted.clear();
        for (listener, _) in std::mem::take(&mut self.listeners) {
            self.swarm.remove_listener(listener);
        }
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        for (_, (_, _, outgoing)) in self.shared.lock_sessions().drain() {
            outgoing.finish();
        }
    }

    fn resume(&mut self) {
        if std::mem::take(&mut self.paused)
            && let Err(error) = self.listen()
        {
            debug!(%error, "listening again failed");
        }
    }

    async fn handle(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => self.tell_listening(&address).await,
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                let event = NetworkEvent::NotListening(address.to_string());
                let _ = self.events.send(event).await;
            }
            SwarmEvent::ListenerClosed { listener_id, addresses, .. } => {
                self.listeners.remove(&listener_id);
                for address in addresses {
                    let event = NetworkEvent::NotListening(address.to_string());
                    let _ = self.events.send(event).await;
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Streams(event)) => {
                self.handle_stream(event).await;
            }
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                let wanted = self.wanted.remove(&peer_id).unwrap_or_default();
                for purpose in wanted {
                    self.open_stream(peer_id, purpose);
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                let wanted = self.wanted.remove(&peer).unwrap_or_default();
                let failure = failure_of(&error);
                if let Some(node) = node_of(&peer) {
                    for purpose in wanted {
                        self.fail(node, purpose, failure.clone());
                    }
                }
            }
            _ => {}
        }
    }
}

impl Task {
    async fn handle_stream(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Opened { peer, purpose, outbound, stream } => {
                let Some(node) = node_of(&peer) else { return };
                if outbound || is_welcome(&self.shared, &node, purpose) {
                    begin(stream, node, purpose, outbound, &self.shared, &self.events).await;
                } else {
                    debug!(?node, ?purpose, "stream refused");
                }
            }
            StreamEvent::Failed { peer, purpose, unsupported } => {
                let Some(node) = node_of(&peer) else { return };
                let failure = if unsupported {
                    DialFailure::Unsupported
                } else {
                    DialFailure::Unreachable("its line, which broke".into())
                };
                self.fail(node, purpose, failure);
            }
        }
    }
}

fn port_of(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| match part {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(port),
        _ => None,
    })
}

fn with_port(address: &Multiaddr, port: u16) -> Multiaddr {
    address
        .iter()
        .map(|part| match part {
            Protocol::Tcp(0) => Protocol::Tcp(port),
            Protocol::Udp(0) => Protocol::Udp(port),
            other => other,
        })
        .collect()
}

fn failure_of(error: &libp2p::swarm::DialError) -> DialFailure {
    use libp2p::swarm::DialError;
    match error {
        DialError::WrongPeerId { .. } | DialError::LocalPeerId { .. } => DialFailure::WrongNode,
        DialError::NoAddresses => DialFailure::NoAddress,
        DialError::Transport(attempts) => {
            let addresses: Vec<_> = attempts.iter().map(|(one, _)| one.to_string()).collect();
            DialFailure::Unreachable(addresses.join(", "))
        }
        error => DialFailure::Unreachable(error.to_string()),
    }
}

fn is_welcome(shared: &Shared, node: &NodeId, purpose: Purpose) -> bool {
    let sessions = shared.lock_sessions();
    let of_peer = sessions.values().filter(|(one, ..)| one == node).count();
    let joining = sessions.values().filter(|(_, one, _)| *one == Purpose::Join).count();
    drop(sessions);
    of_peer < limits::SESSIONS_PER_PEER_MAX
        && match purpose {
            Purpose::Join => joining < limits::JOINING_MAX,
            Purpose::Sync => shared.is_admitted(node),
        }
}

async fn begin(
    stream: Stream,
    node: NodeId,
    purpose: Purpose,
    outbound: bool,
    shared: &Arc<Shared>,
    events: &mpsc::Sender<NetworkEvent>,
) {
    let session = shared.next_session();
    // Whoever hears of the session can send at once, and hears of it before its first frame.
    let (outgoing, queue) = session::queue();
    shared.lock_sessions().insert(session, (node, purpose, outgoing));
    let opened = NetworkEvent::Opened { session, node, purpose, outbound };
    if events.send(opened).await.is_ok() {
        tokio::spawn(session::run(stream, queue, session, Arc::clone(shared), events.clone()));
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Network")
    }
}
