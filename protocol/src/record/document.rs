//! The only module that names Automerge.
//!
//! A [`Document`] is fed changes that passed the gate and answers what the record holds. It is a
//! cache: the entries are the truth, and it can be built again from them at any time. Automerge's
//! binary form stays inside this process; [`Document::check`] writes and reads it only to prove
//! that the document could be stored.

use crate::ids::EntryHash;
use crate::record::gate::{self, Action, Applied, History, OpId, Place, Plan, Step};
use crate::record::operation::Reference;
use crate::record::prose::Element;
use crate::record::schema::{Class, Field, Schema};
use crate::record::unbranched::Unbranched;
use crate::record::value::Value;
use crate::record::{Authored, Kind};
use automerge::legacy::{self, ElementId, Key, ObjectId, OpType};
use automerge::{
    ActorId, Automerge, Change, ChangeHash, ExpandedChange, ObjId, ObjType, ROOT, ReadDoc,
    ScalarValue, ScalarValueRef, ValueRef,
};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::OnceLock;

/// What one record holds. The Automerge document is built when something needs it: a concurrent
/// change, an edit of free text, a look at the past.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(super) unbranched: Option<Unbranched>,
    built: OnceLock<Built>,
}

/// The accepted changes of a record: what its document is built from.
#[derive(Clone, Copy)]
pub(crate) struct Changes<'a> {
    pub kind: Kind,
    pub history: &'a History,
    pub entries: &'a HashMap<EntryHash, Authored>,
}

/// An Automerge document, and the hashes it knows the accepted changes by.
#[derive(Clone, Debug, Default)]
struct Built {
    automerge: Automerge,
    /// In the order of the history's changes.
    hashes: Vec<ChangeHash>,
    waiting: Vec<Change>,
    failed: bool,
}

/// The document does not hold what was put into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Automerge refused a change that passed the gate.
    #[error("the document refused an accepted change; report this, and rebuild the record")]
    Refused,
    /// The document saves, but does not load as it was.
    #[error("the document would not load again; report this, and rebuild the record")]
    NotLoadable,
    /// The quick reading of the changes shows something else than the document.
    #[error("the fields are not those of the document; report this, and rebuild the record")]
    ReadsOtherwise,
}

/// A value that a field shows, and the operation that wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub value: Json,
    pub id: OpId,
}

impl Default for Document {
    fn default() -> Self {
        Self { unbranched: Some(Unbranched::default()), built: OnceLock::new() }
    }
}

impl Document {
    /// Queues the change that the history accepted last, from its plan.
    pub fn push(&mut self, history: &History, plan: Plan) {
        let Some(applied) = history.changes().last() else { return };
        if let Some(built) = self.built.get_mut() {
            built.push(history, applied, &plan);
        }
        let before = history.changes().len().checked_sub(2);
        let follows = match (before, applied.parents.as_slice()) {
            (None, []) => true,
            (Some(before), [parent]) => *parent as usize == before,
            _ => false,
        };
        if !follows {
            self.unbranched = None;
        } else if let Some(unbranched) = &mut self.unbranched {
            unbranched.apply(applied.actor, plan);
        }
    }

    /// Applies what is queued, as one batch.
    pub fn flush(&mut self) {
        if let Some(built) = self.built.get_mut() {
            built.flush();
        }
    }

    fn built(&self, changes: Changes<'_>) -> &Built {
        self.built.get_or_init(|| Built::new(changes))
    }

    /// Whether Automerge failed on accepted changes, so that nothing can be read here.
    pub fn is_damaged(&self, changes: Changes<'_>) -> bool {
        match (&self.unbranched, self.built.get()) {
            (Some(_), None) => false,
            _ => self.built(changes).failed,
        }
    }

    /// Writes the document, reads it again and compares, also with what is read without it.
    pub fn check(&self, changes: Changes<'_>) -> Result<(), DocumentError> {
        let built = self.built(changes);
        built.check(changes.history)?;
        let Some(unbranched) = &self.unbranched else { return Ok(()) };
        let schema = changes.kind.schema();
        let quick = unbranched.fields(schema).into_iter();
        let slow = built.fields(schema).into_iter();
        if quick.eq(slow.map(|(field, value, _)| (field, value))) {
            Ok(())
        } else {
            Err(DocumentError::ReadsOtherwise)
        }
    }

    /// Every field that holds something, and whether several values stand in it.
    pub fn fields(&self, changes: Changes<'_>) -> Vec<(&'static Field, Json, bool)> {
        let schema = changes.kind.schema();
        let Some(unbranched) = &self.unbranched else {
            return self.built(changes).fields(schema);
        };
        let fields = unbranched.fields(schema).into_iter();
        let fields: Vec<_> = fields.map(|(field, value)| (field, value, false)).collect();
        #[cfg(test)]
        if !self.is_damaged(changes) {
            assert_eq!(fields, self.built(changes).fields(schema), "the document says otherwise");
        }
        fields
    }

