//! Records.

use super::distinct;
use super::error::FieldProblem;
use super::space::SpaceView;
use super::succession::PassedView;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Who wrote something, and when, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OriginView {
    /// The entry.
    pub entry: String,
    /// The organisation.
    pub organisation: String,
    /// Its name, as far as it is known here.
    pub organisation_name: String,
    /// The node.
    pub node: String,
    /// The person.
    pub operator: String,
    /// When.
    pub written_at: u64,
}

/// One of the values in conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ValueView {
    /// The value.
    pub value: Value,
    /// Who wrote it.
    #[serde(flatten)]
    pub origin: OriginView,
}

/// A field in which several values stand side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictView {
    /// The field.
    pub field: String,
    /// The values.
    pub values: Vec<ValueView>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// The space.
    pub space: String,
    /// The record.
    pub id: String,
    /// What it is about.
    pub kind: String,
    /// The fields that hold something.
    pub fields: Map<String, Value>,
    /// Fields in conflict.
    pub conflicts: Vec<ConflictView>,
    /// Who created it.
    pub created: Option<OriginView>,
    /// Who changed it last.
    pub changed: Option<OriginView>,
    /// What it shows now, in short: an edit that gives it back as `seen` is refused if the record
    /// shows something else by then.
    pub version: String,
    /// Entries it is made of.
    pub entries: u64,
    /// Entries that do not count.
    pub quarantined: u64,
    /// Entries that wait for others.
    pub waiting: u64,
    /// Entries written by a newer version.
    pub newer: u64,
}

/// Creates a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecordRequest {
    /// What it is about.
    pub kind: String,
    /// Its fields.
    #[serde(deserialize_with = "distinct::fields")]
    pub fields: Map<String, Value>,
    /// Who acts.
    #[serde(default)]
    pub operator: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Changes a record: `null` empties a field, a set takes `{"add": […], "remove": […]}` or all its
/// elements. A field in conflict is not changed: its conflict is ended first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditRequest {
    /// The fields to change.
    #[serde(deserialize_with = "distinct::fields")]
    pub fields: Map<String, Value>,
    /// The `version` of the record that was looked at; if it shows something else now, nothing is
    /// changed. Whoever does not say changes what there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Who acts.
    #[serde(default)]
    pub operator: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Ends a conflict: by a value, or by naming the entry whose value stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// The field.
    pub field: String,
    /// The value that stands.
    #[serde(default)]
    pub value: Option<Value>,
    /// The entry whose value stands.
    #[serde(default)]
    pub entry: Option<String>,
    /// Who acts.
    #[serde(default)]
    pub operator: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Creates a convention with everything in it, in a space of its own shared with its parties.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConventionRequest {
    /// Fields of the convention; `parties` names organisations.
    #[serde(deserialize_with = "distinct::fields")]
    pub fields: Map<String, Value>,
    /// Insurance covers of this organisation.
    #[serde(default, deserialize_with = "distinct::records")]
    pub covers: Vec<Map<String, Value>>,
    /// Reciprocal responsibilities.
    #[serde(default, deserialize_with = "distinct::records")]
    pub responsibilities: Vec<Map<String, Value>>,
    /// Objectives.
    #[serde(default, deserialize_with = "distinct::records")]
    pub objectives: Vec<Map<String, Value>>,
    /// Seats of this organisation.
    #[serde(default, deserialize_with = "distinct::records")]
    pub seats: Vec<Map<String, Value>>,
    /// Whether the parties become members at once; they do when absent.
    #[serde(default)]
    pub share: Option<bool>,
    /// Who acts.
    #[serde(default)]
    pub operator: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A convention with everything in its space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConventionView {
    /// Its space.
    pub space: SpaceView,
    /// The convention.
    pub convention: RecordView,
    /// Everything else in the space.
    pub records: Vec<RecordView>,
    /// Parties that are not partners yet; they are to be invited, then the space is shared.
    pub not_shared_yet: Vec<String>,
    /// That it passed from one organisation to the one that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<PassedView>,
}

/// One step of a record's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryView {
    /// Who and when.
    #[serde(flatten)]
    pub origin: OriginView,
    /// Why.
    pub comment: Option<String>,
    /// Field, value before, value after.
    pub changes: Vec<(String, Value, Value)>,
    /// Fields of which this step ended a conflict, each with the values that stood there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<(String, Vec<Value>)>,
}

/// An entry that does not count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuarantineView {
    /// The space.
    pub space: String,
    /// The record.
    pub record: String,
    /// The node.
    pub author: String,
    /// Its organisation's name.
    pub organisation_name: String,
    /// Position in the author's log.
    pub sequence: u64,
    /// `late`, `unauthorised`, `refused` or `forked`.
    pub reason: String,
    /// The entry; absent when it cannot be read here, and then nothing is known of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Who acted, as declared.
    #[serde(default)]
    pub operator: String,
    /// Why, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When, as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<u64>,
    /// Whether it would have made the record.
    #[serde(default)]
    pub is_new: bool,
    /// What it would have changed, as an edit takes it.
    #[serde(default)]
    pub fields: Map<String, Value>,
    /// By field, what it inserted into free text.
    #[serde(default)]
    pub inserted: Map<String, Value>,
    /// Whether a person at this machine decided of it: it is not warned of any more.
    #[serde(default)]
    pub dismissed: bool,
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// The space.
    pub space: String,
    /// The record.
    pub record: String,
    /// What it is about.
    pub kind: String,
    /// Its title or name.
    pub title: String,
    /// The organisation that created it.
    pub organisation_name: String,
    /// The field that matched.
    pub field: String,
    /// What stands there.
    pub text: String,
}

/// Writes many records of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Where; the own directory when absent.
    #[serde(default)]
    pub space: Option<String>,
    /// What the records are about.
    pub kind: String,
    /// The fields of each.
    #[serde(deserialize_with = "distinct::records")]
    pub rows: Vec<Map<String, Value>>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// Write the good rows even if others are not.
    #[serde(default)]
    pub partial: bool,
    /// Who acts.
    #[serde(default)]
    pub operator: Option<String>,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchRow {
    /// Its number, from 1.
    pub row: u64,
    /// The record, when it was written.
    pub record: Option<String>,
    /// What is wrong with it.
    pub problems: Vec<FieldProblem>,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchResult {
    /// Rows written.
    pub written: u64,
    /// Rows with problems.
    pub refused: u64,
    /// Row by row.
    pub rows: Vec<BatchRow>,
}
