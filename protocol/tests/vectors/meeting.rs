//! Where nodes are, and who is presented to whom.

use super::cast::{Organisation, Seat};
use super::golden::Golden;
use sincronia_protocol::codec;
use sincronia_protocol::identity::AddressRecord;
use sincronia_protocol::replica::Presentation;
use sincronia_protocol::sync::{Addresses, Message};

#[test]
fn nodes_are_found_and_organisations_presented() {
    let mut golden = Golden::new(
        "A node of seed 11 is at /ip4/192.0.2.1/tcp/4001, record number 7; its organisation of \
         entropy 32 x 01 is presented.",
    );
    let organisation = Organisation::found(1, 1);
    let Seat { key, .. } = &organisation.seats[0];
    let addresses = vec!["/ip4/192.0.2.1/tcp/4001".to_owned()];
    let record = AddressRecord::sign(7, &addresses, key);
    let presentation = Presentation {
        name: "Comune di Aulla".into(),
        identity: organisation.entries.clone(),
        addresses: vec![(key.id(), addresses)],
    };
    let messages = [
        ("digest", Message::Addresses(Addresses::Digest([0xD1; 32]))),
        ("numbers", Message::Addresses(Addresses::Numbers(vec![(key.id(), 7)]))),
        ("records", Message::Addresses(Addresses::Records(vec![record.clone()]))),
        ("introductions", Message::Introductions(vec![presentation])),
    ];
    golden.hex("address record", codec::encode(&record));
    for (name, message) in &messages {
        golden.hex(&format!("message of {name}"), message.encode());
    }
    let recorded = golden.settle("meeting.json");

    let read: AddressRecord = codec::decode(&recorded.bytes("address record")).unwrap();
    assert!(read.verify().is_ok());
    for (name, message) in messages {
        let read = Message::decode(&recorded.bytes(&format!("message of {name}"))).unwrap();
        assert_eq!(read, message);
        let is_kept = matches!(name, "records" | "introductions");
        assert_eq!(read.is_acknowledged(), is_kept, "{name}");
    }
}
