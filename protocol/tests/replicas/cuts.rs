//! A cut says which version of a forked log counts: that of the rightful machine, whatever somebody
//! who has its key signs before or after.

use super::branches::copy_of;
use super::circle::Circle;
use super::erasure::Canaries;
use super::forks::agree;
use super::line::Line;
use super::order::cases;
use super::organisation::{Node, Organisation};
use proptest::prelude::*;
use sincronia_protocol::access::Role;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::log::Run;
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::storage::Table;
use sincronia_protocol::time::Timestamp;

const RUN_BYTES: usize = 256 * 1024;

pub fn agree_all(circle: &mut Circle, third: &mut Node) {
    let Circle { owner, colleague, .. } = circle;
    // The owner alone has the keys for whoever comes later.
    for _ in 0..2 {
        agree(owner, third);
        agree(owner, colleague);
        agree(colleague, third);
    }
}

/// What a node has of the member's log from a position on.
fn log_of(node: &mut Node, circle_member: &Node, space: &SpaceId, from: u64) -> Run {
    let author = circle_member.id();
    let run = node.replica.read_run(&node.disk, space, &author, from, RUN_BYTES);
    run.expect("a sound disk").expect("entries")
}

pub fn hand(node: &mut Node, run: &Run) -> Result<(), ReplicaError> {
    let run = run.clone();
    node.act(|replica, disk, _| replica.admit_run(disk, run)).map(drop)
}

/// A third reader of the space, which has nothing of it but the access log.
pub fn third_reader(circle: &mut Circle) -> Node {
    let organisation = circle.outsider.organisation();
    circle.admit(organisation, Role::Contributor);
    let credentials = circle.outsider.credentials.clone();
    let known: Vec<&Organisation> = circle.organisations.iter().collect();
    Node::start(&credentials, &known)
}

/// The member revokes its machine, and the owner cuts its log.
pub fn revoke_machine(circle: &mut Circle) {
    let node = circle.member.id();
    circle.organisations[1].say(IdentityOperation::RevokeNode { node });
    for reader in [&mut circle.owner, &mut circle.colleague, &mut circle.outsider] {
        reader.learn(&circle.organisations[1]);
    }
    let organisation = circle.organisations[1].id();
    circle
        .owner
        .act(|replica, disk, random| replica.maintain(disk, &organisation, random))
        .expect("a primary");
}

/// A copy that signs other entries at the first places of the log, and the rightful notes.
pub fn robbed(circle: &mut Circle, stolen: usize) -> (Node, Vec<RecordId>) {
    let mut thief = copy_of(&circle.member, circle);
    for number in 0..stolen {
        thief.note(&circle.space, &format!("Del ladro {number}"));
    }
    let titles = ["Prima nota", "Seconda nota", "Terza nota"];
    let written = titles.map(|title| circle.member.note(&circle.space, title));
    (thief, written.to_vec())
}

pub fn assert_kept(node: &mut Node, space: &SpaceId, written: &[RecordId]) {
    for _ in 0..2 {
        let shown: Vec<_> = node.shows(space).into_keys().collect();
        let mut expected = written.to_vec();
        expected.sort_unstable();
        assert_eq!(shown, expected);
        let own = node.organisation();
        let heads = node.replica.heads_for(&node.disk, &own, space).unwrap().unwrap();
        assert_eq!(heads.forks, []);
        let findings = node.replica.verify(&node.disk, true).unwrap();
        assert_eq!(findings.problems, Vec::<String>::new());
        node.restart();
    }
}

/// A laptop is lost, revoked and cut. Whoever found it signs one other entry at the first place,
/// and a member passes it on: everything that the laptop ever wrote was set aside for good.
#[test]
fn threat_25_what_a_lost_machine_wrote_counts_whatever_its_finder_signs_after_the_cut() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (mut thief, written) = robbed(&mut circle, 5);
    circle.settle();
    revoke_machine(&mut circle);
    agree(&mut circle.owner, &mut circle.colleague);
    let digests = circle.owner.digests();
    for from in [0, 1] {
        let stolen = log_of(&mut thief, &circle.member, &space, from);
        assert_eq!(hand(&mut circle.colleague, &stolen), Err(ReplicaError::Frozen));
    }
    assert_eq!(circle.colleague.digests(), digests);
    agree(&mut circle.owner, &mut circle.colleague);
    assert_kept(&mut circle.owner, &space, &written);
    assert_kept(&mut circle.colleague, &space, &written);
}

