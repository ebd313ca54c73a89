//! Every message of a sync session, as framed on the stream.

use super::golden::Golden;
use super::space::Space;
use sincronia_protocol::ids::EntryHash;
use sincronia_protocol::limits::FRAME_BYTES_MAX;
use sincronia_protocol::log::LogPosition;
use sincronia_protocol::replica::SpaceHeads;
use sincronia_protocol::sync::{Hello, Message, VERSION_MAX, VERSION_MIN};

/// The frame of a message: its length in four bytes, then the message.
fn framed(message: &Message) -> Vec<u8> {
    let bytes = message.encode();
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat()
}

/// The message of a frame.
fn unframed(frame: &[u8]) -> &[u8] {
    let (length, message) = frame.split_at(4);
    let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
    assert_eq!(length, message.len());
    assert!(length > 0 && length <= FRAME_BYTES_MAX);
    message
}

fn heads(space: &Space) -> SpaceHeads {
    let node = space.member.seats[0].id();
    let position = LogPosition { length: 3, head: EntryHash::from_bytes([0xAA; 32]) };
    SpaceHeads {
        space: space.id(),
        access: space.access.position(),
        authors: vec![(node, position)],
        lacking: vec![[0xBB; 32].into()],
        forks: vec![(node, 2)],
        is_farewell: false,
        receipts: Vec::new(),
        ends: Vec::new(),
        missing: Vec::new(),
    }
}

fn messages() -> Vec<(&'static str, Message)> {
    let space = Space::new();
    let organisation = space.owner.id();
    let entry = space.owner.entries[3].clone();
    let stands = space.owner.identity.position();
    let keyrings = vec![space.sealed[0].bytes.clone().into()];
    let hello = Hello {
        version_min: VERSION_MIN,
        version_max: VERSION_MAX,
        organisation,
        own_identity: stands,
        known_identity: LogPosition::START,
        addresses: vec!["/ip4/192.0.2.1/tcp/4001".to_owned()],
    };
    let of_space = space.id();
    let entries = vec![space.entries[3].clone()];
    vec![
        ("0 hello", Message::Hello(hello)),
        ("1 identities", Message::Identities(vec![entry])),
        ("2 reconcile", Message::Reconcile { first: true, bytes: vec![0x61] }),
        ("3 resolve", Message::Resolve(vec![[0xDD; 32].into()])),
        ("4 heads", Message::Heads { is_answer: false, heads: vec![heads(&space)] }),
        ("4 heads of a space that is not here", absent(&space)),
        (
            "5 identity heads",
            Message::IdentityHeads { is_answer: true, heads: vec![(organisation, stands)] },
        ),
        ("6 asked", Message::Asked),
        ("7 access", Message::Access { space: of_space, entries, is_complete: true }),
        ("8 sealed", Message::Sealed { space: of_space, keyrings }),
        ("9 run", Message::Run(space.run.clone())),
        ("10 acknowledge", Message::Acknowledge(300)),
        ("11 done", Message::Done),
        ("12 compared", Message::Compared(0)),
        ("13 goodbye", Message::Goodbye("the partner stopped answering".to_owned())),
    ]
}

fn absent(space: &Space) -> Message {
    Message::Heads { is_answer: true, heads: vec![SpaceHeads::absent(space.id())] }
}

#[test]
fn every_message_has_one_frame() {
    let mut golden = Golden::new(
        "Frames of the sync stream: length in four bytes, big-endian, then the message.",
    );
    for (name, message) in messages() {
        golden.hex(name, framed(&message));
    }
    let recorded = golden.settle("messages.json");
    for (name, message) in messages() {
        let read = Message::decode(unframed(&recorded.bytes(name))).unwrap();
        assert_eq!(read, message, "{name}");
        let acknowledged = ["1 ", "7 ", "8 ", "9 "].iter().any(|start| name.starts_with(start));
        assert_eq!(read.is_acknowledged(), acknowledged, "{name}");
    }
}
