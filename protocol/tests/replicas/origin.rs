//! For whom a node writes is under its own signature, where its log begins.

use super::adversary::{last_grant, new_practice};
use super::circle::Circle;
use super::forging::{forger, take};
use super::line::Line;
use super::order::cases;
use super::organisation::{Node, Organisation};
use super::thief::writers;
use proptest::prelude::*;
use sincronia_protocol::access::{AccessOperation, Role};
use sincronia_protocol::codec;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, SpaceId};
use sincronia_protocol::log::{LogPosition, Run, RunError};
use sincronia_protocol::replica::{Credentials, QuarantineReason, ReplicaError};
use sincronia_protocol::storage::{Batch, Table};
use sincronia_protocol::sync::SyncPhase;

/// The seed of the circle's member, and of the machine's keys with it.
pub const MEMBER: u8 = 2;
/// The seed of a second machine of the member.
pub const SECOND: u8 = 12;

/// A circle into which a thief was admitted before its victim, the member; only the owner has heard
/// which machines the thief claims.
fn circle_before_thief() -> (Circle, Organisation) {
    let mut thief = Organisation::found(50);
    thief.add_node(MEMBER);
    let mut circle = Circle::new();
    circle.owner.learn(&thief);
    circle.admit(thief.id(), Role::Contributor);
    for organisation in [circle.member.organisation(), circle.colleague.organisation()] {
        circle.admit(organisation, Role::Contributor);
    }
    circle.settle();
    (circle, thief)
}

/// The same, and everybody has heard of it.
pub fn circle_with_thief() -> (Circle, Organisation) {
    let (mut circle, thief) = circle_before_thief();
    for node in [&mut circle.member, &mut circle.colleague] {
        node.learn(&thief);
    }
    (circle, thief)
}

/// An entry that the thief writes with the member's key, for itself.
fn stolen_entry(circle: &mut Circle, thief: &Organisation) -> Run {
    let secrets = Credentials { organisation: thief.id(), ..circle.member.credentials.clone() };
    let access = circle.owner.access_log(&circle.space);
    let grant = last_grant(&access, &secrets);
    forger(circle, &secrets, access.len(), 0).sign(&new_practice(&secrets, grant, "Della ladra"))
}

fn forks(node: &mut Node, space: &SpaceId) -> Vec<(NodeId, u64)> {
    let own = node.organisation();
    node.replica.heads_for(&node.disk, &own, space).unwrap().unwrap().forks
}

pub fn is_cut(node: &mut Node, space: &SpaceId, which: &NodeId) -> bool {
    node.access_log(space).iter().any(|entry| {
        let operation = &entry.statement.operation;
        matches!(operation, AccessOperation::CutNode { cut, .. } if cut.node == *which)
    })
}

pub fn agree(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed), ([SyncPhase::InSync; 2], &Vec::new()));
    assert_eq!(one.digests(), other.digests());
}

/// Of one machine two logs, for two organisations: nobody takes the one for a part of the other,
/// and it makes no difference which came first.
#[test]
fn threat_25_two_logs_of_a_machine_for_two_organisations_are_a_fork_and_its_victim_goes_on() {
    for is_owner_first in [false, true] {
        let (mut circle, thief) = circle_with_thief();
        let (space, node, member) =
            (circle.space, circle.member.id(), circle.member.organisation());
        let run = stolen_entry(&mut circle, &thief);
        let record = circle.member.note(&space, "Della derubata");
        let Circle { owner, member: machine, colleague, .. } = &mut circle;
        let (first, second) = if is_owner_first { (owner, colleague) } else { (colleague, owner) };
        take(first, &run).unwrap();
        let stolen = *first.shows(&space).keys().next().unwrap();
        assert_eq!(writers(first, &space, &stolen), [(node, thief.id())]);
        machine.give(second, &space);
        assert_eq!(writers(second, &space, &record), [(node, member)]);
        agree(first, second);
        for (reader, whose) in [(first, thief.id()), (second, member)] {
            reader.restart();
            assert_eq!(forks(reader, &space), [(node, 0)]);
            assert!(reader.shows(&space).is_empty());
            let listed = reader.replica.quarantine(&reader.disk).unwrap();
            let listed: Vec<_> = listed.iter().map(|one| (one.organisation, one.reason)).collect();
            assert_eq!(listed, [(Some(whose), QuarantineReason::Forked)]);
        }
        heal(&mut circle);
    }
}

