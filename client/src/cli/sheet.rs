//! Records as people read them.

pub mod standing;

use super::context::Context;
use super::naming::title;
use crate::api::Client;
use crate::language::Catalogue;
use crate::output::foreign::{safe_line, safe_lines};
use crate::output::table::Rows;
use crate::output::value::{Names, short, shown, time};
use serde_json::Value as Json;
use sincronia_node::api::{ConflictView, OriginView, QuarantineView, RecordView};
use sincronia_protocol::record::Kind;
use std::collections::BTreeSet;
use std::fmt::Write;

/// One record: every field that holds something, and what needs a person.
#[must_use]
pub fn record(context: &Context, names: &Names, record: &RecordView) -> String {
    let texts = &context.texts;
    let Ok(kind) = record.kind.parse::<Kind>() else { return record.id.clone() };
    let mut rows = Rows::new(context.output, &[texts.kind(kind), title(record)]);
    let fields = kind.schema().fields().iter();
    for (field, json) in fields.filter_map(|field| Some((field, record.fields.get(field.name)?))) {
        let label = texts.field(kind, field.name);
        let value = shown(texts, names, kind, &field.holds, json);
        if record.conflicts.iter().any(|conflict| conflict.field == field.name) {
            rows.urgent([label, format!("{value}  ({})", texts.text("in-conflict"))]);
        } else if let Some(told) = standing::of_field(texts, kind, field.name, &record.fields) {
            rows.urgent([label, format!("{value}  ({told})")]);
        } else {
            rows.row([label, value]);
        }
    }
    let mut text = rows.to_string();
    for conflict in &record.conflicts {
        text.push_str(&self::conflict(context, names, kind, conflict));
    }
    if let Some(changed) = &record.changed {
        let _ = writeln!(text, "{}: {}", texts.text("last-change"), origin(changed));
    }
    let quarantined = undecided(context, record);
    if record.waiting + quarantined + record.newer > 0 {
        let arguments = [
            ("waiting", record.waiting.into()),
            ("quarantined", quarantined.into()),
            ("newer", record.newer.into()),
        ];
        let _ = writeln!(text, "{}", texts.with("record-incomplete", &arguments));
    }
    let version = texts.with("record-version", &[("version", record.version.clone().into())]);
    let _ = writeln!(text, "{} · {} · {version}", record.id, record.space);
    text
}

/// How many of a record's entries that do not count nobody decided of yet.
fn undecided(context: &Context, record: &RecordView) -> u64 {
    let asked = |client: &Client| client.quarantine().ok();
    let all = context.client().ok().filter(|_| record.quarantined > 0).and_then(asked);
    let Some(all) = all else { return record.quarantined };
    let is_open = |one: &&QuarantineView| {
        (&one.space, &one.record) == (&record.space, &record.id) && !one.dismissed
    };
    all.iter().filter(is_open).count() as u64
}

/// The values that stand side by side, numbered as `conflict resolve --take` takes them.
#[must_use]
pub fn conflict(context: &Context, names: &Names, kind: Kind, conflict: &ConflictView) -> String {
    let texts = &context.texts;
    let label = texts.field(kind, &conflict.field);
    let mut text = texts.with("conflict-of", &[("field", label.into())]);
    text.push('\n');
    for (at, value) in conflict.values.iter().enumerate() {
        let field = kind.schema().named(&conflict.field);
        let json = &value.value;
        let words = field.map(|field| shown(texts, names, kind, &field.holds, json));
        let words = safe_lines(&words.unwrap_or_else(|| json.to_string()), "     ");
        let _ = writeln!(text, "  {}. {words}  — {}", at + 1, origin(&value.origin));
    }
    text
}

/// Who and when.
#[must_use]
pub fn origin(origin: &OriginView) -> String {
    let name = match origin.organisation_name.as_str() {
        "" => short(&origin.organisation),
        name => name.to_owned(),
    };
    let who =
        if origin.operator.is_empty() { name } else { format!("{}, {name}", origin.operator) };
    safe_line(&format!("{who}, {}", time(origin.written_at)))
}

/// A list of records of one kind, with the fields that matter most in a list. What stands in a
/// `former` space is as it was when this organisation was removed from it.
#[must_use]
pub fn list(
    context: &Context,
    names: &Names,
    (kind, columns): (Kind, &[&str]),
    former: &BTreeSet<String>,
    records: &[RecordView],
) -> String {
    let texts = &context.texts;
    if records.is_empty() {
        return texts.text("nothing-here");
    }
    let headings = columns.iter().map(|name| texts.field(kind, name));
    let headings: Vec<_> = headings.chain([texts.text("state"), texts.text("id")]).collect();
    let mut rows = Rows::new(context.output, &headings);
    for record in records {
        let cells: Vec<_> =
            columns.iter().map(|name| cell(texts, names, (kind, name), record)).collect();
        let id = short(&record.id);
        if former.contains(&record.space) {
            rows.row(cells.into_iter().chain([texts.text("state-former"), id]));
            continue;
        }
        let (state, is_urgent) = standing::of_record(texts, kind, record);
        let cells = cells.into_iter().chain([state, id]);
        if is_urgent { rows.urgent(cells) } else { rows.row(cells) }
    }
    rows.to_string()
}

/// One field in a list. Of one in conflict every value is shown: whoever reads only one of them
/// acts on it.
fn cell(
    texts: &Catalogue,
    names: &Names,
    (kind, name): (Kind, &str),
    record: &RecordView,
) -> String {
    let Some(field) = kind.schema().named(name) else { return String::new() };
    let words = |json: &Json| shown(texts, names, kind, &field.holds, json);
    match record.conflicts.iter().find(|conflict| conflict.field == name) {
        Some(conflict) => {
            let values = conflict.values.iter();
            // A writer's line ends begin no further value.
            let values: Vec<_> = values.map(|one| safe_lines(&words(&one.value), "  ")).collect();
            values.join(&format!("\n{} ", texts.text("or-other-value")))
        }
        None => words(record.fields.get(name).unwrap_or(&Json::Null)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};
    use serde_json::json;

    /// A person takes one of the values by its number, for whose it is. A writer's name is checked
    /// by its own node alone: with line ends in it there was one more value, of somebody else.
    #[test]
    fn threat_38_a_writer_adds_no_value_to_those_that_stand_side_by_side() {
        let by = |value: &str, operator: &str| {
            json!({
                "value": value, "entry": "voce1", "organisation": "ente1", "node": "nodo1",
                "organisation_name": "Coop", "operator": operator, "written_at": 1,
            })
        };
        let forged = "uno\n  3. due  — Rossi, Comune di Aulla";
        let values = [by(forged, "Verdi"), by("tre", forged)];
        let view = serde_json::from_value(json!({ "field": "title", "values": values })).unwrap();
        let context = Context::new(Catalogue::new(Language::It), Global::default());
        let text = conflict(&context, &Names::default(), Kind::Convention, &view);
        let listed = text.lines().filter(|line| {
            line.strip_prefix("  ").is_some_and(|rest| rest.starts_with(|one| one != ' '))
        });
        assert_eq!(listed.count(), 2, "{text}");
    }
}
