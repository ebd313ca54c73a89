//! What this node may show a partner: its spaces, identities of their members, and entries.
//!
//! Everything here takes the partner's organisation and answers only for spaces it is a member or
//! carrier of, as the access log stands. A space it may not hold looks like one that does not
//! exist; a member that was removed learns exactly that, and nothing after it.

use super::summary::Known;
use super::{Replica, ReplicaError, Summary, keys};
use crate::access::{AccessEntry, AccessOperation, Confirmation, Role};
use crate::codec;
use crate::crypto::Domain;
use crate::identity::Identity;
use crate::ids::{EntryHash, NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::log::{LogPosition, Run, RunEntry};
use crate::storage::{Storage, Table};
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};

/// Something that replicas compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum ItemRef {
    /// An identity log.
    #[n(0)]
    Identity(#[n(0)] OrganisationId),
    /// A space.
    #[n(1)]
    Space(#[n(0)] SpaceId),
}

/// Something that replicas compare, and the hash of its id and state. Whether it is a space or an
/// identity is not hashed: their ids are hashes of different domains, and so never equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// What.
    pub reference: ItemRef,
    /// Equal on two replicas exactly when what they hold of it is equal.
    pub id: [u8; 32],
}

/// Where the logs of a space stand.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SpaceHeads {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The access log.
    #[n(1)]
    pub access: LogPosition,
    /// Each author log.
    #[n(2)]
    pub authors: Vec<(NodeId, LogPosition)>,
    /// Hashes of sealed keyrings, and commitments to keys, that the sender of this message lacks.
    #[n(3)]
    pub lacking: Vec<minicbor::bytes::ByteArray<32>>,
    /// Authors whose logs were found forked, and where.
    #[n(4)]
    pub forks: Vec<(NodeId, u64)>,
    /// The receiver is a member no more: it learns of its removal, and may still hand in what its
    /// own nodes wrote before they knew.
    #[n(5)]
    pub is_farewell: bool,
    /// Receipts for erasures.
    #[n(6)]
    #[cbor(with = "codec::list_if_any", has_nil)]
    pub receipts: Vec<Confirmation>,
    /// The last entry of each branch of the access log that does not hold.
    #[n(7)]
    #[cbor(with = "codec::list_if_any", has_nil)]
    pub ends: Vec<EntryHash>,
    /// Where bodies are missing that nothing erased which counts: author, first place, place after
    /// the last.
    #[n(8)]
    #[cbor(with = "codec::list_if_any", has_nil)]
    pub missing: Vec<(NodeId, u64, u64)>,
}

impl SpaceHeads {
    /// The heads of a space that is not here.
    #[must_use]
    pub const fn absent(space: SpaceId) -> Self {
        Self {
            space,
            access: LogPosition::START,
            authors: Vec::new(),
            lacking: Vec::new(),
            forks: Vec::new(),
            is_farewell: false,
            receipts: Vec::new(),
            ends: Vec::new(),
            missing: Vec::new(),
        }
    }
}

impl Replica {
    /// Everything that is compared with `partner`.
    #[must_use]
    pub fn items(&self, partner: &OrganisationId) -> Vec<Item> {
        let mut organisations = BTreeSet::from([*partner, self.organisation()]);
        if *partner == self.organisation() {
            organisations.extend(self.identities.keys());
        }
        let mut items = Vec::new();
        for known in self.shared_with(partner) {
            organisations.extend(known.summary.everyone());
            items.push(Item { reference: ItemRef::Space(known.space), id: known.item });
        }
        for (space, id) in self.summaries.parted_from(partner) {
            items.push(Item { reference: ItemRef::Space(space), id });
        }
        let identities = organisations.iter().filter_map(|one| self.identities.get(one));
        items.extend(identities.map(identity_item));
        items
    }

    /// The spaces that `partner` and this organisation are members of now.
    pub(super) fn shared_with(&self, partner: &OrganisationId) -> impl Iterator<Item = &Known> {
        let own = self.organisation();
        self.summaries.of(partner).filter(move |known| known.summary.role(&own).is_some())
    }

    /// Who carries spaces that `partner` and this organisation share, without reading them, and how
    /// many of them.
    #[must_use]
    pub fn carriers(&self, partner: &OrganisationId) -> BTreeMap<OrganisationId, u64> {
        let mut carriers = BTreeMap::new();
        for known in self.shared_with(partner) {
            for (member, _) in
                known.summary.members.iter().filter(|(_, role)| *role == Role::Carrier)
            {
                *carriers.entry(*member).or_default() += 1;
            }
        }
        carriers.remove(partner);
        carriers.remove(&self.organisation());
        carriers
    }