/// The same before the cut. The owner took the rightful version first, the colleague the other, of
/// whatever length, and a third one comes later and hears of both.
#[test]
fn threat_25_a_cut_settles_a_fork_wherever_the_other_version_came_first() {
    for stolen in [1, 3, 5] {
        for is_proven in [false, true] {
            let mut circle = Circle::of_contributors();
            let space = circle.space;
            let (mut thief, written) = robbed(&mut circle, stolen);
            circle.member.give(&mut circle.owner, &space);
            let run = log_of(&mut thief, &circle.member, &space, 0);
            hand(&mut circle.colleague, &run).unwrap();
            let mut third = third_reader(&mut circle);
            if is_proven {
                agree_all(&mut circle, &mut third);
                assert!(third.shows(&space).is_empty());
            }
            revoke_machine(&mut circle);
            third.learn(&circle.organisations[1]);
            agree_all(&mut circle, &mut third);
            let Circle { owner, colleague, .. } = &mut circle;
            for node in [owner, colleague, &mut third] {
                assert_kept(node, &space, &written);
            }
        }
    }
}

/// Whoever has the other version is told of the named one in pieces.
#[test]
fn a_long_version_takes_the_place_of_another_piece_by_piece() {
    for stolen in [1, 2, 5] {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let (mut thief, written) = robbed(&mut circle, stolen);
        circle.member.give(&mut circle.owner, &space);
        hand(&mut circle.colleague, &log_of(&mut thief, &circle.member, &space, 0)).unwrap();
        revoke_machine(&mut circle);
        let access = circle.owner.access_log(&space);
        circle
            .colleague
            .act(|replica, disk, _| replica.admit_access(disk, &space, &access, true))
            .unwrap();
        for from in 0..3 {
            let author = circle.member.id();
            let owner = &mut circle.owner;
            let piece = owner.replica.read_run(&owner.disk, &space, &author, from, 1);
            let piece = piece.unwrap().unwrap();
            assert_eq!((piece.start, piece.entries.len()), (from, 1));
            assert_eq!(hand(&mut circle.colleague, &piece), Ok(()));
            let findings = circle.colleague.replica.verify(&circle.colleague.disk, true).unwrap();
            assert_eq!(findings.problems, Vec::<String>::new());
            circle.colleague.restart();
        }
        agree(&mut circle.owner, &mut circle.colleague);
        assert_kept(&mut circle.colleague, &space, &written);
    }
}

/// The organisation is removed as a whole: its cuts say the same.
#[test]
fn the_removal_of_an_organisation_settles_the_forks_of_its_machines() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (mut thief, written) = robbed(&mut circle, 5);
    circle.member.give(&mut circle.owner, &space);
    hand(&mut circle.colleague, &log_of(&mut thief, &circle.member, &space, 0)).unwrap();
    let mut third = third_reader(&mut circle);
    agree_all(&mut circle, &mut third);
    circle.remove_member();
    agree_all(&mut circle, &mut third);
    let Circle { owner, colleague, .. } = &mut circle;
    for node in [owner, colleague, &mut third] {
        assert_kept(node, &space, &written);
    }
}

/// One thing that a reader may take before the others, in whatever order.
enum Happening {
    Takes(Run),
    HearsOfCut,
}

/// The entries of a copy's log as it travels in pieces, from each place on.
fn pieces(copy: &mut Node, space: &SpaceId) -> Vec<Happening> {
    let author = copy.id();
    let mut found = Vec::new();
    for (from, bytes) in (0..8).flat_map(|from| [(from, 1), (from, RUN_BYTES)]) {
        let run = copy.replica.read_run(&copy.disk, space, &author, from, bytes);
        found.extend(run.expect("a sound disk").map(Happening::Takes));
    }
    found
}

proptest! {
    #![proptest_config(cases(60))]

    /// Whatever of both versions comes in whatever order, before the cut and after it: in the end
    /// all have what the owner's cut names.
    #[test]
    fn in_any_order_replicas_agree_on_the_version_that_the_cut_names(
        common in 0..3_usize,
        stolen in 1..6_usize,
        orders in prop::array::uniform2(prop::collection::vec(any::<prop::sample::Index>(), 0..14)),
    ) {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let mut third = third_reader(&mut circle);
        agree(&mut circle.owner, &mut third);
        agree(&mut circle.owner, &mut circle.member);
        let before: Vec<_> =
            (0..common).map(|_| circle.member.note(&space, "Prima della copia")).collect();
        let (mut thief, mut written) = robbed(&mut circle, stolen);
        written.extend(before);
        let mut happenings = pieces(&mut circle.member, &space);
        happenings.extend(pieces(&mut thief, &space));
        happenings.extend((0..4).map(|_| Happening::HearsOfCut));
        circle.member.give(&mut circle.owner, &space);
        revoke_machine(&mut circle);
        third.learn(&circle.organisations[1]);
        let access = circle.owner.access_log(&space);
        let colleague = &mut circle.colleague;
        for (reader, order) in [&mut *colleague, &mut third].into_iter().zip(&orders) {
            for index in order {
                match index.get(&happenings) {
                    Happening::Takes(run) => drop(hand(reader, run)),
                    Happening::HearsOfCut => {
                        let taken = reader.act(|replica, disk, _| {
                            replica.admit_access(disk, &space, &access, true)
                        });
                        taken.expect("a sound log");
                    }
                }
                let findings = reader.replica.verify(&reader.disk, true).expect("a sound disk");
                prop_assert_eq!(findings.problems, Vec::<String>::new());
            }
        }
        // Some keys are still to come from the owner.
        Line::open(&mut circle.colleague, &mut third).run_for(10);
        agree_all(&mut circle, &mut third);
        for reader in [&mut circle.owner, &mut circle.colleague, &mut third] {
            assert_kept(reader, &space, &written);
        }
    }
}

