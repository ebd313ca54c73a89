//! What a peer may send that is not read yet, over QUIC.

use super::super::reach::Reach;
use super::super::streams::StreamEvent;
use super::super::transport::{self, Behaviour, BehaviourEvent};
use super::*;
use futures::StreamExt;
use futures::io::AsyncWrite;
use libp2p::swarm::SwarmEvent;
use libp2p::{Stream, Swarm};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What agreeing on the protocol of a stream takes of its window, at most.
const NEGOTIATION: usize = 1_024;

fn swarm(byte: u8) -> Swarm<Behaviour> {
    let seed = zeroize::Zeroizing::new([byte; 32]);
    let config = NetworkConfig { seed, listen: Vec::new() };
    transport::build(&config, Reach::of(&[]), Arc::new(Shared::default())).unwrap()
}

/// Writes until no more is taken; whoever is at the other end reads nothing.
fn fill(stream: &mut Stream) -> usize {
    let mut context = Context::from_waker(futures::task::noop_waker_ref());
    let mut taken = 0;
    while let Poll::Ready(size) = Pin::new(&mut *stream).poll_write(&mut context, &[7; 4_096]) {
        taken += size.unwrap();
    }
    taken
}

/// The library takes 10 MB of each of 256 streams from whoever connects, and holds them until they
/// are read: a few strangers that only send would fill the memory of the machine.
#[tokio::test]
async fn threat_31_little_of_what_a_peer_sends_over_quic_waits_to_be_read() {
    let (mut sending, mut holding) = (swarm(1), swarm(2));
    holding.listen_on(QUIC.parse().unwrap()).unwrap();
    let (mut filled, mut held) = (Vec::new(), Vec::new());
    let meeting = async {
        while filled.len() < 3 || held.len() < 3 {
            tokio::select! {
                event = holding.select_next_some() => match event {
                    SwarmEvent::NewListenAddr { address, .. } => sending.dial(address).unwrap(),
                    event => held.extend(stream(event)),
                },
                event = sending.select_next_some() => {
                    if let SwarmEvent::ConnectionEstablished { peer_id, .. } = event {
                        let streams = &mut sending.behaviour_mut().streams;
                        streams.open(peer_id, Purpose::Join);
                        streams.open(peer_id, Purpose::Sync);
                    } else if let Some(stream) = stream(event) {
                        filled.push(stream);
                        if filled.len() == 2 {
                            let peer = peer_of(&id(2)).unwrap();
                            sending.behaviour_mut().streams.open(peer, Purpose::Join);
                        }
                    }
                }
            }
        }
    };
    tokio::time::timeout(DEADLINE, meeting).await.expect("in time");
    let taken: Vec<usize> = filled.iter_mut().map(fill).collect();
    let of_stream = crate::limits::UNREAD_OF_STREAM_BYTES_MAX as usize;
    let of_connection = crate::limits::UNREAD_OF_CONNECTION_BYTES_MAX as usize;
    let all = taken.iter().sum::<usize>();
    assert!((of_stream - NEGOTIATION..=of_stream).contains(&taken[0]), "{taken:?}");
    assert!((of_connection - 3 * NEGOTIATION..=of_connection).contains(&all), "{taken:?}");
}

fn stream(event: SwarmEvent<BehaviourEvent>) -> Option<Stream> {
    match event {
        SwarmEvent::Behaviour(BehaviourEvent::Streams(StreamEvent::Opened { stream, .. })) => {
            Some(stream)
        }
        _ => None,
    }
}
