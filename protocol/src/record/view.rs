//! What a record shows, for people and programs.

use crate::ids::{EntryHash, NodeId, OrganisationId, RecordId};
use crate::record::assembly::{Record, Verdict};
use crate::record::gate::Applied;
use crate::record::schema::Field;
use crate::record::{Authored, Kind};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// A record as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The record.
    pub id: RecordId,
    /// What it is about.
    pub kind: Kind,
    /// The fields that hold something, by name.
    pub fields: Map<String, Json>,
    /// Fields in which several values stand side by side.
    pub conflicts: Vec<Conflict>,
    /// The change that created it; `None` while it has not arrived.
    pub creation: Option<Origin>,
    /// The change with the latest declared time.
    pub latest: Option<Origin>,
    /// How many changes it is made of.
    pub entries: usize,
    /// How many changes wait for others they build on.
    pub waiting: usize,
    /// How many changes were refused.
    pub refused: usize,
    /// The document failed on accepted changes: the fields are not all there. Never expected;
    /// nothing is lost, the entries are the truth.
    pub damaged: bool,
}

/// A field in which several values stand. The one shown in the fields is the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The field.
    pub field: String,
    /// Every value that stands.
    pub values: Vec<ConflictValue>,
}

/// One of the values in conflict. `null` means that somebody emptied the field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictValue {
    /// The value.
    pub value: Json,
    /// Who wrote it, and when.
    #[serde(flatten)]
    pub origin: Origin,
}

/// Who made a change, and when, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The entry.
    pub entry: EntryHash,
    /// The node.
    pub node: NodeId,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// The person.
    pub operator: String,
    /// When.
    pub written_at: Timestamp,
}

impl Origin {
    pub(super) fn of(authored: &Authored) -> Self {
        Self {
            entry: authored.entry,
            node: authored.node,
            organisation: authored.organisation,
            operator: authored.operator.clone(),
            written_at: authored.written_at,
        }
    }
}

impl Record {
    /// What the record shows.
    #[must_use]
    pub fn view(&self) -> View {
        let (mut fields, mut conflicts) = (Map::new(), Vec::new());
        for (field, json, conflict) in self.document.fields(self.changes()) {
            if conflict {
                conflicts.extend(self.conflict(field));
            }
            if !json.is_null() {
                fields.insert(field.name.to_owned(), json);
            }
        }
        let changes = self.history.changes();
        let creation = changes.first().and_then(|change| self.origin(change));
        let origins = changes.iter().filter_map(|change| self.entries.get(&change.entry));
        let latest = origins.max_by_key(|authored| (authored.written_at, authored.entry));
        let refused = |verdict: &Verdict| matches!(verdict, Verdict::Refused(_));
        let latest = latest.map(Origin::of);
        View {
            id: self.id,
            kind: self.kind,
            fields,
            conflicts,
            creation,
            latest,
            entries: changes.len(),
            waiting: self.verdicts().filter(|(_, verdict)| **verdict == Verdict::Waiting).count(),
            refused: self.verdicts().filter(|(_, verdict)| refused(verdict)).count(),
            damaged: self.document.is_damaged(self.changes()),
        }
    }

    /// Two sides that wrote the same are not in conflict.
    fn conflict(&self, field: &'static Field) -> Option<Conflict> {
        let shown = self.document.values(self.changes(), field);
        let first = shown.first()?;
        if shown.iter().all(|other| other.value == first.value) {
            return None;
        }
        let values = shown.into_iter().filter_map(|shown| {
            let origin = self.origin(self.history.change_of(shown.id)?)?;
            Some(ConflictValue { value: shown.value, origin })
        });
        Some(Conflict { field: field.name.to_owned(), values: values.collect() })
    }

    pub(super) fn origin(&self, change: &Applied) -> Option<Origin> {
        self.entries.get(&change.entry).map(Origin::of)
    }
}
