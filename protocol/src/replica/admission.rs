//! What partners send, verified and kept.
//!
//! A space is taken only when its owner is a partner and its access log, once complete, grants this
//! organisation a role. Everything else is an error that names the reason, and leaves nothing
//! behind. What authors write is taken in `runs`.

use super::space::SpaceState;
use super::stored::Head;
use super::{Event, Growth, Replica, ReplicaError, Summary, keys};
use crate::access::{
    Access, AccessEntry, AccessError, AccessOperation, Branches, ErasedEntries, Keyring,
    KeyringError, Role, Signatures, sealed_hash,
};
use crate::crypto::EpochKey;
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::log::LogPosition;
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};

impl Replica {
    /// Takes entries of an access log. Those already here are skipped; those before one that does
    /// not hold are kept.
    ///
    /// # Errors
    /// [`AccessError`]; [`ReplicaError::NotPermitted`] when the space is none of this node's
    /// business; [`AccessError::IdentityBehind`] when the owner's identity log must come first.
    pub fn admit_access(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        entries: &[AccessEntry],
        is_complete: bool,
    ) -> Result<bool, ReplicaError> {
        if !self.summaries.contains_key(space) {
            return self.admit_new_space(disk, space, entries, is_complete);
        }
        let before = self.space(disk, space)?.access.clone();
        let mut outcome = Ok(());
        for (index, entry) in entries.iter().enumerate() {
            let statement = &entry.statement;
            let access = &self.space(disk, space)?.access;
            if statement.space == *space && access.knows(statement.sequence, &statement.hash()) {
                continue;
            }
            let LogPosition { length, head } = access.position();
            if (statement.sequence, statement.previous) != (length, head) {
                let beside = entries.get(index..).unwrap_or_default();
                outcome = self.admit_branch(disk, space, beside);
                break;
            }
            outcome = self.apply_access(disk, space, entry, Signatures::Check);
            if outcome.is_err() {
                break;
            }
        }
        self.notice_own(space, &before, entries);
        let access = &self.space(disk, space)?.access;
        let from = before.common(access).min(before.length());
        let grown = *access != before;
        if grown {
            // Even if a later entry does not hold: what was kept must be in the digest.
            self.open_kept_keyrings(disk, space)?;
            self.refresh_summary(disk, space)?;
            self.owe_readers(disk, space)?;
            self.growth.push(Growth::Access { space: *space, from });
        }
        outcome.map(|()| grown)
    }

    /// Stops signing when one of these entries, which were not here, is this node's own. Its
    /// signature says so, and nothing else does: anybody can write another's name.
    fn notice_own(&mut self, space: &SpaceId, before: &Branches, entries: &[AccessEntry]) {
        let own = self.node();
        let is_news = entries.iter().any(|entry| {
            let statement = &entry.statement;
            (statement.space, statement.author) == (*space, own)
                && !before.knows(statement.sequence, &statement.hash())
                && entry.is_signed()
        });
        if is_news {
            self.cloned = true;
            self.events.push(Event::Cloned);
        }
    }

    fn admit_new_space(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        entries: &[AccessEntry],
        is_complete: bool,
    ) -> Result<bool, ReplicaError> {
        let first = entries.first().ok_or(ReplicaError::Access(AccessError::Chain))?;
        if first.statement.space != *space {
            return Err(ReplicaError::NotPermitted);
        }
        let mut access = Access::begin(first, &self.identities)?;
        for entry in entries.iter().skip(1) {
            access.apply(entry, &self.identities)?;
        }
        self.check_owners(&access)?;
        // Whoever was removed before it heard of its admission keeps the word of both: what it does
        // not know it would be told again for ever.
        if is_complete && !access.members().contains_key(&self.organisation()) {
            return Err(ReplicaError::NotPermitted);
        }
        self.insert_space(space, access);
        for entry in entries {
            self.put_access_entry(entry);
        }
        self.refresh_summary(disk, space)?;
        self.owe_readers(disk, space)?;
        self.growth.push(Growth::Access { space: *space, from: 0 });
        Ok(true)
    }

