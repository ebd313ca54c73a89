//! Lists of records in JSON.

use super::limits::{CELL_BYTES_MAX, ROWS_MAX};
use super::{Contents, ImportError, Mapping, Problem, Row};
use serde_json::{Map, Value as Json};
use sincronia_node::api::distinct;
use sincronia_protocol::record::Kind;

pub(super) fn read(text: &str, kind: Kind, mapping: &Mapping) -> Result<Contents, ImportError> {
    let json = distinct::value(text)
        .map_err(|error| ImportError::NotJson { reason: error.to_string() })?;
    let records = match json {
        Json::Array(records) => records,
        Json::Object(mut object) => match object.remove("records") {
            Some(Json::Array(records)) => records,
            Some(_) => return Err(ImportError::NotAList),
            None => vec![Json::Object(object)],
        },
        _ => return Err(ImportError::NotAList),
    };
    if records.len() > ROWS_MAX {
        return Err(ImportError::TooManyRows);
    }
    let mut contents = Contents { total: records.len(), ..Contents::default() };
    for (at, record) in records.into_iter().enumerate() {
        match row(at + 1, record, kind, mapping) {
            Ok(row) => contents.rows.push(row),
            Err(problems) => contents.problems.extend(problems),
        }
    }
    Ok(contents)
}

fn row(number: usize, record: Json, kind: Kind, mapping: &Mapping) -> Result<Row, Vec<Problem>> {
    let problem = |field: &str, code: &str, message: &str| Problem {
        row: number,
        line: None,
        field: field.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        allowed: Vec::new(),
    };
    let Json::Object(record) = record else {
        return Err(vec![problem("", "wrong_type", "a record is an object of fields")]);
    };
    let (mut fields, mut problems) = (Map::new(), Vec::new());
    for (name, value) in record {
        let field = match mapping.field(&name) {
            Some(None) => continue,
            Some(Some(field)) => field.to_owned(),
            None => name,
        };
        if kind.schema().named(&field).is_none() {
            problems.push(problem(&field, "unknown_field", "there is no such field"));
        } else if value.as_str().is_some_and(|text| text.len() > CELL_BYTES_MAX) {
            problems.push(problem(&field, "cell_too_large", "the text is too long"));
        } else if fields.insert(field.clone(), value).is_some() {
            problems.push(problem(&field, "repeated", "the field is there twice"));
        }
    }
    if problems.is_empty() { Ok(Row { number, line: None, fields }) } else { Err(problems) }
}
