//! What a machine wrote, and a space that one founded, of which a rotation of the root key sets
//! aside who certified them: somebody took the key before, or two people used the words apart.

use super::circle::Circle;
use super::cuts::hand;
use super::forging::take;
use super::line::Line;
use super::order::cases;
use super::organisation::{Node, Organisation};
use super::origin::agree;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::log::Run;
use sincronia_protocol::replica::{Credentials, ReplicaError, Safety};

/// A circle whose owner's root key was used apart: of the machine that it certified the member has
/// heard, and of what this machine wrote.
struct Apart {
    circle: Circle,
    stolen: Organisation,
    thief: Node,
    record: RecordId,
}

/// A machine of which only `stolen` says that it is one of the owner's.
fn start(circle: &Circle, credentials: &Credentials, stolen: &Organisation) -> Node {
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut thief = Node::start(credentials, &known);
    thief.learn(stolen);
    thief
}

fn write_apart() -> Apart {
    let mut circle = Circle::of_contributors();
    let mut stolen = circle.organisations[0].elsewhere();
    let credentials = stolen.add_node(61);
    let mut thief = start(&circle, &credentials, &stolen);
    circle.member.learn(&stolen);
    agree(&mut circle.member, &mut thief);
    let record = thief.note(&circle.space, "Della ladra");
    thief.note(&circle.space, "Un'altra");
    agree(&mut circle.member, &mut thief);
    assert_eq!(circle.member.title(&circle.space, &record).as_deref(), Some("Della ladra"));
    Apart { circle, stolen, thief, record }
}

/// The owner rotates its root key, and all hear of it.
fn rotate(circle: &mut Circle) {
    circle.organisations[0].rotate_root();
    for node in [&mut circle.owner, &mut circle.member, &mut circle.colleague] {
        node.learn(&circle.organisations[0]);
    }
}

fn titles(circle: &Circle, record: &RecordId) -> [Option<String>; 3] {
    [&circle.owner, &circle.member, &circle.colleague].map(|one| one.title(&circle.space, record))
}

/// Author logs of a machine that only the stolen key certified stayed with those who had heard of
/// it, and nobody else took them.
#[test]
fn what_a_machine_wrote_that_a_rotation_sets_aside_parts_nobody() {
    let Apart { mut circle, record, .. } = write_apart();
    let space = circle.space;
    // The member builds on it, before anybody knows.
    circle.member.rename(&space, record, "Corretta").unwrap();
    let own = circle.member.note(&space, "Del membro");
    rotate(&mut circle);
    for restarts in [false, true] {
        if restarts {
            circle.member.restart();
        }
        agree(&mut circle.owner, &mut circle.colleague);
        agree(&mut circle.member, &mut circle.colleague);
        agree(&mut circle.owner, &mut circle.member);
        assert_eq!(titles(&circle, &record), [None, None, None], "it counts nowhere");
        assert_eq!(circle.agreed_title(&own).as_deref(), Some("Del membro"));
    }
    let findings = circle.member.replica.verify(&circle.member.disk, true).unwrap();
    assert_eq!(findings.problems, Vec::<String>::new());
}

/// What comes of it late is refused like that of a stranger, and it makes no offence.
#[test]
fn nobody_takes_more_of_a_log_that_was_set_aside() {
    let Apart { mut circle, mut thief, .. } = write_apart();
    let space = circle.space;
    rotate(&mut circle);
    let late = thief.note(&space, "In ritardo");
    let before = circle.member.digests();
    let node = thief.id();
    for from in [0, 2] {
        let run = thief.replica.read_run(&thief.disk, &space, &node, from, 9_999);
        let run = run.unwrap().unwrap();
        for reader in [&mut circle.member, &mut circle.colleague] {
            let refused = reader.replica.admit_run(&reader.disk, run.clone());
            reader.commit();
            assert!(refused.is_err(), "{refused:?}");
        }
    }
    assert_eq!(circle.member.digests(), before);
    assert_eq!(titles(&circle, &late), [None, None, None]);
}

/// It was an honest machine: the words certify it once more, and what it wrote comes back.
#[test]
fn what_was_set_aside_counts_again_once_its_machine_is_certified() {
    let Apart { mut circle, record, .. } = write_apart();
    let space = circle.space;
    circle.member.rename(&space, record, "Corretta").unwrap();
    rotate(&mut circle);
    agree(&mut circle.member, &mut circle.colleague);
    circle.organisations[0].add_node(61);
    circle.member.learn(&circle.organisations[0]);
    agree(&mut circle.member, &mut circle.colleague);
    agree(&mut circle.member, &mut circle.owner);
    let corrected = || Some("Corretta".to_owned());
    assert_eq!(titles(&circle, &record), [corrected(), corrected(), corrected()]);
    assert!(circle.member.shows(&space) == circle.colleague.shows(&space));
}

