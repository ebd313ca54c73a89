//! Rules of which each keeps one thing out: whoever leaves one away finds its test here.

use super::adversary::new_practice;
use super::circle::Circle;
use super::forging;
use super::organisation::{Node, Organisation};
use super::parcel::Parcel;
use sincronia_protocol::access::{
    Access, AccessEntry, AccessError, AccessOperation, AccessStatement, Cut, History, Recipient,
    Role, Rotation,
};
use sincronia_protocol::crypto::{EpochKey, NodeKey, Secret};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{EntryHash, NodeId};
use sincronia_protocol::replica::{QuarantineReason, ReplicaError};
use std::collections::BTreeSet;

/// What would come next in the access log that a node has, signed by whoever has the key.
fn next(node: &mut Node, key: &NodeKey, term: u64, operation: AccessOperation) -> AccessEntry {
    let space = *node.replica.summaries().next().expect("a space").0;
    let last = node.access_log(&space).last().expect("a log").statement.clone();
    let (sequence, previous) = (last.sequence + 1, last.hash());
    AccessStatement { sequence, previous, author: key.id(), term, operation, ..last }.sign(key)
}

/// What the colleague makes of an operation that the owner's program would not write.
fn refusal(circle: &mut Circle, operation: AccessOperation) -> Option<ReplicaError> {
    let key = circle.owner.credentials.node_key.clone();
    let term = circle.organisations[0].identity.primary().unwrap().term;
    let entry = next(&mut circle.colleague, &key, term, operation);
    offer(circle, entry)
}

fn offer(circle: &mut Circle, entry: AccessEntry) -> Option<ReplicaError> {
    let before = circle.colleague.digests();
    let parcel = Parcel::Access { space: circle.space, entries: vec![entry], is_complete: true };
    let outcome = circle.colleague.take(&parcel).err();
    assert_eq!(circle.colleague.digests() == before, outcome.is_some());
    outcome
}

fn rotation(circle: &mut Circle, recipients: Vec<NodeId>) -> Rotation {
    let log = circle.colleague.access_log(&circle.space);
    let epoch = log.iter().filter(|one| one.statement.operation.rotation().is_some()).count();
    let epoch = epoch as u64;
    let key = EpochKey::from_secret(Secret::from_bytes([3; 32]));
    let commitment = key.commitment(circle.space.as_bytes(), epoch);
    let recipients = recipients.into_iter().map(sealed_to).collect();
    Rotation { epoch, commitment, previous: None, recipients }
}

const fn sealed_to(node: NodeId) -> Recipient {
    Recipient { node, sealed: [2; 32] }
}

const fn cut(node: NodeId) -> Cut {
    Cut { node, length: 0, head: EntryHash::ZERO }
}

/// Member and colleague contribute, and the outsider's machine was cut before it came.
fn scene() -> (Circle, NodeId) {
    let mut circle = Circle::of_contributors();
    let (space, gone) = (circle.space, circle.outsider.id());
    circle.owner.act(|replica, disk, random| replica.cut_node(disk, &space, gone, random)).unwrap();
    circle.settle();
    (circle, gone)
}

