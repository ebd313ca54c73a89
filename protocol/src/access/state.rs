//! The state of a space's access after a prefix of its log.

use super::erasure::{self, Erasures};
use super::error::AccessError;
use super::member::{Interval, Member};
use super::operation::{
    AccessEntry, AccessOperation, AccessStatement, Cut, History, Recipient, Role, Rotation, VERSION,
};
use super::parting::Removals;
use super::reading::Stretch;
use super::settled::{self, Settled};
use crate::codec;
use crate::crypto::{Domain, KeyCommitment};
use crate::identity::{Identities, Identity};
use crate::ids::{EntryHash, NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::log::{AccessPoint, LogPosition};
use std::collections::{BTreeMap, BTreeSet};

/// Whether the signature of an entry is still to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// It comes from somebody else.
    Check,
    /// It was taken once, and is looked at again.
    Again,
    /// It was checked before this node kept it, or this node made it.
    Known,
}

/// A key epoch as the access log describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Commitment to the key.
    pub commitment: KeyCommitment,
    /// The previous key, wrapped under this one.
    pub previous: Option<Vec<u8>>,
    /// Position of the entry that began it.
    pub position: u64,
    /// Whether its maker lacked the previous key, of which nothing in the log bars its readers.
    pub follows_loss: bool,
}

/// Who founded a space: the primary of an organisation, in one of its terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Founder {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its node.
    pub author: NodeId,
    /// The position in its identity log that named this node primary.
    pub term: u64,
}

/// A space as its access log describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    space: SpaceId,
    founder: Founder,
    owner: OrganisationId,
    members: BTreeMap<OrganisationId, Member>,
    epochs: Vec<Epoch>,
    cut_nodes: BTreeMap<NodeId, Cut>,
    /// Positions of the entries that cut them.
    cut_at: BTreeMap<NodeId, u64>,
    settled: Settled,
    recipients: BTreeMap<NodeId, Vec<(u64, [u8; 32])>>,
    /// To whom and where each keyring was sealed.
    sealed: BTreeMap<[u8; 32], (NodeId, u64)>,
    hashes: Vec<EntryHash>,
    term: u64,
    offered: Option<OrganisationId>,
    /// Owners before the one of now, each with the position of the entry that took its place.
    replaced: Vec<(OrganisationId, u64)>,
    pub(super) removals: Removals,
    pub(super) reading: BTreeMap<OrganisationId, Vec<Stretch>>,
    erasures: Erasures,
}

impl Access {
    /// The state after the first entry.
    ///
    /// # Errors
    /// When the entry is not a well-signed creation of the space it names.
    pub fn begin(entry: &AccessEntry, identities: &Identities) -> Result<Self, AccessError> {
        Self::begin_with(entry, identities, Signatures::Check)
    }

    /// As [`Access::begin`]; `signatures` says whether this one was checked before.
    ///
    /// # Errors
    /// As [`Access::begin`].
    pub fn begin_with(
        entry: &AccessEntry,
        identities: &Identities,
        signatures: Signatures,
    ) -> Result<Self, AccessError> {
        let statement = &entry.statement;
        let AccessOperation::Create { owner: named, salt, rotation } = &statement.operation else {
            return Err(AccessError::Operation);
        };
        let space = AccessEntry::space_id(named, salt);
        if (statement.space, statement.sequence, statement.previous) != (space, 0, EntryHash::ZERO)
        {
            return Err(AccessError::Chain);
        }
        let mut access = Self {
            space,
            founder: Founder {
                organisation: *named,
                author: statement.author,
                term: statement.term,
            },
            owner: *named,
            members: BTreeMap::new(),
            epochs: Vec::new(),
            cut_nodes: BTreeMap::new(),
            cut_at: BTreeMap::new(),
            settled: Settled::default(),
            recipients: BTreeMap::new(),
            sealed: BTreeMap::new(),
            hashes: Vec::new(),
            term: 0,
            offered: None,
            replaced: Vec::new(),
            removals: Removals::default(),
            reading: BTreeMap::new(),
            erasures: Erasures::default(),
        };
        access.check_signer(entry, identities, signatures)?;
        if rotation.previous.is_some() || !access.recipients_fit(&statement.operation) {
            return Err(AccessError::Operation);
        }
        access.open_interval(*named, Role::Contributor);
        access.rotate(rotation, false)?;
        access.finish(statement);
        Ok(access)
    }