/// As [`what_a_machine_wrote_that_a_rotation_sets_aside_parts_nobody`], of receipts.
#[test]
fn what_a_machine_confirmed_that_a_rotation_sets_aside_parts_nobody() {
    let Apart { mut circle, mut thief, .. } = write_apart();
    let space = circle.space;
    let erased = circle.owner.note(&space, "Da cancellare");
    circle.owner.erase(&space, &erased).unwrap();
    agree(&mut circle.owner, &mut circle.member);
    agree(&mut circle.member, &mut thief);
    let confirmed = circle.member.replica.certificates(&circle.member.disk, &space).unwrap();
    assert!(confirmed[0].confirmed.contains(&(thief.organisation(), thief.id())));
    rotate(&mut circle);
    agree(&mut circle.member, &mut circle.colleague);
    circle.member.restart();
    agree(&mut circle.owner, &mut circle.member);
}

/// The same machine certified by an organisation of the thief's own: of the two logs only one is
/// that of anybody.
#[test]
fn a_log_that_was_set_aside_makes_no_fork_with_that_of_another_organisation() {
    let Apart { mut circle, stolen, thief, .. } = write_apart();
    let space = circle.space;
    let mut other = Organisation::found(50);
    let credentials = other.add_node(61);
    assert_eq!(credentials.node_key.id(), thief.id());
    let mut readers = [&mut circle.owner, &mut circle.member, &mut circle.colleague];
    for node in &mut readers {
        node.learn(&other);
    }
    circle.owner.grant(&space, other.id(), Role::Contributor, History::Start).unwrap();
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut machine = Node::start(&credentials, &known);
    machine.learn(&other);
    circle.owner.give(&mut machine, &space);
    let record = machine.note(&space, "Di un'altra");
    rotate(&mut circle);
    machine.give(&mut circle.colleague, &space);
    agree(&mut circle.owner, &mut circle.colleague);
    agree(&mut circle.member, &mut circle.colleague);
    assert_eq!(circle.member.title(&space, &record).as_deref(), Some("Di un'altra"));
    assert_eq!(circle.agreed_title(&record).as_deref(), Some("Di un'altra"));
    assert!(!circle.member.replica.identity(&stolen.id()).unwrap().is_active(&thief.id()));
}

/// A space of a primary that only the stolen key named, a second machine of the owner and the
/// member that know it, and a record that the member wrote there.
struct Founded {
    circle: Circle,
    stolen: Organisation,
    second: Node,
    space: SpaceId,
    record: RecordId,
}

fn found_apart() -> Founded {
    let mut circle = Circle::of_contributors();
    let credentials = circle.organisations[0].add_node(11);
    for node in [&mut circle.owner, &mut circle.member, &mut circle.colleague] {
        node.learn(&circle.organisations[0]);
    }
    let mut stolen = circle.organisations[0].elsewhere();
    let machine = stolen.add_node(61);
    stolen.say(IdentityOperation::SetPrimary { node: machine.node_key.id() });
    let mut thief = start(&circle, &machine, &stolen);
    let mut second = start(&circle, &credentials, &stolen);
    let space = thief.create_space();
    for one in [circle.member.organisation(), circle.colleague.organisation()] {
        thief.grant(&space, one, Role::Contributor, History::Start).unwrap();
    }
    circle.member.learn(&stolen);
    agree(&mut thief, &mut circle.member);
    let record = circle.member.note(&space, "Del membro");
    agree(&mut thief, &mut circle.member);
    agree(&mut thief, &mut second);
    assert_eq!(second.title(&space, &record).as_deref(), Some("Del membro"));
    Founded { circle, stolen, second, space, record }
}

#[test]
fn a_space_of_who_is_set_aside_parts_no_two_machines_of_its_organisation() {
    let Founded { mut circle, stolen, mut second, space, record } = found_apart();
    let founder = stolen.identity.primary().unwrap().node;
    rotate(&mut circle);
    second.learn(&circle.organisations[0]);
    for _ in 0..2 {
        for node in [&mut second, &mut circle.member] {
            assert_eq!(node.replica.own_role(&space), None);
            assert_eq!(node.title(&space, &record).as_deref(), Some("Del membro"), "it is read");
            assert_eq!(node.try_note(&space, "Di più"), Err(ReplicaError::NotPermitted));
            let findings = node.replica.verify(&node.disk, true).unwrap();
            assert_eq!(findings.problems, Vec::<String>::new());
        }
        let founder = second.replica.exposure(&second.disk, &founder).unwrap();
        let waits = founder.iter().any(|one| one.space == space && one.safety == Safety::Waiting);
        assert!(!waits, "nobody makes a key for it any more");
        for (one, other) in
            [(&mut second, &mut circle.owner), (&mut circle.member, &mut circle.colleague)]
        {
            quiet(one, other);
            assert_eq!(other.replica.summary(&space), None);
        }
        quiet(&mut second, &mut circle.member);
        second.restart();
        circle.member.restart();
    }
    // Whoever is primary of the two neither writes its access log nor pays debts there.
    let mut primary = circle.organisations[0].elsewhere();
    primary.say(IdentityOperation::SetPrimary { node: second.id() });
    second.learn(&primary);
    let outsider = circle.outsider.organisation();
    let refused = second.grant(&space, outsider, Role::Reader, History::Start);
    assert_eq!(refused, Err(ReplicaError::NotPermitted));
    assert_eq!(second.try_rotate(&space), Err(ReplicaError::NotPermitted));
}

