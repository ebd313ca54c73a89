//! Missing bodies in logs of which there are two versions: they come back all the same, and nobody
//! takes the note of them away.

use super::circle::Circle;
use super::cuts::{hand, revoke_machine};
use super::organisation::Node;
use super::origin::agree;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::log::Run;

/// What a node has of the member's log from a place on, with one signature if there is room.
fn piece(node: &mut Node, author: &Node, space: &SpaceId, from: u64, bytes: usize) -> Run {
    let run = node.replica.read_run(&node.disk, space, &author.id(), from, bytes);
    run.expect("a sound disk").expect("entries")
}

/// A machine that only a stolen root key of the owner names primary erases these records, and the
/// colleague hears of it, before the key is replaced.
fn erased_apart(circle: &mut Circle, records: &[RecordId]) {
    let space = circle.space;
    let (mut thief, stolen) = circle.thief();
    circle.colleague.learn(&stolen);
    agree(&mut circle.colleague, &mut thief);
    for record in records {
        thief.erase(&space, record).expect("a primary, as far as it knows");
    }
    agree(&mut circle.colleague, &mut thief);
    circle.organisations[0].rotate_root();
    let Circle { organisations: [first, ..], owner, member, colleague, .. } = circle;
    for node in [owner, member, colleague] {
        node.learn(first);
    }
}

fn gone(node: &Node, space: &SpaceId) -> u64 {
    node.replica.missing_bodies().get(space).map_or(0, |one| one.bodies)
}

/// A run ends with the one signature that proves it. Where that stands behind the fork of a log,
/// nobody gave back what was missing before the fork.
#[test]
fn what_is_missing_before_a_fork_comes_back_by_a_signature_behind_it() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut records: Vec<_> =
        (0..5).map(|one| circle.member.note(&space, &format!("Nota {one}"))).collect();
    let mut twin = circle.twin_of_member();
    records.extend((5..8).map(|one| circle.member.note(&space, &format!("Nota {one}"))));
    twin.note(&space, "Di un'altra copia");
    let author = circle.twin_of_member();
    let whole = piece(&mut circle.member, &author, &space, 0, usize::MAX);
    let other = piece(&mut twin, &author, &space, 5, usize::MAX);
    for node in [&mut circle.owner, &mut circle.colleague] {
        hand(node, &whole).unwrap();
        hand(node, &other).unwrap();
    }
    agree(&mut circle.owner, &mut circle.colleague);
    erased_apart(&mut circle, &records[2..3]);
    assert_eq!(gone(&circle.colleague, &space), 1);
    agree(&mut circle.owner, &mut circle.colleague);
    assert_eq!(gone(&circle.colleague, &space), 0);
    assert_eq!(circle.agreed_title(&records[2]).as_deref(), Some("Nota 2"));
}

/// The owner names the version of a log that was forked; of the other one a body is missing at a
/// place that both have. Somebody sends the beginning of the log without it: that was put in the
/// place of what was there, with nothing to say that a body is missing.
#[test]
fn a_version_that_takes_the_place_of_another_keeps_what_is_noted_as_missing() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let records = ["Prima", "Seconda"].map(|title| circle.member.note(&space, title));
    circle.settle();
    let mut twin = circle.twin_of_member();
    for number in 0..3 {
        twin.note(&space, &format!("Del ladro {number}"));
        circle.member.note(&space, &format!("Nota {number}"));
    }
    let author = circle.twin_of_member();
    hand(&mut circle.colleague, &piece(&mut twin, &author, &space, 2, usize::MAX)).unwrap();
    hand(&mut circle.owner, &piece(&mut circle.member, &author, &space, 2, usize::MAX)).unwrap();
    erased_apart(&mut circle, &records[1..]);
    revoke_machine(&mut circle);
    let log = circle.owner.access_parcels(&space, &circle.colleague.organisation());
    circle.colleague.take_all(&log);
    assert_eq!(gone(&circle.colleague, &space), 1);
    let mut short = piece(&mut circle.member, &author, &space, 1, 1);
    assert_eq!((short.start, short.entries.len()), (1, 1));
    short.entries[0].body = short.entries[0].body.erased();
    let _ = hand(&mut circle.colleague, &short);
    assert_eq!(gone(&circle.colleague, &space), 1);
    agree(&mut circle.owner, &mut circle.colleague);
    assert_eq!(gone(&circle.colleague, &space), 0);
    assert_eq!(circle.agreed_title(&records[1]).as_deref(), Some("Seconda"));
}
