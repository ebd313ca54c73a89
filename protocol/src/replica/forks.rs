//! Forked author logs: two signed entries at one position.
//!
//! The log is frozen where it forked: nothing from there on counts until the organisation revokes
//! the node, and the owner's cut says which branch does (`settling`). The other branch is kept as
//! the proof, is part of the space's digest, and travels to every member, which finds the same
//! contradiction by itself.

use super::erasure::record_within;
use super::stored::{Head, StoredEntry};
use super::{Event, Replica, ReplicaError, keys};
use crate::codec;
use crate::ids::{EntryHash, NodeId, RecordId, SpaceId};
use crate::limits;
use crate::log::{LogPosition, Run, RunError, VerifiedRun};
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// How a run relates to the entries that are here already.
pub enum Overlap {
    /// It repeats them.
    Agrees,
    /// At this position it says something else.
    Contradicts {
        /// The position.
        sequence: u64,
    },
}

impl Overlap {
    /// Whether what the run says at a place is not known to be something else.
    pub(super) const fn agrees_at(&self, place: u64) -> bool {
        match self {
            Self::Agrees => true,
            Self::Contradicts { sequence } => place < *sequence,
        }
    }
}

impl Replica {
    pub(super) fn load_forks(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<BTreeMap<NodeId, u64>, ReplicaError> {
        let mut forks = BTreeMap::new();
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Forks, &from, &to, &mut |key, _| {
            if let (Some(author), Some(sequence)) = (keys::part(key, 32), keys::tail(key)) {
                let sequence = u64::from_be_bytes(sequence);
                let first = forks.entry(NodeId::from_bytes(author)).or_insert(sequence);
                *first = sequence.min(*first);
            }
            ControlFlow::Continue(())
        })?;
        Ok(forks)
    }

    /// Where the author's log stood before `start`.
    pub(super) fn position_at(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        head: Head,
        start: u64,
    ) -> Result<LogPosition, ReplicaError> {
        if start > head.position.length {
            return Err(RunError::Gap.into());
        }
        if start == head.position.length {
            return Ok(head.position);
        }
        let entry = self.stored_entry(disk, space, author, start)?;
        Ok(LogPosition { length: start, head: entry.previous })
    }

    pub(super) fn compare_overlap(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        head: Head,
        run: &VerifiedRun,
    ) -> Result<Overlap, ReplicaError> {
        for entry in run.entries() {
            let sequence = entry.header.sequence;
            if sequence >= head.position.length {
                break;
            }
            if self.hash_at(disk, space, author, head, sequence)? != entry.hash {
                return Ok(Overlap::Contradicts { sequence });
            }
        }
        Ok(Overlap::Agrees)
    }

    /// The hash of the author's entry at `sequence`.
    pub(super) fn hash_at(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        head: Head,
        sequence: u64,
    ) -> Result<EntryHash, ReplicaError> {
        if sequence + 1 == head.position.length {
            return Ok(head.position.head);
        }
        Ok(self.stored_entry(disk, space, author, sequence + 1)?.previous)
    }

    pub(super) fn stored_entry(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        sequence: u64,
    ) -> Result<StoredEntry, ReplicaError> {
        StoredEntry::decode(&self.stored_bytes(disk, space, author, sequence)?)
            .ok_or(ReplicaError::Damaged(Table::Entries.name()))
    }

    pub(super) fn stored_bytes(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        sequence: u64,
    ) -> Result<Vec<u8>, ReplicaError> {
        self.read(disk, Table::Entries, &keys::entry(space, author, sequence))?
            .ok_or(ReplicaError::Damaged(Table::Entries.name()))
    }

