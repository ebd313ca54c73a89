//! Real sockets on loopback, ports chosen by the system.

mod names;
mod post_quantum;
mod silence;
mod stalled;
mod strangers;
mod unread;

use super::*;
use std::time::Duration;
use tokio::net::TcpListener;

const DEADLINE: Duration = Duration::from_secs(20);
const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

struct Node {
    id: NodeId,
    network: Network,
    events: mpsc::Receiver<NetworkEvent>,
    address: String,
}

async fn node(byte: u8, listen: &str) -> Node {
    let seed = zeroize::Zeroizing::new([byte; 32]);
    let secret = sincronia_protocol::crypto::Secret::from_bytes(*seed);
    let id = sincronia_protocol::crypto::NodeKey::from_seed(&secret).id();
    let (sender, mut events) = mpsc::channel(64);
    let config = NetworkConfig { seed, listen: vec![listen.into()] };
    let network = Network::start(config, sender).await.unwrap();
    let NetworkEvent::Listening(address) = next(&mut events).await else { panic!("listening") };
    Node { id, network, events, address }
}

async fn next(events: &mut mpsc::Receiver<NetworkEvent>) -> NetworkEvent {
    tokio::time::timeout(DEADLINE, events.recv()).await.expect("in time").expect("an event")
}

async fn opened(node: &mut Node) -> (SessionId, NodeId) {
    loop {
        if let NetworkEvent::Opened { session, node, .. } = next(&mut node.events).await {
            return (session, node);
        }
    }
}

async fn meet(a: &mut Node, b: &mut Node, purpose: Purpose) -> (SessionId, SessionId) {
    a.network.open(b.id, vec![b.address.clone()], purpose);
    let (here, node) = opened(a).await;
    assert_eq!(node, b.id);
    let (there, node) = opened(b).await;
    assert_eq!(node, a.id);
    (here, there)
}

async fn exchange(listen: &str) {
    let (mut a, mut b) = (node(1, listen).await, node(2, listen).await);
    b.network.admit(HashSet::from([a.id]));
    let (here, there) = meet(&mut a, &mut b, Purpose::Sync).await;
    a.network.send(here, vec![7; 300_000]);
    let NetworkEvent::Frame { bytes, .. } = next(&mut b.events).await else { panic!("a frame") };
    assert_eq!(bytes, vec![7; 300_000]);
    b.network.send(there, b"answer".to_vec());
    let NetworkEvent::Frame { bytes, .. } = next(&mut a.events).await else { panic!("a frame") };
    assert_eq!(bytes, b"answer");
    b.network.admit(HashSet::new());
    let NetworkEvent::Closed { .. } = next(&mut a.events).await else { panic!("closed") };
}

#[tokio::test]
async fn frames_cross_over_tcp_until_the_partner_is_admitted_no_more() {
    exchange(TCP).await;
}

#[tokio::test]
async fn frames_cross_over_quic_until_the_partner_is_admitted_no_more() {
    exchange(QUIC).await;
}

#[tokio::test]
async fn a_stranger_may_only_join() {
    let (mut a, mut b) = (node(1, TCP).await, node(2, TCP).await);
    a.network.open(b.id, vec![b.address.clone()], Purpose::Sync);
    let (session, _) = opened(&mut a).await;
    a.network.send(session, b"hello".to_vec());
    let NetworkEvent::Closed { .. } = next(&mut a.events).await else { panic!("closed") };
    meet(&mut a, &mut b, Purpose::Join).await;
}

#[tokio::test]
async fn threat_01_another_node_at_the_address_is_noticed() {
    let (mut a, b) = (node(1, TCP).await, node(2, TCP).await);
    let expected = node(3, TCP).await.id;
    a.network.open(expected, vec![b.address.clone()], Purpose::Join);
    let NetworkEvent::DialFailed { failure, .. } = next(&mut a.events).await else { panic!() };
    assert_eq!(failure, DialFailure::WrongNode);
}

#[tokio::test]
async fn an_address_where_nobody_is_and_one_that_is_none() {
    let mut a = node(1, TCP).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let target = node(2, TCP).await.id;
    a.network.open(target, vec![format!("/ip4/127.0.0.1/tcp/{closed}")], Purpose::Join);
    let NetworkEvent::DialFailed { failure, .. } = next(&mut a.events).await else { panic!() };
    assert!(matches!(failure, DialFailure::Unreachable(_)), "{failure}");
    a.network.open(target, vec!["mulazzo".into()], Purpose::Join);
    let NetworkEvent::DialFailed { failure, .. } = next(&mut a.events).await else { panic!() };
    assert_eq!(failure, DialFailure::BadAddress("mulazzo".into()));
}

