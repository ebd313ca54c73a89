//! What the owner of a space does: found it, admit, remove, rotate.
//!
//! Only the owner's primary node writes access logs. Every rotation seals the new key to the nodes
//! that are certified now, so a revoked node is never a recipient; [`Replica::maintain`] pays the
//! debts that arise when members' nodes change meanwhile.

use super::space::SpaceState;
use super::{Growth, Replica, ReplicaError, keys};
use crate::access::{
    Access, AccessEntry, AccessError, AccessOperation, Branches, Cut, History, Keyring, Recipient,
    Role, Rotation, Signatures, sealed_hash,
};
use crate::codec;
use crate::crypto::{EpochKey, SealingPublic};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::storage::{Storage, Table};
use rand_core::CryptoRng;

/// What a removal did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationReport {
    /// What still counts of the removed organisation's logs.
    pub cuts: Vec<Cut>,
    /// The epoch it does not get.
    pub epoch: u64,
    /// Who remains.
    pub members: Vec<(OrganisationId, Role)>,
}

/// A rotation under way: the entry's part, the key, and the keyrings to send.
struct Fresh {
    rotation: Rotation,
    key: EpochKey,
    sealed: Vec<Vec<u8>>,
}

type Seat = (NodeId, SealingPublic);

impl Replica {
    /// Founds a space owned by this organisation.
    ///
    /// # Errors
    /// [`ReplicaError::NotPermitted`] when this node is not the organisation's primary.
    pub fn create_space(
        &mut self,
        disk: &dyn Storage,
        random: &mut dyn CryptoRng,
    ) -> Result<SpaceId, ReplicaError> {
        let term = self.own_term()?;
        let (owner, node) = (self.organisation(), self.node());
        let mut salt = [0; 16];
        random.fill_bytes(&mut salt);
        let space = AccessEntry::space_id(&owner, &salt);
        let seats = self.seats_of(&owner, &[]);
        let fresh = Self::fresh_rotation(&space, 0, 0, None, &seats, random)?;
        let statement = Access::draft_creation(owner, salt, node, term, fresh.rotation.clone());
        let entry = statement.sign(&self.credentials.node_key);
        let access = Access::begin_with(&entry, &self.identities, Signatures::Known)?;
        self.insert_space(&space, access);
        self.put_access_entry(&entry);
        self.keep_fresh(disk, &space, fresh)?;
        self.refresh_summary(disk, &space)?;
        self.growth.push(Growth::Access { space, from: 0 });
        Ok(space)
    }

    /// Makes `organisation` a member, or raises its role.
    ///
    /// # Errors
    /// [`ReplicaError::NotPermitted`] when this node does not write the space's access log,
    /// [`ReplicaError::Unknown`] when the organisation is not known here.
    pub fn grant(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: OrganisationId,
        role: Role,
        history: History,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        if !self.identities.contains_key(&organisation) {
            return Err(ReplicaError::Unknown("organisation"));
        }
        if !role.reads() {
            let operation = AccessOperation::Grant {
                organisation,
                role,
                history,
                recipients: Vec::new(),
                rotation: None,
            };
            return self.extend_access(disk, space, operation, None, Vec::new());
        }
        if self.has_lost_key(disk, space)? {
            self.rotate(disk, space, random)?;
        }
        self.cut_before_return(disk, space, &organisation, random)?;
        match history {
            History::Start => self.grant_from_start(disk, space, organisation, role, random),
            History::Now => self.grant_from_now(disk, space, organisation, role, random),
        }
    }

    fn grant_from_start(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: OrganisationId,
        role: Role,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        let state = self.space(disk, space)?;
        let position = state.access.length();
        let already = state.access.role(&organisation).is_some_and(Role::reads);
        let keyring = full_keyring(state)?;
        let cut: Vec<_> = state.access.cut_nodes().keys().copied().collect();
        let seats = if already { Vec::new() } else { self.seats_of(&organisation, &cut) };
        let (recipients, sealed) = Self::seal_all(space, position, &keyring, &seats, random)?;
        let operation = AccessOperation::Grant {
            organisation,
            role,
            history: History::Start,
            recipients,
            rotation: None,
        };
        self.extend_access(disk, space, operation, None, sealed)
    }

    fn grant_from_now(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: OrganisationId,
        role: Role,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        let mut seats = self.member_seats(disk, space, None, None)?;
        let access = &self.space(disk, space)?.access;
        let already = access.role(&organisation).is_some_and(Role::reads);
        let cut: Vec<_> = access.cut_nodes().keys().copied().collect();
        if !already {
            seats.extend(self.seats_of(&organisation, &cut));
        }
        let fresh = self.next_rotation(disk, space, &seats, false, random)?;
        let operation = AccessOperation::Grant {
            organisation,
            role,
            history: History::Now,
            recipients: Vec::new(),
            rotation: Some(fresh.rotation.clone()),
        };
        self.extend_access(disk, space, operation, Some(fresh), Vec::new())
    }

