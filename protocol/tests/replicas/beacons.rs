//! What nodes say of themselves: signed by them, passed on by common partners to whom it may
//! concern.

use super::circle::Circle;
use super::line::Line;
use super::organisation::Node;
use sincronia_protocol::access::Role;
use sincronia_protocol::crypto::NodeKey;
use sincronia_protocol::identity::{Beacon, BeaconContent, IdentityOperation};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::limits;
use sincronia_protocol::replica::{Partner, ReplicaError, Trust};
use sincronia_protocol::sync::{Beacons, CloseReason, Input, Message};
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeSet;

const OLD: &str = "/ip4/192.0.2.1/tcp/4001";
const NEW: &str = "/ip4/192.0.2.2/tcp/4001";

fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

fn signed(number: u64, address: &str, key: &NodeKey) -> Beacon {
    let addresses = vec![address.to_owned()];
    Beacon::sign(number, BeaconContent { addresses, ..BeaconContent::default() }, key)
}

fn stands_at(node: &mut Node, address: &str) {
    let addresses = [address.to_owned()];
    node.act(|replica, disk, _| replica.sign_beacon(disk, &addresses, at(5_000))).unwrap();
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
    let beacon = signed(9, NEW, &circle.owner.credentials.node_key);
    line.nodes[0].replica.admit_beacons(vec![beacon], at(1)).unwrap();
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
    assert!(!circle.member.replica.may_tell_beacons(&outsider, &organisation));
    assert!(dials(&circle.outsider, &organisation, &id).is_empty());
    // It asks with made-up numbers, and is told nothing either.
    let mut line = Line::open(&mut circle.outsider, &mut circle.member);
    line.run_sound();
    let asked = Message::Beacons(Beacons::Numbers(vec![(id, 0)]));
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
    let honest = signed(1, OLD, &circle.owner.credentials.node_key);
    circle.colleague.replica.admit_beacons(vec![honest.clone()], at(1)).unwrap();
    circle.colleague.commit();
    let mut forged = signed(2, NEW, &circle.member.credentials.node_key);
    forged.node = id;
    let mut line = Line::open(&mut circle.member, &mut circle.colleague);
    line.run_sound();
    let frame = Message::Beacons(Beacons::Records(vec![forged])).encode();
    line.input(1, Input::Frame(frame));
    let reason = CloseReason::Misbehaved("a beacon whose signature does not hold");
    assert_eq!(line.closed, [reason]);
    assert_eq!(dials(&circle.colleague, &organisation, &id), [OLD]);
    // What was true once changes nothing any more.
    let newer = signed(3, NEW, &circle.owner.credentials.node_key);
    circle.colleague.replica.admit_beacons(vec![newer, honest], at(1)).unwrap();
    circle.colleague.commit();
    assert_eq!(dials(&circle.colleague, &organisation, &id), [NEW]);
}

#[test]
fn a_node_that_says_too_often_where_it_is_waits_for_the_next_day() {
    let mut circle = Circle::of_contributors();
    let key = circle.owner.credentials.node_key.clone();
    let mut tell = |number: u64, now: Timestamp| {
        let beacon = signed(number, NEW, &key);
        let outcome = circle.colleague.replica.admit_beacons(vec![beacon], now);
        circle.colleague.commit();
        outcome
    };
    let most = u64::from(limits::BEACONS_DAY_MAX);
    for number in 1..=most {
        assert_eq!(tell(number, at(1)), Ok(()));
    }
    let refused = Err(ReplicaError::Limit("how often a node speaks of itself"));
    assert_eq!(tell(most + 1, at(2)), refused);
    assert_eq!(tell(most + 1, at(24 * 60 * 60 * 1_000 + 1)), Ok(()));
}

