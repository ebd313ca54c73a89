//! What another machine of an organisation asks, is given, and is handed.

use super::cast::{Organisation, Seat};
use super::golden::Golden;
use super::space::Space;
use sincronia_protocol::access::Keyring;
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{EpochKey, Secret};
use sincronia_protocol::identity::{Admission, IdentityOperation, NodeRequest};
use sincronia_protocol::replica::{PartnerRecord, Trust};
use sincronia_protocol::sync::{Handover, Message};
use sincronia_protocol::time::Timestamp;

fn keyring() -> Keyring {
    let key = |byte| EpochKey::from_secret(Secret::from_bytes([byte; 32]));
    Keyring { keys: vec![(1, key(0xE1)), (4, key(0xE4))] }
}

#[test]
fn another_machine_is_admitted_and_handed_its_keys() {
    let mut golden = Golden::new(
        "Another machine. Organisation of entropy 32 x 01 with a node of seeds 11 and 12; the \
         machine has seeds 13 and 14. A handover of the keys e1… of epoch 1 and e4… of epoch 4.",
    );
    let mut organisation = Organisation::found(1, 1);
    let seat = Seat::new(0x13);
    let sealing = seat.sealing.public();
    let request = NodeRequest::sign(organisation.id(), &seat.key, sealing.clone());
    organisation.say(IdentityOperation::AddNode { admission: request.admission.clone() });
    let address = vec!["/ip4/192.0.2.1/tcp/4001".to_owned()];
    let addresses = vec![(organisation.seats[0].id(), address)];
    let admission =
        Admission::new("Comune di Aulla".into(), organisation.entries.clone(), addresses.clone());
    let space = Space::new().id();
    let sealed = keyring().seal_handover(&space, 4, &seat.id(), sealing).unwrap();
    let record = PartnerRecord {
        organisation: organisation.id(),
        name: "Comune di Aulla".into(),
        trust: Trust::Verified,
        decision: 2,
        joined_at: Timestamp::from_milliseconds(1_767_225_600_000),
        addresses,
    };
    let messages = [
        ("keys", Handover::Keys { space, epoch: 4, sealed: sealed.clone() }),
        ("partners", Handover::Partners(vec![record])),
        ("directory", Handover::Directory(space)),
    ];
    golden.hex("request", codec::encode(&request));
    golden.text("request as text", &request.to_text());
    golden.hex("admission", codec::encode(&admission));
    golden.hex("space", space.as_bytes());
    golden.hex("context of the handover", codec::encode(&(space, 4_u64, seat.id())));
    golden.hex("sealed handover", &sealed);
    for (name, handover) in &messages {
        golden.hex(&format!("message of {name}"), Message::Handover(handover.clone()).encode());
    }
    let recorded = golden.settle("machines.json");

    let text = recorded.words("request as text");
    assert_eq!(NodeRequest::from_text(text).as_ref(), Ok(&request));
    let read = Admission::from_text(&admission.to_text()).unwrap();
    assert_eq!(codec::encode(&read), recorded.bytes("admission"));
    assert!(read.check(&organisation.id(), &seat.id()).is_ok());
    let bytes = recorded.bytes("sealed handover");
    let opened = Keyring::open_handover(&seat.sealing, &space, 4, &seat.id(), &bytes).unwrap();
    assert_eq!(opened.keys, keyring().keys);
    assert!(Keyring::open(&seat.sealing, &space, 4, &seat.id(), &bytes).is_err());
    for (name, handover) in messages {
        let message = Message::decode(&recorded.bytes(&format!("message of {name}"))).unwrap();
        assert_eq!(message, Message::Handover(handover));
        assert!(message.is_acknowledged());
    }
}