    /// The statement that would come next with `operation`.
    #[must_use]
    pub fn draft(&self, author: NodeId, term: u64, operation: AccessOperation) -> AccessStatement {
        AccessStatement {
            version: VERSION,
            space: self.space,
            sequence: self.length(),
            previous: self.position().head,
            author,
            term,
            operation,
        }
    }

    /// The statement that founds a space.
    #[must_use]
    pub fn draft_creation(
        owner: OrganisationId,
        salt: [u8; 16],
        author: NodeId,
        term: u64,
        rotation: Rotation,
    ) -> AccessStatement {
        AccessStatement {
            version: VERSION,
            space: AccessEntry::space_id(&owner, &salt),
            sequence: 0,
            previous: EntryHash::ZERO,
            author,
            term,
            operation: AccessOperation::Create { owner, salt, rotation },
        }
    }

    /// Extends the log by one verified entry; on error nothing has changed.
    ///
    /// # Errors
    /// [`AccessError`] says what does not hold.
    pub fn apply(
        &mut self,
        entry: &AccessEntry,
        identities: &Identities,
    ) -> Result<(), AccessError> {
        self.apply_with(entry, identities, Signatures::Check)
    }

    /// As [`Access::apply`]; `signatures` says whether this one was checked before.
    ///
    /// # Errors
    /// As [`Access::apply`].
    pub fn apply_with(
        &mut self,
        entry: &AccessEntry,
        identities: &Identities,
        signatures: Signatures,
    ) -> Result<(), AccessError> {
        let statement = &entry.statement;
        let place = (statement.space, statement.sequence, statement.previous);
        if place != (self.space, self.length(), self.position().head) {
            return Err(AccessError::Chain);
        }
        if self.hashes.len() >= limits::ACCESS_ENTRIES_MAX {
            return Err(AccessError::TooLong);
        }
        self.check_signer(entry, identities, signatures)?;
        self.check_operation(&statement.operation)?;
        self.perform(&statement.operation)?;
        self.finish(statement);
        Ok(())
    }

    fn check_signer(
        &self,
        entry: &AccessEntry,
        identities: &Identities,
        signatures: Signatures,
    ) -> Result<(), AccessError> {
        let statement = &entry.statement;
        if statement.version != VERSION {
            return Err(AccessError::Version);
        }
        let (signer, oldest_term) = match &statement.operation {
            // Terms count places in the log of one organisation: a new owner's begin anew.
            AccessOperation::Take { organisation } => (*organisation, 0),
            _ => (self.owner, self.term),
        };
        let owner: &Identity = identities.get(&signer).ok_or(AccessError::IdentityBehind)?;
        if statement.term < oldest_term {
            return Err(AccessError::Signer);
        }
        let may_sign = match signatures {
            Signatures::Check => owner.is_primary_of_term(statement.term, &statement.author),
            // What counted when it came stays, also where the owner set its word aside since.
            Signatures::Again => owner.was_primary_of_term(statement.term, &statement.author),
            // That word may not be known any more.
            Signatures::Known => true,
        };
        if !may_sign {
            let is_behind = statement.term >= owner.length();
            let later = is_behind.then_some(AccessError::IdentityBehind);
            return Err(later.unwrap_or(AccessError::Signer));
        }
        let message = codec::encode(statement);
        if message.len() > limits::ACCESS_ENTRY_BYTES_MAX {
            return Err(AccessError::TooLong);
        }
        if signatures == Signatures::Known {
            return Ok(());
        }
        entry
            .signature
            .verify(Domain::ACCESS_SIGNATURE, &statement.author, &message)
            .map_err(|_| AccessError::Signature)
    }

