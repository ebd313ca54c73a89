//! From the operations of a change to those of Automerge: numbered, with objects and predecessors
//! worked out from the causal past.
//!
//! The result holds only what Automerge itself could have written: map writes with a key in a map
//! that the past shows, insertions behind an element of the same text, deletions of such elements.

use super::history::{History, OpId, Past, Run, Slot, WriteKind};
use super::{Author, GateError};
use crate::limits::{CHANGE_OPERATIONS_MAX, OPERATION_PREDECESSORS_MAX};
use crate::record::Change;
use crate::record::check::{check_element, check_field, plain};
use crate::record::operation::{Operation, Reference};
use crate::record::prose::pieces;
use crate::record::schema::{Class, Field, Schema, Type, find};
use crate::record::value::Value;
use std::borrow::Cow;
use std::collections::HashSet;

/// A change as Automerge will see it, and what the history will remember of it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub past: Past,
    pub steps: Vec<Step>,
    pub writes: Vec<(Slot, u64, WriteKind)>,
    pub runs: Vec<Run>,
    /// Bytes of text.
    pub bytes: u64,
}

/// One operation of Automerge; its number follows from its position.
#[derive(Debug)]
pub(crate) struct Step {
    /// The object written to; `None` is the record itself.
    pub object: Option<OpId>,
    pub place: Place,
    pub action: Action,
    pub predecessors: Vec<OpId>,
}

/// Where in its object.
#[derive(Debug)]
pub(crate) enum Place {
    /// A key of a map.
    Key(Cow<'static, str>),
    /// A new element behind another, or first.
    Behind(Option<OpId>),
    /// An existing element.
    Element(OpId),
}

/// What it does there.
#[derive(Debug)]
pub(crate) enum Action {
    MakeMap,
    MakeList,
    MakeText,
    /// Sets a scalar; never a list or a struct.
    Put(Value),
    Delete,
}

impl Plan {
    /// The number after the last operation.
    pub fn end(&self) -> u64 {
        self.past.next + self.steps.len() as u64
    }
}

/// Expands a change whose form and dependencies were checked.
pub(super) fn expand(
    schema: &'static Schema,
    history: &History,
    author: &Author,
    past: Past,
    change: &Change,
) -> Result<Plan, GateError> {
    let plan = Plan { past, steps: Vec::new(), writes: Vec::new(), runs: Vec::new(), bytes: 0 };
    let mut expansion = Expansion {
        history,
        actor: history.actor_for(author),
        actors: None,
        plan,
        seen: HashSet::new(),
        predecessors: 0,
    };
    for operation in &change.operations {
        let number = operation.field();
        let field = schema.field(number).ok_or(GateError::FieldUnknown { field: number })?;
        expansion.operation(field, operation)?;
    }
    Ok(expansion.plan)
}

struct Expansion<'a> {
    history: &'a History,
    actor: u32,
    /// The actors of the past as references name them, once one is needed.
    actors: Option<Vec<u32>>,
    plan: Plan,
    seen: HashSet<Seen<'a>>,
    predecessors: usize,
}

/// What a change may touch only once.
#[derive(PartialEq, Eq, Hash)]
enum Seen<'a> {
    Whole(u16),
    Parts(u16),
    Element(u16, &'a str),
    Text(OpId),
}

impl<'a> Expansion<'a> {
    fn operation(
        &mut self,
        field: &'static Field,
        operation: &'a Operation,
    ) -> Result<(), GateError> {
        match (operation, field.class) {
            (Operation::Put { value, .. }, _) => self.put(field, value),
            (Operation::Add { element, .. }, Class::Set) => self.element(field, element, true),
            (Operation::Remove { element, .. }, Class::Set) => self.element(field, element, false),
            (Operation::Splice { after, text, .. }, Class::Text) => {
                self.splice(field, *after, text)
            }
            (Operation::Erase { first, count, .. }, Class::Text) => {
                self.erase(field, *first, *count)
            }
            _ => Err(GateError::OperationMisplaced { field: field.number }),
        }
    }

