//! Every byte of what travels is authenticated: one bit changed anywhere, and it is refused.

use super::circle::Circle;
use super::organisation::Node;
use super::parcel::Parcel;
use sincronia_protocol::access::{AccessEntry, History, Role};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::Signature;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::log::Run;
use sincronia_protocol::storage::{Batch, Table};

/// Whether a node refuses these bytes as an access entry, and stays as it was.
fn refuses_access(node: &mut Node, space: &SpaceId, bytes: &[u8]) -> bool {
    let Ok(entry) = codec::decode::<AccessEntry>(bytes) else { return true };
    let before = node.digests();
    let parcel = Parcel::Access { space: *space, entries: vec![entry], is_complete: false };
    node.take(&parcel).is_err() && node.digests() == before
}

/// A log with every operation there is.
fn every_operation() -> (Circle, Vec<AccessEntry>) {
    let mut circle = Circle::of_contributors();
    let (space, outsider) = (circle.space, circle.outsider.organisation());
    circle.member.note(&space, "per avere un taglio");
    circle.settle();
    circle.owner.grant(&space, outsider, Role::Carrier, History::Start).unwrap();
    circle.owner.grant(&space, outsider, Role::Reader, History::Now).unwrap();
    circle.remove_member();
    let node = circle.outsider.id();
    circle.owner.act(|replica, disk, random| replica.cut_node(disk, &space, node, random)).unwrap();
    circle.owner.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    let log = circle.owner.access_log(&space);
    (circle, log)
}

#[test]
fn threat_20_every_byte_of_every_access_operation_is_authenticated() {
    let (circle, log) = every_operation();
    assert_eq!(log.len(), 8);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut fresh = Node::start(&circle.colleague.credentials, &known);
    for entry in &log {
        let bytes = codec::encode(entry);
        for place in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[place] ^= 1 << (place % 8);
            let sequence = entry.statement.sequence;
            assert!(
                refuses_access(&mut fresh, &circle.space, &tampered),
                "entry {sequence}, byte {place} of {}",
                bytes.len()
            );
        }
        let parcel = Parcel::Access {
            space: circle.space,
            entries: vec![entry.clone()],
            is_complete: false,
        };
        fresh.take(&parcel).expect("the honest entry");
    }
}

#[test]
fn threat_20_every_byte_of_a_sealed_keyring_is_authenticated() {
    let mut circle = Circle::new();
    let space = circle.space;
    circle.admit(circle.member.organisation(), Role::Contributor);
    let parcels = circle.owner.access_parcels(&space, &circle.member.organisation());
    for parcel in &parcels {
        if !matches!(parcel, Parcel::Sealed { .. }) {
            circle.member.take(parcel).unwrap();
        }
    }
    let Some(Parcel::Sealed { bytes, .. }) = parcels.last() else { panic!("one keyring") };
    for place in 0..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[place] ^= 1 << (place % 8);
        let refused = circle.member.take(&Parcel::Sealed { space, bytes: tampered });
        assert!(refused.is_err(), "byte {place}");
    }
    circle.member.take(&Parcel::Sealed { space, bytes: bytes.clone() }).unwrap();
    circle.member.note(&space, "con la chiave vera");
}

#[test]
fn threat_20_every_byte_of_a_run_is_authenticated_by_the_replica() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "prima riga");
    circle.member.note(&space, "seconda riga");
    let run =
        circle.member.replica.read_run(&circle.member.disk, &space, &circle.member.id(), 0, 9_999);
    let bytes = codec::encode(&run.unwrap().unwrap());
    let before = circle.owner.digests();
    for place in 0..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[place] ^= 1 << (place % 8);
        if let Ok(run) = codec::decode::<Run>(&tampered) {
            assert!(circle.owner.take(&Parcel::Run(run)).is_err(), "byte {place}");
        }
        assert_eq!(circle.owner.digests(), before, "byte {place}");
    }
    circle.owner.take(&Parcel::Run(codec::decode(&bytes).unwrap())).unwrap();
    assert_ne!(circle.owner.digests(), before);
}

#[test]
fn what_came_before_a_tampered_entry_is_kept_and_compared() {
    let (circle, log) = every_operation();
    let known: Vec<_> = circle.organisations.iter().collect();
    let [mut steady, mut hurried] =
        [0, 1].map(|_| Node::start(&circle.colleague.credentials, &known));
    let space = circle.space;
    let first = Parcel::Access { space, entries: vec![log[0].clone()], is_complete: false };
    for node in [&mut steady, &mut hurried] {
        node.take(&first).unwrap();
    }
    let mut entries = log[1..5].to_vec();
    let sound = Parcel::Access { space, entries: entries[..3].to_vec(), is_complete: false };
    steady.take(&sound).unwrap();
    entries[3].statement.term = 7;
    let broken = Parcel::Access { space, entries, is_complete: false };
    assert!(hurried.take(&broken).is_err());
    assert_eq!(hurried.digests(), steady.digests(), "the digest says what is here");
    hurried.restart();
    assert_eq!(hurried.digests(), steady.digests());
}

#[test]
fn a_signature_changed_on_the_disk_is_found_by_verification() {
    let mut circle = Circle::of_contributors();
    let mut batch = Batch::default();
    let log = circle.owner.access_log(&circle.space);
    let mut entry = log.last().unwrap().clone();
    let mut signature = *entry.signature.as_bytes();
    signature[5] ^= 1;
    entry.signature = Signature::from_bytes(signature);
    let stored = circle.member.disk.values(Table::Access);
    let key = stored.last().map(|(key, _)| key.to_vec()).unwrap();
    batch.put(Table::Access, key, codec::encode(&entry));
    circle.member.disk.commit(&batch);
    let findings = circle.member.replica.verify(&circle.member.disk, false).unwrap();
    assert_eq!(findings.problems.len(), 1, "{findings:?}");
    assert!(findings.problems[0].contains("access"), "{findings:?}");
}
