//! Where partners' nodes are, by their own signed word, and who is told.
//!
//! # Who is told
//! A node's record goes to a partner when it is of a node of that partner or of this organisation,
//! or when **both are members of a space that the node's organisation owns**. An organisation
//! shares its directory with all its partners, so its partners find it again through any one of
//! them; and whoever is told is named in an access log that it holds itself, so nobody learns from
//! addresses who works with whom. The rule reads the same from both sides.
//!
//! What arrives is judged by its signature, whoever brings it, and taken only of nodes that a
//! partner or this organisation certifies now.

use super::{Growth, Replica, ReplicaError, keys};
use crate::codec;
use crate::crypto::Domain;
use crate::identity::{AddressRecord, Identity};
use crate::ids::{NodeId, OrganisationId};
use crate::limits;
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The records that are here, and how many of each node came today.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    records: BTreeMap<NodeId, AddressRecord>,
    taken: BTreeMap<NodeId, (Timestamp, u32)>,
}

impl Addresses {
    /// Takes from what one node may change within a day; whether there was enough.
    fn take(&mut self, node: NodeId, now: Timestamp) -> bool {
        let (since, count) = self.taken.entry(node).or_default();
        // A clock that went back counts as a new day.
        let elapsed = now.milliseconds().checked_sub(since.milliseconds());
        if elapsed.is_none_or(|elapsed| elapsed >= DAY_MS) {
            (*since, *count) = (now, 0);
        }
        let is_enough = *count < limits::ADDRESS_RECORDS_DAY_MAX;
        *count = count.saturating_add(1);
        is_enough
    }
}

