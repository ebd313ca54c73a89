//! Receipts for erasures, and the certificate that they make.

use super::branches::copy_of;
use super::circle::Circle;
use super::erasure::Canaries;
use super::line::Line;
use super::organisation::{Node, Organisation};
use sincronia_protocol::access::{Confirmation, Receipt};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::NodeKey;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, RecordId, SpaceId};
use sincronia_protocol::replica::{Certificate, ReplicaError};
use sincronia_protocol::storage::{Batch, Storage, Table};
use std::collections::BTreeSet;

fn certificate(node: &mut Node, space: &SpaceId, record: &RecordId) -> Certificate {
    let certificates = node.replica.certificates(&node.disk, space).expect("a space");
    certificates.into_iter().find(|one| one.record == *record).expect("an erased record")
}

fn nodes(seats: &[(sincronia_protocol::ids::OrganisationId, NodeId)]) -> BTreeSet<NodeId> {
    seats.iter().map(|(_, node)| *node).collect()
}

fn receipt_of(node: &Node, space: &SpaceId) -> Receipt {
    let own = BTreeSet::from([node.id()]);
    node.replica.receipts(&node.disk, space, &own).expect("a readable disk").remove(0)
}

fn admit(node: &mut Node, space: &SpaceId, receipt: &Receipt) -> Result<bool, ReplicaError> {
    let receipts = std::slice::from_ref(receipt);
    node.act(|replica, disk, _| replica.admit_receipts(disk, space, receipts))
}

fn erased() -> (Circle, RecordId) {
    let mut circle = Circle::with_carrier();
    let record = circle.owner.note(&circle.space.clone(), "da dimenticare");
    circle.meet();
    circle.owner.erase(&circle.space.clone(), &record).expect("the owner");
    (circle, record)
}

#[test]
fn the_certificate_names_who_confirmed_and_who_has_not_yet() {
    let (mut circle, record) = erased();
    let space = circle.space;
    let all = circle.everybody().map(|node| node.id());
    let [owner, member, colleague, carrier] = all;
    let found = certificate(&mut circle.owner, &space, &record);
    assert_eq!((found.entries, found.late), (1, 0));
    assert_eq!(nodes(&found.confirmed), BTreeSet::from([owner]));
    assert_eq!(nodes(&found.missing), BTreeSet::from([member, colleague, carrier]));

    Line::open(&mut circle.owner, &mut circle.member).run_sound();
    let found = certificate(&mut circle.owner, &space, &record);
    assert_eq!(nodes(&found.confirmed), BTreeSet::from([owner, member]));
    assert_eq!(found, certificate(&mut circle.member, &space, &record), "any member can tell");

    circle.meet();
    for node in circle.everybody() {
        let found = certificate(node, &space, &record);
        assert_eq!((nodes(&found.confirmed), found.missing), (BTreeSet::from(all), Vec::new()));
    }
    circle.owner.restart();
    assert_eq!(nodes(&certificate(&mut circle.owner, &space, &record).confirmed), all.into());
}

#[test]
fn a_late_entry_makes_everybody_confirm_once_more() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.meet();
    circle.member.rename(&space, record, "tardi").unwrap();
    let canaries = Canaries::of(&mut circle.member, &space);
    circle.owner.erase(&space, &record).unwrap();
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    line.run_sound();
    let found = certificate(&mut circle.owner, &space, &record);
    assert_eq!((found.late, found.confirmed.len()), (1, 2));
    circle.owner.act(|replica, disk, _| replica.settle_erasures(disk, &space)).unwrap();
    let found = certificate(&mut circle.owner, &space, &record);
    assert_eq!((found.late, found.entries, found.confirmed.len()), (0, 2, 1));
    circle.meet();
    let found = certificate(&mut circle.owner, &space, &record);
    assert_eq!((found.confirmed.len(), found.missing.len()), (4, 0));
    circle.assert_erased(&record, &canaries);
}

#[test]
fn a_receipt_that_its_node_did_not_sign_is_refused() {
    let (mut circle, record) = erased();
    let space = circle.space;
    Line::open(&mut circle.owner, &mut circle.member).run_sound();
    let sound = receipt_of(&circle.member, &space);
    let bytes = codec::encode(&sound);
    let mut refused = 0;
    for position in 0..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[position] ^= 1;
        let Ok(receipt) = codec::decode::<Receipt>(&tampered) else { continue };
        refused += 1;
        assert_ne!(admit(&mut circle.colleague, &space, &receipt), Ok(true), "byte {position}");
    }
    assert!(refused > 100, "most changes still parse");
    // Somebody else's word for the colleague.
    let of_colleague = Confirmation { node: circle.colleague.id(), ..sound.confirmation };
    let forged = Receipt::sign(space, of_colleague, &circle.member.credentials.node_key);
    assert_eq!(admit(&mut circle.owner, &space, &forged), Err(ReplicaError::Receipt));
    assert!(
        nodes(&certificate(&mut circle.owner, &space, &record).missing)
            .contains(&circle.colleague.id())
    );
}