    /// One that owns or owned a new space must be a partner, and have room for one more. Who
    /// founded it may have handed it over since, and who removed this organisation, too. To an
    /// owner of before it counts as well: there is no end of those to whom it could hand it over.
    fn check_owners(&self, access: &Access) -> Result<(), ReplicaError> {
        let partners: Vec<_> = access.owners().filter(|owner| self.is_partner(owner)).collect();
        if partners.is_empty() {
            return Err(ReplicaError::NotPermitted);
        }
        let has_room = |owner: &OrganisationId| {
            let is_own = *owner == self.organisation();
            is_own || self.summaries.owned(owner) < limits::SPACES_OF_OWNER_MAX
        };
        let is_taken = partners.iter().any(has_room);
        if is_taken { Ok(()) } else { Err(ReplicaError::Limit("spaces of one owner")) }
    }

    pub(super) fn insert_space(&mut self, space: &SpaceId, access: Access) {
        let summary = Summary {
            owner: access.owner(),
            members: Vec::new(),
            digest: [0; 32],
            records: 0,
            conflicts: 0,
            quarantined: 0,
            access: LogPosition::START,
            former: Vec::new(),
            parted: Vec::new(),
            owners: Vec::new(),
            lacking: 0,
            is_aside: false,
        };
        self.summaries.insert(space, summary);
        let state = SpaceState {
            access: access.into(),
            epoch_keys: BTreeMap::new(),
            heads: BTreeMap::new(),
            forks: BTreeMap::new(),
            refuted: BTreeSet::new(),
            walked: BTreeMap::new(),
            aside: BTreeSet::new(),
            forgets: false,
            receipts: BTreeMap::new(),
            keyrings: None,
        };
        self.spaces.insert(*space, 1, state);
    }

