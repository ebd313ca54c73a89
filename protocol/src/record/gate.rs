//! The gate: what a change must satisfy before Automerge sees it.
//!
//! Automerge panics on some malformed changes and accepts others that leave a document which saves
//! and can never be loaded again; a member could so destroy a record on every replica. The gate
//! works on our explicit operations instead, and builds from them only changes that Automerge
//! itself could have written. Its verdict is a function of the change and of its causal past, so
//! that every node reaches the same one in whatever order entries arrive.
//!
//! What the rules of the design become with our form of operations:
//! 1. dependencies are sorted, unique and accepted; the author's own previous change is in the
//!    past; first operation and sequence number follow from the past and are never read;
//! 2. the actor is derived from node, record and grant, and is never read;
//! 3. only five operations exist, none of them a counter, a mark or an increment;
//! 4. an operation names a field; its object is the one the past shows there, of the right type;
//! 5. predecessors are what the past shows in the slot: computed, never read;
//! 6. limits of the decoder and of the expansion;
//! 7. the schema: fields, types, codes, and for owned kinds the creator's organisation.

#[cfg(test)]
pub(crate) mod effort;
mod expand;
mod history;

pub(crate) use expand::{Action, Place, Plan, Step};
#[cfg(test)]
pub(crate) use history::derive_actor;
pub(crate) use history::{Applied, History, OpId, Slot};

use crate::ids::{EntryHash, RecordId};
use crate::limits::{
    CHANGE_DEPENDENCIES_MAX, RECORD_BYTES_MAX, RECORD_CHANGES_MAX, RECORD_OPERATIONS_MAX,
};
use crate::record::check::Fault;
use crate::record::kind::{Kind, Ownership, derive_id};
use crate::record::{Author, Change};
use history::Weight;

/// Why a change is refused, everywhere and for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum GateError {
    /// It does nothing.
    #[error("the change has no operations")]
    Empty,
    /// It names more dependencies than a change may.
    #[error("the change joins too many heads")]
    DependenciesMany,
    /// Its dependencies are out of order or repeated.
    #[error("the dependencies are not sorted or not unique")]
    DependenciesUnsorted,
    /// It builds on a change that was refused.
    #[error("the change builds on one that was refused")]
    DependencyRefused,
    /// It builds on nothing and creates nothing.
    #[error("the change builds on nothing and creates nothing")]
    CreationMissing,
    /// It creates a record that exists in its own past.
    #[error("the change creates a record that it builds on")]
    CreationMisplaced,
    /// Its nonce does not derive this record for this node.
    #[error("the record was not created by this node with this nonce")]
    CreationForged,
    /// The record was created before.
    #[error("the record was already created")]
    CreationRepeated,
    /// It does not build on its author's own previous change.
    #[error("the change does not build on its author's previous one")]
    OwnChangeSkipped,
    /// The record belongs to another organisation.
    #[error("only the organisation that created the record may change it")]
    NotOwner,
    /// The record has as many changes, operations or bytes as it may.
    #[error("the record is full: no more changes fit into it")]
    HistoryFull,
    /// It expands to more operations than a change may.
    #[error("the change has too many operations")]
    OperationsMany,
    /// It replaces more values than a change may.
    #[error("the change replaces too many values")]
    PredecessorsMany,
    /// A field that this kind of record does not have.
    #[error("the record has no field number {field}; it may come from a newer version")]
    FieldUnknown {
        /// The field.
        field: u16,
    },
    /// A field, or an element of one, is written twice in one change.
    #[error("field number {field} is written twice in one change")]
    FieldRepeated {
        /// The field.
        field: u16,
    },
    /// A value that the field cannot hold.
    #[error("field number {field} cannot hold this value: {fault}")]
    ValueInvalid {
        /// The field.
        field: u16,
        /// What is wrong.
        fault: Fault,
    },
    /// A set operation on a field that is no set, or a text operation on one that is no free text.
    #[error("field number {field} cannot be changed in this way")]
    OperationMisplaced {
        /// The field.
        field: u16,
    },
    /// The set or text has not been made in the past of the change.
    #[error("field number {field} holds nothing to change")]
    ObjectMissing {
        /// The field.
        field: u16,
    },
    /// An element to remove that the set does not have.
    #[error("field number {field} does not have the element to remove")]
    ElementMissing {
        /// The field.
        field: u16,
    },
    /// A piece of text that the past does not hold in this field.
    #[error("field number {field} does not have the piece of text to change")]
    ReferenceUnknown {
        /// The field.
        field: u16,
    },
}

/// Runs the gate on a change whose dependencies were all accepted and are given by entry.
///
/// # Errors
/// The first rule that does not hold.
pub(crate) fn admit(
    id: &RecordId,
    kind: Kind,
    history: &History,
    author: &Author,
    change: &Change,
    dependencies: &[EntryHash],
) -> Result<Plan, GateError> {
    check_form(id, kind, author, change)?;
    let past = history.past_of(dependencies);
    match history.creator() {
        None if change.creation.is_none() => return Err(GateError::CreationMissing),
        Some(_) if change.creation.is_some() => return Err(GateError::CreationRepeated),
        Some(creator) if kind.ownership() == Ownership::Owned => {
            (creator.organisation == author.organisation)
                .then_some(())
                .ok_or(GateError::NotOwner)?;
        }
        _ => {}
    }
    if is_full(history.weight(&past)) {
        return Err(GateError::HistoryFull);
    }
    if !history.own_changes_in(&past, author) {
        return Err(GateError::OwnChangeSkipped);
    }
    expand::expand(kind.schema(), history, author, past, change)
}

/// The plan of a change that was accepted before: a function of the change and of its past, and so
/// the same as then.
///
/// # Errors
/// Never, for a change that was accepted.
pub(crate) fn plan_again(
    kind: Kind,
    history: &History,
    applied: &Applied,
    change: &Change,
) -> Result<Plan, GateError> {
    let past = history.join(applied.parents.iter().copied());
    expand::expand(kind.schema(), history, &applied.author, past, change)
}

/// A record that a member has filled is freed by revoking it with a cut: what a past weighs is then
/// counted without the entries beyond.
const fn is_full(weight: Weight) -> bool {
    weight.changes >= RECORD_CHANGES_MAX as u64
        || weight.operations >= RECORD_OPERATIONS_MAX
        || weight.bytes >= RECORD_BYTES_MAX
}

/// The rules that need no past.
fn check_form(
    id: &RecordId,
    kind: Kind,
    author: &Author,
    change: &Change,
) -> Result<(), GateError> {
    let dependencies = &change.dependencies;
    if dependencies.len() > CHANGE_DEPENDENCIES_MAX {
        return Err(GateError::DependenciesMany);
    }
    if dependencies.windows(2).any(|pair| pair.first() >= pair.last()) {
        return Err(GateError::DependenciesUnsorted);
    }
    match (change.creation, dependencies.is_empty()) {
        (None, true) => Err(GateError::CreationMissing),
        (Some(_), false) => Err(GateError::CreationMisplaced),
        (Some(nonce), true) if derive_id(kind, &author.node, nonce) != *id => {
            Err(GateError::CreationForged)
        }
        _ if change.operations.is_empty() => Err(GateError::Empty),
        _ => Ok(()),
    }
}
