//! What partners' nodes say of themselves, where they are and how far their logs go, and who is
//! told.
//!
//! # Who is told
//! A node's beacon goes to a partner when it is of a node of that partner or of this organisation,
//! or when **both are members of a space that the node's organisation owns**. An organisation
//! shares its directory with all its partners, so its partners find it again through any one of
//! them; and whoever is told is named in an access log that it holds itself, so nobody learns from
//! addresses who works with whom. The rule reads the same from both sides.
//!
//! What arrives is judged by its signature, whoever brings it, and taken only of nodes that a
//! partner or this organisation certifies now.

use super::stored::Head;
use super::{Event, Growth, Replica, ReplicaError, keys};
use crate::codec;
use crate::crypto::Domain;
use crate::identity::{Beacon, BeaconContent, Running, SpaceTag};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// A node says twice a day that it lives.
const RENEWAL_MS: u64 = DAY_MS / 2;
/// How long what a beacon tells of may be under way before it counts as held back.
const UNDER_WAY_MS: u64 = 60 * 60 * 1000;

/// The beacons that are here, and how many of each node came today.
#[derive(Clone, Debug, Default)]
pub(super) struct BeaconBook {
    records: BTreeMap<NodeId, Beacon>,
    taken: BTreeMap<NodeId, (Timestamp, u32)>,
    /// By how much a node's last word was ahead of the clock of this one when it came.
    ahead: BTreeMap<NodeId, u64>,
    running: Running,
}

/// Milliseconds from one time to a later one.
const fn between(from: Timestamp, to: Timestamp) -> u64 {
    to.milliseconds().saturating_sub(from.milliseconds())
}

impl BeaconBook {
    /// Takes from what one node may change within a day; whether there was enough.
    fn take(&mut self, node: NodeId, now: Timestamp) -> bool {
        let (since, count) = self.taken.entry(node).or_default();
        // A clock that went back counts as a new day.
        let elapsed = now.milliseconds().checked_sub(since.milliseconds());
        if elapsed.is_none_or(|elapsed| elapsed >= DAY_MS) {
            (*since, *count) = (now, 0);
        }
        let is_enough = *count < limits::BEACONS_DAY_MAX;
        *count = count.saturating_add(1);
        is_enough
    }
}

