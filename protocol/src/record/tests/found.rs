//! What fuzzing found, each told once.

use super::world::{NONCE, Replica, author, convention, entry, record_id};
use crate::record::{Change, Dependency, Kind, Operation, Record, Value, Verdict};

fn seats(dependencies: Vec<Dependency>, seats: i64) -> Change {
    let operations = vec![Operation::Put { field: 8, value: Value::Integer(seats) }];
    Change { creation: None, dependencies, operations }
}

/// A member writes a change that others receive before what it builds on, then one that builds on
/// nothing and is refused at once, then a third that leaves out the first. Where the first had to
/// wait, the third passed it by behind the refused one and counted; elsewhere the first counted,
/// and the third was refused: two nodes with the same entries showed different numbers for good.
#[test]
fn a_refused_change_lets_nobody_pass_the_one_that_waits() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let creation = replica.entries[0].entry;
    let other = replica.edit(2, serde_json::json!({"seats_total": 20}));
    let waits = seats(vec![Dependency::Entry(other)], 21);
    let refused = Change { creation: None, dependencies: vec![], operations: vec![] };
    let passes = seats(vec![Dependency::Entry(creation)], 22);
    let written = [waits, refused, passes].into_iter().zip(0..);
    replica.entries.extend(written.map(|(change, at)| entry(&author(3), at, change)));
    let late = replica.entries.remove(1);

    let mut pieces = Record::new(record_id(Kind::Convention)).unwrap();
    pieces.extend(replica.entries.clone());
    assert_eq!(pieces.verdict(&replica.entries[3].entry), Some(Verdict::Waiting));
    pieces.extend(vec![late.clone()]);
    replica.entries.push(late);
    let whole = Record::rebuild(pieces.id(), replica.entries.clone()).unwrap();
    assert_eq!(pieces.verdict(&replica.entries[1].entry), Some(Verdict::Applied));
    assert_eq!(pieces.view(), whole.view());
    assert_eq!(pieces.view().fields["seats_total"], 21);
}

/// The same with the change that creates the record: it has its place in its author's log too.
#[test]
fn a_creation_waits_for_what_its_author_wrote_before() {
    let mut replica = Replica::new(Kind::Convention);
    let missing = Dependency::Entry(crate::ids::EntryHash::from_bytes([7; 32]));
    replica.write(&author(1), seats(vec![missing], 1));
    let title = Operation::Put { field: 1, value: Value::Text("Nuda".into()) };
    let creation = Change { creation: Some(NONCE), dependencies: vec![], operations: vec![title] };
    let created = replica.write(&author(1), creation);
    assert_eq!(replica.record.verdict(&created), Some(Verdict::Waiting));
}