    /// Extends the access log by one entry, and takes back from the rows what may no longer count.
    pub(super) fn apply_access(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        entry: &AccessEntry,
        signatures: Signatures,
    ) -> Result<(), ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.value_mut(space).ok_or(ReplicaError::Unknown("space"))?;
        let has_branches = !state.access.others().is_empty();
        state.access.holding_mut().apply_with(entry, &self.identities, signatures)?;
        self.put_access_entry(entry);
        let erases = matches!(entry.statement.operation, AccessOperation::Erase { .. });
        // Where something was left over before, it is not over with this.
        let was_finished = erases && self.begin_erasing(space);
        if has_branches {
            // A later term ends a contradiction, and with it what it held back.
            self.reconsider_all(disk, space)?;
        }
        match &entry.statement.operation {
            AccessOperation::Revoke { organisation, cuts, .. } => {
                for cut in cuts {
                    self.settle(disk, space, &cut.node)?;
                }
                let kept = cuts.iter().map(|cut| (cut.node, cut.length)).collect();
                self.reconsider_organisation(disk, space, organisation, &kept)?;
            }
            AccessOperation::CutNode { cut, .. } => {
                self.settle(disk, space, &cut.node)?;
                self.reconsider(disk, space, &cut.node, cut.length)?;
            }
            AccessOperation::Settle { node, .. } => self.settle(disk, space, node)?,
            AccessOperation::Erase { record, entries } => {
                self.drop_all_parts(disk)?;
                let stretches = entries.iter().flat_map(ErasedEntries::places);
                self.carry_out(disk, space, &[*record], stretches.collect())?;
                if was_finished {
                    self.end_erasing(space);
                }
            }
            _ => {}
        }
        self.reconsider_waiting(disk, space)
    }

    fn reconsider_organisation(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: &OrganisationId,
        kept: &BTreeMap<NodeId, u64>,
    ) -> Result<(), ReplicaError> {
        let heads = self.space(disk, space)?.heads.iter();
        let of_it = heads.filter(|(_, head)| head.organisation == *organisation);
        let authors: Vec<_> = of_it.map(|(author, _)| *author).collect();
        for author in authors {
            let from = kept.get(&author).copied().unwrap_or(0);
            self.reconsider(disk, space, &author, from)?;
        }
        Ok(())
    }

    /// Has the records of an author's entries from `from` on built again.
    pub(super) fn reconsider(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        from: u64,
    ) -> Result<(), ReplicaError> {
        self.records.retain(|(owner, _)| owner != space);
        let head = self.space(disk, space)?.heads.get(author).copied();
        if let Some(head) = head.filter(|head| head.projected > from) {
            self.put_head(disk, space, author, Head { projected: from, ..head })?;
            self.dirty.insert(*space);
        }
        Ok(())
    }

    /// Takes sealed keyrings that the access log names and this node should hold; whether any was
    /// news. One that does not fit keeps no other out.
    ///
    /// # Errors
    /// [`KeyringError`] when one does not open or holds a key that the log does not commit to,
    /// [`ReplicaError::NotPermitted`] when one is none of this node's business: the first of these.
    pub fn admit_sealed(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        keyrings: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<bool, ReplicaError> {
        let (mut outcome, mut grown) = (Ok(()), false);
        for bytes in keyrings {
            match self.take_sealed(disk, space, bytes) {
                Ok(is_news) => grown |= is_news,
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        if grown {
            // Once for all of them: each looks through everything that was ever sealed here.
            self.reconsider_waiting(disk, space)?;
            self.read_proofs_again(disk, space)?;
            self.refresh_summary(disk, space)?;
            self.announce(disk, space)?;
        }
        outcome.map(|()| grown)
    }

    fn take_sealed(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        bytes: Vec<u8>,
    ) -> Result<bool, ReplicaError> {
        if bytes.len() > limits::SEALED_BYTES_MAX || !self.summaries.contains_key(space) {
            return Err(ReplicaError::NotPermitted);
        }
        let hash = sealed_hash(&bytes);
        if self.read(disk, Table::Sealed, &keys::hashed(space, &hash))?.is_some() {
            return Ok(false);
        }
        let (node, organisation) = (self.node(), self.organisation());
        let access = &self.space(disk, space)?.access;
        let (recipient, position) = access.keyring(&hash).ok_or(ReplicaError::NotPermitted)?;
        let carries = access.role(&organisation) == Some(Role::Carrier);
        if recipient == node {
            self.open_keyring(disk, space, position, &bytes)?;
        } else if !carries {
            // One of another node of this organisation: nothing to learn, nothing to refuse.
            let is_sibling = self.certified.is_held(&recipient, &organisation);
            return if is_sibling { Ok(false) } else { Err(ReplicaError::NotPermitted) };
        }
        self.keep_sealed(space, bytes);
        Ok(true)
    }

    /// Opens keyrings that arrived before the access entries that name their keys.
    fn open_kept_keyrings(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let node = self.node();
        let places = self.space(disk, space)?.access.keyrings_of(&node);
        for (position, hash) in places {
            if let Some(bytes) = self.read(disk, Table::Sealed, &keys::hashed(space, &hash))? {
                self.open_keyring(disk, space, position, &bytes)?;
            }
        }
        Ok(())
    }

    fn open_keyring(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        position: u64,
        bytes: &[u8],
    ) -> Result<(), ReplicaError> {
        let node = self.node();
        let keyring = Keyring::open(&self.credentials.sealing, space, position, &node, bytes)?;
        for (epoch, key) in keyring.keys {
            self.learn_key(disk, space, epoch, key)?;
        }
        Ok(())
    }

    /// Keeps a key that the log commits to, and every earlier one that unwraps from it.
    pub(super) fn learn_key(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        epoch: u64,
        key: EpochKey,
    ) -> Result<(), ReplicaError> {
        let (mut epoch, mut key) = (epoch, key);
        loop {
            let commitment = key.commitment(space.as_bytes(), epoch);
            let state = self.space(disk, space)?;
            let described = state
                .access
                .all()
                .filter_map(|branch| branch.epoch_at(epoch))
                .find(|described| described.commitment == commitment)
                .ok_or(KeyringError::Commitment)?;
            let wrapped = described.previous.clone();
            let known = state.key(described).is_some();
            if !known {
                self.put_epoch_key(disk, space, epoch, key.clone())?;
            }
            let Some(wrapped) = wrapped.filter(|_| !known) else { return Ok(()) };
            key = key.unwrap(&super::membership::wrap_context(space, epoch), &wrapped)?;
            epoch = epoch.saturating_sub(1);
        }
    }
}
