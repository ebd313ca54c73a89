//! Where nodes are, and who is presented to whom.

use super::cast::{Organisation, Seat};
use super::golden::Golden;
use sincronia_protocol::codec;
use sincronia_protocol::identity::{Beacon, BeaconContent};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::replica::Presentation;
use sincronia_protocol::sync::{Beacons, Message};
use sincronia_protocol::time::Timestamp;

#[test]
fn nodes_are_found_and_organisations_presented() {
    let mut golden = Golden::new(
        "A node of seed 11 is at /ip4/192.0.2.1/tcp/4001, record number 7; its organisation of \
         entropy 32 x 01 is presented.",
    );
    let organisation = Organisation::found(1, 1);
    let Seat { key, .. } = &organisation.seats[0];
    let addresses = vec!["/ip4/192.0.2.1/tcp/4001".to_owned()];
    let lengths = vec![(Beacon::tag(&key.id(), &SpaceId::from_bytes([0x5A; 32])), 12)];
    let (at, running) = (Timestamp::from_milliseconds(6), [0xB0; 16]);
    let content = BeaconContent { at, running, addresses: addresses.clone(), lengths };
    let beacon = Beacon::sign(7, content, key);
    let presentation = Presentation {
        name: "Comune di Aulla".into(),
        identity: organisation.entries.clone(),
        addresses: vec![(key.id(), addresses)],
    };
    let messages = [
        ("digest", Message::Beacons(Beacons::Digest([0xD1; 32]))),
        ("numbers", Message::Beacons(Beacons::Numbers(vec![(key.id(), 7)]))),
        ("records", Message::Beacons(Beacons::Records(vec![beacon.clone()]))),
        ("introductions", Message::Introductions(vec![presentation])),
    ];
    golden.hex("beacon", codec::encode(&beacon));
    for (name, message) in &messages {
        golden.hex(&format!("message of {name}"), message.encode());
    }
    let recorded = golden.settle("meeting.json");

    let read: Beacon = codec::decode(&recorded.bytes("beacon")).unwrap();
    assert!(read.verify().is_ok());
    for (name, message) in messages {
        let read = Message::decode(&recorded.bytes(&format!("message of {name}"))).unwrap();
        assert_eq!(read, message);
        let is_kept = matches!(name, "records" | "introductions");
        assert_eq!(read.is_acknowledged(), is_kept, "{name}");
    }
}
