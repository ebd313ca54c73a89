//! Keys for a node that its organisation certified after they were made.
//!
//! The owner's primary rotates for such a node when it is next there. Until then a node of the same
//! organisation, or any node of the owner, hands over what it holds: sealed to the node's certified
//! key, and checked by the receiver against the access log, so that it does not matter who gives.
//! To nodes of the owner every reader hands over: it may read everything in its space, and when the
//! machine that made the keys is lost, others must be able to give them back.

use super::askers::Askers;
use super::membership::wrap_context;
use super::space::SpaceState;
use super::{ItemRef, Replica, ReplicaError, keys};
use crate::access::{Access, Chain, Keyring, KeyringError, Role};
use crate::crypto::{KeyCommitment, SealingPublic};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::storage::{Storage, Table};
use minicbor::bytes::ByteArray;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// What a node lacks or names as lacking: hashes of keyrings, commitments to keys.
type Names = Vec<ByteArray<32>>;

impl Replica {
    /// Keyrings and keys that this node should hold and does not: a space that lacks keys has
    /// another digest, so it never looks in sync.
    pub(super) fn lacking_keys(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Names, ReplicaError> {
        let (node, organisation) = (self.node(), self.organisation());
        let is_active = self.is_certified(&organisation, &node);
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let access = &state.access;
        let mut lacking = Names::new();
        let wanted: Vec<[u8; 32]> = match access.role(&organisation) {
            // What a later keyring makes superfluous, or is for a node that gets no keys any more,
            // may have died with the machine that made it.
            Some(Role::Carrier) => of_uncut(access, access.last_keyrings().due),
            Some(_) if is_active && !access.cut_nodes().contains_key(&node) => {
                lacking.extend(due_keys(state, &self.askers, (space, &organisation, &node)));
                if lacking.is_empty() {
                    return Ok(lacking);
                }
                let holding: &Access = access;
                holding.keyrings_of(&node).iter().map(|(_, hash)| *hash).collect()
            }
            _ => Vec::new(),
        };
        let here = self.keyrings_here(disk, space)?;
        lacking.extend(wanted.into_iter().filter(|hash| !here.contains(hash)).map(ByteArray::from));
        Ok(lacking)
    }

    /// The hashes of the sealed keyrings that are here. They are read from the disk once: a carrier
    /// looks for all of them each time one comes.
    fn keyrings_here(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<&BTreeSet<[u8; 32]>, ReplicaError> {
        if self.space(disk, space)?.keyrings.is_none() {
            let mut found = BTreeSet::new();
            let (from, to) = keys::all(space.as_bytes());
            self.scan(disk, Table::Sealed, &from, &to, &mut |key, _| {
                found.extend(keys::tail(key));
                ControlFlow::Continue(())
            })?;
            self.space(disk, space)?.keyrings = Some(found);
        }
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        state.keyrings.as_ref().ok_or(ReplicaError::Unknown("space"))
    }

    /// Opens keys that later ones here wrap. Each is opened when the later one comes, but a damaged
    /// disk may have given back some keys and not those before them.
    pub(super) fn unwrap_missing(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let state = self.space(disk, space)?;
        let is_missing = |branch: &Access, epoch: u64| {
            let before = epoch.checked_sub(1).and_then(|before| branch.epoch_at(before));
            before.is_some_and(|before| state.key(before).is_none())
        };
        let wraps = |branch: &Access, epoch: u64| {
            let described = branch.epoch_at(epoch)?;
            let wrapped = described.previous.as_ref().filter(|_| is_missing(branch, epoch))?;
            Some((epoch, state.key(described)?.clone(), wrapped.clone()))
        };
        let found: Vec<_> = state
            .access
            .all()
            .flat_map(|branch| {
                (1..=branch.epoch()).rev().filter_map(move |epoch| wraps(branch, epoch))
            })
            .collect();
        if found.is_empty() {
            return Ok(());
        }
        for (epoch, key, wrapped) in found {
            let before = key.unwrap(&wrap_context(space, epoch), &wrapped)?;
            self.learn_key(disk, space, epoch.saturating_sub(1), before)?;
        }
        self.reconsider_waiting(disk, space)?;
        self.read_proofs_again(disk, space)
    }

    /// What is to be asked for: what is lacking, and after it keys of branches that do not hold and
    /// of chains that may have lost their end. Of these, whoever made them may have told nobody, so
    /// they do not keep replicas apart.
    pub(super) fn wanted_keys(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Names, ReplicaError> {
        let mut wanted = self.lacking_keys(disk, space)?;
        let (node, organisation) = (self.node(), self.organisation());
        let is_active = self.is_certified(&organisation, &node);
        let state = self.space(disk, space)?;
        let access = &state.access;
        let (keys, keyrings) = match access.role(&organisation) {
            Some(Role::Carrier) => {
                (Names::new(), of_uncut(access, access.last_keyrings().given_up))
            }
            Some(_) if is_active && !access.cut_nodes().contains_key(&node) => {
                let mut keys = missing(state, access.keys_beside_for(&organisation).into_iter());
                keys.extend(first_missing(state, &organisation));
                let keyrings = if keys.is_empty() { Vec::new() } else { access.keyrings_of(&node) };
                (keys, keyrings.into_iter().map(|(_, hash)| hash).collect())
            }
            _ => return Ok(wanted),
        };
        let mut named: BTreeSet<_> = wanted.iter().copied().collect();
        let here = self.keyrings_here(disk, space)?;
        let sealed = keyrings.into_iter().filter(|hash| !here.contains(hash)).map(ByteArray::from);
        wanted.extend(keys.into_iter().chain(sealed).filter(|one| named.insert(*one)));
        Ok(wanted)
    }

    /// Spaces with entries that do not open here, of which nodes of `partner` may hand over keys
    /// that are asked for and keep nobody apart: no comparison leads to them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spaces_to_ask_about(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
    ) -> Result<Vec<SpaceId>, ReplicaError> {
        let own = self.organisation();
        let (mut found, mut from) = (Vec::new(), Vec::new());
        loop {
            let mut first = None;
            self.scan(disk, Table::Waiting, &from, &[u8::MAX; 97], &mut |key, _| {
                first = keys::part(key, 0).map(SpaceId::from_bytes);
                ControlFlow::Break(())
            })?;
            // Of each space one place is read, however many wait.
            let next = first.map(|space| (space, keys::all(space.as_bytes()).1));
            let Some((space, next)) = next.filter(|(_, next)| *next > from) else {
                return Ok(found);
            };
            from = next;
            let owner = self.summaries.get(&space).map(|one| one.owner);
            let may_give =
                *partner == own || owner.is_some_and(|one| one == own || one == *partner);
            if may_give
                && self.may_show(partner, &ItemRef::Space(space))
                && !self.wanted_keys(disk, &space)?.is_empty()
            {
                found.push(space);
            }
        }
    }

    /// What nodes of `partner` which know the access log up to `since` do not ask for yet: of the
    /// chains that they will find given up, the keys that are here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn keys_given_up_since(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
        space: &SpaceId,
        since: u64,
    ) -> Result<BTreeSet<[u8; 32]>, ReplicaError> {
        let state = self.space(disk, space)?;
        let chains = state.access.chains_for(partner).into_iter();
        let news = chains.filter(|chain| chain.given_up_at.is_some_and(|at| at >= since));
        let opening = news.filter_map(|chain| state.opening_key(&chain));
        let described = opening.filter_map(|(epoch, _)| state.access.epoch_at(epoch));
        Ok(described.map(|epoch| *epoch.commitment.as_bytes()).collect())
    }

    /// The keys that open those among `wanted` (commitments) which may be handed to `node`, which
    /// speaks for `theirs`, sealed to it as that organisation certifies it, and the epoch that
    /// binds them: only to a certified node that was not cut, of an organisation that reads the
    /// space, and only if that is this organisation or one of the two owns the space. Nothing when
    /// there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn handover(
        &mut self,
        disk: &dyn Storage,
        (theirs, node): (&OrganisationId, &NodeId),
        space: &SpaceId,
        wanted: &BTreeSet<[u8; 32]>,
    ) -> Result<Option<(u64, Vec<u8>)>, ReplicaError> {
        let Some(sealing) = self.receiver(node, *theirs, space) else { return Ok(None) };
        let state = self.space(disk, space)?;
        let access = &state.access;
        let reads = access.role(theirs).is_some_and(Role::reads);
        if !reads || access.cut_nodes().contains_key(node) {
            return Ok(None);
        }
        let wanted_of = |named: Vec<(u64, KeyCommitment)>| {
            let here = named.into_iter().filter(|(_, one)| wanted.contains(one.as_bytes()));
            here.filter_map(|(epoch, one)| Some((epoch, state.epoch_keys.get(&one)?.clone())))
                .collect::<Vec<_>>()
        };
        // Also what a keyring of the log seems to bring: its maker may have lacked keys itself.
        let mut keyring = Keyring { keys: wanted_of(access.keys_beside_for(theirs)) };
        let is_asked_for = |chain: &Chain| {
            let mut described = (chain.from..=chain.to).filter_map(|one| access.epoch_at(one));
            described
                .any(|one| wanted.contains(one.commitment.as_bytes()) && state.key(one).is_some())
        };
        let chains = access.chains_for(theirs).into_iter().filter(is_asked_for);
        keyring.keys.extend(chains.filter_map(|chain| state.opening_key(&chain)));
        keyring.keys.truncate(limits::KEYRING_KEYS_MAX);
        let Some((epoch, _)) = keyring.keys.last() else { return Ok(None) };
        Ok(Some((*epoch, keyring.seal_handover(space, *epoch, node, &sealing)?)))
    }

