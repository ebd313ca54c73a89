//! Which version of a forked log counts: the one that the owner's cut names.
//!
//! A cut says how long a log is that counts, and through which entry it goes there. Where that
//! version is here, a fork before it is settled: what stands there counts, no proof of a fork is
//! kept or shown, and another version is refused. Where another one is here, the named version
//! takes its place, run by run (`taking`): as long as it is not complete, nothing counts from where
//! the two part. Of a version that misses a named place no more counts, and is compared and shown
//! to others, than what goes through the places before.
//!
//! Deliberately absent: what counts of the version that holds (`access::acceptance`).

mod naming;
mod taking;
mod version;

use super::space::SpaceState;
use super::{Replica, ReplicaError, keys};
use crate::ids::{NodeId, SpaceId};
use crate::storage::{Storage, Table};
use std::ops::ControlFlow;

pub(super) use naming::BuiltUpon;
use version::Version;
pub(super) use version::Walked;

impl Replica {
    /// Whether the log that is here is of no other version than a named one.
    fn is_whole(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<bool, ReplicaError> {
        let version = self.version_here(disk, space, author)?;
        Ok(version.is_whole(self.space(disk, space)?.access.settled(), author))
    }

    /// Whether a cut names a version of another node's log that is not here in whole.
    pub(super) fn is_open(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<bool, ReplicaError> {
        Ok(*author != self.node() && !self.is_whole(disk, space, author)?)
    }

    /// From where on nothing of a log counts, and whether that is without a proof.
    fn frozen_from(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        version: Version,
    ) -> Result<(Option<u64>, bool), ReplicaError> {
        if !version.is_open {
            return Ok((Some(version.settled), true));
        }
        Ok((self.proven_from(disk, space, author, version.settled)?, false))
    }

    /// Where the first fork of a log is proven, from a position on.
    fn proven_from(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        from: u64,
    ) -> Result<Option<u64>, ReplicaError> {
        let mut proven = None;
        let (_, to) = keys::all(&keys::author(space, author));
        let from = keys::entry(space, author, from);
        self.scan(disk, Table::Forks, &from, &to, &mut |key, _| {
            proven = keys::tail(key).map(u64::from_be_bytes);
            ControlFlow::Break(())
        })?;
        Ok(proven)
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
            state.note_version(author, version);
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
        let state = self.space(disk, space)?;
        state.walked.clear();
        let authors: Vec<_> = state.heads.keys().copied().collect();
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
        if version.settled > 0 {
            let [from, to] = [0, version.settled].map(|at| keys::entry(space, author, at));
            self.delete_all(disk, Table::Forks, &from, &to)?;
        }
        if self.takes_proof(disk, space, author, version)? {
            // What it brought was settled as it came.
            return Ok(());
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
