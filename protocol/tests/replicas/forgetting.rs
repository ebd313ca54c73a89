//! Erasure where logs do not go one way: access logs with branches, author logs that were forked.

use super::branches::{copy_of, meet_all, name_primary, second_machine};
use super::circle::Circle;
use super::cuts::{assert_kept, hand, revoke_machine};
use super::erasure::Canaries;
use super::forks::agree;
use super::line::Line;
use super::organisation::{Node, Organisation};
use super::parcel::Parcel;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::log::Run;
use sincronia_protocol::replica::{ReplicaError, Salvaged};

/// An owner's second node does what became due, and tells everybody.
fn settle(circle: &mut Circle, primary: &mut Node) {
    for space in primary.replica.erasures_due() {
        primary.act(|replica, disk, _| replica.settle_erasures(disk, &space)).expect("a primary");
    }
    meet_all(circle, primary);
    // Receipts reach the nodes of one organisation by way of the others.
    for node in [&mut circle.member, &mut circle.colleague] {
        Line::open(&mut circle.owner, node).run_sound();
        Line::open(primary, node).run_sound();
    }
}

fn missing(node: &mut Node, space: &SpaceId) -> usize {
    let certificates = node.replica.certificates(&node.disk, space).expect("a space");
    assert_eq!(certificates.len(), 1);
    certificates[0].missing.len()
}

#[test]
fn what_a_replaced_primary_erased_stays_erased_and_the_new_one_says_it_again() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    let canaries = Canaries::of(&mut circle.owner, &space);
    let mut second = second_machine(&mut circle);
    circle.owner.give(&mut circle.member, &space);
    circle.owner.give(&mut circle.colleague, &space);
    // Only the colleague hears of it before another primary is named.
    circle.owner.erase(&space, &record).unwrap();
    circle.owner.give(&mut circle.colleague, &space);
    name_primary(&mut circle, &mut second);
    second.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    second.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();

    meet_all(&mut circle, &mut second);
    assert_eq!(second.replica.erasures_due(), [space], "it stands on a branch that does not hold");
    settle(&mut circle, &mut second);
    assert_eq!(second.replica.erasures_due(), []);
    let digest = second.digests();
    for node in [&mut circle.owner, &mut circle.member, &mut circle.colleague, &mut second] {
        canaries.assert_gone(node);
        assert_eq!(node.title(&space, &record), None);
        assert_eq!(node.digests(), digest);
        assert_eq!(missing(node, &space), 0);
        let findings = node.replica.verify(&node.disk, true).unwrap();
        assert_eq!(findings.problems, Vec::<String>::new());
        node.restart();
        assert_eq!(node.title(&space, &record), None);
    }
    assert_eq!(second.rename(&space, record, "di nuovo"), Err(ReplicaError::Erased));
}

#[test]
fn the_proof_of_a_fork_keeps_no_body_of_an_erased_record() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.member.note(&space, "da dimenticare");
    circle.settle();
    let mut twin = copy_of(&circle.member, &circle);
    circle.member.rename(&space, record, "da una copia").unwrap();
    twin.rename(&space, record, "dall'altra").unwrap();
    let mut canaries = Canaries::of(&mut circle.member, &space);
    canaries.0.extend(Canaries::of(&mut twin, &space).0);
    circle.member.give(&mut circle.owner, &space);
    circle.member.give(&mut circle.colleague, &space);
    twin.give(&mut circle.owner, &space);
    twin.give(&mut circle.colleague, &space);
    assert_eq!(circle.owner.digests(), circle.colleague.digests());
    circle.owner.erase(&space, &record).unwrap();
    Line::open(&mut circle.owner, &mut circle.colleague).run_sound();
    for node in [&mut circle.owner, &mut circle.colleague] {
        assert_eq!(node.title(&space, &record), None);
        canaries.assert_gone(node);
        let findings = node.replica.verify(&node.disk, true).unwrap();
        assert_eq!(findings.problems, Vec::<String>::new());
    }
    assert_eq!(circle.owner.replica.erasures_due(), []);
}

#[test]
fn a_fork_that_shows_after_the_erasure_is_erased_too() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    let mut twin = copy_of(&circle.member, &circle);
    circle.member.note(&space, "un'altra scheda");
    twin.rename(&space, record, "da una copia").unwrap();
    let canaries = Canaries::of(&mut twin, &space);
    circle.member.give(&mut circle.owner, &space);
    circle.owner.erase(&space, &record).unwrap();
    twin.give(&mut circle.owner, &space);
    assert_eq!(circle.owner.replica.erasures_due(), [space], "a place in the proof");
    circle.owner.act(|replica, disk, _| replica.settle_erasures(disk, &space)).unwrap();
    assert_eq!(circle.owner.replica.erasures_due(), []);
    canaries.assert_gone(&circle.owner);
}

