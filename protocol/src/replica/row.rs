//! A record as it is shown, written down: the result of its accepted entries.

use super::{Replica, ReplicaError, keys};
use crate::ids::{NodeId, RecordId, SpaceId};
use crate::record::View;
use crate::storage::{Storage, Table};
use minicbor::{Decode, Encode};
use std::ops::ControlFlow;

/// Why an entry of a record does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum QuarantineReason {
    /// Written before its author knew of its removal, beyond the cut.
    #[n(0)]
    Late,
    /// Its author was not a contributor.
    #[n(1)]
    Unauthorised,
    /// The change breaks a rule of the gate.
    #[n(2)]
    Refused,
    /// It stands beyond a fork of its author's log.
    #[n(3)]
    Forked,
}

/// Where an entry stands: index into the row's authors, and position in that author's log.
pub type EntryPlace = (u32, u64);

/// A materialised record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Row {
    /// Authors of the record's entries.
    #[n(0)]
    pub authors: Vec<NodeId>,
    /// All entries of the record, in order of author and position.
    #[n(1)]
    pub entries: Vec<EntryPlace>,
    /// Those that do not count, and why.
    #[n(2)]
    pub quarantined: Vec<(EntryPlace, QuarantineReason)>,
    /// Entries that wait for others they depend on.
    #[n(3)]
    pub waiting: u64,
    /// Entries of operations this program does not know.
    #[n(4)]
    pub newer: u64,
    /// Fields in conflict.
    #[n(5)]
    pub conflicts: u64,
    /// The [`View`] as JSON; absent when no entry counts.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub view: Option<Vec<u8>>,
}

impl Row {
    /// The entries as author and position.
    pub fn places(&self) -> impl Iterator<Item = (NodeId, u64)> {
        self.entries.iter().filter_map(|(author, sequence)| {
            let index = usize::try_from(*author).ok()?;
            self.authors.get(index).map(|author| (*author, *sequence))
        })
    }

    /// The author at `index`.
    #[must_use]
    pub fn author(&self, index: u32) -> Option<NodeId> {
        usize::try_from(index).ok().and_then(|index| self.authors.get(index)).copied()
    }

    /// What the record shows.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        self.view.as_ref().and_then(|bytes| serde_json::from_slice(bytes).ok())
    }
}

impl Replica {
    /// The records of a space of which there is a row.
    pub(super) fn records_shown(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<RecordId>, ReplicaError> {
        let mut records = Vec::new();
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Rows, &from, &to, &mut |key, _| {
            records.extend(keys::tail(key).map(RecordId::from_bytes));
            ControlFlow::Continue(())
        })?;
        Ok(records)
    }

    pub(super) fn load_row(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<Option<Row>, ReplicaError> {
        let key = keys::row(space, record);
        let Some(sealed) = self.read(disk, Table::Rows, &key)? else { return Ok(None) };
        self.open_row(&key, &sealed).map(Some)
    }

    pub(super) fn open_row(&self, key: &[u8], sealed: &[u8]) -> Result<Row, ReplicaError> {
        let damaged = ReplicaError::Damaged(Table::Rows.name());
        let place = keys::place(Table::Rows, key);
        let bytes = self.credentials.storage.open(&place, sealed).map_err(|_| damaged.clone())?;
        minicbor::decode(&bytes).map_err(|_| damaged)
    }

    pub(super) fn put_row(
        &mut self,
        space: &SpaceId,
        record: &RecordId,
        row: &Row,
    ) -> Result<(), ReplicaError> {
        let key = keys::row(space, record);
        let bytes = zeroize::Zeroizing::new(crate::codec::encode(row));
        let sealed = self.credentials.storage.seal(&keys::place(Table::Rows, &key), &bytes)?;
        self.pending.put(Table::Rows, key, sealed);
        Ok(())
    }
}