#[test]
fn receipts_of_strangers_and_of_other_spaces_are_not_taken() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.owner.erase(&space, &record).unwrap();
    let sound = receipt_of(&circle.owner, &space);
    let sign = |node: NodeId, of: SpaceId, key: &NodeKey| {
        Receipt::sign(of, Confirmation { node, ..sound.confirmation }, key)
    };
    // The outsider is known here, and no member of this space.
    let outsider = sign(circle.outsider.id(), space, &circle.outsider.credentials.node_key);
    assert_eq!(admit(&mut circle.owner, &space, &outsider), Err(ReplicaError::NotPermitted));
    let other = circle.owner.create_space();
    let elsewhere = sign(circle.member.id(), other, &circle.member.credentials.node_key);
    assert_eq!(admit(&mut circle.owner, &space, &elsewhere), Err(ReplicaError::NotPermitted));
    let before = circle.owner.digests();
    assert_eq!(admit(&mut circle.owner, &space, &sound), Ok(false), "known");
    assert_eq!(circle.owner.digests(), before);
}

#[test]
fn the_later_receipt_of_a_node_takes_the_place_of_the_earlier() {
    let (mut circle, _) = erased();
    let space = circle.space;
    circle.meet();
    let first = receipt_of(&circle.member, &space);
    let another = circle.owner.note(&space, "anche questa");
    circle.meet();
    circle.owner.erase(&space, &another).unwrap();
    circle.meet();
    let second = receipt_of(&circle.member, &space);
    assert_eq!(second.confirmation.number, first.confirmation.number + 1);
    assert!(second.confirmation.access.length > first.confirmation.access.length);
    assert_eq!(admit(&mut circle.owner, &space, &first), Ok(false));
    assert_eq!(certificate(&mut circle.owner, &space, &another).missing, []);
}

#[test]
fn a_position_that_is_on_no_log_confirms_nothing() {
    let (mut circle, record) = erased();
    let space = circle.space;
    let node = circle.member.id();
    let mut access = receipt_of(&circle.owner, &space).confirmation.access;
    access.length += 5;
    let boast = Confirmation { node, number: 3, access };
    let boast = Receipt::sign(space, boast, &circle.member.credentials.node_key);
    assert_eq!(admit(&mut circle.owner, &space, &boast), Ok(true));
    assert!(nodes(&certificate(&mut circle.owner, &space, &record).missing).contains(&node));
}

#[test]
fn a_former_member_is_named_as_out_of_reach_until_it_said_so() {
    let (mut circle, record) = erased();
    let space = circle.space;
    let organisation = circle.colleague.organisation();
    Line::open(&mut circle.owner, &mut circle.member).run_sound();
    circle.owner.revoke(&space, organisation).unwrap();
    circle.remove_member();
    let found = certificate(&mut circle.owner, &space, &record);
    let gone = (organisation, Some(circle.colleague.id()));
    assert_eq!(found.out_of_reach, [gone], "the member had confirmed before");
    assert_eq!(nodes(&found.missing), BTreeSet::from([circle.outsider.id()]));
}

/// A second machine of the member, which has what the circle has.
fn second_of_member(circle: &mut Circle) -> Node {
    let credentials = circle.organisations[1].add_node(12);
    let member = circle.member.organisation();
    for node in [&mut circle.owner, &mut circle.member, &mut circle.colleague] {
        node.learn(&circle.organisations[1]);
    }
    circle.owner.act(|replica, disk, random| replica.maintain(disk, &member, random)).unwrap();
    let known: Vec<&Organisation> = circle.organisations.iter().collect();
    let mut second = Node::start(&credentials, &known);
    circle.owner.give(&mut second, &circle.space);
    second
}

/// One machine of a member confirmed, and the organisation was removed: that the other one holds
/// the record stood nowhere, and the certificate was complete.
#[test]
fn of_a_former_member_every_machine_is_named_that_never_confirmed() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    let second = second_of_member(&mut circle);
    assert!(second.shows(&space).contains_key(&record));
    circle.owner.erase(&space, &record).unwrap();
    circle.settle();
    Line::open(&mut circle.owner, &mut circle.member).run_sound();
    circle.remove_member();
    let found = certificate(&mut circle.owner, &space, &record);
    assert!(nodes(&found.confirmed).contains(&circle.member.id()));
    assert_eq!(found.out_of_reach, [(second.organisation(), Some(second.id()))]);
}

