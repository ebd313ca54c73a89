//! What must be right before somebody's edit is written here.
//!
//! These rules are for people: they catch mistakes and explain them. They are checked only where an
//! edit is made, never on what arrives, so a rule may become stricter without splitting replicas.
//! An edit answers for the fields it touches, not for what was wrong before.

mod formats;
mod input;
mod rules;

pub(crate) use input::{Wanted, wanted};
pub(crate) use rules::check;

use crate::record::Fault;
use crate::record::dates;
use crate::record::schema::Type;
use crate::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// Fields that say when somebody looked: that was today or before.
const LOOKED: [&str; 2] = ["verified_on", "last_review_on"];

/// What an edit says to have been done on a day that is still to come, by the clock of its writer.
pub(crate) fn ahead(fields: &Map<String, Json>, now: Timestamp) -> Vec<FieldError> {
    let said = LOOKED.iter().filter_map(|name| Some((*name, fields.get(*name)?.as_str()?)));
    let ahead = said.filter(|(_, date)| dates::is_ahead(date.trim(), now));
    let message = "this day is still to come, by the clock of this machine";
    ahead.map(|(name, _)| FieldError::new(name, "in_the_future", message)).collect()
}

/// What is wrong with one field of an edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, with the way into it: `parties[1].protocol_no`.
    pub field: String,
    /// For programs. Stable.
    pub code: &'static str,
    /// For people, in English.
    pub message: String,
    /// The codes that are possible there, when it is none of them.
    pub allowed: &'static [&'static str],
}

impl FieldError {
    fn new(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), code, message: message.into(), allowed: &[] }
    }

    fn fault(field: &str, fault: Fault) -> Self {
        let code = match fault {
            Fault::WrongType => "wrong_type",
            Fault::TooLong => "too_long",
            Fault::TooMany => "too_many",
            Fault::OutOfRange => "out_of_range",
            Fault::UnknownCode => "unknown_code",
            Fault::NotADate => "not_a_date",
            Fault::NotAMonth => "not_a_month",
            Fault::NotATime => "not_a_time",
            Fault::NotAReference => "not_a_reference",
            Fault::ControlCharacters => "control_characters",
            Fault::UnknownPart => "unknown_field",
            Fault::Repeated => "repeated",
        };
        Self::new(field, code, fault.to_string())
    }

    /// A fault of a value that should have been of type `holds`.
    fn of_type(field: &str, fault: Fault, holds: &Type) -> Self {
        match (fault, holds) {
            (Fault::UnknownCode, Type::Enum { codes }) => {
                Self { allowed: codes, ..Self::fault(field, fault) }
            }
            _ => Self::fault(field, fault),
        }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.field, self.message)
    }
}