/// The member revokes its machine and goes on with another.
fn heal(circle: &mut Circle) {
    let (space, node) = (circle.space, circle.member.id());
    let second = circle.organisations[1].add_node(SECOND);
    circle.organisations[1].say(IdentityOperation::RevokeNode { node });
    let mut second = Node::start(&second, &circle.organisations.iter().collect::<Vec<_>>());
    for reader in [&mut circle.owner, &mut circle.colleague] {
        reader.learn(&circle.organisations[1]);
    }
    let organisation = circle.organisations[1].id();
    circle
        .owner
        .act(|replica, disk, random| replica.maintain(disk, &organisation, random))
        .unwrap();
    assert!(is_cut(&mut circle.owner, &space, &node));
    circle.owner.give(&mut second, &space);
    let after = second.note(&space, "Dalla nuova macchina");
    second.give(&mut circle.owner, &space);
    agree(&mut circle.owner, &mut circle.colleague);
    assert_eq!(circle.agreed_title(&after).as_deref(), Some("Dalla nuova macchina"));
}

#[test]
fn a_machine_that_finds_a_log_of_its_own_for_another_organisation_stops_signing() {
    let (mut circle, thief) = circle_with_thief();
    let run = stolen_entry(&mut circle, &thief);
    assert_eq!(take(&mut circle.member, &run), Err(ReplicaError::Cloned));
}

/// The thief was admitted and known, and the organisation whose machine it is had not told of it
/// yet: what the machine wrote was the thief's.
#[test]
fn what_was_written_waits_for_the_organisation_for_which_it_was_written() {
    let mut circle = Circle::new();
    let space = circle.space;
    let mut thief = Organisation::found(50);
    thief.add_node(SECOND);
    let second = circle.organisations[1].add_node(SECOND);
    circle.owner.learn(&thief);
    circle.owner.learn(&circle.organisations[1]);
    for organisation in [thief.id(), second.organisation, circle.colleague.organisation()] {
        circle.admit(organisation, Role::Contributor);
    }
    circle.colleague.learn(&thief);
    circle.settle();
    let mut second = Node::start(&second, &circle.organisations.iter().collect::<Vec<_>>());
    circle.owner.give(&mut second, &space);
    let record = second.note(&space, "Della derubata");
    let run = second.replica.read_run(&second.disk, &space, &second.id(), 0, 9_999);
    let run = run.unwrap().unwrap();
    let before = circle.colleague.digests();
    assert_eq!(take(&mut circle.colleague, &run), Err(RunError::Origin.into()));
    assert_eq!(circle.colleague.digests(), before);
    // It is asked for again, when the identity log has come.
    second.give(&mut circle.owner, &space);
    agree(&mut circle.colleague, &mut circle.owner);
    let whose = [(second.id(), second.organisation())];
    assert_eq!(writers(&mut circle.colleague, &space, &record), whose);
}

#[test]
fn threat_12_a_log_that_names_another_organisation_is_taken_by_nobody() {
    let (mut circle, _) = circle_with_thief();
    let secrets = circle.member.credentials.clone();
    let access = circle.owner.access_log(&circle.space);
    let grant = last_grant(&access, &secrets);
    let (space, node, before) = (circle.space, circle.member.id(), circle.owner.digests());
    // Of organisations that did not certify the node, and of the beginning that no log has.
    let others = [0, 2, 3].map(|one| circle.organisations[one].id());
    let mut places: Vec<_> =
        others.iter().map(|other| LogPosition::origin(&space, &node, other)).collect();
    places.push(LogPosition::START);
    for position in places {
        let mut forger = forger(&mut circle, &secrets, access.len(), 0);
        forger.position = position;
        let run = forger.sign(&new_practice(&secrets, grant, "Di un'altra"));
        assert_eq!(take(&mut circle.owner, &run), Err(RunError::Origin.into()));
        assert_eq!(circle.owner.digests(), before);
    }
    let mut forger = forger(&mut circle, &secrets, access.len(), 0);
    let run = forger.sign(&new_practice(&secrets, grant, "Della derubata"));
    take(&mut circle.owner, &run).unwrap();
}

/// A head as it stands in the store.
type StoredHead = (LogPosition, u64, sincronia_protocol::ids::OrganisationId);

