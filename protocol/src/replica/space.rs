//! A space loaded from the store.

use super::settling::Walked;
use super::stored::Head;
use super::summary::{Summaries, Summary};
use super::{Event, Growth, Replica, ReplicaError, keys};
use crate::access::{
    Access, AccessEntry, Branches, Chain, Confirmation, Epoch, Role, Signatures, Standing,
};
use crate::codec;
use crate::crypto::{Domain, EpochKey, KeyCommitment, Secret};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::log::{Header, LogPosition};
use crate::storage::{Storage, Table};
use minicbor::bytes::ByteArray;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The setting that says that every summary knows of partings.
const PARTINGS_NOTED: &str = "partings noted";

/// The setting that says that no summary waits for keys of a chain that was given up.
const LOSSES_NOTED: &str = "lost keys noted";

/// A loaded space.
pub struct SpaceState {
    /// Its access log.
    pub access: Branches,
    /// The epoch keys this node holds, by what the access log says of them: two branches of a log
    /// have different keys for an epoch of one number.
    pub epoch_keys: BTreeMap<KeyCommitment, EpochKey>,
    /// Where each author log stands.
    pub heads: BTreeMap<NodeId, Head>,
    /// From where on nothing of an author's log counts: where it was forked.
    pub forks: BTreeMap<NodeId, u64>,
    /// Authors of whose logs another version is here than the one that the owner's cut names, and
    /// of which no proof says where the two part: nothing of them counts, and nobody hears of them,
    /// beyond the last named place that they go through.
    pub refuted: BTreeSet<NodeId>,
    /// How the versions that are here stand to the places that the owner named.
    pub walked: BTreeMap<NodeId, Walked>,
    /// Authors whose logs are here, and that only a branch of an identity log certified which was
    /// set aside: nothing of them counts, and nobody hears of them.
    pub aside: BTreeSet<NodeId>,
    /// Whether an owner changed its root key: branches of the access log may have been forgotten
    /// that authors had seen.
    pub forgets: bool,
    /// What each node said last of the erasures that it carried out.
    pub receipts: BTreeMap<NodeId, Confirmation>,
    /// Hashes of the sealed keyrings that are here, once somebody asked.
    pub keyrings: Option<BTreeSet<[u8; 32]>>,
}

impl SpaceState {
    /// The organisation for which `node` writes here, if its log is here.
    pub fn author(&self, node: &NodeId) -> Option<OrganisationId> {
        self.heads.get(node).map(|head| head.organisation)
    }

    /// Where the logs of authors were found forked, with the proofs that are here.
    pub fn proven_forks(&self) -> Vec<(NodeId, u64)> {
        let is_shown = |author| !self.refuted.contains(author) && !self.aside.contains(author);
        let proven = self.forks.iter().filter(|(author, _)| is_shown(author));
        proven.map(|(author, place)| (*author, *place)).collect()
    }

    /// The key of the epoch, if it is here.
    pub fn key(&self, epoch: &Epoch) -> Option<&EpochKey> {
        self.epoch_keys.get(&epoch.commitment)
    }

    /// The key of the epoch with this number on the branch that holds, if it is here.
    pub fn key_at(&self, epoch: u64) -> Option<&EpochKey> {
        self.key(self.access.epoch_at(epoch)?)
    }

    /// Of the keys of a chain that are here the last, which opens the others.
    pub fn opening_key(&self, chain: &Chain) -> Option<(u64, EpochKey)> {
        let mut epochs = (chain.from..=chain.to).rev();
        epochs.find_map(|epoch| Some((epoch, self.key_at(epoch)?.clone())))
    }

    /// The key under which the entry with `header` was written, if it and the access log that the
    /// author had seen are here, and where that may have been forgotten the one that may be it.
    pub fn key_of(&self, header: &Header) -> Option<&EpochKey> {
        match self.access.contains(&header.access) {
            true => self.key(self.access.epoch_of(header)?),
            false if self.forgets => self.key_at(header.epoch),
            false => None,
        }
    }

