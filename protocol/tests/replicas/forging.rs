//! Entries that no honest program writes: none of them ever counts, and none makes a node stumble.

use super::adversary::{
    Forger, access_points, keys_within_reach, last_grant, new_practice, payload,
};
use super::circle::Circle;
use super::organisation::{Node, Organisation};
use super::parcel::Parcel;
use sincronia_protocol::access::{
    Access, AccessEntry, AccessError, AccessOperation, History, Recipient, Role, Rotation,
};
use sincronia_protocol::crypto::{EpochKey, Secret};
use sincronia_protocol::ids::{EntryHash, SpaceId};
use sincronia_protocol::log::{AccessPoint, LogPosition, Run};
use sincronia_protocol::record::{Change, Kind, derive_id};
use sincronia_protocol::replica::{Credentials, QuarantineReason, ReplicaError};
use std::collections::BTreeMap;

/// The keys that a node's secrets open.
fn keys(node: &Node, owner: &mut Node, space: &SpaceId) -> BTreeMap<u64, EpochKey> {
    let access = owner.access_log(space);
    let keyrings = owner.keyrings_for(space, &node.organisation());
    keys_within_reach(&node.credentials, space, &access, &keyrings)
}

/// A forger with a node's secrets that has read the access log up to `seen` entries.
pub fn forger(circle: &mut Circle, secrets: &Credentials, seen: usize, epoch: u64) -> Forger {
    let access = circle.owner.access_log(&circle.space);
    let keyrings: Vec<_> = circle
        .owner
        .disk
        .values(sincronia_protocol::storage::Table::Sealed)
        .map(|(_, sealed)| sealed.to_vec())
        .collect();
    let keys = keys_within_reach(secrets, &circle.space, &access, &keyrings);
    Forger {
        space: circle.space,
        key: secrets.node_key.clone(),
        position: LogPosition::origin(&circle.space, &secrets.node_key.id(), &secrets.organisation),
        access: access_points(&access)[seen - 1],
        epoch: (epoch, keys[&epoch].clone()),
    }
}

pub fn take(node: &mut Node, run: &Run) -> Result<(), ReplicaError> {
    node.take(&Parcel::Run(run.clone()))
}

#[test]
fn threat_17_an_entry_dated_back_before_the_removal_is_beyond_the_cut() {
    let mut circle = Circle::of_contributors();
    circle.remove_member();
    let member = circle.member.credentials.clone();
    // It claims to have seen nothing of its removal, and uses the key it had then.
    let mut forger = forger(&mut circle, &member, 3, 0);
    let grant = last_grant(&circle.owner.access_log(&circle.space), &member);
    let entry = new_practice(&member, grant, "retrodatata");
    let run = forger.sign(&entry);
    take(&mut circle.owner, &run).unwrap();
    circle.settle();
    assert_eq!(circle.agreed_title(&entry.record), None);
    assert_eq!(circle.quarantine(), [(member.node_key.id(), 0, QuarantineReason::Late)]);
}

#[test]
fn threat_19_an_entry_that_claims_to_have_seen_its_authors_removal_does_not_count() {
    let mut circle = Circle::of_contributors();
    circle.remove_member();
    let member = circle.member.credentials.clone();
    let seen = circle.owner.access_log(&circle.space).len();
    let mut forger = forger(&mut circle, &member, seen, 0);
    let entry = new_practice(&member, 1, "sfacciata");
    let run = forger.sign(&entry);
    take(&mut circle.owner, &run).unwrap();
    assert_eq!(circle.owner.title(&circle.space, &entry.record), None);
    assert_eq!(circle.quarantine(), [(member.node_key.id(), 0, QuarantineReason::Unauthorised)]);
}

/// A friend of the removed writes on under the key that the removed still has.
#[test]
fn threat_19_an_entry_under_a_key_of_before_the_removal_counts_only_if_it_was_written_before() {
    for has_seen_the_removal in [false, true] {
        let mut circle = Circle::of_contributors();
        circle.remove_member();
        let friend = circle.colleague.credentials.clone();
        let length = circle.owner.access_log(&circle.space).len();
        let seen = length - usize::from(!has_seen_the_removal);
        let mut forger = forger(&mut circle, &friend, seen, 0);
        let grant = last_grant(&circle.owner.access_log(&circle.space), &friend);
        let entry = new_practice(&friend, grant, "con la chiave di prima");
        take(&mut circle.owner, &forger.sign(&entry)).unwrap();
        let shown = circle.owner.title(&circle.space, &entry.record);
        let unauthorised = (friend.node_key.id(), 0, QuarantineReason::Unauthorised);
        if has_seen_the_removal {
            assert_eq!((shown, circle.quarantine()), (None, vec![unauthorised]));
        } else {
            assert_eq!(shown.as_deref(), Some("con la chiave di prima"));
        }
    }
}