    /// How many spaces `partner` and this organisation are members of now.
    #[must_use]
    pub fn shared_count(&self, partner: &OrganisationId) -> u64 {
        self.shared_with(partner).count() as u64
    }

    /// Spaces of which this node lacks keys.
    pub fn lacking_spaces(&self) -> impl Iterator<Item = &Summary> {
        let own = self.organisation();
        let known = self.summaries.iter().map(|(_, summary)| summary);
        known.filter(move |summary| summary.lacking > 0 && summary.role(&own).is_some())
    }

    /// Whether `partner` may be told of `reference`.
    #[must_use]
    pub fn may_show(&self, partner: &OrganisationId, reference: &ItemRef) -> bool {
        match reference {
            ItemRef::Space(space) => {
                let summary = self.summaries.get(space);
                summary.is_some_and(|summary| summary.role(partner).is_some())
                    && self.own_role(space).is_some()
            }
            ItemRef::Identity(organisation) => {
                organisation == partner
                    || *partner == self.organisation()
                    || *organisation == self.organisation()
                    || self
                        .shared_with(partner)
                        .any(|known| known.summary.everyone().any(|one| one == organisation))
            }
        }
    }

    /// Where the logs of a space stand, as far as `partner` may know: all of it to a member, the
    /// access log up to its own removal and the logs of its own nodes to a former member, and to
    /// whoever was admitted on a branch that does not hold, or on one of two that contradict each
    /// other; nothing to anyone else.
    ///
    /// A node of a former member tells of its own removal the other machines of its organisation,
    /// and the owner: the machine that signed it may be lost, and with it the only other word of
    /// it. It tells others of theirs: it may be the only one that they meet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn heads_for(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
        space: &SpaceId,
    ) -> Result<Option<SpaceHeads>, ReplicaError> {
        let own = self.organisation();
        let summary = self.summaries.get(space).filter(|summary| !summary.is_aside);
        let Some(owner) = summary.map(|summary| summary.owner) else {
            return Ok(None);
        };
        let is_former = self.own_role(space).is_none();
        if is_former && *partner == owner {
            return self.farewell_for(disk, &own, space);
        }
        if !self.may_show(partner, &ItemRef::Space(*space)) {
            let farewell = self.farewell_for(disk, partner, space)?;
            return self.with_parting(disk, partner, space, farewell);
        }
        let mut lacking = self.wanted_keys(disk, space)?;
        // The rest is named when these have come; heads must fit a frame.
        lacking.truncate(limits::KEYS_NAMED_MAX);
        let authors = self.settled_heads(disk, space)?;
        let state = self.space(disk, space)?;
        let access = state.access.position();
        let forks = state.proven_forks();
        let ends = state.access.ends().collect();
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let receipts = self.shown_receipts(state);
        let mut missing = self.missing_within(space, &authors);
        // As with keys.
        missing.truncate(limits::MISSING_NAMED_MAX);
        let absent = SpaceHeads::absent(*space);
        Ok(Some(SpaceHeads { access, authors, lacking, forks, receipts, ends, missing, ..absent }))
    }

    /// The access log up to the removal of `organisation`, and what its own nodes wrote: in author
    /// logs, and as those of an owner of before.
    fn farewell_for(
        &mut self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
        space: &SpaceId,
    ) -> Result<Option<SpaceHeads>, ReplicaError> {
        let state = self.space(disk, space)?;
        let removed = state.access.farewell(organisation);
        let (contradicted, end) = state.access.contradiction_for(organisation).unzip();
        let overruled = self.overruled_for(disk, organisation, space)?;
        let access = [removed, contradicted, overruled].into_iter().flatten();
        let Some(access) = access.max_by_key(|end| end.length) else { return Ok(None) };
        let mut authors = self.settled_heads(disk, space)?;
        let state = self.space(disk, space)?;
        authors.retain(|(author, _)| state.author(author) == Some(*organisation));
        let absent = SpaceHeads::absent(*space);
        let access_of = &state.access;
        let ends = end.flatten().into_iter().chain(access_of.ends_by(organisation)).collect();
        Ok(Some(SpaceHeads { access, authors, is_farewell: true, ends, ..absent }))
    }

    /// The farewell of `partner`, or where it has none that of this organisation as far as the two
    /// parted, with the branches that the removed one of them wrote: both are to know these.
    fn with_parting(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
        space: &SpaceId,
        farewell: Option<SpaceHeads>,
    ) -> Result<Option<SpaceHeads>, ReplicaError> {
        let own = self.organisation();
        let access = &self.space(disk, space)?.access;
        let Some(parting) = access.parting(&own, partner) else { return Ok(farewell) };
        let written: Vec<_> = access.ends_by(&parting.removed).collect();
        let told = if farewell.is_none() && parting.removed == own {
            let heads = self.farewell_for(disk, &own, space)?;
            heads.map(|heads| SpaceHeads { access: parting.position, ends: Vec::new(), ..heads })
        } else {
            farewell
        };
        Ok(told.map(|mut heads| {
            heads.ends.extend(written);
            heads.ends.sort_unstable();
            heads.ends.dedup();
            heads.ends.truncate(limits::ACCESS_ENDS_MAX);
            heads
        }))
    }

    /// Access entries from `from` to before `to`, at most `bytes_max` of them and at least one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn access_entries(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        from: u64,
        to: u64,
        bytes_max: usize,
    ) -> Result<Vec<AccessEntry>, ReplicaError> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let (start, end) = (keys::numbered(space, from), keys::numbered(space, to));
        self.scan(disk, Table::Access, &start, &end, &mut |_, value| {
            bytes += value.len();
            if bytes > bytes_max && !entries.is_empty() {
                return ControlFlow::Break(());
            }
            entries.extend(minicbor::decode::<AccessEntry>(value));
            ControlFlow::Continue(())
        })?;
        Ok(entries)
    }

    /// The owners that signed these entries of the access log, each with how much of its identity
    /// log it takes to judge them. Of a space in memory no other entries are read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn signers(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        places: Range<u64>,
    ) -> Result<BTreeMap<OrganisationId, u64>, ReplicaError> {
        let known = self.spaces.get(space).map(|state| &state.access);
        let mut owner = known.map(|access| access.owner_before(places.start));
        let from = if known.is_some() { places.start } else { 0 };
        let mut signers = BTreeMap::new();
        let (start, end) = (keys::numbered(space, from), keys::numbered(space, places.end));
        self.scan(disk, Table::Access, &start, &end, &mut |_, value| {
            let Ok(AccessEntry { statement, .. }) = minicbor::decode(value) else {
                return ControlFlow::Continue(());
            };
            match statement.operation {
                AccessOperation::Create { owner: next, .. }
                | AccessOperation::Take { organisation: next } => owner = Some(next),
                _ => {}
            }
            if let Some(owner) = owner.filter(|_| places.contains(&statement.sequence)) {
                let length = signers.entry(owner).or_insert(0);
                *length = statement.term.saturating_add(1).max(*length);
            }
            ControlFlow::Continue(())
        })?;
        Ok(signers)
    }

    /// Everyone who owns or owned a space that is here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn owners(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<BTreeSet<OrganisationId>, ReplicaError> {
        if let Some(state) = self.spaces.get(space) {
            return Ok(state.access.owners().collect());
        }
        Ok(self.signers(disk, space, 0..u64::MAX)?.into_keys().collect())
    }

    /// Sealed keyrings for a partner: of those it asks for, what is here and meant for its nodes,
    /// or all of them when it carries the space.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn sealed_for(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
        space: &SpaceId,
        wanted: &BTreeSet<[u8; 32]>,
    ) -> Result<Vec<Vec<u8>>, ReplicaError> {
        let role = self.summaries.get(space).and_then(|summary| summary.role(partner));
        let Some(role) = role else { return Ok(Vec::new()) };
        let places: Vec<_> = self.space(disk, space)?.access.keyrings();
        let mut found = Vec::new();
        for (node, _, hash) in places {
            let is_theirs = self.certified.is_held(&node, partner);
            if (is_theirs || role == Role::Carrier) && wanted.contains(&hash) {
                found.extend(self.read(disk, Table::Sealed, &keys::hashed(space, &hash))?);
            }
        }
        Ok(found)
    }

    /// Hashes of the keyrings sealed to nodes of `partner` in access entries from `from` on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn keyrings_since(
        &mut self,
        disk: &dyn Storage,
        partner: &OrganisationId,
        space: &SpaceId,
        from: u64,
    ) -> Result<BTreeSet<[u8; 32]>, ReplicaError> {
        let keyrings: Vec<_> = self.space(disk, space)?.access.keyrings();
        let carries = self.summaries.get(space).and_then(|summary| summary.role(partner))
            == Some(Role::Carrier);
        Ok(keyrings
            .into_iter()
            .filter(|(node, position, _)| {
                *position >= from && (carries || self.certified.is_held(node, partner))
            })
            .map(|(_, _, hash)| hash)
            .collect())
    }

    /// A run of an author's entries from `from` on, about `bytes_max` long, ending at an entry
    /// whose signature is here; nothing when there is none. A forked log is read up to its fork, or
    /// to the first signature behind it when only that one proves what comes before.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn read_run(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        from: u64,
        bytes_max: usize,
    ) -> Result<Option<Run>, ReplicaError> {
        let state = self.space(disk, space)?;
        let Some(length) = state.heads.get(author).map(|head| head.position.length) else {
            return Ok(None);
        };
        let fork = state.forks.get(author).copied().filter(|fork| *fork < length);
        let end = fork.unwrap_or(length);
        let run = self.build_run(disk, (space, author), from..end, bytes_max)?;
        if run.is_some() || fork.is_none_or(|fork| from >= fork) {
            return Ok(run);
        }
        self.build_run(disk, (space, author), from..length, 1)
    }

    /// Whether the log of an author that is here goes through `position`.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn goes_through(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        position: &LogPosition,
    ) -> Result<bool, ReplicaError> {
        let Some(last) = position.length.checked_sub(1) else { return Ok(true) };
        let head = self.space(disk, space)?.heads.get(author).copied();
        match head.filter(|head| position.length <= head.position.length) {
            Some(head) => Ok(self.hash_at(disk, space, author, head, last)? == position.head),
            None => Ok(false),
        }
    }

    /// The branch of an author's forked log that is here, from where it parts on, as far as the
    /// first signature: what the proof of the fork contradicts.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn forked_run(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        sequence: u64,
    ) -> Result<Option<Run>, ReplicaError> {
        let state = self.space(disk, space)?;
        let length = state.heads.get(author).map_or(0, |head| head.position.length);
        self.build_run(disk, (space, author), sequence..length, 1)
    }

    pub(super) fn build_run(
        &self,
        disk: &dyn Storage,
        (space, author): (&SpaceId, &NodeId),
        range: Range<u64>,
        bytes_max: usize,
    ) -> Result<Option<Run>, ReplicaError> {
        let mut builder = RunBuilder::new(bytes_max);
        let [start, end] = [range.start, range.end].map(|place| keys::entry(space, author, place));
        self.scan(disk, Table::Entries, &start, &end, &mut |_, value| builder.push(value))?;
        Ok(builder.finish(*space, *author, range.start))
    }
}

