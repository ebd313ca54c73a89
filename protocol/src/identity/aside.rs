//! What is said of an organisation on branches alone that a rotation of the root key set aside.

use super::facts::Primary;
use super::state::Identity;
use crate::ids::NodeId;
use std::collections::BTreeSet;

/// Nodes and primaries of an organisation that only branches name which were set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// Nodes that nothing in force certifies or ever certified.
    pub nodes: BTreeSet<NodeId>,
    /// Primaries that nothing in force named at that place, each with its term.
    pub primaries: BTreeSet<(u64, NodeId)>,
}

impl Identity {
    /// What only branches say that were set aside.
    #[must_use]
    pub fn aside(&self) -> Aside {
        let facts = || self.set_aside().map(|branch| branch.facts());
        let nodes = facts().flat_map(|one| one.nodes.keys()).copied();
        let primaries = facts().flat_map(|one| &one.primaries).map(|one| (one.term, one.node));
        Aside {
            nodes: nodes.filter(|node| self.is_aside(node)).collect(),
            primaries: primaries
                .filter(|(term, node)| !self.is_primary_of_term(*term, node))
                .collect(),
        }
    }

    /// Whether only a branch that was set aside ever certified `node`: what it wrote is that of a
    /// stranger.
    #[must_use]
    pub fn is_aside(&self, node: &NodeId) -> bool {
        let says = |facts: &super::facts::Facts| facts.nodes.contains_key(node);
        self.set_aside().any(|branch| says(branch.facts()))
            && !self.in_force().any(|branch| says(branch.facts()))
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

    /// Nodes that only a branch that was set aside revokes: they still speak for the organisation.
    pub fn revoked_aside(&self) -> impl Iterator<Item = &NodeId> {
        let revoked = self.set_aside().flat_map(|branch| &branch.facts().nodes);
        let revoked = revoked.filter(|(_, standing)| standing.revoked_at.is_some());
        revoked.map(|(node, _)| node).filter(|node| self.is_active(node))
    }
}