#[tokio::test]
async fn a_taken_port_is_said_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let (sender, _events) = mpsc::channel(4);
    let seed = zeroize::Zeroizing::new([1; 32]);
    let listen = vec![format!("/ip4/127.0.0.1/tcp/{port}")];
    let error = Network::start(NetworkConfig { seed, listen }, sender).await.unwrap_err();
    assert!(matches!(error, NetworkError::Listen { .. }), "{error}");
}

#[tokio::test]
async fn two_nodes_never_share_a_port() {
    let first = node(1, TCP).await;
    let (sender, _events) = mpsc::channel(4);
    let seed = zeroize::Zeroizing::new([2; 32]);
    let listen = vec![first.address.clone()];
    let error = Network::start(NetworkConfig { seed, listen }, sender).await.unwrap_err();
    assert!(matches!(error, NetworkError::Listen { .. }), "{error}");
}

#[tokio::test]
async fn a_port_that_somebody_took_meanwhile_is_said_when_the_node_goes_online() {
    let (first, second) = (node(1, TCP).await, node(2, TCP).await);
    first.network.pause().await;
    first.network.resume().await.expect("its own port is free");
    first.network.pause().await;
    let port = first.address.rsplit('/').next().unwrap();
    let taken = TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    let error = first.network.resume().await.unwrap_err();
    assert!(error.to_string().contains(&first.address), "{error}");
    // It is online nevertheless: it reaches others.
    first.network.open(second.id, vec![second.address.clone()], Purpose::Join);
    let mut first = first;
    opened(&mut first).await;
    drop(taken);
    first.network.pause().await;
    first.network.resume().await.expect("the port is free again");
}

#[tokio::test]
async fn threat_31_a_partner_that_does_not_read_ends_with_a_closed_session() {
    let (mut a, mut b) = (node(1, TCP).await, node(2, TCP).await);
    let (here, _) = meet(&mut a, &mut b, Purpose::Join).await;
    // Nobody takes b's events any more, so b stops reading when its channel is full.
    let frame = vec![1; 1024 * 1024];
    for _ in 0..200 {
        a.network.send(here, frame.clone());
    }
    let NetworkEvent::Closed { cause, .. } = next(&mut a.events).await else { panic!("closed") };
    assert_eq!(cause, CloseCause::NotReading);
}

#[tokio::test]
async fn offline_closes_everything_and_online_listens_again() {
    let (mut a, mut b) = (node(1, TCP).await, node(2, TCP).await);
    meet(&mut a, &mut b, Purpose::Join).await;
    b.network.pause().await;
    loop {
        if let NetworkEvent::Closed { .. } = next(&mut a.events).await {
            break;
        }
    }
    b.network.resume().await.unwrap();
    let address = loop {
        if let NetworkEvent::Listening(address) = next(&mut b.events).await {
            break address;
        }
    };
    b.address = address;
    meet(&mut a, &mut b, Purpose::Join).await;
}

