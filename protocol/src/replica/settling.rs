//! Which version of a forked log counts: the one that the owner's cut names.
//!
//! A cut says how long a log is that counts, and through which entry it goes there. Where that
//! version is here, a fork before it is settled: what stands there counts, no proof of a fork is
//! kept or shown, and another version is refused. Where another one is here, the named version
//! takes its place, run by run: as long as it is not complete, nothing counts from where the two
//! part, and one that turns out to miss the named entry is not taken.
//!
//! Deliberately absent: what counts of the version that holds (`access::acceptance`).

mod naming;

use super::forks::Overlap;
use super::projection::note_places;
use super::runs::{Admitted, Proven};
use super::space::SpaceState;
use super::stored::Head;
use super::{Event, Growth, Replica, ReplicaError, keys};
use crate::access::Settled;
use crate::codec;
use crate::ids::{NodeId, RecordId, SpaceId};
use crate::log::{LogPosition, VerifiedEntry};
use crate::storage::{Storage, Table};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

pub(super) use naming::BuiltUpon;

/// How the version of a log that is here stands to the places that the owner named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    /// None is named.
    Uncut,
    /// It is the named one for so many entries, and ends before the last place that is named.
    Open(u64),
    /// It is the named one, for so many entries.
    Settled(u64),
    /// It is the named one for so many entries, and another one at the place after.
    Refuted(u64, u64),
}

impl Version {
    /// How many entries are those of the named version.
    const fn settled(self) -> u64 {
        match self {
            Self::Uncut => 0,
            Self::Open(length) | Self::Settled(length) | Self::Refuted(length, _) => length,
        }
    }
}

impl Replica {
    fn version(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        state: &SpaceState,
    ) -> Result<Version, ReplicaError> {
        let named = state.access.settled();
        let Some(last) = named.last(author) else { return Ok(Version::Uncut) };
        let Some(head) = state.heads.get(author) else { return Ok(Version::Open(0)) };
        let mut refuted = None;
        for place in named.up_to(author, head.position.length) {
            let at = place.length.saturating_sub(1);
            if self.hash_at(disk, space, author, *head, at)? == place.head {
                let settled = place.length;
                let is_whole = settled == last.length;
                let found =
                    if is_whole { Version::Settled(settled) } else { Version::Open(settled) };
                return Ok(refuted.map_or(found, |at| Version::Refuted(settled, at)));
            }
            refuted = Some(place.length);
        }
        Ok(refuted.map_or(Version::Open(0), |at| Version::Refuted(0, at)))
    }

    fn version_here(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<Version, ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        self.version(disk, space, author, state)
    }

