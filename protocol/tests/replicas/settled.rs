//! The owner names places of a log that was cut: at every stretch of a long one, and where an
//! accepted entry builds on what its machine wrote late.

use super::branches::{copy_of, name_primary, second_machine};
use super::circle::Circle;
use super::cuts::{hand, revoke_machine};
use super::forks::agree;
use super::organisation::Node;
use super::parcel::Parcel;
use super::restoring::{back_up, maintain, restore, return_to};
use sincronia_protocol::access::{AccessError, AccessOperation, AccessStatement};
use sincronia_protocol::ids::{EntryHash, RecordId, SpaceId};
use sincronia_protocol::limits;
use sincronia_protocol::log::{LogPosition, Run};
use sincronia_protocol::replica::ReplicaError;

fn piece(copy: &mut Node, space: &SpaceId, from: u64, bytes: usize) -> Run {
    let run = copy.replica.read_run(&copy.disk, space, &copy.id(), from, bytes);
    run.expect("a sound disk").expect("entries")
}

/// While the named version of a long log arrives, somebody sends the beginning of another one: it
/// took the place of everything that had come.
#[test]
fn threat_25_pieces_of_another_version_undo_nothing_that_goes_through_a_named_place() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut thief = copy_of(&circle.member, &circle);
    for number in 0..3 {
        thief.note(&space, &format!("Del ladro {number}"));
    }
    for number in 0..700 {
        circle.member.note(&space, &format!("Nota {number}"));
    }
    let mut member = copy_of(&circle.member, &circle);
    circle.member.give(&mut circle.owner, &space);
    hand(&mut circle.colleague, &piece(&mut thief, &space, 0, usize::MAX)).unwrap();
    revoke_machine(&mut circle);
    let access = circle.owner.access_log(&space);
    let colleague = &mut circle.colleague;
    colleague
        .act(|replica, disk, _| replica.admit_access(disk, &space, &access, true))
        .expect("a sound log");
    let (mut from, mut pieces) = (0, 0);
    while from < 700 {
        let run = piece(&mut member, &space, from, 150_000);
        from += run.entries.len() as u64;
        hand(colleague, &run).unwrap();
        pieces += 1;
        let other = piece(&mut thief, &space, 0, 1);
        assert_eq!(hand(colleague, &other), Err(ReplicaError::Frozen), "after {from} entries");
    }
    assert!(pieces > 1, "a version that comes in pieces");
    agree(&mut circle.owner, &mut circle.colleague);
    assert_eq!(circle.colleague.shows(&space).len(), 700);
}

/// What the member wrote late, and the colleague built on; and what somebody with the key of the
/// member's machine signs at the same place.
fn built_on_late(circle: &mut Circle, wrote_before: bool) -> (RecordId, Run) {
    let space = circle.space;
    let record = circle.owner.note(&space, "Prima stesura");
    if wrote_before {
        circle.member.note(&space, "Nota del membro");
    }
    circle.settle();
    circle.remove_member();
    let mut thief = copy_of(&circle.member, circle);
    let from = u64::from(wrote_before);
    thief.note(&space, "Del ladro");
    circle.member.rename(&space, record, "Scritta tardi").unwrap();
    circle.member.give(&mut circle.colleague, &space);
    circle.colleague.rename(&space, record, "Scritta tardi, poi corretta").unwrap();
    (record, piece(&mut thief, &space, from, usize::MAX))
}

/// How often places are named in an access log, beside cuts.
fn places_named(node: &mut Node, space: &SpaceId) -> usize {
    let log = node.access_log(space);
    let said =
        log.iter().filter(|one| matches!(one.statement.operation, AccessOperation::Settle { .. }));
    said.count()
}

fn assert_agreed(circle: &mut Circle, record: &RecordId) {
    // What the owner names when it sees the rows travels with the next exchange.
    for _ in 0..3 {
        circle.owner.shows(&circle.space);
        agree(&mut circle.owner, &mut circle.colleague);
        circle.colleague.shows(&circle.space);
    }
    let title = circle.agreed_title(record);
    assert_eq!(title.as_deref(), Some("Scritta tardi, poi corretta"));
}

/// An accepted edit built on a late one, which a fork at its place took away from under it.
#[test]
fn threat_25_a_fork_after_the_cut_takes_nothing_away_that_an_accepted_edit_builds_on() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (record, stolen) = built_on_late(&mut circle, true);
    assert_agreed(&mut circle, &record);
    for node in [&mut circle.owner, &mut circle.colleague] {
        assert_eq!(hand(node, &stolen), Err(ReplicaError::Frozen));
        node.restart();
    }
    assert_agreed(&mut circle, &record);
    assert_eq!(places_named(&mut circle.owner, &space), 1, "and it is said once");
}

