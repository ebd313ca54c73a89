//! How edits of several sides meet.

use super::world::{NONCE, Replica, author, convention, edits};
use crate::record::{EditError, Kind, Verdict};
use serde_json::{Value as Json, json};

fn two_sides() -> (Replica, Replica) {
    let one = Replica::with(Kind::Convention, convention());
    let two = one.fork();
    (one, two)
}

fn meet(one: &mut Replica, two: &mut Replica) {
    one.merge(two);
    two.merge(one);
    assert_eq!(one.record.view(), two.record.view());
    one.record.self_check().unwrap();
    two.record.self_check().unwrap();
}

#[test]
fn a_record_shows_what_was_written() {
    let replica = Replica::with(Kind::Convention, convention());
    let view = replica.record.view();
    let mut expected = convention();
    expected["parties"][1].as_object_mut().unwrap().remove("protocol_no");
    expected["legal_basis"] = json!([]);
    assert_eq!(Json::Object(view.fields), expected);
    assert!(view.conflicts.is_empty());
    assert_eq!(view.creation.unwrap().operator, "operatore 1");
    assert_eq!((view.entries, view.waiting, view.refused), (1, 0, 0));
}

#[test]
fn different_fields_merge() {
    let (mut one, mut two) = two_sides();
    one.edit(1, json!({"seats_total": 5}));
    two.edit(2, json!({"withdrawal_notice_days": 90}));
    meet(&mut one, &mut two);
    let view = one.record.view();
    assert_eq!(view.fields["seats_total"], 5);
    assert_eq!(view.fields["withdrawal_notice_days"], 90);
    assert!(view.conflicts.is_empty());
}

#[test]
fn the_same_legal_field_shows_both_values_until_a_person_chooses() {
    let (mut one, mut two) = two_sides();
    one.edit(1, json!({"end_date": "2028-06-30"}));
    two.edit(2, json!({"end_date": "2028-12-31"}));
    meet(&mut one, &mut two);
    let conflicts = one.record.view().conflicts;
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].field, "end_date");
    let mut values: Vec<_> =
        conflicts[0].values.iter().map(|value| value.value.as_str().unwrap()).collect();
    assert_eq!(one.field("end_date"), *values.last().unwrap(), "the last is the one shown");
    values.sort_unstable();
    assert_eq!(values, ["2028-06-30", "2028-12-31"]);
    let operators: Vec<_> =
        conflicts[0].values.iter().map(|value| value.origin.operator.as_str()).collect();
    assert!(operators.contains(&"operatore 1") && operators.contains(&"operatore 2"));

    // Choosing the value that is shown already is a change too.
    let shown = one.field("end_date");
    one.edit(1, json!({"end_date": shown.clone()}));
    meet(&mut one, &mut two);
    assert!(two.record.view().conflicts.is_empty());
    assert_eq!(two.field("end_date"), shown);
    let history = two.record.history();
    let settled = &history.last().unwrap().changes[0].settled;
    assert_eq!(settled.len(), 1);
}

#[test]
fn emptying_a_field_against_an_edit_is_a_conflict() {
    let (mut one, mut two) = two_sides();
    one.edit(1, json!({"seats_reserved": null}));
    two.edit(2, json!({"seats_reserved": 2}));
    meet(&mut one, &mut two);
    let conflicts = one.record.view().conflicts;
    assert_eq!(conflicts.len(), 1);
    assert!(conflicts[0].values.iter().any(|value| value.value.is_null()));
    one.edit(2, json!({"seats_reserved": null}));
    meet(&mut one, &mut two);
    assert!(!one.record.view().fields.contains_key("seats_reserved"));
    assert!(one.record.view().conflicts.is_empty());
}

#[test]
fn the_same_value_on_both_sides_is_no_conflict() {
    let (mut one, mut two) = two_sides();
    one.edit(1, json!({"fees": [{"kind": "retta", "amount_cents_day": 7000}]}));
    two.edit(2, json!({"fees": [{"kind": "retta", "amount_cents_day": 7000}]}));
    meet(&mut one, &mut two);
    assert!(one.record.view().conflicts.is_empty());
}

#[test]
fn whole_lists_conflict_and_are_never_mixed() {
    let (mut one, mut two) = two_sides();
    let fee = |cents: i64| json!([{"kind": "retta", "amount_cents_day": cents}]);
    one.edit(1, json!({"fees": fee(7000)}));
    two.edit(2, json!({"fees": fee(8000)}));
    meet(&mut one, &mut two);
    let values = one.record.view().conflicts.remove(0).values;
    let values: Vec<_> = values.into_iter().map(|value| value.value).collect();
    assert!(values.contains(&fee(7000)) && values.contains(&fee(8000)));
}

#[test]
fn sets_merge_by_element() {
    let (mut one, mut two) = two_sides();
    one.edit(1, json!({"tags": ["adulti", "aulla"]}));
    two.edit(2, json!({"tags": {"add": ["estate"], "remove": ["adulti"]}}));
    meet(&mut one, &mut two);
    assert_eq!(one.field("tags"), json!(["aulla", "estate"]));
    one.edit(1, json!({"tags": null}));
    assert_eq!(one.field("tags"), json!([]));
}

#[test]
fn an_element_added_again_while_it_is_removed_stays() {
    let (mut one, mut two) = two_sides();
    one.edit(1, json!({"tags": []}));
    one.edit(1, json!({"tags": ["adulti"]}));
    two.edit(2, json!({"tags": {"remove": ["adulti"]}}));
    meet(&mut one, &mut two);
    assert_eq!(one.field("tags"), json!(["adulti"]));
}

