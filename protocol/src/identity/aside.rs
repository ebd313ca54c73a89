//! What the branches in force say of an organisation, and what those alone that are not.

use super::branch::Branch;
use super::facts::Primary;
use super::operation::{IdentityEntry, IdentityOperation};
use super::state::Identity;
use crate::ids::{NodeId, OrganisationId};
use std::collections::BTreeSet;

/// The nodes of an organisation and its primaries with their terms, as the branches in force say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spoken {
    nodes: BTreeSet<NodeId>,
    primaries: BTreeSet<(u64, NodeId)>,
}

impl Identity {
    /// Whom the branches in force ever certified, and named primary.
    #[must_use]
    pub fn spoken(&self) -> Spoken {
        let facts = || self.in_force().map(Branch::facts);
        let primaries = facts().flat_map(|one| &one.primaries);
        Spoken {
            nodes: facts().flat_map(|one| one.nodes.keys()).copied().collect(),
            primaries: primaries.map(|one| (one.term, one.node)).collect(),
        }
    }

    /// Whether any branch was set aside.
    #[must_use]
    pub fn has_aside(&self) -> bool {
        self.set_aside().next().is_some()
    }

    /// Whether no branch in force ever certified `node`: what it wrote is that of a stranger,
    /// though a branch did that is set aside.
    #[must_use]
    pub fn is_aside(&self, node: &NodeId) -> bool {
        !self.in_force().any(|branch| branch.facts().nodes.contains_key(node))
    }

    /// Whether branches alone that were set aside certify `node`: it does not speak for the
    /// organisation, and may not have heard so.
    #[must_use]
    pub fn is_certified_aside(&self, node: &NodeId) -> bool {
        self.is_aside(node) && self.nodes_aside().any(|one| one == node)
    }

    /// Nodes that branches certified which were set aside.
    pub fn nodes_aside(&self) -> impl Iterator<Item = &NodeId> {
        self.set_aside().flat_map(|branch| branch.facts().nodes.keys())
    }

    /// Whether `node` was named primary at position `term` by branches alone that were set aside.
    #[must_use]
    pub fn is_primary_aside(&self, term: u64, node: &NodeId) -> bool {
        self.was_primary_of_term(term, node) && !self.is_primary_of_term(term, node)
    }

    /// As [`Self::is_primary_of_term`], by whatever branch, also one that was set aside since.
    #[must_use]
    pub fn was_primary_of_term(&self, term: u64, node: &NodeId) -> bool {
        let primary = Primary { node: *node, term };
        let mut branches = self.in_force().chain(self.set_aside());
        branches.any(|branch| branch.facts().primaries.contains(&primary))
    }

    /// The node that this entry revokes with the root key of now or one of the last before it,
    /// where it counts for nothing and the node still speaks for the organisation.
    #[must_use]
    pub fn removes_aside(&self, entry: &IdentityEntry) -> Option<NodeId> {
        let statement = &entry.statement;
        let IdentityOperation::RevokeNode { node } = &statement.operation else { return None };
        let is_lost = statement.organisation == self.organisation()
            && self.is_active(node)
            && !self.knows(statement);
        (is_lost && self.is_signed_lately(entry)).then_some(*node)
    }

    /// The node that a branch which was set aside names primary last, while another one is, and
    /// nobody named one since.
    #[must_use]
    pub fn primary_aside(&self) -> Option<NodeId> {
        let now = self.primary();
        let named = self.set_aside().filter_map(|branch| branch.facts().primaries.last());
        let named = named.filter(|one| {
            let is_open = now.is_none_or(|now| now.node != one.node && now.term <= one.term);
            is_open && self.is_primary_aside(one.term, &one.node) && self.is_active(&one.node)
        });
        named.max_by_key(|one| one.term).map(|one| one.node)
    }

    /// Organisations that only branches which were set aside call successors or predecessors.
    #[must_use]
    pub fn successions_aside(&self) -> BTreeSet<OrganisationId> {
        let facts = self.facts();
        let aside = || self.set_aside().map(Branch::facts);
        let successors = aside().flat_map(|one| one.successors.keys());
        let successors = successors.filter(|one| !facts.successors.contains_key(*one));
        let predecessors = aside().flat_map(|one| one.predecessors.keys());
        let predecessors = predecessors.filter(|one| !facts.predecessors.contains_key(*one));
        successors.chain(predecessors).copied().collect()
    }

    /// Nodes that only a branch that was set aside revokes: they still speak for the organisation.
    pub fn revoked_aside(&self) -> impl Iterator<Item = &NodeId> {
        let revoked = self.set_aside().flat_map(|branch| &branch.facts().nodes);
        let revoked = revoked.filter(|(_, standing)| standing.revoked_at.is_some());
        revoked.map(|(node, _)| node).filter(|node| self.is_active(node))
    }
}
