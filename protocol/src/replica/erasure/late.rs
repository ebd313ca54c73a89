//! Entries of erased records that no erasure names yet, and the debt to name them.
//!
//! The places stand in `Waiting`, with the record's id; that a space has any that are due stands
//! among the settings, so that a start need not look through all of `Waiting`.

use super::Place;
use crate::ids::{NodeId, RecordId, SpaceId};
use crate::replica::stored::StoredEntry;
use crate::replica::{Replica, ReplicaError, keys};
use crate::storage::{Storage, Table};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// What stands in `Waiting`, before the record's id, with an entry that an erasure is to name.
const TO_ERASE: u8 = 2;

/// Beginning of the names under which spaces with such entries stand among the settings.
const DEBT: &[u8] = b"erasures of ";

/// The erased record to which the entry with this mark in `Waiting` belongs.
pub(in crate::replica) fn record_of(mark: &[u8]) -> Option<RecordId> {
    let (first, record) = mark.split_first()?;
    let record = record.try_into().ok().filter(|_| *first == TO_ERASE)?;
    Some(RecordId::from_bytes(record))
}

impl Replica {
    /// Writes down that an entry of an erased record is to be named by an erasure; whether that is
    /// news, and the entry this node's own.
    pub(in crate::replica) fn await_erasure(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
        (author, sequence): Place,
    ) -> Result<bool, ReplicaError> {
        let key = keys::entry(space, &author, sequence);
        let mark = [&[TO_ERASE], record.as_bytes().as_slice()].concat();
        if self.read(disk, Table::Waiting, &key)?.as_ref() == Some(&mark) {
            return Ok(false);
        }
        self.pending.put(Table::Waiting, key, mark);
        if self.is_due(disk, space, record, &(author, sequence))? {
            self.owe_erasure(space);
        }
        Ok(author == self.node())
    }

    pub(in crate::replica) fn places_to_erase(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<(RecordId, Place)>, ReplicaError> {
        let mut found = Vec::new();
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Waiting, &from, &to, &mut |key, mark| {
            let place = keys::part(key, 32).zip(keys::tail(key));
            if let Some((record, (author, sequence))) = record_of(mark).zip(place) {
                let place = (NodeId::from_bytes(author), u64::from_be_bytes(sequence));
                found.push((record, place));
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Of the places to be named, those of edits whose authors did not know of the erasure.
    pub(super) fn places_due(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<(RecordId, Place)>, ReplicaError> {
        let mut due = Vec::new();
        for (record, place) in self.places_to_erase(disk, space)? {
            if self.is_due(disk, space, &record, &place)? {
                due.push((record, place));
            }
        }
        Ok(due)
    }

    fn is_due(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
        (author, sequence): &Place,
    ) -> Result<bool, ReplicaError> {
        let stored = self.read(disk, Table::Entries, &keys::entry(space, author, *sequence))?;
        let stored = stored.and_then(|bytes| StoredEntry::decode(&bytes));
        let access = &self.space(disk, space)?.access;
        Ok(stored.is_none_or(|stored| !access.was_erased_at(&stored.access, record)))
    }

    /// Loads which spaces have something to be said again.
    pub(in crate::replica) fn load_unerased(
        &mut self,
        disk: &dyn Storage,
    ) -> Result<(), ReplicaError> {
        let mut spaces = BTreeSet::new();
        let end = crate::storage::prefix_end(DEBT);
        disk.scan(Table::Settings, DEBT, &end, &mut |key, _| {
            let space = key.get(DEBT.len()..).and_then(|id| id.try_into().ok());
            spaces.extend(space.map(SpaceId::from_bytes));
            ControlFlow::Continue(())
        })?;
        self.unerased = spaces;
        Ok(())
    }

    fn owe_erasure(&mut self, space: &SpaceId) {
        if self.unerased.insert(*space) {
            self.pending.put(Table::Settings, debt(space), Vec::new());
        }
    }

    /// Writes down whether something is left to be said again.
    pub(in crate::replica) fn note_debt(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let beside = !self.space(disk, space)?.access.erasures_beside().is_empty();
        if beside || !self.places_due(disk, space)?.is_empty() {
            self.owe_erasure(space);
        } else if self.unerased.remove(space) {
            self.pending.delete(Table::Settings, debt(space));
        }
        Ok(())
    }
}

/// Whether a setting says that a space has something to be said again; it has no value.
pub(in crate::replica) fn is_debt(key: &[u8]) -> bool {
    key.starts_with(DEBT)
}

fn debt(space: &SpaceId) -> Vec<u8> {
    [DEBT, space.as_bytes()].concat()
}
