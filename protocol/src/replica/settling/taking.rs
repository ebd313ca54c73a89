//! A log that was cut is taken in the version that the owner named, also where another came first.
//!
//! What a run makes of the log is compared with what is here: the greater version is kept. Of two
//! that may both be the named one the newer is kept, and the other as the proof that the log was
//! forked: the named one comes in pieces, each of which follows on the one before.
//!
//! Deliberately absent: which of two versions is the greater (`version`).

use super::version::{Version, version_with};
use crate::codec;
use crate::ids::{NodeId, RecordId, SpaceId};
use crate::log::{LogPosition, RunError};
use crate::replica::forks::Overlap;
use crate::replica::projection::note_places;
use crate::replica::runs::{Admitted, Proven};
use crate::replica::stored::Head;
use crate::replica::{Event, Replica, ReplicaError, decode_proof, keys};
use crate::storage::{Storage, Table};
use std::cmp::Ordering;
use std::collections::BTreeSet;

impl Replica {
    /// Takes a run of a log that was cut; nothing when it is to be taken as of any other log.
    ///
    /// # Errors
    /// [`ReplicaError::Frozen`] when the version that is here is greater than what it brings.
    pub(in crate::replica) fn take_of_cut(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
        overlap: &Overlap,
    ) -> Result<Option<Admitted>, ReplicaError> {
        let Proven { space, author, run, .. } = proven;
        let here = self.version_here(disk, space, author)?;
        let own = self.node();
        let named = self.space(disk, space)?.access.settled();
        if named.last(author).is_none() {
            return Ok(None);
        }
        if let Overlap::Contradicts { sequence } = overlap
            && *sequence < here.settled
        {
            return Err(ReplicaError::Frozen);
        }
        // A node that hears of entries of its own is told that another copy runs.
        let is_usual = *author == own || run.end().length <= here.settled;
        if is_usual || here.is_whole(named, author) {
            return Ok(None);
        }
        if proven.is_bare {
            // It may become the log itself.
            return Err(RunError::BodyMissing.into());
        }
        let offered = version_with(proven, here, named).ok_or(ReplicaError::Frozen)?;
        self.take_version(disk, proven, (here, offered), overlap)
    }

    /// Takes a run that makes the version `offered` of the one that is here.
    fn take_version(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
        (here, offered): (Version, Version),
        overlap: &Overlap,
    ) -> Result<Option<Admitted>, ReplicaError> {
        let order = offered.cmp(&here);
        if order == Ordering::Less || (order == Ordering::Equal && !here.is_open) {
            return Err(ReplicaError::Frozen);
        }
        match overlap {
            Overlap::Contradicts { sequence } => {
                self.replace(disk, proven, *sequence, order).map(Some)
            }
            Overlap::Agrees if !here.is_open => {
                // Of what is here no more than this may be of the named version.
                let first = proven.run.entries().first().map_or(0, |one| one.header.sequence);
                self.replace(disk, proven, first.max(here.settled), order).map(Some)
            }
            Overlap::Agrees if proven.run.end().length > proven.head.position.length => {
                self.check_room(disk, proven)?;
                self.store_run(disk, proven).map(Some)
            }
            Overlap::Agrees => Ok(None),
        }
    }

    /// Takes what proves that a log was forked for the log itself, where that makes the greater
    /// version, and drops it where it makes a lesser one; whether it was taken.
    pub(super) fn takes_proof(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        here: Version,
    ) -> Result<bool, ReplicaError> {
        let is_aside = self.space(disk, space)?.aside.contains(author);
        if is_aside || !self.is_open(disk, space, author)? {
            return Ok(false);
        }
        let Some(at) = self.proven_from(disk, space, author, here.settled)? else {
            return Ok(false);
        };
        let run = self.fork_proof(disk, space, author, at)?;
        let run = run.and_then(|bytes| decode_proof(&bytes));
        let run = run.ok_or(ReplicaError::Damaged(Table::Forks.name()))?;
        let proven = match self.prove(disk, run) {
            // Of a space that was left nothing is taken.
            Err(error @ (ReplicaError::Storage(_) | ReplicaError::Damaged(_))) => {
                return Err(error);
            }
            Err(_) => return Ok(false),
            Ok(proven) => proven,
        };
        let named = self.space(disk, space)?.access.settled();
        let offered = version_with(&proven, here, named);
        match offered.map(|offered| offered.cmp(&here)) {
            Some(Ordering::Equal) if here.is_open => Ok(false),
            Some(Ordering::Greater) => match self.take(disk, &proven) {
                Ok(_) => Ok(true),
                Err(error @ (ReplicaError::Storage(_) | ReplicaError::Damaged(_))) => Err(error),
                Err(_) => Ok(false),
            },
            _ => {
                self.pending.delete(Table::Forks, keys::entry(space, author, at));
                Ok(false)
            }
        }
    }

