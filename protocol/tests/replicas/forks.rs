//! Author logs of which two versions are about: whoever meets finds the fork and then agrees.

use super::branches::copy_of;
use super::circle::Circle;
use super::line::Line;
use super::organisation::Node;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::sync::SyncPhase;

const RUN_BYTES: usize = 256 * 1024;

/// They talk, end with the same, and neither ends the session.
pub fn agree(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed), ([SyncPhase::InSync; 2], &Vec::new()));
    assert_eq!(one.digests(), other.digests());
}

/// Where a node found the log of an author forked.
fn forks(node: &mut Node, space: &SpaceId) -> Vec<u64> {
    let own = node.organisation();
    let heads = node.replica.heads_for(&node.disk, &own, space).unwrap().unwrap();
    heads.forks.into_iter().map(|(_, place)| place).collect()
}

/// The longer version was sent from the length of the shorter one on, of which it is no
/// continuation: its signature did not hold, and the session ended whenever the two met.
#[test]
fn versions_of_different_length_are_found_to_contradict_each_other() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut twin = copy_of(&circle.member, &circle);
    circle.member.note(&space, "da una copia");
    for title in ["dall'altra", "ancora dall'altra"] {
        twin.note(&space, title);
    }
    circle.member.give(&mut circle.owner, &space);
    twin.give(&mut circle.colleague, &space);
    agree(&mut circle.owner, &mut circle.colleague);
    for node in [&mut circle.owner, &mut circle.colleague] {
        assert_eq!(forks(node, &space), [0]);
        assert!(node.shows(&space).is_empty());
    }
}

/// A run ends with the one signature that proves it. Where that stands behind the fork, nobody who
/// came later was given what stands before.
#[test]
fn who_comes_later_gets_what_only_a_signature_behind_the_fork_proves() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let common = circle.member.note(&space, "prima della copia");
    let mut twin = copy_of(&circle.member, &circle);
    circle.member.note(&space, "da una copia");
    twin.note(&space, "dall'altra");
    // Both entries of one come as one run; of the other what follows on the first.
    for (copy, from) in [(&mut circle.member, 0), (&mut twin, 1)] {
        let run = copy.replica.read_run(&copy.disk, &space, &copy.id(), from, RUN_BYTES);
        let run = run.unwrap().unwrap();
        circle.owner.act(|replica, disk, _| replica.admit_run(disk, run)).unwrap();
    }
    assert_eq!(forks(&mut circle.owner, &space), [1]);
    agree(&mut circle.owner, &mut circle.colleague);
    assert_eq!(forks(&mut circle.colleague, &space), [1]);
    let shown: Vec<_> = circle.colleague.shows(&space).into_keys().collect();
    assert_eq!(shown, [common]);
}

/// What follows on the other version cannot be told from a forgery by whoever has not seen it.
#[test]
fn what_comes_from_beyond_a_fork_is_refused_and_is_no_offence() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut twin = copy_of(&circle.member, &circle);
    for title in ["da una copia", "ancora da una copia"] {
        circle.member.note(&space, title);
    }
    circle.member.give(&mut circle.owner, &space);
    for title in ["dall'altra", "ancora dall'altra"] {
        twin.note(&space, title);
    }
    twin.give(&mut circle.owner, &space);
    assert_eq!(forks(&mut circle.owner, &space), [0]);
    let run = twin.replica.read_run(&twin.disk, &space, &twin.id(), 1, RUN_BYTES);
    let run = run.unwrap().unwrap();
    let refused = circle.owner.act(|replica, disk, _| replica.admit_run(disk, run));
    assert_eq!(refused, Err(ReplicaError::Frozen));
}
