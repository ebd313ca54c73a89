//! A space loaded from the store.

use super::stored::Head;
use super::summary::{Summaries, Summary};
use super::{Event, Replica, ReplicaError, keys};
use crate::access::{Access, AccessEntry, Member, Signatures};
use crate::codec;
use crate::crypto::{Domain, EpochKey, Secret};
use crate::ids::{NodeId, SpaceId};
use crate::log::LogPosition;
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// A loaded space.
pub struct SpaceState {
    /// The state of its access log.
    pub access: Access,
    /// The epoch keys this node holds.
    pub epoch_keys: BTreeMap<u64, EpochKey>,
    /// Where each author log stands.
    pub heads: BTreeMap<NodeId, Head>,
    /// Where an author's log was forked.
    pub forks: BTreeMap<NodeId, u64>,
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
            self.spaces.insert(*space, state);
        }
        self.spaces.value_mut(space).ok_or(ReplicaError::Unknown("space"))
    }

    fn load_space(&self, disk: &dyn Storage, space: &SpaceId) -> Result<SpaceState, ReplicaError> {
        Ok(SpaceState {
            access: self.load_access(disk, space, Signatures::Known)?,
            epoch_keys: self.load_epoch_keys(disk, space)?,
            heads: self.load_heads(disk, space)?,
            forks: self.load_forks(disk, space)?,
        })
    }

    pub(super) fn load_access(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        signatures: Signatures,
    ) -> Result<Access, ReplicaError> {
        let damaged = ReplicaError::Damaged(Table::Access.name());
        let owner = self.summaries.get(space).ok_or(ReplicaError::Unknown("space"))?.owner;
        let owner = self.identities.get(&owner).ok_or_else(|| damaged.clone())?;
        let mut access: Option<Access> = None;
        let mut sound = true;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Access, &from, &to, &mut |_, value| {
            let applied = match (minicbor::decode::<AccessEntry>(value), access.as_mut()) {
                (Ok(entry), Some(access)) => access.apply_with(&entry, owner, signatures),
                (Ok(entry), None) => {
                    let begun = Access::begin_with(&entry, owner, signatures);
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
    ) -> Result<BTreeMap<u64, EpochKey>, ReplicaError> {
        let mut epoch_keys = BTreeMap::new();
        let mut damaged = false;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Keys, &from, &to, &mut |key, value| {
            let opened = self.credentials.storage.open(&keys::place(Table::Keys, key), value);
            let bytes = opened.ok().and_then(|bytes| bytes.as_slice().try_into().ok());
            match (keys::tail(key), bytes) {
                (Some(epoch), Some(bytes)) => {
                    let key = EpochKey::from_secret(Secret::from_bytes(bytes));
                    epoch_keys.insert(u64::from_be_bytes(epoch), key);
                }
                _ => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged { Err(ReplicaError::Damaged(Table::Keys.name())) } else { Ok(epoch_keys) }
    }

    fn load_heads(
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
        let place = keys::numbered(space, epoch);
        let storage = &self.credentials.storage;
        let sealed = storage.seal(&keys::place(Table::Keys, &place), key.secret().expose())?;
        self.pending.put(Table::Keys, place, sealed);
        self.space(disk, space)?.epoch_keys.insert(epoch, key);
        Ok(())
    }

    /// Writes down who may know of the space and what sync compares, after anything in it changed.
    pub(super) fn refresh_summary(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let lacking = self.lacking_keys(disk, space)?;
        let previous = self.summaries.get(space).cloned();
        let heads = self.settled_heads(disk, space)?;
        let state = self.space(disk, space)?;
        let members: Vec<_> = state.access.current_members().collect();
        let access = state.access.position();
        let is_former = |(_, member): &(_, &Member)| member.role().is_none();
        let former = state.access.members().iter().filter(is_former).map(|(id, _)| *id).collect();
        let forks: Vec<_> = state.forks.iter().map(|(author, place)| (*author, *place)).collect();
        let parts = codec::encode(&(access, heads, lacking, forks));
        let digest = Domain::SPACE_DIGEST.hash(&[&parts]);
        let owner = state.access.owner();
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
        };
        if old.is_none_or(|old| old.members != summary.members) {
            self.events.push(Event::Space { space: *space });
        }
        self.put_summary(space, summary);
        Ok(())
    }

    /// Where each author log stands, a forked one before its fork: what replicas can agree on.
    pub(super) fn settled_heads(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<(NodeId, LogPosition)>, ReplicaError> {
        let state = self.space(disk, space)?;
        let forks = state.forks.clone();
        let heads = state.heads.clone();
        let settle = |(author, head): (NodeId, Head)| match forks.get(&author) {
            Some(fork) if *fork < head.position.length => {
                let position = self.position_at(disk, space, &author, head, *fork)?;
                Ok((author, position))
            }
            _ => Ok((author, head.position)),
        };
        heads.into_iter().map(settle).collect()
    }

    pub(super) fn put_summary(&mut self, space: &SpaceId, summary: Summary) {
        self.pending.put(Table::Spaces, space.as_bytes().to_vec(), codec::encode(&summary));
        self.summaries.insert(space, summary);
    }
}
