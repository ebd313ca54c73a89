//! Erasure where logs do not go one way: access logs with branches, author logs that were forked.

use super::branches::{copy_of, meet_all, name_primary, second_machine};
use super::circle::Circle;
use super::erasure::Canaries;
use super::line::Line;
use super::organisation::Node;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::replica::ReplicaError;

/// An owner's second node does what became due, and tells everybody.
fn settle(circle: &mut Circle, primary: &mut Node) {
    for space in primary.replica.erasures_due() {
        primary.act(|replica, disk, _| replica.settle_erasures(disk, &space)).expect("a primary");
    }
    meet_all(circle, primary);
    // Receipts reach the nodes of one organisation by way of the others.
    for node in [&mut circle.member, &mut circle.colleague] {
        Line::open(&mut circle.owner, node).run_sound();
        Line::open(primary, node).run_sound();
    }
}

fn missing(node: &mut Node, space: &SpaceId) -> usize {
    let certificates = node.replica.certificates(&node.disk, space).expect("a space");
    assert_eq!(certificates.len(), 1);
    certificates[0].missing.len()
}

#[test]
fn what_a_replaced_primary_erased_stays_erased_and_the_new_one_says_it_again() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    let canaries = Canaries::of(&mut circle.owner, &space);
    let mut second = second_machine(&mut circle);
    circle.owner.give(&mut circle.member, &space);
    circle.owner.give(&mut circle.colleague, &space);
    // Only the colleague hears of it before another primary is named.
    circle.owner.erase(&space, &record).unwrap();
    circle.owner.give(&mut circle.colleague, &space);
    name_primary(&mut circle, &mut second);
    second.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    second.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();

    meet_all(&mut circle, &mut second);
    assert_eq!(second.replica.erasures_due(), [space], "it stands on a branch that does not hold");
    settle(&mut circle, &mut second);
    assert_eq!(second.replica.erasures_due(), []);
    let digest = second.digests();
    for node in [&mut circle.owner, &mut circle.member, &mut circle.colleague, &mut second] {
        canaries.assert_gone(node);
        assert_eq!(node.title(&space, &record), None);
        assert_eq!(node.digests(), digest);
        assert_eq!(missing(node, &space), 0);
        let findings = node.replica.verify(&node.disk, true).unwrap();
        assert_eq!(findings.problems, Vec::<String>::new());
        node.restart();
        assert_eq!(node.title(&space, &record), None);
    }
    assert_eq!(second.rename(&space, record, "di nuovo"), Err(ReplicaError::Erased));
}

#[test]
fn the_proof_of_a_fork_keeps_no_body_of_an_erased_record() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.member.note(&space, "da dimenticare");
    circle.settle();
    let mut twin = copy_of(&circle.member, &circle);
    circle.member.rename(&space, record, "da una copia").unwrap();
    twin.rename(&space, record, "dall'altra").unwrap();
    let mut canaries = Canaries::of(&mut circle.member, &space);
    canaries.0.extend(Canaries::of(&mut twin, &space).0);
    circle.member.give(&mut circle.owner, &space);
    circle.member.give(&mut circle.colleague, &space);
    twin.give(&mut circle.owner, &space);
    twin.give(&mut circle.colleague, &space);
    assert_eq!(circle.owner.digests(), circle.colleague.digests());
    circle.owner.erase(&space, &record).unwrap();
    Line::open(&mut circle.owner, &mut circle.colleague).run_sound();
    for node in [&mut circle.owner, &mut circle.colleague] {
        assert_eq!(node.title(&space, &record), None);
        canaries.assert_gone(node);
        let findings = node.replica.verify(&node.disk, true).unwrap();
        assert_eq!(findings.problems, Vec::<String>::new());
    }
    assert_eq!(circle.owner.replica.erasures_due(), []);
}

#[test]
fn a_fork_that_shows_after_the_erasure_is_erased_too() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    let mut twin = copy_of(&circle.member, &circle);
    circle.member.note(&space, "un'altra scheda");
    twin.rename(&space, record, "da una copia").unwrap();
    let canaries = Canaries::of(&mut twin, &space);
    circle.member.give(&mut circle.owner, &space);
    circle.owner.erase(&space, &record).unwrap();
    twin.give(&mut circle.owner, &space);
    assert_eq!(circle.owner.replica.erasures_due(), [space], "a place in the proof");
    circle.owner.act(|replica, disk, _| replica.settle_erasures(disk, &space)).unwrap();
    assert_eq!(circle.owner.replica.erasures_due(), []);
    canaries.assert_gone(&circle.owner);
}