impl Replica {
    pub(super) fn load_addresses(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut records = BTreeMap::new();
        let mut damaged = false;
        disk.scan(Table::Addresses, &[], &[u8::MAX; 33], &mut |key, value| {
            let opened = self.credentials.storage.open(&keys::place(Table::Addresses, key), value);
            let record = opened.ok().and_then(|bytes| minicbor::decode(&bytes).ok());
            match record {
                Some(record) => {
                    let record: AddressRecord = record;
                    records.insert(record.node, record);
                }
                None => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        self.addresses.records = records;
        if damaged { Err(ReplicaError::Damaged(Table::Addresses.name())) } else { Ok(()) }
    }

    /// Signs where this node can be reached, unless it said the same before. Nothing is signed of a
    /// node that can be reached nowhere: partners keep what they know.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn sign_addresses(
        &mut self,
        addresses: &[String],
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let fitting = AddressRecord::fitting(addresses);
        let known = self.addresses.records.get(&self.node());
        let is_said = known.is_some_and(|known| known.addresses == fitting);
        if fitting.is_empty() || is_said || self.is_revoked() || self.cloned {
            return Ok(());
        }
        let number = AddressRecord::number_after(known.map(|known| known.number), now);
        let record = AddressRecord::sign(number, &fitting, &self.credentials.node_key);
        self.keep_addresses(record)
    }

    fn keep_addresses(&mut self, record: AddressRecord) -> Result<(), ReplicaError> {
        let (node, key) = (record.node, record.node.as_bytes().to_vec());
        let place = keys::place(Table::Addresses, &key);
        let sealed = self.credentials.storage.seal(&place, &codec::encode(&record))?;
        self.pending.put(Table::Addresses, key, sealed);
        self.addresses.records.insert(node, record);
        self.growth.push(Growth::Addresses { node });
        Ok(())
    }

    /// Takes address records, whoever brings them. Those that are not newer than what is here
    /// change nothing; those after one that is refused are taken nevertheless.
    ///
    /// # Errors
    /// [`ReplicaError::Addresses`] when a signature does not hold; [`ReplicaError::NotPermitted`]
    /// when a node is none that a partner certifies; [`ReplicaError::Limit`] when a node changes
    /// its addresses too often.
    pub fn admit_addresses(
        &mut self,
        records: Vec<AddressRecord>,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        if records.len() > limits::ADDRESS_RECORDS_MAX {
            return Err(ReplicaError::Limit("address records in one message"));
        }
        let mut outcome = Ok(());
        for record in records {
            outcome = outcome.and(self.admit_address_record(record, now));
        }
        outcome
    }

    fn admit_address_record(
        &mut self,
        record: AddressRecord,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let node = record.node;
        let known = self.addresses.records.get(&node);
        if node == self.node() || known.is_some_and(|known| known.number >= record.number) {
            return Ok(());
        }
        let organisation = self.seat_of(&node).ok_or(ReplicaError::NotPermitted)?;
        record.verify().map_err(|_| ReplicaError::Addresses)?;
        if !self.addresses.take(node, now) {
            return Err(ReplicaError::Limit("how often a node says where it is"));
        }
        self.note_addresses(&organisation, &node, record.addresses.clone())?;
        self.keep_addresses(record)
    }

    /// The organisation of a node whose addresses are of use here: one that this organisation or a
    /// partner certifies now.
    fn seat_of(&self, node: &NodeId) -> Option<OrganisationId> {
        let organisation = self.organisation_of(node)?;
        let is_active = self.identities.get(&organisation).is_some_and(|one| one.is_active(node));
        (is_active && self.is_partner(&organisation)).then_some(organisation)
    }

    /// Whether `partner` may be told where the nodes of `organisation` are.
    #[must_use]
    pub fn may_tell_addresses(
        &self,
        partner: &OrganisationId,
        organisation: &OrganisationId,
    ) -> bool {
        let own = self.organisation();
        let is_near = *partner == own || organisation == partner || *organisation == own;
        is_near || self.shared_with(partner).any(|known| known.summary.owner == *organisation)
    }

    /// Owners of the spaces of which `partner` and this organisation are members now.
    fn owners_shared_with(&self, partner: &OrganisationId) -> BTreeSet<OrganisationId> {
        self.shared_with(partner).map(|known| known.summary.owner).collect()
    }

    /// Numbers of the records that `partner` may be told of, by node.
    #[must_use]
    pub fn address_numbers(&self, partner: &OrganisationId) -> Vec<(NodeId, u64)> {
        let own = self.organisation();
        let mut organisations = self.owners_shared_with(partner);
        organisations.extend([own, *partner]);
        let may = |record: &&AddressRecord| {
            let seat = self.seat_of(&record.node);
            seat.is_some_and(|seat| *partner == own || organisations.contains(&seat))
        };
        let told = self.addresses.records.values().filter(may).take(limits::ADDRESS_RECORDS_MAX);
        told.map(|record| (record.node, record.number)).collect()
    }

    /// What two nodes compare before they list numbers; nothing when there is nothing to tell.
    #[must_use]
    pub fn address_digest(&self, partner: &OrganisationId) -> Option<[u8; 32]> {
        let numbers = self.address_numbers(partner);
        let digest = || Domain::ADDRESS_DIGEST.hash(&[&codec::encode(&numbers)]);
        (!numbers.is_empty()).then(digest)
    }

    /// Those of these records that `partner` may be told of.
    #[must_use]
    pub fn address_records(
        &self,
        partner: &OrganisationId,
        nodes: &BTreeSet<NodeId>,
    ) -> Vec<AddressRecord> {
        let found = nodes.iter().filter_map(|node| self.addresses.records.get(node));
        let may = |record: &&AddressRecord| {
            let seat = self.seat_of(&record.node);
            seat.is_some_and(|seat| self.may_tell_addresses(partner, &seat))
        };
        found.filter(may).cloned().collect()
    }

    /// Keeps where a node says it is, for whoever dials.
    fn note_addresses(
        &mut self,
        organisation: &OrganisationId,
        node: &NodeId,
        addresses: Vec<String>,
    ) -> Result<(), ReplicaError> {
        if *organisation == self.organisation() {
            return self.note_sibling(node, addresses, None);
        }
        let Some(mut partner) = self.partners.get(organisation).cloned() else { return Ok(()) };
        if addresses.is_empty() {
            return Ok(());
        }
        partner.addresses.retain(|(known, _)| known != node);
        partner.addresses.push((*node, addresses));
        self.keep_partner(*organisation, partner)
    }

    /// The latest record of each active node of an organisation.
    #[must_use]
    pub fn addresses_of(&self, organisation: &OrganisationId) -> Vec<AddressRecord> {
        let nodes = self.identities.get(organisation).into_iter().flat_map(Identity::active_nodes);
        nodes.filter_map(|(node, _)| self.addresses.records.get(node)).cloned().collect()
    }
}