    /// Ends the membership of `organisation`: records what counts of its logs and rotates the key,
    /// in one entry.
    ///
    /// # Errors
    /// As [`Replica::grant`].
    pub fn revoke(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: OrganisationId,
        random: &mut dyn CryptoRng,
    ) -> Result<RevocationReport, ReplicaError> {
        let seats = self.member_seats(disk, space, Some(&organisation), None)?;
        let fresh = self.next_rotation(disk, space, &seats, true, random)?;
        let epoch = fresh.rotation.epoch;
        let heads = self.space(disk, space)?.heads.iter();
        let of_it = heads.filter(|(_, head)| head.organisation == organisation);
        let cuts: Vec<_> = of_it
            .map(|(node, head)| (*node, head.position))
            .map(|(node, position)| Cut { node, length: position.length, head: position.head })
            .collect();
        let operation = AccessOperation::Revoke {
            organisation,
            cuts: cuts.clone(),
            rotation: fresh.rotation.clone(),
        };
        self.extend_access(disk, space, operation, Some(fresh), Vec::new())?;
        for cut in &cuts {
            self.name_stretches(disk, space, cut)?;
        }
        let members = self.space(disk, space)?.access.current_members().collect();
        Ok(RevocationReport { cuts, epoch, members })
    }

    /// Gives the space a fresh key.
    ///
    /// # Errors
    /// As [`Replica::grant`]; [`ReplicaError::NotPermitted`] also when this node was cut in the
    /// space.
    pub fn rotate(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        random: &mut dyn CryptoRng,
    ) -> Result<u64, ReplicaError> {
        let seats = self.member_seats(disk, space, None, None)?;
        let fresh = self.next_rotation(disk, space, &seats, true, random)?;
        let epoch = fresh.rotation.epoch;
        let operation = AccessOperation::Rotate { rotation: fresh.rotation.clone() };
        self.extend_access(disk, space, operation, Some(fresh), Vec::new())?;
        Ok(epoch)
    }

    /// Cuts the log of a node that its organisation revoked, and rotates.
    ///
    /// # Errors
    /// As [`Replica::grant`]; [`AccessError::Operation`] for this node itself, which would make a
    /// key that it may not have.
    pub fn cut_node(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        node: NodeId,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        if node == self.node() {
            return Err(AccessError::Operation.into());
        }
        let position = {
            let state = self.space(disk, space)?;
            state.heads.get(&node).map_or(crate::log::LogPosition::START, |head| head.position)
        };
        let seats = self.member_seats(disk, space, None, Some(&node))?;
        let fresh = self.next_rotation(disk, space, &seats, true, random)?;
        let cut = Cut { node, length: position.length, head: position.head };
        let operation = AccessOperation::CutNode { cut, rotation: fresh.rotation.clone() };
        self.extend_access(disk, space, operation, Some(fresh), Vec::new())?;
        self.name_stretches(disk, space, &cut)
    }

    pub(super) fn own_term(&self) -> Result<u64, ReplicaError> {
        self.check_speaks()?;
        let identity = self.identities.get(&self.organisation());
        let primary = identity.and_then(crate::identity::Identity::primary);
        match primary {
            Some(primary) if primary.node == self.node() => Ok(primary.term),
            primary => Err(ReplicaError::NotPrimary(primary.map(|primary| primary.node))),
        }
    }

    fn extend_access(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        operation: AccessOperation,
        fresh: Option<Fresh>,
        sealed: Vec<Vec<u8>>,
    ) -> Result<(), ReplicaError> {
        let summary = self.summaries.get(space).ok_or(ReplicaError::Unknown("space"))?;
        if !summary.is_of(&self.organisation()) {
            return Err(ReplicaError::NotPermitted);
        }
        let from = self.say_access(disk, space, operation)?;
        if let Some(fresh) = fresh {
            self.keep_fresh(disk, space, fresh)?;
        }
        for bytes in sealed {
            self.keep_sealed(space, bytes);
        }
        self.refresh_summary(disk, space)?;
        self.growth.push(Growth::Access { space: *space, from });
        Ok(())
    }

