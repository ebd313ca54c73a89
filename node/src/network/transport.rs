//! How libp2p is set up: keys, transports, limits.

use super::door::Door;
use super::fence::Fence;
use super::reach::Reach;
use super::shared::Shared;
use super::streams::Streams;
use super::{NetworkConfig, NetworkError};
use crate::limits;
use libp2p::connection_limits::{Behaviour as Limits, ConnectionLimits};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::memory_connection_limits::Behaviour as Memory;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Swarm, Transport};
use std::sync::Arc;

/// What runs over every connection. The door comes last: it counts only what the others let in.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    limits: Limits,
    memory: Memory,
    ping: libp2p::ping::Behaviour,
    pub streams: Streams,
    door: Door,
}

impl Behaviour {
    fn new(shared: Arc<Shared>) -> Self {
        let connections = ConnectionLimits::default()
            .with_max_pending_incoming(Some(limits::CONNECTIONS_PENDING_MAX))
            .with_max_pending_outgoing(Some(limits::CONNECTIONS_PENDING_MAX))
            .with_max_established(Some(limits::CONNECTIONS_MAX))
            .with_max_established_per_peer(Some(limits::CONNECTIONS_PER_PEER_MAX));
        let ping = libp2p::ping::Config::new()
            .with_interval(limits::PING_INTERVAL)
            .with_timeout(limits::PING_TIMEOUT);
        Self {
            limits: Limits::new(connections),
            memory: Memory::with_max_percentage(limits::MEMORY_SHARE_MAX),
            ping: libp2p::ping::Behaviour::new(ping),
            streams: Streams::default(),
            door: Door::new(shared),
        }
    }
}

/// TCP with TLS 1.3 and yamux, and QUIC, both behind the fence; names are looked up before it,
/// where the system has a resolver.
pub fn build(
    config: &NetworkConfig,
    reach: Reach,
    shared: Arc<Shared>,
) -> Result<Swarm<Behaviour>, NetworkError> {
    let setup = |error: &dyn std::fmt::Display| NetworkError::Setup(error.to_string());
    let mut seed = *config.seed;
    let keypair = Keypair::ed25519_from_bytes(&mut seed).map_err(|error| setup(&error))?;
    let tls = libp2p::tls::Config::new(&keypair).map_err(|error| setup(&error))?;
    let tcp = libp2p::tcp::tokio::Transport::new(libp2p::tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(tls)
        .multiplex(yamux())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let quic = libp2p::quic::tokio::Transport::new(quic(&keypair))
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let both = tcp.or_transport(quic).map(|either, _| either.into_inner());
    let builder = libp2p::SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(|_| Fence::new(both, reach))
        .map_err(|error| setup(&error))?
        .with_dns()
        .map_err(|error| setup(&error))?
        .with_behaviour(|_| Behaviour::new(shared))
        .map_err(|error| setup(&error))?
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(limits::IDLE_TIMEOUT)
                .with_max_negotiating_inbound_streams(limits::STREAMS_NEGOTIATING_MAX)
        })
        .with_connection_timeout(limits::OPEN_TIMEOUT);
    Ok(builder.build())
}

/// The defaults are 512 streams; the window of one stream grows only as fast as it is read.
fn yamux() -> libp2p::yamux::Config {
    let mut config = libp2p::yamux::Config::default();
    config.set_max_num_streams(limits::STREAMS_PER_CONNECTION_MAX);
    config
}

/// The defaults are 256 streams of 10 MB each.
fn quic(keypair: &Keypair) -> libp2p::quic::Config {
    let mut config = libp2p::quic::Config::new(keypair);
    config.max_concurrent_stream_limit =
        u32::try_from(limits::STREAMS_PER_CONNECTION_MAX).unwrap_or(32);
    config.max_stream_data = limits::UNREAD_OF_STREAM_BYTES_MAX;
    config.max_connection_data = limits::UNREAD_OF_CONNECTION_BYTES_MAX;
    config
}
