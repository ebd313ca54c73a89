//! Entries of authors that partners send, verified and kept.
//!
//! They are taken in spaces of which this organisation is a member, from nodes that write for
//! organisations that are or were. Whose a log is its origin says: when one begins here, those that
//! certified the node are tried, and the one that fits stands with the log's head from then on.
//! Where none fits, another organisation may have certified the node, too: that is no offence, and
//! the run is asked for again when its identity log has come.

use super::forks::Overlap;
use super::space::SpaceState;
use super::stored::{Head, StoredEntry};
use super::{Event, Growth, Replica, ReplicaError, keys};
use crate::access::{Access, AccessError};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::log::{LogPosition, Run, RunError, VerifiedEntry, VerifiedRun};
use crate::storage::{Storage, Table};

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// The log grew.
    Grown {
        /// Its length before.
        from: u64,
        /// Its length now.
        to: u64,
    },
    /// Everything was here already.
    Known,
    /// It brought bodies that were missing here.
    Filled,
    /// The run contradicts what is here: the log is frozen and the proof kept.
    Forked,
}

/// A run that holds.
#[derive(Clone)]
pub(super) struct Proven {
    pub space: SpaceId,
    pub author: NodeId,
    /// For whom the author wrote it.
    pub organisation: OrganisationId,
    /// Where the author's log stands here, or before its first entry.
    pub head: Head,
    pub run: VerifiedRun,
    /// Whether bodies are left out that only the proof of a fork goes without.
    pub is_bare: bool,
}

impl Proven {
    /// The same run, as it is added to a log that stands at `head`.
    pub(super) fn after(&self, head: Head) -> Self {
        Self { head, ..self.clone() }
    }
}

impl Replica {
    /// Takes a run of entries of one author.
    ///
    /// # Errors
    /// [`crate::log::RunError`] when the run does not hold; [`ReplicaError::NotPermitted`] when
    /// space or author are none of this node's business; [`ReplicaError::Frozen`] beyond a fork.
    pub fn admit_run(&mut self, disk: &dyn Storage, run: Run) -> Result<Admitted, ReplicaError> {
        let proven = self.prove(disk, run)?;
        self.take(disk, &proven)
    }

    /// Checks that a run is what its author signed, and finds for whom.
    pub(super) fn prove(&mut self, disk: &dyn Storage, run: Run) -> Result<Proven, ReplicaError> {
        let (space, author) = (run.space, run.author);
        self.own_role(&space).ok_or(ReplicaError::NotPermitted)?;
        let state = self.space(disk, &space)?;
        let fork = state.forks.get(&author).copied();
        if fork.is_some_and(|fork| fork < run.start) && !self.is_open(disk, &space, &author)? {
            // It follows on one of two branches, and nothing here tells which.
            return Err(ReplicaError::Frozen);
        }
        let SpaceState { access, heads, aside, .. } = self.space(disk, &space)?;
        let is_cut = access.settled_at(&author).is_some();
        let known = heads.get(&author).copied().filter(|_| !aside.contains(&author));
        let places = self.places_before(disk, &space, &author, run.start)?;
        let positions: Vec<_> = places.iter().map(|(_, position)| *position).collect();
        let is_beginning = run.start == 0;
        let missing = self.missing_in(disk, &run)?;
        let (index, mut run) = run.verify_after(&positions).map_err(|error| match error {
            RunError::Signature if is_beginning => RunError::Origin.into(),
            // It may follow on the version that the cut does not name.
            RunError::Signature if is_cut => ReplicaError::Frozen,
            other => other.into(),
        })?;
        let (organisation, _) = *places.get(index).ok_or(RunError::Origin)?;
        let head = known.unwrap_or_else(|| Head::begin(&space, &author, organisation));
        let access = &self.space(disk, &space)?.access;
        let is_erased =
            |one: &VerifiedEntry| access.is_body_erased(&author, one.header.sequence, &one.hash);
        let is_bare = run.erase(is_erased, |one| missing.contains(&one.hash)).is_err();
        if is_bare {
            self.leave_out_proven(disk, (&space, &author), head, &mut run)?;
        }
        Ok(Proven { space, author, organisation, head, run, is_bare })
    }

    /// Leaves erased bodies out of a run that contradicts the log that is here, whatever else it
    /// leaves out: it is kept as a proof, of which nothing counts.
    fn leave_out_proven(
        &mut self,
        disk: &dyn Storage,
        (space, author): (&SpaceId, &NodeId),
        head: Head,
        run: &mut VerifiedRun,
    ) -> Result<(), ReplicaError> {
        match self.compare_overlap(disk, space, author, head, run)? {
            Overlap::Agrees => Err(RunError::BodyMissing.into()),
            Overlap::Contradicts { .. } => {
                let access = &self.space(disk, space)?.access;
                let is_erased = |one: &VerifiedEntry| {
                    access.is_body_erased(author, one.header.sequence, &one.hash)
                };
                Ok(run.erase(is_erased, |_| true)?)
            }
        }
    }

