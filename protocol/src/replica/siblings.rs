//! The other nodes of this organisation: where they are, and what they tell each other beside
//! spaces: the partners, what was decided about them, and which space is the directory.
//!
//! All of it comes from nodes that the own organisation certified, and is the same kind of
//! knowledge that this node would have if it had met the partner itself. Addresses are united, so
//! that nobody forgets one that works; a decision about a partner carries a number, and the higher
//! one holds, of equal ones the stricter.

use super::{Growth, Partner, Replica, ReplicaError, Trust, keys};
use crate::codec;
use crate::identity::Identity;
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Beginning of the names under which the numbers of decisions stand among the settings.
const DECISION: &[u8] = b"decision on ";
/// The setting that holds what is known of the other nodes of this organisation.
const SIBLINGS: &str = "siblings";
/// The setting that names the space of the organisation's directory.
const DIRECTORY: &str = "directory";

/// What is known of another node of this organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Sibling {
    /// Where it can be reached.
    #[n(0)]
    pub addresses: Vec<String>,
    /// When a session with it last stood.
    #[n(1)]
    pub last_seen: Option<Timestamp>,
}

/// A partner as one node of an organisation describes it to another. Of the own organisation there
/// is one too, with the addresses of its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PartnerRecord {
    /// The partner.
    #[n(0)]
    pub organisation: OrganisationId,
    /// The name it gave when it joined.
    #[n(1)]
    pub name: String,
    /// How far it is trusted.
    #[n(2)]
    pub trust: Trust,
    /// How often somebody decided how far.
    #[n(3)]
    pub decision: u64,
    /// When it joined.
    #[n(4)]
    pub joined_at: Timestamp,
    /// Where its nodes can be reached.
    #[n(5)]
    pub addresses: Vec<(NodeId, Vec<String>)>,
}

impl PartnerRecord {
    fn is_sound(&self) -> bool {
        let is_address = |one: &String| one.len() <= limits::ADDRESS_BYTES_MAX;
        self.name.len() <= limits::NAME_BYTES_MAX
            && crate::text::is_line(&self.name)
            && self.addresses.len() <= limits::IDENTITY_NODES_MAX
            && self.addresses.iter().all(|(_, addresses)| {
                addresses.len() <= limits::ADDRESSES_MAX && addresses.iter().all(is_address)
            })
    }
}

impl Replica {
    pub(super) fn load_siblings(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let known: Option<Vec<(NodeId, Sibling)>> = match self.setting(disk, SIBLINGS)? {
            Some(bytes) => {
                let damaged = |_| ReplicaError::Damaged(Table::Settings.name());
                Some(minicbor::decode(&bytes).map_err(damaged)?)
            }
            None => None,
        };
        self.siblings = known.unwrap_or_default().into_iter().collect();
        let mut decisions = BTreeMap::new();
        let end = crate::storage::prefix_end(DECISION);
        let storage = &self.credentials.storage;
        disk.scan(Table::Settings, DECISION, &end, &mut |key, value| {
            let id = key.get(DECISION.len()..).and_then(|id| id.try_into().ok());
            let opened = storage.open(&keys::place(Table::Settings, key), value).ok();
            let number = opened.and_then(|bytes| bytes.as_slice().try_into().ok());
            if let (Some(id), Some(number)) = (id, number) {
                decisions.insert(OrganisationId::from_bytes(id), u64::from_be_bytes(number));
            }
            ControlFlow::Continue(())
        })?;
        self.decisions = decisions;
        Ok(())
    }

    /// What is known of the other nodes of this organisation.
    #[must_use]
    pub const fn siblings(&self) -> &BTreeMap<NodeId, Sibling> {
        &self.siblings
    }

