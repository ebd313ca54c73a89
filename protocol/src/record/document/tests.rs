//! Our explicit operations are those that Automerge itself would write.

use super::*;
use crate::record::tests::world::{NONCE, Replica, author, convention, edits, record_id};
use crate::record::{Authored, Kind, Record};
use automerge::transaction::Transactable;
use serde_json::json;

fn last_hash(replica: &Replica) -> ChangeHash {
    *replica.record.document.built(replica.record.changes()).hashes.last().unwrap()
}

/// A copy of the document on which author `by` works through Automerge's own interface.
fn local(replica: &Replica, by: u8) -> Automerge {
    let id = crate::record::gate::derive_actor(&replica.record.id(), &author(by));
    replica
        .record
        .document
        .built(replica.record.changes())
        .automerge
        .clone()
        .with_actor(ActorId::from(id))
}

fn commit(
    automerge: &mut Automerge,
    act: impl FnOnce(&mut automerge::transaction::Transaction<'_>),
) -> ChangeHash {
    let mut transaction = automerge.transaction();
    act(&mut transaction);
    let options = automerge::transaction::CommitOptions::default().with_time(0);
    let (hash, _) = transaction.commit_with(options);
    hash.unwrap()
}

fn object(automerge: &Automerge, field: &str) -> ObjId {
    automerge.get(ROOT, field).unwrap().unwrap().1
}

#[test]
fn a_scalar_a_list_and_a_set_have_the_hash_of_a_local_change() {
    for by in [1, 2] {
        let mut replica = Replica::with(Kind::Convention, convention());
        let mut automerge = local(&replica, by);
        replica.edit(
            by,
            json!({
                "seats_total": 5,
                "seats_reserved": null,
                "fees": [{"kind": "retta", "amount_cents_day": 7000}],
                "tags": ["nuovo"],
            }),
        );
        let hash = commit(&mut automerge, |transaction| {
            let tags = transaction.get(ROOT, "tags").unwrap().unwrap().1;
            transaction.put(ROOT, "seats_total", 5i64).unwrap();
            transaction.put(ROOT, "seats_reserved", ()).unwrap();
            let fees = transaction.put_object(ROOT, "fees", ObjType::List).unwrap();
            let fee = transaction.insert_object(&fees, 0, ObjType::Map).unwrap();
            transaction.put(&fee, "kind", "retta").unwrap();
            transaction.put(&fee, "amount_cents_day", 7000i64).unwrap();
            transaction.put(&tags, "nuovo", true).unwrap();
            transaction.delete(&tags, "adulti").unwrap();
        });
        assert_eq!(last_hash(&replica), hash);
    }
}

#[test]
fn text_has_the_hash_of_a_local_change() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let mut automerge = local(&replica, 2);
    let notes = object(&automerge, "notes");
    replica.edit(2, json!({"notes": "Da rivedere entro giugno."}));
    let hash = commit(&mut automerge, |transaction| {
        // "a" goes and "entro" comes: in the order in which our difference writes them.
        transaction.splice_text(&notes, 12, 1, "").unwrap();
        transaction.splice_text(&notes, 12, 0, "entro").unwrap();
    });
    assert_eq!(replica.field("notes"), "Da rivedere entro giugno.");
    assert_eq!(last_hash(&replica), hash);
}

#[test]
fn choosing_between_values_has_the_hash_of_a_local_change() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let mut other = replica.fork();
    replica.edit(1, json!({"end_date": "2028-06-30"}));
    other.edit(2, json!({"end_date": "2028-12-31"}));
    replica.merge(&other);
    let mut automerge = local(&replica, 3);
    replica.edit(3, json!({"end_date": "2028-12-31"}));
    let hash = commit(&mut automerge, |transaction| {
        transaction.put(ROOT, "end_date", "2028-12-31").unwrap();
    });
    assert_eq!(last_hash(&replica), hash);
}

#[test]
fn every_change_comes_back_from_automerge_as_it_was_given() {
    let mut replica = Replica::with(Kind::Convention, convention());
    replica.edit(2, json!({"notes": "Breve e chiaro", "tags": ["x"], "seats_total": 8}));
    replica.edit(1, json!({"notes": "Chiaro", "legal_basis": ["L. 241/1990"]}));
    let changes =
        replica.record.document.built(replica.record.changes()).automerge.get_changes(&[]);
    assert_eq!(changes.len(), 3);
    for change in changes {
        assert_eq!(Change::from(change.decode()).hash(), change.hash());
    }
}

#[test]
fn the_history_and_automerge_agree_on_what_stands() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let sides: Vec<Replica> = (2..7u8)
        .map(|by| {
            let mut side = replica.fork();
            for step in 0..i64::from(by % 3) {
                side.edit(by, json!({"seats_total": 10 * i64::from(by) + step}));
            }
            side.edit(by, json!({"end_date": format!("2028-0{by}-01"), "notes": "n"}));
            side
        })
        .collect();
    for side in &sides {
        replica.merge(side);
        let history = &replica.record.history;
        let past = history.join(history.heads().into_iter());
        for field in Kind::Convention.schema().fields() {
            let slot = crate::record::gate::Slot::Field(field.number);
            let ours: Vec<OpId> =
                history.visible(&slot, &past).into_iter().map(|write| write.id).collect();
            let values = replica.record.document.values(replica.record.changes(), field);
            let theirs: Vec<OpId> = values.into_iter().map(|shown| shown.id).collect();
            assert_eq!(ours, theirs, "{}", field.name);
        }
        replica.edit(1, json!({"seats_total": 99 - replica.entries.len()}));
    }
}

#[test]
fn a_long_chain_is_applied_as_one_batch() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let entries: Vec<Authored> = {
        for (step, by) in (0..300).zip([1, 2, 3].into_iter().cycle()) {
            replica.edit(by, json!({"seats_total": 10 + step}));
        }
        replica.entries.clone()
    };
    let record = Record::rebuild(record_id(Kind::Convention), entries).unwrap();
    assert_eq!(record.view(), replica.record.view());

    let mut five = Replica::with(Kind::Convention, convention());
    for step in 0..4 {
        five.edit(1, json!({"seats_total": 10 + step}));
    }
    let rebuilt = Record::rebuild(five.record.id(), five.entries.clone()).unwrap();
    assert_eq!(rebuilt.view(), five.record.view());
    assert!(five.record.edit(&author(1), &edits(json!({"seats_total": 77})), None).is_ok());
    assert!(five.record.edit(&author(1), &edits(convention()), Some(NONCE)).is_err());
}
