//! Whose node a node is.
//!
//! A node belongs to one organisation. But whoever holds the key of another's machine, a stolen one
//! say, can found an organisation that certifies this machine too, and nothing in the two identity
//! logs tells who came first. So inside of a space the access log decides, which all its members
//! have alike: the node is that of the organisation which was admitted first. Outside of spaces
//! nothing is attributed; there every organisation that certifies the node is one of its *holders*.

use super::{Replica, ReplicaError};
use crate::access::{Access, Branches};
use crate::identity::Identity;
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::storage::Storage;
use std::collections::{BTreeSet, HashMap};

/// The organisations that certified each node, in the order of their ids.
#[derive(Default)]
pub struct Certified(HashMap<NodeId, Vec<OrganisationId>>);

impl Certified {
    /// Takes note of all nodes that `identity` ever certified. Returns those that others hold too
    /// and this one did not until now.
    pub fn note(&mut self, organisation: OrganisationId, identity: &Identity) -> Vec<NodeId> {
        let mut shared = Vec::new();
        for (node, _) in identity.nodes() {
            let holders = self.0.entry(*node).or_default();
            if let Err(place) = holders.binary_search(&organisation) {
                holders.insert(place, organisation);
                if holders.len() > 1 {
                    shared.push(*node);
                }
            }
        }
        shared
    }

    /// The organisations that certified `node`.
    pub fn holders(&self, node: &NodeId) -> &[OrganisationId] {
        self.0.get(node).map_or(&[], Vec::as_slice)
    }

    /// Whether `organisation` certified `node`.
    pub fn is_held(&self, node: &NodeId, organisation: &OrganisationId) -> bool {
        self.holders(node).contains(organisation)
    }

    /// The organisation for which `node` writes in the space with this access log: of its holders
    /// the one that was admitted first. Of a node with one holder it is that one, admitted or not.
    pub fn author(&self, access: &Branches, node: &NodeId) -> Option<OrganisationId> {
        match self.holders(node) {
            [] => None,
            [only] => Some(*only),
            holders => {
                // Anybody can make any number of holders of a node of its own.
                let admitted: BTreeSet<_> =
                    access.all().flat_map(|branch| branch.members().keys()).copied().collect();
                let held = |one: &OrganisationId| holders.binary_search(one).is_ok();
                let first = admitted.into_iter().filter(held).min_by_key(|one| place(access, one));
                first.or_else(|| holders.first().copied())
            }
        }
    }
}

/// Where an organisation was first admitted: on the branch that holds, else on others; of two at
/// one place of different branches the lower id comes first.
fn place(access: &Branches, organisation: &OrganisationId) -> (bool, u64, OrganisationId) {
    let first = |branch: &Access| {
        branch.members().get(organisation)?.intervals.first().map(|interval| interval.from)
    };
    let holding: &Access = access;
    let (is_beside, from) = match first(holding) {
        Some(from) => (false, from),
        None => (true, access.others().iter().filter_map(first).min().unwrap_or(u64::MAX)),
    };
    (is_beside, from, *organisation)
}

impl Replica {
    /// The organisations that certified `node`: one, unless somebody took another's machine for its
    /// own.
    #[must_use]
    pub fn holders(&self, node: &NodeId) -> &[OrganisationId] {
        self.certified.holders(node)
    }

    /// The organisation to which a connection with `node` is put down: this one, or else a partner
    /// that certifies it now, or else one that did, or else any.
    #[must_use]
    pub fn organisation_of(&self, node: &NodeId) -> Option<OrganisationId> {
        let own = self.organisation();
        let rank = |one: &&OrganisationId| {
            let is_partner = self.is_partner(one);
            (**one != own, !is_partner, !self.is_certified(one, node), **one)
        };
        self.holders(node).iter().min_by_key(rank).copied()
    }

    /// The organisation for which `node` writes in a space.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn author_in(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        node: &NodeId,
    ) -> Result<Option<OrganisationId>, ReplicaError> {
        if self.holders(node).len() <= 1 {
            return Ok(self.holders(node).first().copied());
        }
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        Ok(self.certified.author(&state.access, node))
    }

    /// Has judged again what nodes wrote that another organisation holds, too, as is known now.
    pub(super) fn reconsider_shared(
        &mut self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
        nodes: &[NodeId],
    ) -> Result<(), ReplicaError> {
        if nodes.is_empty() {
            return Ok(());
        }
        let concerned = self
            .summaries
            .iter()
            .filter(|(_, summary)| summary.everyone().any(|one| one == organisation));
        let spaces: Vec<_> = concerned.map(|(space, _)| *space).collect();
        for space in spaces {
            for node in nodes {
                // Only where it is the new holder's now does anything change.
                if self.author_in(disk, &space, node)? == Some(*organisation) {
                    self.reconsider(disk, &space, node, 0)?;
                }
            }
        }
        Ok(())
    }
}
