//! The door: partners always find a place, strangers few and slowly.

use super::super::door::Door;
use super::*;
use crate::limits;
use libp2p::Multiaddr;
use libp2p::swarm::{ConnectionId, NetworkBehaviour};

fn knock(door: &mut Door, number: usize, node: NodeId, address: &Multiaddr) -> bool {
    let id = ConnectionId::new_unchecked(number);
    let here = "/ip4/192.0.2.1/tcp/4001".parse().unwrap();
    let peer = peer_of(&node).unwrap();
    door.handle_established_inbound_connection(id, peer, &here, address).is_ok()
}

fn stranger(number: usize) -> NodeId {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let secret = sincronia_protocol::crypto::Secret::from_bytes(seed);
    sincronia_protocol::crypto::NodeKey::from_seed(&secret).id()
}

#[test]
fn threat_03_strangers_never_take_the_places_of_partners() {
    let shared = Arc::new(Shared::default());
    shared.replace_admitted(HashSet::from([id(1)]));
    let mut door = Door::new(Arc::clone(&shared));
    let mut entered = 0;
    for number in 0..1_000 {
        let address = format!("/ip4/198.51.{}.7/tcp/9", number % 250).parse().unwrap();
        entered += usize::from(knock(&mut door, number, stranger(number), &address));
    }
    assert_eq!(entered, limits::STRANGERS_MAX);
    let address = "/ip4/198.51.100.7/tcp/9".parse().unwrap();
    assert!(knock(&mut door, 5_000, id(1), &address), "a partner");
}

#[test]
fn threat_03_one_place_has_few_strangers() {
    let mut door = Door::new(Arc::default());
    let address: Multiaddr = "/ip4/198.51.100.7/tcp/9".parse().unwrap();
    let entered = (0..100).filter(|one| knock(&mut door, *one, stranger(*one), &address)).count();
    assert_eq!(entered, limits::STRANGERS_PER_PLACE_MAX);
}

#[test]
fn threat_03_a_flood_from_one_place_is_stopped_before_the_handshake() {
    let mut door = Door::new(Arc::default());
    let here = "/ip4/192.0.2.1/tcp/4001".parse().unwrap();
    let mut knock = |from: &str| {
        let id = ConnectionId::new_unchecked(1);
        door.handle_pending_inbound_connection(id, &here, &from.parse().unwrap()).is_ok()
    };
    let let_in = (0..10_000).filter(|_| knock("/ip4/198.51.100.7/tcp/9")).count();
    assert!(let_in < 2 * limits::CONNECTING_RATE_EACH.burst as usize, "{let_in}");
    assert!(knock("/ip4/198.51.100.8/tcp/9"), "another place");
}

#[test]
fn connections_left_hanging_by_one_place_leave_room_for_others() {
    let mut door = Door::new(Arc::default());
    let here: Multiaddr = "/ip4/192.0.2.1/tcp/4001".parse().unwrap();
    let mut number = 0;
    let mut knock = |door: &mut Door, from: &str| {
        number += 1;
        let id = ConnectionId::new_unchecked(number);
        let from = from.parse().unwrap();
        door.handle_pending_inbound_connection(id, &here, &from).is_ok().then_some((id, from))
    };
    let hanging: Vec<_> =
        (0..20).filter_map(|_| knock(&mut door, "/ip4/198.51.100.7/tcp/9")).collect();
    assert_eq!(hanging.len(), limits::CONNECTIONS_PENDING_PER_PLACE_MAX);
    let local = (0..1_000).filter_map(|_| knock(&mut door, "/ip4/127.0.0.1/tcp/9")).count();
    assert_eq!(local, limits::CONNECTIONS_PENDING_LOCAL_MAX);
    assert!(knock(&mut door, "/ip4/198.51.100.8/tcp/9").is_some(), "another place");
    // What comes to stand, or fails, makes room again.
    let (id, from) = &hanging[0];
    let peer = peer_of(&stranger(1)).unwrap();
    door.handle_established_inbound_connection(*id, peer, &here, from).unwrap();
    assert!(knock(&mut door, "/ip4/198.51.100.9/tcp/9").is_some());
    assert!(door.handle_pending_inbound_connection(*id, &here, from).is_ok(), "room again");
}

#[test]
fn offline_nobody_comes_in() {
    let shared = Arc::new(Shared::default());
    shared.replace_admitted(HashSet::from([id(1)]));
    shared.set_paused(true);
    let mut door = Door::new(Arc::clone(&shared));
    assert!(!knock(&mut door, 1, id(1), &"/ip4/198.51.100.7/tcp/9".parse().unwrap()));
    assert!(shared.begin(id(1), Purpose::Sync, false).is_none());
}