    fn check_operation(&self, operation: &AccessOperation) -> Result<(), AccessError> {
        let possible = match operation {
            AccessOperation::Create { .. } => false,
            AccessOperation::Grant { organisation, role, history, recipients, rotation } => {
                self.grant_is_possible(*organisation, *role)
                    && match (role.reads(), history) {
                        (false, _) => recipients.is_empty() && rotation.is_none(),
                        (true, History::Start) => rotation.is_none(),
                        // A wrapped key would open the past that is to stay closed.
                        (true, History::Now) => {
                            let is_fresh = |rotation: &Rotation| rotation.previous.is_none();
                            recipients.is_empty() && rotation.as_ref().is_some_and(is_fresh)
                        }
                    }
            }
            AccessOperation::Revoke { organisation, cuts, .. } => {
                let nodes: BTreeSet<_> = cuts.iter().map(|cut| cut.node).collect();
                *organisation != self.owner
                    && self.role(organisation).is_some()
                    && nodes.len() == cuts.len()
                    && cuts.len() <= limits::SPACE_AUTHORS_MAX
            }
            AccessOperation::CutNode { cut, .. } => !self.cut_nodes.contains_key(&cut.node),
            AccessOperation::Rotate { .. } => true,
            AccessOperation::Offer { organisation } => {
                *organisation != self.owner && self.role(organisation) == Some(Role::Contributor)
            }
            AccessOperation::Take { organisation } => {
                self.offered == Some(*organisation)
                    && self.role(organisation) == Some(Role::Contributor)
            }
            AccessOperation::Erase { entries, .. } => erasure::is_sound(entries),
            AccessOperation::Settle { node, places } => {
                settled::is_sound(places) && places.len() <= self.settled.room(node)
            }
        };
        let rotation_fits = operation.rotation().is_none_or(|rotation| self.follows(rotation));
        if possible && rotation_fits && self.recipients_fit(operation) {
            Ok(())
        } else {
            Err(AccessError::Operation)
        }
    }

    /// Whether keyrings go to each node once, to not too many, and to none that was cut.
    fn recipients_fit(&self, operation: &AccessOperation) -> bool {
        let recipients = operation.recipients().count();
        let unique: BTreeSet<_> = operation.recipients().map(|one| one.node).collect();
        recipients == unique.len()
            && recipients <= limits::ROTATION_RECIPIENTS_MAX
            && unique.iter().all(|node| !self.cut_nodes.contains_key(node))
    }

    fn grant_is_possible(&self, organisation: OrganisationId, role: Role) -> bool {
        let rises = match self.role(&organisation) {
            None => true,
            // A contributor steps down only by a removal, which records what counts.
            Some(held) => held < role,
        };
        let room = self.members.contains_key(&organisation)
            || self.members.len() < limits::SPACE_MEMBERS_MAX;
        organisation != self.owner && rises && room
    }

    fn follows(&self, rotation: &Rotation) -> bool {
        rotation.epoch == self.epochs.len() as u64
            && rotation.previous.as_ref().is_none_or(|wrapped| wrapped.len() <= 64)
    }

    fn perform(&mut self, operation: &AccessOperation) -> Result<(), AccessError> {
        match operation {
            AccessOperation::Create { .. } => return Err(AccessError::Operation),
            AccessOperation::Grant { organisation, role, recipients, .. } => {
                self.end_interval(*organisation, &[]);
                self.open_interval(*organisation, *role);
                self.note_recipients(recipients);
            }
            AccessOperation::Revoke { organisation, cuts, .. } => {
                self.end_interval(*organisation, cuts);
                for cut in cuts {
                    self.settled.note_cut(cut);
                }
                self.removals.note(self.owner, *organisation, self.length());
            }
            AccessOperation::CutNode { cut, .. } => {
                self.cut_nodes.insert(cut.node, *cut);
                self.cut_at.insert(cut.node, self.length());
                self.settled.note_cut(cut);
            }
            AccessOperation::Settle { node, places } => self.settled.note(*node, places),
            AccessOperation::Rotate { .. } => {}
            AccessOperation::Offer { organisation } => self.offered = Some(*organisation),
            AccessOperation::Take { organisation } => {
                self.replaced.push((self.owner, self.length()));
                self.owner = *organisation;
                self.offered = None;
            }
            AccessOperation::Erase { record, entries } => {
                let position = self.length();
                self.erasures.note(*record, entries, position);
            }
        }
        // Only who is admitted from now on is to be kept from the past.
        let keeps_history = !matches!(operation, AccessOperation::Grant { .. });
        operation.rotation().map_or(Ok(()), |rotation| self.rotate(rotation, keeps_history))
    }