    /// Notes where another node of this organisation is, and when it was reached.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn note_sibling(
        &mut self,
        node: &NodeId,
        addresses: Vec<String>,
        seen: Option<Timestamp>,
    ) -> Result<(), ReplicaError> {
        let sibling = self.siblings.entry(*node).or_default();
        let moved = !addresses.is_empty() && sibling.addresses != addresses;
        if moved {
            sibling.addresses = addresses;
        }
        sibling.last_seen = sibling.last_seen.max(seen);
        self.keep_siblings()?;
        if moved {
            self.growth.push(Growth::Partner { organisation: self.organisation() });
        }
        Ok(())
    }

    fn keep_siblings(&mut self) -> Result<(), ReplicaError> {
        let known: Vec<_> = self.siblings.iter().collect();
        let bytes = codec::encode(&known);
        self.put_setting(SIBLINGS, &bytes)
    }

    /// The space of the organisation's directory; nothing where a primary founded it whom a
    /// rotation of the root key set aside: it has no members, and another is to be founded.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn directory(&self, disk: &dyn Storage) -> Result<Option<SpaceId>, ReplicaError> {
        let stored = self.setting(disk, DIRECTORY)?;
        let named = stored.and_then(|bytes| bytes.try_into().ok()).map(SpaceId::from_bytes);
        let is_aside = |space: &SpaceId| self.summaries.get(space).is_some_and(|one| one.is_aside);
        Ok(named.filter(|space| !is_aside(space)))
    }

    /// Names the space of the organisation's directory.
    ///
    /// # Errors
    /// As [`Replica::put_setting`].
    pub fn name_directory(&mut self, space: &SpaceId) -> Result<(), ReplicaError> {
        self.put_setting(DIRECTORY, space.as_bytes())
    }

    /// Takes the directory that another node of this organisation names, unless one is known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn admit_directory(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        if self.directory(disk)?.is_none() {
            self.name_directory(space)?;
        }
        Ok(())
    }

    /// Up to `count` partners after `after`, as told to another node of this organisation; the own
    /// organisation among them.
    #[must_use]
    pub fn partner_records(
        &self,
        after: Option<&OrganisationId>,
        count: usize,
    ) -> Vec<PartnerRecord> {
        let own = self.organisation();
        let mut known: Vec<_> = self.partners.keys().chain([&own]).copied().collect();
        known.sort_unstable();
        let later = known.iter().filter(|one| after.is_none_or(|after| *one > after));
        later.filter_map(|one| self.partner_record(one)).take(count).collect()
    }

    /// One of them.
    #[must_use]
    pub fn partner_record(&self, organisation: &OrganisationId) -> Option<PartnerRecord> {
        if *organisation == self.organisation() {
            let certified =
                self.siblings.iter().filter(|(node, _)| self.is_certified(organisation, node));
            let addresses = certified.map(|(node, one)| (*node, one.addresses.clone())).collect();
            return Some(PartnerRecord {
                organisation: *organisation,
                name: String::new(),
                trust: Trust::Verified,
                decision: 0,
                joined_at: Timestamp::default(),
                addresses,
            });
        }
        let Partner { name, trust, joined_at, mut addresses, .. } =
            self.partners.get(organisation)?.clone();
        // Over the years a partner may have had more nodes than a record holds.
        addresses.retain(|(node, _)| self.is_certified(organisation, node));
        let decision = self.decisions.get(organisation).copied().unwrap_or(0);
        let organisation = *organisation;
        Some(PartnerRecord { organisation, name, trust, decision, joined_at, addresses })
    }

    /// Takes what another node of this organisation knows of a partner.
    ///
    /// # Errors
    /// [`ReplicaError::Limit`] when it is too long, or there are too many partners.
    pub fn admit_partner_record(&mut self, record: PartnerRecord) -> Result<(), ReplicaError> {
        if !record.is_sound() {
            return Err(ReplicaError::Limit("what another node says of a partner"));
        }
        if record.organisation == self.organisation() {
            return self.admit_siblings(record.addresses);
        }
        let known = self.partners.get(&record.organisation).cloned();
        if known.is_none() && self.partners.len() >= limits::PARTNERS_MAX {
            return Err(ReplicaError::Limit("partners"));
        }
        let organisation = record.organisation;
        let decision = self.decisions.get(&organisation).copied().unwrap_or(0);
        if record.decision.saturating_sub(decision) > limits::DECISIONS_AHEAD_MAX {
            return Err(ReplicaError::Limit("decisions about a partner"));
        }
        let number = decision.max(record.decision);
        let partner = united(known.clone(), decision, record);
        if known.as_ref() != Some(&partner) {
            self.keep_partner(organisation, partner)?;
        }
        self.keep_decision(organisation, number)
    }

    fn admit_siblings(&mut self, told: Vec<(NodeId, Vec<String>)>) -> Result<(), ReplicaError> {
        let own = self.node();
        let known = |node: &NodeId| self.is_certified(&self.organisation(), node);
        let told: Vec<_> = told.into_iter().filter(|(one, _)| *one != own && known(one)).collect();
        let mut grown = false;
        for (node, addresses) in told {
            let sibling = self.siblings.entry(node).or_default();
            grown |= add(&mut sibling.addresses, addresses);
        }
        if grown {
            self.keep_siblings()?;
            self.growth.push(Growth::Partner { organisation: self.organisation() });
        }
        Ok(())
    }

    pub(super) fn keep_decision(
        &mut self,
        organisation: OrganisationId,
        number: u64,
    ) -> Result<(), ReplicaError> {
        if self.decisions.insert(organisation, number) != Some(number) {
            let key = [DECISION, organisation.as_bytes()].concat();
            let place = keys::place(Table::Settings, &key);
            let sealed = self.credentials.storage.seal(&place, &number.to_be_bytes())?;
            self.pending.put(Table::Settings, key, sealed);
        }
        Ok(())
    }

    /// Whether this organisation revoked this node: it then signs nothing and syncs with nobody.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        let identity = self.identities.get(&self.organisation());
        let node = self.node();
        identity.is_some_and(|one| one.has_certified(&node) && !one.is_active(&node))
    }

    /// Whether the sealing key that is certified for this node is none that this process has: it
    /// was replaced while the node ran.
    #[must_use]
    pub fn is_sealing_replaced(&self) -> bool {
        let identity = self.identities.get(&self.organisation());
        let (node, held) = (self.node(), &self.credentials.sealing);
        let mut active = identity.into_iter().flat_map(Identity::active_nodes);
        active.any(|(one, certified)| *one == node && !held.is_of(certified))
    }

    /// Whether another sealing key is certified for this node than the one that it has, though it
    /// opens what is sealed to that: the replacement was not signed, or does not count.
    #[must_use]
    pub fn is_sealing_uncertified(&self) -> bool {
        let identity = self.identities.get(&self.organisation());
        let (node, held) = (self.node(), &self.credentials.sealing);
        let mut active = identity.into_iter().flat_map(Identity::active_nodes);
        active.any(|(one, certified)| {
            *one == node && held.public() != certified && held.is_of(certified)
        })
    }

    /// Whether only a branch certifies this node that a change of the root key set aside: it is a
    /// stranger to the others, until the organisation admits it again.
    #[must_use]
    pub fn is_set_aside(&self) -> bool {
        let identity = self.identities.get(&self.organisation());
        identity.is_some_and(|one| one.is_certified_aside(&self.node()))
    }

    /// That this node speaks for its organisation: else what it says reaches nobody.
    ///
    /// # Errors
    /// [`ReplicaError::SetAside`] or [`ReplicaError::Revoked`], as it is.
    pub fn check_speaks(&self) -> Result<(), ReplicaError> {
        match (self.is_set_aside(), self.is_revoked()) {
            (true, _) => Err(ReplicaError::SetAside),
            (false, true) => Err(ReplicaError::Revoked),
            (false, false) => Ok(()),
        }
    }

    /// The node that writes the access logs of this organisation's spaces.
    #[must_use]
    pub fn primary(&self) -> Option<NodeId> {
        let identity = self.identities.get(&self.organisation())?;
        identity.primary().map(|primary| primary.node)
    }

    /// Nodes of partners and of this organisation that were revoked, or that only a branch
    /// certified which was set aside: they may connect to be told so, and nothing else.
    pub fn revoked_nodes(&self) -> impl Iterator<Item = NodeId> {
        self.identities
            .values()
            .filter(|identity| self.is_partner(&identity.organisation()))
            .flat_map(|identity| {
                let revoked = identity.nodes().filter(|(_, one)| one.revoked_at.is_some());
                let aside = identity.nodes_aside().filter(|node| identity.is_aside(node));
                revoked.map(|(node, _)| *node).chain(aside.copied())
            })
    }
}

