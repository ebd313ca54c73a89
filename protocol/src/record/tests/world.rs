//! A few authors and a log for each: what the replica will do, without encryption and access.

use crate::ids::{EntryHash, NodeId, OrganisationId, RecordId};
use crate::record::{Author, Authored, Change, EditError, Edits, Kind, Record, derive_id};
use crate::time::Timestamp;
use serde_json::Value as Json;

/// The nonce of every record made here.
pub const NONCE: [u8; 8] = [42; 8];

/// An author of each number; two nodes of one organisation are `n` and `n + 100`.
pub fn author(number: u8) -> Author {
    Author {
        node: NodeId::from_bytes([number; 32]),
        organisation: OrganisationId::from_bytes([number % 100; 32]),
        grant: 1,
    }
}

pub fn edits(json: Json) -> Edits {
    serde_json::from_value(json).unwrap()
}

pub fn record_id(kind: Kind) -> RecordId {
    derive_id(kind, &author(1).node, NONCE)
}

/// An entry with the hash its content gives it.
pub fn entry(author: &Author, position: u64, change: Change) -> Authored {
    let mut hasher = blake3::Hasher::new();
    hasher.update(author.node.as_bytes()).update(&author.grant.to_be_bytes());
    hasher.update(&position.to_be_bytes()).update(&change.encode());
    Authored {
        entry: EntryHash::from_bytes(*hasher.finalize().as_bytes()),
        node: author.node,
        organisation: author.organisation,
        grant: author.grant,
        position,
        operator: format!("operatore {}", author.node.as_bytes()[0]),
        comment: None,
        written_at: Timestamp::from_milliseconds(1_000 * position),
        change,
    }
}

/// One replica of a record, on which authors write.
pub struct Replica {
    pub record: Record,
    pub entries: Vec<Authored>,
}

impl Replica {
    pub fn new(kind: Kind) -> Self {
        Self { record: Record::new(record_id(kind)).unwrap(), entries: Vec::new() }
    }

    /// A replica with a record that author 1 has created.
    pub fn with(kind: Kind, fields: Json) -> Self {
        let mut replica = Self::new(kind);
        let change = replica.record.edit(&author(1), &edits(fields), Some(NONCE)).unwrap();
        replica.write(&author(1), change);
        replica
    }

    pub fn fork(&self) -> Self {
        let record = Record::rebuild(self.record.id(), self.entries.clone()).unwrap();
        Self { record, entries: self.entries.clone() }
    }

    pub fn write(&mut self, author: &Author, change: Change) -> EntryHash {
        let written = self.entries.iter().filter(|entry| entry.node == author.node).count();
        let entry = entry(author, written as u64, change);
        let hash = entry.entry;
        self.entries.push(entry.clone());
        self.record.extend(vec![entry]);
        hash
    }

    pub fn try_edit(&mut self, by: u8, fields: Json) -> Result<EntryHash, EditError> {
        let author = author(by);
        let change = self.record.edit(&author, &edits(fields), None)?;
        Ok(self.write(&author, change))
    }

    pub fn edit(&mut self, by: u8, fields: Json) -> EntryHash {
        self.try_edit(by, fields).unwrap()
    }

    /// Takes what the other has.
    pub fn merge(&mut self, other: &Self) {
        let known = |entry: &Authored| self.entries.iter().any(|own| own.entry == entry.entry);
        let new: Vec<_> = other.entries.iter().filter(|entry| !known(entry)).cloned().collect();
        self.entries.extend(new.clone());
        self.record.extend(new);
    }

    pub fn field(&self, name: &str) -> Json {
        self.record.view().fields.get(name).cloned().unwrap_or(Json::Null)
    }
}

/// A convention as in the example network.
pub fn convention() -> Json {
    serde_json::json!({
        "title": "Accoglienza residenziale adulti in difficoltà",
        "subject": "Accoglienza residenziale di adulti seguiti dal servizio sociale del comune.",
        "instrument_kind": "accoglienza",
        "parties": [
            {"org": "aulla", "role": "inviante", "protocol_no": "4512/2025"},
            {"org": "comunita", "role": "gestore", "protocol_no": null}
        ],
        "placement_kinds": ["residenziale", "lavorativo"],
        "effective_from": "2026-01-01",
        "end_date": "2027-12-31",
        "seats_total": 3,
        "seats_reserved": 1,
        "fees": [{"kind": "retta", "amount_cents_day": 6500, "absence_share_pct": 50}],
        "renewal_mode": "espresso",
        "withdrawal_notice_days": 60,
        "verification_interval_months": 6,
        "tags": ["adulti"],
        "notes": "Da rivedere a giugno."
    })
}
