//! What a hostile member may try, each refused by name, fast, and without touching the record.

use super::world::{NONCE, Replica, author, convention, edits, entry, record_id};
use crate::ids::{EntryHash, NodeId, OrganisationId};
use crate::limits::{CHANGE_DEPENDENCIES_MAX, CHANGE_OPERATIONS_MAX};
use crate::record::gate::effort;
use crate::record::{
    Author, Authored, Change, Dependency, Fault, GateError, Kind, Operation, Record, Reference,
    Value, Verdict, derive_id,
};
use serde_json::json;

const TITLE: u16 = 1;
const PARTIES: u16 = 4;
const SEATS: u16 = 8;
const TAGS: u16 = 30;
const NOTES: u16 = 31;

/// Judges a change that author 2 builds on the creation, and checks that nothing else moved.
fn refused(operations: Vec<Operation>) -> GateError {
    let mut replica = Replica::with(Kind::Convention, convention());
    let head = replica.entries[0].entry;
    let before = replica.record.view();
    let dependencies = vec![Dependency::Entry(head)];
    let hash = replica.write(&author(2), Change { creation: None, dependencies, operations });
    let after = replica.record.view();
    assert_eq!(after.fields, before.fields);
    assert_eq!(after.conflicts, before.conflicts);
    replica.record.self_check().unwrap();
    verdict(&replica.record, &hash)
}

