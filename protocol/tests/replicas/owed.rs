//! What an owner owes in spaces that it did not own, or did not know, when a machine was revoked.

use super::adversary::{Forger, access_points, keys_within_reach, last_grant, new_practice};
use super::circle::Circle;
use super::forging;
use super::line::Line;
use super::organisation::Node;
use sincronia_protocol::access::{AccessOperation, History, Role};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, RecordId, SpaceId};
use sincronia_protocol::log::{LogPosition, Run};
use sincronia_protocol::replica::{Credentials, QuarantineReason, ReplicaError, Safety};
use sincronia_protocol::storage::Table;
use sincronia_protocol::sync::SyncPhase;

/// They talk, and end with the same.
fn agree(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed), ([SyncPhase::InSync; 2], &Vec::new()));
}

/// Pays everything that is due, as a node does after each commit.
fn pay(node: &mut Node) {
    for organisation in node.replica.maintenance_due() {
        node.act(|replica, disk, random| replica.maintain(disk, &organisation, random)).unwrap();
    }
}

fn cuts(node: &mut Node, space: &SpaceId) -> Vec<NodeId> {
    let log = node.access_log(space).into_iter();
    log.filter_map(|entry| match entry.statement.operation {
        AccessOperation::CutNode { cut, .. } => Some(cut.node),
        _ => None,
    })
    .collect()
}

/// Everybody takes note of what an organisation says of its nodes.
fn hear(circle: &mut Circle, organisation: usize) {
    let Circle { organisations, owner, member, colleague, outsider, .. } = circle;
    for node in [owner, member, colleague, outsider] {
        node.learn(&organisations[organisation]);
    }
}

/// The lost machine had founded a space that only a member has heard of. The next primary met it
/// when its debts were paid, and never cut the machine there: it kept the key.
#[test]
fn a_space_that_only_the_lost_machine_knew_gets_its_cut_when_it_is_met() {
    let mut circle = Circle::of_contributors();
    let second = circle.organisations[0].add_node(11);
    hear(&mut circle, 0);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut second = Node::start(&second, &known);
    agree(&mut circle.owner, &mut second);
    let later = circle.owner.create_space();
    let member = circle.member.organisation();
    circle.owner.grant(&later, member, Role::Contributor, History::Start).unwrap();
    circle.owner.give(&mut circle.member, &later);

    let lost = circle.owner.id();
    circle.organisations[0].say(IdentityOperation::RevokeNode { node: lost });
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: second.id() });
    second.learn(&circle.organisations[0]);
    circle.member.learn(&circle.organisations[0]);
    pay(&mut second);
    assert_eq!(cuts(&mut second, &circle.space), [lost]);
    agree(&mut second, &mut circle.member);
    pay(&mut second);
    // The key is with the member, which gives it back.
    agree(&mut second, &mut circle.member);
    pay(&mut second);
    assert_eq!(cuts(&mut second, &later), [lost]);
    assert!(second.replica.maintenance_due().is_empty());
    let report = second.replica.exposure(&second.disk, &lost).unwrap();
    let named: Vec<_> = report.iter().map(|one| (one.space, one.safety)).collect();
    assert!(named.contains(&(later, Safety::Rotated)), "{named:?}");
}

#[test]
fn what_cannot_be_paid_for_want_of_a_key_stays_owed() {
    let mut circle = Circle::of_contributors();
    let second = circle.organisations[0].add_node(11);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut second = Node::start(&second, &known);
    let (space, lost, own) = (circle.space, circle.owner.id(), circle.owner.organisation());
    let log = circle.owner.access_log(&space);
    second.act(|replica, disk, _| replica.admit_access(disk, &space, &log, true)).unwrap();
    circle.organisations[0].say(IdentityOperation::RevokeNode { node: lost });
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: second.id() });
    second.learn(&circle.organisations[0]);
    let paid = second.replica.maintain(&second.disk, &own, &mut second.random);
    assert_eq!(paid, Err(ReplicaError::KeyMissing));
    second.commit();
    second.restart();
    assert!(second.replica.maintenance_due().contains(&own));
    assert_eq!(cuts(&mut second, &space), []);
}

/// A machine of a party was lost while a space passed to another owner. The new one had heard of it
/// when the space was none of its own, and the old one never.
#[test]
fn who_takes_a_space_over_takes_over_what_is_owed_in_it() {
    let mut circle = Circle::of_contributors();
    let (space, successor) = (circle.space, circle.member.organisation());
    circle.settle();
    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, successor)).unwrap();
    circle.owner.give(&mut circle.member, &space);
    circle.organisations[2].add_node(13);
    let lost = circle.colleague.id();
    circle.organisations[2].say(IdentityOperation::RevokeNode { node: lost });
    circle.member.learn(&circle.organisations[2]);
    pay(&mut circle.member);
    circle.member.act(|replica, disk, _| replica.take_over(disk, &space)).unwrap();
    pay(&mut circle.member);
    assert_eq!(cuts(&mut circle.member, &space), [lost]);
}