/// Somebody has the key of a machine and signs, at the place of an honest note, a word in a record
/// that the owner is about to erase. The erasure named the place, and took the note with it.
#[test]
fn threat_25_an_erasure_takes_nothing_honest_at_the_place_of_a_stolen_entry() {
    for is_stolen_first in [false, true] {
        let mut circle = Circle::with_carrier();
        let space = circle.space;
        let record = circle.owner.note(&space, "da dimenticare");
        circle.meet();
        let mut thief = copy_of(&circle.member, &circle);
        let kept = circle.member.note(&space, "nota onesta");
        thief.rename(&space, record, "del ladro").unwrap();
        let canaries = Canaries::of(&mut thief, &space);
        circle.member.give(&mut circle.owner, &space);
        let Circle { owner, member, colleague, outsider, .. } = &mut circle;
        let mut runs = [member, &mut thief].map(|copy| written_by(copy, &space));
        if is_stolen_first {
            runs.reverse();
        }
        for node in [&mut *colleague, &mut *outsider] {
            for run in &runs {
                hand(node, run).unwrap();
            }
        }
        agree(owner, colleague);
        agree(owner, outsider);
        owner.erase(&space, &record).unwrap();
        agree(owner, colleague);
        agree(owner, outsider);
        for node in [&mut *owner, &mut *colleague, &mut *outsider] {
            canaries.assert_gone(node);
            let findings = node.replica.verify(&node.disk, true).unwrap();
            assert_eq!(findings.problems, Vec::<String>::new());
        }
        assert_eq!(owner.replica.erasures_due(), []);
        revoke_machine(&mut circle);
        let Circle { owner, colleague, outsider, .. } = &mut circle;
        agree(owner, colleague);
        agree(owner, outsider);
        for node in [owner, colleague] {
            assert_eq!(node.title(&space, &kept).as_deref(), Some("nota onesta"));
            assert_kept(node, &space, &[kept]);
        }
    }
}

/// The whole log that a copy wrote.
fn written_by(copy: &mut Node, space: &SpaceId) -> Run {
    let run = copy.replica.read_run(&copy.disk, space, &copy.id(), 0, 256 * 1024);
    run.expect("a sound disk").expect("entries")
}

/// A branch of an access log was taken over from a damaged store in the order of its hashes, in
/// which nothing follows on what comes before: it was lost, with every log in which it erased.
#[test]
fn a_damaged_store_gives_back_what_a_branch_that_does_not_hold_erases() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let records = [0, 1, 2, 3, 4].map(|_| circle.owner.note(&space, "da dimenticare"));
    let mut second = second_machine(&mut circle);
    circle.owner.give(&mut circle.colleague, &space);
    for record in &records {
        circle.owner.erase(&space, record).unwrap();
    }
    circle.owner.give(&mut circle.colleague, &space);
    name_primary(&mut circle, &mut second);
    for _ in 0..7 {
        second.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    }
    let colleague = &mut circle.colleague;
    colleague.take_all(&second.access_parcels(&space, &colleague.organisation()));
    let aside = colleague.replica.set_aside(&colleague.disk, &space).unwrap();
    assert_eq!(aside.len(), records.len());
    let damaged = colleague.disk.clone();
    let known: Vec<&Organisation> = circle.organisations.iter().collect();
    let mut again = Node::start(&circle.colleague.credentials, &known);
    let author = circle.owner.id();
    again
        .act(|replica, disk, _| {
            let taken = replica.salvage_space(&damaged, disk, &space);
            assert!(matches!(taken, Salvaged::Whole(_)), "{taken:?}");
            let taken = replica.salvage_run(&damaged, disk, (&space, &author), 0);
            assert!(matches!(taken, Salvaged::Whole(5)), "{taken:?}");
            Ok(())
        })
        .unwrap();
    assert_eq!(again.replica.set_aside(&again.disk, &space).unwrap(), aside);
}

/// A machine that has no key yet cannot tell what the proof of a fork holds. When the key came, an
/// entry of an erased record stayed there, until the next erasure or fork.
#[test]
fn what_a_proof_holds_of_an_erased_record_is_due_when_its_key_comes() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    let mut twin = copy_of(&circle.member, &circle);
    circle.member.note(&space, "un'altra scheda");
    twin.rename(&space, record, "da una copia").unwrap();
    circle.member.give(&mut circle.owner, &space);
    circle.owner.erase(&space, &record).unwrap();
    let credentials = circle.organisations[0].add_node(11);
    circle.owner.learn(&circle.organisations[0]);
    let known: Vec<&Organisation> = circle.organisations.iter().collect();
    let mut second = Node::start(&credentials, &known);
    let own = second.organisation();
    let mut parcels = circle.owner.access_parcels(&space, &own);
    parcels.retain(|parcel| !matches!(parcel, Parcel::Sealed { .. }));
    parcels.extend(circle.owner.author_parcels(&space));
    second.take_all(&parcels);
    hand(&mut second, &written_by(&mut twin, &space)).unwrap();
    assert_eq!(second.replica.erasures_due(), [], "nobody can tell");
    let heads = second.replica.heads_for(&second.disk, &own, &space).unwrap().unwrap();
    let wanted = heads.lacking.iter().map(|one| **one).collect();
    let (replica, disk) = (&mut circle.owner.replica, &circle.owner.disk);
    let handed = replica.handover(disk, (&own, &second.id()), &space, &wanted).unwrap();
    let (epoch, sealed) = handed.expect("a key");
    second
        .act(|replica, disk, _| replica.admit_handover(disk, &space, epoch, &sealed))
        .expect("a key of the space");
    assert_eq!(second.replica.erasures_due(), [space]);
    second.restart();
    assert_eq!(second.replica.erasures_due(), [space]);
}
