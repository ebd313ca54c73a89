//! Identity logs with branches, as somebody with a former root key uses them.

use super::circle::Circle;
use super::line::Line;
use super::organisation::{Node, Organisation};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::codec;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::joining::JoinMessage;
use sincronia_protocol::limits::FRAME_BYTES_MAX;
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::sync::SyncPhase;

fn agree(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed), ([SyncPhase::InSync; 2], &vec![]));
}

fn generation(node: &Node, of: &Organisation) -> u64 {
    node.replica.identity(&of.id()).unwrap().generation()
}

/// So many entries that concern nobody.
fn talk(organisation: &mut Organisation, times: u8) {
    let node = *organisation.identity.active_nodes().next().unwrap().0;
    for _ in 0..times {
        organisation.say(IdentityOperation::SetPrimary { node });
    }
}

/// Whoever had the root key of before signed on, and what he signed is longer than the log with the
/// rotation: the shorter one was told to nobody who had the longer.
#[test]
fn a_rotation_reaches_whoever_has_a_longer_log_without_it() {
    let mut circle = Circle::of_contributors();
    let mut former = circle.organisations[0].elsewhere();
    talk(&mut former, 5);
    circle.organisations[0].rotate_root();
    circle.member.learn(&circle.organisations[0]);
    circle.colleague.learn(&former);
    agree(&mut circle.member, &mut circle.colleague);
    assert_eq!(generation(&circle.colleague, &former), 1);
}

/// The same between a machine that still has the former version of its own log and a partner.
#[test]
fn a_rotation_reaches_a_machine_whose_own_log_is_longer_without_it() {
    let mut circle = Circle::of_contributors();
    let mut former = circle.organisations[0].elsewhere();
    talk(&mut former, 5);
    circle.organisations[0].rotate_root();
    circle.member.learn(&circle.organisations[0]);
    circle.owner.learn(&former);
    agree(&mut circle.member, &mut circle.owner);
    assert_eq!(generation(&circle.owner, &former), 1);
}

/// The words used apart, at one machine less often: it had nothing to tell whoever knew more.
#[test]
fn a_machine_whose_own_log_is_shorter_on_another_branch_is_greeted() {
    for (few, many, dials) in [(1, 4, true), (1, 4, false), (4, 1, true), (4, 1, false)] {
        let mut circle = Circle::of_contributors();
        let [mut one, mut other] = [(); 2].map(|()| circle.organisations[0].elsewhere());
        let added = [one.add_node(41), other.add_node(42)].map(|one| one.node_key.id());
        talk(&mut one, few);
        talk(&mut other, many);
        circle.owner.learn(&one);
        circle.member.learn(&other);
        let (member, owner) = (&mut circle.member, &mut circle.owner);
        if dials {
            agree(owner, member);
        } else {
            agree(member, owner);
        }
        for node in [&circle.member, &circle.owner] {
            let identity = node.replica.identity(&one.id()).unwrap();
            assert!(added.iter().all(|one| identity.is_active(one)));
        }
    }
}

/// As many entries as the log with the rotation has, fewer, and more.
#[test]
fn a_rotation_reaches_a_machine_whose_own_log_is_of_any_length() {
    for (said, since) in [(1, 5), (5, 5), (5, 1)] {
        let mut circle = Circle::of_contributors();
        let mut former = circle.organisations[0].elsewhere();
        talk(&mut former, said);
        circle.organisations[0].rotate_root();
        talk(&mut circle.organisations[0], since);
        circle.member.learn(&circle.organisations[0]);
        circle.owner.learn(&former);
        agree(&mut circle.owner, &mut circle.member);
        assert_eq!(generation(&circle.owner, &former), 1);
    }
}

/// A log of several messages of which one goes on from a branch that is not taken.
#[test]
fn a_long_branch_that_was_set_aside_keeps_nothing_from_whoever_does_not_take_it() {
    let mut circle = Circle::of_contributors();
    let mut former = circle.organisations[0].elsewhere();
    talk(&mut former, 150);
    circle.member.learn(&former);
    circle.organisations[0].rotate_root();
    for node in [&mut circle.owner, &mut circle.member, &mut circle.colleague] {
        node.learn(&circle.organisations[0]);
    }
    talk(&mut circle.organisations[0], 149);
    circle.owner.learn(&circle.organisations[0]);
    circle.member.learn(&circle.organisations[0]);
    agree(&mut circle.member, &mut circle.colleague);
}

/// The words unite what had been set aside, and say so in a later message than what they name.
#[test]
fn a_union_is_taken_whose_other_branch_comes_in_a_message_before() {
    let mut circle = Circle::of_contributors();
    let mut former = circle.organisations[0].elsewhere();
    let added = former.add_node(41).node_key.id();
    talk(&mut former, 150);
    circle.member.learn(&former);
    let united = &mut circle.organisations[0];
    united.rotate_root();
    circle.member.learn(united);
    circle.colleague.learn(united);
    talk(united, 155);
    let head = former.identity.position().head;
    united.hear(&former);
    united.say(IdentityOperation::Unite { heads: vec![head] });
    circle.member.learn(&circle.organisations[0]);
    assert!(circle.member.replica.identity(&former.id()).unwrap().is_active(&added));
    agree(&mut circle.member, &mut circle.colleague);
    assert!(circle.colleague.replica.identity(&former.id()).unwrap().is_active(&added));
}

