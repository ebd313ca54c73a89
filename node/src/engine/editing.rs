//! Whether an edit was made upon what the record shows.
//!
//! A value that two offices wrote apart stands until a person chooses, so an ordinary edit does not
//! change it; and an edit that says what it was made upon is not laid over something else.

use super::Core;
use crate::api::{ApiError, ErrorCode, FieldProblem};
use serde_json::{Map, Value};
use sincronia_protocol::crypto::Domain;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::record::schema::Class;
use sincronia_protocol::record::{FieldChange, HistoryItem, Kind, Origin, View};
use sincronia_protocol::replica::RecordRow;
use std::fmt::Write;

/// As many bytes of the fingerprint as tell what one record showed at different times apart.
const VERSION_BYTES: usize = 8;

/// What a record shows, in short: the same for the same fields and conflicts, on every node.
pub(super) fn version(view: &View) -> String {
    version_of(&view.fields, &serde_json::json!(view.conflicts))
}

fn version_of(fields: &Map<String, Value>, conflicts: &Value) -> String {
    let shown = serde_json::json!({ "fields": fields, "conflicts": conflicts });
    let digest = Domain::RECORD_VERSION.hash(&[shown.to_string().as_bytes()]);
    digest.iter().take(VERSION_BYTES).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Core {
    /// Refuses an edit of a field in conflict, and one made upon something that is not shown any
    /// more: then it names what changed meanwhile.
    pub(super) fn may_edit<'a>(
        &mut self,
        (space, record): (&SpaceId, &RecordId),
        fields: impl IntoIterator<Item = &'a String>,
        seen: Option<&str>,
    ) -> Result<(), ApiError> {
        let row = self.row(space, record)?;
        let Some(seen) = seen.filter(|seen| *seen != version(&row.view)) else {
            return may_change(&row, fields);
        };
        let history = self.step(|replica, disk, _| replica.history(disk, space, record))?;
        let mut error = ApiError::new(
            ErrorCode::ChangedSince,
            "the record was changed since it was looked at; nothing was written",
            "look at the record again, then repeat the change with its new version, or without \
             `--seen` if it is to stand whatever changed",
        );
        error.problems = changed_since(&row, &history, seen)
            .into_iter()
            .map(|(field, origin)| FieldProblem {
                row: None,
                field: field.to_owned(),
                code: "changed_meanwhile".into(),
                message: format!("changed meanwhile by {}", self.author(origin)),
                allowed: Vec::new(),
            })
            .collect();
        Err(error)
    }

    fn author(&self, origin: &Origin) -> String {
        let name = self.name_of(&origin.organisation);
        if origin.operator.is_empty() { name } else { format!("{}, {name}", origin.operator) }
    }
}

/// The fields that changed since the record showed `seen`, each with its last change. When it never
/// did, as far as can be told of changes made apart, those of the last change.
fn changed_since<'a>(
    row: &RecordRow,
    history: &'a [HistoryItem],
    seen: &str,
) -> Vec<(&'a str, &'a Origin)> {
    let mut fields = row.view.fields.clone();
    let mut changed: Vec<(&str, &Origin)> = Vec::new();
    for item in history.iter().rev() {
        for change in &item.changes {
            undo(row.kind, &mut fields, change);
            if changed.iter().all(|(field, _)| *field != change.field) {
                changed.push((&change.field, &item.origin));
            }
        }
        if version_of(&fields, &Value::Array(Vec::new())) == seen {
            return changed;
        }
    }
    let last = history.last().into_iter();
    last.flat_map(|item| item.changes.iter().map(|one| (one.field.as_str(), &item.origin)))
        .collect()
}

/// Puts back what was there before a change. What a record does not say is shown as nothing, as an
/// empty text or as an empty set, as its kind has it.
fn undo(kind: Kind, fields: &mut Map<String, Value>, change: &FieldChange) {
    let before = match (kind.schema().named(&change.field).map(|one| one.class), &change.from) {
        (Some(Class::Set), _) => set_before(fields, change),
        (Some(Class::Text), Value::Null) => Value::from(""),
        (_, from) => from.clone(),
    };
    if before.is_null() {
        fields.remove(&change.field);
    } else {
        fields.insert(change.field.clone(), before);
    }
}

/// The elements of a set without those that came, and with those that left.
fn set_before(fields: &Map<String, Value>, change: &FieldChange) -> Value {
    let elements =
        |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let (came, left) = (elements(Some(&change.to)), elements(Some(&change.from)));
    let mut before = elements(fields.get(&change.field));
    before.retain(|one| !came.contains(one));
    before.extend(left);
    before.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
    Value::Array(before)
}

/// Refuses an edit of a field in conflict.
fn may_change<'a>(
    row: &RecordRow,
    fields: impl IntoIterator<Item = &'a String>,
) -> Result<(), ApiError> {
    let in_conflict = |field: &&String| row.view.conflicts.iter().any(|one| one.field == **field);
    match fields.into_iter().find(in_conflict) {
        None => Ok(()),
        Some(field) => Err(ApiError::new(
            ErrorCode::Conflict,
            format!("the field {field} has several values, of which a person chooses one"),
            format!("see them, and how to choose, with `sincronia conflict show {}`", row.record),
        )),
    }
}
