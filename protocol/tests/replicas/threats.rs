//! Proofs for rows of `docs/threats.md` that stand beside no other test.

use super::adversary::{built_on, joined, new_practice, payload};
use super::circle::Circle;
use super::forging::{forger, take};
use super::line::Line;
use super::organisation::Node;
use super::parcel::Parcel;
use serde_json::json;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::crypto::{EpochKey, Secret};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{EntryHash, NodeId, RecordId, SpaceId};
use sincronia_protocol::limits::{LATE_ENTRIES_MAX, RUN_ENTRIES_MAX};
use sincronia_protocol::record::{Change, Edits};
use sincronia_protocol::replica::{ReplicaError, WriteRequest, WriteTarget};
use sincronia_protocol::time::Timestamp;

/// Gives a record another title on a node whose clock says `now`.
fn rename_at(node: &mut Node, space: &SpaceId, record: RecordId, title: &str, now: u64) {
    let fields = json!({ "title": title }).as_object().unwrap().clone();
    let request = WriteRequest {
        space: *space,
        target: WriteTarget::Existing(record),
        edits: Edits { fields },
        operator: "operator".to_owned(),
        comment: None,
    };
    let now = Timestamp::from_milliseconds(now);
    node.act(|replica, disk, random| replica.write(disk, request, now, random).map(drop)).unwrap();
}

#[test]
fn threat_13_a_time_in_the_future_wins_nothing() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "un titolo");
    circle.settle();
    rename_at(&mut circle.member, &space, record, "dal futuro", u64::MAX);
    circle.settle();
    rename_at(&mut circle.colleague, &space, record, "che lo ha visto", 0);
    circle.settle();
    assert_eq!(circle.agreed_title(&record).as_deref(), Some("che lo ha visto"));

    rename_at(&mut circle.member, &space, record, "ancora dal futuro", u64::MAX);
    rename_at(&mut circle.colleague, &space, record, "insieme", 1);
    circle.settle();
    let [at_owner, at_colleague] =
        [&circle.owner, &circle.colleague].map(|node| node.view(&space, &record));
    assert_eq!(at_owner, at_colleague);
    assert_eq!(at_owner.conflicts[0].values.len(), 2, "both are shown, neither wins");
}

#[test]
fn threat_14_signed_and_sealed_rubbish_holds_nobody_back() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    let readable = new_practice(&member, 1, "leggibile");
    let mut odd = readable.clone();
    odd.operation = vec![0xFF; 60];
    let rubbish: [&[u8]; 6] = [
        b"",
        b"\xFF",
        b"\x9F",
        &[0x81].repeat(20_000),
        &[0xFB].repeat(60_000),
        b"\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    ];
    for text in rubbish {
        let run = forger.sign_text(text);
        take(&mut circle.owner, &run).unwrap();
    }
    for payload in [&odd, &readable] {
        let run = forger.sign(payload);
        take(&mut circle.owner, &run).unwrap();
    }
    let other = circle.colleague.note(&space, "del collega");
    circle.colleague.give(&mut circle.owner, &space);
    circle.owner.give(&mut circle.colleague, &space);
    assert_eq!(circle.agreed_title(&readable.record).as_deref(), Some("leggibile"));
    assert_eq!(circle.agreed_title(&other).as_deref(), Some("del collega"));
    circle.owner.restart();
    let view = circle.owner.replica.space_view(&circle.owner.disk, &space).unwrap();
    assert_eq!((view.waiting, view.unreadable), (0, rubbish.len() as u64));
}

#[test]
fn threat_22_nothing_of_one_space_is_taken_in_another() {
    let mut circle = Circle::of_contributors();
    let (space, other) = (circle.space, circle.owner.create_space());
    for organisation in [circle.member.organisation(), circle.colleague.organisation()] {
        circle.owner.grant(&other, organisation, Role::Contributor, History::Start).unwrap();
    }
    for space in [space, other] {
        circle.owner.give(&mut circle.member, &space);
        circle.owner.give(&mut circle.colleague, &space);
    }
    circle.member.note(&space, "detta qui");
    circle.owner.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    let mut parcels = circle.owner.access_parcels(&space, &circle.colleague.organisation());
    parcels.extend(circle.member.author_parcels(&space));
    let before = circle.colleague.digests();
    for parcel in parcels {
        let moved = match parcel {
            Parcel::Access { entries, is_complete, .. } => {
                Parcel::Access { space: other, entries, is_complete }
            }
            Parcel::Sealed { bytes, .. } => Parcel::Sealed { space: other, bytes },
            Parcel::Run(run) => {
                let moved = sincronia_protocol::log::Run { space: other, ..run };
                assert!(take(&mut circle.colleague, &moved).is_err());
                Parcel::Run(moved)
            }
        };
        let _ = circle.colleague.take(&moved);
        assert_eq!(circle.colleague.digests(), before, "{moved:?}");
    }
}

#[test]
fn threat_22_a_body_does_not_open_under_another_authors_signature() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "parole sue");
    let Some(Parcel::Run(run)) = circle.member.author_parcels(&space).pop() else {
        panic!("a run");
    };
    let thief = circle.colleague.credentials.clone();
    let mut forger = forger(&mut circle, &thief, 3, 0);
    let stolen = forger.sign_body(run.entries[0].body.sealed().unwrap().to_vec());
    take(&mut circle.owner, &stolen).unwrap();
    assert!(circle.owner.shows(&space).is_empty());
    let view = circle.owner.replica.space_view(&circle.owner.disk, &space).unwrap();
    assert_eq!((view.waiting, view.unreadable), (0, 1));
}

