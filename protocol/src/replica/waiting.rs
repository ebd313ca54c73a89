//! Entries that could not be read or judged when they came, and what becomes of them when keys or
//! access entries come or go.

use super::projection::{Reading, note_places, read};
use super::space::SpaceState;
use super::{Replica, ReplicaError, erasure, keys};
use crate::access::Access;
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// What stands in `Waiting` with an entry that need not be tried again.
pub(super) const UNREADABLE: &[u8] = &[1];
/// What stands there with one that was read, and is judged anew when the access log changes: what
/// its author had seen of that is not here.
pub(super) const JUDGED_ANEW: &[u8] = &[3];

impl Replica {
    /// Whether an owner of a space changed its root key.
    pub(super) fn may_have_forgotten(&self, state: &SpaceState) -> bool {
        let mut owners = state.access.all().flat_map(Access::owners);
        owners.any(|owner| self.identities.get(&owner).is_some_and(|one| one.generation() > 0))
    }

    /// Finds out whether branches of an access log may have been forgotten, and tries again what
    /// waits where that is news.
    pub(super) fn note_forgetting(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let forgets = self.may_have_forgotten(state);
        if state.forgets == forgets {
            return Ok(());
        }
        self.space(disk, space)?.forgets = forgets;
        self.reconsider_waiting(disk, space)
    }

    /// As [`Replica::note_forgetting`], for every space of `organisation`, which changed its root
    /// key.
    pub(super) fn note_new_root(
        &mut self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
    ) -> Result<(), ReplicaError> {
        let known = self.summaries.iter();
        let concerned = known.filter(|(_, summary)| summary.concerns(organisation));
        let spaces: Vec<_> = concerned.map(|(space, _)| *space).collect();
        for space in spaces {
            // One that is loaded now knows of the change already.
            self.note_forgetting(disk, &space)?;
            self.reconsider_waiting(disk, &space)?;
        }
        Ok(())
    }

    /// Tries again the entries of a space that could not be read when they came.
    pub(super) fn reconsider_waiting(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let mut first: BTreeMap<NodeId, u64> = BTreeMap::new();
        let mut places = Vec::new();
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Waiting, &from, &to, &mut |key, mark| {
            if mark == UNREADABLE || erasure::record_of(mark).is_some() {
                return ControlFlow::Continue(());
            }
            if let (Some(author), Some(sequence)) = (keys::part(key, 32), keys::tail(key)) {
                first.entry(NodeId::from_bytes(author)).or_insert(u64::from_be_bytes(sequence));
                places.push(key.to_vec());
            }
            ControlFlow::Continue(())
        })?;
        for place in places {
            self.pending.delete(Table::Waiting, place);
        }
        for (author, sequence) in first {
            self.reconsider(disk, space, &author, sequence)?;
        }
        Ok(())
    }

    /// Takes from rows what cannot be read any more: the branch of the access log is gone that had
    /// the key. Whoever never heard of it shows none of it either.
    pub(super) fn leave_out_unread(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        for record in self.records_shown(disk, space)? {
            let Some(mut row) = self.load_row(disk, space, &record)? else { continue };
            let mut places: BTreeSet<_> = row.places().collect();
            let before = places.len();
            for place in row.places() {
                if self.waits(disk, space, place)? {
                    places.remove(&place);
                }
            }
            if places.len() < before {
                note_places(&mut row, &places);
                self.put_row(space, &record, &row)?;
                self.absorb(disk, space, &record, Vec::new())?;
            }
        }
        Ok(())
    }

    /// Whether an entry cannot be read yet.
    fn waits(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        (author, sequence): (NodeId, u64),
    ) -> Result<bool, ReplicaError> {
        let value = self.read(disk, Table::Entries, &keys::entry(space, &author, sequence))?;
        let state = self.space(disk, space)?;
        let reading = value.map(|value| read(state, space, &author, sequence, &value));
        Ok(matches!(reading, Some(Reading::Waits)))
    }
}
