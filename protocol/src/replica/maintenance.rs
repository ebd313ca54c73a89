//! What the owner of spaces owes when the nodes of a member change.
//!
//! A member's identity log grows, and then its revoked nodes must be cut and its new ones given
//! keys. The debt is written down in the batch that brings the identity entries, and crossed out in
//! the batch that pays it: whatever happens to the process in between, it is paid.

use super::{Replica, ReplicaError};
use crate::access::Role;
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::storage::{Storage, Table};
use rand_core::CryptoRng;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Beginning of the names under which debts stand among the settings.
const DEBT: &[u8] = b"maintenance of ";

impl Replica {
    pub(super) fn load_debts(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut debts = BTreeSet::new();
        let end = crate::storage::prefix_end(DEBT);
        disk.scan(Table::Settings, DEBT, &end, &mut |key, _| {
            let id = key.get(DEBT.len()..).and_then(|id| id.try_into().ok());
            debts.extend(id.map(OrganisationId::from_bytes));
            ControlFlow::Continue(())
        })?;
        self.debts = debts;
        Ok(())
    }

    /// Organisations whose nodes changed since [`Replica::maintain`] was last done for them.
    #[must_use]
    pub const fn maintenance_due(&self) -> &BTreeSet<OrganisationId> {
        &self.debts
    }

    pub(super) fn owe_maintenance(&mut self, organisation: &OrganisationId) {
        if self.debts.insert(*organisation) {
            self.pending.put(Table::Settings, debt(organisation), Vec::new());
        }
    }

    fn cross_out(&mut self, organisation: &OrganisationId) {
        if self.debts.remove(organisation) {
            self.pending.delete(Table::Settings, debt(organisation));
        }
    }

    /// Does what became due in this organisation's spaces since `organisation` changed its nodes:
    /// cuts the logs of revoked nodes, rotates where a new node has no key.
    ///
    /// # Errors
    /// When the store cannot be read.
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
        for space in spaces {
            self.maintain_space(disk, &space, organisation, random)?;
        }
        self.cross_out(organisation);
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
        let state = self.space(disk, space)?;
        let revoked: Vec<_> = identity
            .nodes()
            .filter(|(node, standing)| {
                standing.revoked_at.is_some()
                    && !state.access.cut_nodes().contains_key(node)
                    && (state.heads.contains_key(node)
                        || !state.access.keyrings_of(node).is_empty())
            })
            .map(|(node, _)| *node)
            .collect();
        for node in revoked {
            self.cut_node(disk, space, node, random)?;
        }
        let access = &self.space(disk, space)?.access;
        let holders: Vec<_> = access.holders().collect();
        let reads = access.role(organisation).is_some_and(Role::reads);
        let lacks = |node: &NodeId| {
            *node != own && !holders.contains(node) && !access.cut_nodes().contains_key(node)
        };
        if reads && identity.active_nodes().any(|(node, _)| lacks(node)) {
            self.rotate(disk, space, random)?;
        }
        Ok(())
    }
}

fn debt(organisation: &OrganisationId) -> Vec<u8> {
    [DEBT, organisation.as_bytes()].concat()
}
