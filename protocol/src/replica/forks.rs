//! Forked author logs: two signed entries at one position.
//!
//! The log is frozen where it forked: nothing from there on counts until the organisation revokes
//! the node, and the owner's cut says which branch does (`settling`). The other branch is kept as
//! the proof, is part of the space's digest, and travels to every member, which finds the same
//! contradiction by itself.

use super::stored::{Head, StoredEntry};
use super::{Event, Growth, Replica, ReplicaError, keys};
use crate::ids::{EntryHash, NodeId, SpaceId};
use crate::log::{LogPosition, RunError, VerifiedRun};
use crate::storage::{Storage, Table};
use std::collections::BTreeMap;
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
        run: Vec<u8>,
    ) -> Result<(), ReplicaError> {
        let known = self.space(disk, space)?.forks.get(author).copied();
        if known.is_some_and(|known| known <= sequence) {
            return Ok(());
        }
        self.pending.put(Table::Forks, keys::entry(space, author, sequence), run);
        self.space(disk, space)?.forks.insert(*author, sequence);
        self.events.push(Event::Forked { space: *space, author: *author });
        let is_cut = self.space(disk, space)?.access.settled_at(author).is_some();
        let own = self.organisation();
        if is_cut && self.summaries.get(space).is_some_and(|known| known.owner == own) {
            // An accepted entry may build on what is in the proof: then the owner names it.
            self.reconsider_all(disk, space)?;
        } else {
            self.reconsider(disk, space, author, sequence)?;
        }
        self.carry_out_all(disk, space)?;
        self.refresh_summary(disk, space)?;
        // Sessions announce the space anew, so that the proof reaches every member at once.
        let from = self.space(disk, space)?.access.length();
        self.growth.push(Growth::Access { space: *space, from });
        Ok(())
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
