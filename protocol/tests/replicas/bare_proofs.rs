//! Proofs that a log was forked, without bodies that only a thief erased: they go on to everybody,
//! for nothing in them counts.

use super::circle::Circle;
use super::cuts::hand;
use super::line::Line;
use super::organisation::Node;
use super::origin::agree;
use sincronia_protocol::log::{Run, RunError};
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::storage::Table;

fn rotate(circle: &mut Circle) {
    circle.organisations[0].rotate_root();
    let Circle { organisations: [first, ..], owner, member, colleague, .. } = circle;
    for node in [owner, member, colleague] {
        node.learn(first);
    }
}

fn last_of(node: &mut Node, circle: &Circle, from: u64) -> Run {
    let (space, author) = (circle.space, circle.member.id());
    node.replica.read_run(&node.disk, &space, &author, from, 9_999).unwrap().unwrap()
}

/// What a twin of the member signed where the member wrote something else, without its body.
fn bare(circle: &mut Circle) -> Run {
    let space = circle.space;
    let mut twin = circle.twin_of_member();
    twin.note(&space, "Della copia");
    let mut run = last_of(&mut twin, circle, 1);
    for entry in &mut run.entries {
        entry.body = entry.body.erased();
    }
    run
}

/// Whoever held the proof had heard the thief erase both versions; the owner had one of them in
/// whole, showed it, and refused the proof for want of its body: they differed for ever.
#[test]
fn a_proof_without_the_bodies_that_a_thief_erased_reaches_everybody() {
    for restarts in [false, true] {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let before = circle.member.note(&space, "Di prima");
        circle.settle();
        let mut twin = circle.twin_of_member();
        twin.note(&space, "Della copia");
        let other = last_of(&mut twin, &circle, 1);
        let record = circle.member.note(&space, "Del membro");
        circle.settle();
        let (mut thief, stolen) = circle.thief();
        circle.colleague.learn(&stolen);
        agree(&mut circle.colleague, &mut thief);
        thief.erase(&space, &record).unwrap();
        agree(&mut circle.colleague, &mut thief);
        hand(&mut circle.colleague, &other).unwrap();
        rotate(&mut circle);
        let Circle { owner, colleague, .. } = &mut circle;
        if restarts {
            colleague.restart();
        }
        Line::open(owner, colleague).run_for(20);
        for node in [owner, colleague] {
            assert_eq!(node.title(&space, &before).as_deref(), Some("Di prima"));
            assert_eq!(node.title(&space, &record), None, "forked");
            let own = node.organisation();
            let heads = node.replica.heads_for(&node.disk, &own, &space).unwrap().unwrap();
            assert_eq!(heads.forks.len(), 1);
        }
        agree(&mut circle.owner, &mut circle.colleague);
    }
}

/// One proof of a fork is enough: of the third version of a log the owner never hears, so it cannot
/// name what that says of an erased record.
#[test]
fn an_erasure_reaches_the_proof_of_a_version_that_the_owner_never_met() {
    for is_erased_before in [false, true] {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let record = circle.owner.note(&space, "Da cancellare");
        circle.settle();
        let (mut second, mut third) = (circle.twin_of_member(), circle.twin_of_member());
        circle.member.note(&space, "Prima versione");
        circle.settle();
        second.note(&space, "Seconda versione");
        let second = last_of(&mut second, &circle, 0);
        third.rename(&space, record, "Terza versione").unwrap();
        let third = last_of(&mut third, &circle, 0);
        let Circle { owner, colleague, .. } = &mut circle;
        hand(owner, &second).unwrap();
        if !is_erased_before {
            hand(colleague, &third).unwrap();
            agree(owner, colleague);
        }
        owner.erase(&space, &record).unwrap();
        if is_erased_before {
            owner.give(colleague, &space);
            hand(colleague, &third).unwrap();
        }
        agree(owner, colleague);
        let body = third.entries[0].body.sealed().unwrap();
        for table in Table::ALL {
            for (_, value) in colleague.disk.values(table) {
                assert!(value.windows(body.len()).all(|part| part != body), "{}", table.name());
            }
        }
        let problems = colleague.replica.verify(&colleague.disk, true).unwrap().problems;
        assert_eq!(problems, Vec::<String>::new());
        colleague.restart();
        agree(owner, colleague);
    }
}

/// Only what contradicts goes without bodies, and never takes the place of what is here.
#[test]
fn threat_20_a_body_is_left_out_of_what_contradicts_and_of_nothing_else() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "Di prima");
    circle.settle();
    let bare = bare(&mut circle);
    // It goes on with what is here.
    assert_eq!(hand(&mut circle.owner, &bare), Err(RunError::BodyMissing.into()));
    circle.member.note(&space, "Del membro");
    circle.settle();
    let (node, author) = (&mut circle.member, bare.author);
    let own = node.replica.read_run(&node.disk, &space, &author, 1, 9_999);
    let mut own = own.unwrap().unwrap();
    own.entries[0].body = own.entries[0].body.erased();
    // It repeats what is here.
    assert_eq!(hand(&mut circle.owner, &own), Err(RunError::BodyMissing.into()));
    hand(&mut circle.owner, &bare).unwrap();
    let node = &mut circle.owner;
    let own = node.organisation();
    let heads = node.replica.heads_for(&node.disk, &own, &space);
    assert_eq!(heads.unwrap().unwrap().forks.len(), 1);
}

/// The limit that docs/security.md names: the owner never had what all others lost, so it cannot
/// erase it, and gets nothing more of that log; a new machine of the same organisation goes on.
#[test]
fn a_log_of_which_the_owner_never_had_what_is_lost_is_gone_on_with_at_a_new_machine() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (mut thief, stolen) = circle.thief();
    circle.colleague.learn(&stolen);
    let lost = circle.colleague.note(&space, "Perduta");
    agree(&mut circle.colleague, &mut thief);
    thief.erase(&space, &lost).unwrap();
    agree(&mut circle.colleague, &mut thief);
    rotate(&mut circle);
    let later = circle.colleague.note(&space, "Dopo il furto");
    let credentials = circle.organisations[2].add_node(81);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut fresh = Node::start(&credentials, &known);
    let Circle { organisations: [.., third, _], owner, colleague, .. } = &mut circle;
    Line::open(owner, colleague).run_for(20);
    assert_eq!(owner.title(&space, &later), None);
    let refused = owner.erase(&space, &lost);
    assert_eq!(refused, Err(ReplicaError::Unknown("record")));
    for node in [&mut *owner, &mut *colleague] {
        node.learn(third);
    }
    Line::open(owner, &mut fresh).run_for(20);
    let again = fresh.note(&space, "Di nuovo");
    Line::open(owner, &mut fresh).run_for(20);
    assert_eq!(owner.title(&space, &again).as_deref(), Some("Di nuovo"));
}
