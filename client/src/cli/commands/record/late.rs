//! `sincronia record late`: what is kept and does not count, for a person to take up or dismiss.

use super::super::{Outcome, operator};
use crate::cli::arguments::{Authoring, Late};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{Organisations, title};
use crate::output::foreign::{safe_line, safe_lines};
use crate::output::table::Rows;
use crate::output::value::{Names, beginning, short, shown, time};
use serde_json::Value as Json;
use sincronia_node::api::{EditRequest, NewRecordRequest, QuarantineView, RecordView};
use sincronia_protocol::record::Kind;
use std::fmt::Write;

pub(super) fn run(context: &Context, arguments: &Late) -> Outcome {
    if let Some(entry) = &arguments.take {
        return take(context, entry, &arguments.authoring);
    }
    if let Some(entry) = &arguments.dismiss {
        let found = find(context, entry)?;
        return dismissed(context, &found, "late-dismissed");
    }
    let entries = context.client()?.quarantine()?;
    let names = Organisations::known(context)?.names();
    context.output.show("quarantine", &entries, || text(context, &names, &entries));
    Ok(Exit::Done)
}

fn text(context: &Context, names: &Names, entries: &[QuarantineView]) -> String {
    let open: Vec<_> = entries.iter().filter(|one| !one.dismissed).collect();
    let mut text = String::new();
    for entry in &open {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", one(context, names, entry));
    }
    if open.is_empty() {
        text = context.texts.text("nothing-late");
    }
    let decided = entries.len().saturating_sub(open.len());
    if decided > 0 {
        let said = context.texts.with("late-decided", &[("count", decided.into())]);
        let _ = write!(text, "\n{said}");
    }
    text
}

/// Whose change it is, why it does not count, what it would change, and what can be done.
fn one(context: &Context, names: &Names, entry: &QuarantineView) -> String {
    let texts = &context.texts;
    let reason = texts.find(&format!("late-{}", entry.reason), &[]);
    let reason = reason.unwrap_or_else(|| entry.reason.clone());
    let who = match entry.operator.as_str() {
        "" => entry.organisation_name.clone(),
        operator => format!("{operator}, {}", entry.organisation_name),
    };
    let at = entry.written_at.map(time).unwrap_or_default();
    let mut text = format!("{}\n", called(context, entry));
    let _ = writeln!(text, "{}: {}", safe_line(&format!("{who}, {at}")), reason);
    let Some(id) = &entry.entry else {
        let _ = write!(text, "{}", texts.text("late-unreadable"));
        return text;
    };
    if let Some(comment) = &entry.comment {
        let _ = writeln!(text, "“{}”", safe_lines(comment, "  "));
    }
    let now = context.client().ok().and_then(|one| one.record(&entry.space, &entry.record).ok());
    let _ = write!(text, "{}", changes(context, names, entry, now.as_ref()));
    let how = if may_take(context, entry, now.as_ref()) { "late-how" } else { "late-dismiss-only" };
    let _ = write!(text, "{}", texts.with(how, &[("entry", beginning(id).into())]));
    text
}

/// Whether taking an entry up would write something: this organisation writes in the space, and
/// the record does not show it already.
fn may_take(context: &Context, entry: &QuarantineView, now: Option<&RecordView>) -> bool {
    let space = context.client().ok().and_then(|one| one.space(&entry.space).ok());
    let writes = space.is_some_and(|space| space.role.as_deref() == Some("contributor"));
    let shows = |(name, json): (&String, &Json)| {
        now.is_some_and(|record| record.fields.get(name) == Some(json))
    };
    writes && !(entry.inserted.is_empty() && entry.fields.iter().all(shows))
}