#[test]
fn threat_31_sessions_of_one_peer_and_joinings_of_all_are_bounded() {
    let shared = Shared::default();
    shared.replace_admitted(HashSet::from([id(1)]));
    let begun: Vec<_> = (0..20).filter_map(|_| shared.begin(id(1), Purpose::Sync, false)).collect();
    assert_eq!(begun.len(), limits::SESSIONS_PER_PEER_MAX);
    assert!(shared.begin(id(2), Purpose::Sync, false).is_none(), "not admitted");
    let joinings = (10..100).filter_map(|one| shared.begin(id(one), Purpose::Join, false));
    assert_eq!(joinings.count(), limits::JOINING_MAX);
    shared.end(begun[0].id, &id(1), Purpose::Sync);
    assert!(shared.begin(id(1), Purpose::Sync, false).is_some());
}

/// Sixteen joinings may be under way. One place with a few peers opened that many, said nothing,
/// and nobody who was invited could join meanwhile.
#[test]
fn threat_03_joinings_that_one_place_leaves_open_keep_nobody_out() {
    let shared = Arc::new(Shared::default());
    let mut door = Door::new(Arc::clone(&shared));
    let hostile: Multiaddr = "/ip4/198.51.100.7/tcp/9".parse().unwrap();
    let mut begun = Vec::new();
    for number in 0..8 {
        assert!(knock(&mut door, number, stranger(number), &hostile));
        let joining = || shared.begin(stranger(number), Purpose::Join, false);
        begun.extend((0..4).filter_map(|_| joining()));
    }
    assert_eq!(begun.len(), limits::JOINING_MAX);
    let invited: Multiaddr = "/ip4/198.51.100.8/tcp/9".parse().unwrap();
    assert!(knock(&mut door, 100, stranger(100), &invited));
    assert!(shared.begin(stranger(100), Purpose::Join, false).is_some(), "an invited one");
    assert!(shared.begin(stranger(3), Purpose::Join, false).is_none(), "one more of the same");
}

/// A line with IPv6 has 65,536 sites of which each counted as a place of its own.
#[test]
fn threat_03_one_network_with_many_sites_leaves_room_for_others() {
    let mut door = Door::new(Arc::default());
    let here: Multiaddr = "/ip6/2001:db8::1/tcp/4001".parse().unwrap();
    let site = |number: usize| format!("/ip6/2001:db8:7:{number:x}::9/tcp/9").parse().unwrap();
    let mut hanging = 0;
    for number in 0..200 {
        let id = ConnectionId::new_unchecked(number);
        let knock = door.handle_pending_inbound_connection(id, &here, &site(number));
        hanging += usize::from(knock.is_ok());
    }
    assert!(hanging <= limits::CONNECTIONS_PENDING_MAX as usize / 2, "{hanging} are negotiated");
    let id = ConnectionId::new_unchecked(1_000);
    let other = "/ip6/2001:db8:8::9/tcp/9".parse().unwrap();
    assert!(door.handle_pending_inbound_connection(id, &here, &other).is_ok(), "another network");
    let mut door = Door::new(Arc::default());
    let entered = (0..200).filter(|one| knock(&mut door, *one, stranger(*one), &site(*one)));
    let entered = entered.count();
    assert!(entered <= limits::STRANGERS_MAX / 2, "{entered} strangers of one network");
}

/// A stranger that stays, and opens a stream now and then, kept its place for as long as it liked.
#[test]
fn threat_03_strangers_that_stay_make_room_for_those_that_come() {
    let mut door = Door::new(Arc::default());
    door.stranger_stay = std::time::Duration::ZERO;
    for number in 0..limits::STRANGERS_MAX {
        let address = format!("/ip4/198.51.{}.7/tcp/9", number % 250).parse().unwrap();
        assert!(knock(&mut door, number, stranger(number), &address));
    }
    let address: Multiaddr = "/ip4/203.0.113.7/tcp/9".parse().unwrap();
    assert!(knock(&mut door, 5_000, stranger(5_000), &address), "an invited one");
    let waker = futures::task::noop_waker();
    let closed = door.poll(&mut std::task::Context::from_waker(&waker));
    let first = peer_of(&stranger(0)).unwrap();
    assert!(
        matches!(
            closed,
            std::task::Poll::Ready(libp2p::swarm::ToSwarm::CloseConnection { peer_id, .. })
                if peer_id == first
        ),
        "{closed:?}"
    );
}
