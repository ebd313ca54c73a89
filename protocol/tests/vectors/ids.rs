//! Identifiers and key material from seeds, and the text people read.

use super::cast::{root, secret};
use super::golden::Golden;
use sincronia_protocol::access::AccessEntry;
use sincronia_protocol::crypto::{NodeKey, SealingSecret, StorageKey};
use sincronia_protocol::identity::Identity;
use sincronia_protocol::ids::{EntryHash, NodeId, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::{Kind, derive_id, kind_of};

#[test]
fn ids_and_keys_follow_from_their_seeds() {
    let mut golden = Golden::new(
        "Ids and keys. Recovery entropy 32 x 01; node seed 32 x 11; sealing seed 32 x 12; salt \
         16 x 07; record nonce 8 x 09; storage seed 32 x 13.",
    );
    let (first, second) = (root(1, 0).public(), root(1, 1).public());
    let organisation = Identity::organisation_id(&first, &second.commitment());
    let node = NodeKey::from_seed(&secret(0x11)).id();
    let sealing = SealingSecret::from_seed(&secret(0x12));
    let space = AccessEntry::space_id(&organisation, &[7; 16]);
    let record = derive_id(Kind::Convention, &node, [9; 8]);
    golden.hex("root public key, generation 0", first.as_bytes());
    golden.hex("root public key, generation 1", second.as_bytes());
    golden.hex("commitment to the root key of generation 1", second.commitment());
    golden.hex("organisation id", organisation.as_bytes());
    golden.hex("node id", node.as_bytes());
    golden.hex("sealing public key", &sincronia_protocol::codec::encode(sealing.public())[3..]);
    golden.hex("space id", space.as_bytes());
    golden.hex("record id of a convention", record.as_bytes());
    golden.text("organisation", &organisation.to_string());
    golden.text("node", &node.to_string());
    golden.text("space", &space.to_string());
    golden.text("record", &record.to_string());
    golden.text("entry 32 x ab", &EntryHash::from_bytes([0xAB; 32]).to_string());
    let recorded = golden.settle("ids.json");

    let read = |name: &str| recorded.words(name).to_owned();
    let organisation: OrganisationId = read("organisation").parse().unwrap();
    assert_eq!(organisation.as_bytes(), &recorded.array("organisation id"));
    let node: NodeId = read("node").to_uppercase().parse().unwrap();
    assert_eq!(node.as_bytes(), &recorded.array("node id"));
    let space: SpaceId = read("space").parse().unwrap();
    assert_eq!(space.as_bytes(), &recorded.array("space id"));
    let record: RecordId = format!(" {} ", read("record")).parse().unwrap();
    assert_eq!(record.as_bytes(), &recorded.array("record id of a convention"));
    assert_eq!(kind_of(&record), Some(Kind::Convention));
    let entry: EntryHash = read("entry 32 x ab").parse().unwrap();
    assert_eq!(entry, EntryHash::from_bytes([0xAB; 32]));
}

#[test]
fn values_at_rest_open_with_the_key_of_their_seed() {
    let mut golden = Golden::new(
        "A value at rest: storage seed 32 x 13, place is table name, 00 and key, value is \
         `sealed at rest`.",
    );
    let key = StorageKey::from_seed(&secret(0x13));
    let place = [b"keys/1\0".as_slice(), &[1; 40]].concat();
    golden.hex("place", &place);
    golden.hex("sealed", key.seal(&place, b"sealed at rest").unwrap());
    let recorded = golden.settle("at_rest.json");

    let opened = key.open(&recorded.bytes("place"), &recorded.bytes("sealed")).unwrap();
    assert_eq!(opened.as_slice(), b"sealed at rest");
}