/// What is known of a partner, here with the number of its decision, and what another node told.
fn united(known: Option<Partner>, decision: u64, record: PartnerRecord) -> Partner {
    let mut partner = known.unwrap_or_else(|| Partner {
        name: record.name.clone(),
        trust: record.trust,
        joined_at: record.joined_at,
        addresses: Vec::new(),
        last_exchange: None,
    });
    if partner.name.is_empty() {
        partner.name = record.name;
    }
    for (node, addresses) in record.addresses {
        unite(&mut partner.addresses, node, addresses);
    }
    if (record.decision, strictness(record.trust)) > (decision, strictness(partner.trust)) {
        partner.trust = record.trust;
    }
    partner
}

/// Of two decisions with one number the stricter holds; a comparison by a person is not undone by
/// a joining.
const fn strictness(trust: Trust) -> u8 {
    match trust {
        Trust::Joined => 0,
        Trust::Verified => 1,
        Trust::Blocked => 2,
    }
}

fn unite(known: &mut Vec<(NodeId, Vec<String>)>, node: NodeId, told: Vec<String>) {
    if let Some((_, addresses)) = known.iter_mut().find(|(one, _)| *one == node) {
        add(addresses, told);
    } else if known.len() < limits::IDENTITY_NODES_MAX {
        known.push((node, told));
    }
}

/// Adds the addresses that are new, as far as there is room. Returns whether any was.
fn add(known: &mut Vec<String>, told: Vec<String>) -> bool {
    let before = known.len();
    for address in told {
        if known.len() < limits::ADDRESSES_MAX && !known.contains(&address) {
            known.push(address);
        }
    }
    known.len() > before
}
