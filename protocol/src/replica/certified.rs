//! Whose node a node is.
//!
//! A node belongs to one organisation. But whoever holds the key of another's machine, a stolen one
//! say, can found an organisation that certifies this machine, too, and nothing in the two identity
//! logs tells who came first. Every organisation that certifies a node is one of its *holders*.
//!
//! For which of them the node writes in a space is in the origin of its log there, under its own
//! signature: the organisation is found once, when the log begins here, and stands with the log's
//! head. Whatever identity and access logs say later, what was written for one organisation never
//! becomes another's. Who has the key can begin a second log for its own organisation; the two are
//! a fork at the first place, as two versions of an entry are anywhere, and neither counts.
//!
//! Where a node has not written there is nothing to attribute, and each rule asks what it is safe
//! to believe: keys are sealed to the node as the organisation for which it speaks has certified it
//! (`handover`), a receipt is that of every holder (`receipts`), and whichever of them revokes the
//! node has it cut (`maintenance`): each has shown that it had the node's key.

use super::Replica;
use crate::access::{Access, Branches};
use crate::identity::Identity;
use crate::ids::{NodeId, OrganisationId};
use crate::limits;
use std::collections::{BTreeSet, HashMap};

/// The organisations that certified each node, in the order of their ids.
#[derive(Default)]
pub struct Certified(HashMap<NodeId, Vec<OrganisationId>>);

impl Certified {
    /// Takes note of all nodes that `identity` ever certified.
    pub fn note(&mut self, organisation: OrganisationId, identity: &Identity) {
        for (node, _) in identity.nodes() {
            let holders = self.0.entry(*node).or_default();
            if let Err(place) = holders.binary_search(&organisation) {
                holders.insert(place, organisation);
            }
        }
    }

    /// The organisations that certified `node`.
    pub fn holders(&self, node: &NodeId) -> &[OrganisationId] {
        self.0.get(node).map_or(&[], Vec::as_slice)
    }

    /// Whether `organisation` certified `node`.
    pub fn is_held(&self, node: &NodeId, organisation: &OrganisationId) -> bool {
        self.holders(node).contains(organisation)
    }

    /// The holders of `node` that are or were members of the space with this access log, those that
    /// were admitted first before others, and not more than [`limits::ORIGINS_MAX`]: anybody can
    /// make any number of holders of a node of its own.
    pub fn members(&self, access: &Branches, node: &NodeId) -> Vec<OrganisationId> {
        let holders = self.holders(node);
        if holders.is_empty() {
            return Vec::new();
        }
        let held = |one: &&OrganisationId| holders.binary_search(one).is_ok();
        let admitted = access.all().flat_map(|branch| branch.members().keys()).filter(held);
        let mut found: Vec<_> = admitted.copied().collect::<BTreeSet<_>>().into_iter().collect();
        found.sort_by_cached_key(|one| place(access, one));
        found.truncate(limits::ORIGINS_MAX);
        found
    }
}

/// Where an organisation was first admitted: on the branch that holds, else on others.
fn place(access: &Branches, organisation: &OrganisationId) -> (bool, u64) {
    let first = |branch: &Access| {
        branch.members().get(organisation)?.intervals.first().map(|interval| interval.from)
    };
    let holding: &Access = access;
    match first(holding) {
        Some(from) => (false, from),
        None => (true, access.others().iter().filter_map(first).min().unwrap_or(u64::MAX)),
    }
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
}
