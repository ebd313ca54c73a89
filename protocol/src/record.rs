//! Records: one Automerge document each, built from the changes that passed the gate.
//!
//! # Contract
//! What a record shows is a function of the set of its accepted entries: any order of arrival, any
//! repetition, in pieces or at once, gives the same. A change whose dependencies are missing waits;
//! one that breaks a rule is refused, with everything built on it, and never disturbs the rest.
//!
//! # Threats
//! Nothing a member writes can stop a record from being read: only the five operations of
//! [`Operation`] exist, their expansion is bounded, and Automerge is given nothing it could not
//! have written itself (see [`gate`]). Names, dates and comments are claims of the node that signed
//! them.
//!
//! # Deliberately absent
//! Which entries are accepted (access), where they are kept (storage), and derived facts such as
//! reminders or the state of a convention: [`period`] only tells people where a day stands.

mod assembly;
mod change;
mod check;
mod dates;
mod document;
mod edit;
pub mod gate;
mod history;
mod kind;
mod operation;
pub mod period;
mod prose;
pub mod schema;
mod unbranched;
pub mod validation;
mod value;
mod view;

#[cfg(test)]
mod tests;

pub use assembly::{Record, Verdict};
pub use change::{Author, Authored, Change, Dependency};
pub use check::Fault;
pub use document::DocumentError;
pub use edit::{EditError, Edits};
pub use gate::GateError;
pub use history::{FieldChange, HistoryItem};
pub use kind::{Kind, Ownership, UnknownKind, derive_id, kind_of};
pub use operation::{Operation, Reference};
pub use validation::FieldError;
pub use value::Value;
pub use view::{Conflict, ConflictValue, Origin, View};