fn identity_item(identity: &Identity) -> Item {
    let organisation = identity.organisation();
    let heads: Vec<_> = identity.heads().collect();
    let mut parts: Vec<&[u8]> = vec![organisation.as_bytes()];
    parts.extend(heads.iter().map(|head| head.as_bytes().as_slice()));
    Item { reference: ItemRef::Identity(organisation), id: Domain::SYNC_ITEM.hash(&parts) }
}

/// Collects stored entries into a run, and remembers the last one that can end it.
pub(super) struct RunBuilder {
    bytes_max: usize,
    bytes: usize,
    entries: Vec<RunEntry>,
    end: Option<(usize, crate::crypto::Signature)>,
    last: Option<(crate::log::AccessPoint, u64)>,
}

impl RunBuilder {
    /// For a run of about so many bytes.
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: 0, entries: Vec::new(), end: None, last: None }
    }

    /// Takes the next stored entry; breaks off where one cannot be read or the run is full.
    pub(super) fn push(&mut self, value: &[u8]) -> ControlFlow<()> {
        let Some(stored) = super::stored::StoredEntry::decode(value) else {
            return ControlFlow::Break(());
        };
        let size = stored.body.weight() + 64;
        let is_full =
            self.bytes + size > self.bytes_max || self.entries.len() >= limits::RUN_ENTRIES_MAX;
        if is_full && self.end.is_some() {
            return ControlFlow::Break(());
        }
        self.bytes += size;
        let current = (stored.access, stored.epoch);
        let (access, epoch) = match self.last.replace(current) {
            Some((access, epoch)) => (
                (access != stored.access).then_some(stored.access),
                (epoch != stored.epoch).then_some(stored.epoch),
            ),
            None => (Some(stored.access), Some(stored.epoch)),
        };
        self.entries.push(RunEntry { access, epoch, body: stored.body });
        if let Some(signature) = stored.signature {
            self.end = Some((self.entries.len(), signature));
        }
        ControlFlow::Continue(())
    }

    /// The run as far as a signature was met.
    pub(super) fn finish(mut self, space: SpaceId, author: NodeId, start: u64) -> Option<Run> {
        let (length, signature) = self.end?;
        self.entries.truncate(length);
        Some(Run { space, author, start, entries: self.entries, signature })
    }
}

/// The bytes of a proof that travels: a run as it was received.
#[must_use]
pub fn decode_proof(bytes: &[u8]) -> Option<Run> {
    codec::decode_bounded(bytes, limits::FRAME_BYTES_MAX).ok()
}
