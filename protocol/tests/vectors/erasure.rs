//! An erasure: its access entry, the run without a body, and receipts as they travel.

use super::golden::Golden;
use super::space::Space;
use sincronia_protocol::access::{
    AccessEntry, AccessOperation, Confirmation, ErasedEntries, Receipt,
};
use sincronia_protocol::codec;
use sincronia_protocol::log::Run;
use sincronia_protocol::replica::SpaceHeads;
use sincronia_protocol::sync::Message;

/// The owner erases the record of `author.json`, of whose three entries it knows the first two.
fn erasure(space: &Space) -> AccessEntry {
    let record = space.written[0].payload.record;
    let node = space.member.seats[0].id();
    let entries = ErasedEntries::gather([(node, 0), (node, 1)]);
    let primary = space.owner.identity.primary().unwrap();
    let operation = AccessOperation::Erase { record, entries };
    let statement = space.access.draft(primary.node, primary.term, operation);
    statement.sign(&space.owner.seats[0].key)
}

#[test]
fn an_erasure_its_run_and_its_receipt() {
    let space = Space::new();
    let mut access = space.access.clone();
    let entry = erasure(&space);
    access.apply(&entry, &space.owner.identities()).unwrap();
    // Of a log that was found forked one entry is named by its hash.
    let third = space.run.clone().verify(space.origin()).unwrap().entries()[2].clone();
    let forked = [(third.header.author, third.header.sequence, third.hash)];
    let named = ErasedEntries::with_forked(Vec::new(), forked);
    let mut run = space.run.clone();
    for entry in run.entries.iter_mut().take(2) {
        entry.body = entry.body.erased();
    }
    let seat = &space.member.seats[0];
    let confirmation = Confirmation { node: seat.id(), number: 0, access: access.position() };
    let receipt = Receipt::sign(space.id(), confirmation, &seat.key);
    let heads = SpaceHeads { receipts: vec![confirmation], ..SpaceHeads::absent(space.id()) };
    let missing = vec![(seat.id(), 1, 3)];
    let lacking = SpaceHeads { missing, ..SpaceHeads::absent(space.id()) };
    let message = Message::Receipts { space: space.id(), receipts: vec![receipt.clone()] };

    let mut golden = Golden::new(
        "The owner of access.json erases, in the next entry, the record of author.json, naming its \
         first two entries; the contributor's node (seed 21) confirms.",
    );
    golden.hex("access entry", codec::encode(&entry));
    golden.hex("access entry: hash", entry.statement.hash().as_bytes());
    golden.hex("the third entry of author.json, named by its hash", codec::encode(&named));
    golden.hex("run of author.json without its first two bodies", codec::encode(&run));
    golden.hex("receipt", codec::encode(&receipt));
    golden.hex("heads with the receipt", codec::encode(&heads));
    golden.hex("message 14", message.encode());
    golden.hex("heads with missing bodies", codec::encode(&lacking));
    let recorded = golden.settle("erasure.json");

    let read: AccessEntry = codec::decode(&recorded.bytes("access entry")).unwrap();
    let mut again = space.access.clone();
    again.apply(&read, &space.owner.identities()).unwrap();
    assert_eq!(again, access);
    let node = seat.id();
    assert!(again.erasures().touches(&node, 1) && !again.erasures().touches(&node, 2));
    let name = "the third entry of author.json, named by its hash";
    assert_eq!(codec::decode(&recorded.bytes(name)), Ok(named));
    let name = "run of author.json without its first two bodies";
    let run: Run = codec::decode(&recorded.bytes(name)).unwrap();
    let verified = run.verify(space.origin()).unwrap();
    let whole = space.run.clone().verify(space.origin()).unwrap();
    assert_eq!(verified.end(), whole.end(), "the chain and its signature hold without bodies");
    let receipt: Receipt = codec::decode(&recorded.bytes("receipt")).unwrap();
    assert_eq!((receipt.verify(), receipt.confirmation), (Ok(()), confirmation));
    let read: SpaceHeads = codec::decode(&recorded.bytes("heads with the receipt")).unwrap();
    assert_eq!(read, heads);
    let read: SpaceHeads = codec::decode(&recorded.bytes("heads with missing bodies")).unwrap();
    assert_eq!(read, lacking);
    let read = Message::decode(&recorded.bytes("message 14")).unwrap();
    assert!(read == message && read.is_acknowledged());
}