    fn put(&mut self, field: &'static Field, value: &Value) -> Result<(), GateError> {
        let number = field.number;
        check_field(field, value)
            .map_err(|fault| GateError::ValueInvalid { field: number, fault })?;
        self.whole(number)?;
        let slot = Slot::Field(number);
        let predecessors = self.visible(&slot)?;
        let place = Place::Key(Cow::Borrowed(field.name));
        match (field.class, value) {
            (Class::Set, Value::List(elements)) => {
                let object = self.step(None, place, Action::MakeMap, predecessors)?;
                self.write(slot, object, WriteKind::Object);
                elements.iter().try_for_each(|element| self.first_element(object, element))
            }
            (Class::Text, Value::Text(text)) => {
                let object = self.step(None, place, Action::MakeText, predecessors)?;
                self.write(slot, object, WriteKind::Object);
                self.insert(object, None, text)
            }
            (_, value) => {
                let written = self.tree(None, place, &field.holds, value, predecessors)?;
                self.write(slot, written, WriteKind::Value);
                Ok(())
            }
        }
    }

    fn first_element(&mut self, object: OpId, element: &Value) -> Result<(), GateError> {
        let Value::Text(name) = element else { return Ok(()) };
        let key = Place::Key(Cow::Owned(name.clone()));
        let put = Action::Put(Value::Boolean(true));
        let written = self.step(Some(object), key, put, Vec::new())?;
        self.write(Slot::Element(object, name.clone()), written, WriteKind::Value);
        Ok(())
    }

    /// A value with everything in it; nothing can be added to its parts later.
    fn tree(
        &mut self,
        object: Option<OpId>,
        place: Place,
        holds: &Type,
        value: &Value,
        predecessors: Vec<OpId>,
    ) -> Result<OpId, GateError> {
        match (value, holds) {
            (Value::List(values), Type::List { of, .. }) => {
                let made = self.step(object, place, Action::MakeList, predecessors)?;
                let mut last = None;
                for value in values {
                    let behind = Place::Behind(last);
                    last = Some(self.tree(Some(made), behind, of, value, Vec::new())?);
                }
                Ok(made)
            }
            (Value::Struct(parts), Type::Struct { fields }) => {
                let map = self.step(object, place, Action::MakeMap, predecessors)?;
                for (number, value) in parts {
                    let Some(part) = find(fields, *number) else { continue };
                    let key = Place::Key(Cow::Borrowed(part.name));
                    self.tree(Some(map), key, &part.holds, value, Vec::new())?;
                }
                Ok(map)
            }
            (value, _) => self.step(object, place, Action::Put(value.clone()), predecessors),
        }
    }

    fn element(&mut self, field: &Field, name: &'a str, add: bool) -> Result<(), GateError> {
        let number = field.number;
        check_element(&field.holds, name)
            .map_err(|fault| GateError::ValueInvalid { field: number, fault })?;
        self.part(number)?;
        self.once(Seen::Element(number, name), number)?;
        let object = self.object(number)?;
        let slot = Slot::Element(object, name.to_owned());
        let predecessors = self.visible(&slot)?;
        if !add && predecessors.is_empty() {
            return Err(GateError::ElementMissing { field: number });
        }
        let (action, kind) = if add {
            (Action::Put(Value::Boolean(true)), WriteKind::Value)
        } else {
            (Action::Delete, WriteKind::Deletion)
        };
        let key = Place::Key(Cow::Owned(name.to_owned()));
        let written = self.step(Some(object), key, action, predecessors)?;
        self.write(slot, written, kind);
        Ok(())
    }

    fn splice(
        &mut self,
        field: &Field,
        after: Option<Reference>,
        text: &str,
    ) -> Result<(), GateError> {
        let number = field.number;
        plain(text).map_err(|fault| GateError::ValueInvalid { field: number, fault })?;
        if text.is_empty() {
            return Err(GateError::Empty);
        }
        self.part(number)?;
        let object = self.object(number)?;
        let after = after.map(|after| self.resolve(number, object, after, 1)).transpose()?;
        self.insert(object, after, text)
    }