    pub(super) fn keep_fork(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        sequence: u64,
        run: &Run,
    ) -> Result<(), ReplicaError> {
        let known = self.space(disk, space)?.forks.get(author).copied();
        if known.is_some_and(|known| known <= sequence) {
            return Ok(());
        }
        // What follows a fork counts for nothing: one proof says so, however many more there are.
        let (_, to) = keys::all(&keys::author(space, author));
        self.delete_all(disk, Table::Forks, &keys::entry(space, author, sequence), &to)?;
        self.pending.put(Table::Forks, keys::entry(space, author, sequence), codec::encode(run));
        self.space(disk, space)?.forks.insert(*author, sequence);
        self.events.push(Event::Forked { space: *space, author: *author });
        self.freeze_between(disk, space, author, (sequence, known))?;
        let own = self.organisation();
        if self.summaries.get(space).is_some_and(|known| known.owner == own) {
            self.look_for_built_upon(disk, space, run)?;
        }
        self.erase_in_proofs(disk, space)?;
        self.note_debt(disk, space)?;
        self.refresh_summary(disk, space)?;
        // Sessions announce the space anew, so that the proof reaches every member at once.
        self.announce(disk, space)?;
        Ok(())
    }

    /// Has built again what entries of a log count for nothing in from its fork on, to where it was
    /// known to be forked before. Whoever has its key shows a fork at an ever earlier place: each
    /// costs what it changes, and the whole log is read again once in so many places.
    fn freeze_between(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        (from, known): (u64, Option<u64>),
    ) -> Result<(), ReplicaError> {
        let head = self.space(disk, space)?.heads.get(author).copied();
        let Some(head) = head else { return Ok(()) };
        let to = known.unwrap_or(head.position.length).min(head.projected);
        if to.saturating_sub(from) > limits::RUN_ENTRIES_MAX as u64 {
            return self.reconsider(disk, space, author, from);
        }
        for record in self.records_between(disk, space, author, (from, to))? {
            self.build_again(disk, space, &record)?;
        }
        Ok(())
    }

    /// The records to which entries of a log belong, as far as they open.
    pub(super) fn records_between(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        (from, to): (u64, u64),
    ) -> Result<BTreeSet<RecordId>, ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let [start, end] = [from, to].map(|at| keys::entry(space, author, at));
        let mut records = BTreeSet::new();
        self.scan(disk, Table::Entries, &start, &end, &mut |key, value| {
            let place = keys::tail(key).map(u64::from_be_bytes).zip(StoredEntry::decode(value));
            if let Some((sequence, stored)) = place
                && let Some(body) = stored.body.sealed()
            {
                let header = stored.header(*space, *author, sequence);
                records.extend(record_within(state.key_of(&header), &header, body));
            }
            ControlFlow::Continue(())
        })?;
        Ok(records)
    }

    /// Has the records built again in which an entry of a proof may be what others wait for: the
    /// owner names it where an accepted one builds on it.
    fn look_for_built_upon(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        run: &Run,
    ) -> Result<(), ReplicaError> {
        for record in self.records_proven(disk, space, run)? {
            let row = self.load_row(disk, space, &record)?;
            if row.is_some_and(|row| row.waiting > 0) {
                self.build_again(disk, space, &record)?;
            }
        }
        Ok(())
    }

    fn build_again(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<(), ReplicaError> {
        self.records.remove(&(*space, *record));
        if self.load_row(disk, space, record)?.is_some() {
            self.absorb(disk, space, record, Vec::new())?;
            // What the owner is to name is said with the next projection.
            self.dirty.insert(*space);
        }
        Ok(())
    }

    /// As [`Replica::look_for_built_upon`], for every proof of the space, after keys arrived; what
    /// was erased and opens now goes, and what is to be named is noted, too.
    pub(super) fn read_proofs_again(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        if self.space(disk, space)?.forks.is_empty() {
            return Ok(());
        }
        let own = self.organisation();
        if self.summaries.get(space).is_some_and(|known| known.owner == own) {
            for (_, run) in self.proofs(disk, space)? {
                self.look_for_built_upon(disk, space, &run)?;
            }
        }
        self.erase_in_proofs(disk, space)?;
        self.note_debt(disk, space)
    }

    /// The other branch of an author's forked log, as it arrived.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn fork_proof(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        sequence: u64,
    ) -> Result<Option<Vec<u8>>, ReplicaError> {
        Ok(self.read(disk, Table::Forks, &keys::entry(space, author, sequence))?)
    }
}