    /// Puts a run in the place of what is here of the log from `from` on, of which so much is kept
    /// as proves that the log was forked where neither version is the greater.
    fn replace(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
        from: u64,
        order: Ordering,
    ) -> Result<Admitted, ReplicaError> {
        let Proven { space, author, head, .. } = proven;
        self.check_room(disk, proven)?;
        // What contradicts entries that go is no proof for those that come.
        let (_, to) = keys::all(&keys::author(space, author));
        self.delete_all(disk, Table::Forks, &keys::entry(space, author, from), &to)?;
        if order == Ordering::Equal && self.proven_from(disk, space, author, 0)?.is_none() {
            self.keep_other(disk, space, author, from)?;
        }
        self.drop_entries(disk, space, author, *head, from)?;
        let missing = self.missing_of(space, author).cloned().unwrap_or_default();
        let admitted = self.store_run(disk, &proven.after(head_before(proven, from)))?;
        self.keep_missing(proven, from, missing)?;
        self.carry_out_again(disk, space)?;
        self.refresh_summary(disk, space)?;
        // What is announced may be shorter than before.
        self.announce(disk, space)?;
        Ok(admitted)
    }

    /// Keeps what is here of a log from `from` on as the proof that it was forked.
    fn keep_other(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        from: u64,
    ) -> Result<(), ReplicaError> {
        let Some(run) = self.forked_run(disk, space, author, from)? else { return Ok(()) };
        self.pending.put(Table::Forks, keys::entry(space, author, from), codec::encode(&run));
        if self.space(disk, space)?.forks.insert(*author, from).is_none() {
            self.events.push(Event::Forked { space: *space, author: *author });
        }
        Ok(())
    }

    /// Drops the entries of a log from `from` on, and what rows have of them.
    pub(in crate::replica) fn drop_entries(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        head: Head,
        from: u64,
    ) -> Result<(), ReplicaError> {
        let start = keys::entry(space, author, from);
        let end = keys::entry(space, author, head.position.length);
        let range = (from, head.position.length);
        let records = self.records_between(disk, space, author, range)?;
        self.space(disk, space)?.forget_version(author, from);
        for table in [Table::Entries, Table::Waiting] {
            self.delete_all(disk, table, &start, &end)?;
        }
        for record in records {
            self.leave_out(disk, space, &record, (author, from))?;
        }
        Ok(())
    }

    /// Builds a record again without an author's entries from a position on.
    fn leave_out(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
        (author, from): (&NodeId, u64),
    ) -> Result<(), ReplicaError> {
        let Some(row) = self.load_row(disk, space, record)? else { return Ok(()) };
        let mut places: BTreeSet<_> = row.places().collect();
        places.retain(|(one, sequence)| one != author || *sequence < from);
        let mut left = row;
        note_places(&mut left, &places);
        self.put_row(space, record, &left)?;
        self.absorb(disk, space, record, Vec::new())
    }
}

/// Where a log stands of which a run gives all that is known from `from` on.
fn head_before(proven: &Proven, from: u64) -> Head {
    let Proven { head, run, organisation, .. } = proven;
    let next = run.entries().iter().find(|entry| entry.header.sequence == from);
    let before = next.map_or(run.end().head, |entry| entry.header.previous);
    Head {
        position: LogPosition { length: from, head: before },
        projected: head.projected.min(from),
        organisation: *organisation,
    }
}