#[test]
fn threat_29_what_a_removed_member_can_have_kept_is_bounded() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.remove_member();
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    forger.epoch.1 = EpochKey::from_secret(Secret::from_bytes([1; 32]));
    let rounds = LATE_ENTRIES_MAX.div_ceil(RUN_ENTRIES_MAX as u64);
    for round in 1..=rounds {
        let run = joined((0..RUN_ENTRIES_MAX).map(|_| forger.sign_text(b"di troppo")));
        let before = circle.owner.digests();
        let taken = take(&mut circle.owner, &run);
        if round < rounds {
            assert_eq!(taken, Ok(()));
        } else {
            assert!(matches!(taken, Err(ReplicaError::Limit(_))), "{taken:?}");
            assert_eq!(circle.owner.digests(), before);
        }
    }
    circle.owner.give(&mut circle.colleague, &space);
    let record = circle.colleague.note(&space, "che conta");
    circle.colleague.give(&mut circle.owner, &space);
    assert_eq!(circle.owner.title(&space, &record).as_deref(), Some("che conta"));
}

#[test]
fn threat_30_changes_built_on_what_never_comes_hold_nobody_back() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "un titolo");
    circle.settle();
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    let template = Change::decode(&new_practice(&member, 1, "mai compiuta").operation).unwrap();
    let template = Change { creation: None, ..template };
    let orphans = (0..500_u16).map(|number| {
        let mut missing = [7; 32];
        missing[..2].copy_from_slice(&number.to_be_bytes());
        forger.sign(&payload(record, &built_on(&template, &[EntryHash::from_bytes(missing)])))
    });
    let orphans = joined(orphans);
    take(&mut circle.owner, &orphans).unwrap();
    take(&mut circle.colleague, &orphans).unwrap();
    circle.colleague.rename(&space, record, "si va avanti").unwrap();
    circle.colleague.give(&mut circle.owner, &space);
    assert_eq!(circle.agreed_title(&record).as_deref(), Some("si va avanti"));
}

#[test]
fn threat_30_runs_without_their_beginning_leave_nothing_behind() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    let first = forger.sign(&new_practice(&member, 1, "la prima"));
    let before = circle.owner.digests();
    for _ in 0..200 {
        let orphan = forger.sign_text(b"senza la prima");
        assert!(take(&mut circle.owner, &orphan).is_err());
        assert!(circle.owner.replica.take_batch().is_empty());
    }
    assert_eq!(circle.owner.digests(), before);
    take(&mut circle.owner, &first).unwrap();
    assert_eq!(circle.owner.shows(&space).len(), 1);
}

#[test]
fn threat_25_a_forked_log_is_frozen_its_organisation_goes_on_and_a_removal_heals_it() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let common = circle.member.note(&space, "comune ai due");
    circle.settle();
    let mut twin = circle.twin_of_member();
    let there = twin.note(&space, "scritta là");
    let here = circle.member.note(&space, "scritta qui");
    twin.give(&mut circle.colleague, &space);
    circle.member.give(&mut circle.owner, &space);
    for _ in 0..2 {
        Line::open(&mut circle.owner, &mut circle.colleague).run_sound();
    }
    assert_eq!(forks(&mut circle.owner, &space), [(twin.id(), 1)], "the proof is kept");
    assert_eq!(forks(&mut circle.colleague, &space), [(twin.id(), 1)]);
    // Nothing is taken beyond the fork, on neither branch.
    circle.member.note(&space, "ancora qui");
    let (replica, disk) = (&mut circle.member.replica, &circle.member.disk);
    let more = replica.read_run(disk, &space, &twin.id(), 2, usize::MAX).unwrap().unwrap();
    assert_eq!(circle.owner.take(&Parcel::Run(more)), Err(ReplicaError::Frozen));

    // The organisation revokes the node and goes on with another. The owner's cut names the version
    // that the owner took: this one counts, before the fork and after it.
    let second = circle.organisations[1].add_node(12);
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: twin.id() });
    let mut second = Node::start(&second, &circle.organisations.iter().collect::<Vec<_>>());
    for node in [&mut circle.owner, &mut circle.colleague] {
        node.learn(&circle.organisations[1]);
    }
    let organisation = circle.organisations[1].id();
    circle
        .owner
        .act(|replica, disk, random| replica.maintain(disk, &organisation, random))
        .unwrap();
    circle.owner.give(&mut second, &space);
    let after = second.note(&space, "dalla nuova macchina");
    second.give(&mut circle.owner, &space);
    circle.owner.give(&mut circle.colleague, &space);
    assert_eq!(circle.agreed_title(&common).as_deref(), Some("comune ai due"));
    assert_eq!(circle.agreed_title(&after).as_deref(), Some("dalla nuova macchina"));
    assert_eq!(circle.agreed_title(&here).as_deref(), Some("scritta qui"));
    assert_eq!(circle.agreed_title(&there), None);
    assert_eq!(circle.owner.digests(), circle.colleague.digests());
    assert_eq!(forks(&mut circle.colleague, &space), []);
}

/// Where the logs of authors of a space were found forked.
fn forks(node: &mut Node, space: &SpaceId) -> Vec<(NodeId, u64)> {
    let organisation = node.organisation();
    let heads = node.replica.heads_for(&node.disk, &organisation, space).unwrap();
    heads.unwrap().forks
}
