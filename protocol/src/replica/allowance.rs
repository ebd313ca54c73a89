//! How much of one organisation's entries is taken within a day.
//!
//! What a member may write is bounded by its logs; that it writes all of it at once, to fill the
//! disks of the others, is bounded here. It decides nothing about validity: what is refused today
//! is taken tomorrow, and every node counts for itself. Counts are in memory, since whoever floods
//! cannot restart another's node.

use super::{Replica, ReplicaError};
use crate::ids::OrganisationId;
use crate::limits::{DAY_BYTES_MAX, DAY_ENTRIES_MAX};
use crate::log::Run;
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
#[derive(Clone, Debug, Default)]
pub(super) struct Allowances {
    taken: BTreeMap<OrganisationId, Taken>,
}

impl Allowances {
    /// Takes from an organisation's allowance; whether there was enough.
    fn take(&mut self, of: OrganisationId, entries: u64, bytes: u64, now: Timestamp) -> bool {
        let taken = self.taken.entry(of).or_default();
        // A clock that went back counts as a new day: it must not refuse for years.
        let elapsed = now.milliseconds().checked_sub(taken.since.milliseconds());
        if elapsed.is_none_or(|elapsed| elapsed >= DAY_MS) {
            *taken = Taken { since: now, entries: 0, bytes: 0 };
        }
        let (all, size) =
            (taken.entries.saturating_add(entries), taken.bytes.saturating_add(bytes));
        if all > DAY_ENTRIES_MAX || size > DAY_BYTES_MAX {
            return false;
        }
        (taken.entries, taken.bytes) = (all, size);
        true
    }
}

impl Replica {
    /// Counts a run against what its author's organisation may send within a day. This
    /// organisation's own nodes are not counted.
    ///
    /// # Errors
    /// [`ReplicaError::Limit`] when it is too much for today.
    pub fn allow(&mut self, run: &Run, now: Timestamp) -> Result<(), ReplicaError> {
        let Some(of) = self.organisation_of(&run.author) else { return Ok(()) };
        if of == self.organisation() {
            return Ok(());
        }
        let entries = run.entries.len() as u64;
        let bytes = run.entries.iter().map(|entry| entry.body.hash_and_length().1);
        let bytes = bytes.fold(0, u64::saturating_add);
        if self.allowances.take(of, entries, bytes, now) {
            Ok(())
        } else {
            Err(ReplicaError::Limit("what one organisation sends within a day"))
        }
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
        let mut allowances = Allowances::default();
        let start = 1_800_000_000_000;
        let mut taken = 0;
        while allowances.take(one, 4_096, 4_096, at(start + taken)) {
            taken += 1;
            assert!(taken * 4_096 <= DAY_ENTRIES_MAX);
        }
        assert!(taken * 4_096 > DAY_ENTRIES_MAX - 4_096, "all of its day");
        assert!(allowances.take(other, 4_096, 4_096, at(start)), "another");
        assert!(!allowances.take(other, 1, DAY_BYTES_MAX, at(start)), "bytes count, too");
        assert!(allowances.take(one, 4_096, 4_096, at(start + DAY_MS)), "tomorrow");
        let long_ago = at(start - 10 * 365 * DAY_MS);
        assert!(allowances.take(one, DAY_ENTRIES_MAX, 0, long_ago), "a clock that went back");
    }
}
