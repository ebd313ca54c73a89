//! Entries of erased records that no erasure names yet, and the debt to name them.
//!
//! The places of those in logs stand in `Waiting`, with the record's id; those in the proofs that
//! logs were forked are looked for there. That a space has any that are due stands among the
//! settings, so that a start need not look through all of it.

use super::Place;
use crate::access::ErasedEntries;
use crate::ids::{EntryHash, NodeId, RecordId, SpaceId};
use crate::log::{AccessPoint, VerifiedEntry};
use crate::replica::stored::StoredEntry;
use crate::replica::{Replica, ReplicaError, keys};
use crate::storage::{Storage, Table};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// What stands in `Waiting`, before the record's id, with an entry that an erasure is to name.
const TO_ERASE: u8 = 2;

/// Beginning of the names under which spaces with such entries stand among the settings.
const DEBT: &[u8] = b"erasures of ";

/// An entry whose body is here and that an erasure of its record is to name.
#[derive(Clone, Copy)]
pub(in crate::replica) struct Named {
    pub record: RecordId,
    author: NodeId,
    sequence: u64,
    hash: EntryHash,
    /// How much of the access log its author had seen.
    seen: AccessPoint,
}

impl Named {
    pub(super) fn of_verified(record: RecordId, entry: &VerifiedEntry) -> Self {
        let VerifiedEntry { header, hash, .. } = entry;
        let (author, sequence, seen) = (header.author, header.sequence, header.access);
        Self { record, author, sequence, hash: *hash, seen }
    }
}

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
        let named = self.sealed_at(disk, space, record, (author, sequence))?;
        if let Some(named) = named
            && self.is_due(disk, space, &named)?
        {
            self.owe_erasure(space);
        }
        Ok(author == self.node())
    }

    /// The entry of `record` at a place of a log, if its body is here.
    pub(super) fn sealed_at(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
        (author, sequence): Place,
    ) -> Result<Option<Named>, ReplicaError> {
        let stored = self.read(disk, Table::Entries, &keys::entry(space, &author, sequence))?;
        let stored = stored.and_then(|bytes| StoredEntry::decode(&bytes));
        Ok(stored.filter(|stored| !stored.body.is_erased()).map(|stored| {
            let hash = stored.header(*space, author, sequence).hash_with(&stored.body);
            Named { record: *record, author, sequence, hash, seen: stored.access }
        }))
    }

    /// Entries of erased records whose bodies are here.
    pub(in crate::replica) fn unnamed(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<Named>, ReplicaError> {
        let mut places = Vec::new();
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Waiting, &from, &to, &mut |key, mark| {
            let place = keys::part(key, 32).zip(keys::tail(key));
            if let Some((record, (author, sequence))) = record_of(mark).zip(place) {
                let place = (NodeId::from_bytes(author), u64::from_be_bytes(sequence));
                places.push((record, place));
            }
            ControlFlow::Continue(())
        })?;
        let mut found = self.proven_of(disk, space, None)?;
        for (record, place) in places {
            found.extend(self.sealed_at(disk, space, &record, place)?);
        }
        Ok(found)
    }

    /// Of the entries to be named, those whose authors did not know of the erasure.
    pub(super) fn due(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<Named>, ReplicaError> {
        let mut due = Vec::new();
        for named in self.unnamed(disk, space)? {
            if self.is_due(disk, space, &named)? {
                due.push(named);
            }
        }
        Ok(due)
    }

    fn is_due(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        Named { record, seen, .. }: &Named,
    ) -> Result<bool, ReplicaError> {
        Ok(!self.space(disk, space)?.access.was_erased_at(seen, record))
    }

    /// These entries as an erasure names them: by their places, and where a log was found forked by
    /// their hashes, for another entry stands at the same place.
    pub(super) fn naming(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        named: &[Named],
    ) -> Result<Vec<ErasedEntries>, ReplicaError> {
        let forks = &self.space(disk, space)?.forks;
        let is_forked =
            |one: &&Named| forks.get(&one.author).is_some_and(|fork| one.sequence >= *fork);
        let (forked, others): (Vec<&Named>, Vec<_>) = named.iter().partition(is_forked);
        let places = others.into_iter().map(|one| (one.author, one.sequence));
        let forked = forked.into_iter().map(|one| (one.author, one.sequence, one.hash));
        Ok(ErasedEntries::with_forked(ErasedEntries::gather(places), forked))
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
        if beside || !self.due(disk, space)?.is_empty() {
            self.owe_erasure(space);
        } else if self.unerased.remove(space) {
            self.pending.delete(Table::Settings, debt(space));
        }
        Ok(())
    }
}

/// Whether a setting says that a space has something to be said again, or to be carried out; it has
/// no value.
pub(in crate::replica) fn is_debt(key: &[u8]) -> bool {
    key.starts_with(DEBT) || super::unfinished::is_unfinished(key)
}

fn debt(space: &SpaceId) -> Vec<u8> {
    [DEBT, space.as_bytes()].concat()
}
