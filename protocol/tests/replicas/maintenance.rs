//! Nodes come and go: their organisation says so once, the owners of spaces do the rest.

use super::circle::Circle;
use super::organisation::Node;
use sincronia_protocol::access::{AccessEntry, AccessOperation};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::NodeId;

/// The owner takes note of an organisation's new identity entries and does what became due.
fn owner_maintains(circle: &mut Circle, organisation: usize) {
    let Circle { organisations, owner, .. } = circle;
    owner.learn(&organisations[organisation]);
    let id = organisations[organisation].id();
    owner.act(|replica, disk, random| replica.maintain(disk, &id, random)).unwrap();
}

fn last_operation(circle: &mut Circle) -> AccessOperation {
    let log = circle.owner.access_log(&circle.space);
    log.last().unwrap().statement.operation.clone()
}

fn recipients_after(log: &[AccessEntry], from: u64) -> Vec<NodeId> {
    let later = log.iter().filter(|entry| entry.statement.sequence >= from);
    later.flat_map(|entry| entry.statement.operation.recipients()).map(|one| one.node).collect()
}

#[test]
fn a_members_new_node_gets_the_keys_and_reads_all_of_the_past() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.member.note(&space, "della prima macchina");
    circle.settle();
    let credentials = circle.organisations[1].add_node(12);
    owner_maintains(&mut circle, 1);
    assert!(matches!(last_operation(&mut circle), AccessOperation::Rotate { .. }));

    let known: Vec<_> = circle.organisations.iter().collect();
    let mut second = Node::start(&credentials, &known);
    circle.owner.give(&mut second, &space);
    assert_eq!(second.title(&space, &record).as_deref(), Some("della prima macchina"));
    circle.colleague.learn(&circle.organisations[1]);
    let other = second.note(&space, "della seconda macchina");
    second.give(&mut circle.owner, &space);
    circle.settle();
    assert_eq!(circle.agreed_title(&other).as_deref(), Some("della seconda macchina"));
}

#[test]
fn a_revoked_node_is_cut_and_gets_no_further_key() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let kept = circle.member.note(&space, "prima del furto");
    circle.settle();
    circle.organisations[1].add_node(12);
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: circle.member.id() });
    let from = circle.owner.access_log(&space).len() as u64;
    owner_maintains(&mut circle, 1);
    circle.owner.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();

    let log = circle.owner.access_log(&space);
    let stolen = circle.member.id();
    let is_cut = |entry: &AccessEntry| {
        matches!(&entry.statement.operation,
            AccessOperation::CutNode { cut, .. } if cut.node == stolen && cut.length == 1)
    };
    assert!(log.iter().any(is_cut), "{log:?}");
    let recipients = recipients_after(&log, from);
    assert!(!recipients.contains(&stolen), "the stolen machine got a key");
    assert!(!recipients.is_empty());

    // The thief goes on writing; nothing of that counts, all before does.
    let late = circle.member.note(&space, "scritta dal ladro");
    circle.member.give(&mut circle.owner, &space);
    assert_eq!(circle.owner.title(&space, &late), None);
    assert_eq!(circle.owner.title(&space, &kept).as_deref(), Some("prima del furto"));
    assert_eq!(circle.quarantine().len(), 1);
}

#[test]
fn maintenance_with_nothing_due_writes_nothing() {
    let mut circle = Circle::of_contributors();
    let before = circle.owner.digests();
    owner_maintains(&mut circle, 1);
    owner_maintains(&mut circle, 0);
    assert_eq!(circle.owner.digests(), before);
}

#[test]
fn an_owners_second_node_reads_but_does_not_write_the_access_log() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "dal capoluogo");
    let credentials = circle.organisations[0].add_node(11);
    owner_maintains(&mut circle, 0);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut second = Node::start(&credentials, &known);
    circle.owner.give(&mut second, &space);
    assert_eq!(second.title(&space, &record).as_deref(), Some("dal capoluogo"));
    second.note(&space, "dalla sede distaccata");
    let member = circle.member.organisation();
    let refused = second.revoke(&space, member);
    let primary = Some(circle.owner.id());
    assert_eq!(refused, Err(sincronia_protocol::replica::ReplicaError::NotPrimary(primary)));
}