/// A party was removed, lost a machine, and was taken back. What it had said of the machine when it
/// was no member had nothing cut: the machine kept its place among those that write for the party.
#[test]
fn who_is_taken_back_comes_without_the_machines_that_were_lost_meanwhile() {
    let mut circle = Circle::of_contributors();
    let (space, party) = (circle.space, circle.member.organisation());
    circle.settle();
    circle.owner.revoke(&space, party).unwrap();
    circle.organisations[1].add_node(13);
    let lost = circle.member.id();
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: lost });
    circle.owner.learn(&circle.organisations[1]);
    pay(&mut circle.owner);
    assert_eq!(cuts(&mut circle.owner, &space), []);
    circle.owner.grant(&space, party, Role::Contributor, History::Now).unwrap();
    pay(&mut circle.owner);
    assert_eq!(cuts(&mut circle.owner, &space), [lost]);
}

/// Who had stolen a party's root key took a space over that was offered to it. While it was none of
/// the owner's, a machine of another party was lost. A rotation gave the owner its space back, and
/// the machine kept the key.
#[test]
fn who_gets_a_space_back_from_a_thief_pays_what_came_due_meanwhile() {
    let mut circle = Circle::of_contributors();
    let (space, robbed) = (circle.space, circle.member.organisation());
    circle.settle();
    let mut stolen = circle.organisations[1].elsewhere();
    let machine = stolen.add_node(61);
    stolen.say(IdentityOperation::SetPrimary { node: machine.node_key.id() });
    circle.owner.learn(&stolen);
    pay(&mut circle.owner);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut thief = Node::start(&machine, &known);
    thief.learn(&stolen);
    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, robbed)).unwrap();
    agree(&mut circle.owner, &mut thief);
    thief.act(|replica, disk, _| replica.take_over(disk, &space)).unwrap();
    agree(&mut circle.owner, &mut thief);
    assert_eq!(circle.owner.replica.summary(&space).unwrap().owner, robbed);
    circle.organisations[2].add_node(13);
    let lost = circle.colleague.id();
    circle.organisations[2].say(IdentityOperation::RevokeNode { node: lost });
    circle.owner.learn(&circle.organisations[2]);
    pay(&mut circle.owner);
    circle.organisations[1].rotate_root();
    circle.owner.learn(&circle.organisations[1]);
    let own = circle.owner.organisation();
    assert_eq!(circle.owner.replica.summary(&space).unwrap().owner, own);
    pay(&mut circle.owner);
    assert!(cuts(&mut circle.owner, &space).contains(&lost));
}

/// A machine that was revoked long before its organisation was admitted was cut nowhere. With the
/// help of a member that has the keys, its finder wrote in the organisation's name.
#[test]
fn threat_19_a_machine_revoked_before_the_space_was_there_writes_nothing_that_counts() {
    let mut circle = Circle::new();
    let machine = circle.organisations[1].add_node(12);
    hear(&mut circle, 1);
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: machine.node_key.id() });
    hear(&mut circle, 1);
    pay(&mut circle.owner);
    for organisation in [circle.member.organisation(), circle.colleague.organisation()] {
        circle.admit(organisation, Role::Contributor);
    }
    pay(&mut circle.owner);
    circle.settle();
    let (run, record) = with_the_keys_of_a_friend(&mut circle, &machine);
    forging::take(&mut circle.colleague, &run).unwrap();
    assert_eq!(forging::take(&mut circle.owner, &run), Err(ReplicaError::NotPermitted));
    pay(&mut circle.owner);
    circle.settle();
    assert_eq!(circle.agreed_title(&record), None);
    let machine = machine.node_key.id();
    assert_eq!(circle.quarantine(), [(machine, 0, QuarantineReason::Late)]);
}

/// What whoever has the machine writes, who was given the keys that the colleague has.
fn with_the_keys_of_a_friend(circle: &mut Circle, machine: &Credentials) -> (Run, RecordId) {
    let access = circle.owner.access_log(&circle.space);
    let keyrings: Vec<_> =
        circle.owner.disk.values(Table::Sealed).map(|(_, sealed)| sealed.to_vec()).collect();
    let friend = circle.colleague.credentials.clone();
    let keys = keys_within_reach(&friend, &circle.space, &access, &keyrings);
    let (epoch, key) = keys.last_key_value().unwrap();
    let node = machine.node_key.id();
    let mut forger = Forger {
        space: circle.space,
        key: machine.node_key.clone(),
        position: LogPosition::origin(&circle.space, &node, &machine.organisation),
        access: *access_points(&access).last().unwrap(),
        epoch: (*epoch, key.clone()),
    };
    let grant = last_grant(&access, machine);
    let entry = new_practice(machine, grant, "di chi l'ha trovata");
    (forger.sign(&entry), entry.record)
}
