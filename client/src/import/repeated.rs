//! Rows that say what a record says already: a file that is imported twice, a row that was copied.
//!
//! Records are never deleted, so a second set of them would stay for good.

use super::{Problem, Row};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::fmt::Write;

/// The rows that repeat one of `known`, which are identifiers and fields, or an earlier row.
pub fn repeated<'a>(
    rows: &[Row],
    known: impl IntoIterator<Item = (&'a str, &'a Map<String, Json>)>,
) -> Vec<Problem> {
    let mut seen: HashMap<String, Origin<'a>> = HashMap::new();
    for (id, fields) in known {
        seen.entry(content(fields)).or_insert(Origin::Record(id));
    }
    let mut problems = Vec::new();
    for row in rows {
        let content = content(&row.fields);
        match seen.get(&content) {
            Some(origin) => problems.push(origin.problem(row)),
            None => drop(seen.insert(content, Origin::Row(row.number))),
        }
    }
    problems
}

/// Where something was said first.
enum Origin<'a> {
    Record(&'a str),
    Row(usize),
}

impl Origin<'_> {
    fn problem(&self, row: &Row) -> Problem {
        let (code, message, first) = match self {
            Self::Record(id) => ("already_there", "a record says the same already", (*id).into()),
            Self::Row(number) => {
                ("repeated_row", "an earlier row says the same", number.to_string())
            }
        };
        Problem {
            row: row.number,
            line: row.line,
            field: String::new(),
            code: code.into(),
            message: message.into(),
            allowed: vec![first],
        }
    }
}

/// Fields that say something; a list or a text that is empty says nothing.
fn content(fields: &Map<String, Json>) -> String {
    let says = |value: &Json| match value {
        Json::Null => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(elements) => !elements.is_empty(),
        Json::Object(parts) => !parts.is_empty(),
        Json::Bool(_) | Json::Number(_) => true,
    };
    let mut said: Vec<_> = fields.iter().filter(|(_, value)| says(value)).collect();
    said.sort_unstable_by_key(|(name, _)| *name);
    said.into_iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}={value}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_is_there_already_and_what_stands_twice_is_named() {
        let known = fields(&json!({"name": "Anagrafe", "functions": [], "availability": ""}));
        let rows = ["Anagrafe", "Protocollo", "Protocollo", "Anagrafe e stato civile"];
        let rows: Vec<_> = (1..)
            .zip(rows)
            .map(|(number, name)| Row {
                number,
                line: None,
                fields: fields(&json!({"name": name})),
            })
            .collect();
        let found = repeated(&rows, [("scheda1", &known)]);
        let told: Vec<_> =
            found.iter().map(|one| (one.row, one.code.as_str(), one.allowed[0].as_str())).collect();
        assert_eq!(told, [(1, "already_there", "scheda1"), (3, "repeated_row", "2")]);
    }
}
