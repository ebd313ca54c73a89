//! The organisations this one accepted.

use super::{Growth, Replica, ReplicaError, keys};
use crate::codec;
use crate::ids::{NodeId, OrganisationId};
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// How far a partner is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Trust {
    /// Joined by invitation; the verification phrase has not been compared yet.
    #[n(0)]
    Joined,
    /// A person compared the phrase.
    #[n(1)]
    Verified,
    /// Nothing is given to it or taken from it.
    #[n(2)]
    Blocked,
}

/// What this node knows and decided about a partner.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Partner {
    /// The name it gave when it joined.
    #[n(0)]
    pub name: String,
    /// How far it is trusted.
    #[n(1)]
    pub trust: Trust,
    /// When it joined.
    #[n(2)]
    pub joined_at: Timestamp,
    /// Where its nodes were last reached.
    #[n(3)]
    pub addresses: Vec<(NodeId, Vec<String>)>,
    /// When both were last known to have the same, or a bundle of it came; at first, when they met.
    #[n(4)]
    pub last_exchange: Option<Timestamp>,
}

impl std::fmt::Debug for Partner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Partner({:?})", self.trust)
    }
}

impl Replica {
    pub(super) fn load_partners(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut partners = BTreeMap::new();
        let mut damaged = false;
        disk.scan(Table::Partners, &[], &[u8::MAX; 33], &mut |key, value| {
            let opened = self.credentials.storage.open(&keys::place(Table::Partners, key), value);
            let partner = opened.ok().and_then(|bytes| minicbor::decode(&bytes).ok());
            match (keys::part(key, 0), partner) {
                (Some(id), Some(partner)) => {
                    partners.insert(OrganisationId::from_bytes(id), partner);
                }
                _ => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        self.partners = partners;
        if damaged { Err(ReplicaError::Damaged(Table::Partners.name())) } else { Ok(()) }
    }

    /// Accepts or updates a partner.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when its identity log is not here.
    pub fn put_partner(
        &mut self,
        organisation: OrganisationId,
        partner: Partner,
    ) -> Result<(), ReplicaError> {
        if !self.identities.contains_key(&organisation) {
            return Err(ReplicaError::Unknown("organisation"));
        }
        let decided = self.partners.get(&organisation).map(|one| one.trust) != Some(partner.trust);
        if decided {
            let number = self.decisions.get(&organisation).copied().unwrap_or(0);
            self.keep_decision(organisation, number.saturating_add(1))?;
        }
        self.keep_partner(organisation, partner)
    }

    /// As [`Self::put_partner`], without a decision of this node.
    pub(super) fn keep_partner(
        &mut self,
        organisation: OrganisationId,
        partner: Partner,
    ) -> Result<(), ReplicaError> {
        if partner.trust == Trust::Blocked {
            self.wait_not_for(&organisation)?;
        }
        let key = organisation.as_bytes().to_vec();
        let place = keys::place(Table::Partners, &key);
        let sealed = self.credentials.storage.seal(&place, &codec::encode(&partner))?;
        self.pending.put(Table::Partners, key, sealed);
        let told = |one: &Partner| (one.name.clone(), one.trust, one.addresses.clone());
        let now = told(&partner);
        let before = self.partners.insert(organisation, partner);
        if before.as_ref().map(told) != Some(now) {
            self.growth.push(Growth::Partner { organisation });
        }
        Ok(())
    }

    /// Notes that a node of a partner was in sync at `now` or sent a bundle, and where it says it
    /// is.
    ///
    /// # Errors
    /// When the partner cannot be written down.
    pub fn note_contact(
        &mut self,
        organisation: &OrganisationId,
        node: &NodeId,
        addresses: Vec<String>,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        self.note_met(organisation, node, addresses, now, true)
    }

    /// Notes that a node of a partner was reached at `now`, and where it says it is. That is no
    /// exchange yet, unless it is the first time that both met: whoever reads when both last had
    /// the same would take what still waits here for delivered.
    ///
    /// # Errors
    /// When the partner cannot be written down.
    pub fn note_reached(
        &mut self,
        organisation: &OrganisationId,
        node: &NodeId,
        addresses: Vec<String>,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        self.note_met(organisation, node, addresses, now, false)
    }

    fn note_met(
        &mut self,
        organisation: &OrganisationId,
        node: &NodeId,
        addresses: Vec<String>,
        now: Timestamp,
        have_exchanged: bool,
    ) -> Result<(), ReplicaError> {
        if *organisation == self.organisation() {
            return self.note_sibling(node, addresses, Some(now));
        }
        let Some(mut partner) = self.partners.get(organisation).cloned() else { return Ok(()) };
        let same = (*node, addresses.clone());
        if !addresses.is_empty() && !partner.addresses.contains(&same) {
            self.put_addresses(organisation, &mut partner, *node, addresses);
        }
        if have_exchanged || partner.last_exchange.is_none() {
            partner.last_exchange = Some(now);
        }
        self.put_partner(*organisation, partner)
    }

    /// Notes where a node of a partner is. Where one was that its organisation revoked is of no
    /// use any more; of a partner whose identity log is lost all are kept.
    pub(super) fn put_addresses(
        &self,
        organisation: &OrganisationId,
        partner: &mut Partner,
        node: NodeId,
        addresses: Vec<String>,
    ) {
        let is_known = self.identities.contains_key(organisation);
        partner.addresses.retain(|(known, _)| {
            *known != node && (!is_known || self.is_certified(organisation, known))
        });
        partner.addresses.push((node, addresses));
    }

    /// A partner.
    #[must_use]
    pub fn partner(&self, organisation: &OrganisationId) -> Option<&Partner> {
        self.partners.get(organisation)
    }

    /// All partners, blocked ones too.
    pub fn partners(&self) -> impl Iterator<Item = (&OrganisationId, &Partner)> {
        self.partners.iter()
    }

    /// Whether things are exchanged with `organisation`.
    #[must_use]
    pub fn is_partner(&self, organisation: &OrganisationId) -> bool {
        *organisation == self.organisation()
            || self.partners.get(organisation).is_some_and(|one| one.trust != Trust::Blocked)
    }

    /// Nodes that may open a session: those of partners and of this organisation, while certified.
    pub fn admitted_nodes(&self) -> impl Iterator<Item = (NodeId, OrganisationId)> {
        let own = self.node();
        self.identities
            .values()
            .filter(|identity| self.is_partner(&identity.organisation()))
            .flat_map(|identity| {
                identity.active_nodes().map(|(node, _)| (*node, identity.organisation()))
            })
            .filter(move |(node, _)| *node != own)
    }

    /// Nodes of partners whose identity log is not here, as when a disk lost it: where they were
    /// met last. Nothing proves that they are those of the partner any more.
    pub fn unproved_nodes(&self) -> impl Iterator<Item = NodeId> {
        self.partners
            .iter()
            .filter(|(organisation, _)| self.is_partner(organisation))
            .filter(|(organisation, _)| !self.identities.contains_key(*organisation))
            .flat_map(|(_, partner)| partner.addresses.iter().map(|(node, _)| *node))
    }
}
