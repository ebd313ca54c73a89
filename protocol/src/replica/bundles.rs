//! What this node knows of partners that it exchanges bundles with: what they have by their own
//! word, what was last handed over, and parts of bundles that are not complete.
//!
//! A partner's heads are those it last wrote into a bundle of its own. What is exported begins
//! there, never at what was exported before: a bundle that is lost, or imported late, leaves no
//! gap.

mod parts;

use super::{Growth, Replica, ReplicaError, SpaceHeads, keys};
use crate::codec;
use crate::crypto::{CryptoError, Domain, Signature};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::log::LogPosition;
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use zeroize::Zeroizing;

/// A bundle that was made for a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Dispatch {
    /// Its number, counted for each partner.
    #[n(0)]
    pub number: u64,
    /// When it was made.
    #[n(1)]
    pub at: Timestamp,
}

/// The newest bundle of a partner that was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Arrival {
    /// The node that made it.
    #[n(0)]
    pub node: NodeId,
    /// Its number.
    #[n(1)]
    pub number: u64,
    /// When it was made, by the word of that node.
    #[n(2)]
    pub made_at: Timestamp,
    /// When it was imported.
    #[n(3)]
    pub at: Timestamp,
}

/// An invitation that was answered by bundle; the inviting organisation's own bundle is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Awaited {
    /// The node that made the invitation.
    #[n(0)]
    pub node: NodeId,
    /// When it was answered.
    #[n(1)]
    pub at: Timestamp,
}

/// What was exchanged with an organisation by bundles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Ledger {
    /// The last bundle made for it.
    #[n(0)]
    pub out: Option<Dispatch>,
    /// The newest bundle of it.
    #[n(1)]
    pub arrival: Option<Arrival>,
    /// Identity logs as it has them, by its own word.
    #[n(2)]
    pub identities: Vec<(OrganisationId, LogPosition)>,
    /// Whether it is to become a partner with its next bundle.
    #[n(3)]
    pub awaited: Option<Awaited>,
    /// The one made before the last, in case that one is taken back; the last itself after that.
    #[n(4)]
    #[cbor(default)]
    pub before: Option<Dispatch>,
}

/// What grew of one space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Entries that were written in it.
    pub entries: u64,
    /// Whether its members or keys changed.
    pub access: bool,
}