/// The network once only dropped wishes when many came at once; the engine then waited for ever.
#[tokio::test]
async fn every_wish_is_answered_however_many_come_at_once() {
    let mut a = node(1, TCP).await;
    let wished: HashSet<NodeId> = (10..210).map(id).collect();
    for node in &wished {
        a.network.open(*node, vec![], Purpose::Sync);
        a.network.open(*node, vec!["/ip4/127.0.0.1/tcp/1".into()], Purpose::Join);
    }
    let mut answered = HashSet::new();
    while answered.len() < 2 * wished.len() {
        match next(&mut a.events).await {
            NetworkEvent::DialFailed { node, purpose, .. } => {
                assert!(answered.insert((node, purpose)), "answered once");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn offline_answers_wishes_with_that() {
    let (mut a, b) = (node(1, TCP).await, node(2, TCP).await);
    a.network.pause().await;
    a.network.open(b.id, vec![b.address.clone()], Purpose::Join);
    loop {
        match next(&mut a.events).await {
            NetworkEvent::NotListening(_) => {}
            NetworkEvent::DialFailed { failure, .. } => {
                assert_eq!(failure, DialFailure::Offline);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn pausing_returns_when_all_is_closed_and_resuming_finds_the_same_port() {
    let (mut a, mut b) = (node(1, TCP).await, node(2, TCP).await);
    meet(&mut a, &mut b, Purpose::Join).await;
    let before = b.address.clone();
    b.network.pause().await;
    assert!(b.network.shared.lock_connections().is_empty());
    let port = before.split('/').nth(4).unwrap();
    assert!(tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.is_err());
    b.network.resume().await.unwrap();
    loop {
        if let NetworkEvent::Listening(address) = next(&mut b.events).await {
            assert_eq!(address, before);
            break;
        }
    }
}

/// It closed the port of QUIC and asked for it again while the last packets were still awaited.
#[tokio::test]
async fn whoever_goes_online_again_at_once_listens_on_quic_too() {
    let (mut a, mut b) = (node(1, QUIC).await, node(2, QUIC).await);
    meet(&mut a, &mut b, Purpose::Join).await;
    b.network.pause().await;
    b.network.resume().await.expect("its own port");
}

#[tokio::test]
async fn threat_18_who_is_no_longer_admitted_is_disconnected() {
    let (mut a, mut b) = (node(1, TCP).await, node(2, TCP).await);
    b.network.admit(HashSet::from([a.id]));
    meet(&mut a, &mut b, Purpose::Sync).await;
    b.network.admit(HashSet::new());
    let NetworkEvent::Closed { .. } = next(&mut a.events).await else { panic!("closed") };
    until(|| a.network.shared.lock_connections().is_empty()).await;
    until(|| b.network.shared.lock_connections().is_empty()).await;
}

#[tokio::test]
async fn what_was_queued_before_closing_still_arrives() {
    for listen in [TCP, QUIC] {
        let (mut a, mut b) = (node(1, listen).await, node(2, listen).await);
        let (here, _) = meet(&mut a, &mut b, Purpose::Join).await;
        for number in 0..50_u8 {
            a.network.send(here, vec![number; 20_000]);
        }
        a.network.close(here);
        a.network.send(here, b"too late".to_vec());
        for number in 0..50_u8 {
            match next(&mut b.events).await {
                NetworkEvent::Frame { bytes, .. } => assert_eq!(bytes, vec![number; 20_000]),
                other => panic!("{listen}: {other:?}"),
            }
        }
        let closed = next(&mut b.events).await;
        assert!(
            matches!(closed, NetworkEvent::Closed { cause: CloseCause::Line, .. }),
            "{closed:?}"
        );
        let closed = next(&mut a.events).await;
        assert!(matches!(closed, NetworkEvent::Closed { cause: CloseCause::Local, .. }));
    }
}

#[tokio::test]
async fn bytes_are_counted_for_the_session_and_for_all() {
    let (mut a, mut b) = (node(1, TCP).await, node(2, TCP).await);
    let (here, there) = meet(&mut a, &mut b, Purpose::Join).await;
    a.network.send(here, vec![1; 1_000]);
    let NetworkEvent::Frame { .. } = next(&mut b.events).await else { panic!("a frame") };
    let expected = Traffic { sent: 0, received: 1_004 };
    assert_eq!(b.network.traffic_of(there), Some(expected));
    assert_eq!(b.network.traffic(), expected);
    until(|| a.network.traffic().sent == 1_004).await;
    assert_eq!(a.network.traffic_of(SessionId(99)), None);
}

#[tokio::test]
async fn a_full_channel_of_events_stops_nobody_else() {
    let (sender, mut events) = mpsc::channel(1);
    let seed = zeroize::Zeroizing::new([1; 32]);
    // Four addresses are told, one fits: starting must not wait for somebody to listen.
    let listen = vec![TCP.to_owned(), TCP.into(), QUIC.into(), QUIC.into()];
    let start = Network::start(NetworkConfig { seed, listen }, sender);
    let network = tokio::time::timeout(DEADLINE, start).await.unwrap().unwrap();
    assert_eq!(network.listening().len(), 4);
    tokio::time::timeout(DEADLINE, network.pause()).await.unwrap();
    for _ in 0..4 {
        let event = next(&mut events).await;
        assert!(matches!(event, NetworkEvent::Listening(_)), "{event:?}");
    }
}

fn id(number: u8) -> NodeId {
    let secret = sincronia_protocol::crypto::Secret::from_bytes([number; 32]);
    sincronia_protocol::crypto::NodeKey::from_seed(&secret).id()
}

/// Waits for something that no event tells.
async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("in time");
}

/// A connection that ends took the wish for a stream with it: nobody was told.
#[tokio::test]
async fn a_wish_has_an_outcome_though_the_connection_ends_meanwhile() {
    let (mut a, b) = (node(1, TCP).await, node(2, TCP).await);
    b.network.admit(HashSet::from([a.id]));
    let mut outcomes = (0, 0);
    for _ in 0..40 {
        // This side does not admit the other, so it ends the connection after each session.
        a.network.open(b.id, vec![b.address.clone()], Purpose::Sync);
        loop {
            match next(&mut a.events).await {
                NetworkEvent::Opened { session, .. } => {
                    a.network.close(session);
                    outcomes.0 += 1;
                }
                NetworkEvent::DialFailed { .. } => {
                    outcomes.1 += 1;
                    break;
                }
                NetworkEvent::Closed { .. } => break,
                _ => {}
            }
        }
    }
    assert_eq!(outcomes.0 + outcomes.1, 40, "{outcomes:?}");
}