/// What the record shows now, and what it would show.
fn changes(
    context: &Context,
    names: &Names,
    entry: &QuarantineView,
    now: Option<&RecordView>,
) -> String {
    let texts = &context.texts;
    let Some(kind) = kind(entry) else { return String::new() };
    let headings = ["field", "now", "late-would-be"].map(|key| texts.text(key));
    let mut rows = Rows::new(context.output, &headings);
    let words = |name: &str, json: &Json| match kind.schema().named(name) {
        Some(_) if json.is_object() && json.get("add").is_some() => set(json),
        Some(field) => shown(texts, names, kind, &field.holds, json),
        None => json.to_string(),
    };
    for (name, json) in &entry.fields {
        let before = now.and_then(|record| record.fields.get(name));
        let before = before.map(|json| words(name, json)).unwrap_or_default();
        rows.row([texts.field(kind, name), before, words(name, json)]);
    }
    for (name, json) in &entry.inserted {
        let inserted = format!("… {} …", json.as_str().unwrap_or_default());
        rows.row([texts.field(kind, name), String::new(), inserted]);
    }
    rows.to_string()
}

/// Elements that came and left.
fn set(change: &Json) -> String {
    let elements = |what: &str, sign: &str| {
        let list = change.get(what).and_then(Json::as_array).cloned().unwrap_or_default();
        let named = list.iter().filter_map(Json::as_str).map(|one| format!("{sign}{one}"));
        named.collect::<Vec<_>>()
    };
    [elements("add", "+"), elements("remove", "-")].concat().join(", ")
}

fn kind(entry: &QuarantineView) -> Option<Kind> {
    sincronia_protocol::record::kind_of(&entry.record.parse().ok()?)
}

/// The entry that an identifier, or the beginning of it, means.
fn find(context: &Context, text: &str) -> Result<QuarantineView, Failure> {
    let wanted = text.trim().trim_end_matches('…').to_lowercase();
    let mut found = context.client()?.quarantine()?;
    found.retain(|one| {
        one.entry.as_ref().is_some_and(|id| !wanted.is_empty() && id.starts_with(&wanted))
    });
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        _ => Err(context.fail(Exit::NotFound, "no_late", text)),
    }
}

/// Writes what a late entry would have changed as an edit of this organisation.
fn take(context: &Context, text: &str, authoring: &Authoring) -> Outcome {
    let found = find(context, text)?;
    if found.fields.is_empty() || !found.inserted.is_empty() {
        let entry = found.entry.as_deref().map(beginning).unwrap_or_default();
        let named = [
            ("detail", text.into()),
            ("record", found.record.as_str().into()),
            ("entry", entry.into()),
        ];
        return Err(context.fail_with(Exit::Usage, "late_by_hand", &named));
    }
    let client = context.client()?;
    let whose = [("name", found.organisation_name.as_str().into())];
    let comment = authoring.comment.clone();
    let comment = Some(comment.unwrap_or_else(|| context.texts.with("late-comment", &whose)));
    let operator = operator(authoring);
    let fields = found.fields.clone();
    if found.is_new {
        let kind = kind(&found).map_or_else(String::new, |kind| kind.name().to_owned());
        let request = NewRecordRequest { kind, fields, operator, comment };
        client.create_record(&found.space, &request)?;
    } else {
        let request = EditRequest { fields, seen: None, operator, comment };
        client.edit_record(&found.space, &found.record, &request)?;
    }
    dismissed(context, &found, "late-taken")
}

fn dismissed(context: &Context, found: &QuarantineView, said: &str) -> Outcome {
    let entry = found.entry.clone().unwrap_or_default();
    let view = context.client()?.dismiss_late(&entry)?;
    context.output.show("quarantine_entry", &view, || context.texts.text(said));
    Ok(Exit::Done)
}

/// The title of the record as it is now; of one that shows nothing, its identifier.
fn called(context: &Context, entry: &QuarantineView) -> String {
    let record = context.client().and_then(|one| Ok(one.record(&entry.space, &entry.record)?));
    match record {
        Ok(record) => format!("{} ({})", title(&record), short(&entry.record)),
        Err(_) => entry.record.clone(),
    }
}
