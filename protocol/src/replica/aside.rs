//! What a rotation of a root key sets aside with who signed it: author logs, receipts, spaces.
//!
//! A machine that only a branch certifies which is set aside is a stranger to whoever hears of the
//! organisation later, and what it wrote is taken by nobody. Those who had heard of it before keep
//! that and show it to nobody: its logs count and are compared as if they were not here, and a
//! space that one of its primaries founded has no members, as for one that was removed. So both
//! agree, and nothing is lost that was honest: should the organisation certify the machine once
//! more, or unite the branch, it is there again.
//!
//! All of this follows from the identity logs that are known, whatever was heard first.

use super::space::SpaceState;
use super::{Replica, ReplicaError, keys};
use crate::access::{Confirmation, Founder};
use crate::codec;
use crate::identity::{IdentityEntry, IdentityOperation};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::storage::{Storage, Table};
use std::collections::BTreeSet;

/// The setting that lists machines that were removed by what counts for nothing.
const REMOVED_ASIDE: &str = "removed aside";
/// Entries of one message that are looked at for such removals.
const REMOVALS_LOOKED_AT_MAX: usize = 128;

impl Replica {
    /// Whether `node`, which `organisation` once certified, is certified on no branch that counts.
    /// What this node wrote itself stays before its own eyes.
    pub(super) fn is_aside(&self, organisation: &OrganisationId, node: &NodeId) -> bool {
        let identity = self.identities.get(organisation);
        *node != self.node() && identity.is_some_and(|one| one.is_aside(node))
    }

    /// Whether a space was founded by a primary that only a branch named which was set aside.
    pub(super) fn is_founder_aside(&self, founder: Founder) -> bool {
        let identity = self.identities.get(&founder.organisation);
        identity.is_some_and(|one| !one.is_primary_of_term(founder.term, &founder.author))
    }

    /// The authors among these whose logs were set aside.
    pub(super) fn authors_aside(&self, state: &SpaceState) -> BTreeSet<NodeId> {
        let logs = state.heads.iter();
        let aside = logs.filter(|(node, head)| self.is_aside(&head.organisation, node));
        aside.map(|(node, _)| *node).collect()
    }

    /// Whether anybody certified `node` on a branch that counts.
    pub(super) fn is_held_now(&self, node: &NodeId) -> bool {
        self.holders(node).iter().any(|holder| !self.is_aside(holder, node))
    }

    /// Drops a log that was set aside, for that which its author began for another organisation:
    /// whoever never heard of the first takes the second.
    pub(super) fn give_way(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<(), ReplicaError> {
        let state = self.space(disk, space)?;
        if !state.aside.remove(author) {
            return Ok(());
        }
        state.forks.remove(author);
        let Some(head) = state.heads.remove(author) else { return Ok(()) };
        self.forget_missing(space, author, 0)?;
        self.drop_entries(disk, space, author, head, 0)?;
        let (from, to) = keys::all(&keys::author(space, author));
        self.delete_all(disk, Table::Forks, &from, &to)
    }

    /// The receipts of a space that others would take, too.
    pub(super) fn shown_receipts(&self, state: &SpaceState) -> Vec<Confirmation> {
        let receipts = state.receipts.values();
        let is_shown = |one: &&Confirmation| {
            let mut holders = self.holders(&one.node).iter();
            let has_aside = holders.any(|holder| self.is_aside(holder, &one.node));
            !has_aside || self.has_seat(state, &one.node)
        };
        receipts.filter(is_shown).copied().collect()
    }

    /// Whether an organisation that is or was a member certified `node`, on a branch that counts.
    pub(super) fn has_seat(&self, state: &SpaceState, node: &NodeId) -> bool {
        let members = self.certified.members(&state.access, node);
        members.iter().any(|holder| !self.is_aside(holder, node))
    }

    pub(super) fn load_removed_aside(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let damaged = |_| ReplicaError::Damaged(Table::Settings.name());
        let stored = self.setting(disk, REMOVED_ASIDE)?;
        let read = stored.map(|bytes| minicbor::decode::<Vec<NodeId>>(&bytes).map_err(damaged));
        self.removed_aside = read.transpose()?.unwrap_or_default().into_iter().collect();
        Ok(())
    }

    /// Notes which machines of this organisation were removed by entries of its identity log that
    /// count for nothing: they were signed apart from a change of the root key, often at a machine
    /// that is gone with it. Who has a former root key can say so, too: it is for people to see.
    pub(super) fn note_removed_aside(
        &mut self,
        entries: &[IdentityEntry],
    ) -> Result<(), ReplicaError> {
        let Some(identity) = self.identities.get(&self.organisation()) else { return Ok(()) };
        let mut removed: BTreeSet<_> =
            self.removed_aside.iter().filter(|node| identity.is_active(node)).copied().collect();
        let unnoted = |entry: &&IdentityEntry| {
            let operation = &entry.statement.operation;
            !matches!(operation, IdentityOperation::RevokeNode { node } if removed.contains(node))
        };
        let new = entries.iter().filter(unnoted).take(REMOVALS_LOOKED_AT_MAX);
        let new: Vec<_> = new.filter_map(|entry| identity.removes_aside(entry)).collect();
        removed.extend(new);
        if removed != self.removed_aside {
            let listed: Vec<_> = removed.iter().copied().collect();
            self.put_setting(REMOVED_ASIDE, &codec::encode(&listed))?;
            self.removed_aside = removed;
        }
        Ok(())
    }

    /// Machines of this organisation that speak for it, though somebody removed them with its root
    /// key apart from a change of that key.
    #[must_use]
    pub fn removed_aside(&self) -> BTreeSet<NodeId> {
        let Some(identity) = self.identities.get(&self.organisation()) else {
            return BTreeSet::new();
        };
        let known = self.removed_aside.iter().filter(|node| identity.is_active(node));
        known.chain(identity.revoked_aside()).copied().collect()
    }

    /// Looks again at every space that `organisation` has to do with, after other machines or
    /// primaries of it were set aside than before.
    pub(super) fn review_aside(
        &mut self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
    ) -> Result<(), ReplicaError> {
        self.forget_set_aside(disk, organisation)?;
        let known = self.summaries.iter();
        let concerned = known.filter(|(_, summary)| summary.concerns(organisation));
        let spaces: Vec<_> = concerned.map(|(space, _)| *space).collect();
        for space in spaces {
            self.review_space(disk, &space)?;
        }
        Ok(())
    }

    fn review_space(&mut self, disk: &dyn Storage, space: &SpaceId) -> Result<(), ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let aside = self.authors_aside(state);
        let changed: Vec<_> = state.aside.symmetric_difference(&aside).copied().collect();
        self.space(disk, space)?.aside = aside;
        for author in changed {
            self.reconsider(disk, space, &author, 0)?;
        }
        let was_aside = self.summaries.get(space).is_some_and(|summary| summary.is_aside);
        self.refresh_summary(disk, space)?;
        if was_aside {
            // What came due meanwhile was not paid in a space that had no members.
            self.owe_readers(disk, space)?;
        }
        self.announce(disk, space)?;
        Ok(())
    }
}