/// A stolen root key fills all places for branches before the owner rotates it.
#[test]
fn a_rotation_finds_room_beside_all_branches_of_the_key_of_before() {
    let mut circle = Circle::of_contributors();
    for seed in 41..49 {
        let mut stolen = circle.organisations[0].elsewhere();
        stolen.add_node(seed);
        circle.member.learn(&stolen);
    }
    let owner = &mut circle.organisations[0];
    owner.add_node(61);
    owner.rotate_root();
    circle.colleague.learn(owner);
    circle.member.replica.admit_identity(&circle.member.disk, &owner.entries).unwrap();
    circle.member.commit();
    assert_eq!(generation(&circle.member, &circle.organisations[0]), 1);
    circle.member.restart();
    agree(&mut circle.member, &mut circle.colleague);
}

/// Whoever had a root key of before filled more than a frame, and nobody joined the organisation
/// or recalled its log any more, though that was set aside.
#[test]
fn what_was_set_aside_is_told_to_nobody_who_joins() {
    let mut circle = Circle::of_contributors();
    for seed in [61, 62] {
        let mut former = circle.organisations[0].elsewhere();
        former.add_node(seed);
        let (node, sealing) = former.identity.active_nodes().next().unwrap();
        let (node, sealing) = (*node, sealing.clone());
        for _ in 0..450 {
            former.say(IdentityOperation::RotateSealing { node, sealing: sealing.clone() });
        }
        circle.owner.learn(&former);
    }
    circle.organisations[0].rotate_root();
    circle.owner.learn(&circle.organisations[0]);
    let (replica, disk) = (&circle.owner.replica, &circle.owner.disk);
    let introduction = replica.introduction(disk, "Ente".to_owned(), Vec::new()).unwrap();
    let message = JoinMessage::Return { version: 1, introduction };
    assert!(message.encode().len() < FRAME_BYTES_MAX);
}

/// A space that a primary made whom a rotation set aside.
#[test]
fn a_space_that_was_made_by_who_is_set_aside_is_sound_and_parts_nobody() {
    let mut circle = Circle::of_contributors();
    let mut stolen = circle.organisations[0].elsewhere();
    let credentials = stolen.add_node(61);
    stolen.say(IdentityOperation::SetPrimary { node: credentials.node_key.id() });
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut thief = Node::start(&credentials, &known);
    thief.learn(&stolen);
    let space = thief.create_space();
    for one in [circle.member.organisation(), circle.colleague.organisation()] {
        thief.grant(&space, one, Role::Contributor, History::Start).unwrap();
    }
    circle.member.learn(&stolen);
    thief.give(&mut circle.member, &space);
    circle.organisations[0].rotate_root();
    for node in [&mut circle.owner, &mut circle.member, &mut circle.colleague] {
        node.learn(&circle.organisations[0]);
    }
    circle.member.restart();
    agree(&mut circle.member, &mut circle.colleague);
    agree(&mut circle.member, &mut circle.owner);
    let findings = circle.member.replica.verify(&circle.member.disk, true).unwrap();
    assert_eq!(findings.problems, Vec::<String>::new());
}

/// Of a log with branches all of it travelled whenever anybody was told where it stands.
#[test]
fn of_a_log_with_branches_only_what_is_lacking_travels() {
    let mut circle = Circle::of_contributors();
    talk(&mut circle.organisations[0], 250);
    let [mut one, mut other] = [(); 2].map(|()| circle.organisations[0].elsewhere());
    one.add_node(41);
    other.add_node(42);
    one.hear(&other);
    circle.member.learn(&one);
    circle.colleague.learn(&one);
    let whole: usize = one.entries.iter().map(|one| codec::encode(one).len()).sum();
    for (learns, seed) in [(true, 43), (false, 44)] {
        one.add_node(seed);
        let (member, colleague) = (&mut circle.member, &mut circle.colleague);
        if learns {
            member.learn(&one);
        } else {
            colleague.learn(&one);
        }
        let mut line = Line::open(member, colleague);
        let mut bytes = 0;
        line.run(|_, frame| {
            bytes += frame.len();
            vec![frame]
        });
        assert_eq!((line.phases(), &line.closed), ([SyncPhase::InSync; 2], &vec![]));
        assert!(bytes < whole / 2, "{bytes} bytes, and the log has {whole}");
        assert!(circle.member.digests() == circle.colleague.digests());
    }
    let known = [&circle.member, &circle.colleague]
        .map(|node| node.replica.identity(&one.id()).unwrap().active_nodes().count());
    assert_eq!(known, [5, 5]);
}

/// An organisation with a longer log than a message holds tried to join for ever.
#[test]
fn whoever_cannot_be_introduced_in_one_message_is_told_so() {
    let mut circle = Circle::of_contributors();
    let (node, sealing) = circle.organisations[0].identity.active_nodes().next().unwrap();
    let (node, sealing) = (*node, sealing.clone());
    let introduced = |node: &Node| {
        let (name, addresses) = ("Ente".to_owned(), vec!["a".repeat(256); 16]);
        node.replica.introduction_by_line(&node.disk, name, addresses)
    };
    let mut fits = 0;
    for _ in 0..9 {
        for nth in 0..100 {
            if nth % 50 == 0 {
                circle.organisations[0].rotate_root();
            }
            let sealing = sealing.clone();
            circle.organisations[0].say(IdentityOperation::RotateSealing { node, sealing });
        }
        circle.owner.learn(&circle.organisations[0]);
        match introduced(&circle.owner) {
            Ok(introduction) => {
                let message = JoinMessage::Return { version: 1, introduction };
                assert!(message.encode().len() < FRAME_BYTES_MAX);
                fits += 1;
            }
            Err(error) => assert!(matches!(error, ReplicaError::Limit(_))),
        }
    }
    assert!((1..9).contains(&fits), "{fits}");
}
