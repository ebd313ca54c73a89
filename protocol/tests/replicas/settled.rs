//! The owner names places of a log that was cut: at every stretch of a long one, and where an
//! accepted entry builds on what its machine wrote late.

use super::branches::copy_of;
use super::circle::Circle;
use super::cuts::{hand, revoke_machine};
use super::forks::agree;
use super::organisation::Node;
use sincronia_protocol::access::AccessOperation;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::log::Run;
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
fn built_on_late(circle: &mut Circle) -> (RecordId, Run) {
    let space = circle.space;
    let record = circle.owner.note(&space, "Prima stesura");
    circle.member.note(&space, "Nota del membro");
    circle.settle();
    circle.remove_member();
    let mut thief = copy_of(&circle.member, circle);
    let from = piece(&mut thief, &space, 0, usize::MAX).entries.len() as u64;
    thief.note(&space, "Del ladro");
    circle.member.rename(&space, record, "Scritta tardi").unwrap();
    circle.member.give(&mut circle.colleague, &space);
    circle.colleague.rename(&space, record, "Scritta tardi, poi corretta").unwrap();
    (record, piece(&mut thief, &space, from, usize::MAX))
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
    let (record, stolen) = built_on_late(&mut circle);
    assert_agreed(&mut circle, &record);
    for node in [&mut circle.owner, &mut circle.colleague] {
        assert_eq!(hand(node, &stolen), Err(ReplicaError::Frozen));
        node.restart();
    }
    assert_agreed(&mut circle, &record);
    let log = circle.owner.access_log(&space);
    let said =
        log.iter().filter(|one| matches!(one.statement.operation, AccessOperation::Settle { .. }));
    assert_eq!(said.count(), 1, "and it is said once");
}

/// The same where the owner met the other entry first.
#[test]
fn threat_25_what_an_accepted_edit_builds_on_is_named_also_where_a_fork_came_first() {
    let mut circle = Circle::of_contributors();
    let (record, stolen) = built_on_late(&mut circle);
    hand(&mut circle.owner, &stolen).unwrap();
    assert_agreed(&mut circle, &record);
    let findings = circle.owner.replica.verify(&circle.owner.disk, true).unwrap();
    assert_eq!(findings.problems, Vec::<String>::new());
}
