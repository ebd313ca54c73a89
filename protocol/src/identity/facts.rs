//! What an identity log says, on whichever branch: nodes, primaries, successions.

use crate::crypto::SealingPublic;
use crate::ids::{NodeId, OrganisationId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an organisation says of one of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStanding {
    /// Position of its admission.
    pub admitted_at: u64,
    /// Where space keys for it are sealed to.
    pub sealing: Arc<SealingPublic>,
    /// Position of the entry that named this sealing key.
    pub sealing_since: u64,
    /// Position of the revocation, when there is one.
    pub revoked_at: Option<u64>,
}

/// A node named primary, and the position at which it was: its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Primary {
    /// The node.
    pub node: NodeId,
    /// Position of its `SetPrimary`.
    pub term: u64,
}

/// What an identity log says beside its keys. Everything has its position, so that it can be told
/// what was said before a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Every node ever certified.
    pub nodes: BTreeMap<NodeId, NodeStanding>,
    /// Every node ever named primary, the one of now last.
    pub primaries: Vec<Primary>,
    /// Organisations said to take the place of this one.
    pub successors: BTreeMap<OrganisationId, u64>,
    /// Organisations whose place this one is said to take.
    pub predecessors: BTreeMap<OrganisationId, u64>,
}

impl Facts {
    /// What was said before position `length`, but for sealing keys.
    pub fn before(&self, length: u64) -> Self {
        let is_before = |at: &u64| *at < length;
        let mut before = self.clone();
        before.nodes.retain(|_, standing| is_before(&standing.admitted_at));
        for standing in before.nodes.values_mut() {
            standing.revoked_at = standing.revoked_at.filter(is_before);
        }
        before.primaries.retain(|primary| is_before(&primary.term));
        before.successors.retain(|_, at| is_before(at));
        before.predecessors.retain(|_, at| is_before(at));
        before
    }

    /// Adds what another branch says. A node is certified when one of them says so, and revoked
    /// when one of them does.
    pub fn unite(&mut self, other: &Self) {
        for (node, theirs) in &other.nodes {
            let known = self.nodes.entry(*node).or_insert_with(|| theirs.clone());
            known.admitted_at = known.admitted_at.min(theirs.admitted_at);
            known.revoked_at = least(known.revoked_at, theirs.revoked_at);
            if theirs.sealing_since > known.sealing_since {
                known.sealing = Arc::clone(&theirs.sealing);
                known.sealing_since = theirs.sealing_since;
            }
        }
        for primary in &other.primaries {
            if !self.primaries.contains(primary) {
                self.primaries.push(*primary);
            }
        }
        earliest(&mut self.successors, &other.successors);
        earliest(&mut self.predecessors, &other.predecessors);
    }

    /// Adds the nodes of a branch that was set aside at `place`, as revoked ones: nobody is to
    /// take them for strangers.
    pub fn note_set_aside(&mut self, other: &Self, place: u64) {
        for (node, theirs) in &other.nodes {
            let revoked = NodeStanding { revoked_at: Some(place), ..theirs.clone() };
            self.nodes.entry(*node).or_insert(revoked);
        }
    }
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    [one, other].into_iter().flatten().min()
}

fn earliest(known: &mut BTreeMap<OrganisationId, u64>, told: &BTreeMap<OrganisationId, u64>) {
    for (organisation, at) in told {
        let first = known.entry(*organisation).or_insert(*at);
        *first = *at.min(first);
    }
}
