//! The owner says of a log that was cut through which places it goes.
//!
//! A cut names one place. Two things need more. A long log comes in pieces, and of what lies before
//! the one place any piece may be another version's: so at the cut the owner names a place every so
//! often. And entries beyond a cut that an accepted one builds on count: their version is named as
//! soon as the owner meets them, or whoever has the key could sign them away with a fork there.
//!
//! Deliberately absent: which entries count. Cuts alone say that (`access::acceptance`).

use crate::access::{AccessOperation, Cut};
use crate::ids::{EntryHash, NodeId, SpaceId};
use crate::limits;
use crate::log::LogPosition;
use crate::replica::space::SpaceState;
use crate::replica::{Growth, Replica, ReplicaError};
use crate::storage::Storage;
use std::collections::{BTreeMap, BTreeSet};

/// What accepted entries of a space build on, beyond cuts.
#[derive(Default)]
pub(in crate::replica) struct BuiltUpon {
    /// Of each author the place furthest along.
    pub places: BTreeMap<NodeId, LogPosition>,
    /// Entries that are not here, or only in proofs.
    pub elsewhere: BTreeSet<EntryHash>,
}

impl BuiltUpon {
    pub(in crate::replica) fn note(&mut self, author: NodeId, place: LogPosition) {
        let known = self.places.entry(author).or_insert(place);
        if known.length < place.length {
            *known = place;
        }
    }
}

impl Replica {
    /// Names places of a long log that was just cut.
    pub(in crate::replica) fn name_stretches(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        cut: &Cut,
    ) -> Result<(), ReplicaError> {
        let room = self.space(disk, space)?.access.settled().room(&cut.node);
        let count = (room.min(limits::SETTLED_PLACES_MAX) as u64).saturating_add(1);
        let step = limits::SETTLED_STEP.max(cut.length.div_ceil(count));
        let Some(head) = self.space(disk, space)?.heads.get(&cut.node).copied() else {
            return Ok(());
        };
        let mut places = Vec::new();
        let mut length = step;
        while length < cut.length {
            let last = length.saturating_sub(1);
            let head = self.hash_at(disk, space, &cut.node, head, last)?;
            places.push(LogPosition { length, head });
            length = length.saturating_add(step);
        }
        self.say_places(disk, space, cut.node, places)
    }

    fn say_places(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        node: NodeId,
        places: Vec<LogPosition>,
    ) -> Result<(), ReplicaError> {
        let from = self.space(disk, space)?.access.length();
        let room = self.space(disk, space)?.access.settled().room(&node);
        // As with erasures: the rest of the access log is for removals.
        if places.is_empty() || places.len() > room || from > limits::ERASURES_SETTLED_UNTIL {
            return Ok(());
        }
        self.say_access(disk, space, AccessOperation::Settle { node, places })?;
        self.refresh_summary(disk, space)?;
        self.growth.push(Growth::Access { space: *space, from });
        Ok(())
    }

    /// Names, where this node writes the access log, the versions of late entries that accepted
    /// ones build on.
    pub(in crate::replica) fn name_built_upon(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let Some(mut found) = self.built_upon.remove(space) else { return Ok(()) };
        if self.cloned || self.catching_up.is_some() || self.own_term().is_err() {
            return Ok(());
        }
        if !found.elsewhere.is_empty() {
            for (author, place) in self.proven_places(disk, space, &found.elsewhere)? {
                found.note(author, place);
            }
        }
        for (author, place) in found.places {
            let settled = self.space(disk, space)?.access.settled_at(&author);
            let is_news = settled.is_none_or(|settled| settled.length < place.length);
            if is_news && author != self.node() && self.is_whole(disk, space, &author)? {
                self.say_places(disk, space, author, vec![place])?;
            }
        }
        Ok(())
    }

    /// Has what was written beyond cuts read again, for what accepted entries build on to be named:
    /// whoever writes the access log now may have met it when it could sign nothing there.
    pub(in crate::replica) fn look_for_late(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let SpaceState { access, heads, .. } = self.space(disk, space)?;
        let was_removed = |organisation| {
            let member = access.members().get(organisation);
            member.is_some_and(|one| one.intervals.iter().any(|one| one.ended.is_some()))
        };
        let mut late = Vec::new();
        for (author, head) in heads.iter() {
            let is_cut = access.cut_nodes().contains_key(author);
            let from = access.settled_at(author).map_or(0, |place| place.length);
            if (is_cut || was_removed(&head.organisation)) && from < head.position.length {
                late.push((*author, from));
            }
        }
        for (author, from) in late {
            self.reconsider(disk, space, &author, from)?;
        }
        self.read_proofs_again(disk, space)
    }
}
