//! From the field values that somebody wants to an explicit change.
//!
//! An edit writes only what differs from what the record shows, so that two people who save the
//! same form do not overwrite each other's fields. A field in conflict is always written: choosing
//! a value is how a conflict ends. The change passes the gate here before anybody sees it.

use crate::ids::EntryHash;
use crate::limits::{CHANGE_DEPENDENCIES_MAX, CHANGE_OPERATIONS_MAX, PAYLOAD_BYTES_MAX};
use crate::record::assembly::{Record, Verdict};
use crate::record::gate::{self, GateError};
use crate::record::kind::Ownership;
use crate::record::operation::Operation;
use crate::record::prose;
use crate::record::schema::{Class, Field};
use crate::record::validation::{self, FieldError, Wanted};
use crate::record::value::Value;
use crate::record::{Author, Change, Dependency};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// The values that fields should have. `null` empties a field. A set takes all its elements as an
/// array, or `{"add": […], "remove": […]}`. Free text takes the whole new text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Edits {
    /// By the names of the fields.
    pub fields: Map<String, Json>,
}

/// Why an edit cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// Fields are wrong or missing.
    #[error("{}", summary(.0))]
    Invalid(Vec<FieldError>),
    /// Nothing differs from what the record shows.
    #[error("the record already has these values")]
    Unchanged,
    /// There is no such record here, and no nonce to create it.
    #[error("there is no such record here yet; wait for its first change, or create a new one")]
    NotFound,
    /// The record to create exists.
    #[error("this record exists already; edit it instead")]
    AlreadyExists,
    /// The record belongs to another organisation.
    #[error("this record belongs to another organisation; only that organisation may change it")]
    NotOwner,
    /// An earlier change of this node is still waiting for others.
    #[error("earlier changes of this record are still missing here; synchronise, then edit again")]
    Incomplete,
    /// The document here failed.
    #[error("this record cannot be read here; it is being built again, try later")]
    Damaged,
    /// More than one change can hold.
    #[error("this is too much for one change; save it in several steps")]
    TooLarge,
    /// The gate does not let it through.
    #[error("this change would be refused: {0}")]
    Refused(GateError),
}

