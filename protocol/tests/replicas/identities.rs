//! Identity logs that were signed in two versions: by the words used at two machines that had not
//! heard of each other, or by an owner that tells each partner something else.

use super::circle::Circle;
use super::line::Line;
use super::organisation::{Node, Organisation};
use super::parcel::Parcel;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::replica::{Event, ReplicaError};
use sincronia_protocol::sync::{CloseReason, SyncPhase};

fn agree(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed), ([SyncPhase::InSync; 2], &vec![]));
}

fn knows(node: &Node, organisation: &Organisation, machine: NodeId) -> bool {
    let identity = node.replica.identity(&organisation.id()).unwrap();
    identity.is_active(&machine)
}

/// The owner's words used twice: each certifies another machine. Returns the two versions.
fn two_versions(circle: &Circle) -> [(Organisation, NodeId); 2] {
    [41, 42].map(|seed| {
        let mut version = circle.organisations[0].elsewhere();
        let machine = version.add_node(seed).node_key.id();
        (version, machine)
    })
}

/// Two partners that had been told different things showed each other as outstanding for ever, and
/// neither saw the proof.
#[test]
fn threat_24_partners_that_were_told_two_versions_of_an_identity_log_come_to_know_both() {
    let mut circle = Circle::of_contributors();
    let [(one, first), (other, second)] = two_versions(&circle);
    circle.member.learn(&one);
    circle.colleague.learn(&other);
    agree(&mut circle.member, &mut circle.colleague);
    for node in [&circle.member, &circle.colleague] {
        assert!(knows(node, &one, first) && knows(node, &one, second));
        assert!(node.replica.identity(&one.id()).unwrap().is_divided());
    }
    // Also the owner, that heard of neither, and whoever starts again.
    agree(&mut circle.owner, &mut circle.colleague);
    circle.owner.restart();
    assert!(knows(&circle.owner, &one, first) && knows(&circle.owner, &one, second));
    agree(&mut circle.owner, &mut circle.member);
}

#[test]
fn versions_of_different_lengths_and_three_of_them_come_to_be_known_too() {
    let mut circle = Circle::of_contributors();
    let [(mut one, first), (other, second)] = two_versions(&circle);
    let more = one.add_node(43).node_key.id();
    circle.member.learn(&one);
    circle.colleague.learn(&other);
    let mut third = circle.organisations[0].elsewhere();
    let revoked = circle.owner.id();
    third.say(IdentityOperation::RevokeNode { node: revoked });
    circle.colleague.learn(&third);
    agree(&mut circle.colleague, &mut circle.member);
    for node in [&circle.member, &circle.colleague] {
        let active = [first, second, more, revoked].map(|machine| knows(node, &one, machine));
        assert_eq!(active, [true, true, true, false]);
    }
}

#[test]
fn a_fork_is_told_once_to_whoever_runs_the_node() {
    let circle = Circle::of_contributors();
    let [(one, _), (other, _)] = two_versions(&circle);
    let mut member = circle.member;
    let mut told = |version: &Organisation| {
        member.replica.admit_identity(&member.disk, &version.entries).unwrap();
        let events = member.replica.take_events();
        events.contains(&Event::Divided { organisation: version.id() })
    };
    assert_eq!([told(&one), told(&other), told(&one)], [false, true, false]);
}

