//! What a record shows is a function of the set of its entries.

use super::world::{Replica, convention};
use crate::record::{Authored, Kind, Record, Verdict};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// What somebody does on one of three replicas.
#[derive(Clone, Debug)]
enum Act {
    Edit(usize, Json),
    Merge(usize, usize),
}

fn act() -> impl Strategy<Value = Act> {
    let edit = prop_oneof![
        (0..4i64).prop_map(|seats| json!({"seats_total": seats + 10})),
        Just(json!({"seats_reserved": null})),
        (0..3i64).prop_map(|seats| json!({"seats_reserved": seats})),
        "[ab]{0,6}".prop_map(|notes| json!({"notes": notes})),
        prop::sample::subsequence(vec!["a", "b", "c"], 0..3).prop_map(|tags| json!({"tags": tags})),
        prop::sample::subsequence(vec!["lpu", "diurno", "residenziale"], 0..3)
            .prop_map(|kinds| json!({"placement_kinds": kinds, "wind_down": "fino a fine"})),
        (1..3i64).prop_map(|cents| json!({"fees": [{"kind": "retta", "amount_cents_day": cents}]})),
    ];
    prop_oneof![
        3 => (0..3usize, edit).prop_map(|(at, fields)| Act::Edit(at, fields)),
        1 => (0..3usize, 0..3usize).prop_map(|(one, two)| Act::Merge(one, two)),
    ]
}

/// The entries that three replicas write while they act and sometimes meet.
fn entries(acts: &[Act]) -> Vec<Authored> {
    let first = Replica::with(Kind::Convention, convention());
    let mut replicas = [first.fork(), first.fork(), first];
    for act in acts {
        match act {
            Act::Edit(at, fields) => {
                let _ = replicas[*at].try_edit(u8::try_from(*at).unwrap() + 1, fields.clone());
            }
            Act::Merge(one, two) => {
                let other = replicas[*two].fork();
                replicas[*one].merge(&other);
            }
        }
    }
    let [mut all, one, two] = replicas;
    all.merge(&one);
    all.merge(&two);
    all.entries
}

fn shown(entries: Vec<Authored>) -> Record {
    Record::rebuild(super::world::record_id(Kind::Convention), entries).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_order_and_any_pieces_show_the_same(
        acts in prop::collection::vec(act(), 1..25),
        order in any::<u64>(),
        piece in 1..7usize,
    ) {
        let entries = entries(&acts);
        let whole = shown(entries.clone());
        prop_assert!(whole.verdicts().all(|(_, verdict)| *verdict == Verdict::Applied));
        prop_assert_eq!(whole.self_check(), Ok(()));

        let mut shuffled = entries.clone();
        shuffled.extend(entries.iter().step_by(2).cloned());
        let key = |entry: &Authored| {
            blake3::hash(&[entry.entry.as_bytes(), &order.to_be_bytes()[..]].concat())
        };
        shuffled.sort_by_key(|entry| *key(entry).as_bytes());
        let mut pieces = shown(Vec::new());
        for piece in shuffled.chunks(piece) {
            pieces.extend(piece.to_vec());
        }
        prop_assert_eq!(pieces.view(), whole.view());
        prop_assert_eq!(pieces.history(), whole.history());
        prop_assert_eq!(pieces.self_check(), Ok(()));
    }

    #[test]
    fn a_missing_entry_holds_back_only_what_builds_on_it(
        acts in prop::collection::vec(act(), 1..25),
        missing in any::<prop::sample::Index>(),
    ) {
        let mut entries = entries(&acts);
        let late = entries.remove(missing.index(entries.len()));
        let whole = shown([entries.clone(), vec![late.clone()]].concat());
        let mut record = shown(entries);
        prop_assert!(record.verdicts().all(|(_, verdict)| !matches!(verdict, Verdict::Refused(_))));
        prop_assert_eq!(record.self_check(), Ok(()));
        record.extend(vec![late]);
        prop_assert_eq!(record.view(), whole.view());
    }
}

#[test]
fn a_change_waits_for_what_it_builds_on() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let second = replica.edit(1, json!({"seats_total": 4}));
    let third = replica.edit(2, json!({"seats_total": 5}));
    let mut record = shown(Vec::new());
    record.extend(vec![replica.entries[2].clone()]);
    assert_eq!(record.verdict(&third), Some(Verdict::Waiting));
    assert_eq!(record.organisation(), None);
    record.extend(vec![replica.entries[1].clone()]);
    assert_eq!(record.verdict(&second), Some(Verdict::Waiting));
    record.extend(vec![replica.entries[0].clone()]);
    assert!(record.verdicts().all(|(_, verdict)| *verdict == Verdict::Applied));
    assert_eq!(record.view(), replica.record.view());
}