fn summary(errors: &[FieldError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// After every place of a log.
const LOG_END: (u64, EntryHash) = (u64::MAX, EntryHash::from_bytes([0xFF; 32]));

/// What the record shows: by field number, the value and whether it is in conflict.
type Shown = BTreeMap<u16, (&'static Field, Json, bool)>;

impl Record {
    /// Makes the change that gives fields the wanted values. `nonce` is that of a new record: the
    /// one its identifier was derived from.
    ///
    /// # Errors
    /// What is wrong with the edit; nothing has changed then.
    pub fn edit(
        &self,
        author: &Author,
        edits: &Edits,
        nonce: Option<[u8; 8]>,
    ) -> Result<Change, EditError> {
        let creating = self.may_edit(author, nonce)?;
        let shown: Shown = self
            .document
            .fields(self.changes())
            .into_iter()
            .map(|(field, json, conflict)| (field.number, (field, json, conflict)))
            .collect();
        let wanted = self.validated(edits, &shown, creating)?;
        let dependencies = self.heads(author)?;
        let mut operations = self.operations(&wanted, &shown);
        if creating {
            self.prepare_objects(&mut operations);
        } else if operations.is_empty() {
            return Err(EditError::Unchanged);
        }
        let change = Change { creation: nonce, dependencies, operations };
        self.rehearse(author, &change)?;
        Ok(change)
    }

    /// As [`Self::edit`], by the clock of whoever edits: nobody has looked at anything on a day
    /// that is still to come.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn edit_on(
        &self,
        author: &Author,
        edits: &Edits,
        nonce: Option<[u8; 8]>,
        now: Timestamp,
    ) -> Result<Change, EditError> {
        let ahead = validation::ahead(&edits.fields, now);
        match self.edit(author, edits, nonce) {
            Err(EditError::Invalid(errors)) => {
                Err(EditError::Invalid(errors.into_iter().chain(ahead).collect()))
            }
            Ok(_) if !ahead.is_empty() => Err(EditError::Invalid(ahead)),
            edited => edited,
        }
    }

    fn may_edit(&self, author: &Author, nonce: Option<[u8; 8]>) -> Result<bool, EditError> {
        if self.document.is_damaged(self.changes()) {
            return Err(EditError::Damaged);
        }
        match (self.history.creator(), nonce) {
            (None, None) => Err(EditError::NotFound),
            (None, Some(_)) => Ok(true),
            (Some(_), Some(_)) => Err(EditError::AlreadyExists),
            (Some(creator), None)
                if self.kind.ownership() == Ownership::Owned
                    && creator.organisation != author.organisation =>
            {
                Err(EditError::NotOwner)
            }
            (Some(_), None) => Ok(false),
        }
    }

    fn validated(
        &self,
        edits: &Edits,
        shown: &Shown,
        creating: bool,
    ) -> Result<Vec<Wanted>, EditError> {
        let mut errors = Vec::new();
        let current = |field: &Field| shown.get(&field.number).map(elements).unwrap_or_default();
        let schema = self.kind.schema();
        let wanted = validation::wanted(schema, &edits.fields, current, &mut errors);
        let mut after: Map<String, Json> =
            shown.values().map(|(field, json, _)| (field.name.to_owned(), json.clone())).collect();
        for Wanted { field, value } in &wanted {
            after.insert(field.name.to_owned(), value.to_json(&field.holds));
        }
        let touched = |name: &str| creating || edits.fields.contains_key(name);
        validation::check(self.kind, &after, &touched, creating, &mut errors);
        if errors.is_empty() { Ok(wanted) } else { Err(EditError::Invalid(errors)) }
    }

    fn operations(&self, wanted: &[Wanted], shown: &Shown) -> Vec<Operation> {
        let mut operations = Vec::new();
        for Wanted { field, value } in wanted {
            let put = || Operation::Put { field: field.number, value: value.clone() };
            match (field.class, value, shown.get(&field.number)) {
                (Class::Set, Value::List(wanted), Some(current @ (_, Json::Array(_), false))) => {
                    operations.extend(set_difference(field.number, wanted, &elements(current)));
                }
                (Class::Text, Value::Text(wanted), Some((_, Json::String(_), false))) => {
                    let difference = self.text_difference(field, wanted);
                    operations.extend(difference.unwrap_or_else(|| vec![put()]));
                }
                (Class::Legal | Class::Owned, Value::Null, None) => {}
                (Class::Legal | Class::Owned, value, Some((_, json, false)))
                    if value.to_json(&field.holds) == *json => {}
                _ => operations.push(put()),
            }
        }
        operations
    }

    /// The steps from the text that stands to the wanted one; `None` if writing it anew is better.
    fn text_difference(&self, field: &Field, wanted: &str) -> Option<Vec<Operation>> {
        let elements = self.document.elements(self.changes(), field)?;
        let operations = prose::difference(field.number, &elements, wanted);
        let size: usize = operations
            .iter()
            .map(|operation| match operation {
                Operation::Splice { text, .. } => prose::pieces(text).count(),
                Operation::Erase { count, .. } => *count as usize,
                _ => 1,
            })
            .sum();
        (size <= CHANGE_OPERATIONS_MAX / 2).then_some(operations)
    }

    /// A new record has all its sets and texts from the beginning, so that two people who fill one
    /// for the first time write into the same.
    fn prepare_objects(&self, operations: &mut Vec<Operation>) {
        let written: BTreeSet<u16> = operations.iter().map(Operation::field).collect();
        for field in self.kind.schema().fields() {
            let value = match field.class {
                Class::Set => Value::List(Vec::new()),
                Class::Text => Value::Text(String::new()),
                Class::Legal | Class::Owned => continue,
            };
            if !written.contains(&field.number) {
                operations.push(Operation::Put { field: field.number, value });
            }
        }
        operations.sort_by_key(Operation::field);
    }

    /// What a new change of the author builds on: what nothing builds on yet, as far as one change
    /// may join, and the author's own last change in any case.
    fn heads(&self, author: &Author) -> Result<Vec<Dependency>, EditError> {
        let own = self.own_last(author);
        let latest = self.previous(author, LOG_END);
        if latest.and_then(|latest| self.verdict(&latest)) == Some(Verdict::Waiting) {
            return Err(EditError::Incomplete);
        }
        let heads = self.history.heads();
        let joins_all = heads.len() <= CHANGE_DEPENDENCIES_MAX;
        let heads = heads.into_iter().filter_map(|head| self.history.change(head));
        let entries = own.filter(|_| !joins_all).into_iter().chain(heads.map(|head| head.entry));
        let mut dependencies = BTreeSet::new();
        for entry in entries {
            let own_last = own == Some(entry) && latest == own;
            let dependency =
                if own_last { Dependency::own(&entry) } else { Dependency::Entry(entry) };
            if dependencies.len() < CHANGE_DEPENDENCIES_MAX {
                dependencies.insert(dependency);
            }
        }
        Ok(dependencies.into_iter().collect())
    }

    fn own_last(&self, author: &Author) -> Option<EntryHash> {
        let last = self.history.last_of(&author.node, author.grant)?;
        self.history.change(last).map(|change| change.entry)
    }

    fn rehearse(&self, author: &Author, change: &Change) -> Result<(), EditError> {
        let own = self.own_last(author);
        let dependencies = change.dependencies.iter().map(|dependency| match dependency {
            Dependency::Own(_) => own.unwrap_or(EntryHash::ZERO),
            Dependency::Entry(entry) => *entry,
        });
        let dependencies: Vec<_> = dependencies.collect();
        match gate::admit(&self.id, self.kind, &self.history, author, change, &dependencies) {
            Ok(_) if change.encode().len() > PAYLOAD_BYTES_MAX => Err(EditError::TooLarge),
            Ok(_) => Ok(()),
            Err(GateError::OperationsMany) => Err(EditError::TooLarge),
            Err(error) => Err(EditError::Refused(error)),
        }
    }
}

fn elements((_, json, _): &(&'static Field, Json, bool)) -> BTreeSet<String> {
    let array = json.as_array().map_or(&[][..], Vec::as_slice);
    array.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn set_difference(field: u16, wanted: &[Value], current: &BTreeSet<String>) -> Vec<Operation> {
    let wanted: BTreeSet<&str> = wanted
        .iter()
        .filter_map(|element| match element {
            Value::Text(element) => Some(element.as_str()),
            _ => None,
        })
        .collect();
    let add = wanted.iter().filter(|element| !current.contains(**element));
    let remove = current.iter().filter(|element| !wanted.contains(element.as_str()));
    add.map(|element| Operation::Add { field, element: (*element).to_owned() })
        .chain(remove.map(|element| Operation::Remove { field, element: element.clone() }))
        .collect()
}
