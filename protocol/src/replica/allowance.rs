//! How much of one organisation's entries is taken within a day.
//!
//! What a member may write is bounded by its logs; that it writes all of it at once, to fill the
//! disks of the others, is bounded here. It decides nothing about validity: what is refused today
//! is taken tomorrow, and every node counts for itself. Counts are in memory, since whoever floods
//! cannot restart another's node.

use super::{Admitted, Replica, ReplicaError};
use crate::ids::OrganisationId;
use crate::limits::{DAY_BYTES_MAX, DAY_ENTRIES_MAX, DAY_STRANGERS_MAX, SPACES_PER_STRANGER};
use crate::log::Run;
use crate::storage::Storage;
use crate::time::Timestamp;
use std::collections::BTreeMap;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What was taken since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Taken {
    since: Timestamp,
    entries: u64,
    bytes: u64,
}

/// What was taken today, by organisation.
#[derive(Clone, Debug)]
pub(super) struct Allowances {
    taken: BTreeMap<OrganisationId, Taken>,
    entries_max: u64,
    bytes_max: u64,
}

impl Allowances {
    /// For entries, counted against those who wrote them.
    pub(super) const fn of_authors() -> Self {
        let (entries_max, bytes_max) = (DAY_ENTRIES_MAX, DAY_BYTES_MAX);
        Self { taken: BTreeMap::new(), entries_max, bytes_max }
    }

    /// For what anybody can make in any number: identities that are not known here, the beginnings
    /// of spaces, keyrings. Counted against those who bring them.
    pub(super) const fn of_bringers() -> Self {
        let (entries_max, bytes_max) = (DAY_STRANGERS_MAX * SPACES_PER_STRANGER, DAY_BYTES_MAX);
        Self { taken: BTreeMap::new(), entries_max, bytes_max }
    }

    fn today(&mut self, of: OrganisationId, now: Timestamp) -> &mut Taken {
        let taken = self.taken.entry(of).or_default();
        // A clock that went back counts as a new day: it must not refuse for years.
        let elapsed = now.milliseconds().checked_sub(taken.since.milliseconds());
        if elapsed.is_none_or(|elapsed| elapsed >= DAY_MS) {
            *taken = Taken { since: now, entries: 0, bytes: 0 };
        }
        taken
    }

    /// Whether an organisation may send more today.
    fn has_room(&mut self, of: OrganisationId, now: Timestamp) -> bool {
        let (entries_max, bytes_max) = (self.entries_max, self.bytes_max);
        let taken = self.today(of, now);
        taken.entries < entries_max && taken.bytes < bytes_max
    }

    /// Counts what was taken. The last of a day may go beyond its bounds by one message.
    fn count(&mut self, of: OrganisationId, entries: u64, bytes: u64, now: Timestamp) {
        let taken = self.today(of, now);
        taken.entries = taken.entries.saturating_add(entries);
        taken.bytes = taken.bytes.saturating_add(bytes);
    }
}

impl Replica {
    /// Takes a run as [`Replica::admit_run`] does, and counts what was new of it against what its
    /// author's organisation may send within a day. Only what holds is counted: whoever brings a
    /// run can write any author's name on it. Own nodes are not counted.
    ///
    /// # Errors
    /// As [`Replica::admit_run`], and [`ReplicaError::Limit`] when there was too much today.
    pub fn admit_run_of_today(
        &mut self,
        disk: &dyn Storage,
        run: Run,
        now: Timestamp,
    ) -> Result<Admitted, ReplicaError> {
        // A log that is here says whose it is, before any work is done.
        if self.summaries.contains_key(&run.space) {
            let known = self.space(disk, &run.space)?.author(&run.author);
            known.map_or(Ok(()), |of| self.check_today(of, now))?;
        }
        let start = run.start;
        let lengths = run.entries.iter().map(|entry| entry.body.hash_and_length().1);
        let lengths: Vec<u64> = lengths.collect();
        let proven = self.prove(disk, run)?;
        let of = proven.organisation;
        self.check_today(of, now)?;
        let admitted = self.take(disk, &proven)?;
        if let Admitted::Grown { from, to } = admitted
            && of != self.organisation()
        {
            let known = usize::try_from(from.saturating_sub(start)).unwrap_or(usize::MAX);
            let bytes = lengths.iter().skip(known).fold(0_u64, |all, one| all.saturating_add(*one));
            self.allowances.count(of, to.saturating_sub(from), bytes, now);
        }
        Ok(admitted)
    }

    fn check_today(&mut self, of: OrganisationId, now: Timestamp) -> Result<(), ReplicaError> {
        if of == self.organisation() || self.allowances.has_room(of, now) {
            return Ok(());
        }
        Err(ReplicaError::Limit("what one organisation sends within a day"))
    }

    /// Whether `by`, another organisation, may bring more today of what is not its own writing.
    pub(crate) fn may_bring(&mut self, by: OrganisationId, now: Timestamp) -> bool {
        by == self.organisation() || self.brought.has_room(by, now)
    }

    /// Counts what `by` brought: organisations and beginnings of spaces that were not known, of
    /// which each counts for [`SPACES_PER_STRANGER`], whole spaces, and bytes.
    pub(crate) fn count_brought(
        &mut self,
        by: OrganisationId,
        strangers: u64,
        bytes: u64,
        now: Timestamp,
    ) {
        self.brought.count(by, strangers, bytes, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    #[test]
    fn threat_29_one_organisation_fills_its_own_day_and_nobody_elses() {
        let [one, other] = [1, 2].map(|byte| OrganisationId::from_bytes([byte; 32]));
        let mut allowances = Allowances::of_authors();
        let start = 1_800_000_000_000;
        let mut taken = 0;
        while allowances.has_room(one, at(start + taken)) {
            allowances.count(one, 4_096, 4_096, at(start + taken));
            taken += 1;
            assert!(taken * 4_096 <= DAY_ENTRIES_MAX + 4_096);
        }
        assert!(taken * 4_096 >= DAY_ENTRIES_MAX, "all of its day");
        assert!(allowances.has_room(other, at(start)), "another");
        allowances.count(other, 1, DAY_BYTES_MAX, at(start));
        assert!(!allowances.has_room(other, at(start)), "bytes count, too");
        assert!(allowances.has_room(one, at(start + DAY_MS)), "tomorrow");
        assert!(!allowances.has_room(other, at(start)), "today");
        let long_ago = at(start - 10 * 365 * DAY_MS);
        assert!(allowances.has_room(other, long_ago), "a clock that went back");
    }
}