    /// Whether the log that is here is of no other version than a named one.
    fn is_whole(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<bool, ReplicaError> {
        let version = self.version_here(disk, space, author)?;
        Ok(matches!(version, Version::Uncut | Version::Settled(_)))
    }

    /// Whether a cut names a version of another node's log that is not here in whole.
    pub(super) fn is_open(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<bool, ReplicaError> {
        let version = self.version_here(disk, space, author)?;
        Ok(*author != self.node() && matches!(version, Version::Open(_) | Version::Refuted(..)))
    }

    /// From where on nothing of a log counts, and whether that is without a proof.
    fn frozen_from(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        version: Version,
    ) -> Result<(Option<u64>, bool), ReplicaError> {
        let settled = version.settled();
        let mut proven = None;
        let (_, to) = keys::all(&keys::author(space, author));
        let from = keys::entry(space, author, settled);
        self.scan(disk, Table::Forks, &from, &to, &mut |key, _| {
            proven = keys::tail(key).map(u64::from_be_bytes);
            ControlFlow::Break(())
        })?;
        // A proof from beyond a named place parts two versions of which neither goes through it.
        let parts = |at: u64| proven.is_some_and(|place| place < at);
        Ok(match version {
            Version::Refuted(settled, at) if !parts(at) => (Some(settled), true),
            _ => (proven, false),
        })
    }

    /// Finds, of a space that is being loaded, which forks its cuts settle.
    pub(super) fn settle_loaded(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        state: &mut SpaceState,
    ) -> Result<(), ReplicaError> {
        let cut = state.heads.keys().filter(|author| state.access.settled_at(author).is_some());
        let cut: Vec<_> = cut.copied().collect();
        for author in cut {
            let version = match self.version(disk, space, &author, state) {
                // What is damaged there is found by whoever reads it.
                Err(ReplicaError::Damaged(_)) => continue,
                other => other?,
            };
            let frozen = self.frozen_from(disk, space, &author, version)?;
            state.freeze(author, frozen);
        }
        Ok(())
    }

    /// As [`Replica::settle`], for every log of the space.
    pub(super) fn settle_all(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let authors: Vec<_> = self.space(disk, space)?.heads.keys().copied().collect();
        authors.iter().try_for_each(|author| self.settle(disk, space, author))
    }

    /// As [`Replica::settle`], of a log that grew: only a cut makes a difference there.
    pub(super) fn settle_grown(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<(), ReplicaError> {
        let is_cut = self.space(disk, space)?.access.settled_at(author).is_some();
        if is_cut { self.settle(disk, space, author) } else { Ok(()) }
    }

    /// Finds anew from where on nothing of a log counts, after it or the access log changed.
    pub(super) fn settle(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<(), ReplicaError> {
        let version = self.version_here(disk, space, author)?;
        if version.settled() > 0 {
            let [from, to] = [0, version.settled()].map(|at| keys::entry(space, author, at));
            self.delete_all(disk, Table::Forks, &from, &to)?;
        }
        let frozen = self.frozen_from(disk, space, author, version)?;
        let state = self.space(disk, space)?;
        let before = state.forks.get(author).copied();
        state.freeze(*author, frozen);
        if before != frozen.0
            && let Some(from) = before.into_iter().chain(frozen.0).min()
        {
            // A place that waits to be erased may be that of a proof; what is here is read again.
            let (_, to) = keys::all(&keys::author(space, author));
            self.delete_all(disk, Table::Waiting, &keys::entry(space, author, from), &to)?;
            self.reconsider(disk, space, author, from)?;
            self.note_debt(disk, space)?;
        }
        Ok(())
    }

    pub(super) fn delete_all(
        &mut self,
        disk: &dyn Storage,
        table: Table,
        from: &[u8],
        to: &[u8],
    ) -> Result<(), ReplicaError> {
        let mut found = Vec::new();
        self.scan(disk, table, from, to, &mut |key, _| {
            found.push(key.to_vec());
            ControlFlow::Continue(())
        })?;
        for key in found {
            self.pending.delete(table, key);
        }
        Ok(())
    }

    /// Takes a run of a log that was cut; nothing when it is to be taken as of any other log.
    ///
    /// # Errors
    /// [`ReplicaError::Frozen`] when it is of another version than the one the cut names.
    pub(super) fn take_of_cut(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
        overlap: &Overlap,
    ) -> Result<Option<Admitted>, ReplicaError> {
        let Proven { space, author, .. } = proven;
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let Some(cut) = state.access.settled_at(author) else { return Ok(None) };
        let version = self.version(disk, space, author, state)?;
        if let Overlap::Contradicts { sequence } = overlap
            && *sequence < version.settled()
        {
            return Err(ReplicaError::Frozen);
        }
        if *author == self.node() || matches!(version, Version::Settled(_)) {
            // A node that hears of entries of its own is told that another copy runs.
            return Ok(None);
        }
        if may_be_named(proven, state.access.settled(), &cut) {
            self.take_named(disk, proven, &cut, overlap)
        } else {
            Err(ReplicaError::Frozen)
        }
    }

    /// Takes a run that may be of the version which the cut names, where that is not here in whole.
    fn take_named(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
        cut: &LogPosition,
        overlap: &Overlap,
    ) -> Result<Option<Admitted>, ReplicaError> {
        let Proven { space, author, head, run, .. } = proven;
        let is_refuted = self.space(disk, space)?.refuted.contains(author);
        match overlap {
            Overlap::Contradicts { sequence } => {
                self.replace(disk, proven, cut, *sequence).map(Some)
            }
            Overlap::Agrees if is_refuted => {
                // Of what is here no more than this may be of the named version.
                let start = run.entries().first().map_or(0, |first| first.header.sequence);
                self.replace(disk, proven, cut, start).map(Some)
            }
            Overlap::Agrees if run.end().length > head.position.length => {
                self.check_room(disk, proven)?;
                self.store_run(disk, proven).map(Some)
            }
            Overlap::Agrees => Ok(None),
        }
    }

    /// Puts a run in the place of what is here of the log from `from` on. As long as it is not the
    /// whole version that the cut names, what was here stays as the proof of the fork.
    fn replace(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
        cut: &LogPosition,
        from: u64,
    ) -> Result<Admitted, ReplicaError> {
        let Proven { space, author, head, run, .. } = proven;
        self.check_room(disk, proven)?;
        let state = self.space(disk, space)?;
        let known = state.forks.get(author).copied();
        let is_first = known.is_none_or(|known| from <= known);
        let is_proof = is_first && !state.refuted.contains(author);
        // What contradicts entries that go is no proof for those that come.
        let (_, to) = keys::all(&keys::author(space, author));
        self.delete_all(disk, Table::Forks, &keys::entry(space, author, from), &to)?;
        if is_proof && run.end().length < cut.length {
            self.keep_other(disk, space, author, from)?;
        }
        self.drop_entries(disk, space, author, *head, from)?;
        let admitted = self.store_run(disk, &proven.after(head_before(proven, from)))?;
        self.carry_out_all(disk, space)?;
        self.refresh_summary(disk, space)?;
        // What is announced may be shorter than before.
        let from = self.space(disk, space)?.access.length();
        self.growth.push(Growth::Access { space: *space, from });
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
    pub(super) fn drop_entries(
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

impl SpaceState {
    fn freeze(&mut self, author: NodeId, (from, is_refuted): (Option<u64>, bool)) {
        match from {
            Some(from) => self.forks.insert(author, from),
            None => self.forks.remove(&author),
        };
        if is_refuted {
            self.refuted.insert(author);
        } else {
            self.refuted.remove(&author);
        }
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

/// Whether a run may be of the version that goes through the named places, of which `last` is the
/// one furthest along.
fn may_be_named(proven: &Proven, named: &Settled, last: &LogPosition) -> bool {
    let entries = proven.run.entries();
    let begins_before = entries.first().is_some_and(|one| one.header.sequence < last.length);
    let contradicts = |one: &VerifiedEntry| {
        let length = one.header.sequence.saturating_add(1);
        named.contradicts(&proven.author, length, &one.hash)
    };
    begins_before && !entries.iter().any(contradicts)
}
