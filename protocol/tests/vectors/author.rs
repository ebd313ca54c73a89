//! An author's log: bodies padded and encrypted, headers chained, one signature.

use super::golden::Golden;
use super::space::{Space, authored, epoch_key};
use sincronia_protocol::access::{Branches, Standing};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::Domain;
use sincronia_protocol::ids::EntryHash;
use sincronia_protocol::log::{LogPosition, Payload, Run};
use sincronia_protocol::record::{Author, Authored, Change, Record};

#[test]
fn an_authors_run_opens_and_counts() {
    let space = Space::new();
    let mut golden = Golden::new(
        "Three entries by the contributor of access.json (seeds 21 and 22): two that have seen 3 \
         access entries under epoch 0, one that has seen 6 under epoch 2.",
    );
    golden.hex("origin", space.origin().head.as_bytes());
    for (number, written) in space.written.iter().enumerate() {
        let data = written.header.associated_data();
        let secret = epoch_key(written.header.epoch);
        let key = Domain::BODY_KEY.keyed_hash(secret.secret().expose(), &[&data]);
        golden.hex(&format!("{number} plain"), codec::encode(&written.payload));
        golden.hex(&format!("{number} associated data"), data);
        golden.hex(&format!("{number} body key"), key);
        golden.hex(&format!("{number} body"), &written.body);
        golden.hex(&format!("{number} body hash"), Domain::BODY.hash(&[&written.body]));
        golden.hex(&format!("{number} hash"), written.header.hash(&written.body).as_bytes());
    }
    golden.hex("run", codec::encode(&space.run));
    let recorded = golden.settle("author.json");

    let run: Run = codec::decode(&recorded.bytes("run")).unwrap();
    assert_eq!(run, space.run);
    let origin = EntryHash::from_bytes(recorded.array("origin"));
    let verified = run.verify(LogPosition { length: 0, head: origin }).unwrap();
    let member = space.member.id();
    let author = Author { node: space.member.seats[0].id(), organisation: member, grant: 2 };
    let mut entries: Vec<Authored> = Vec::new();
    for (number, entry) in verified.entries().iter().enumerate() {
        assert_eq!(entry.hash.as_bytes(), &recorded.array(&format!("{number} hash")));
        let data = recorded.bytes(&format!("{number} associated data"));
        assert_eq!(entry.header.associated_data(), data);
        let body = recorded.bytes(&format!("{number} body"));
        let text = epoch_key(entry.header.epoch).open_body(&data, &body).unwrap();
        assert_eq!(text, recorded.bytes(&format!("{number} plain")));
        let payload = Payload::decode(&text).unwrap();
        let change = Change::decode(&payload.operation).unwrap();
        entries.push(authored(&entry.header, &body, &payload, &author, change));
    }
    let branches = Branches::from(space.access.clone());
    let standings = verified.entries().iter().map(|one| branches.standing(&member, &one.header));
    let (counts, late) = (Standing::Counts { grant: 2 }, Standing::BeyondCut { grant: 2 });
    assert_eq!(standings.collect::<Vec<_>>(), [counts, counts, late]);
    let record = Record::rebuild(space.written[0].payload.record, entries).unwrap();
    let view = serde_json::to_value(record.view()).unwrap();
    assert_eq!(view["fields"]["title"], "Una scheda per tutti");
    assert_eq!(view["fields"]["maturity"], "adottata");
}

#[test]
fn bodies_are_padded_to_few_sizes() {
    let mut golden = Golden::new(
        "Sealed bodies under the key 32 x e0 with the header `header`, of so many bytes 41; the \
         large ones as their hash in the domain body.",
    );
    let lengths = [0_usize, 1, 95, 96, 1_000, 65_536];
    for length in lengths {
        let body = epoch_key(0).seal_body(b"header", &vec![0x41; length]).unwrap();
        golden.text(&format!("{length}: sealed size"), &body.len().to_string());
        golden.hex(&format!("{length}: hash"), Domain::BODY.hash(&[&body]));
        if length < 1_000 {
            golden.hex(&format!("{length}: body"), body);
        }
    }
    let recorded = golden.settle("padding.json");
    for length in lengths.into_iter().filter(|length| *length < 1_000) {
        let body = recorded.bytes(&format!("{length}: body"));
        assert_eq!(epoch_key(0).open_body(b"header", &body).unwrap(), vec![0x41; length]);
    }
}