    fn open_interval(&mut self, organisation: OrganisationId, role: Role) {
        let from = self.length();
        let member = self.members.entry(organisation).or_default();
        member.intervals.push(Interval { from, role, ended: None });
    }

    fn end_interval(&mut self, organisation: OrganisationId, cuts: &[Cut]) {
        let position = self.length();
        let last = self.members.get_mut(&organisation).and_then(|one| one.intervals.last_mut());
        if let Some(last) = last.filter(|last| last.ended.is_none()) {
            last.ended = Some((position, cuts.iter().map(|cut| (cut.node, *cut)).collect()));
        }
    }

    fn rotate(&mut self, rotation: &Rotation, keeps_history: bool) -> Result<(), AccessError> {
        if !self.follows(rotation) {
            return Err(AccessError::Operation);
        }
        self.epochs.push(Epoch {
            commitment: rotation.commitment,
            previous: rotation.previous.clone(),
            position: self.length(),
            follows_loss: keeps_history && rotation.previous.is_none(),
        });
        self.note_recipients(&rotation.recipients);
        Ok(())
    }

    fn note_recipients(&mut self, recipients: &[Recipient]) {
        let position = self.length();
        for recipient in recipients {
            let places = self.recipients.entry(recipient.node).or_default();
            places.push((position, recipient.sealed));
            self.sealed.entry(recipient.sealed).or_insert((recipient.node, position));
        }
    }

    fn finish(&mut self, statement: &AccessStatement) {
        self.term = statement.term;
        self.note_readers(&statement.operation);
        self.hashes.push(statement.hash());
    }

    /// The space.
    #[must_use]
    pub const fn space(&self) -> SpaceId {
        self.space
    }

    /// Who founded it.
    #[must_use]
    pub const fn founder(&self) -> Founder {
        self.founder
    }

    /// The owner.
    #[must_use]
    pub const fn owner(&self) -> OrganisationId {
        self.owner
    }

    /// Everyone who owns or owned the space, in the order in which they did.
    pub fn owners(&self) -> impl Iterator<Item = OrganisationId> {
        self.replaced.iter().map(|(owner, _)| *owner).chain(std::iter::once(self.owner))
    }

    /// Who owned the space before the entry at this place.
    #[must_use]
    pub fn owner_before(&self, sequence: u64) -> OrganisationId {
        let replaced = self.replaced.iter().find(|(_, until)| *until >= sequence);
        replaced.map_or(self.owner, |(owner, _)| *owner)
    }

    /// What was erased.
    #[must_use]
    pub const fn erasures(&self) -> &Erasures {
        &self.erasures
    }

    /// The organisation that may take the space over.
    #[must_use]
    pub const fn offered(&self) -> Option<OrganisationId> {
        self.offered
    }

    /// How often the space changed its owner, and the term of the last entry: what decides which
    /// of two branches holds.
    #[must_use]
    pub const fn standing_of_writer(&self) -> (usize, u64) {
        (self.replaced.len(), self.term)
    }

    /// The hashes of all entries.
    #[must_use]
    pub fn hashes(&self) -> &[EntryHash] {
        &self.hashes
    }