    /// Signs the next entry of an access log and applies it; its place.
    pub(super) fn say_access(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        operation: AccessOperation,
    ) -> Result<u64, ReplicaError> {
        if self.cloned {
            return Err(ReplicaError::Cloned);
        }
        if self.catching_up.is_some() {
            return Err(ReplicaError::CatchingUp);
        }
        let (term, node) = (self.own_term()?, self.node());
        let statement = self.space(disk, space)?.access.draft(node, term, operation);
        let entry = statement.sign(&self.credentials.node_key);
        let disputed = disputed_readers(&self.space(disk, space)?.access);
        self.apply_access(disk, space, &entry, Signatures::Known)?;
        let access = &self.space(disk, space)?.access;
        let settled = disputed.into_iter().filter(|one| access.role(one).is_some_and(Role::reads));
        for organisation in settled.collect::<Vec<_>>() {
            // Nothing was owed for whoever was no member while a branch contradicted.
            self.owe_maintenance(&organisation, 0);
        }
        Ok(entry.statement.sequence)
    }

    fn keep_fresh(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        fresh: Fresh,
    ) -> Result<(), ReplicaError> {
        for bytes in fresh.sealed {
            self.keep_sealed(space, bytes);
        }
        self.put_epoch_key(disk, space, fresh.rotation.epoch, fresh.key)
    }

    pub(super) fn keep_sealed(&mut self, space: &SpaceId, bytes: Vec<u8>) {
        let hash = sealed_hash(&bytes);
        let state = self.spaces.value_mut(space);
        if let Some(known) = state.and_then(|state| state.keyrings.as_mut()) {
            known.insert(hash);
        }
        self.pending.put(Table::Sealed, keys::hashed(space, &hash), bytes);
    }

    pub(super) fn put_access_entry(&mut self, entry: &AccessEntry) {
        let key = keys::numbered(&entry.statement.space, entry.statement.sequence);
        self.pending.put(Table::Access, key, codec::encode(entry));
    }

    fn next_rotation(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        seats: &[Seat],
        keeps_history: bool,
        random: &mut dyn CryptoRng,
    ) -> Result<Fresh, ReplicaError> {
        if self.cloned {
            return Err(ReplicaError::Cloned);
        }
        let (own, node) = (self.organisation(), self.node());
        let state = self.space(disk, space)?;
        if state.access.cut_nodes().contains_key(&node) {
            // It would make a key that it may not have. Another node must be named primary.
            return Err(ReplicaError::NotPermitted);
        }
        let (position, epoch) = (state.access.length(), state.access.epoch());
        let previous = state.key_at(epoch).cloned();
        // The owner lacks the key of now when the machine that made it is lost. Members give it
        // back; where nobody else reads, it is lost with what was written under it.
        if previous.is_none() && others_read(&state.access, &own) {
            return Err(ReplicaError::KeyMissing);
        }
        let previous = previous.filter(|_| keeps_history);
        Self::fresh_rotation(space, position, epoch + 1, previous.as_ref(), seats, random)
    }

    fn fresh_rotation(
        space: &SpaceId,
        position: u64,
        epoch: u64,
        previous: Option<&EpochKey>,
        seats: &[Seat],
        random: &mut dyn CryptoRng,
    ) -> Result<Fresh, ReplicaError> {
        let key = EpochKey::random(random);
        let keyring = Keyring { keys: vec![(epoch, key.clone())] };
        let (recipients, sealed) = Self::seal_all(space, position, &keyring, seats, random)?;
        let rotation = Rotation {
            epoch,
            commitment: key.commitment(space.as_bytes(), epoch),
            previous: previous
                .map(|previous| key.wrap(&wrap_context(space, epoch), previous))
                .transpose()?,
            recipients,
        };
        Ok(Fresh { rotation, key, sealed })
    }

    fn seal_all(
        space: &SpaceId,
        position: u64,
        keyring: &Keyring,
        seats: &[Seat],
        random: &mut dyn CryptoRng,
    ) -> Result<(Vec<Recipient>, Vec<Vec<u8>>), ReplicaError> {
        let mut recipients = Vec::with_capacity(seats.len());
        let mut sealed = Vec::with_capacity(seats.len());
        for (node, sealing) in seats {
            let bytes = keyring.seal(space, position, node, sealing, random)?;
            recipients.push(Recipient { node: *node, sealed: sealed_hash(&bytes) });
            sealed.push(bytes);
        }
        Ok((recipients, sealed))
    }

    /// The nodes of `organisation` to seal to: certified now, not cut, and not this node, which
    /// made the key.
    fn seats_of(&self, organisation: &OrganisationId, cut: &[NodeId]) -> Vec<Seat> {
        let own = self.node();
        self.identities.get(organisation).map_or_else(Vec::new, |identity| {
            identity
                .active_nodes()
                .filter(|(node, _)| **node != own && !cut.contains(node))
                .map(|(node, sealing)| (*node, sealing.clone()))
                .collect()
        })
    }