#[test]
fn an_access_operation_that_makes_no_sense_at_its_place_is_refused() {
    let (mut circle, gone) = scene();
    let [owner, member, outsider] =
        [&circle.owner, &circle.member, &circle.outsider].map(Node::organisation);
    let machine = circle.member.id();
    let fresh = rotation(&mut circle, vec![machine]);
    let to = |nodes: &[NodeId]| Rotation {
        recipients: nodes.iter().copied().map(sealed_to).collect(),
        ..fresh.clone()
    };
    let grant = |organisation, role, history, recipients: &[NodeId], rotation| {
        let recipients = recipients.iter().copied().map(sealed_to).collect();
        AccessOperation::Grant { organisation, role, history, recipients, rotation }
    };
    let revoke = |organisation, cuts| AccessOperation::Revoke {
        organisation,
        cuts,
        rotation: fresh.clone(),
    };
    let (reader, carrier) = (Role::Reader, Role::Carrier);
    let senseless = [
        grant(owner, Role::Contributor, History::Start, &[], None),
        grant(member, reader, History::Start, &[], None),
        grant(member, Role::Contributor, History::Start, &[], None),
        grant(outsider, carrier, History::Start, &[machine], None),
        grant(outsider, carrier, History::Start, &[], Some(fresh.clone())),
        grant(outsider, reader, History::Start, &[], Some(fresh.clone())),
        grant(outsider, reader, History::Now, &[], None),
        grant(outsider, reader, History::Now, &[machine], Some(to(&[]))),
        grant(outsider, reader, History::Start, &[gone], None),
        revoke(owner, Vec::new()),
        revoke(outsider, Vec::new()),
        revoke(member, vec![cut(machine), cut(machine)]),
        AccessOperation::CutNode { cut: cut(gone), rotation: fresh.clone() },
        AccessOperation::Rotate { rotation: to(&[gone]) },
        AccessOperation::Rotate { rotation: to(&[machine, machine]) },
        AccessOperation::Rotate { rotation: Rotation { epoch: fresh.epoch + 1, ..to(&[]) } },
        AccessOperation::Offer { organisation: owner },
        AccessOperation::Offer { organisation: outsider },
    ];
    for operation in senseless {
        let refused = refusal(&mut circle, operation.clone());
        assert_eq!(refused, Some(AccessError::Operation.into()), "{operation:?}");
    }
    assert_eq!(refusal(&mut circle, AccessOperation::Rotate { rotation: fresh }), None);
}

#[test]
fn a_space_is_taken_by_whom_it_was_offered_to_last_and_once() {
    let (mut circle, _) = scene();
    let space = circle.space;
    let member = circle.member.organisation();
    let take = |circle: &mut Circle| {
        let key = circle.member.credentials.node_key.clone();
        let term = circle.organisations[1].identity.primary().unwrap().term;
        let operation = AccessOperation::Take { organisation: member };
        let entry = next(&mut circle.colleague, &key, term, operation);
        offer(circle, entry)
    };
    let refused = Some(AccessError::Operation.into());
    assert_eq!(take(&mut circle), refused, "it was not offered");
    for organisation in [member, circle.colleague.organisation()] {
        circle.owner.act(|replica, disk, _| replica.offer(disk, &space, organisation)).unwrap();
    }
    circle.settle();
    assert_eq!(take(&mut circle), refused, "it was offered to another since");
    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, member)).unwrap();
    circle.owner.revoke(&space, member).unwrap();
    circle.settle();
    assert_eq!(take(&mut circle), refused, "it was removed since");
    circle.owner.grant(&space, member, Role::Contributor, History::Start).unwrap();
    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, member)).unwrap();
    circle.settle();
    assert_eq!(take(&mut circle), None);
    assert_eq!(take(&mut circle), refused, "it was taken");
}

#[test]
fn a_creation_wraps_no_key_of_before() {
    let (owner, credentials) = Organisation::with_node(1);
    let key = EpochKey::from_secret(Secret::from_bytes([1; 32]));
    let space = AccessEntry::space_id(&owner.id(), &[7; 16]);
    let term = owner.identity.primary().unwrap().term;
    let begin = |previous| {
        let commitment = key.commitment(space.as_bytes(), 0);
        let rotation = Rotation { epoch: 0, commitment, previous, recipients: Vec::new() };
        let node = credentials.node_key.id();
        let statement = Access::draft_creation(owner.id(), [7; 16], node, term, rotation);
        Access::begin(&statement.sign(&credentials.node_key), &owner.identities()).map(drop)
    };
    assert_eq!(begin(None), Ok(()));
    assert_eq!(begin(Some(vec![0; 48])), Err(AccessError::Operation));
}

