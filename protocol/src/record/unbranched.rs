//! What a record shows as long as none of its changes is concurrent with another.
//!
//! Most records are written by one person after another. Then every value is the one written last,
//! and reading it needs no Automerge document, which costs ten times as much to build. The steps
//! that this takes are those that Automerge is given, so the two agree; every test of this crate
//! compares them whenever fields are read.
//!
//! Deliberately absent: concurrency. At the first change that does not build on all before it, the
//! record goes on with a document alone.

use crate::record::gate::{Action, OpId, Place, Plan, Step};
use crate::record::schema::{Class, Field, Schema};
use crate::record::value::Value;
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};

/// The fields of a record whose changes follow one another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unbranched {
    fields: BTreeMap<String, Held>,
    objects: HashMap<OpId, Object>,
}

/// What a place holds.
#[derive(Clone, Debug)]
enum Held {
    Scalar(Value),
    Object(OpId),
}

#[derive(Clone, Debug)]
enum Object {
    Map(BTreeMap<String, Held>),
    List(Vec<Held>),
    Text(Vec<Span>),
}

/// Elements of a text that were inserted one after another and stand side by side.
#[derive(Clone, Debug)]
struct Span {
    first: OpId,
    pieces: Vec<Box<str>>,
    is_deleted: bool,
}

impl Span {
    fn position(&self, id: OpId) -> Option<usize> {
        let offset = id.counter.checked_sub(self.first.counter)?;
        let offset = usize::try_from(offset).ok()?;
        (id.actor == self.first.actor && offset < self.pieces.len()).then_some(offset)
    }

    /// Cuts the span in two; the second begins at `offset`.
    fn split(&mut self, offset: usize) -> Self {
        let counter = self.first.counter + offset as u64;
        let pieces = self.pieces.split_off(offset.min(self.pieces.len()));
        Self { first: OpId { counter, ..self.first }, pieces, is_deleted: self.is_deleted }
    }
}

impl Unbranched {
    /// Takes the steps of the next change, of which `actor` is the author.
    pub fn apply(&mut self, actor: u32, plan: Plan) {
        for (counter, step) in (plan.past.next..).zip(plan.steps) {
            self.step(OpId { counter, actor }, step);
        }
    }

    fn step(&mut self, id: OpId, step: Step) {
        let Step { object, place, action, .. } = step;
        let held = match action {
            Action::MakeMap => Some(self.make(id, Object::Map(BTreeMap::new()))),
            Action::MakeList => Some(self.make(id, Object::List(Vec::new()))),
            Action::MakeText => Some(self.make(id, Object::Text(Vec::new()))),
            Action::Put(value) => Some(Held::Scalar(value)),
            Action::Delete => None,
        };
        match place {
            Place::Key(key) => self.set(object, key.into_owned(), held),
            Place::Behind(after) => {
                if let (Some(object), Some(held)) = (object, held) {
                    self.insert(object, after, id, held);
                }
            }
            Place::Element(element) => {
                if let Some(Object::Text(spans)) = object.and_then(|id| self.objects.get_mut(&id)) {
                    delete(spans, element);
                }
            }
        }
    }

    fn make(&mut self, id: OpId, object: Object) -> Held {
        self.objects.insert(id, object);
        Held::Object(id)
    }

    fn set(&mut self, object: Option<OpId>, key: String, held: Option<Held>) {
        let map = match object {
            None => &mut self.fields,
            Some(id) => match self.objects.get_mut(&id) {
                Some(Object::Map(map)) => map,
                _ => return,
            },
        };
        let replaced = match held {
            Some(held) => map.insert(key, held),
            None => map.remove(&key),
        };
        if let Some(Held::Object(old)) = replaced {
            self.drop_object(old);
        }
    }

    /// Forgets an object and what is in it; the schema bounds the depth.
    fn drop_object(&mut self, id: OpId) {
        let parts: Vec<Held> = match self.objects.remove(&id) {
            Some(Object::Map(map)) => map.into_values().collect(),
            Some(Object::List(list)) => list,
            Some(Object::Text(_)) | None => return,
        };
        for part in parts {
            if let Held::Object(part) = part {
                self.drop_object(part);
            }
        }
    }

    fn insert(&mut self, object: OpId, after: Option<OpId>, id: OpId, held: Held) {
        match (self.objects.get_mut(&object), held) {
            // Lists are written whole, element by element: each comes last.
            (Some(Object::List(list)), held) => list.push(held),
            (Some(Object::Text(spans)), Held::Scalar(Value::Text(piece))) => {
                insert(spans, after, id, piece.into_boxed_str());
            }
            _ => {}
        }
    }

    /// Every field that holds something, in the order of their numbers.
    pub fn fields(&self, schema: &'static Schema) -> Vec<(&'static Field, Json)> {
        let of_name = |(name, held): (&String, &Held)| {
            let field = schema.named(name)?;
            Some((field, self.json(held, field.class == Class::Set)))
        };
        let mut fields: Vec<_> = self.fields.iter().filter_map(of_name).collect();
        fields.sort_unstable_by_key(|(field, _)| field.number);
        fields
    }