/// The thief's space was the organisation's directory, and its primary could share it with nobody.
#[test]
fn a_directory_of_who_is_set_aside_makes_room_for_another() {
    let Founded { mut circle, mut second, space, .. } = found_apart();
    second.act(|replica, _, _| replica.name_directory(&space)).unwrap();
    let named = |node: &Node| node.replica.directory(&node.disk).unwrap();
    assert_eq!(named(&second), Some(space));
    rotate(&mut circle);
    second.learn(&circle.organisations[0]);
    assert_eq!(named(&second), None, "nobody can be given it");
    let other = circle.space;
    second.act(|replica, disk, _| replica.admit_directory(disk, &other)).unwrap();
    second.restart();
    assert_eq!(named(&second), Some(other));
}

/// The words unite what was set aside by mistake, and the space is there for all its members.
#[test]
fn a_space_of_who_is_set_aside_comes_back_with_a_union() {
    let Founded { mut circle, stolen, mut second, space, record } = found_apart();
    rotate(&mut circle);
    second.learn(&circle.organisations[0]);
    let head = stolen.identity.position().head;
    let owner = circle.owner.id();
    for _ in 0..2 {
        circle.organisations[0].say(IdentityOperation::SetPrimary { node: owner });
    }
    let mut united = circle.organisations[0].elsewhere();
    united.hear(&stolen);
    united.say(IdentityOperation::Unite { heads: vec![head] });
    second.learn(&united);
    agree(&mut second, &mut circle.owner);
    quiet(&mut second, &mut circle.member);
    // Its keys are given by the owner's machines.
    quiet(&mut circle.owner, &mut circle.colleague);
    quiet(&mut circle.member, &mut circle.colleague);
    for node in [&circle.owner, &circle.member, &circle.colleague] {
        assert_eq!(node.title(&space, &record).as_deref(), Some("Del membro"));
        assert_eq!(node.replica.own_role(&space), Some(Role::Contributor));
    }
}

/// The removal of a lost machine was signed at one that the owner revoked and changed the root key
/// beside: only that machine said so.
#[test]
fn a_removal_that_a_rotation_set_aside_is_told_where_its_machine_connects() {
    let mut circle = Circle::of_contributors();
    let [second, lost] = [11, 12].map(|seed| circle.organisations[0].add_node(seed));
    let lost = lost.node_key.id();
    circle.owner.learn(&circle.organisations[0]);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut second = Node::start(&second, &known);
    let mut away = circle.organisations[0].elsewhere();
    away.say(IdentityOperation::RevokeNode { node: lost });
    second.learn(&away);
    circle.organisations[0].say(IdentityOperation::RevokeNode { node: second.id() });
    circle.organisations[0].rotate_root();
    circle.owner.learn(&circle.organisations[0]);
    let told = |node: &Node| node.replica.removed_aside().contains(&lost);
    assert!(!told(&circle.owner));
    let mut line = Line::open(&mut second, &mut circle.owner);
    line.run_sound();
    assert!(!line.closed.is_empty());
    // What it had sent before is still under way.
    line.closed.clear();
    line.run_sound();
    assert!(second.replica.is_revoked());
    circle.owner.restart();
    assert!(told(&circle.owner), "and it is not forgotten");
    let identity = circle.owner.replica.identity(&away.id()).unwrap();
    assert!(identity.is_active(&lost), "it counts for nothing by itself");
    circle.organisations[0].say(IdentityOperation::RevokeNode { node: lost });
    circle.owner.learn(&circle.organisations[0]);
    assert!(!told(&circle.owner));
}