    /// What a run of `author` that begins at `start` may follow on, each with whose log that is:
    /// the place in the log that is here, and at the beginning the origins of other logs.
    pub(super) fn places_before(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        start: u64,
    ) -> Result<Vec<(OrganisationId, LogPosition)>, ReplicaError> {
        let state = self.space(disk, space)?;
        let is_aside = state.aside.contains(author);
        let known = state.heads.get(author).copied().filter(|_| !is_aside);
        let mut places = Vec::new();
        if let Some(head) = known {
            let position = self.position_at(disk, space, author, head, start)?;
            places.push((head.organisation, position));
        }
        if start > 0 {
            return match known {
                Some(_) => Ok(places),
                None if is_aside => Err(AccessError::IdentityBehind.into()),
                None => Err(RunError::Gap.into()),
            };
        }
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let others = self.certified.members(&state.access, author).into_iter();
        let others = others.filter(|one| known.is_none_or(|head| head.organisation != *one));
        let others = others.filter(|one| !self.is_aside(one, author));
        places.extend(others.map(|one| (one, LogPosition::origin(space, author, &one))));
        match places.is_empty() {
            false => Ok(places),
            true if !self.is_held_now(author) => Err(AccessError::IdentityBehind.into()),
            true => Err(ReplicaError::NotPermitted),
        }
    }

    /// Adds to a log what a run brings, or keeps it as the proof that the log was forked.
    pub(super) fn take(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
    ) -> Result<Admitted, ReplicaError> {
        self.check_author(disk, proven)?;
        let Proven { space, author, head, run, .. } = proven;
        self.give_way(disk, space, author)?;
        let overlap = self.compare_overlap(disk, space, author, *head, run)?;
        let is_filled = self.fill_in(disk, proven, &overlap)?;
        if let Some(admitted) = self.take_of_cut(disk, proven, &overlap)? {
            return Ok(admitted);
        }
        match overlap {
            Overlap::Contradicts { sequence } => {
                let run = run.to_run().ok_or(RunError::Malformed)?;
                self.keep_fork(disk, space, author, sequence, &run)?;
                Ok(Admitted::Forked)
            }
            Overlap::Agrees => match run.end().length <= head.position.length {
                true if is_filled => Ok(Admitted::Filled),
                true => Ok(Admitted::Known),
                false => self.append_run(disk, proven),
            },
        }
    }

    /// The author's organisation is or was a member, and has not too many nodes that write.
    fn check_author(&mut self, disk: &dyn Storage, proven: &Proven) -> Result<(), ReplicaError> {
        let Proven { space, author, organisation, .. } = proven;
        let state = self.space(disk, space)?;
        let was_member = |branch: &Access| branch.members().contains_key(organisation);
        if !state.access.all().any(was_member) {
            return Err(ReplicaError::NotPermitted);
        }
        // What was set aside takes no room: others have none of it.
        let counted = || state.heads.iter().filter(|(author, _)| !state.aside.contains(author));
        let of_same = counted().filter(|(_, head)| head.organisation == *organisation);
        let is_full = counted().count() >= limits::SPACE_AUTHORS_MAX
            || of_same.count() >= limits::SPACE_AUTHORS_OF_ONE_MAX;
        if counted().all(|(known, _)| known != author) && is_full {
            return Err(ReplicaError::Limit("nodes that write in one space"));
        }
        Ok(())
    }

    fn append_run(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
    ) -> Result<Admitted, ReplicaError> {
        let Proven { space, author, .. } = proven;
        if self.space(disk, space)?.forks.contains_key(author) {
            return Err(ReplicaError::Frozen);
        }
        if *author == self.node() {
            self.cloned = true;
            self.events.push(Event::Cloned);
            return Err(ReplicaError::Cloned);
        }
        if self.finds_revoked_writer(disk, space, (&proven.organisation, author))? {
            return Err(ReplicaError::NotPermitted);
        }
        self.check_room(disk, proven)?;
        self.store_run(disk, proven)
    }

    /// The log does not grow beyond what is kept of one.
    pub(super) fn check_room(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
    ) -> Result<(), ReplicaError> {
        if proven.run.end().length > limits::AUTHOR_ENTRIES_MAX {
            return Err(ReplicaError::Limit("entries of one author in one space"));
        }
        if self.late_entries(disk, proven)? > limits::LATE_ENTRIES_MAX {
            return Err(ReplicaError::Limit("entries written after a removal"));
        }
        Ok(())
    }

    /// Writes down what a run adds to the log that stands at its head.
    pub(super) fn store_run(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
    ) -> Result<Admitted, ReplicaError> {
        let Proven { space, author, head, run, .. } = proven;
        let (from, end) = (head.position.length, run.end());
        self.forget_missing(space, author, from)?;
        for entry in run.entries().iter().filter(|entry| entry.header.sequence >= from) {
            let is_last = entry.header.sequence + 1 == end.length;
            let stored = StoredEntry::from_verified(entry, is_last.then(|| *run.signature()));
            let key = keys::entry(space, author, entry.header.sequence);
            self.pending.put(Table::Entries, key, stored.encode());
        }
        self.put_head(disk, space, author, Head { position: end, ..*head })?;
        self.settle_grown(disk, space, author)?;
        self.dirty.insert(*space);
        self.refresh_summary(disk, space)?;
        self.growth.push(Growth::Entries { space: *space, author: *author, from });
        Ok(Admitted::Grown { from, to: end.length })
    }

    /// How many entries beyond its last cut the author's log would hold with a run.
    fn late_entries(&mut self, disk: &dyn Storage, proven: &Proven) -> Result<u64, ReplicaError> {
        let access = &self.space(disk, &proven.space)?.access;
        let member = access.members().get(&proven.organisation);
        let ended = member.and_then(|member| member.intervals.last()?.ended.as_ref());
        let cut = ended.map(|(_, cuts)| cuts.get(&proven.author).map_or(0, |cut| cut.length));
        Ok(cut.map_or(0, |cut| proven.run.end().length.saturating_sub(cut)))
    }
}