/// What was kept while a machine counted was passed on when it did not count any more.
#[test]
fn a_machine_that_was_revoked_since_and_one_of_a_blocked_partner_are_told_to_nobody() {
    let mut circle = Circle::of_contributors();
    let told =
        [&circle.owner, &circle.member].map(|node| signed(1, NEW, &node.credentials.node_key));
    circle.colleague.act(|replica, _, _| replica.admit_beacons(told.into(), at(1))).unwrap();
    let (owner, member) = (circle.owner.id(), circle.member.id());
    let own = circle.colleague.organisation();
    let told = |circle: &Circle| {
        let replica = &circle.colleague.replica;
        let numbers = replica.beacon_numbers(&own).into_iter().map(|(node, _)| node);
        let records = replica.beacons(&own, &[owner, member].into());
        let records = records.into_iter().map(|record| record.node);
        let [numbers, records] = [numbers.collect::<BTreeSet<_>>(), records.collect()];
        assert_eq!(numbers, records, "what is listed is told");
        numbers
    };
    assert_eq!(told(&circle), [owner, member].into());
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: member });
    circle.colleague.learn(&circle.organisations[1]);
    assert_eq!(told(&circle), [owner].into());
    let blocked = circle.owner.organisation();
    let partner = circle.colleague.replica.partner(&blocked).cloned().unwrap();
    let partner = Partner { trust: Trust::Blocked, ..partner };
    circle.colleague.act(|replica, _, _| replica.put_partner(blocked, partner)).unwrap();
    assert_eq!(told(&circle), BTreeSet::new());
}

#[test]
fn a_node_of_nobody_known_is_nowhere() {
    let mut circle = Circle::of_contributors();
    let stranger = super::organisation::Organisation::with_node(9).1;
    let beacon = signed(1, NEW, &stranger.node_key);
    let outcome = circle.colleague.replica.admit_beacons(vec![beacon], at(1));
    assert_eq!(outcome, Ok(()));
    assert!(circle.colleague.commit().is_empty(), "and nothing is kept");
}

#[test]
fn threat_27_a_copy_of_a_running_node_stops_when_it_hears_of_the_other() {
    let mut circle = Circle::of_contributors();
    let addresses = [OLD.to_owned()];
    let mut twin = Node::start(&circle.member.credentials, &[]);
    twin.disk = circle.member.disk.clone();
    twin.restart();
    circle.member.replica.begin_running([1; 16]);
    twin.replica.begin_running([2; 16]);
    for (node, now) in [(&mut circle.member, 5_000), (&mut twin, 6_000)] {
        node.act(|replica, disk, _| replica.sign_beacon(disk, &addresses, at(now))).unwrap();
    }
    meet(&mut circle.member, &mut circle.owner);
    meet(&mut twin, &mut circle.owner);
    assert!(!twin.replica.is_cloned(), "the one that started last goes on");
    meet(&mut circle.owner, &mut circle.member);
    assert!(circle.member.replica.is_cloned());
    let refused = circle.member.try_note(&circle.space, "scritta dalla prima");
    assert_eq!(refused, Err(ReplicaError::Cloned));
    circle.member.restart();
    circle.member.replica.begin_running([3; 16]);
    circle.member.act(|replica, disk, _| replica.sign_beacon(disk, &addresses, at(7_000))).unwrap();
    meet(&mut circle.owner, &mut circle.member);
    assert!(!circle.member.replica.is_cloned(), "started again, it is the one");
}

#[test]
fn threat_27_nobody_else_stops_a_node() {
    let mut circle = Circle::of_contributors();
    let mut forged = signed(9_000, OLD, &circle.owner.credentials.node_key);
    forged.node = circle.member.id();
    let refused = circle.member.replica.admit_beacons(vec![forged], at(1));
    assert_eq!(refused, Err(ReplicaError::Beacons));
    assert!(!circle.member.replica.is_cloned());
    // Nor does its own word, heard again.
    stands_at(&mut circle.member, OLD);
    meet(&mut circle.member, &mut circle.owner);
    stands_at(&mut circle.member, NEW);
    meet(&mut circle.owner, &mut circle.member);
    assert!(!circle.member.replica.is_cloned());
}

const HOUR_MS: u64 = 60 * 60 * 1_000;