/// A machine was admitted with the words at one place while the root key was changed at another:
/// nobody let it in any more, and nothing at it said why.
#[test]
fn a_machine_that_was_admitted_apart_from_a_change_of_the_key_is_told() {
    let Apart { mut circle, thief: mut machine, record, .. } = write_apart();
    assert!(!machine.replica.is_set_aside());
    rotate(&mut circle);
    circle.member.restart();
    let id = machine.id();
    assert!(circle.member.replica.revoked_nodes().any(|one| one == id), "it may come to be told");
    let mut line = Line::open(&mut machine, &mut circle.member);
    line.run_sound();
    assert!(!line.closed.is_empty(), "it is told, and nothing else");
    // What it had sent before is still under way.
    line.closed.clear();
    line.run_sound();
    assert!(machine.replica.is_set_aside());
    assert!(machine.replica.is_revoked(), "it signs nothing any more");
    // Whoever edits there is told so, and not that somebody revoked it.
    let space = circle.space;
    let refused = machine.rename(&space, record, "Qui soltanto");
    assert_eq!(refused.err(), Some(ReplicaError::SetAside));
    assert!(!circle.owner.replica.is_set_aside());
}

/// As [`agree`], of two that have not all spaces in common.
fn quiet(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    let in_sync = [sincronia_protocol::sync::SyncPhase::InSync; 2];
    assert_eq!((line.phases(), &line.closed), (in_sync, &Vec::new()));
}

/// What happens at a node.
#[derive(Clone, Debug)]
enum Happening {
    HearsOfThief,
    HearsOfRotation,
    Takes(Run),
}

proptest! {
    #![proptest_config(cases(24))]

    /// Whatever nodes hear of and in whatever order: once they know of the rotation they agree.
    #[test]
    fn in_any_order_nodes_agree_on_what_was_set_aside(
        orders in prop::array::uniform2(prop::collection::vec(any::<prop::sample::Index>(), 0..8)),
        certifies in any::<bool>(),
    ) {
        let Apart { mut circle, stolen, mut thief, record } = write_apart();
        let (space, node) = (circle.space, thief.id());
        let mut runs = Vec::new();
        for from in [0, 1] {
            let read = thief.replica.read_run(&thief.disk, &space, &node, from, 1);
            runs.push(read.unwrap().unwrap());
        }
        circle.organisations[0].rotate_root();
        let rotated = circle.organisations[0].elsewhere();
        let mut happenings = vec![Happening::HearsOfThief, Happening::HearsOfRotation];
        happenings.extend(runs.iter().cloned().map(Happening::Takes));
        let Circle { owner, colleague, member, .. } = &mut circle;
        for (reader, order) in [&mut *owner, &mut *colleague].into_iter().zip(&orders) {
            for index in order {
                match index.get(&happenings) {
                    Happening::HearsOfThief => reader.learn(&stolen),
                    Happening::HearsOfRotation => reader.learn(&rotated),
                    Happening::Takes(run) => drop(take(reader, run)),
                }
            }
        }
        let mut last = rotated.elsewhere();
        if certifies {
            last.add_node(61);
        }
        owner.learn(&last);
        agree(owner, colleague);
        agree(member, owner);
        agree(member, colleague);
        let expected = certifies.then(|| "Della ladra".to_owned());
        agree(owner, colleague);
        for reader in [owner, colleague, member] {
            prop_assert_eq!(reader.title(&space, &record), expected.clone());
        }
    }
}

/// The log was forked, too: of neither version could anything be told any more, and whoever had
/// kept the proof refused every erasure of the space, as if it came too early.
#[test]
fn a_fork_of_a_log_that_is_set_aside_keeps_nobody_from_erasing() {
    let Apart { mut circle, mut thief, record, .. } = write_apart();
    let space = circle.space;
    let mut twin = Node::start(&thief.credentials, &circle.organisations.each_ref());
    twin.disk = thief.disk.clone();
    twin.random = ChaCha20Rng::from_seed([9; 32]);
    twin.restart();
    let other = circle.owner.note(&space, "Da cancellare");
    agree(&mut circle.owner, &mut circle.member);
    thief.note(&space, "Una versione");
    twin.rename(&space, record, "L'altra").unwrap();
    for copy in [&mut thief, &mut twin] {
        let run = copy.replica.read_run(&copy.disk, &space, &copy.id(), 2, 9_999);
        hand(&mut circle.member, &run.unwrap().unwrap()).unwrap();
    }
    rotate(&mut circle);
    circle.owner.erase(&space, &other).unwrap();
    agree(&mut circle.owner, &mut circle.member);
    for node in [&mut circle.owner, &mut circle.member] {
        assert!(node.replica.is_erased(&node.disk, &space, &other).unwrap());
        assert_eq!(node.title(&space, &other), None);
        let found = node.replica.certificates(&node.disk, &space).unwrap();
        assert_eq!(found[0].confirmed.len(), 2);
    }
}