/// One machine of an office was revoked with the words at another, while at the first the words
/// certified a third: the two met, and the first never learnt that it was revoked.
#[test]
fn a_machine_that_was_revoked_beside_what_it_said_itself_learns_it() {
    for of_partner in [false, true] {
        let mut circle = Circle::of_contributors();
        let credentials = circle.organisations[0].add_node(11);
        for node in [&mut circle.owner, &mut circle.member] {
            node.learn(&circle.organisations[0]);
        }
        let known: Vec<_> = circle.organisations.iter().collect();
        let mut lost = Node::start(&credentials, &known);
        let mut at_home = circle.organisations[0].elsewhere();
        at_home.say(IdentityOperation::RevokeNode { node: lost.id() });
        let mut away = circle.organisations[0].elsewhere();
        let added = away.add_node(12).node_key.id();
        circle.owner.learn(&at_home);
        circle.member.learn(&at_home);
        lost.learn(&away);
        let other = if of_partner { &mut circle.member } else { &mut circle.owner };
        let mut line = Line::open(&mut lost, other);
        line.run_sound();
        let revoked = [CloseReason::NotCertified, CloseReason::Revoked];
        assert!(!line.closed.is_empty() && line.closed.iter().all(|one| revoked.contains(one)));
        line.closed.clear();
        line.run_sound();
        assert!(lost.replica.is_revoked(), "of a partner: {of_partner}");
        assert!(knows(&lost, &away, added));
        let outcome = lost.replica.create_space(&lost.disk, &mut lost.random);
        assert!(matches!(outcome, Err(ReplicaError::Revoked)));
    }
}

/// A machine to which another may have handed the keys was added and revoked on one branch, before
/// the place up to which everything had been seen to on the other.
#[test]
fn a_machine_that_another_version_revokes_is_cut_from_the_spaces() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut one = circle.organisations[1].elsewhere();
    for seed in 41..44 {
        one.add_node(seed);
    }
    circle.owner.learn(&one);
    let id = one.id();
    circle.owner.act(|replica, disk, random| replica.maintain(disk, &id, random)).unwrap();
    let mut other = circle.organisations[1].elsewhere();
    let lost = other.add_node(51).node_key.id();
    other.say(IdentityOperation::RevokeNode { node: lost });
    circle.owner.learn(&other);
    assert!(circle.owner.replica.maintenance_due().contains(&id));
    circle.owner.act(|replica, disk, random| replica.maintain(disk, &id, random)).unwrap();
    let cut = circle.owner.access_log(&space);
    let cut = cut.last().map(|entry| entry.statement.operation.clone());
    let names = matches!(&cut, Some(sincronia_protocol::access::AccessOperation::CutNode {
        cut, .. }) if cut.node == lost);
    assert!(names, "{cut:?}");
}

/// Two machines were each made primary, and each admitted somebody: that is a contradiction like
/// any other, and the next primary ends it.
#[test]
fn two_primaries_of_two_versions_contradict_each_other_until_the_owner_names_one() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let credentials = circle.organisations[0].add_node(11);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut second = Node::start(&credentials, &known);
    circle.owner.learn(&circle.organisations[0]);
    agree(&mut circle.owner, &mut second);
    let [mut one, mut other] = [(); 2].map(|()| circle.organisations[0].elsewhere());
    one.say(IdentityOperation::SetPrimary { node: circle.owner.id() });
    other.say(IdentityOperation::SetPrimary { node: second.id() });
    circle.owner.learn(&one);
    second.learn(&other);
    let (member, colleague) = (circle.member.organisation(), circle.colleague.organisation());
    circle.owner.revoke(&space, member).unwrap();
    second.revoke(&space, colleague).unwrap();
    agree(&mut circle.owner, &mut second);
    let role = |node: &mut Node, organisation| {
        let summary = node.replica.summary(&space).unwrap();
        summary.role(&organisation)
    };
    for node in [&mut circle.owner, &mut second] {
        assert_eq!((role(node, member), role(node, colleague)), (None, None));
    }
    // The words once more: one of them goes on, and everything that holds is said again there.
    let mut healed = circle.organisations[0].elsewhere();
    healed.hear(&one);
    healed.hear(&other);
    healed.say(IdentityOperation::SetPrimary { node: second.id() });
    second.learn(&healed);
    let outsider = circle.outsider.organisation();
    second.grant(&space, outsider, Role::Reader, History::Start).unwrap();
    agree(&mut circle.owner, &mut second);
    for node in [&mut circle.owner, &mut second] {
        assert_eq!(role(node, outsider), Some(Role::Reader));
        assert!(role(node, member).is_some() != role(node, colleague).is_some());
    }
}

