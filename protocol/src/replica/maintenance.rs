//! What the owner of spaces owes when the nodes of a member change.
//!
//! A member's identity log grows, and then its revoked nodes must be cut and its new ones given
//! keys. The debt is written down in the batch that brings the identity entries, and crossed out in
//! the batch that pays it: whatever happens to the process in between, it is paid.
//!
//! A debt is of the spaces that this organisation owns when it is paid. So one arises anew, as if
//! nothing had been paid before, where somebody else's word makes a space this organisation's: the
//! machine that founded it is lost and a member still knows it, it was taken over, or a rotation of
//! a root key sets aside who had taken it over, or who had founded it counts again.

use super::space::SpaceState;
use super::{Growth, Replica, ReplicaError};
use crate::access::Role;
use crate::identity::Identity;
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::storage::{Storage, Table};
use rand_core::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Beginning of the names under which debts stand among the settings.
const DEBT: &[u8] = b"maintenance of ";

impl Replica {
    pub(super) fn load_debts(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut debts = BTreeMap::new();
        let end = crate::storage::prefix_end(DEBT);
        disk.scan(Table::Settings, DEBT, &end, &mut |key, value| {
            let id = key.get(DEBT.len()..).and_then(|id| id.try_into().ok());
            let since = value.try_into().map_or(0, u64::from_be_bytes);
            debts.extend(id.map(|id| (OrganisationId::from_bytes(id), since)));
            ControlFlow::Continue(())
        })?;
        self.debts = debts;
        Ok(())
    }

    /// Organisations whose nodes changed since [`Replica::maintain`] was last done for them.
    #[must_use]
    pub fn maintenance_due(&self) -> BTreeSet<OrganisationId> {
        self.debts.keys().copied().collect()
    }

    /// Writes a debt down: the organisation's identity log grew from `since` on.
    pub(super) fn owe_maintenance(&mut self, organisation: &OrganisationId, since: u64) {
        if self.debts.get(organisation).is_none_or(|known| since < *known) {
            self.debts.insert(*organisation, since);
            let since = since.to_be_bytes().to_vec();
            self.pending.put(Table::Settings, debt(organisation), since);
        }
    }

    /// Owes the readers of a space everything, when it is this organisation's: what was paid before
    /// was not paid here.
    pub(super) fn owe_readers(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let own = self.organisation();
        let access = &self.space(disk, space)?.access;
        if access.owner() != own {
            return Ok(());
        }
        let members: Vec<_> = access.current_members().collect();
        for (organisation, _) in members.into_iter().filter(|(_, role)| role.reads()) {
            self.owe_maintenance(&organisation, 0);
        }
        Ok(())
    }

    /// Whether a machine that writes for a contributor was revoked by it and not cut, although
    /// nothing is owed: it had nothing of the space when what was owed was paid, and has the keys
    /// from somebody who should not give them. Then it is to be cut before anything of it is taken.
    pub(super) fn finds_revoked_writer(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        (organisation, author): (&OrganisationId, &NodeId),
    ) -> Result<bool, ReplicaError> {
        let is_paid = !self.debts.contains_key(organisation);
        if !is_paid || self.cloned || self.catching_up.is_some() || self.own_term().is_err() {
            return Ok(false);
        }
        let standing = |identity: &Identity| {
            let mut nodes = identity.nodes();
            nodes.find(|(node, _)| *node == author).and_then(|(_, one)| one.revoked_at)
        };
        let Some(revoked_at) = self.identities.get(organisation).and_then(standing) else {
            return Ok(false);
        };
        let own = self.organisation();
        let state = self.space(disk, space)?;
        let is_due = state.access.owner() == own
            && state.access.role(organisation) == Some(Role::Contributor)
            && !state.access.cut_nodes().contains_key(author)
            && may_end(state, organisation, author);
        if is_due {
            let from = state.access.length();
            self.owe_maintenance(organisation, revoked_at);
            self.growth.push(Growth::Access { space: *space, from });
        }
        Ok(is_due)
    }

    fn cross_out(&mut self, organisation: &OrganisationId) {
        if self.debts.remove(organisation).is_some() {
            self.pending.delete(Table::Settings, debt(organisation));
        }
    }

