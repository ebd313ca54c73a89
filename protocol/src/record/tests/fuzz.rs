//! Mutations of valid changes: whatever the gate accepts must save and load.
//!
//! Seeded, so that a failure comes back. `RECORD_FUZZ_TRIES` asks for a longer campaign,
//! `RECORD_FUZZ_SEED` for another one.

use super::world::{NONCE, Replica, author, convention, edits, entry, record_id};
use crate::record::{
    Authored, Change, Dependency, Kind, Operation, Record, Reference, Value, Verdict,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % bound.max(1) as u64).unwrap()
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Two sides that wrote apart and met, so that there are conflicts, deletions and two actors.
fn history() -> Vec<Authored> {
    let mut one = Replica::with(Kind::Convention, convention());
    let mut two = one.fork();
    one.edit(1, json!({"end_date": "2028-06-30", "notes": "Da rivedere presto.", "tags": ["a"]}));
    one.edit(1, json!({"notes": "Da rivedere presto, a maggio.", "seats_reserved": null}));
    two.edit(2, json!({"end_date": "2028-12-31", "notes": "Rivedere a giugno", "tags": ["b"]}));
    two.edit(2, json!({"legal_basis": ["L. 241/1990"], "seats_reserved": 2}));
    one.merge(&two);
    one.edit(2, json!({"seats_total": 9, "tags": {"add": ["c"], "remove": ["a"]}}));
    one.edit(1, json!({"notes": "Rivisto.", "wind_down": "fino a fine progetto"}));
    one.entries
}

/// As [`history`], begun by a hostile creation that leaves out sets and texts, so that two sides
/// made the same ones and several objects stand in one field.
fn bare_history() -> Vec<Authored> {
    let title = Operation::Put { field: 1, value: Value::Text("Nuda e cruda".into()) };
    let creation = Change { creation: Some(NONCE), dependencies: vec![], operations: vec![title] };
    let mut one = Replica::new(Kind::Convention);
    one.write(&author(1), creation);
    let mut two = one.fork();
    one.edit(1, json!({"notes": "Una", "tags": ["a", "b"], "end_date": "2028-06-30"}));
    two.edit(2, json!({"notes": "Altra", "tags": ["b", "c"], "end_date": null}));
    two.edit(2, json!({"notes": "Un'altra ancora", "legal_basis": ["L. 241/1990"]}));
    one.merge(&two);
    one.entries
}

/// Two people who write one after the other, also in the same text, so that elements of it are
/// gone that a hostile change may still name.
fn straight_history() -> Vec<Authored> {
    let mut one = Replica::with(Kind::Convention, convention());
    one.edit(1, json!({"notes": "Da rivedere presto.", "tags": ["a", "b"]}));
    one.edit(2, json!({"notes": "Rivedere presto, a maggio.", "tags": {"remove": ["a"]}}));
    one.edit(1, json!({"notes": "Rivisto a maggio", "seats_total": 9}));
    one.edit(2, json!({"notes": "Visto, e rivisto a maggio", "end_date": null}));
    one.entries
}

/// Valid changes on top of a history, one of each sort.
fn seeds(entries: &[Authored]) -> Vec<(u8, Change)> {
    let record = Record::rebuild(record_id(Kind::Convention), entries.to_vec()).unwrap();
    let wanted = [
        json!({"title": "Un titolo del tutto nuovo", "end_date": null}),
        json!({"notes": "Rivisto e approvato a maggio.", "tags": ["x", "y"]}),
        json!({"notes": "", "tags": {"remove": ["b"]}}),
        json!({"fees": [{"kind": "retta", "amount_cents_day": 1}], "individual_plan":
            {"kind": "PTI", "review_months": 3}, "data_protection": [{"joint": ["a", "b"]}]}),
    ];
    let make = |(at, fields): (usize, &serde_json::Value)| {
        let by = u8::try_from(at % 3).unwrap() + 1;
        (by, record.edit(&author(by), &edits(fields.clone()), None).unwrap())
    };
    wanted.iter().enumerate().map(make).collect()
}

fn mutate(change: &mut Change, entries: &[Authored], dice: &mut Dice) {
    match dice.below(9) {
        0 => change.creation = (!dice.one_in(2)).then_some(NONCE),
        1 => {
            let any = entries[dice.below(entries.len())].entry;
            change.dependencies.push(Dependency::Entry(any));
            change.dependencies.sort_unstable();
        }
        2 if !change.dependencies.is_empty() => {
            let at = dice.below(change.dependencies.len());
            change.dependencies.remove(at);
        }
        3 if !change.operations.is_empty() => {
            let at = dice.below(change.operations.len());
            change.operations.remove(at);
        }
        4 => {
            let operation = random_operation(dice);
            change.operations.push(operation);
        }
        5 => {
            let other = &entries[dice.below(entries.len())].change.operations;
            change.operations.push(other[dice.below(other.len())].clone());
        }
        _ if !change.operations.is_empty() => {
            let at = dice.below(change.operations.len());
            mutate_operation(&mut change.operations[at], dice);
        }
        _ => {}
    }
}

fn random_reference(dice: &mut Dice) -> Reference {
    let counter = if dice.one_in(20) { dice.0.next_u64() } else { dice.below(140) as u64 };
    Reference { counter, actor: u32::try_from(dice.below(4)).unwrap() }
}

