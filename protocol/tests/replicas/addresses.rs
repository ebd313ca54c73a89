//! Where nodes are: signed by them, passed on by common partners to whom it may concern.

use super::circle::Circle;
use super::line::Line;
use super::organisation::Node;
use sincronia_protocol::access::Role;
use sincronia_protocol::identity::AddressRecord;
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::limits;
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::sync::{Addresses, CloseReason, Input, Message};
use sincronia_protocol::time::Timestamp;

const OLD: &str = "/ip4/192.0.2.1/tcp/4001";
const NEW: &str = "/ip4/192.0.2.2/tcp/4001";

fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

fn stands_at(node: &mut Node, address: &str) {
    let addresses = [address.to_owned()];
    node.act(|replica, _, _| replica.sign_addresses(&addresses, at(5_000))).unwrap();
}

fn meet(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!(line.closed, []);
}

/// Where a node would dial a node of a partner.
fn dials(node: &Node, partner: &OrganisationId, at: &NodeId) -> Vec<String> {
    let known = node.replica.partner(partner).unwrap();
    let found = known.addresses.iter().find(|(node, _)| node == at);
    found.map(|(_, addresses)| addresses.clone()).unwrap_or_default()
}

#[test]
fn whoever_moved_is_found_through_a_common_partner() {
    let mut circle = Circle::of_contributors();
    let (organisation, id) = (circle.owner.organisation(), circle.owner.id());
    stands_at(&mut circle.owner, OLD);
    meet(&mut circle.member, &mut circle.owner);
    meet(&mut circle.colleague, &mut circle.member);
    assert_eq!(dials(&circle.colleague, &organisation, &id), [OLD]);
    stands_at(&mut circle.owner, NEW);
    meet(&mut circle.member, &mut circle.owner);
    circle.member.restart();
    meet(&mut circle.member, &mut circle.colleague);
    assert_eq!(dials(&circle.colleague, &organisation, &id), [NEW], "also after a restart");
}

#[test]
fn what_changes_while_two_are_connected_is_told_at_once() {
    let mut circle = Circle::of_contributors();
    let (organisation, id) = (circle.owner.organisation(), circle.owner.id());
    let mut line = Line::open(&mut circle.member, &mut circle.colleague);
    line.run_sound();
    let record = AddressRecord::sign(9, &[NEW.to_owned()], &circle.owner.credentials.node_key);
    line.nodes[0].replica.admit_addresses(vec![record], at(1)).unwrap();
    let grown = line.nodes[0].commit();
    line.input(0, Input::Grown(grown));
    line.run_sound();
    assert_eq!(line.closed, []);
    assert_eq!(dials(&circle.colleague, &organisation, &id), [NEW]);
}

#[test]
fn nobody_learns_from_addresses_who_works_with_whom() {
    let mut circle = Circle::of_contributors();
    let (organisation, id) = (circle.owner.organisation(), circle.owner.id());
    stands_at(&mut circle.owner, NEW);
    meet(&mut circle.member, &mut circle.owner);
    meet(&mut circle.member, &mut circle.outsider);
    let outsider = circle.outsider.organisation();
    assert!(!circle.member.replica.may_tell_addresses(&outsider, &organisation));
    assert!(dials(&circle.outsider, &organisation, &id).is_empty());
    // It asks with made-up numbers, and is told nothing either.
    let mut line = Line::open(&mut circle.outsider, &mut circle.member);
    line.run_sound();
    let asked = Message::Addresses(Addresses::Numbers(vec![(id, 0)]));
    line.input(1, Input::Frame(asked.encode()));
    line.run_sound();
    assert!(dials(&circle.outsider, &organisation, &id).is_empty());
    circle.admit(outsider, Role::Reader);
    circle.owner.give(&mut circle.outsider, &circle.space);
    circle.owner.give(&mut circle.member, &circle.space);
    meet(&mut circle.member, &mut circle.outsider);
    assert_eq!(dials(&circle.outsider, &organisation, &id), [NEW], "a member is told");
}

#[test]
fn nobody_says_where_another_node_is() {
    let mut circle = Circle::of_contributors();
    let (organisation, id) = (circle.owner.organisation(), circle.owner.id());
    let honest = AddressRecord::sign(1, &[OLD.to_owned()], &circle.owner.credentials.node_key);
    circle.colleague.replica.admit_addresses(vec![honest.clone()], at(1)).unwrap();
    circle.colleague.commit();
    let mut forged = AddressRecord::sign(2, &[NEW.to_owned()], &circle.member.credentials.node_key);
    forged.node = id;
    let mut line = Line::open(&mut circle.member, &mut circle.colleague);
    line.run_sound();
    let frame = Message::Addresses(Addresses::Records(vec![forged])).encode();
    line.input(1, Input::Frame(frame));
    let reason = CloseReason::Misbehaved("an address record whose signature does not hold");
    assert_eq!(line.closed, [reason]);
    assert_eq!(dials(&circle.colleague, &organisation, &id), [OLD]);
    // What was true once changes nothing any more.
    let newer = AddressRecord::sign(3, &[NEW.to_owned()], &circle.owner.credentials.node_key);
    circle.colleague.replica.admit_addresses(vec![newer, honest], at(1)).unwrap();
    circle.colleague.commit();
    assert_eq!(dials(&circle.colleague, &organisation, &id), [NEW]);
}

#[test]
fn a_node_that_says_too_often_where_it_is_waits_for_the_next_day() {
    let mut circle = Circle::of_contributors();
    let key = circle.owner.credentials.node_key.clone();
    let mut tell = |number: u64, now: Timestamp| {
        let record = AddressRecord::sign(number, &[NEW.to_owned()], &key);
        let outcome = circle.colleague.replica.admit_addresses(vec![record], now);
        circle.colleague.commit();
        outcome
    };
    let most = u64::from(limits::ADDRESS_RECORDS_DAY_MAX);
    for number in 1..=most {
        assert_eq!(tell(number, at(1)), Ok(()));
    }
    let refused = Err(ReplicaError::Limit("how often a node says where it is"));
    assert_eq!(tell(most + 1, at(2)), refused);
    assert_eq!(tell(most + 1, at(24 * 60 * 60 * 1_000 + 1)), Ok(()));
}

#[test]
fn a_node_of_nobody_known_is_nowhere() {
    let mut circle = Circle::of_contributors();
    let stranger = super::organisation::Organisation::with_node(9).1;
    let record = AddressRecord::sign(1, &[NEW.to_owned()], &stranger.node_key);
    let outcome = circle.colleague.replica.admit_addresses(vec![record], at(1));
    assert_eq!(outcome, Err(ReplicaError::NotPermitted));
    assert!(circle.colleague.commit().is_empty());
}
