//! An access log with every operation, and the keys that travel with it.

use super::cast::{Organisation, Seat};
use super::golden::Golden;
use super::space::{NAMES, Space, epoch_key};
use sincronia_protocol::access::{
    Access, AccessEntry, AccessOperation, Keyring, Role, sealed_hash,
};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::EpochKey;
use sincronia_protocol::ids::{NodeId, SpaceId};

#[test]
fn an_access_log_of_every_operation() {
    let space = Space::new();
    let mut golden = Golden::new(
        "An access log. Owner of entropy 32 x 01 with nodes of seeds 11 and 13, contributor and \
         then leaver 02, carrier 03, reader 04; salt 16 x 07; key of epoch n is 32 x (e0 + n).",
    );
    for (name, entry) in NAMES.iter().zip(&space.entries) {
        golden.hex(&format!("{name}: entry"), codec::encode(entry));
        golden.hex(&format!("{name}: hash"), entry.statement.hash().as_bytes());
    }
    // What the owner says of a log in addition to a cut: here of that of author.json.
    let end = space.run.clone().verify(space.origin()).unwrap().end();
    let node = space.member.seats[0].id();
    let settle = AccessOperation::Settle { node, places: vec![end] };
    golden.hex("settle: operation", codec::encode(&settle));
    let recorded = golden.settle("access.json");

    let read = |name: &&str| codec::decode(&recorded.bytes(&format!("{name}: entry"))).unwrap();
    let entries: Vec<AccessEntry> = NAMES.iter().map(read).collect();
    let mut access = Access::begin(&entries[0], &space.owner.identities()).unwrap();
    for entry in &entries[1..] {
        access.apply(entry, &space.owner.identities()).unwrap();
    }
    assert_eq!(access, space.access);
    assert_eq!(access.position().head.as_bytes(), &recorded.array(&last_hash()));
    assert_eq!(access.role(&space.member.id()), Some(Role::Reader));
    assert_eq!(access.role(&space.carrier.id()), Some(Role::Carrier));
    assert_eq!((access.epoch(), access.cut_nodes().len()), (4, 1));
    assert_eq!(codec::decode(&recorded.bytes("settle: operation")), Ok(settle.clone()));
    let primary = space.owner.identity.primary().unwrap();
    let statement = access.draft(primary.node, primary.term, settle);
    let mut settled = access.clone();
    settled.apply(&statement.sign(&space.owner.seats[0].key), &space.owner.identities()).unwrap();
    assert_eq!(settled.settled_at(&node), Some(end));
}

fn last_hash() -> String {
    format!("{}: hash", NAMES[8])
}

#[test]
fn keyrings_open_and_lead_to_every_key() {
    let space = Space::new();
    let mut golden = Golden::new(
        "Keyrings sealed in the log of access.json, named by position and node seed; randomness \
         of the n-th is the ChaCha20 key stream of 32 x n. Then what is bound to them.",
    );
    for sealed in &space.sealed {
        let name = keyring_name(&space, sealed.position, &sealed.node);
        golden.hex(&name, &sealed.bytes);
        golden.hex(&format!("{name}: hash"), sealed_hash(&sealed.bytes));
    }
    let node = space.member.seats[0].id();
    golden.hex("context at 8", codec::encode(&(space.id(), 8_u64, node)));
    golden.hex("plain text at 8", plain(&[0, 4]));
    golden.hex("wrap context of epoch 2", codec::encode(&(space.id(), 2_u64)));
    let context = codec::encode(&(space.id(), 2_u64));
    golden.hex("key of epoch 1 wrapped", epoch_key(2).wrap(&context, &epoch_key(1)).unwrap());
    for epoch in 0..5 {
        let commitment = epoch_key(epoch).commitment(space.id().as_bytes(), epoch);
        golden.hex(&format!("commitment of epoch {epoch}"), codec::encode(&commitment));
    }
    let recorded = golden.settle("keyrings.json");

    for sealed in &space.sealed {
        let bytes = recorded.bytes(&keyring_name(&space, sealed.position, &sealed.node));
        let seat = seat_of(&space, &sealed.node);
        let opened = open(&seat, &space.id(), sealed.position, &bytes);
        for (epoch, key) in &opened.keys {
            let commitment = space.access.epoch_at(*epoch).unwrap().commitment;
            assert_eq!(key.commitment(space.id().as_bytes(), *epoch), commitment);
            let name = format!("commitment of epoch {epoch}");
            assert_eq!(codec::encode(&commitment), recorded.bytes(&name));
        }
    }
    unwraps_back_to(1, &space);
    let context = recorded.bytes("wrap context of epoch 2");
    let wrapped = recorded.bytes("key of epoch 1 wrapped");
    assert_eq!(epoch_key(2).unwrap(&context, &wrapped), Ok(epoch_key(1)));
    let seat = &space.member.seats[0];
    let bytes = recorded.bytes(&keyring_name(&space, 8, &seat.id()));
    let text = seat.sealing.open(&recorded.bytes("context at 8"), &bytes).unwrap();
    assert_eq!(text.as_slice(), recorded.bytes("plain text at 8"));
}

/// The plain text of a keyring, written by hand as the document tells it.
fn plain(epochs: &[u8]) -> Vec<u8> {
    let head = 0x80 + u8::try_from(epochs.len()).unwrap();
    let key = |epoch: &u8| [&[0x82, *epoch, 0x58, 32][..], &[0xE0 + epoch; 32]].concat();
    [vec![head], epochs.iter().flat_map(key).collect()].concat()
}

/// Whoever holds the last key reads back to where history starts afresh.
fn unwraps_back_to(first: u64, space: &Space) {
    let mut key = epoch_key(4);
    for epoch in (first + 1..5).rev() {
        let wrapped = space.access.epoch_at(epoch).unwrap().previous.clone().unwrap();
        let context = codec::encode(&(space.id(), epoch));
        key = key.unwrap(&context, &wrapped).unwrap();
    }
    assert_eq!(key, epoch_key(first));
    assert_eq!(space.access.epoch_at(first).unwrap().previous, None);
}

fn open(seat: &Seat, space: &SpaceId, position: u64, bytes: &[u8]) -> Keyring {
    let opened = Keyring::open(&seat.sealing, space, position, &seat.id(), bytes).unwrap();
    assert!(Keyring::open(&seat.sealing, space, position + 1, &seat.id(), bytes).is_err());
    let key = |(epoch, key): &(u64, EpochKey)| *key == epoch_key(*epoch);
    assert!(opened.keys.iter().all(key));
    opened
}

fn everyone(space: &Space) -> [&Organisation; 4] {
    [&space.owner, &space.member, &space.carrier, &space.reader]
}

fn seat_of(space: &Space, node: &NodeId) -> Seat {
    let mut seats = everyone(space).into_iter().flat_map(|one| &one.seats);
    seats.find(|seat| seat.id() == *node).unwrap().clone()
}

fn keyring_name(space: &Space, position: u64, node: &NodeId) -> String {
    let of = |one: &&Organisation| one.seats.iter().any(|seat| seat.id() == *node);
    let number = everyone(space).into_iter().find(of).unwrap().number;
    format!("{position} to a node of organisation {number}")
}