    /// Does what became due in this organisation's spaces since `organisation` changed its nodes:
    /// cuts the logs of revoked nodes, rotates where a new node has no key, or where the key is
    /// lost. A space whose key has not arrived here yet, or in which this node was cut, keeps no
    /// other from its due; the debt then stays.
    ///
    /// # Errors
    /// When the store cannot be read, [`ReplicaError::KeyMissing`] or
    /// [`ReplicaError::NotPermitted`].
    pub fn maintain(
        &mut self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        if self.own_term().is_err() || self.catching_up.is_some() {
            return Ok(());
        }
        let own = self.organisation();
        let spaces: Vec<_> = self
            .summaries
            .of(organisation)
            .filter(|known| known.summary.owner == own)
            .map(|known| known.space)
            .collect();
        let mut outcome = Ok(());
        for space in spaces {
            if *organisation == own {
                // As long as somebody else was primary, or this node caught up, it named nothing.
                self.look_for_late(disk, &space)?;
            }
            match self.maintain_space(disk, &space, organisation, random) {
                Err(error @ (ReplicaError::KeyMissing | ReplicaError::NotPermitted)) => {
                    outcome = Err(error);
                }
                other => other?,
            }
        }
        if outcome.is_ok() {
            self.cross_out(organisation);
        }
        outcome
    }

    /// Cuts, before `organisation` reads a space again that it read before, all machines that it
    /// ever revoked: what it said of them while it was no reader had nothing cut.
    pub(super) fn cut_before_return(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: &OrganisationId,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        let state = self.space(disk, space)?;
        let Some(before) = state.access.members().get(organisation) else { return Ok(()) };
        let has_read = before.intervals.iter().any(|one| one.role.reads());
        if !has_read || state.access.role(organisation).is_some_and(Role::reads) {
            return Ok(());
        }
        self.cut_revoked(disk, space, organisation, Some(0), random)
    }

    /// Cuts the machines that `organisation` revoked and that hold something of the space, or may.
    /// A node may hold keys that no entry says it was given: those it made as primary, and those
    /// that another node handed to it. So whoever was revoked from entry `since` of the identity
    /// log on is cut, heard of or not.
    fn cut_revoked(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: &OrganisationId,
        since: Option<u64>,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let Some(identity) = self.identities.get(organisation) else { return Ok(()) };
        let may_hold = |node: &NodeId, revoked_at: u64| {
            state.heads.contains_key(node)
                || !state.access.keyrings_of(node).is_empty()
                || since.is_some_and(|since| revoked_at >= since)
        };
        let revoked: Vec<_> = identity
            .nodes()
            .filter_map(|(node, standing)| Some((*node, standing.revoked_at?)))
            .filter(|(node, at)| {
                !state.access.cut_nodes().contains_key(node) && may_hold(node, *at)
            })
            .filter(|(node, _)| may_end(state, organisation, node))
            .map(|(node, _)| node)
            .collect();
        for node in revoked {
            self.cut_node(disk, space, node, random)?;
        }
        Ok(())
    }

    fn maintain_space(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: &OrganisationId,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        let Some(identity) = self.identities.get(organisation).cloned() else { return Ok(()) };
        let own = self.node();
        let since = self.debts.get(organisation).copied().unwrap_or(0);
        let reads = self.space(disk, space)?.access.role(organisation).is_some_and(Role::reads);
        self.cut_revoked(disk, space, organisation, reads.then_some(since), random)?;
        let access = &self.space(disk, space)?.access;
        let holders: Vec<_> = access.holders().collect();
        let reads = access.role(organisation).is_some_and(Role::reads);
        let lacks = |node: &NodeId| {
            *node != own && !holders.contains(node) && !access.cut_nodes().contains_key(node)
        };
        let lacking: Vec<_> =
            identity.active_nodes().map(|(node, _)| *node).filter(|node| lacks(node)).collect();
        let is_due = reads && !lacking.is_empty();
        // One that a rotation has no room for gets the key from its siblings.
        let is_due = is_due && self.would_be_told(disk, space, &lacking)?;
        if is_due || self.has_lost_key(disk, space)? {
            self.rotate(disk, space, random)?;
        }
        Ok(())
    }
}

/// Whether the word of `organisation`, which revoked `node`, has it cut. A thief's word ends
/// nothing for the organisation that it robbed: of a log only that one is heard for which it was
/// written. Of a node that wrote nothing, or of which nothing counts from a fork on, any of its
/// holders is: somebody has its key who should not, and goes on with it in the name of whoever is
/// not heard.
fn may_end(state: &SpaceState, organisation: &OrganisationId, node: &NodeId) -> bool {
    state.forks.contains_key(node)
        || state.author(node).is_none_or(|author| author == *organisation)
}

/// Whether a setting is a debt; their values are not sealed.
pub(super) fn is_debt(key: &[u8]) -> bool {
    key.starts_with(DEBT)
}

fn debt(organisation: &OrganisationId) -> Vec<u8> {
    [DEBT, organisation.as_bytes()].concat()
}