    /// The standing of the entry with `header`, which its author wrote for `organisation`.
    pub fn standing(&self, organisation: &OrganisationId, header: &Header) -> Standing {
        match self.access.standing(organisation, header) {
            Standing::Unknown if self.forgets => self.access.standing_by_key(organisation, header),
            standing => standing,
        }
    }
}

impl Replica {
    pub(super) fn load_summaries(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut summaries = Summaries::default();
        let mut damaged = false;
        disk.scan(Table::Spaces, &[], &[u8::MAX; 33], &mut |key, value| {
            let space = key.try_into().map(SpaceId::from_bytes);
            match (space, minicbor::decode(value)) {
                (Ok(space), Ok(summary)) => {
                    summaries.insert(&space, summary);
                }
                _ => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged {
            return Err(ReplicaError::Damaged(Table::Spaces.name()));
        }
        self.summaries = summaries;
        self.dirty = Self::unprojected_spaces(disk)?;
        Ok(())
    }

    fn unprojected_spaces(disk: &dyn Storage) -> Result<BTreeSet<SpaceId>, ReplicaError> {
        let mut spaces = BTreeSet::new();
        disk.scan(Table::Heads, &[], &[u8::MAX; 65], &mut |key, value| {
            if let (Some(space), Ok(head)) = (keys::part(key, 0), minicbor::decode::<Head>(value))
                && head.projected < head.position.length
            {
                spaces.insert(SpaceId::from_bytes(space));
            }
            ControlFlow::Continue(())
        })?;
        Ok(spaces)
    }

    /// The space, loaded.
    pub(super) fn space(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<&mut SpaceState, ReplicaError> {
        if !self.spaces.contains_key(space) {
            let state = self.load_space(disk, space)?;
            self.spaces.insert(*space, 1, state);
        }
        self.spaces.value_mut(space).ok_or(ReplicaError::Unknown("space"))
    }

    fn load_space(&self, disk: &dyn Storage, space: &SpaceId) -> Result<SpaceState, ReplicaError> {
        let mut state = SpaceState {
            access: self.load_branches(disk, space, Signatures::Known)?,
            epoch_keys: self.load_epoch_keys(disk, space)?,
            heads: self.load_heads(disk, space)?,
            forks: self.load_forks(disk, space)?,
            refuted: BTreeSet::new(),
            walked: BTreeMap::new(),
            aside: BTreeSet::new(),
            forgets: false,
            receipts: self.load_receipts(disk, space)?,
            keyrings: None,
        };
        self.settle_loaded(disk, space, &mut state)?;
        state.aside = self.authors_aside(&state);
        state.forgets = self.may_have_forgotten(&state);
        Ok(state)
    }

    pub(super) fn load_access(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        signatures: Signatures,
    ) -> Result<Access, ReplicaError> {
        let damaged = ReplicaError::Damaged(Table::Access.name());
        let mut access: Option<Access> = None;
        let mut sound = true;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Access, &from, &to, &mut |_, value| {
            let applied = match (minicbor::decode::<AccessEntry>(value), access.as_mut()) {
                (Ok(entry), Some(access)) => {
                    access.apply_with(&entry, &self.identities, signatures)
                }
                (Ok(entry), None) => {
                    let begun = Access::begin_with(&entry, &self.identities, signatures);
                    begun.map(|begun| access = Some(begun))
                }
                (Err(_), _) => Err(crate::access::AccessError::Chain),
            };
            sound = applied.is_ok();
            if sound { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        access.filter(|_| sound).ok_or(damaged)
    }

    fn load_epoch_keys(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<BTreeMap<KeyCommitment, EpochKey>, ReplicaError> {
        let mut epoch_keys = BTreeMap::new();
        let mut damaged = false;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Keys, &from, &to, &mut |key, value| {
            let opened = self.credentials.storage.open(&keys::place(Table::Keys, key), value);
            let bytes = opened.ok().and_then(|bytes| bytes.as_slice().try_into().ok());
            match (keys::tail(key), bytes) {
                (Some(commitment), Some(bytes)) => {
                    let key = EpochKey::from_secret(Secret::from_bytes(bytes));
                    epoch_keys.insert(KeyCommitment::from_bytes(commitment), key);
                }
                _ => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged { Err(ReplicaError::Damaged(Table::Keys.name())) } else { Ok(epoch_keys) }
    }

    pub(super) fn load_heads(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<BTreeMap<NodeId, Head>, ReplicaError> {
        let mut heads = BTreeMap::new();
        let mut damaged = false;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Heads, &from, &to, &mut |key, value| {
            match (keys::tail(key), minicbor::decode(value)) {
                (Some(author), Ok(head)) => {
                    heads.insert(NodeId::from_bytes(author), head);
                }
                _ => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged { Err(ReplicaError::Damaged(Table::Heads.name())) } else { Ok(heads) }
    }

    pub(super) fn put_head(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        head: Head,
    ) -> Result<(), ReplicaError> {
        self.space(disk, space)?.heads.insert(*author, head);
        self.pending.put(Table::Heads, keys::author(space, author), codec::encode(&head));
        Ok(())
    }

    pub(super) fn put_epoch_key(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        epoch: u64,
        key: EpochKey,
    ) -> Result<(), ReplicaError> {
        let commitment = key.commitment(space.as_bytes(), epoch);
        let place = keys::hashed(space, commitment.as_bytes());
        let storage = &self.credentials.storage;
        let sealed = storage.seal(&keys::place(Table::Keys, &place), key.secret().expose())?;
        self.pending.put(Table::Keys, place, sealed);
        self.space(disk, space)?.epoch_keys.insert(commitment, key);
        Ok(())
    }

    /// Writes down who may know of the space and what sync compares, after anything in it changed.
    pub(super) fn refresh_summary(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        self.unwrap_missing(disk, space)?;
        self.confirm_erasures(disk, space)?;
        self.note_forgetting(disk, space)?;
        let (own, lacking) = (self.organisation(), self.lacking_keys(disk, space)?);
        let previous = self.summaries.get(space).cloned();
        let heads = self.settled_heads(disk, space)?;
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let members: Vec<_> = state.access.current_members().collect();
        let access = state.access.position();
        let current: BTreeSet<_> = members.iter().map(|(id, _)| *id).collect();
        // Whoever stands on any branch: its nodes may have written here.
        let everyone = state.access.all().flat_map(|branch| branch.members().keys());
        let owners: BTreeSet<_> = state.access.all().flat_map(Access::owners).collect();
        let holding = state.access.all().map(Access::owner);
        let former: BTreeSet<_> = everyone.copied().chain(holding).collect();
        let former: Vec<_> = former.difference(&current).copied().collect();
        let parted = parted(&state.access, &own, &members, &former);
        let forks = state.proven_forks();
        let mut ends: Vec<_> = state.access.ends().collect();
        ends.sort_unstable();
        let receipts = self.shown_receipts(state);
        let bodies = self.missing_within(space, &heads);
        let missing = lacking.len() as u64;
        let logs = (access, heads, lacking, forks);
        // What a space does not have is left out, so that it is compared as it always was.
        let parts = match (ends.is_empty(), receipts.is_empty(), bodies.is_empty()) {
            (true, true, true) => codec::encode(&logs),
            (false, true, true) => codec::encode(&(logs, ends)),
            (_, false, true) => codec::encode(&(logs, ends, receipts)),
            (_, _, false) => codec::encode(&(logs, ends, receipts, bodies)),
        };
        let digest = Domain::SPACE_DIGEST.hash(&[&parts]);
        let owner = state.access.owner();
        let owners = owners.into_iter().filter(|one| *one != owner).collect();
        let old = previous.as_ref();
        let summary = Summary {
            owner,
            digest,
            records: old.map_or(0, |old| old.records),
            conflicts: old.map_or(0, |old| old.conflicts),
            quarantined: old.map_or(0, |old| old.quarantined),
            access,
            members,
            former,
            parted,
            owners,
            lacking: missing,
            is_aside: false,
        };
        let is_aside = self.is_founder_aside(state.access.founder());
        let summary = if is_aside { summary.aside() } else { summary };
        if old.is_none_or(|old| old.members != summary.members) {
            self.events.push(Event::Space { space: *space });
        }
        self.put_summary(space, summary);
        Ok(())
    }

    /// Notes once what parted this organisation from others, in a store of before it was compared:
    /// nothing would ever renew the summary of a space that it was removed from.
    pub(super) fn renew_partings(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        if self.setting(disk, PARTINGS_NOTED)?.is_some() {
            return Ok(());
        }
        let own = self.organisation();
        let parted_ones = self.summaries.iter().filter(|(_, one)| !one.former.is_empty());
        let found: Vec<_> = parted_ones.map(|(space, one)| (*space, one.clone())).collect();
        for (space, mut summary) in found.iter().cloned() {
            // What is damaged there is found by whoever reads it.
            let Ok(state) = self.space(disk, &space) else { continue };
            summary.parted = parted(&state.access, &own, &summary.members, &summary.former);
            self.put_summary(&space, summary);
        }
        if found.is_empty() { Ok(()) } else { self.put_setting(PARTINGS_NOTED, &[]) }
    }

    /// Makes once the summaries again that wait for keys, in a store of before chains were given
    /// up: they may wait for what is lost.
    pub(super) fn renew_lacking(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        if self.setting(disk, LOSSES_NOTED)?.is_some() {
            return Ok(());
        }
        let waiting = self.summaries.iter().filter(|(_, one)| one.lacking > 0);
        let found: Vec<_> = waiting.map(|(space, _)| *space).collect();
        for space in &found {
            // What is damaged there is found by whoever reads it.
            if let Err(error @ ReplicaError::Storage(_)) = self.refresh_summary(disk, space) {
                return Err(error);
            }
        }
        if found.is_empty() { Ok(()) } else { self.put_setting(LOSSES_NOTED, &[]) }
    }

    /// Where each author log stands, a forked one before its fork: what replicas can agree on.
    pub(super) fn settled_heads(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<(NodeId, LogPosition)>, ReplicaError> {
        let state = self.space(disk, space)?;
        let forks = state.forks.clone();
        // A version that misses the first named place is one that nobody else takes.
        let is_hidden = |author: &NodeId| {
            let is_refuted = state.refuted.contains(author) && forks.get(author) == Some(&0);
            is_refuted || state.aside.contains(author)
        };
        let mut heads = state.heads.clone();
        heads.retain(|author, _| !is_hidden(author));
        let settle = |(author, head): (NodeId, Head)| match forks.get(&author) {
            // The branches may have different origins.
            Some(0) => Ok((author, LogPosition::START)),
            Some(fork) if *fork < head.position.length => {
                let position = self.position_at(disk, space, &author, head, *fork)?;
                Ok((author, position))
            }
            _ => Ok((author, head.position)),
        };
        heads.into_iter().map(settle).collect()
    }

    /// Has sessions announce the space anew, though none of its logs grew.
    pub(super) fn announce(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let from = self.space(disk, space)?.access.length();
        self.growth.push(Growth::Access { space: *space, from });
        Ok(())
    }

    pub(super) fn put_summary(&mut self, space: &SpaceId, summary: Summary) {
        self.pending.put(Table::Spaces, space.as_bytes().to_vec(), codec::encode(&summary));
        self.summaries.insert(space, summary);
    }
}

/// The organisations with which `own` shares the space no more, and what parted them.
fn parted(
    access: &Branches,
    own: &OrganisationId,
    members: &[(OrganisationId, Role)],
    former: &[OrganisationId],
) -> Vec<(OrganisationId, ByteArray<32>)> {
    let still = members.iter().map(|(member, _)| member).filter(|_| former.contains(own));
    let others = former.iter().chain(still);
    others.filter_map(|other| Some((*other, access.parting_state(own, other)?.into()))).collect()
}
