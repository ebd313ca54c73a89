//! Changes with every operation and every form of value.

use super::golden::Golden;
use sincronia_protocol::ids::EntryHash;
use sincronia_protocol::record::{Change, Dependency, Operation, Reference, Value};

fn put(field: u16, value: Value) -> Operation {
    Operation::Put { field, value }
}

fn changes() -> [(&'static str, Change); 3] {
    let text = |text: &str| Value::Text(text.to_owned());
    let values = vec![
        put(1, text("Accoglienza")),
        put(8, Value::Integer(-1_000)),
        put(28, Value::Boolean(true)),
        put(6, Value::Null),
        put(4, Value::List(vec![Value::Struct(vec![(1, text("ente")), (2, text("garante"))])])),
    ];
    let reference = Reference { counter: 300, actor: 2 };
    let pieces = vec![
        Operation::Add { field: 30, element: "rete".to_owned() },
        Operation::Remove { field: 30, element: "bozza".to_owned() },
        Operation::Splice { field: 31, after: None, text: "così".to_owned() },
        Operation::Splice { field: 31, after: Some(reference), text: "!".to_owned() },
        Operation::Erase { field: 31, first: reference, count: 4 },
    ];
    let both = vec![Dependency::Own([1; 4]), Dependency::Entry(EntryHash::from_bytes([2; 32]))];
    let change = |creation, dependencies, operations| Change { creation, dependencies, operations };
    [
        ("creation with values", change(Some([9; 8]), Vec::new(), values)),
        ("edit of sets and texts", change(None, both, pieces)),
        ("smallest edit", change(None, vec![Dependency::Own([1; 4])], vec![put(1, Value::Null)])),
    ]
}

#[test]
fn every_operation_and_value_has_one_spelling() {
    let mut golden = Golden::new("Changes: the operation of a payload with code 1.");
    for (name, change) in changes() {
        golden.hex(name, change.encode());
    }
    let recorded = golden.settle("changes.json");
    for (name, change) in changes() {
        assert_eq!(Change::decode(&recorded.bytes(name)), Ok(change));
    }
}
