//! Whether a value has the type of its field: the part of the schema that the gate enforces.
//!
//! The rules here decide validity on every node, so they look at nothing but the value and never
//! become stricter for a field that exists: what was accepted once stays accepted.

use crate::limits::{KEY_BYTES_MAX, STRING_BYTES_MAX};
use crate::record::dates;
use crate::record::schema::{Class, Field, Type, find};
use crate::record::value::Value;
use serde::Serialize;

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Another type of value is expected.
    #[error("another type of value is expected here")]
    WrongType,
    /// Longer than the field allows.
    #[error("it is longer than the field allows")]
    TooLong,
    /// More elements than the field allows.
    #[error("there are more elements than the field allows")]
    TooMany,
    /// Outside the range of the field.
    #[error("the number is outside the range of the field")]
    OutOfRange,
    /// Not one of the codes of the field.
    #[error("it is not one of the codes of the field")]
    UnknownCode,
    /// Not a day of the calendar.
    #[error("it is not a day of the calendar; write 2026-01-31")]
    NotADate,
    /// Not a month of the calendar.
    #[error("it is not a month of the calendar; write 2026-01")]
    NotAMonth,
    /// Not a day and a time.
    #[error("it is not a day with a time; write 2026-01-31T09:30, or 2026-01-31T24:00 for its end")]
    NotATime,
    /// Not the form of a reference.
    #[error("a reference is an identifier of at most 100 characters without spaces")]
    NotAReference,
    /// Characters that are not text.
    #[error("it holds control characters")]
    ControlCharacters,
    /// A part that the field does not have.
    #[error("the field has no such part")]
    UnknownPart,
    /// The same element twice.
    #[error("an element is there twice")]
    Repeated,
}

/// Checks a whole value of a field.
pub(crate) fn check_field(field: &Field, value: &Value) -> Result<(), Fault> {
    match (field.class, value) {
        (Class::Set, Value::List(elements)) => check_set(&field.holds, elements),
        (Class::Text, Value::Text(_)) => check(&field.holds, value),
        (Class::Set | Class::Text, _) => Err(Fault::WrongType),
        (_, Value::Null) => Ok(()),
        (_, value) => check(&field.holds, value),
    }
}

/// Checks one element of a set.
pub(crate) fn check_element(holds: &Type, element: &str) -> Result<(), Fault> {
    if element.is_empty() || element.len() > KEY_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    check_text(holds, element)
}

fn check_set(holds: &Type, elements: &[Value]) -> Result<(), Fault> {
    let mut last: Option<&str> = None;
    for element in elements {
        let Value::Text(element) = element else { return Err(Fault::WrongType) };
        check_element(holds, element)?;
        if last.is_some_and(|last| last >= element.as_str()) {
            return Err(Fault::Repeated);
        }
        last = Some(element);
    }
    Ok(())
}

pub(crate) fn check(holds: &Type, value: &Value) -> Result<(), Fault> {
    match (holds, value) {
        (Type::Boolean, Value::Boolean(_)) => Ok(()),
        (Type::Integer { min, max }, Value::Integer(value)) => {
            if (min..=max).contains(&value) {
                Ok(())
            } else {
                Err(Fault::OutOfRange)
            }
        }
        (Type::List { of, max }, Value::List(values)) => {
            if values.len() > *max {
                return Err(Fault::TooMany);
            }
            values.iter().try_for_each(|value| check(of, value))
        }
        (Type::Struct { fields }, Value::Struct(parts)) => check_parts(fields, parts),
        (holds, Value::Text(text)) => check_text(holds, text),
        _ => Err(Fault::WrongType),
    }
}

fn check_parts(fields: &'static [Field], parts: &[(u16, Value)]) -> Result<(), Fault> {
    let mut last = 0;
    for (number, value) in parts {
        if *number <= last {
            return Err(Fault::Repeated);
        }
        last = *number;
        let field = find(fields, *number).ok_or(Fault::UnknownPart)?;
        check(&field.holds, value)?;
    }
    Ok(())
}

fn check_text(holds: &Type, text: &str) -> Result<(), Fault> {
    if text.len() > STRING_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    match holds {
        Type::Text { max } => {
            if text.chars().count() > *max as usize {
                Err(Fault::TooLong)
            } else {
                plain(text)
            }
        }
        Type::Date => dates::date(text).map(drop).ok_or(Fault::NotADate),
        Type::DateTime => dates::date_time(text).map(drop).ok_or(Fault::NotATime),
        Type::Month => dates::month(text).then_some(()).ok_or(Fault::NotAMonth),
        Type::Enum { codes } => codes.contains(&text).then_some(()).ok_or(Fault::UnknownCode),
        Type::Reference => reference(text),
        _ => Err(Fault::WrongType),
    }
}

fn reference(text: &str) -> Result<(), Fault> {
    let allowed = |char: char| char.is_alphanumeric() || "-_.:/#@".contains(char);
    let valid = !text.is_empty() && text.len() <= 100 && text.chars().all(allowed);
    if valid { Ok(()) } else { Err(Fault::NotAReference) }
}

/// Refuses what could drive a terminal or turn text around on the screen.
pub(crate) fn plain(text: &str) -> Result<(), Fault> {
    let hostile = |char: char| {
        (char.is_control() && !matches!(char, '\n' | '\t' | '\r'))
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.chars().any(hostile) { Err(Fault::ControlCharacters) } else { Ok(()) }
}
