//! The fields of every kind of record, as static data.
//!
//! A field has a number (what travels: stable, never used again), a name (what people and files
//! use), a class (how concurrent writes meet) and a type. The gate refuses whatever is outside the
//! schema; what must be filled, and how fields depend on each other, is checked only when somebody
//! edits here (see [`crate::record::validation`]), so that stricter forms never split replicas.
//!
//! Deliberately absent: derived fields (state of a convention, last signature), which are computed
//! from records and the local date and never stored.

mod convention;
mod directory;
mod network;
pub(crate) mod vocabulary;

use crate::record::Kind;
use serde::Serialize;

/// The fields of one kind of record.
#[derive(Debug)]
pub struct Schema {
    fields: &'static [Field],
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// What travels. Stable.
    pub number: u16,
    /// What people and files use.
    pub name: &'static str,
    /// How concurrent writes meet.
    pub class: Class,
    /// What it holds; of a set, what each element is.
    pub holds: Type,
    /// Whether a new record must have it.
    pub mandatory: bool,
}

/// How concurrent writes of a field meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Written whole; concurrent writes are all kept and shown until a person chooses.
    Legal,
    /// As legal, and by nature written by one organisation only.
    Owned,
    /// Elements are added and removed; concurrent changes merge by element.
    Set,
    /// Free text; concurrent changes merge by character.
    Text,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Type {
    /// Text of at most `max` characters.
    Text {
        /// The longest text.
        max: u32,
    },
    /// An integer.
    Integer {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// True or false.
    Boolean,
    /// `2026-01-31`.
    Date,
    /// `2026-01-31T09:30` with optional seconds and offset; `24:00` is the end of the day.
    DateTime,
    /// `2026-01`.
    Month,
    /// One of these codes.
    Enum {
        /// The codes.
        codes: &'static [&'static str],
    },
    /// The text form of the identifier of a record or an organisation, or another short name.
    Reference,
    /// A list that is written whole.
    List {
        /// What each element is.
        of: &'static Type,
        /// The longest list.
        max: usize,
    },
    /// Named parts that are written whole.
    Struct {
        /// The parts.
        fields: &'static [Field],
    },
}

impl Schema {
    const fn new(fields: &'static [Field]) -> Self {
        Self { fields }
    }

    /// Every field, in the order of their numbers.
    #[must_use]
    pub const fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// The field with this number.
    #[must_use]
    pub fn field(&self, number: u16) -> Option<&'static Field> {
        find(self.fields, number)
    }

    /// The field with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The field of a struct with this number.
pub(crate) fn find(fields: &'static [Field], number: u16) -> Option<&'static Field> {
    fields.binary_search_by_key(&number, |field| field.number).ok().and_then(|at| fields.get(at))
}

/// The schema of a kind.
pub(crate) const fn of(kind: Kind) -> &'static Schema {
    match kind {
        Kind::Organisation => &directory::ORGANISATION,
        Kind::Office => &directory::OFFICE,
        Kind::Contact => &directory::CONTACT,
        Kind::Convention => &convention::CONVENTION,
        Kind::Cover => &convention::COVER,
        Kind::Responsibility => &convention::RESPONSIBILITY,
        Kind::Objective => &convention::OBJECTIVE,
        Kind::Seats => &convention::SEATS,
        Kind::PartySheet => &convention::PARTY_SHEET,
        Kind::Meeting => &network::MEETING,
        Kind::Practice => &network::PRACTICE,
    }
}

const fn field(number: u16, name: &'static str, class: Class, holds: Type) -> Field {
    Field { number, name, class, holds, mandatory: false }
}

const fn legal(number: u16, name: &'static str, holds: Type) -> Field {
    field(number, name, Class::Legal, holds)
}

const fn owned(number: u16, name: &'static str, holds: Type) -> Field {
    field(number, name, Class::Owned, holds)
}

const fn set(number: u16, name: &'static str, holds: Type) -> Field {
    field(number, name, Class::Set, holds)
}

const fn prose(number: u16, name: &'static str, max: u32) -> Field {
    field(number, name, Class::Text, Type::Text { max })
}

impl Field {
    const fn required(mut self) -> Self {
        self.mandatory = true;
        self
    }
}

const fn text(max: u32) -> Type {
    Type::Text { max }
}

const fn integer(min: i64, max: i64) -> Type {
    Type::Integer { min, max }
}

const fn one_of(codes: &'static [&'static str]) -> Type {
    Type::Enum { codes }
}

const fn list(of: &'static Type, max: usize) -> Type {
    Type::List { of, max }
}

const fn parts(fields: &'static [Field]) -> Type {
    Type::Struct { fields }
}

/// Ten billion euro in cents: beyond it a figure is a typing error.
const CENTS: Type = integer(0, 1_000_000_000_000);
/// A telephone number in international form, an address, a code.
const SHORT: Type = text(100);
const LINE: Type = text(300);
const PERCENT: Type = integer(0, 100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{KEY_BYTES_MAX, RECORD_DEPTH_MAX};
    use std::collections::BTreeSet;

    fn check(fields: &'static [Field], path: &str, depth: usize) {
        assert!(depth <= RECORD_DEPTH_MAX, "{path}");
        let names: BTreeSet<_> = fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), fields.len(), "{path}: names are unique");
        let numbers: Vec<_> = fields.iter().map(|field| field.number).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{path}: numbers ascend");
        for field in fields {
            assert!(field.name.len() <= KEY_BYTES_MAX);
            assert!(field.number > 0);
            assert_eq!(field.name, field.name.to_lowercase());
            let inner = format!("{path}.{}", field.name);
            if field.class == Class::Set {
                let plain =
                    matches!(field.holds, Type::Text { .. } | Type::Enum { .. } | Type::Reference);
                assert!(plain, "{inner}: elements of a set are keys");
            }
            check_type(&field.holds, &inner, depth + 1);
        }
    }

    fn check_type(holds: &Type, path: &str, depth: usize) {
        match holds {
            Type::List { of, .. } => check_type(of, path, depth + 1),
            Type::Struct { fields } => {
                check(fields, path, depth + 1);
                let nested = fields.iter().all(|field| field.class == Class::Legal);
                assert!(nested, "{path}: parts are written whole");
            }
            Type::Enum { codes } => {
                let unique: BTreeSet<_> = codes.iter().collect();
                assert_eq!(unique.len(), codes.len(), "{path}: codes are unique");
            }
            _ => {}
        }
    }

    #[test]
    fn every_schema_is_sound() {
        for kind in Kind::ALL {
            check(kind.schema().fields(), kind.name(), 1);
            assert!(kind.schema().fields().iter().any(|field| field.mandatory), "{kind}");
        }
    }

    #[test]
    fn fields_are_found_by_number_and_by_name() {
        let schema = Kind::Convention.schema();
        for field in schema.fields() {
            assert_eq!(schema.field(field.number).unwrap().name, field.name);
            assert_eq!(schema.named(field.name).unwrap().number, field.number);
        }
        assert!(schema.field(9_999).is_none());
        assert!(schema.named("consent").is_none());
    }

    #[test]
    fn the_schema_serialises_for_clients() {
        let json = serde_json::to_value(Kind::Seats.schema().fields()).unwrap();
        assert_eq!(json[0]["name"], "convention");
    }
}