    fn json(&self, held: &Held, set: bool) -> Json {
        let id = match held {
            Held::Scalar(Value::Text(text)) => return Json::from(text.as_str()),
            Held::Scalar(Value::Integer(number)) => return Json::from(*number),
            Held::Scalar(Value::Boolean(value)) => return Json::Bool(*value),
            Held::Scalar(_) => return Json::Null,
            Held::Object(id) => id,
        };
        match self.objects.get(id) {
            Some(Object::Map(map)) if set => {
                map.keys().map(|key| Json::from(key.as_str())).collect()
            }
            Some(Object::Map(map)) => Json::Object(
                map.iter().map(|(key, held)| (key.clone(), self.json(held, false))).collect(),
            ),
            Some(Object::List(list)) => list.iter().map(|held| self.json(held, false)).collect(),
            Some(Object::Text(spans)) => {
                let standing = spans.iter().filter(|span| !span.is_deleted);
                let pieces = standing.flat_map(|span| span.pieces.iter().map(AsRef::as_ref));
                Json::from(pieces.collect::<String>())
            }
            None => Json::Null,
        }
    }
}

/// Inserts an element behind another: nothing is concurrent, so it stands right behind.
fn insert(spans: &mut Vec<Span>, after: Option<OpId>, id: OpId, piece: Box<str>) {
    let fresh = |piece| Span { first: id, pieces: vec![piece], is_deleted: false };
    let Some(after) = after else {
        spans.insert(0, fresh(piece));
        return;
    };
    // What is typed on continues the span that was written last, which is mostly near the end.
    let found = spans
        .iter()
        .enumerate()
        .rev()
        .find_map(|(index, span)| span.position(after).map(|offset| (index, offset)));
    let Some((index, offset)) = found else { return };
    let Some(span) = spans.get_mut(index) else { return };
    let is_last = offset + 1 == span.pieces.len();
    let continues = id.actor == after.actor && id.counter == after.counter + 1;
    if is_last && continues && !span.is_deleted {
        span.pieces.push(piece);
        return;
    }
    if !is_last {
        let rest = span.split(offset + 1);
        spans.insert(index + 1, rest);
    }
    spans.insert(index + 1, fresh(piece));
}

/// Marks an element as deleted; others may still stand behind it.
fn delete(spans: &mut Vec<Span>, element: OpId) {
    let found = spans
        .iter()
        .enumerate()
        .find_map(|(index, span)| span.position(element).map(|offset| (index, offset)));
    let Some((index, offset)) = found else { return };
    let Some(span) = spans.get_mut(index) else { return };
    if span.is_deleted {
        return;
    }
    let mut middle = span.split(offset);
    let rest = middle.split(1);
    middle.is_deleted = true;
    let is_first = span.pieces.is_empty();
    let parts = [middle, rest].into_iter().filter(|part| !part.pieces.is_empty());
    let from = if is_first { index } else { index + 1 };
    spans.splice(from..=index, parts);
}

#[cfg(test)]
mod tests {
    use crate::record::Kind;
    use crate::record::tests::world::{Replica, convention};
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    fn edit() -> impl Strategy<Value = Json> {
        prop_oneof![
            4 => "[abàb ]{0,12}".prop_map(|notes| json!({ "notes": notes })),
            1 => "x{250,600}y{0,300}".prop_map(|notes| json!({ "notes": notes })),
            1 => (0..9i64).prop_map(|seats| json!({"seats_total": seats + 10})),
            1 => Just(json!({"seats_reserved": null})),
            1 => prop::sample::subsequence(vec!["a", "b", "c"], 0..3)
                .prop_map(|tags| json!({ "tags": tags })),
            1 => (1..3i64)
                .prop_map(|cents| json!({"fees": [{"kind": "retta", "amount_cents_day": cents}]})),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Reading the fields compares them with those of the document, in tests.
        #[test]
        fn one_person_after_another_shows_what_automerge_shows(
            edits in prop::collection::vec((1..4u8, edit()), 1..12),
        ) {
            let mut replica = Replica::with(Kind::Convention, convention());
            for (by, fields) in edits {
                let _ = replica.try_edit(by, fields.clone());
                let view = replica.record.view();
                prop_assert!(view.conflicts.is_empty());
                prop_assert!(replica.record.document.unbranched.is_some());
                for (name, value) in fields.as_object().unwrap() {
                    let shown = view.fields.get(name).cloned().unwrap_or(Json::Null);
                    prop_assert_eq!(&shown, value, "{}", name);
                }
            }
            replica.record.self_check().unwrap();
        }
    }

    #[test]
    fn at_the_first_concurrent_change_the_document_takes_over() {
        let mut one = Replica::with(Kind::Convention, convention());
        let mut other = one.fork();
        one.edit(1, json!({"seats_total": 11}));
        other.edit(2, json!({"seats_total": 12, "notes": "di là"}));
        assert!(one.record.document.unbranched.is_some());
        one.merge(&other);
        assert!(one.record.document.unbranched.is_none());
        assert_eq!(one.record.view().conflicts.len(), 1);
        assert_eq!(one.record.view().fields["notes"], "di là");
    }
}