    fn insert(&mut self, object: OpId, after: Option<OpId>, text: &str) -> Result<(), GateError> {
        let (mut last, mut count) = (after, 0);
        let first = self.plan.end();
        for piece in pieces(text) {
            let put = Action::Put(Value::Text(piece.to_owned()));
            last = Some(self.step(Some(object), Place::Behind(last), put, Vec::new())?);
            count += 1;
        }
        if count > 0 {
            self.plan.runs.push(Run { object, first, count });
        }
        Ok(())
    }

    fn erase(&mut self, field: &Field, first: Reference, count: u32) -> Result<(), GateError> {
        let number = field.number;
        if count == 0 {
            return Err(GateError::Empty);
        }
        if count as usize > CHANGE_OPERATIONS_MAX {
            return Err(GateError::OperationsMany);
        }
        self.part(number)?;
        let object = self.object(number)?;
        let first = self.resolve(number, object, first, u64::from(count))?;
        for offset in 0..u64::from(count) {
            let element = OpId { counter: first.counter + offset, actor: first.actor };
            self.once(Seen::Text(element), number)?;
            self.step(Some(object), Place::Element(element), Action::Delete, vec![element])?;
        }
        Ok(())
    }

    /// The set or text that the past shows in a field; the winner, if there are several.
    fn object(&self, field: u16) -> Result<OpId, GateError> {
        let shown = self.history.visible(&Slot::Field(field), &self.plan.past);
        let winner = shown.last().filter(|write| write.kind == WriteKind::Object);
        winner.map(|write| write.id).ok_or(GateError::ObjectMissing { field })
    }

    fn resolve(
        &mut self,
        field: u16,
        object: OpId,
        reference: Reference,
        count: u64,
    ) -> Result<OpId, GateError> {
        let (history, past) = (self.history, &self.plan.past);
        let actors = self.actors.get_or_insert_with(|| history.actors_in(past));
        let actor = actors.get(reference.actor as usize).copied();
        actor
            .map(|actor| OpId { counter: reference.counter, actor })
            .filter(|first| history.holds_text(past, object, *first, count))
            .ok_or(GateError::ReferenceUnknown { field })
    }

    fn visible(&mut self, slot: &Slot) -> Result<Vec<OpId>, GateError> {
        let shown = self.history.visible(slot, &self.plan.past);
        self.predecessors += shown.len();
        if self.predecessors > CHANGE_OPERATIONS_MAX * OPERATION_PREDECESSORS_MAX {
            return Err(GateError::PredecessorsMany);
        }
        Ok(shown.into_iter().map(|write| write.id).collect())
    }

    fn whole(&mut self, field: u16) -> Result<(), GateError> {
        if self.seen.contains(&Seen::Parts(field)) {
            return Err(GateError::FieldRepeated { field });
        }
        self.once(Seen::Whole(field), field)
    }

    fn part(&mut self, field: u16) -> Result<(), GateError> {
        self.seen.insert(Seen::Parts(field));
        let repeated = self.seen.contains(&Seen::Whole(field));
        if repeated { Err(GateError::FieldRepeated { field }) } else { Ok(()) }
    }

    fn once(&mut self, seen: Seen<'a>, field: u16) -> Result<(), GateError> {
        if self.seen.insert(seen) { Ok(()) } else { Err(GateError::FieldRepeated { field }) }
    }

    fn write(&mut self, slot: Slot, id: OpId, kind: WriteKind) {
        self.plan.writes.push((slot, id.counter, kind));
    }

    fn step(
        &mut self,
        object: Option<OpId>,
        place: Place,
        action: Action,
        predecessors: Vec<OpId>,
    ) -> Result<OpId, GateError> {
        #[cfg(test)]
        super::effort::note(predecessors.len());
        if self.plan.steps.len() >= CHANGE_OPERATIONS_MAX {
            return Err(GateError::OperationsMany);
        }
        if let Action::Put(Value::Text(text)) = &action {
            self.plan.bytes += text.len() as u64;
        }
        let id = OpId { counter: self.plan.end(), actor: self.actor };
        self.plan.steps.push(Step { object, place, action, predecessors });
        Ok(id)
    }
}
