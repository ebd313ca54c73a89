//! Erasures that meet something else: another owner, a conflict, an entry that does not count, a
//! machine that is gone.

use super::circle::Circle;
use super::erasure::Canaries;
use super::line::Line;
use super::organisation::Node;
use sincronia_protocol::access::{Confirmation, Receipt, Role};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::replica::{Certificate, QuarantineReason, ReplicaError};

fn certificate(node: &mut Node, space: &SpaceId, record: &RecordId) -> Certificate {
    let certificates = node.replica.certificates(&node.disk, space).expect("a space");
    certificates.into_iter().find(|one| one.record == *record).expect("an erased record")
}

/// The colleague, which was offered the space, meets everybody and pays the debts of an owner.
fn meet_the_successor(circle: &mut Circle) {
    let space = circle.space;
    for _ in 0..4 {
        for other in [&mut circle.owner, &mut circle.member, &mut circle.outsider] {
            let mut line = Line::open(&mut circle.colleague, other);
            line.run_sound();
            assert_eq!(line.closed, []);
        }
        if circle.colleague.replica.erasures_due().contains(&space) {
            let settle =
                circle.colleague.act(|replica, disk, _| replica.settle_erasures(disk, &space));
            settle.expect("a primary");
        }
    }
}

/// What the owner of before erases after its offer, while the successor takes, is said again by the
/// successor; late edits too, and all confirm.
#[test]
fn an_erasure_beside_the_transfer_of_a_space_is_said_again_by_its_new_owner() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.member.note(&space, "dati di una persona");
    let other = circle.member.note(&space, "dati di un'altra");
    circle.meet();
    circle.member.rename(&space, record, "scritta senza linea").unwrap();
    circle.member.rename(&space, other, "anche questa").unwrap();
    let canaries = Canaries::of(&mut circle.member, &space);
    let successor = circle.colleague.organisation();
    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, successor)).unwrap();
    circle.owner.give(&mut circle.colleague, &space);
    circle.owner.erase(&space, &record).unwrap();
    circle.colleague.act(|replica, disk, _| replica.take_over(disk, &space)).unwrap();
    meet_the_successor(&mut circle);
    assert_eq!(circle.owner.erase(&space, &other), Err(ReplicaError::NotPermitted));
    circle.colleague.erase(&space, &other).unwrap();
    meet_the_successor(&mut circle);
    assert_eq!(canaries.0.len(), 4);
    for one in [record, other] {
        circle.assert_erased(&one, &canaries);
        for node in circle.everybody() {
            let found = certificate(node, &space, &one);
            assert_eq!((found.entries, found.late), (2, 0));
            assert_eq!((found.confirmed.len(), found.missing.len()), (4, 0), "{found:?}");
            assert_eq!(found.out_of_reach, []);
        }
    }
}

/// Both sides of a conflict go, and what was written to decide it.
#[test]
fn both_sides_of_a_conflict_are_erased_with_the_record() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "dati da dividere");
    circle.meet();
    circle.member.rename(&space, record, "di una persona").unwrap();
    circle.colleague.rename(&space, record, "di un'altra").unwrap();
    circle.meet();
    assert!(circle.owner.shows(&space)[&record].contains("di una persona"));
    assert!(circle.owner.shows(&space)[&record].contains("di un'altra"));
    let canaries = Canaries::of(&mut circle.owner, &space);
    circle.member.rename(&space, record, "decisa senza linea").unwrap();
    circle.owner.erase(&space, &record).unwrap();
    circle.meet();
    assert_eq!(canaries.0.len(), 3);
    circle.assert_erased(&record, &canaries);
    assert_eq!(certificate(&mut circle.owner, &space, &record).entries, 4);
}

/// A record that only a late entry makes can be erased, and is listed no more; another that comes
/// later to the same record neither.
#[test]
fn a_record_that_never_counted_is_erased_and_listed_no_more() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "prima");
    circle.settle();
    let mut offline = circle.twin_of_member();
    circle.remove_member();
    let record = offline.note(&space, "scritta dopo, da chi non lo sapeva");
    offline.give(&mut circle.owner, &space);
    let late = (circle.member.id(), 1, QuarantineReason::Late);
    assert_eq!(circle.quarantine(), [late]);
    let canaries = Canaries::of(&mut offline, &space);
    circle.owner.erase(&space, &record).unwrap();
    assert_eq!(circle.quarantine(), []);
    Canaries(canaries.0[1..].to_vec()).assert_gone(&circle.owner);
    offline.rename(&space, record, "ancora").unwrap();
    offline.give(&mut circle.owner, &space);
    assert_eq!(circle.quarantine(), []);
    assert_eq!(circle.owner.title(&space, &record), None);
    circle.owner.restart();
    assert_eq!(circle.quarantine(), []);
}

/// A member whose only machine was revoked before it confirmed was named nowhere: the certificate
/// said that everybody had confirmed.
#[test]
fn a_member_whose_machine_is_gone_is_not_left_out_of_the_certificate() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    circle.owner.erase(&space, &record).unwrap();
    circle.owner.give(&mut circle.member, &space);
    circle.member.give(&mut circle.owner, &space);
    let gone = circle.colleague.id();
    circle.organisations[2].say(IdentityOperation::RevokeNode { node: gone });
    circle.owner.learn(&circle.organisations[2]);
    let found = certificate(&mut circle.owner, &space, &record);
    assert_eq!(found.out_of_reach, [(circle.colleague.organisation(), Some(gone))], "{found:?}");
    assert!(found.confirmed.iter().all(|(_, node)| *node != gone), "{found:?}");
}

/// Whoever had the key of a lost machine could say in its name that an erasure was carried out.
#[test]
fn a_machine_that_was_cut_confirms_no_later_erasure() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    let before = circle.owner.note(&space, "già dimenticata");
    circle.settle();
    circle.owner.erase(&space, &before).unwrap();
    circle.settle();
    let (gone, organisation) = (circle.colleague.id(), circle.colleague.organisation());
    circle.organisations[2].say(IdentityOperation::RevokeNode { node: gone });
    circle.owner.learn(&circle.organisations[2]);
    circle
        .owner
        .act(|replica, disk, random| replica.maintain(disk, &organisation, random))
        .unwrap();
    circle.owner.erase(&space, &record).unwrap();
    let access = circle.owner.replica.summary(&space).unwrap().access;
    let said = Confirmation { node: gone, number: 9, access };
    let said = Receipt::sign(space, said, &circle.colleague.credentials.node_key);
    circle.owner.act(|replica, disk, _| replica.admit_receipts(disk, &space, &[said])).unwrap();
    let confirmed = |owner: &mut Node, record| {
        let found = certificate(owner, &space, record);
        (found.confirmed.contains(&(organisation, gone)), found.out_of_reach)
    };
    assert_eq!(confirmed(&mut circle.owner, &record), (false, vec![(organisation, Some(gone))]));
    assert_eq!(confirmed(&mut circle.owner, &before), (true, Vec::new()), "that was before");
}

/// A carrier that becomes a reader meanwhile is shown nothing of what was erased.
#[test]
fn a_carrier_that_becomes_a_reader_reads_nothing_of_what_was_erased() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.meet();
    let canaries = Canaries::of(&mut circle.outsider, &space);
    let reader = circle.outsider.organisation();
    circle.owner.erase(&space, &record).unwrap();
    circle.admit(reader, Role::Reader);
    circle.meet();
    circle.assert_erased(&record, &canaries);
}
