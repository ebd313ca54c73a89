//! The fields of every kind of record: their numbers travel and are never used again.

use super::golden::Golden;
use sincronia_protocol::record::Kind;

#[test]
fn fields_keep_their_numbers_and_types() {
    let mut golden = Golden::new("Kinds of record: number, ownership, then each field as JSON.");
    for kind in Kind::ALL {
        let ownership = serde_json::to_value(kind.ownership()).unwrap();
        let text = format!("{} {}", kind.code(), ownership.as_str().unwrap());
        golden.text(kind.name(), &text);
        for field in kind.schema().fields() {
            let name = format!("{} {}", kind.name(), field.number);
            golden.text(&name, &serde_json::to_string(field).unwrap());
        }
    }
    let recorded = golden.settle("schema.json");
    for kind in Kind::ALL {
        let (code, _) = recorded.words(kind.name()).split_once(' ').unwrap();
        assert_eq!(Kind::from_code(code.parse().unwrap()), Some(kind));
        for field in kind.schema().fields() {
            let text = recorded.words(&format!("{} {}", kind.name(), field.number));
            let read: serde_json::Value = serde_json::from_str(text).unwrap();
            let found = kind.schema().named(read["name"].as_str().unwrap()).unwrap();
            assert_eq!(u64::from(found.number), read["number"].as_u64().unwrap());
        }
    }
}