    /// Whether nobody is known to have the key of now: this node may have it and does not, no other
    /// organisation reads, and it was sealed to no other machine of this one.
    pub(super) fn has_lost_key(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<bool, ReplicaError> {
        let (own, node) = (self.organisation(), self.node());
        let state = self.space(disk, space)?;
        let access = &state.access;
        let is_here = state.key_at(access.epoch()).is_some();
        if is_here || others_read(access, &own) || access.cut_nodes().contains_key(&node) {
            return Ok(false);
        }
        let holders = access.holders().filter(|one| !access.cut_nodes().contains_key(one));
        let holders: Vec<_> = holders.collect();
        Ok(!holders.iter().any(|one| *one != node && self.is_certified(&own, one)))
    }

    /// Whether a rotation would seal its key to one of these nodes.
    pub(super) fn would_be_told(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        nodes: &[NodeId],
    ) -> Result<bool, ReplicaError> {
        let seats = self.member_seats(disk, space, None, None)?;
        Ok(seats.iter().any(|(node, _)| nodes.contains(node)))
    }

    fn member_seats(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        without: Option<&OrganisationId>,
        without_node: Option<&NodeId>,
    ) -> Result<Vec<Seat>, ReplicaError> {
        let access = &self.space(disk, space)?.access;
        let cut: Vec<_> = access.cut_nodes().keys().chain(without_node).copied().collect();
        let readers: Vec<_> = access
            .current_members()
            .filter(|(organisation, role)| role.reads() && Some(organisation) != without)
            .map(|(organisation, _)| organisation)
            .collect();
        let seats = readers.iter().map(|organisation| self.seats_of(organisation, &cut));
        Ok(fitting(seats.collect(), limits::ROTATION_RECIPIENTS_MAX - limits::IDENTITY_NODES_MAX))
    }
}

/// Of every organisation so many nodes that a rotation can name them all: the others get the key
/// handed over by these. A removal must never fail because too many are to be told.
fn fitting<T>(organisations: Vec<Vec<T>>, room: usize) -> Vec<T> {
    let taken =
        |each: usize| organisations.iter().map(|seats| seats.len().min(each)).sum::<usize>();
    let each = (1..=limits::IDENTITY_NODES_MAX).rev().find(|each| taken(*each) <= room);
    let each = each.unwrap_or(1);
    organisations.into_iter().flat_map(|seats| seats.into_iter().take(each)).collect()
}

/// What binds a wrapped key to its place.
pub(super) fn wrap_context(space: &SpaceId, epoch: u64) -> Vec<u8> {
    codec::encode(&(space, epoch))
}

/// The current key, and of each earlier chain of keys the last that is here: those of a chain may
/// be lost with an older machine, from some key on.
fn full_keyring(state: &SpaceState) -> Result<Keyring, ReplicaError> {
    let access = &state.access;
    if state.key_at(access.epoch()).is_none() {
        return Err(ReplicaError::KeyMissing);
    }
    let chains = access.chains().into_iter();
    Ok(Keyring { keys: chains.filter_map(|chain| state.opening_key(&chain)).collect() })
}

/// Organisations that read on the branch that holds, and do not as long as another contradicts it.
fn disputed_readers(access: &Branches) -> Vec<OrganisationId> {
    let members = access.members().iter();
    let readers = members.filter(|(_, member)| member.role().is_some_and(Role::reads));
    let disputed = readers.filter(|(one, _)| !access.role(one).is_some_and(Role::reads));
    disputed.map(|(one, _)| *one).collect()
}

/// Whether any other organisation than `own` reads a space.
fn others_read(access: &Access, own: &OrganisationId) -> bool {
    let mut members = access.members().iter();
    members.any(|(one, member)| one != own && member.role().is_some_and(Role::reads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_names_as_many_nodes_of_each_organisation_as_it_has_room_for() {
        let organisations = vec![vec![1, 2, 3], vec![4], vec![5, 6, 7, 8]];
        assert_eq!(fitting(organisations.clone(), 8), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(fitting(organisations.clone(), 7), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(fitting(organisations, 6), [1, 2, 4, 5, 6]);
        let room = limits::ROTATION_RECIPIENTS_MAX - limits::IDENTITY_NODES_MAX;
        let full = vec![vec![0; limits::IDENTITY_NODES_MAX]; limits::SPACE_MEMBERS_MAX];
        assert_eq!(fitting(full, room).len(), limits::SPACE_MEMBERS_MAX);
    }
}
