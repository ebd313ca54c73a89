//! From what people and files give (JSON) to values of the schema, with the place of every error.

use super::{FieldError, formats};
use crate::record::Fault;
use crate::record::check::{check_element, check_field};
use crate::record::schema::{Class, Field, Schema, Type};
use crate::record::value::Value;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;

/// A field and the whole value it should have.
pub(crate) struct Wanted {
    pub field: &'static Field,
    pub value: Value,
}

/// What an edit asks for, in the order of the fields; `current` are the elements a set has.
pub(crate) fn wanted(
    schema: &'static Schema,
    fields: &Map<String, Json>,
    current: impl Fn(&Field) -> BTreeSet<String>,
    errors: &mut Vec<FieldError>,
) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (name, json) in fields {
        let Some(field) = schema.named(name) else {
            let known: Vec<_> = schema.fields().iter().map(|field| field.name).collect();
            let message = format!("there is no such field; there are: {}", known.join(", "));
            errors.push(FieldError::new(name, "unknown_field", message));
            continue;
        };
        let before = errors.len();
        let found = match field.class {
            Class::Set => elements(field, json, &current, errors),
            Class::Text => prose(field, json, errors),
            Class::Legal | Class::Owned => {
                let found = value(&field.holds, field.name, field.name, json, errors);
                Some(found.unwrap_or(Value::Null))
            }
        };
        if let (Some(value), true) = (found, errors.len() == before) {
            match check_field(field, &value) {
                Ok(()) => wanted.push(Wanted { field, value }),
                Err(fault) => errors.push(FieldError::fault(name, fault)),
            }
        }
    }
    wanted.sort_unstable_by_key(|wanted| wanted.field.number);
    wanted
}

fn prose(field: &Field, json: &Json, errors: &mut Vec<FieldError>) -> Option<Value> {
    let text = match json {
        Json::Null => "",
        Json::String(text) => text,
        _ => {
            errors.push(FieldError::fault(field.name, Fault::WrongType));
            return None;
        }
    };
    let text: String = text.replace("\r\n", "\n").nfc().collect();
    formatted(field.name, field.name, &text, errors);
    Some(Value::Text(text))
}

/// A whole set as an array, or what to add to it and remove from it.
fn elements(
    field: &Field,
    json: &Json,
    current: impl Fn(&Field) -> BTreeSet<String>,
    errors: &mut Vec<FieldError>,
) -> Option<Value> {
    let set = match json {
        Json::Null => BTreeSet::new(),
        Json::Array(array) => names(field, array, errors),
        Json::Object(parts) => {
            let mut part = |name: &str| match parts.get(name) {
                None | Some(Json::Null) => BTreeSet::new(),
                Some(Json::Array(array)) => names(field, array, errors),
                Some(_) => {
                    errors.push(FieldError::fault(field.name, Fault::WrongType));
                    BTreeSet::new()
                }
            };
            let (add, remove) = (part("add"), part("remove"));
            if parts.keys().any(|key| key != "add" && key != "remove") {
                errors.push(FieldError::fault(field.name, Fault::UnknownPart));
            }
            let mut set = current(field);
            set.retain(|element| !remove.contains(element));
            set.extend(add);
            set
        }
        _ => {
            errors.push(FieldError::fault(field.name, Fault::WrongType));
            return None;
        }
    };
    Some(Value::List(set.into_iter().map(Value::Text).collect()))
}

fn names(field: &Field, array: &[Json], errors: &mut Vec<FieldError>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, element) in array.iter().enumerate() {
        let path = format!("{}[{at}]", field.name);
        let Some(text) = element.as_str() else {
            errors.push(FieldError::fault(&path, Fault::WrongType));
            continue;
        };
        let text: String = text.trim().nfc().collect();
        if let Err(fault) = check_element(&field.holds, &text) {
            errors.push(FieldError::of_type(&path, fault, &field.holds));
        }
        referenced(&field.holds, &path, &text, errors);
        formatted(field.name, &path, &text, errors);
        names.insert(text);
    }
    names
}

/// A value, or nothing where the JSON is null or an empty text.
fn value(
    holds: &Type,
    name: &str,
    path: &str,
    json: &Json,
    errors: &mut Vec<FieldError>,
) -> Option<Value> {
    let found = match (holds, json) {
        (_, Json::Null) => return None,
        (Type::List { of, .. }, Json::Array(array)) => {
            let element = |(at, json)| value(of, name, &format!("{path}[{at}]"), json, errors);
            Value::List(array.iter().enumerate().filter_map(element).collect())
        }
        (Type::Struct { fields }, Json::Object(parts)) => structure(fields, path, parts, errors),
        (Type::Boolean, Json::Bool(value)) => Value::Boolean(*value),
        (Type::Integer { .. }, Json::Number(number)) => match number.as_i64() {
            Some(number) => Value::Integer(number),
            None => return wrong(path, errors),
        },
        (Type::List { .. } | Type::Struct { .. } | Type::Boolean | Type::Integer { .. }, _) => {
            return wrong(path, errors);
        }
        (_, Json::String(text)) => {
            let text: String = text.trim().nfc().collect();
            if text.is_empty() {
                return None;
            }
            referenced(holds, path, &text, errors);
            formatted(name, path, &text, errors);
            Value::Text(text)
        }
        _ => return wrong(path, errors),
    };
    leaf(holds, path, &found, errors);
    Some(found)
}

fn structure(
    fields: &'static [Field],
    path: &str,
    parts: &Map<String, Json>,
    errors: &mut Vec<FieldError>,
) -> Value {
    for name in parts.keys().filter(|name| fields.iter().all(|field| field.name != **name)) {
        errors.push(FieldError::fault(&format!("{path}.{name}"), Fault::UnknownPart));
    }
    let mut found = Vec::new();
    for field in fields {
        let inner = format!("{path}.{}", field.name);
        let json = parts.get(field.name).unwrap_or(&Json::Null);
        match value(&field.holds, field.name, &inner, json, errors) {
            Some(value) => found.push((field.number, value)),
            None if field.mandatory && json.is_null() => {
                errors.push(FieldError::new(&inner, "mandatory", "it must be filled in"));
            }
            None => {}
        }
    }
    Value::Struct(found)
}

/// Names the exact place of a fault in a plain value; lists are only measured here.
fn leaf(holds: &Type, path: &str, found: &Value, errors: &mut Vec<FieldError>) {
    let fault = match (holds, found) {
        (Type::List { max, .. }, Value::List(values)) => {
            (values.len() > *max).then_some(Fault::TooMany)
        }
        (Type::Struct { .. }, _) => None,
        (holds, found) => crate::record::check::check(holds, found).err(),
    };
    errors.extend(fault.map(|fault| FieldError::of_type(path, fault, holds)));
}

fn wrong(path: &str, errors: &mut Vec<FieldError>) -> Option<Value> {
    errors.push(FieldError::fault(path, Fault::WrongType));
    None
}

fn referenced(holds: &Type, path: &str, text: &str, errors: &mut Vec<FieldError>) {
    if matches!(holds, Type::Reference) && !formats::is_reference(text) {
        let message = "this identifier is mistyped: copy it again";
        errors.push(FieldError::new(path, "mistyped", message));
    }
}

fn formatted(name: &str, path: &str, text: &str, errors: &mut Vec<FieldError>) {
    let fault = formats::fault(name, text);
    errors.extend(fault.map(|(code, message)| FieldError::new(path, code, message)));
}
