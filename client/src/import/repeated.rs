//! Rows that say what a record says already: a file that is imported twice, a row that was copied.
//!
//! Records are never deleted, so a second set of them would stay for good. A row that says nothing
//! new is set aside and counted; one that would say something else of the same thing is a problem,
//! because only a person knows whether it is a change or another thing of that name.

use super::{Problem, Row};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::collections::{HashMap, HashSet};

/// The fields of which one at least must be filled in for two things to be the same one.
const NAMING: [&str; 8] =
    ["title", "name", "policy_no", "family_name", "text", "duty_text", "topic", "month"];

/// The fields in which two things of one name are two things when they differ.
const TELLING: [&str; 12] = [
    "given_name",
    "role_title",
    "contact_kind",
    "instrument_kind",
    "cover_kind",
    "kind",
    "org",
    "office",
    "convention",
    "insured",
    "effective_from",
    "start",
];

/// A row that says nothing which a record does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlreadyThere {
    /// Which row of data, from 1.
    pub row: usize,
    /// The record.
    pub record: String,
}

/// What became of the rows that are not new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Rows of which a record says everything.
    pub there: Vec<AlreadyThere>,
    /// Rows that repeat an earlier one, or say something else than a record of the same thing.
    pub problems: Vec<Problem>,
}

/// The rows that repeat one of `known`, which are identifiers and fields, or an earlier row.
pub fn repeated<'a>(
    rows: &[Row],
    known: impl IntoIterator<Item = (&'a str, &'a Map<String, Json>)>,
) -> Repeated {
    let known: Vec<_> = known.into_iter().collect();
    let mut exact = HashMap::new();
    for (id, fields) in &known {
        exact.entry(content(fields)).or_insert(*id);
    }
    let taken: HashSet<&str> =
        rows.iter().filter_map(|row| exact.get(&content(&row.fields)).copied()).collect();
    // A record that a row of the file repeats is that row's: it says nothing of the others.
    let mut same: HashMap<String, (&str, &Map<String, Json>)> = HashMap::new();
    for (id, fields) in known.iter().filter(|(id, _)| !taken.contains(id)) {
        if let Some(thing) = thing(fields) {
            same.entry(thing).or_insert((*id, *fields));
        }
    }
    let (mut found, mut earlier) = (Repeated::default(), HashMap::new());
    for row in rows {
        let content = content(&row.fields);
        let there = |id: &str| AlreadyThere { row: row.number, record: id.to_owned() };
        if let Some(id) = exact.get(&content) {
            found.there.push(there(id));
        } else if let Some(first) = earlier.get(&content) {
            found.problems.push(repeats(row, *first));
        } else {
            earlier.insert(content, row.number);
            let Some((id, fields)) = thing(&row.fields).and_then(|one| same.get(&one)) else {
                continue;
            };
            match differing(&row.fields, fields).as_str() {
                "" => found.there.push(there(id)),
                names => found.problems.push(differs(row, names, id)),
            }
        }
    }
    found
}

fn repeats(row: &Row, first: usize) -> Problem {
    problem(row, "", "repeated_row", "an earlier row says the same", first.to_string())
}

fn differs(row: &Row, fields: &str, id: &str) -> Problem {
    // One is enough to show how it is done.
    let field = fields.split(',').next().unwrap_or_default();
    let change = format!("{id} --field {field}");
    let message = format!(
        "a record of the same name says something else: change it with `sincronia record edit \
         {change}=VALUE`, or take the row out"
    );
    Problem { allowed: Vec::new(), ..problem(row, fields, "differs", &message, String::new()) }
}

fn problem(row: &Row, field: &str, code: &str, message: &str, place: String) -> Problem {
    Problem {
        row: row.number,
        line: row.line,
        field: field.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        allowed: vec![place],
    }
}

/// Fields that say something; a list or a text that is empty says nothing.
fn said(fields: &Map<String, Json>) -> impl Iterator<Item = (&String, &Json)> {
    fields.iter().filter(|(_, value)| match value {
        Json::Null => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(elements) => !elements.is_empty(),
        Json::Object(parts) => !parts.is_empty(),
        Json::Bool(_) | Json::Number(_) => true,
    })
}

fn content(fields: &Map<String, Json>) -> String {
    let mut said: Vec<_> = said(fields).map(|(name, value)| format!("{name}={value}\n")).collect();
    said.sort_unstable();
    said.concat()
}

/// What a record is about, as far as its fields tell; nothing of one that has no name.
fn thing(fields: &Map<String, Json>) -> Option<String> {
    let text = |name: &&str| match fields.get(*name)? {
        Json::String(text) => Some(format!("{name}={}\n", text.trim().to_lowercase())),
        _ => None,
    };
    let named: String = NAMING.iter().filter_map(text).collect();
    let told: String = TELLING.iter().filter_map(text).collect();
    (!named.is_empty()).then(|| named + &told)
}

/// The names of the fields in which a row says something that a record does not.
fn differing(row: &Map<String, Json>, record: &Map<String, Json>) -> String {
    let others = said(row).filter(|(name, value)| record.get(*name) != Some(value));
    others.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    fn rows(values: &[Json]) -> Vec<Row> {
        let row = |(number, value)| Row { number, line: None, fields: fields(value) };
        (1..).zip(values).map(row).collect()
    }

    #[test]
    fn what_is_there_already_is_no_problem_and_what_stands_twice_is_named() {
        let known = fields(&json!({"name": "Anagrafe", "functions": [], "availability": ""}));
        let names = ["Anagrafe", "Protocollo", "Protocollo", "Anagrafe e stato civile"];
        let found =
            repeated(&rows(&names.map(|name| json!({"name": name}))), [("scheda1", &known)]);
        assert_eq!(found.there, [AlreadyThere { row: 1, record: "scheda1".to_owned() }]);
        let told: Vec<_> = found.problems.iter().map(|one| (one.row, one.code.as_str())).collect();
        assert_eq!(told, [(3, "repeated_row")]);
        assert_eq!(found.problems[0].allowed, ["2"]);
    }

    #[test]
    fn a_row_that_says_something_else_of_the_same_thing_is_not_written_beside_it() {
        let known = [
            fields(&json!({"name": "Anagrafe", "phone": "+390187001000", "availability": "9-12"})),
            fields(&json!({"name": "Tributi", "phone": "+390187001001"})),
            fields(&json!({"family_name": "Rossi", "given_name": "Ada"})),
        ];
        let known = ["scheda1", "scheda2", "scheda3"].into_iter().zip(&known);
        let rows = rows(&[
            json!({"name": "anagrafe ", "phone": "+390187009999"}),
            json!({"name": "Tributi", "phone": "+390187001001"}),
            json!({"name": "Tributi", "phone": "+390187001002"}),
            json!({"family_name": "Rossi", "given_name": "Ugo"}),
            json!({"name": "Anagrafe", "availability": "9-12"}),
        ]);
        let found = repeated(&rows, known);
        let told: Vec<_> = found.problems.iter().map(|one| (one.row, one.field.as_str())).collect();
        assert_eq!(told, [(1, "name, phone")], "the second office of that name is another one");
        let there: Vec<_> = found.there.iter().map(|one| (one.row, one.record.as_str())).collect();
        assert_eq!(there, [(2, "scheda2"), (5, "scheda1")], "what is missing says nothing else");
    }
}