    /// All values that stand in a field, the winner last.
    pub fn values(&self, changes: Changes<'_>, field: &Field) -> Vec<Shown> {
        self.built(changes).values(changes.history, field)
    }

    /// The elements of the text in a field, in order; `None` if there is no text.
    pub fn elements(&self, changes: Changes<'_>, field: &Field) -> Option<Vec<Element>> {
        self.built(changes).elements(changes.history, field)
    }

    /// The text that a field held after these changes.
    pub fn text_at(&self, changes: Changes<'_>, field: &Field, at: &[u32]) -> Option<String> {
        self.built(changes).text_at(field, at)
    }
}

impl Built {
    fn new(changes: Changes<'_>) -> Self {
        let mut built = Self::default();
        for applied in changes.history.changes() {
            let plan = changes.entries.get(&applied.entry).and_then(|authored| {
                gate::plan_again(changes.kind, changes.history, applied, &authored.change).ok()
            });
            match plan {
                Some(plan) => built.push(changes.history, applied, &plan),
                None => built.failed = true,
            }
        }
        built.flush();
        built
    }

    fn push(&mut self, history: &History, applied: &Applied, plan: &Plan) {
        let change = self.build(history, applied, plan);
        self.hashes.push(change.hash());
        self.waiting.push(change);
    }

    fn build(&self, history: &History, applied: &Applied, plan: &Plan) -> Change {
        // Every operation names an actor of the history; nobody is for the impossible case.
        let nobody = ActorId::from([0; 16]);
        let names: Vec<ActorId> =
            history.actors().iter().map(|actor| ActorId::from(actor.id)).collect();
        let name = |id: OpId| {
            let owner = names.get(id.actor as usize);
            legacy::OpId::new(id.counter, owner.unwrap_or(&nobody))
        };
        let author = names.get(applied.actor as usize).unwrap_or(&nobody).clone();
        let heads = plan.past.heads.iter();
        let deps = heads.filter_map(|head| self.hashes.get(*head as usize)).copied().collect();
        let start_op = NonZeroU64::new(plan.past.next).unwrap_or(NonZeroU64::MIN);
        Change::from(ExpandedChange {
            operations: plan.steps.iter().map(|step| operation(step, &name)).collect(),
            actor_id: author,
            hash: None,
            seq: u64::from(applied.sequence),
            start_op,
            time: 0,
            message: None,
            deps,
            extra_bytes: Vec::new(),
            author: None,
        })
    }