/// What somebody wrote into an erased record on the version that is dropped goes with it.
#[test]
fn nothing_of_an_erased_record_stays_of_the_version_that_is_dropped() {
    for is_erased_first in [false, true] {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let record = circle.owner.note(&space, "da dimenticare");
        circle.settle();
        let mut thief = copy_of(&circle.member, &circle);
        thief.rename(&space, record, "del ladro").unwrap();
        let canaries = Canaries::of(&mut thief, &space);
        let written = circle.member.note(&space, "Prima nota");
        circle.member.give(&mut circle.owner, &space);
        let stolen = log_of(&mut thief, &circle.member, &space, 0);
        hand(&mut circle.colleague, &stolen).unwrap();
        if is_erased_first {
            circle.owner.erase(&space, &record).unwrap();
            agree(&mut circle.owner, &mut circle.colleague);
        }
        revoke_machine(&mut circle);
        agree(&mut circle.owner, &mut circle.colleague);
        if !is_erased_first {
            circle.owner.erase(&space, &record).unwrap();
            agree(&mut circle.owner, &mut circle.colleague);
        }
        for node in [&mut circle.owner, &mut circle.colleague] {
            canaries.assert_gone(node);
            assert_eq!(node.replica.erasures_due(), []);
            assert_kept(node, &space, &[written]);
        }
    }
}

/// Two versions that are both the thief's part beyond the cut. That fork was taken for what the cut
/// decides about: what stands before it counted, and its proof outlived the version.
#[test]
fn threat_25_a_fork_beyond_the_cut_makes_no_other_version_count() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (mut thief, written) = robbed(&mut circle, 5);
    let mut other_thief = copy_of(&thief, &circle);
    for (copy, title) in [(&mut thief, "una versione"), (&mut other_thief, "altra versione")] {
        copy.note(&space, title);
        let run = log_of(copy, &circle.member, &space, 0);
        hand(&mut circle.colleague, &run).unwrap();
    }
    circle.member.give(&mut circle.owner, &space);
    revoke_machine(&mut circle);
    let access = circle.owner.access_log(&space);
    let colleague = &mut circle.colleague;
    colleague
        .act(|replica, disk, _| replica.admit_access(disk, &space, &access, true))
        .expect("a sound log");
    assert!(colleague.shows(&space).is_empty(), "a version that the cut does not name");
    colleague.restart();
    assert!(colleague.shows(&space).is_empty());
    agree(&mut circle.owner, &mut circle.colleague);
    assert_kept(&mut circle.colleague, &space, &written);
}

/// Parts of bundles go with what is erased. Whoever has the key of a machine that was cut took them
/// away again and again: each of two versions of its log took the other's place, and with each
/// everything that was ever erased was erased once more.
#[test]
fn threat_25_a_thief_that_changes_versions_takes_no_parts_of_bundles_away() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let erased = circle.owner.note(&space, "Da cancellare");
    let mut other = circle.twin_of_member();
    let (mut thief, _) = robbed(&mut circle, 1);
    other.note(&space, "Ancora del ladro");
    circle.member.give(&mut circle.owner, &space);
    circle.owner.erase(&space, &erased).expect("a primary");
    revoke_machine(&mut circle);
    let log = circle.owner.access_parcels(&space, &circle.colleague.organisation());
    circle.colleague.take_all(&log);
    circle
        .colleague
        .act(|replica, disk, _| {
            replica.keep_part(disk, &[7; 32], 0, b"part", Timestamp::from_milliseconds(1))
        })
        .expect("a sound disk");
    for _ in 0..2 {
        for version in [&mut thief, &mut other] {
            let run = log_of(version, &circle.member, &space, 0);
            assert_eq!(hand(&mut circle.colleague, &run), Ok(()));
        }
    }
    assert_eq!(circle.colleague.disk.values(Table::Parts).count(), 1);
}