    /// How many entries the log has.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Where the log ends.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        let head = self.hashes.last().copied().unwrap_or(EntryHash::ZERO);
        LogPosition { length: self.length(), head }
    }

    /// What an author that has seen the whole log writes into its headers.
    #[must_use]
    pub fn access_point(&self) -> AccessPoint {
        let LogPosition { length, head } = self.position();
        AccessPoint { length, head }
    }

    /// Whether `point` lies on this log.
    #[must_use]
    pub fn contains(&self, point: &AccessPoint) -> bool {
        let index = usize::try_from(point.length).unwrap_or(usize::MAX).checked_sub(1);
        index.and_then(|index| self.hashes.get(index)) == Some(&point.head)
    }

    /// The role of `organisation` now.
    #[must_use]
    pub fn role(&self, organisation: &OrganisationId) -> Option<Role> {
        self.members.get(organisation).and_then(Member::role)
    }

    /// Every organisation that is or was a member.
    #[must_use]
    pub const fn members(&self) -> &BTreeMap<OrganisationId, Member> {
        &self.members
    }

    /// Organisations that are members now, with their roles.
    pub fn current_members(&self) -> impl Iterator<Item = (OrganisationId, Role)> {
        self.members.iter().filter_map(|(id, member)| member.role().map(|role| (*id, role)))
    }

    /// Position after the entry that ended the last membership of `organisation`, when it is not a
    /// member now: how much of the log it may see to learn of its own removal.
    #[must_use]
    pub fn farewell(&self, organisation: &OrganisationId) -> Option<LogPosition> {
        let last = self.members.get(organisation)?.intervals.last()?;
        let (position, _) = last.ended.as_ref()?;
        let head = self.hashes.get(usize::try_from(*position).ok()?)?;
        Some(LogPosition { length: position + 1, head: *head })
    }

    /// The number of the current epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        (self.epochs.len() as u64).saturating_sub(1)
    }

    /// The number of the epoch that was current for whoever had seen `length` entries.
    #[must_use]
    pub(super) fn epoch_seen(&self, length: u64) -> u64 {
        let begun = self.epochs.partition_point(|epoch| epoch.position < length);
        (begun as u64).saturating_sub(1)
    }

    /// The greatest length at which an epoch was the last.
    pub(super) fn last_seen_under(&self, number: u64) -> Option<u64> {
        self.epoch_at(number)?;
        let next = self.epoch_at(number.saturating_add(1));
        Some(next.map_or(self.length(), |next| next.position))
    }

    /// An epoch.
    #[must_use]
    pub fn epoch_at(&self, number: u64) -> Option<&Epoch> {
        usize::try_from(number).ok().and_then(|index| self.epochs.get(index))
    }

    /// All epochs, oldest first.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Which version of each log the owner named.
    #[must_use]
    pub const fn settled(&self) -> &Settled {
        &self.settled
    }

    /// Position of the entry that cut the log of `node`.
    #[must_use]
    pub fn cut_at(&self, node: &NodeId) -> Option<u64> {
        self.cut_at.get(node).copied()
    }

    /// Nodes whose logs were cut.
    #[must_use]
    pub const fn cut_nodes(&self) -> &BTreeMap<NodeId, Cut> {
        &self.cut_nodes
    }

    /// Position and hash of every keyring sealed to `node`.
    #[must_use]
    pub fn keyrings_of(&self, node: &NodeId) -> &[(u64, [u8; 32])] {
        self.recipients.get(node).map_or(&[], Vec::as_slice)
    }

    /// The node to which a keyring was sealed, and the position of the entry that names it.
    #[must_use]
    pub fn keyring(&self, hash: &[u8; 32]) -> Option<(NodeId, u64)> {
        self.sealed.get(hash).copied()
    }

    /// Every keyring that was ever sealed: node, position, hash.
    pub fn keyrings(&self) -> impl Iterator<Item = (NodeId, u64, [u8; 32])> {
        self.recipients.iter().flat_map(|(node, places)| {
            places.iter().map(move |(position, hash)| (*node, *position, *hash))
        })
    }

    /// Nodes that were given the key of the current epoch, by its rotation or by a later grant.
    pub fn holders(&self) -> impl Iterator<Item = NodeId> {
        let since = self.epochs.last().map_or(0, |epoch| epoch.position);
        self.recipients.iter().filter_map(move |(node, places)| {
            places.iter().any(|(position, _)| *position >= since).then_some(*node)
        })
    }
}