#[test]
fn another_organisation_in_the_head_of_a_log_is_found_by_verification() {
    let (mut circle, thief) = circle_with_thief();
    circle.member.note(&circle.space, "Della derubata");
    circle.settle();
    let owner = &mut circle.owner;
    let heads = owner.disk.values(Table::Heads);
    let (key, value) = heads.map(|(key, value)| (key.to_vec(), value.to_vec())).next().unwrap();
    let (position, projected, _): StoredHead = codec::decode(&value).unwrap();
    let mut batch = Batch::default();
    batch.put(Table::Heads, key, codec::encode(&(position, projected, thief.id())));
    owner.disk.commit(&batch);
    owner.restart();
    let findings = owner.replica.verify(&owner.disk, false).unwrap();
    assert_eq!(findings.problems.len(), 1, "{findings:?}");
    assert!(findings.problems[0].contains("does not continue the chain"), "{findings:?}");
}

/// What one told of the thief certifies the machine, what the other was told does not. The second
/// frame of a log whose first one was refused could not be told from a forgery, and ended the
/// session of two honest nodes.
#[test]
fn what_follows_on_a_log_of_unknown_origin_is_no_offence() {
    let (mut circle, thief) = circle_with_thief();
    let space = circle.space;
    for _ in 0..24 {
        circle.member.note(&space, "Della derubata");
    }
    let secrets = Credentials { organisation: thief.id(), ..circle.member.credentials.clone() };
    let seen = circle.owner.access_log(&space).len();
    let mut forger = forger(&mut circle, &secrets, seen, 0);
    for _ in 0..40 {
        take(&mut circle.owner, &forger.sign_text(&vec![7; 60_000])).unwrap();
    }
    // It has heard the other story of the thief.
    let mut story = Organisation::found(50);
    story.add_node(77);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut reader = Node::start(&circle.colleague.credentials, &known);
    reader.learn(&story);
    circle.owner.give(&mut reader, &space);
    circle.member.give(&mut reader, &space);
    let mut line = Line::open(&mut circle.owner, &mut reader);
    line.run_for(3);
    assert_eq!(line.closed, []);
}

/// What happens at a node.
#[derive(Clone, Debug)]
enum Happening {
    HearsOfThief,
    Takes(Run),
}

/// What the member's machine wrote, what the thief wrote with its key, if it did, and that a node
/// hears of the thief.
fn happenings(circle: &mut Circle, thief: &Organisation, writes: bool) -> Vec<Happening> {
    let space = circle.space;
    for title in ["Prima", "Seconda"] {
        circle.member.note(&space, title);
    }
    let Circle { member, .. } = circle;
    let runs = [0, 1].map(|from| {
        let read = member.replica.read_run(&member.disk, &space, &member.id(), from, 1);
        read.unwrap().unwrap()
    });
    let mut happenings = vec![Happening::HearsOfThief];
    happenings.extend(runs.map(Happening::Takes));
    if writes {
        happenings.push(Happening::Takes(stolen_entry(circle, thief)));
    }
    happenings
}

proptest! {
    #![proptest_config(cases(32))]

    /// Whatever nodes hear of and in whatever order, they agree on whose the log is; and if there
    /// are two, that it is nobody's.
    #[test]
    fn in_any_order_nodes_agree_whose_a_log_is(
        writes in any::<bool>(),
        orders in prop::array::uniform2(prop::collection::vec(any::<prop::sample::Index>(), 0..8)),
    ) {
        let (mut circle, thief) = circle_before_thief();
        let (space, node) = (circle.space, circle.member.id());
        let member = circle.member.organisation();
        let happenings = happenings(&mut circle, &thief, writes);
        let Circle { owner, colleague, member: machine, .. } = &mut circle;
        for (reader, order) in [&mut *owner, &mut *colleague].into_iter().zip(&orders) {
            for index in order {
                match index.get(&happenings) {
                    Happening::HearsOfThief => reader.learn(&thief),
                    Happening::Takes(run) => drop(take(reader, run)),
                }
            }
        }
        // Each run is somewhere in the end, and the two meet.
        for happening in &happenings {
            match happening {
                Happening::HearsOfThief => owner.learn(&thief),
                Happening::Takes(run) => drop(take(owner, run)),
            }
        }
        colleague.learn(&thief);
        agree(owner, colleague);
        agree(owner, machine);
        for reader in [owner, colleague] {
            let shown: Vec<_> = reader.shows(&space).into_keys().collect();
            prop_assert_eq!(shown.len(), if writes { 0 } else { 2 });
            for record in shown {
                prop_assert_eq!(writers(reader, &space, &record), vec![(node, member)]);
            }
            prop_assert_eq!(forks(reader, &space), if writes { vec![(node, 0)] } else { vec![] });
        }
    }
}