    /// The sealing key of a node of `theirs` to which this one may give keys of a space at all:
    /// another certified node, of this organisation, of the owner, or of anyone by the owner.
    fn receiver(
        &self,
        node: &NodeId,
        theirs: OrganisationId,
        space: &SpaceId,
    ) -> Option<SealingPublic> {
        let own = self.organisation();
        let owner = self.summaries.get(space)?.owner;
        let may_give = theirs == own || owner == own || owner == theirs;
        if *node == self.node() || !may_give {
            return None;
        }
        let mut active = self.identities.get(&theirs)?.active_nodes();
        active.find(|(one, _)| *one == node).map(|(_, sealing)| sealing.clone())
    }

    /// Whether keys that were handed over are for this node, in a space that it reads.
    #[must_use]
    pub fn is_handed_here(&self, space: &SpaceId, epoch: u64, sealed: &[u8]) -> bool {
        let (node, secret) = (self.node(), &self.credentials.sealing);
        self.own_role(space).is_some_and(Role::reads)
            && Keyring::open_handover(secret, space, epoch, &node, sealed).is_ok()
    }

    /// Takes keys that another node handed to this one. Returns whether any was new.
    ///
    /// # Errors
    /// [`KeyringError`] when they do not open here or are not those that the access log commits
    /// to; [`ReplicaError::NotPermitted`] when the space is none of this node's.
    pub fn admit_handover(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        epoch: u64,
        sealed: &[u8],
    ) -> Result<bool, ReplicaError> {
        let reads = self.own_role(space).is_some_and(Role::reads);
        if !reads {
            return Err(ReplicaError::NotPermitted);
        }
        let node = self.node();
        let secret = &self.credentials.sealing;
        let keyring = Keyring::open_handover(secret, space, epoch, &node, sealed)?;
        let state = self.space(disk, space)?;
        let committed = |(epoch, key): &(u64, crate::crypto::EpochKey)| {
            state.access.commits_to(*epoch, &key.commitment(space.as_bytes(), *epoch))
        };
        if !keyring.keys.iter().all(committed) {
            return Err(KeyringError::Commitment.into());
        }
        let before = state.epoch_keys.len();
        for (epoch, key) in keyring.keys {
            self.learn_key(disk, space, epoch, key)?;
        }
        if self.space(disk, space)?.epoch_keys.len() == before {
            return Ok(false);
        }
        self.reconsider_waiting(disk, space)?;
        self.read_proofs_again(disk, space)?;
        self.refresh_summary(disk, space)?;
        self.announce(disk, space)?;
        Ok(true)
    }