#[test]
fn free_text_merges_by_character() {
    let (mut one, mut two) = two_sides();
    one.edit(1, json!({"notes": "Da rivedere a giugno, con il Ser.T."}));
    two.edit(2, json!({"notes": "Bozza. Da rivedere a luglio."}));
    meet(&mut one, &mut two);
    let notes = one.field("notes");
    let notes = notes.as_str().unwrap();
    assert!(notes.starts_with("Bozza. Da rivedere a "), "{notes}");
    assert!(notes.contains(", con il Ser.T."), "{notes}");
    assert!(one.record.view().conflicts.is_empty());
}

#[test]
fn long_texts_can_be_pasted_edited_and_replaced() {
    let mut replica = Replica::with(Kind::Convention, convention());
    let page = "Articolo uno: oggetto della convenzione. ".repeat(400);
    replica.edit(1, json!({"notes": page}));
    assert_eq!(replica.field("notes"), page);
    let edited = page.replacen("oggetto", "finalità", 3);
    replica.edit(2, json!({"notes": edited}));
    assert_eq!(replica.field("notes"), edited);
    for step in 0..20 {
        let longer = format!("{edited}{}", "x".repeat(100 * step));
        replica.edit(1, json!({"notes": longer.clone(), "seats_total": step + 10}));
        assert_eq!(replica.field("notes"), longer);
    }
    replica.edit(1, json!({"notes": "breve"}));
    assert_eq!(replica.field("notes"), "breve");
    replica.record.self_check().unwrap();
    assert_eq!(replica.fork().record.view(), replica.record.view());
}

#[test]
fn owned_records_belong_to_their_organisation() {
    let mut replica = Replica::with(
        Kind::Seats,
        json!({"month": "2026-11", "kind": "residenziale", "seats_free": 3}),
    );
    assert_eq!(replica.try_edit(2, json!({"seats_free": 9})), Err(EditError::NotOwner));
    replica.edit(101, json!({"seats_free": 2}));
    assert_eq!(replica.field("seats_free"), 2, "another node of the same organisation may");
}

#[test]
fn an_edit_without_difference_makes_no_change() {
    let mut replica = Replica::with(Kind::Convention, convention());
    assert_eq!(replica.try_edit(2, convention()), Err(EditError::Unchanged));
    assert_eq!(replica.try_edit(2, json!({})), Err(EditError::Unchanged));
    let again = replica.record.edit(&author(1), &edits(convention()), Some(NONCE));
    assert_eq!(again, Err(EditError::AlreadyExists));
    let empty = Replica::new(Kind::Convention).try_edit(1, convention());
    assert_eq!(empty, Err(EditError::NotFound));
}

#[test]
fn small_edits_and_creations_are_small() {
    let replica = Replica::with(Kind::Convention, convention());
    let creation = &replica.entries[0].change;
    let values: usize = serde_json::to_string(&convention()).unwrap().len();
    assert!(creation.encode().len() < values * 7 / 10, "{}", creation.encode().len());
    let change = replica.record.edit(&author(1), &edits(json!({"seats_total": 5})), None).unwrap();
    assert_eq!(change.encode().len(), 13);
    let change = replica.record.edit(&author(2), &edits(json!({"seats_total": 5})), None).unwrap();
    assert_eq!(change.encode().len(), 42, "the first of an author names the head it saw");
}

#[test]
fn the_history_tells_who_changed_what() {
    let (mut one, mut two) = two_sides();
    one.edit(1, json!({"seats_total": 5, "tags": ["aulla"]}));
    two.edit(2, json!({"notes": "Da rivedere a luglio.", "seats_reserved": null}));
    meet(&mut one, &mut two);
    let history = one.record.history();
    assert_eq!(history.len(), 3);
    assert_eq!(history, two.record.history());
    let changes = |operator: &str| {
        let item = history[1..].iter().find(|item| item.origin.operator == operator).unwrap();
        serde_json::to_value(&item.changes).unwrap()
    };
    assert_eq!(
        changes("operatore 1"),
        json!([
            {"field": "seats_total", "from": 3, "to": 5},
            {"field": "tags", "from": ["adulti"], "to": ["aulla"]},
        ])
    );
    assert_eq!(
        changes("operatore 2"),
        json!([
            {"field": "seats_reserved", "from": 1, "to": null},
            {"field": "notes", "from": "Da rivedere a giugno.", "to": "Da rivedere a luglio."},
        ])
    );
    assert_eq!(history[0].changes.len(), 15, "a creation lists what was filled in");
}

#[test]
fn the_interval_after_a_cut_has_an_actor_of_its_own() {
    let mut replica = Replica::with(Kind::Convention, convention());
    replica.edit(2, json!({"seats_total": 4}));
    let later = crate::record::Author { grant: 9, ..author(2) };
    let change = replica.record.edit(&later, &edits(json!({"seats_total": 6})), None).unwrap();
    let hash = replica.write(&later, change);
    assert_eq!(replica.record.verdict(&hash), Some(Verdict::Applied));
    assert_eq!(replica.field("seats_total"), 6);
    replica.record.self_check().unwrap();
}

#[test]
fn the_bytes_of_changes_never_change() {
    let mut replica = Replica::with(
        Kind::Seats,
        json!({"month": "2026-11", "kind": "residenziale", "seats_free": 3}),
    );
    assert_eq!(hex(&replica.entries[0].change.encode()), GOLDEN_CREATION);
    let first = replica.edit(1, json!({"seats_free": 2, "seats_used": 300}));
    assert_eq!(hex(&replica.entries[1].change.encode()), GOLDEN_EDIT);
    assert_eq!(replica.record.verdict(&first), Some(Verdict::Applied));
}

const GOLDEN_CREATION: &str =
    "83482a2a2a2a2a2a2a2a808383000467323032362d31318300056c7265736964656e7a69616c6583000603";
const GOLDEN_EDIT: &str = "83f68144caecd8bc828300060283000719012c";

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
