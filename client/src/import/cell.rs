//! From the text of a cell or of a command line to the value that a field holds.

use serde_json::{Map, Value as Json, json};
use sincronia_protocol::record::Kind;
use sincronia_protocol::record::schema::{Class, Field, Type};

/// The parties of a convention.
const PARTIES: &str = "parties";
/// What somebody is told who wrote a value in one piece.
const WITH_PARTS: &str = "this field has parts: write NAME=VALUE; NAME=VALUE, and | between \
                          several (parties: ORGANISATION:ROLE | ORGANISATION:ROLE)";

/// The JSON value of `field` that `text` stands for. Several elements are separated by `|`, codes
/// and references also by `,`. Where the field has parts an element is `part=value; part=value`, of
/// the parties of a convention also `organisation:role`; a text that begins with `[` or `{` is JSON
/// there.
pub fn value_of(field: &Field, text: &str) -> Result<Json, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Json::Null);
    }
    if field.class == Class::Set {
        return elements(&field.holds, text);
    }
    plain(field.name, &field.holds, text)
}

/// Puts the value of a cell under its path; an empty cell leaves the field out.
pub(super) fn put(
    fields: &mut Map<String, Json>,
    kind: Kind,
    path: &str,
    cell: &str,
) -> Result<(), String> {
    let (name, part) = path.split_once('.').map_or((path, None), |(name, part)| (name, Some(part)));
    let field = kind.schema().named(name).ok_or_else(|| "there is no such field".to_owned())?;
    let Some(part) = part else {
        let value = value_of(field, cell)?;
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
        return Ok(());
    };
    let Type::Struct { fields: parts } = field.holds else {
        return Err("the field has no parts".to_owned());
    };
    let part = parts.iter().find(|field| field.name == part);
    let part = part.ok_or_else(|| "the field has no such part".to_owned())?;
    let value = value_of(part, cell)?;
    if value.is_null() {
        return Ok(());
    }
    match fields.entry(name).or_insert_with(|| Json::Object(Map::new())) {
        Json::Object(object) => drop(object.insert(part.name.to_owned(), value)),
        _ => return Err("the field has a column of its own besides its parts".to_owned()),
    }
    Ok(())
}

fn plain(name: &str, holds: &Type, text: &str) -> Result<Json, String> {
    match holds {
        Type::Integer { .. } => integer(text),
        Type::Boolean => boolean(text),
        Type::Struct { .. } if text.starts_with('{') => parsed(text),
        Type::Struct { fields } => parts(name, fields, text),
        Type::List { .. } if text.starts_with('[') => parsed(text),
        Type::List { of: Type::List { .. }, .. } => Err(WITH_PARTS.to_owned()),
        Type::List { of: Type::Struct { fields }, .. } => {
            let elements = text.split('|').map(str::trim).filter(|element| !element.is_empty());
            let elements = elements.map(|element| parts(name, fields, element));
            elements.collect::<Result<Vec<_>, _>>().map(Json::Array)
        }
        Type::List { of, .. } => {
            let elements = split(of, text).map(|element| plain(name, of, element));
            elements.collect::<Result<Vec<_>, _>>().map(Json::Array)
        }
        Type::Text { .. } => Ok(Json::String(restored(name, text))),
        _ => Ok(Json::String(text.to_owned())),
    }
}

/// The parts of one element, `part=value; part=value`; of a party also `organisation:role`.
fn parts(name: &str, fields: &[Field], text: &str) -> Result<Json, String> {
    if let (PARTIES, false, Some((org, role))) = (name, text.contains('='), text.rsplit_once(':')) {
        return Ok(json!({ "org": org.trim(), "role": role.trim() }));
    }
    let mut object = Map::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (part, value) = part.split_once('=').ok_or_else(|| WITH_PARTS.to_owned())?;
        let field = fields.iter().find(|field| field.name == part.trim());
        let field = field.ok_or_else(|| "the field has no such part".to_owned())?;
        object.insert(field.name.to_owned(), value_of(field, value)?);
    }
    Ok(Json::Object(object))
}

/// Codes that a spreadsheet took for numbers get their leading zeros back.
fn restored(name: &str, text: &str) -> String {
    let width = match name {
        "istat_code" | "comune_istat" => 6,
        "cap" => 5,
        _ => return text.to_owned(),
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { format!("{text:0>width$}") } else { text.to_owned() }
}

fn elements(of: &Type, text: &str) -> Result<Json, String> {
    if text.starts_with(['[', '{']) {
        return parsed(text);
    }
    let all = |text: &str| split(of, text).map(Json::from).collect::<Json>();
    let change = |part: &str, text: &str| {
        let mut object = Map::new();
        object.insert(part.to_owned(), all(text));
        Json::Object(object)
    };
    // Telephone numbers are in no set: a sign here always means to add or to remove.
    Ok(match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => change("add", rest),
        (_, Some(rest)) => change("remove", rest),
        _ => all(text),
    })
}

fn split<'a>(of: &Type, text: &'a str) -> impl Iterator<Item = &'a str> {
    let commas = matches!(of, Type::Enum { .. } | Type::Reference);
    text.split(move |char| char == '|' || (commas && char == ','))
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

fn integer(text: &str) -> Result<Json, String> {
    let number: Result<i64, _> = text.parse();
    number.map(Json::from).map_err(|_| format!("“{}” is not a whole number", beginning(text)))
}

fn boolean(text: &str) -> Result<Json, String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "sì" | "si" | "s" | "vero" => Ok(Json::Bool(true)),
        "false" | "no" | "n" | "0" | "falso" => Ok(Json::Bool(false)),
        _ => Err(format!("“{}” is neither yes nor no", beginning(text))),
    }
}

fn parsed(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}"))
}

fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}
