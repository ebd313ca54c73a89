//! Who changed what, when and why: the record's changes as people read them.

use crate::record::assembly::Record;
use crate::record::gate::{Applied, OpId, Slot};
use crate::record::operation::Operation;
use crate::record::schema::{Class, Field};
use crate::record::value::Value;
use crate::record::view::Origin;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One change of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryItem {
    /// Who made it, and when.
    #[serde(flatten)]
    pub origin: Origin,
    /// Why.
    pub comment: Option<String>,
    /// What changed, field by field.
    pub changes: Vec<FieldChange>,
}

/// What one change did to one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field.
    pub field: String,
    /// What its author saw there; of a set, the elements that left.
    pub from: Json,
    /// What it became; of a set, the elements that came.
    pub to: Json,
    /// Other values that stood there in conflict, and were settled by this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Json>,
}

impl Record {
    /// Every accepted change, each after those it builds on; otherwise by declared time.
    #[must_use]
    pub fn history(&self) -> Vec<HistoryItem> {
        let mut order: Vec<&Applied> = self.history.changes().iter().collect();
        // The number of the first operation grows along every chain of changes.
        order.sort_by_key(|change| {
            let written_at = self.entries.get(&change.entry).map(|entry| entry.written_at);
            (change.start, written_at, change.entry)
        });
        order.into_iter().filter_map(|change| self.history_item(change)).collect()
    }

    fn history_item(&self, applied: &Applied) -> Option<HistoryItem> {
        let authored = self.entries.get(&applied.entry)?;
        let mut changes: Vec<FieldChange> = Vec::new();
        let mut seen = Vec::new();
        for operation in &authored.change.operations {
            let number = operation.field();
            let Some(field) = self.kind.schema().field(number) else { continue };
            if !seen.contains(&number) {
                seen.push(number);
                let of_field = authored.change.operations.iter();
                let of_field: Vec<_> =
                    of_field.filter(|operation| operation.field() == number).collect();
                changes.extend(self.field_change(applied, field, &of_field));
            }
        }
        let comment = authored.comment.clone();
        Some(HistoryItem { origin: Origin::of(authored), comment, changes })
    }

    fn field_change(
        &self,
        applied: &Applied,
        field: &'static Field,
        operations: &[&Operation],
    ) -> Option<FieldChange> {
        let (from, to, settled) = match (field.class, operations) {
            (Class::Text, _) => {
                let own = self.history.index_of(&applied.entry)?;
                let text = |changes: &[u32]| {
                    self.document
                        .text_at(self.changes(), field, changes)
                        .map_or(Json::Null, Json::from)
                };
                (text(&applied.parents), text(&[own]), Vec::new())
            }
            (_, [Operation::Put { value, .. }]) => {
                let mut replaced = self.replaced(applied, field);
                let from = replaced.pop().unwrap_or(Json::Null);
                (from, value.to_json(&field.holds), replaced)
            }
            _ => {
                let names = |add: bool| {
                    let elements = operations.iter().filter_map(|operation| match operation {
                        Operation::Add { element, .. } if add => Some(element.as_str()),
                        Operation::Remove { element, .. } if !add => Some(element.as_str()),
                        _ => None,
                    });
                    elements.collect::<Json>()
                };
                (names(false), names(true), Vec::new())
            }
        };
        let nothing = |json: &Json| match json {
            Json::Null => true,
            Json::String(text) => text.is_empty(),
            Json::Array(array) => array.is_empty(),
            _ => false,
        };
        let unchanged = settled.is_empty() && (from == to || (nothing(&from) && nothing(&to)));
        let name = field.name.to_owned();
        (!unchanged).then_some(FieldChange { field: name, from, to, settled })
    }

    /// The values that a whole write replaced, the one that was shown last.
    fn replaced(&self, applied: &Applied, field: &'static Field) -> Vec<Json> {
        let past = self.history.join(applied.parents.iter().copied());
        let shown = self.history.visible(&Slot::Field(field.number), &past);
        shown.into_iter().filter_map(|write| self.written(write.id, field)).collect()
    }

    fn written(&self, id: OpId, field: &'static Field) -> Option<Json> {
        let change = self.history.change_of(id)?;
        let authored = self.entries.get(&change.entry)?;
        authored.change.operations.iter().find_map(|operation| match operation {
            Operation::Put { field: number, value } if *number == field.number => match value {
                Value::Null => Some(Json::Null),
                value => Some(value.to_json(&field.holds)),
            },
            _ => None,
        })
    }
}