impl Replica {
    /// What was exchanged with an organisation by bundles; empty when nothing was.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn ledger(
        &self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
    ) -> Result<Ledger, ReplicaError> {
        let found = self.read(disk, Table::Bundles, organisation.as_bytes())?;
        let opened = found.map(|sealed| self.open_bundled(organisation.as_bytes(), &sealed));
        opened.transpose().map(Option::unwrap_or_default)
    }

    /// Who invited this organisation, was answered by a file, and has sent no bundle yet: until it
    /// does, it is no partner.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn answered(
        &self,
        disk: &dyn Storage,
    ) -> Result<Vec<(OrganisationId, Awaited)>, ReplicaError> {
        let mut found = Ok(Vec::new());
        self.scan(disk, Table::Bundles, &[], &[u8::MAX; 65], &mut |key, sealed| {
            // Longer ones hold what an organisation has of a space.
            let Ok(id) = key.try_into() else { return ControlFlow::Continue(()) };
            let organisation = OrganisationId::from_bytes(id);
            match (self.open_bundled::<Ledger>(key, sealed), found.as_mut()) {
                (Ok(ledger), Ok(list)) => {
                    let awaited = ledger.awaited.filter(|_| self.partner(&organisation).is_none());
                    list.extend(awaited.map(|awaited| (organisation, awaited)));
                }
                (Err(error), _) => found = Err(error),
                (Ok(_), Err(_)) => return ControlFlow::Break(()),
            }
            ControlFlow::Continue(())
        })?;
        found
    }

    /// Keeps what was exchanged with an organisation.
    ///
    /// # Errors
    /// When it cannot be sealed, which does not happen.
    pub fn put_ledger(
        &mut self,
        organisation: &OrganisationId,
        ledger: &Ledger,
    ) -> Result<(), ReplicaError> {
        self.put_bundled(organisation.as_bytes().to_vec(), ledger)
    }

    /// Where a partner's logs stand by its own word, for each space that it was told of.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn acknowledged(
        &self,
        disk: &dyn Storage,
        partner: &OrganisationId,
    ) -> Result<Vec<SpaceHeads>, ReplicaError> {
        let (from, to) = keys::all(partner.as_bytes());
        let mut found = Ok(Vec::new());
        self.scan(disk, Table::Bundles, &from, &to, &mut |key, sealed| {
            if key.len() == partner.as_bytes().len() {
                return ControlFlow::Continue(());
            }
            match (self.open_bundled(key, sealed), found.as_mut()) {
                (Ok(heads), Ok(list)) => list.push(heads),
                (Err(error), _) => found = Err(error),
                (Ok(_), Err(_)) => return ControlFlow::Break(()),
            }
            ControlFlow::Continue(())
        })?;
        found
    }

    /// Keeps where a partner's logs of a space stand.
    ///
    /// # Errors
    /// When it cannot be sealed, which does not happen.
    pub fn put_acknowledged(
        &mut self,
        partner: &OrganisationId,
        heads: &SpaceHeads,
    ) -> Result<(), ReplicaError> {
        self.put_bundled(keys::acknowledged(partner, &heads.space), heads)
    }

    /// Forgets that a partner has anything of a space.
    pub fn forget_acknowledged(&mut self, partner: &OrganisationId, space: &SpaceId) {
        self.pending.delete(Table::Bundles, keys::acknowledged(partner, space));
    }

    /// Takes back that the last bundle for a partner was made, when its number is `number`: it was
    /// never handed out. Spaces that only it would have told of count as told of no more.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when the last one has another number, or nobody knows which was
    /// before it.
    pub fn withdraw_bundle(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
        number: u64,
    ) -> Result<(), ReplicaError> {
        let ledger = self.ledger(disk, partner)?;
        let is_last = ledger.out.is_some_and(|last| last.number == number);
        let before = ledger.before.map_or(0, |before| before.number);
        if !is_last || before.checked_add(1) != Some(number) {
            return Err(ReplicaError::Unknown("bundle"));
        }
        if ledger.before.is_none() {
            for heads in self.acknowledged(disk, partner)? {
                if heads == SpaceHeads::absent(heads.space) {
                    self.forget_acknowledged(partner, &heads.space);
                }
            }
        }
        // The one before then has itself before it, and is not taken back by mistake.
        self.put_ledger(partner, &Ledger { out: ledger.before, ..ledger })
    }

    fn put_bundled<T: Encode<()>>(&mut self, key: Vec<u8>, value: &T) -> Result<(), ReplicaError> {
        let place = keys::place(Table::Bundles, &key);
        let sealed = self.credentials.storage.seal(&place, &codec::encode(value))?;
        self.pending.put(Table::Bundles, key, sealed);
        Ok(())
    }

    fn open_bundled<T: for<'b> Decode<'b, ()>>(
        &self,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<T, ReplicaError> {
        let opened = self.credentials.storage.open(&keys::place(Table::Bundles, key), sealed).ok();
        let value = opened.and_then(|bytes| minicbor::decode(&bytes).ok());
        value.ok_or(ReplicaError::Damaged(Table::Bundles.name()))
    }

    /// The spaces that a bundle for `partner` may speak of: those shared with it, and those it was
    /// removed from, of whose removal it may not know yet.
    #[must_use]
    pub fn spaces_told(&self, partner: &OrganisationId) -> Vec<SpaceId> {
        let own = self.organisation();
        self.summaries
            .iter()
            .filter(|(_, summary)| summary.role(&own).is_some())
            .filter(|(_, summary)| summary.everyone().any(|one| one == partner))
            .map(|(space, _)| *space)
            .collect()
    }

    /// The spaces of `owner` that this organisation was removed from: as in a session, it tells the
    /// owner of that, who may have been put back to before it.
    #[must_use]
    pub fn spaces_left_of(&self, owner: &OrganisationId) -> Vec<SpaceId> {
        let own = self.organisation();
        self.summaries
            .iter()
            .filter(|(_, summary)| summary.owner == *owner && !summary.is_aside)
            .filter(|(_, summary)| summary.role(&own).is_none())
            .filter(|(_, summary)| summary.everyone().any(|one| *one == own))
            .map(|(space, _)| *space)
            .collect()
    }

    /// Author logs of this organisation that `theirs` lacks in a space it was removed from, each
    /// with where to begin: what it wrote before it knew may still be handed in.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn parting_logs(
        &mut self,
        disk: &dyn Storage,
        theirs: &SpaceHeads,
    ) -> Result<Vec<(NodeId, u64)>, ReplicaError> {
        let space = theirs.space;
        if !theirs.is_farewell
            || !self.summaries.contains_key(&space)
            || self.own_role(&space).is_some()
        {
            return Ok(Vec::new());
        }
        let own = self.organisation();
        let known: BTreeMap<NodeId, LogPosition> = theirs.authors.iter().copied().collect();
        let heads = self.settled_heads(disk, &space)?;
        let state = self.space(disk, &space)?;
        let lacking = heads.into_iter().filter_map(|(author, position)| {
            let from = known.get(&author).map_or(0, |one| one.length);
            let is_own = state.author(&author) == Some(own);
            (is_own && from < position.length).then_some((author, from))
        });
        Ok(lacking.collect())
    }

    /// How many entries that `partner` may have it has not acknowledged.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn unacknowledged(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
    ) -> Result<u64, ReplicaError> {
        let acknowledged = self.acknowledged(disk, partner)?;
        let known: BTreeMap<_, _> = acknowledged.iter().map(|one| (one.space, one)).collect();
        let mut count = 0;
        for space in self.spaces_told(partner) {
            let Some(ours) = self.heads_for(disk, partner, &space)? else { continue };
            let theirs = known.get(&space);
            if ours.is_farewell && theirs.is_none() {
                continue;
            }
            count += missing(&ours, theirs.copied());
        }
        Ok(count)
    }

    /// Whether this node has everything that `partner` has of what both share, by the partner's
    /// newest word; of a space of this organisation that the partner says it was removed from, its
    /// removal.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_level_with(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
    ) -> Result<bool, ReplicaError> {
        let own = self.organisation();
        for theirs in self.acknowledged(disk, partner)? {
            let summary = self.summaries.get(&theirs.space);
            let is_unknown_removal = theirs.is_farewell
                && summary.is_some_and(|one| one.owner == own && one.role(partner).is_some());
            let ours = self.heads_for(disk, partner, &theirs.space)?;
            let access = ours.as_ref().map_or(0, |ours| ours.access.length);
            let is_level = if theirs.is_farewell {
                !is_unknown_removal || theirs.access.length <= access
            } else {
                missing(&theirs, ours.as_ref()) == 0
            };
            if !is_level {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a partner, by the last bundle of it, knows no machine of this organisation that is
    /// in service: what it makes next opens nowhere here, unless it has read a newer bundle.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_unknown_to(
        &self,
        disk: &dyn Storage,
        partner: &OrganisationId,
    ) -> Result<bool, ReplicaError> {
        let own = self.organisation();
        let told = self.ledger(disk, partner)?.identities;
        let known = told.into_iter().find_map(|(one, at)| (one == own).then_some(at.length));
        let Some((known, identity)) = known.zip(self.identity(&own)) else { return Ok(false) };
        let mut nodes = identity.nodes();
        let is_known =
            nodes.any(|(node, standing)| standing.admitted_at < known && identity.is_active(node));
        Ok(!is_known)
    }

    /// What grew since `from` things had grown, by space.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn brought_since(
        &mut self,
        disk: &dyn Storage,
        from: usize,
    ) -> Result<BTreeMap<SpaceId, Brought>, ReplicaError> {
        let mut brought: BTreeMap<SpaceId, Brought> = BTreeMap::new();
        let mut authors: BTreeMap<(SpaceId, NodeId), u64> = BTreeMap::new();
        for grown in self.growth.iter().skip(from) {
            match grown {
                Growth::Access { space, .. } => brought.entry(*space).or_default().access = true,
                Growth::Entries { space, author, from } => {
                    let first = authors.entry((*space, *author)).or_insert(*from);
                    *first = (*first).min(*from);
                }
                Growth::Identity { .. }
                | Growth::Partner { .. }
                | Growth::Presented { .. }
                | Growth::Beacons { .. } => {}
            }
        }
        for ((space, author), from) in authors {
            let head = self.space(disk, &space)?.heads.get(&author).copied();
            let length = head.map_or(from, |head| head.position.length);
            brought.entry(space).or_default().entries += length.saturating_sub(from);
        }
        Ok(brought)
    }

    /// Signs a bundle's manifest as this node.
    #[must_use]
    pub fn sign_bundle(&self, manifest: &[u8]) -> Signature {
        self.credentials.node_key.sign(Domain::BUNDLE_SIGNATURE, manifest)
    }

    /// Opens a bundle's key that was sealed to this node.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] when it was sealed to another.
    pub fn open_bundle_key(
        &self,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.credentials.sealing.open_as(Domain::BUNDLE_KEY, context, sealed)
    }
}

/// Entries of `ours` that `theirs` does not have, or not their bodies.
fn missing(ours: &SpaceHeads, theirs: Option<&SpaceHeads>) -> u64 {
    let known: BTreeMap<NodeId, LogPosition> =
        theirs.map(|theirs| theirs.authors.iter().copied().collect()).unwrap_or_default();
    let access = theirs.map_or(0, |theirs| theirs.access.length);
    let authors = ours.authors.iter().map(|(author, position)| {
        position.length.saturating_sub(known.get(author).map_or(0, |one| one.length))
    });
    let bodies = theirs.map_or(&[][..], |theirs| &theirs.missing);
    let bodies = bodies.iter().filter(|one| !ours.missing.contains(one));
    let bodies = bodies.map(|(_, from, to)| to.saturating_sub(*from));
    let entries = authors.chain(bodies).fold(0, u64::saturating_add);
    ours.access.length.saturating_sub(access).saturating_add(entries)
}