    /// Whether `organisation` certifies `node` now.
    pub(super) fn is_certified(&self, organisation: &OrganisationId, node: &NodeId) -> bool {
        self.identities.get(organisation).is_some_and(|identity| identity.is_active(node))
    }
}

/// The keys that a node of a reader is to hold and does not: of each chain the one that opens it.
/// Of a chain that was given up that one may be lost, and whoever has any of its keys has the
/// first: so this one, and only if another node may have it, which did not say that it lacks it.
fn due_keys(
    state: &SpaceState,
    askers: &Askers,
    (space, organisation, node): (&SpaceId, &OrganisationId, &NodeId),
) -> Names {
    let access = &state.access;
    let due = |chain: &Chain| if chain.given_up_at.is_some() { chain.from } else { chain.to };
    let mut chains = access.chains_for(organisation);
    chains.retain(|chain| state.key_at(due(chain)).is_none());
    if chains.iter().any(|chain| chain.given_up_at.is_some()) {
        let mut held = access.chains_sealed_beside(node);
        held.retain(|(from, other)| {
            let first = access.epoch_at(*from).map(|epoch| epoch.commitment);
            !first.is_some_and(|first| askers.includes(space, first.as_bytes(), other))
        });
        let held: BTreeSet<_> = held.into_iter().map(|(from, _)| from).collect();
        chains.retain(|chain| chain.given_up_at.is_none() || held.contains(&chain.from));
    }
    let described = chains.iter().filter_map(|chain| access.epoch_at(due(chain)));
    described.map(|epoch| (*epoch.commitment.as_bytes()).into()).collect()
}

/// Of each chain the first key that is not here: whoever has it gives the last that it has, also
/// where the last of all is lost.
fn first_missing(state: &SpaceState, organisation: &OrganisationId) -> Names {
    let chains = state.access.chains_for(organisation).into_iter();
    let described = chains.filter_map(|chain| {
        let mut epochs = (chain.from..=chain.to).filter_map(|epoch| state.access.epoch_at(epoch));
        epochs.find(|epoch| state.key(epoch).is_none())
    });
    described.map(|epoch| (*epoch.commitment.as_bytes()).into()).collect()
}

/// The hashes of these keyrings that are for nodes which get keys still.
fn of_uncut(access: &Access, keyrings: Vec<(NodeId, [u8; 32])>) -> Vec<[u8; 32]> {
    let is_cut = |node: &NodeId| access.cut_nodes().contains_key(node);
    keyrings.into_iter().filter(|(node, _)| !is_cut(node)).map(|(_, hash)| hash).collect()
}

/// Of the keys that are named, those that are not here.
fn missing(state: &SpaceState, named: impl Iterator<Item = (u64, KeyCommitment)>) -> Names {
    named
        .filter(|(_, commitment)| !state.epoch_keys.contains_key(commitment))
        .map(|(_, commitment)| (*commitment.as_bytes()).into())
        .collect()
}