/// The same where the owner met the other entry first.
#[test]
fn threat_25_what_an_accepted_edit_builds_on_is_named_also_where_a_fork_came_first() {
    let mut circle = Circle::of_contributors();
    let (record, stolen) = built_on_late(&mut circle, true);
    hand(&mut circle.owner, &stolen).unwrap();
    assert_agreed(&mut circle, &record);
    let findings = circle.owner.replica.verify(&circle.owner.disk, true).unwrap();
    assert_eq!(findings.problems, Vec::<String>::new());
}

/// The same of a machine of which the cut names nothing, since the owner had nothing of it.
#[test]
fn threat_25_what_is_built_upon_is_named_of_a_machine_that_the_cut_does_not_know() {
    let mut circle = Circle::of_contributors();
    let (record, stolen) = built_on_late(&mut circle, false);
    hand(&mut circle.owner, &stolen).unwrap();
    assert_agreed(&mut circle, &record);
    assert_eq!(hand(&mut circle.colleague, &stolen), Err(ReplicaError::Frozen));
}

/// One entry names so many places; nothing bounded how many entries of that kind there are, and
/// each place is kept in memory and looked at when the log grows.
#[test]
fn so_many_places_of_one_log_are_named_in_all() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let node = circle.member.id();
    let last = circle.owner.access_log(&space).pop().unwrap();
    let (mut sequence, mut previous) = (last.statement.sequence, last.statement.hash());
    let mut outcomes = Vec::new();
    for number in 0..=limits::SETTLED_PLACES_OF_NODE_MAX / limits::SETTLED_PLACES_MAX {
        let from = (number * limits::SETTLED_PLACES_MAX) as u64;
        let places = (1..=limits::SETTLED_PLACES_MAX as u64).map(|place| LogPosition {
            length: from + place,
            head: EntryHash::from_bytes([7; 32]),
        });
        let operation = AccessOperation::Settle { node, places: places.collect() };
        sequence += 1;
        let statement = AccessStatement { sequence, previous, operation, ..last.statement.clone() };
        previous = statement.hash();
        let entry = statement.sign(&circle.owner.credentials.node_key);
        let parcel = Parcel::Access { space, entries: vec![entry], is_complete: true };
        outcomes.push(circle.colleague.take(&parcel));
    }
    assert_eq!(outcomes.pop(), Some(Err(AccessError::Operation.into())));
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

/// Edits built on what the member wrote late, and a fork there, which the owner's machine met while
/// it could sign nothing: another one was primary, it was restored and caught up, or the space was
/// another organisation's. It named nothing later either, and the edits were gone for good.
#[test]
fn threat_25_what_is_built_upon_is_named_by_a_machine_that_is_named_primary_later() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second_machine(&mut circle);
    let (record, stolen) = built_on_late(&mut circle, true);
    agree(&mut circle.owner, &mut second);
    agree(&mut circle.colleague, &mut second);
    hand(&mut second, &stolen).unwrap();
    name_primary(&mut circle, &mut second);
    maintain(&mut second);
    circle.owner = second;
    assert_agreed(&mut circle, &record);
    assert_eq!(hand(&mut circle.colleague, &stolen), Err(ReplicaError::Frozen));
    assert_eq!(places_named(&mut circle.owner, &space), 1);
}

#[test]
fn threat_25_what_is_built_upon_is_named_by_a_restored_machine_when_it_has_caught_up() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (record, stolen) = built_on_late(&mut circle, true);
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    circle.owner = restore(&mut circle.organisations[0], old, &backup);
    return_to(&mut circle.owner, &mut circle.colleague);
    hand(&mut circle.owner, &stolen).unwrap();
    circle.owner.act(|replica, _, _| replica.finish_catching_up()).unwrap();
    maintain(&mut circle.owner);
    assert_agreed(&mut circle, &record);
    assert_eq!(places_named(&mut circle.owner, &space), 1);
}

#[test]
fn threat_25_what_is_built_upon_is_named_by_who_takes_the_space_over() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (record, stolen) = built_on_late(&mut circle, true);
    let colleague = circle.colleague.organisation();
    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, colleague)).unwrap();
    let log = circle.owner.access_parcels(&space, &colleague);
    circle.colleague.take_all(&log);
    hand(&mut circle.colleague, &stolen).unwrap();
    circle.colleague.act(|replica, disk, _| replica.take_over(disk, &space)).unwrap();
    maintain(&mut circle.colleague);
    assert_agreed(&mut circle, &record);
    assert_eq!(places_named(&mut circle.owner, &space), 1);
}