impl Replica {
    pub(super) fn load_beacons(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut records = BTreeMap::new();
        let mut damaged = false;
        disk.scan(Table::Addresses, &[], &[u8::MAX; 33], &mut |key, value| {
            let opened = self.credentials.storage.open(&keys::place(Table::Addresses, key), value);
            let record = opened.ok().and_then(|bytes| minicbor::decode(&bytes).ok());
            match record {
                Some(record) => {
                    let record: Beacon = record;
                    records.insert(record.node, record);
                }
                None => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        self.beacons.records = records;
        if damaged { Err(ReplicaError::Damaged(Table::Addresses.name())) } else { Ok(()) }
    }

    /// Gives this running of the node a name that no other running has.
    pub const fn begin_running(&mut self, running: Running) {
        self.beacons.running = running;
    }

    /// Signs a beacon when the last one is of another running, tells of other addresses, or was
    /// signed half a day ago.
    ///
    /// # Errors
    /// When it cannot be written down, or the store cannot be read.
    pub fn sign_beacon(
        &mut self,
        disk: &dyn Storage,
        addresses: &[String],
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let (fitting, running) = (Beacon::fitting(addresses), self.beacons.running);
        let known = self.beacons.records.get(&self.node());
        let is_said = known.is_some_and(|known| {
            // A clock that went back counts as a new day.
            let elapsed = now.milliseconds().checked_sub(known.at.milliseconds());
            let is_recent = elapsed.is_some_and(|elapsed| elapsed < RENEWAL_MS);
            is_recent && known.running == running && known.addresses == fitting
        });
        if is_said || self.is_revoked() || self.cloned {
            return Ok(());
        }
        let number = Beacon::number_after(known.map(|known| known.number), now);
        let lengths = self.own_lengths(disk)?;
        let content = BeaconContent { at: now, running, addresses: fitting, lengths };
        self.keep_beacon(Beacon::sign(number, content, &self.credentials.node_key))
    }

    /// How long this node's own logs are.
    fn own_lengths(&self, disk: &dyn Storage) -> Result<Vec<(SpaceTag, u64)>, ReplicaError> {
        let (node, mut lengths) = (self.node(), Vec::new());
        for space in self.summaries.keys() {
            let length = self.log_length(disk, space, &node)?;
            if length > 0 && lengths.len() < limits::BEACON_SPACES_MAX {
                lengths.push((Beacon::tag(&node, space), length));
            }
        }
        Ok(lengths)
    }

    fn log_length(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<u64, ReplicaError> {
        let stored = self.read(disk, Table::Heads, &keys::author(space, author))?;
        let damaged = |_| ReplicaError::Damaged(Table::Heads.name());
        let head = stored.map(|bytes| minicbor::decode::<Head>(&bytes).map_err(damaged));
        Ok(head.transpose()?.map_or(0, |head| head.position.length))
    }

    fn keep_beacon(&mut self, record: Beacon) -> Result<(), ReplicaError> {
        let (node, key) = (record.node, record.node.as_bytes().to_vec());
        let place = keys::place(Table::Addresses, &key);
        let sealed = self.credentials.storage.seal(&place, &codec::encode(&record))?;
        self.pending.put(Table::Addresses, key, sealed);
        self.beacons.records.insert(node, record);
        self.growth.push(Growth::Beacons { node });
        Ok(())
    }

    /// Takes beacons, whoever brings them. Those that are not newer than what is here, and those of
    /// nodes that no partner certifies, change nothing: who brings them cannot know. Those after
    /// one that is refused are taken nevertheless.
    ///
    /// # Errors
    /// [`ReplicaError::Beacons`] when a signature does not hold; [`ReplicaError::Limit`] when a
    /// node says something of itself too often.
    pub fn admit_beacons(
        &mut self,
        records: Vec<Beacon>,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        if records.len() > limits::BEACONS_MAX {
            return Err(ReplicaError::Limit("beacons in one message"));
        }
        let mut outcome = Ok(());
        for record in records {
            outcome = outcome.and(self.admit_beacon(record, now));
        }
        outcome
    }

    fn admit_beacon(&mut self, record: Beacon, now: Timestamp) -> Result<(), ReplicaError> {
        let node = record.node;
        let known = self.beacons.records.get(&node);
        if known.is_some_and(|known| known.number >= record.number) {
            return Ok(());
        }
        if node == self.node() {
            return self.meet_own(&record);
        }
        let Some(organisation) = self.seat_of(&node) else { return Ok(()) };
        record.verify().map_err(|_| ReplicaError::Beacons)?;
        if !self.beacons.take(node, now) {
            return Err(ReplicaError::Limit("how often a node speaks of itself"));
        }
        self.note_addresses(&organisation, &node, record.addresses.clone())?;
        self.beacons.ahead.insert(node, between(now, record.at));
        self.keep_beacon(record)
    }

    /// A later beacon of this node's own key, which this disk does not have, was signed by a copy
    /// of it, or before this disk was put back to an older state: this running signs no more.
    /// Nothing of its own can be unknown to it, since a beacon is durable before it is told.
    fn meet_own(&mut self, record: &Beacon) -> Result<(), ReplicaError> {
        record.verify().map_err(|_| ReplicaError::Beacons)?;
        if !self.cloned {
            self.cloned = true;
            self.events.push(Event::Cloned);
        }
        Ok(())
    }

    /// When a node of this organisation last said that it lives, as far as is known here, whoever
    /// brought its word. A clock that is ahead confirms nothing beyond now.
    #[must_use]
    pub fn confirmed(&self, organisation: &OrganisationId, now: Timestamp) -> Option<Timestamp> {
        let known = self.beacons.records.values();
        let of_it = known.filter(|one| self.certified.is_held(&one.node, organisation));
        of_it.map(|one| one.at.min(now)).max()
    }

    /// By how much the clocks of an organisation's nodes and this one's are apart, at least, as far
    /// as their signs of life tell: positive when theirs are ahead; in milliseconds. `connected`
    /// are the nodes with which sessions stand for long enough to have their newest sign of life.
    #[must_use]
    pub fn clock_apart(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
        connected: &[NodeId],
    ) -> Option<i64> {
        let of_it = self.beacons.records.values();
        let of_it = of_it.filter(|one| self.certified.is_held(&one.node, organisation));
        let (mut ahead, mut behind) = (0, 0);
        for one in of_it {
            let heard = self.beacons.ahead.get(&one.node).copied().unwrap_or_default();
            ahead = ahead.max(heard).max(between(now, one.at));
            if connected.contains(&one.node) {
                behind = behind.max(between(one.at.plus(RENEWAL_MS), now));
            }
        }
        let apart = |by: u64| i64::try_from(by).ok().filter(|_| by > limits::CLOCKS_APART_MS);
        apart(ahead).or_else(|| apart(behind).map(|by| -by))
    }

    /// In how many spaces the nodes of an organisation wrote, by their own word of an hour ago or
    /// more, what has not come here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn held_back(
        &self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<u64, ReplicaError> {
        let is_due = |one: &&Beacon| {
            self.certified.is_held(&one.node, organisation) && one.at.plus(UNDER_WAY_MS) <= now
        };
        let beacons: Vec<_> = self.beacons.records.values().filter(is_due).collect();
        let mut spaces = 0;
        for known in self.shared_with(organisation) {
            for beacon in &beacons {
                let Some(length) = beacon.length_in(&known.space) else { continue };
                if length > self.log_length(disk, &known.space, &beacon.node)? {
                    spaces += 1;
                    break;
                }
            }
        }
        Ok(spaces)
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
    pub fn may_tell_beacons(
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
    pub fn beacon_numbers(&self, partner: &OrganisationId) -> Vec<(NodeId, u64)> {
        let own = self.organisation();
        let mut organisations = self.owners_shared_with(partner);
        organisations.extend([own, *partner]);
        let may = |record: &&Beacon| {
            let seat = self.seat_of(&record.node);
            seat.is_some_and(|seat| *partner == own || organisations.contains(&seat))
        };
        let told = self.beacons.records.values().filter(may).take(limits::BEACONS_MAX);
        told.map(|record| (record.node, record.number)).collect()
    }

    /// What two nodes compare before they list numbers; nothing when there is nothing to tell.
    #[must_use]
    pub fn beacon_digest(&self, partner: &OrganisationId) -> Option<[u8; 32]> {
        let numbers = self.beacon_numbers(partner);
        let digest = || Domain::BEACON_DIGEST.hash(&[&codec::encode(&numbers)]);
        (!numbers.is_empty()).then(digest)
    }

    /// Those of these records that `partner` may be told of.
    #[must_use]
    pub fn beacons(&self, partner: &OrganisationId, nodes: &BTreeSet<NodeId>) -> Vec<Beacon> {
        let found = nodes.iter().filter_map(|node| self.beacons.records.get(node));
        let may = |record: &&Beacon| {
            let seat = self.seat_of(&record.node);
            seat.is_some_and(|seat| self.may_tell_beacons(partner, &seat))
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
        self.put_addresses(organisation, &mut partner, *node, addresses);
        self.keep_partner(*organisation, partner)
    }
}