#[test]
fn threat_21_what_a_carrier_holds_back_is_noticed_after_an_hour() {
    let mut circle = Circle::of_contributors();
    let (owner, space) = (circle.owner.organisation(), circle.space);
    circle.owner.note(&space, "trattenuta");
    let signed_at = at(10 * HOUR_MS);
    let mut beacon = None;
    circle
        .owner
        .act(|replica, disk, _| {
            replica.sign_beacon(disk, &[], signed_at)?;
            let nodes = [replica.node()].into();
            beacon = replica.beacons(&replica.organisation(), &nodes).pop();
            Ok::<(), ReplicaError>(())
        })
        .unwrap();
    let colleague = &mut circle.colleague;
    assert_eq!(colleague.replica.confirmed(&owner, signed_at), None);
    // The carrier brings the beacon, which keeps it above suspicion, and not what was written.
    colleague.replica.admit_beacons(beacon.into_iter().collect(), signed_at).unwrap();
    colleague.commit();
    colleague.restart();
    let held_back = |node: &Node, now: u64| node.replica.held_back(&node.disk, &owner, at(now));
    assert_eq!(held_back(colleague, 10 * HOUR_MS + 1), Ok(0), "it may be under way");
    assert_eq!(held_back(colleague, 11 * HOUR_MS), Ok(1));
    let confirmed = |node: &Node, now: u64| node.replica.confirmed(&owner, at(now));
    assert_eq!(confirmed(colleague, 11 * HOUR_MS), Some(signed_at));
    assert_eq!(confirmed(colleague, HOUR_MS), Some(at(HOUR_MS)), "never later than now");
    circle.owner.give(&mut circle.colleague, &space);
    assert_eq!(held_back(&circle.colleague, 11 * HOUR_MS), Ok(0));
}

#[test]
fn a_beacon_is_signed_anew_twice_a_day_and_tells_what_was_written_since() {
    let mut circle = Circle::of_contributors();
    let (space, member) = (circle.space, circle.member.organisation());
    let told = |circle: &mut Circle, now: u64| {
        circle.owner.act(|replica, disk, _| replica.sign_beacon(disk, &[], at(now))).unwrap();
        let nodes = [circle.owner.id()].into();
        let beacon = circle.owner.replica.beacons(&member, &nodes).pop().unwrap();
        (beacon.at, beacon.length_in(&space))
    };
    assert_eq!(told(&mut circle, HOUR_MS), (at(HOUR_MS), None));
    circle.owner.note(&space, "scritta dopo");
    assert_eq!(told(&mut circle, 12 * HOUR_MS), (at(HOUR_MS), None), "nothing changed in it");
    let (when, length) = told(&mut circle, 13 * HOUR_MS);
    assert_eq!(when, at(13 * HOUR_MS));
    assert!(length.is_some_and(|length| length > 0));
    assert_eq!(told(&mut circle, HOUR_MS).0, at(HOUR_MS), "a clock that went back");
}

/// A clock that is wrong showed nowhere but in the dates of what its node wrote.
#[test]
fn a_clock_that_is_apart_is_noticed() {
    let mut circle = Circle::of_contributors();
    let owner = circle.organisations[0].id();
    let node = circle.owner.id();
    let now = 100 * 24 * HOUR_MS;
    let mut say = |signed_at: u64, heard_at: u64| {
        // Another address each time, so that it is signed anew.
        let address = format!("/ip4/192.0.2.1/tcp/{}", signed_at / 60_000 % 60_000);
        circle
            .owner
            .act(|replica, disk, _| replica.sign_beacon(disk, &[address], at(signed_at)))
            .unwrap();
        let beacon = circle.owner.replica.beacons(&owner, &[node].into());
        circle.colleague.replica.admit_beacons(beacon, at(heard_at)).unwrap();
        circle.colleague.replica.clock_apart(&owner, at(heard_at), &[node])
    };
    assert_eq!(say(now, now), None);
    assert_eq!(say(now + 60_000, now), None, "a minute is nothing");
    assert_eq!(say(now + HOUR_MS, now), Some(3_600_000), "ahead");
    assert_eq!(say(now + 2 * HOUR_MS, now + 2 * HOUR_MS), None, "it was set right");
    // Who is here signs twice a day: a last sign of life of long ago is of a clock that is behind.
    let behind = i64::try_from(now - 10 * HOUR_MS).unwrap();
    assert_eq!(say(HOUR_MS, now + 3 * HOUR_MS), Some(-behind));
    let away = circle.colleague.replica.clock_apart(&owner, at(now + 3 * HOUR_MS), &[]);
    assert_eq!(away, None, "who is away signs elsewhere");
}