fn random_operation(dice: &mut Dice) -> Operation {
    let field = [30, 31, 16, 1, 8, 4][dice.below(6)];
    match dice.below(5) {
        0 => Operation::Put { field, value: random_value(dice, 0) },
        1 => Operation::Add { field, element: ["a", "b", "", "z"][dice.below(4)].into() },
        2 => Operation::Remove { field, element: ["a", "b", "c"][dice.below(3)].into() },
        3 => {
            let after = (!dice.one_in(3)).then(|| random_reference(dice));
            Operation::Splice { field: 31, after, text: "ab€".repeat(dice.below(200)) }
        }
        _ => {
            let count = u32::try_from(dice.below(30)).unwrap();
            Operation::Erase { field: 31, first: random_reference(dice), count }
        }
    }
}

fn random_value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth > 4 { 4 } else { 6 }) {
        0 => Value::Null,
        1 => Value::Boolean(true),
        2 => Value::Integer(i64::from(dice.0.next_u32() % 9)),
        3 => Value::Text(["aulla", "gestore", "2026-01-01", "x"][dice.below(4)].into()),
        4 => Value::List((0..dice.below(4)).map(|_| random_value(dice, depth + 1)).collect()),
        _ => Value::Struct((1..4).map(|part| (part, random_value(dice, depth + 1))).collect()),
    }
}

fn mutate_operation(operation: &mut Operation, dice: &mut Dice) {
    match operation {
        Operation::Put { value, .. } => *value = random_value(dice, 0),
        Operation::Add { element, .. } | Operation::Remove { element, .. } => {
            *element = ["a", "b", "c", "d"][dice.below(4)].into();
        }
        Operation::Splice { after, text, .. } => {
            *after = Some(random_reference(dice));
            text.push('€');
        }
        Operation::Erase { first, count, .. } => {
            if dice.one_in(2) {
                *first = random_reference(dice);
            }
            *count = u32::try_from(dice.below(12)).unwrap();
        }
    }
}

#[test]
fn threat_08_what_the_gate_accepts_saves_and_loads() {
    campaign(&history(), false);
}

#[test]
fn threat_08_what_the_gate_accepts_over_conflicting_objects_saves_and_loads() {
    campaign(&bare_history(), false);
}

/// Reading the fields compares them with those of the document, in tests.
#[test]
fn threat_08_what_the_gate_accepts_one_after_another_is_read_as_automerge_reads_it() {
    campaign(&straight_history(), true);
}

/// With `straight`, changes mostly build on the last one, and those that branch off are not kept.
fn campaign(entries: &[Authored], straight: bool) {
    let setting = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let tries = usize::try_from(setting("RECORD_FUZZ_TRIES").unwrap_or(15_000)).unwrap();
    let seed = setting("RECORD_FUZZ_SEED").unwrap_or(20_261_123);
    println!("seed {seed}");
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
    let seeds = seeds(entries);
    let (mut accepted, mut refused, mut undecodable) = (0, 0, 0);
    let mut record = Record::rebuild(record_id(Kind::Convention), entries.to_vec()).unwrap();
    let mut written = entries.to_vec();
    for attempt in 0..tries {
        if attempt > 0 && attempt % 1_000_000 == 0 {
            println!(
                "{attempt} tries: {accepted} accepted, {refused} refused, {undecodable} not read"
            );
        }
        if written.len() > entries.len() + 12 {
            written.rotate_left(attempt % entries.len());
            let again = Record::rebuild(record.id(), written.clone()).unwrap();
            assert_eq!(again.view(), record.view(), "try {attempt}");
            assert_eq!(again.history(), record.history(), "try {attempt}");
            written = entries.to_vec();
            record = Record::rebuild(record_id(Kind::Convention), written.clone()).unwrap();
        }
        let (by, mut change) = seeds[dice.below(seeds.len())].clone();
        let by = if dice.one_in(4) { 3 } else { by };
        if dice.one_in(2) {
            let own = written.iter().rev().find(|entry| entry.node == author(by).node);
            change.dependencies = own.map(|own| Dependency::own(&own.entry)).into_iter().collect();
        }
        if straight {
            let last = written.last().unwrap().entry;
            change.dependencies = vec![Dependency::Entry(last)];
        }
        for _ in 0..=dice.below(3) {
            mutate(&mut change, &written, &mut dice);
        }
        let Some(change) = through_the_wire(&change, &mut dice) else {
            undecodable += 1;
            continue;
        };
        let entry = entry(&author(by), (100 + attempt) as u64, change);
        let mut trial = record.clone();
        trial.extend(vec![entry.clone()]);
        match trial.verdict(&entry.entry).unwrap() {
            Verdict::Applied => {
                accepted += 1;
                assert_eq!(trial.self_check(), Ok(()), "try {attempt}");
                let _ = (trial.view(), trial.history());
                if !straight || trial.document.unbranched.is_some() {
                    written.push(entry);
                    record = trial;
                }
            }
            Verdict::Refused(_) => refused += 1,
            Verdict::Waiting => {}
        }
    }
    assert!(
        accepted > tries / 20,
        "{accepted} accepted, {refused} refused, {undecodable} not read"
    );
    assert!(refused > tries / 20, "{accepted} accepted, {refused} refused");
    println!("{tries} tries: {accepted} accepted, {refused} refused, {undecodable} not read");
}

/// As a peer would receive it, sometimes with a damaged byte.
fn through_the_wire(change: &Change, dice: &mut Dice) -> Option<Change> {
    let mut bytes = change.encode();
    if dice.one_in(4) {
        let at = dice.below(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
    }
    Change::decode(&bytes).ok()
}
