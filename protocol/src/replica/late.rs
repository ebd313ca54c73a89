//! What an entry says that does not count, for a person to judge whether it is still wanted.

use super::query::Quarantined;
use super::{Replica, ReplicaError};
use crate::ids::EntryHash;
use crate::record::schema::Schema;
use crate::record::{Change, Operation, kind_of};
use crate::storage::Storage;
use crate::time::Timestamp;
use serde_json::{Map, Value as Json, json};

/// What an entry that does not count would have changed.
#[derive(Clone, Debug, PartialEq)]
pub struct LateContent {
    /// The entry.
    pub entry: EntryHash,
    /// Who acted, as declared.
    pub operator: String,
    /// Why, if that was said.
    pub comment: Option<String>,
    /// When, as declared.
    pub written_at: Timestamp,
    /// Whether it would have made a new record.
    pub is_new: bool,
    /// The fields as an edit takes them: whole values, and of sets what came and what left.
    pub fields: Map<String, Json>,
    /// By field, what was inserted into free text: an edit cannot repeat that, a person can.
    pub inserted: Map<String, Json>,
}

impl Replica {
    /// What an entry that does not count would have changed; nothing when it cannot be read here.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn late_content(
        &mut self,
        disk: &dyn Storage,
        one: &Quarantined,
    ) -> Result<Option<LateContent>, ReplicaError> {
        let opened = self.opened(disk, &one.space, (&one.author, one.sequence))?;
        let Some((opened, kind)) = opened.zip(kind_of(&one.record)) else { return Ok(None) };
        let Ok(change) = Change::decode(&opened.payload.operation) else { return Ok(None) };
        let mut content = LateContent {
            entry: opened.hash,
            operator: opened.payload.operator,
            comment: opened.payload.comment,
            written_at: opened.payload.written_at,
            is_new: change.creation.is_some(),
            fields: Map::new(),
            inserted: Map::new(),
        };
        for operation in &change.operations {
            content.note(kind.schema(), operation);
        }
        Ok(Some(content))
    }
}

impl LateContent {
    fn note(&mut self, schema: &Schema, operation: &Operation) {
        let Some(field) = schema.field(operation.field()) else { return };
        let name = field.name.to_owned();
        match operation {
            Operation::Put { value, .. } => {
                self.fields.insert(name, value.to_json(&field.holds));
            }
            Operation::Add { element, .. } => self.note_element(name, "add", element),
            Operation::Remove { element, .. } => self.note_element(name, "remove", element),
            Operation::Splice { text, .. } => {
                let known = self.inserted.entry(name).or_insert_with(|| Json::from(""));
                let known = known.as_str().unwrap_or_default();
                let whole =
                    if known.is_empty() { text.clone() } else { format!("{known} … {text}") };
                self.inserted.insert(field.name.to_owned(), Json::from(whole));
            }
            Operation::Erase { .. } => {
                self.inserted.entry(name).or_insert_with(|| Json::from(""));
            }
        }
    }

    fn note_element(&mut self, field: String, what: &str, element: &str) {
        let change = self.fields.entry(field).or_insert_with(|| json!({"add": [], "remove": []}));
        if let Some(list) = change.get_mut(what).and_then(Json::as_array_mut) {
            list.push(Json::from(element));
        }
    }
}