#[test]
fn a_readers_entry_does_not_count_although_it_holds_the_key() {
    let mut circle = Circle::new();
    circle.admit(circle.member.organisation(), Role::Reader);
    circle.owner.give(&mut circle.member, &circle.space);
    let honest = circle.member.try_note(&circle.space, "di chi legge");
    assert_eq!(honest, Err(ReplicaError::NotPermitted));

    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 2, 0);
    let entry = new_practice(&member, 1, "di chi legge");
    let run = forger.sign(&entry);
    take(&mut circle.owner, &run).unwrap();
    assert_eq!(circle.owner.title(&circle.space, &entry.record), None);
    assert_eq!(circle.quarantine(), [(member.node_key.id(), 0, QuarantineReason::Unauthorised)]);
}

#[test]
fn an_entry_of_somebody_who_never_was_a_member_is_not_even_kept() {
    let mut circle = Circle::of_contributors();
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    forger.key = circle.outsider.credentials.node_key.clone();
    let run = forger.sign(&new_practice(&circle.outsider.credentials, 1, "da fuori"));
    let before = circle.owner.digests();
    assert_eq!(take(&mut circle.owner, &run), Err(ReplicaError::NotPermitted));
    assert_eq!(circle.owner.digests(), before);
}

#[test]
fn an_entry_waits_for_the_access_log_it_has_seen_and_counts_when_that_arrives() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.admit(circle.outsider.organisation(), Role::Reader);
    circle.owner.give(&mut circle.member, &space);
    let record = circle.member.note(&space, "più avanti");
    // The colleague has not heard of the grant that the member has seen.
    let parcels = circle.member.author_parcels(&space);
    circle.colleague.take_all(&parcels);
    assert_eq!(circle.colleague.title(&space, &record), None);
    let (replica, disk) = (&mut circle.colleague.replica, &circle.colleague.disk);
    assert_eq!(replica.space_view(disk, &space).unwrap().waiting, 1);
    circle.owner.give(&mut circle.colleague, &space);
    assert_eq!(circle.colleague.title(&space, &record).as_deref(), Some("più avanti"));
}

#[test]
fn an_entry_that_saw_an_access_log_nobody_has_never_counts() {
    let mut circle = Circle::of_contributors();
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    forger.access = AccessPoint { head: EntryHash::from_bytes([7; 32]), ..forger.access };
    let entry = new_practice(&member, 1, "altra storia");
    let run = forger.sign(&entry);
    take(&mut circle.owner, &run).unwrap();
    circle.admit(circle.outsider.organisation(), Role::Reader);
    circle.settle();
    assert_eq!(circle.agreed_title(&entry.record), None);
}

#[test]
fn threat_14_a_body_that_does_not_open_hides_nothing_else_of_its_author() {
    let mut circle = Circle::of_contributors();
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    let sound = forger.epoch.1.clone();
    forger.epoch.1 = EpochKey::from_secret(Secret::from_bytes([1; 32]));
    let closed = forger.sign(&new_practice(&member, 1, "illeggibile"));
    forger.epoch.1 = sound;
    let readable = new_practice(&member, 1, "leggibile");
    let open = forger.sign(&readable);
    take(&mut circle.owner, &closed).unwrap();
    take(&mut circle.owner, &open).unwrap();
    circle.settle();
    assert_eq!(circle.agreed_title(&readable.record).as_deref(), Some("leggibile"));
    // It is told apart from what may still open, and no new access entry has it tried again.
    circle.admit(circle.outsider.organisation(), Role::Reader);
    let view = circle.owner.replica.space_view(&circle.owner.disk, &circle.space).unwrap();
    assert_eq!((view.waiting, view.unreadable), (0, 1));
}

#[test]
fn a_record_cannot_be_created_in_the_place_of_somebody_elses() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    let mut entry = new_practice(&member, 1, "usurpata");
    entry.record = derive_id(Kind::Practice, &circle.colleague.id(), [9; 8]);
    let run = forger.sign(&entry);
    take(&mut circle.owner, &run).unwrap();
    assert_eq!(circle.owner.title(&space, &entry.record), None);
    assert_eq!(circle.quarantine(), [(member.node_key.id(), 0, QuarantineReason::Refused)]);
}