fn verdict(record: &Record, hash: &EntryHash) -> GateError {
    match record.verdict(hash) {
        Some(Verdict::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn put(field: u16, value: Value) -> Operation {
    Operation::Put { field, value }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn title(value: &str) -> Vec<Operation> {
    vec![put(TITLE, text(value))]
}

#[test]
fn threat_11_nothing_outside_the_schema() {
    let invalid = |field, fault| GateError::ValueInvalid { field, fault };
    let cases = [
        (vec![], GateError::Empty),
        (vec![put(999, text("x"))], GateError::FieldUnknown { field: 999 }),
        (vec![put(0, text("x"))], GateError::FieldUnknown { field: 0 }),
        (vec![put(TITLE, Value::Integer(1))], invalid(TITLE, Fault::WrongType)),
        (vec![put(TITLE, text(&"x".repeat(201)))], invalid(TITLE, Fault::TooLong)),
        (vec![put(TITLE, text("\u{1b}[2J"))], invalid(TITLE, Fault::ControlCharacters)),
        (vec![put(TITLE, text("\u{202e}"))], invalid(TITLE, Fault::ControlCharacters)),
        (vec![put(TITLE, Value::List(vec![]))], invalid(TITLE, Fault::WrongType)),
        (vec![put(SEATS, Value::Integer(i64::MIN))], invalid(SEATS, Fault::OutOfRange)),
        (vec![put(3, text("contratto"))], invalid(3, Fault::UnknownCode)),
        (vec![put(6, text("2026-02-30"))], invalid(6, Fault::NotADate)),
        (vec![put(17, text("a b"))], invalid(17, Fault::NotAReference)),
        (vec![put(PARTIES, Value::Struct(vec![]))], invalid(PARTIES, Fault::WrongType)),
        (
            vec![put(PARTIES, Value::List(vec![Value::Struct(vec![(99, text("x"))])]))],
            invalid(PARTIES, Fault::UnknownPart),
        ),
        (
            vec![put(PARTIES, Value::List(vec![Value::Struct(vec![]); 61]))],
            invalid(PARTIES, Fault::TooMany),
        ),
        (vec![put(TAGS, text("x"))], invalid(TAGS, Fault::WrongType)),
        (vec![put(TAGS, Value::Null)], invalid(TAGS, Fault::WrongType)),
        (vec![put(NOTES, Value::Null)], invalid(NOTES, Fault::WrongType)),
        (vec![put(TAGS, Value::List(vec![text("b"), text("a")]))], invalid(TAGS, Fault::Repeated)),
    ];
    for (operations, expected) in cases {
        assert_eq!(refused(operations.clone()), expected, "{operations:?}");
    }
}

#[test]
fn nothing_against_the_past() {
    let missing = GateError::ReferenceUnknown { field: NOTES };
    let splice = |counter, actor| Operation::Splice {
        field: NOTES,
        after: Some(Reference { counter, actor }),
        text: "x".into(),
    };
    let erase = |counter, count| Operation::Erase {
        field: NOTES,
        first: Reference { counter, actor: 0 },
        count,
    };
    let first = notes_start();
    let length = 21;
    let cases = [
        (vec![splice(1, 0)], missing),
        (vec![splice(first, 1)], missing),
        (vec![splice(first, u32::MAX)], missing),
        (vec![splice(u64::MAX, 0)], missing),
        (vec![erase(u64::MAX - 1, 900)], missing),
        (vec![erase(first - 1, 1)], missing),
        (vec![erase(first, length + 1)], missing),
        (vec![erase(first, 0)], GateError::Empty),
        (vec![erase(first, u32::MAX)], GateError::OperationsMany),
        (vec![erase(first, 2), erase(first + 1, 1)], GateError::FieldRepeated { field: NOTES }),
        (
            vec![Operation::Remove { field: TAGS, element: "ignoto".into() }],
            GateError::ElementMissing { field: TAGS },
        ),
        (
            vec![Operation::Add { field: TITLE, element: "x".into() }],
            GateError::OperationMisplaced { field: TITLE },
        ),
        (
            vec![Operation::Splice { field: TAGS, after: None, text: "x".into() }],
            GateError::OperationMisplaced { field: TAGS },
        ),
        (
            vec![Operation::Splice { field: NOTES, after: None, text: String::new() }],
            GateError::Empty,
        ),
        (vec![put(TITLE, text("uno")), put(TITLE, text("due"))], repeated(TITLE)),
        (vec![put(TAGS, Value::List(vec![])), add("x")], repeated(TAGS)),
        (vec![add("x"), put(TAGS, Value::List(vec![]))], repeated(TAGS)),
        (vec![add("x"), add("x")], repeated(TAGS)),
    ];
    for (operations, expected) in cases {
        assert_eq!(refused(operations.clone()), expected, "{operations:?}");
    }
}

fn repeated(field: u16) -> GateError {
    GateError::FieldRepeated { field }
}

fn add(element: &str) -> Operation {
    Operation::Add { field: TAGS, element: element.into() }
}

/// The number of the first element of the notes of the example.
fn notes_start() -> u64 {
    let mut replica = Replica::with(Kind::Convention, convention());
    replica.edit(1, json!({"notes": "a rivedere a giugno."}));
    let erased =
        replica.entries[1].change.operations.iter().find_map(|operation| match operation {
            Operation::Erase { first, .. } => Some(first.counter),
            _ => None,
        });
    erased.unwrap()
}

#[test]
fn threat_07_bombs_are_refused_before_they_unfold() {
    let many = vec![put(TITLE, text("x")); CHANGE_OPERATIONS_MAX];
    let pages = |count: usize| {
        (0..count).map(|_| Operation::Splice { field: NOTES, after: None, text: "y".repeat(200) })
    };
    let wide = Value::List(vec![Value::Struct(vec![(1, text("a"))]); 60]);
    let most = CHANGE_OPERATIONS_MAX as u64;
    let wrong = GateError::ValueInvalid { field: PARTIES, fault: Fault::WrongType };
    // What each is refused for, and after how much of it was unfolded: nothing more is built or
    // kept for a bomb than for the largest change that may be.
    let bombs = [
        (many, repeated(TITLE), 2),
        (pages(300).collect(), GateError::OperationsMany, most + 1),
        (vec![put(PARTIES, Value::List(vec![wide; 60]))], wrong, 0),
        (
            (0..1_000).map(|at| add(&format!("{at}"))).chain([add("x")]).collect(),
            GateError::OperationsMany,
            most + 1,
        ),
    ];
    for (operations, expected, unfolded) in bombs {
        let mut replica = Replica::with(Kind::Convention, convention());
        let before = replica.record.view();
        let dependencies = vec![Dependency::Entry(replica.entries[0].entry)];
        let change = Change { creation: None, dependencies, operations };
        let (hash, effort) = effort::of(|| replica.write(&author(2), change));
        assert_eq!((verdict(&replica.record, &hash), effort), (expected, unfolded));
        assert_eq!(replica.record.view().fields, before.fields);
        replica.record.self_check().unwrap();
    }
}

#[test]
fn threat_10_dependencies_are_sorted_unique_and_few() {
    let replica = Replica::with(Kind::Convention, convention());
    let head = Dependency::Entry(replica.entries[0].entry);
    let other = Dependency::Entry(EntryHash::from_bytes([0; 32]));
    let many = (0..=CHANGE_DEPENDENCIES_MAX).map(|_| head).collect();
    let cases = [
        (vec![head, head], GateError::DependenciesUnsorted),
        (many, GateError::DependenciesMany),
        (vec![], GateError::CreationMissing),
    ];
    for (dependencies, expected) in cases {
        let change = Change { creation: None, dependencies, operations: title("Un altro titolo") };
        let mut fork = replica.fork();
        let hash = fork.write(&author(2), change);
        assert_eq!(verdict(&fork.record, &hash), expected);
    }
    let change = Change {
        creation: None,
        dependencies: vec![other, head],
        operations: title("Un altro titolo"),
    };
    let mut fork = replica.fork();
    let hash = fork.write(&author(2), change);
    assert_eq!(fork.record.verdict(&hash), Some(Verdict::Waiting), "an unknown one may come");
}

#[test]
fn threat_12_nobody_creates_a_record_of_another() {
    let created = Replica::with(Kind::Convention, convention()).entries.remove(0);
    for thief in [author(2), author(101)] {
        let stolen = entry(&thief, 0, created.change.clone());
        let hash = stolen.entry;
        let mut record = Record::new(record_id(Kind::Convention)).unwrap();
        record.extend(vec![stolen]);
        assert_eq!(verdict(&record, &hash), GateError::CreationForged);
        assert_eq!(record.organisation(), None);
        record.extend(vec![created.clone()]);
        assert_eq!(record.organisation(), Some(author(1).organisation));
    }
    let other_kind = derive_id(Kind::Meeting, &author(2).node, NONCE);
    let record = Record::rebuild(other_kind, vec![created.clone()]).unwrap();
    assert_eq!(verdict(&record, &created.entry), GateError::CreationForged);
}

#[test]
fn a_record_is_created_once() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let mut again = replica.entries[0].change.clone();
    again.operations = title("Un altro inizio di tutto");
    let second = replica.write(&author(1), again.clone());
    assert_eq!(verdict(&replica.record, &second), GateError::CreationRepeated);

    // The other way round it is the same: the first of the log counts.
    let mut record = Record::new(replica.record.id()).unwrap();
    record.extend(vec![replica.entries[1].clone()]);
    assert_eq!(record.verdict(&second), Some(Verdict::Applied), "nothing else is known yet");
    record.extend(vec![replica.entries[0].clone()]);
    assert_eq!(verdict(&record, &second), GateError::CreationRepeated);
    assert_eq!(record.view(), replica.record.view());

    let misplaced = Change {
        creation: Some(NONCE),
        dependencies: vec![Dependency::Entry(replica.entries[0].entry)],
        operations: title("Un altro inizio di tutto"),
    };
    let hash = replica.write(&author(1), misplaced);
    assert_eq!(verdict(&replica.record, &hash), GateError::CreationMisplaced);
}

#[test]
fn threat_10_an_author_cannot_fork_its_own_changes() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let head = Dependency::Entry(replica.entries[0].entry);
    replica.edit(2, json!({"seats_total": 4}));
    let change = Change {
        creation: None,
        dependencies: vec![head],
        operations: title("Come se non avessi scritto"),
    };
    let hash = replica.write(&author(2), change);
    assert_eq!(verdict(&replica.record, &hash), GateError::OwnChangeSkipped);
    let honest = replica.edit(3, json!({"seats_total": 6}));
    assert_eq!(replica.record.verdict(&honest), Some(Verdict::Applied));
    assert_eq!(replica.fork().record.view(), replica.record.view());
}

#[test]
fn a_tag_of_another_entry_waits_for_what_it_means() {
    let mut replica = Replica::with(Kind::Convention, convention());
    replica.edit(2, json!({"seats_total": 4}));
    let change = Change {
        creation: None,
        dependencies: vec![Dependency::Own([0; 4])],
        operations: title("Un titolo che aspetta"),
    };
    let hash = replica.write(&author(2), change);
    assert_eq!(replica.record.verdict(&hash), Some(Verdict::Waiting));
}

#[test]
fn threat_11_other_organisations_cannot_write_owned_records() {
    let fields = json!({"month": "2026-11", "kind": "residenziale", "seats_free": 3});
    let mut replica = Replica::with(Kind::Seats, fields);
    let dependencies = vec![Dependency::Entry(replica.entries[0].entry)];
    let operations = vec![put(6, Value::Integer(0))];
    let change = Change { creation: None, dependencies, operations };
    let hash = replica.write(&author(2), change.clone());
    assert_eq!(verdict(&replica.record, &hash), GateError::NotOwner);
    assert_eq!(replica.field("seats_free"), 3);
    let colleague = replica.write(&author(101), change);
    assert_eq!(replica.record.verdict(&colleague), Some(Verdict::Applied));
}

#[test]
fn what_builds_on_a_refused_change_is_refused_and_the_rest_goes_on() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let head = Dependency::Entry(replica.entries[0].entry);
    let bad = Change { creation: None, dependencies: vec![head], operations: vec![] };
    let bad = replica.write(&author(2), bad);
    for dependency in [Dependency::Entry(bad), Dependency::own(&bad)] {
        let built = Change {
            creation: None,
            dependencies: vec![dependency],
            operations: title("Costruito sul rifiutato"),
        };
        let mut fork = replica.fork();
        let hash = fork.write(&author(2), built);
        assert_eq!(verdict(&fork.record, &hash), GateError::DependencyRefused);
    }
    let next = replica.edit(2, json!({"seats_total": 4}));
    assert_eq!(replica.record.verdict(&next), Some(Verdict::Applied), "its author may go on");
    assert_eq!(replica.fork().record.view(), replica.record.view());
}

#[test]
fn the_object_of_a_field_must_stand_in_the_past() {
    // A creation that leaves out its sets and texts, as only a hostile creator would.
    let bare = Change { creation: Some(NONCE), dependencies: vec![], operations: title("Nuda") };
    let mut replica = Replica::new(Kind::Convention);
    let head = replica.write(&author(1), bare);
    for (operation, field) in [
        (add("x"), TAGS),
        (Operation::Splice { field: NOTES, after: None, text: "x".into() }, NOTES),
    ] {
        let dependencies = vec![Dependency::Entry(head)];
        let change = Change { creation: None, dependencies, operations: vec![operation] };
        let mut fork = replica.fork();
        let hash = fork.write(&author(2), change);
        assert_eq!(verdict(&fork.record, &hash), GateError::ObjectMissing { field });
    }
    // Honest edits make what is missing, and what two make at once is a conflict people see.
    let mut other = replica.fork();
    replica.edit(2, json!({"notes": "una", "tags": ["a"]}));
    other.edit(3, json!({"notes": "altra", "tags": ["a"]}));
    replica.merge(&other);
    assert_eq!(replica.record.view().conflicts.len(), 1);
    replica.record.self_check().unwrap();
    replica.edit(2, json!({"notes": "una e altra"}));
    assert!(replica.record.view().conflicts.is_empty());
}

#[test]
fn threat_10_many_nodes_in_conflict_over_one_field_can_be_settled() {
    let base = Replica::with(Kind::Convention, convention());
    let mut all = base.fork();
    for number in 2..=90u8 {
        let mut side = base.fork();
        side.edit(number, json!({"seats_total": 1_000 + i64::from(number)}));
        all.entries.push(side.entries[1].clone());
    }
    all.record.extend(all.entries.clone());
    assert_eq!(all.record.view().conflicts[0].values.len(), 89);
    let joined = all.record.edit(&author(2), &edits(json!({"seats_total": 7})), None).unwrap();
    assert_eq!(joined.dependencies.len(), CHANGE_DEPENDENCIES_MAX);
    all.write(&author(2), joined);
    assert_eq!(all.record.view().conflicts[0].values.len(), 26);
    all.edit(2, json!({"seats_total": 7}));
    assert!(all.record.view().conflicts.is_empty());
    all.record.self_check().unwrap();
}

#[test]
fn organisations_of_a_creation_are_those_of_its_entry() {
    let stranger = Author {
        node: NodeId::from_bytes([1; 32]),
        organisation: OrganisationId::from_bytes([77; 32]),
        grant: 3,
    };
    let created: Authored = Replica::with(Kind::Convention, convention()).entries.remove(0);
    let moved = entry(&stranger, 0, created.change);
    let record = Record::rebuild(record_id(Kind::Convention), vec![moved]).unwrap();
    assert_eq!(record.organisation(), Some(stranger.organisation));
}

#[test]
fn a_full_record_takes_no_more_and_stays_readable() {
    use crate::limits::{RECORD_BYTES_MAX, STRING_BYTES_MAX};
    let mut replica = Replica::with(Kind::Convention, convention());
    let page = "z".repeat(STRING_BYTES_MAX);
    let mut head = Dependency::Entry(replica.entries[0].entry);
    for position in 0..=RECORD_BYTES_MAX / STRING_BYTES_MAX as u64 + 1 {
        let operations = vec![Operation::Splice { field: NOTES, after: None, text: page.clone() }];
        let change = Change { creation: None, dependencies: vec![head], operations };
        replica.entries.push(entry(&author(2), position, change));
        head = Dependency::own(&replica.entries.last().unwrap().entry);
    }
    replica.record.extend(replica.entries.clone());
    let last = replica.entries.len() - 2;
    let full = replica.record.verdict(&replica.entries[last].entry);
    assert_eq!(full, Some(Verdict::Refused(GateError::HistoryFull)));
    assert!(
        replica.record.memory_bytes() > RECORD_BYTES_MAX,
        "what is kept loaded is bounded by it"
    );
    let without: Vec<_> =
        replica.entries.iter().filter(|entry| entry.node != author(2).node).cloned().collect();
    let mut freed = Record::rebuild(replica.record.id(), without).unwrap();
    let change = freed.edit(&author(3), &edits(json!({"seats_total": 4})), None).unwrap();
    let next = entry(&author(3), 0, change);
    freed.extend(vec![next.clone()]);
    assert_eq!(freed.verdict(&next.entry), Some(Verdict::Applied));
}
