//! Real sockets on loopback, ports chosen by the system.

use super::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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

#[test]
fn a_node_and_its_peer_id_are_one_key() {
    let secret = sincronia_protocol::crypto::Secret::from_bytes([9; 32]);
    let node = sincronia_protocol::crypto::NodeKey::from_seed(&secret).id();
    assert_eq!(node_of(&peer_of(&node).unwrap()), Some(node));
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
async fn another_node_at_the_address_is_noticed() {
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
async fn a_partner_that_does_not_read_ends_with_a_closed_session() {
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
    b.network.resume().await;
    let address = loop {
        if let NetworkEvent::Listening(address) = next(&mut b.events).await {
            break address;
        }
    };
    b.address = address;
    meet(&mut a, &mut b, Purpose::Join).await;
}

/// The group of a TLS 1.3 key exchange stands in clear in the server's first message.
#[tokio::test]
async fn the_key_exchange_is_post_quantum_hybrid() {
    const X25519_MLKEM768: u16 = 0x11ec;
    let (a, b) = (node(1, TCP).await, node(2, TCP).await);
    let port = b.address.split('/').nth(4).unwrap().to_owned();
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let through = format!("/ip4/127.0.0.1/tcp/{}", proxy.local_addr().unwrap().port());
    a.network.open(b.id, vec![through], Purpose::Join);
    let (mut near, _) = proxy.accept().await.unwrap();
    let mut far = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    let mut seen = Vec::new();
    let group = tokio::time::timeout(DEADLINE, async {
        let (mut up, mut down) = (vec![0; 16_384], vec![0; 16_384]);
        loop {
            tokio::select! {
                read = near.read(&mut up) => far.write_all(&up[..read.unwrap()]).await.unwrap(),
                read = far.read(&mut down) => {
                    let read = read.unwrap();
                    seen.extend_from_slice(&down[..read]);
                    near.write_all(&down[..read]).await.unwrap();
                    if let Some(group) = server_key_share(&seen) {
                        return group;
                    }
                }
            }
        }
    });
    assert_eq!(group.await.unwrap(), X25519_MLKEM768);
}

/// The group of the key_share extension (51) of a ServerHello (RFC 8446 §4.1.3), found after the
/// plain text of multistream-select.
fn server_key_share(bytes: &[u8]) -> Option<u16> {
    let begin =
        bytes.windows(6).position(|part| part[..3] == [0x16, 0x03, 0x03] && part[5] == 0x02)?;
    let hello = bytes.get(begin + 9..)?;
    let session = usize::from(*hello.get(34)?);
    let mut extensions = hello.get(35 + session + 3 + 2..)?;
    loop {
        let kind = u16::from_be_bytes(extensions.get(..2)?.try_into().ok()?);
        let length = usize::from(u16::from_be_bytes(extensions.get(2..4)?.try_into().ok()?));
        if kind == 51 {
            return Some(u16::from_be_bytes(extensions.get(4..6)?.try_into().ok()?));
        }
        extensions = extensions.get(4 + length..)?;
    }
}