    fn flush(&mut self) {
        if !self.failed && !self.waiting.is_empty() {
            let changes = std::mem::take(&mut self.waiting);
            // The gate leaves nothing for Automerge to panic at. If it ever does, the node goes on
            // without this document and says so: verdicts do not depend on it.
            let mut automerge = std::mem::take(&mut self.automerge);
            let applied = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                automerge.apply_changes(changes).map(|()| automerge)
            }));
            match applied {
                Ok(Ok(automerge)) => self.automerge = automerge,
                _ => self.failed = true,
            }
        }
    }

    fn check(&self, history: &History) -> Result<(), DocumentError> {
        let mut expected: Vec<ChangeHash> = history
            .heads()
            .iter()
            .filter_map(|head| self.hashes.get(*head as usize))
            .copied()
            .collect();
        expected.sort_unstable();
        if self.failed || !self.waiting.is_empty() || self.automerge.get_heads() != expected {
            return Err(DocumentError::Refused);
        }
        let loaded = std::panic::catch_unwind(|| Automerge::load(&self.automerge.save()));
        match loaded {
            Ok(Ok(loaded)) if loaded.get_heads() == expected => {
                let same = loaded.hydrate(None) == self.automerge.hydrate(None);
                if same { Ok(()) } else { Err(DocumentError::NotLoadable) }
            }
            _ => Err(DocumentError::NotLoadable),
        }
    }

    fn fields(&self, schema: &'static Schema) -> Vec<(&'static Field, Json, bool)> {
        let items = self.automerge.map_range(ROOT, ..);
        let mut fields: Vec<_> = items
            .filter_map(|item| {
                let field = schema.named(&item.key)?;
                let value = self.read(&item.value, || item.id(), field.class == Class::Set);
                Some((field, value, item.conflict))
            })
            .collect();
        fields.sort_unstable_by_key(|(field, ..)| field.number);
        fields
    }

    fn values(&self, history: &History, field: &Field) -> Vec<Shown> {
        let all = self.automerge.get_all(ROOT, field.name).unwrap_or_default();
        all.into_iter()
            .filter_map(|(value, object)| {
                let id = operation_id(history, &object)?;
                let value = match &value {
                    automerge::Value::Object(kind) => {
                        self.object(&object, *kind, field.class == Class::Set)
                    }
                    automerge::Value::Scalar(scalar) => scalar_value(scalar),
                };
                Some(Shown { value, id })
            })
            .collect()
    }

    fn elements(&self, history: &History, field: &Field) -> Option<Vec<Element>> {
        let object = self.text_object(field)?;
        let past = history.join(history.heads().into_iter());
        let actors = history.actors_in(&past);
        let items = self.automerge.list_range(&object, ..);
        Some(
            items
                .filter_map(|item| {
                    let id = operation_id(history, &item.id())?;
                    let actor = actors.iter().position(|actor| *actor == id.actor)?;
                    let actor = u32::try_from(actor).ok()?;
                    let ValueRef::Scalar(ScalarValueRef::Str(text)) = item.value else {
                        return None;
                    };
                    let id = Reference { counter: id.counter, actor };
                    Some(Element { id, text: text.into_owned() })
                })
                .collect(),
        )
    }

    fn text_at(&self, field: &Field, changes: &[u32]) -> Option<String> {
        let hashes = changes.iter().filter_map(|change| self.hashes.get(*change as usize));
        let hashes: Vec<ChangeHash> = hashes.copied().collect();
        let (value, object) = self.automerge.get_at(ROOT, field.name, &hashes).ok()??;
        match value {
            automerge::Value::Object(ObjType::Text) => self.automerge.text_at(object, &hashes).ok(),
            _ => None,
        }
    }

    fn text_object(&self, field: &Field) -> Option<ObjId> {
        match self.automerge.get(ROOT, field.name).ok()?? {
            (automerge::Value::Object(ObjType::Text), object) => Some(object),
            _ => None,
        }
    }

    fn read(&self, value: &ValueRef<'_>, id: impl FnOnce() -> ObjId, set: bool) -> Json {
        match value {
            ValueRef::Object(kind) => self.object(&id(), *kind, set),
            ValueRef::Scalar(ScalarValueRef::Str(text)) => Json::from(text.as_ref()),
            ValueRef::Scalar(ScalarValueRef::Int(number)) => Json::from(*number),
            ValueRef::Scalar(ScalarValueRef::Boolean(value)) => Json::Bool(*value),
            ValueRef::Scalar(_) => Json::Null,
        }
    }

    /// The gate bounds the depth, so this does not recurse beyond it.
    fn object(&self, object: &ObjId, kind: ObjType, set: bool) -> Json {
        match kind {
            ObjType::Text => self.automerge.text(object).map_or(Json::Null, Json::from),
            ObjType::List => {
                let items = self.automerge.list_range(object, ..);
                items.map(|item| self.read(&item.value, || item.id(), false)).collect()
            }
            ObjType::Map | ObjType::Table if set => {
                self.automerge.keys(object).map(Json::from).collect()
            }
            ObjType::Map | ObjType::Table => {
                let items = self.automerge.map_range(object, ..);
                let part = |item: automerge::iter::MapRangeItem<'_>| {
                    let value = self.read(&item.value, || item.id(), false);
                    (item.key.into_owned(), value)
                };
                Json::Object(items.map(part).collect::<Map<_, _>>())
            }
        }
    }
}

fn operation(step: &Step, name: &impl Fn(OpId) -> legacy::OpId) -> legacy::Op {
    let (key, insert) = match &step.place {
        Place::Key(key) => (Key::Map(key.as_ref().into()), false),
        Place::Behind(None) => (Key::Seq(ElementId::Head), true),
        Place::Behind(Some(id)) => (Key::Seq(ElementId::Id(name(*id))), true),
        Place::Element(id) => (Key::Seq(ElementId::Id(name(*id))), false),
    };
    let action = match &step.action {
        Action::MakeMap => OpType::Make(ObjType::Map),
        Action::MakeList => OpType::Make(ObjType::List),
        Action::MakeText => OpType::Make(ObjType::Text),
        Action::Delete => OpType::Delete,
        Action::Put(value) => OpType::Put(scalar(value)),
    };
    let obj = step.object.map_or(ObjectId::Root, |object| ObjectId::Id(name(object)));
    let pred = step.predecessors.iter().map(|id| name(*id)).collect();
    legacy::Op { action, obj, key, pred, insert }
}

/// Lists and structs never reach here: the gate expands them.
fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
        Value::Integer(number) => ScalarValue::Int(*number),
        Value::Boolean(value) => ScalarValue::Boolean(*value),
        Value::Null | Value::List(_) | Value::Struct(_) => ScalarValue::Null,
    }
}

fn scalar_value(scalar: &ScalarValue) -> Json {
    match scalar {
        ScalarValue::Str(text) => Json::from(text.as_str()),
        ScalarValue::Int(number) => Json::from(*number),
        ScalarValue::Boolean(value) => Json::Bool(*value),
        _ => Json::Null,
    }
}

fn operation_id(history: &History, object: &ObjId) -> Option<OpId> {
    match object {
        ObjId::Root => None,
        ObjId::Id(counter, actor, _) => {
            let actor = history.actor_named(actor.to_bytes())?;
            Some(OpId { counter: *counter, actor })
        }
    }
}

#[cfg(test)]
mod tests;