#[test]
fn both_versions_travel_in_bundles() {
    let mut circle = Circle::of_contributors();
    let [(one, first), (other, second)] = two_versions(&circle);
    circle.member.learn(&one);
    circle.colleague.learn(&other);
    let (member, colleague) = (circle.member.organisation(), circle.colleague.organisation());
    for _ in 0..2 {
        let bundle = circle.member.bundle(colleague);
        circle.colleague.read(&bundle);
        let answer = circle.colleague.bundle(member);
        circle.member.read(&answer);
    }
    for node in [&circle.member, &circle.colleague] {
        assert!(knows(node, &one, first) && knows(node, &one, second));
    }
}

/// Whoever took a root key named a machine of his primary, and it was heard before the rotation
/// that set it aside: those who had heard it kept what it wrote, and parted from all others.
#[test]
fn what_a_primary_wrote_that_a_rotation_sets_aside_is_forgotten_and_all_agree() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut stolen = circle.organisations[0].elsewhere();
    for seed in 51..54 {
        stolen.add_node(seed);
    }
    let credentials = stolen.add_node(61);
    stolen.say(IdentityOperation::SetPrimary { node: credentials.node_key.id() });
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut thief = Node::start(&credentials, &known);
    thief.learn(&stolen);
    circle.owner.give(&mut thief, &space);
    let (member, outsider) = (circle.member.organisation(), circle.outsider.organisation());
    thief.grant(&space, outsider, Role::Carrier, History::Start).unwrap();
    circle.member.learn(&stolen);
    thief.give(&mut circle.member, &space);
    let role = |node: &Node| node.replica.summary(&space).unwrap().role(&outsider);
    assert_eq!(role(&circle.member), Some(Role::Carrier), "it counted when it came");
    circle.organisations[0].rotate_root();
    for node in [&mut circle.owner, &mut circle.member, &mut circle.colleague] {
        node.learn(&circle.organisations[0]);
    }
    circle.member.restart();
    assert!(!knows(&circle.member, &stolen, thief.id()));
    thief.act(|replica, disk, _| replica.offer(disk, &space, member)).unwrap();
    let entries = thief.access_log(&space);
    let late = Parcel::Access { space, entries, is_complete: true };
    for node in [&mut circle.member, &mut circle.colleague] {
        let taken = node.take(&late);
        assert!(taken.is_err(), "{taken:?}");
    }
    for node in [&circle.member, &circle.colleague] {
        assert_eq!(role(node), None, "and what it had said is forgotten");
    }
    agree(&mut circle.member, &mut circle.colleague);
    agree(&mut circle.owner, &mut circle.member);
}

/// A machine that the other version certified can be revoked and be made primary once the two are
/// united; until then the words at one machine know nothing of it.
#[test]
fn what_was_united_is_said_on_as_one() {
    let circle = Circle::of_contributors();
    let [(one, first), (other, second)] = two_versions(&circle);
    let mut words = one.elsewhere();
    words.hear(&other);
    let heads = words.identity.divided().collect();
    words.say(IdentityOperation::Unite { heads });
    words.say(IdentityOperation::RevokeNode { node: first });
    words.say(IdentityOperation::SetPrimary { node: second });
    words.rotate_root();
    let (mut member, mut colleague) = (circle.member, circle.colleague);
    member.learn(&words);
    colleague.learn(&other);
    agree(&mut member, &mut colleague);
    colleague.restart();
    for node in [&member, &colleague] {
        assert!(!knows(node, &words, first) && knows(node, &words, second));
        let identity = node.replica.identity(&words.id()).unwrap();
        assert!(!identity.is_divided());
        assert_eq!(identity.primary().unwrap().node, second);
    }
}