/// One of a member's machines was revoked before it confirmed, and the others did: nobody was told
/// that it holds the record. What was written since it hears nothing more it never had.
#[test]
fn a_machine_that_was_revoked_is_named_for_what_it_may_hold_and_for_nothing_else() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    let second = second_of_member(&mut circle);
    let (member, gone) = (second.organisation(), second.id());
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: gone });
    circle.owner.learn(&circle.organisations[1]);
    circle.owner.act(|replica, disk, random| replica.maintain(disk, &member, random)).unwrap();
    let since = circle.owner.note(&space, "scritta dopo");
    circle.owner.erase(&space, &record).unwrap();
    circle.owner.erase(&space, &since).unwrap();
    circle.settle();
    let found = certificate(&mut circle.owner, &space, &record);
    assert_eq!(found.out_of_reach, [(member, Some(gone))]);
    assert_eq!(certificate(&mut circle.owner, &space, &since).out_of_reach, []);
    // Nor had it who was removed before it was written.
    circle.remove_member();
    let later = circle.owner.note(&space, "scritta ancora dopo");
    circle.owner.erase(&space, &later).unwrap();
    assert_eq!(certificate(&mut circle.owner, &space, &later).out_of_reach, []);
}

/// A machine wrote a record before another was cut, and a second entry at the same place after:
/// where the first stands in the proof of the fork alone, who had it and was cut was left out.
#[test]
fn what_stands_in_the_proof_of_a_fork_counts_for_who_may_hold_it() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let second = second_of_member(&mut circle);
    circle.settle();
    let (member, gone) = (second.organisation(), second.id());
    let mut copy = copy_of(&circle.colleague, &circle);
    let record = copy.note(&space, "scritta prima");
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: gone });
    circle.owner.learn(&circle.organisations[1]);
    circle.owner.act(|replica, disk, random| replica.maintain(disk, &member, random)).unwrap();
    circle.settle();
    circle.colleague.note(&space, "scritta dopo");
    circle.settle();
    copy.give(&mut circle.owner, &space);
    copy.give(&mut circle.member, &space);
    circle.owner.erase(&space, &record).unwrap();
    let found = certificate(&mut circle.owner, &space, &record);
    assert_eq!(found.out_of_reach, [(member, Some(gone))]);
}

#[test]
fn a_space_without_erasures_is_compared_as_before_and_has_no_receipts() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    circle.owner.note(&space, "resta");
    circle.meet();
    let partner = circle.member.organisation();
    let Node { replica, disk, .. } = &mut circle.owner;
    let heads = replica.heads_for(disk, &partner, &space).unwrap().unwrap();
    assert_eq!(heads.receipts, []);
    assert_eq!(replica.certificates(disk, &space).unwrap(), []);
}

/// A place of a store could not be read, and its node signed that it had carried out an erasure of
/// which it had done nothing: the record was still shown, and the receipt counted for ever.
#[test]
fn who_cannot_read_what_is_to_be_erased_confirms_nothing_until_it_was_erased() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.owner.rename(&space, record, "da dimenticare, corretta").unwrap();
    circle.meet();
    let canaries = Canaries::of(&mut circle.owner, &space);
    let first = [space.as_bytes().as_slice(), circle.owner.id().as_bytes(), &[0; 8]].concat();
    let sound = circle.member.disk.read(Table::Entries, &first).unwrap().expect("an entry");
    write(&mut circle.member, &first, vec![0xff]);
    circle.member.restart();
    circle.owner.erase(&space, &record).unwrap();
    let entries = circle.owner.access_log(&space);
    for _ in 0..2 {
        let Node { replica, disk, .. } = &mut circle.member;
        let _ = replica.admit_access(disk, &space, &entries, true);
        circle.member.commit();
        assert_eq!(circle.member.title(&space, &record), None, "it is shown no more");
        Canaries(canaries.0[1..].to_vec()).assert_gone(&circle.member);
        let missing = certificate(&mut circle.member, &space, &record).missing;
        assert!(nodes(&missing).contains(&circle.member.id()), "{missing:?}");
        circle.member.restart();
    }
    write(&mut circle.member, &first, sound);
    circle.member.restart();
    canaries.assert_gone(&circle.member);
    circle.meet();
    circle.assert_erased(&record, &canaries);
    assert_eq!(certificate(&mut circle.owner, &space, &record).missing, []);
}

/// What a disk does to an entry.
fn write(node: &mut Node, key: &[u8], value: Vec<u8>) {
    let mut batch = Batch::default();
    batch.put(Table::Entries, key.to_vec(), value);
    node.disk.commit(&batch);
}