#[test]
fn an_owned_record_takes_no_change_of_another_organisation() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let target = sincronia_protocol::replica::WriteTarget::New(Kind::Contact);
    let fields =
        serde_json::json!({ "contact_kind": "casella_funzione", "name": "Ufficio protocollo" });
    let contact = circle.colleague.write(&space, target, &fields).unwrap();
    circle.settle();
    let shown = circle.owner.view(&space, &contact).fields;
    let target = sincronia_protocol::replica::WriteTarget::Existing(contact);
    let honest = circle.member.write(&space, target, &serde_json::json!({ "name": "Altro" }));
    assert!(matches!(honest, Err(ReplicaError::Edit(_))), "{honest:?}");

    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    let history = circle.owner.replica.history(&circle.owner.disk, &space, &contact).unwrap();
    let template = Change::decode(&new_practice(&member, 1, "un titolo").operation).unwrap();
    let change = super::adversary::built_on(&template, &[history[0].origin.entry]);
    let entry = payload(contact, &Change { creation: None, ..change });
    let run = forger.sign(&entry);
    take(&mut circle.owner, &run).unwrap();
    assert_eq!(circle.owner.view(&space, &contact).fields, shown);
    assert_eq!(circle.quarantine(), [(member.node_key.id(), 0, QuarantineReason::Refused)]);
}

#[test]
fn a_members_signature_does_not_extend_the_owners_access_log() {
    let mut circle = Circle::of_contributors();
    let log = circle.owner.access_log(&circle.space);
    let last = log.last().unwrap().statement.clone();
    let member = circle.member.credentials.node_key.clone();
    let mut next = last.clone();
    next.sequence += 1;
    next.previous = last.hash();
    for author in [member.id(), circle.owner.id()] {
        let mut statement = next.clone();
        statement.author = author;
        let entries = vec![statement.sign(&member)];
        let parcel = Parcel::Access { space: circle.space, entries, is_complete: true };
        let expected =
            if author == member.id() { AccessError::Signer } else { AccessError::Signature };
        let before = circle.colleague.digests();
        assert_eq!(circle.colleague.take(&parcel), Err(expected.into()));
        assert_eq!(circle.colleague.digests(), before);
    }
}

#[test]
fn threat_24_a_key_that_the_log_does_not_commit_to_is_not_taken() {
    let mut circle = Circle::of_contributors();
    let keys = keys(&circle.member, &mut circle.owner, &circle.space);
    assert_eq!(keys.len(), 1);
    // The owner itself hands different members different keys for one epoch.
    let (access, keyring) = super::adversary::deceitful_rotation(&mut circle);
    let space = circle.space;
    circle
        .member
        .take(&Parcel::Access { space, entries: vec![access], is_complete: true })
        .unwrap();
    let refused = circle.member.take(&Parcel::Sealed { space, bytes: keyring });
    assert!(matches!(refused, Err(ReplicaError::Keyring(_))), "{refused:?}");
    let refused = circle.member.try_note(&space, "senza chiave");
    assert_eq!(refused, Err(ReplicaError::KeyMissing), "it writes nothing it could not read");
}

#[test]
fn a_creation_that_seals_to_one_node_twice_is_refused() {
    let (owner, credentials) = Organisation::with_node(1);
    let key = EpochKey::from_secret(Secret::from_bytes([1; 32]));
    let space = AccessEntry::space_id(&owner.id(), &[7; 16]);
    let recipient = Recipient { node: credentials.node_key.id(), sealed: [2; 32] };
    let term = owner.identity.primary().unwrap().term;
    let begin = |recipients: Vec<Recipient>| {
        let commitment = key.commitment(space.as_bytes(), 0);
        let rotation = Rotation { epoch: 0, commitment, previous: None, recipients };
        let node = credentials.node_key.id();
        let statement = Access::draft_creation(owner.id(), [7; 16], node, term, rotation);
        Access::begin(&statement.sign(&credentials.node_key), &owner.identities()).map(drop)
    };
    assert_eq!(begin(vec![recipient]), Ok(()));
    assert_eq!(begin(vec![recipient, recipient]), Err(AccessError::Operation));
}

#[test]
fn a_grant_from_now_on_brings_no_key_that_opens_the_past() {
    let (owner, credentials) = Organisation::with_node(1);
    let (guest, _) = Organisation::with_node(2);
    let key = EpochKey::from_secret(Secret::from_bytes([1; 32]));
    let space = AccessEntry::space_id(&owner.id(), &[7; 16]);
    let node = credentials.node_key.id();
    let term = owner.identity.primary().unwrap().term;
    let rotation = |epoch, previous| {
        let commitment = key.commitment(space.as_bytes(), epoch);
        Rotation { epoch, commitment, previous, recipients: Vec::new() }
    };
    let creation = Access::draft_creation(owner.id(), [7; 16], node, term, rotation(0, None));
    let creation = creation.sign(&credentials.node_key);
    let grant = |previous| {
        let mut access = Access::begin(&creation, &owner.identities()).unwrap();
        let operation = AccessOperation::Grant {
            organisation: guest.id(),
            role: Role::Reader,
            history: History::Now,
            recipients: Vec::new(),
            rotation: Some(rotation(1, previous)),
        };
        let entry = access.draft(node, term, operation).sign(&credentials.node_key);
        access.apply(&entry, &owner.identities())
    };
    assert_eq!(grant(None), Ok(()));
    assert_eq!(grant(Some(vec![0; 48])), Err(AccessError::Operation));
}