#[test]
fn whoever_was_primary_before_writes_nothing_after_whoever_is_now() {
    let (mut circle, _) = scene();
    let old = circle.organisations[0].identity.primary().unwrap().term;
    let second = circle.organisations[0].add_node(11);
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: second.node_key.id() });
    circle.colleague.learn(&circle.organisations[0]);
    let term = circle.organisations[0].identity.primary().unwrap().term;
    let fresh = rotation(&mut circle, Vec::new());
    let operation = AccessOperation::Rotate { rotation: fresh };
    let entry = next(&mut circle.colleague, &second.node_key, term, operation);
    assert_eq!(offer(&mut circle, entry), None);
    let operation = AccessOperation::Rotate { rotation: rotation(&mut circle, Vec::new()) };
    let key = circle.owner.credentials.node_key.clone();
    let entry = next(&mut circle.colleague, &key, old, operation);
    assert_eq!(offer(&mut circle, entry), Some(AccessError::Signer.into()));
}

/// Written between a removal and the next grant, it lies in neither membership.
#[test]
fn an_entry_that_has_not_seen_its_authors_grant_does_not_count() {
    let mut circle = Circle::of_contributors();
    circle.remove_member();
    let removed = circle.owner.access_log(&circle.space).len();
    circle.admit_and_forget();
    circle.admit(circle.member.organisation(), Role::Contributor);
    let member = circle.member.credentials.clone();
    // It has the keys of the gap now, since it was admitted from the start.
    let mut forger = forging::forger(&mut circle, &member, removed + 1, 1);
    let grant = circle.owner.access_log(&circle.space).len() as u64 - 1;
    let entry = new_practice(&member, grant, "del tempo fra le due");
    let run = forger.sign(&entry);
    forging::take(&mut circle.owner, &run).unwrap();
    assert_eq!(circle.owner.title(&circle.space, &entry.record), None);
    assert_eq!(circle.quarantine(), [(member.node_key.id(), 0, QuarantineReason::Unauthorised)]);
}

#[test]
fn a_former_member_is_told_of_its_own_logs_and_a_member_given_its_own_keyrings() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "di chi sarà rimosso");
    circle.colleague.note(&space, "di un altro");
    circle.owner.note(&space, "del titolare");
    circle.settle();
    let [member, colleague] = [&circle.member, &circle.colleague].map(Node::organisation);
    let (replica, disk) = (&mut circle.owner.replica, &circle.owner.disk);
    let others: BTreeSet<_> = replica.keyrings_since(disk, &colleague, &space, 0).unwrap();
    assert_eq!(others.len(), 1);
    assert!(replica.sealed_for(disk, &member, &space, &others).unwrap().is_empty());
    circle.remove_member();
    let (replica, disk) = (&mut circle.owner.replica, &circle.owner.disk);
    let heads = replica.heads_for(disk, &member, &space).unwrap().unwrap();
    let told: Vec<_> = heads.authors.iter().map(|(author, _)| *author).collect();
    assert_eq!((heads.is_farewell, told), (true, vec![circle.member.id()]));
}

#[test]
fn a_node_that_was_cut_or_whose_log_was_forked_writes_nothing_after_a_start_either() {
    let mut circle = Circle::of_contributors();
    let (space, node) = (circle.space, circle.member.id());
    let mut twin = circle.twin_of_member();
    circle.member.note(&space, "dell'una");
    twin.note(&space, "dell'altra");
    circle.member.give(&mut circle.owner, &space);
    twin.give(&mut circle.owner, &space);
    twin.give(&mut circle.member, &space);
    circle.member.restart();
    assert!(!circle.member.replica.is_cloned());
    assert_eq!(circle.member.try_note(&space, "ancora"), Err(ReplicaError::Cloned));

    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.owner.act(|replica, disk, random| replica.cut_node(disk, &space, node, random)).unwrap();
    circle.owner.give(&mut circle.member, &space);
    assert_eq!(circle.member.try_note(&space, "ancora"), Err(ReplicaError::NotPermitted));
}
