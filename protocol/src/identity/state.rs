//! The state of an organisation's keys after the entries of its log that are known.
//!
//! An identity log is signed with a root key, and a root key is words on paper: two people can use
//! them at two machines that have not heard of each other, and whoever took them can say one thing
//! here and another there. So the entries of a log make a tree, and nothing that a root key in
//! force signed is lost:
//!
//! - All branches whose root key was rotated as often as any is are *in force*. What they say
//!   counts together: a node is certified when one of them says so, and revoked when one of them
//!   does. So replicas that know the same entries say the same, whatever came first.
//! - A rotation of the root key sets every branch aside that parts from it before and is not
//!   rotated as often: a former root key is worth nothing. Only the key that the entry before
//!   committed to can rotate, so who stole the root key of now cannot set anything aside.
//! - New entries go on with the longest branch in force, so that their places are later than all
//!   others. Whoever signs there next unites the others with it ([`IdentityOperation::Unite`]):
//!   then what they say is said there, too, and outlasts a rotation.
//!
//! Deliberately absent: who is told of a fork, and where entries are stored (`replica`).

use super::branch::Branch;
use super::choice;
use super::facts::{Facts, NodeStanding, Primary};
use super::operation::{IdentityEntry, IdentityOperation, IdentityStatement, VERSION};
use crate::crypto::{Domain, RootKey, RootPublic, SealingPublic};
use crate::ids::{EntryHash, NodeId, OrganisationId};
use crate::limits;
use crate::log::LogPosition;
use std::collections::{BTreeMap, BTreeSet};

/// Why an entry does not extend an identity log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The entry is of a format this program does not know.
    #[error("the identity entry has an unknown version; update this program")]
    Version,
    /// The entry belongs to another log or place.
    #[error("the identity entry does not follow the log it is offered for")]
    Chain,
    /// A signature does not hold.
    #[error("a signature of the identity entry does not hold")]
    Signature,
    /// The operation makes no sense at its place.
    #[error("the identity operation is not possible at its place")]
    Operation,
    /// The log is longer than its limit.
    #[error("the identity log is longer than its limit")]
    TooLong,
    /// The root key in force signed as many entries as one may, and can only be changed.
    #[error("the root key in force has signed as many entries as one may")]
    RootSpent,
    /// The log was forked more often than is kept.
    #[error("the identity log has more branches than are kept")]
    Branches,
}

/// An organisation as its identity log describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    organisation: OrganisationId,
    /// The branch that new entries go on with.
    first: Branch,
    /// The others: those in force, then those that are not.
    others: Vec<Branch>,
    /// How many of all are in force.
    count: usize,
    /// What counts of all branches together, where there is more than one.
    united: Option<Box<Facts>>,
}

impl Identity {
    /// The id of the organisation whose first root key is `root`; `next` is the commitment to the
    /// one after it. Both are in it, so that a log has one beginning.
    #[must_use]
    pub fn organisation_id(root: &RootPublic, next: &[u8; 32]) -> OrganisationId {
        OrganisationId::from_bytes(Domain::ORGANISATION_ID.hash(&[root.as_bytes(), next]))
    }

    /// The first entry of an organisation's log.
    #[must_use]
    pub fn found(root: &RootKey, next: &RootPublic) -> IdentityEntry {
        let (public, next_root) = (root.public(), next.commitment());
        IdentityStatement {
            version: VERSION,
            organisation: Self::organisation_id(&public, &next_root),
            sequence: 0,
            previous: EntryHash::ZERO,
            operation: IdentityOperation::Genesis { root: public, next_root },
        }
        .sign(root)
    }

    /// The state after the first entry.
    ///
    /// # Errors
    /// When the entry is not a well-signed genesis of the organisation it names.
    pub fn begin(entry: &IdentityEntry) -> Result<Self, IdentityError> {
        let IdentityOperation::Genesis { root, next_root } = &entry.statement.operation else {
            return Err(IdentityError::Operation);
        };
        let organisation = Self::organisation_id(root, next_root);
        let first = Branch::begin(organisation, entry)?;
        Ok(Self { organisation, first, others: Vec::new(), count: 1, united: None })
    }

    /// The state after consecutive entries, of whatever branches, each after the one it follows.
    ///
    /// # Errors
    /// As [`Self::begin`] and [`Self::apply`].
    pub fn read(entries: &[IdentityEntry]) -> Result<Self, IdentityError> {
        let (first, rest) = entries.split_first().ok_or(IdentityError::Chain)?;
        let mut identity = Self::begin(first)?;
        let passed_over = identity.take_with(rest)?;
        passed_over.map(|()| identity)
    }

    /// The statement that would come next with `operation`; the root key has still to sign it.
    #[must_use]
    pub fn draft(&self, operation: IdentityOperation) -> IdentityStatement {
        let LogPosition { length, head } = self.position();
        IdentityStatement {
            version: VERSION,
            organisation: self.organisation,
            sequence: length,
            previous: head,
            operation,
        }
    }

    /// A rotation to `root`, which must be the key committed to; `next` is the one after it.
    #[must_use]
    pub fn draft_rotation(&self, root: &RootKey, next: &RootPublic) -> IdentityStatement {
        let LogPosition { length, head } = self.position();
        let message = IdentityStatement::acceptance_message(&self.organisation, length, &head);
        self.draft(IdentityOperation::RotateRoot {
            root: root.public(),
            next_root: next.commitment(),
            acceptance: root.sign(Domain::ROOT_ACCEPTANCE, &message),
        })
    }

    /// Takes one verified entry that follows any that is known; one that is known itself changes
    /// nothing, and on error nothing has changed.
    ///
    /// # Errors
    /// [`IdentityError`] says what does not hold.
    pub fn apply(&mut self, entry: &IdentityEntry) -> Result<(), IdentityError> {
        self.apply_all(std::slice::from_ref(entry))
    }

    /// As [`Self::apply`] for each of `entries`; on error those before the one that does not hold
    /// may have been taken.
    ///
    /// # Errors
    /// [`IdentityError`] says what does not hold.
    pub fn apply_all(&mut self, entries: &[IdentityEntry]) -> Result<(), IdentityError> {
        let mut branches: Vec<_> = self.branches().cloned().collect();
        let mut taken = entries.iter();
        let outcome = taken.try_for_each(|entry| self.extend(&mut branches, entry));
        let fits = self.arrange_within(branches, entries);
        outcome.and(if fits { Ok(()) } else { Err(IdentityError::Branches) })
    }

    /// As [`Self::apply_all`], then as [`Self::settle`]. Goes on after what follows nothing that is
    /// known or finds no room: whoever tells it may keep a branch that was set aside and is not
    /// taken here, and that must hold up nothing of the others.
    ///
    /// # Errors
    /// As [`Self::apply_all`] for what does not hold whatever is known; the other value is why
    /// something was passed over.
    pub fn take_all(
        &mut self,
        entries: &[IdentityEntry],
        before: Option<&Self>,
    ) -> Result<Result<(), IdentityError>, IdentityError> {
        let mut taken = self.clone();
        let mut outcome = taken.take_with(entries)?;
        taken.settle(before);
        let branches = taken.branches().cloned().collect();
        if taken.arrange_within(branches, entries) {
            *self = taken;
        } else {
            outcome = Err(IdentityError::Branches);
        }
        Ok(outcome)
    }

    fn take_with(
        &mut self,
        entries: &[IdentityEntry],
    ) -> Result<Result<(), IdentityError>, IdentityError> {
        let mut branches: Vec<_> = self.branches().cloned().collect();
        let mut passed_over = Ok(());
        let mut taken = entries.iter();
        let outcome = taken.try_for_each(|entry| match self.extend(&mut branches, entry) {
            Err(error @ (IdentityError::Chain | IdentityError::Branches)) => {
                passed_over = Err(error);
                Ok(())
            }
            other => other,
        });
        self.arrange(branches);
        outcome.map(|()| passed_over)
    }

    fn extend(
        &self,
        branches: &mut Vec<Branch>,
        entry: &IdentityEntry,
    ) -> Result<(), IdentityError> {
        let statement = &entry.statement;
        if statement.organisation != self.organisation {
            return Err(IdentityError::Chain);
        }
        let hash = statement.hash();
        if branches.iter().any(|branch| branch.knows(statement.sequence, &hash)) {
            return Ok(());
        }
        let place = LogPosition { length: statement.sequence, head: statement.previous };
        let others = others(branches, statement)?;
        if let Some(branch) = branches.iter_mut().find(|branch| branch.position() == place) {
            return branch.apply(entry, &others);
        }
        let last = place.length.checked_sub(1).ok_or(IdentityError::Chain)?;
        let known = branches.iter().find(|branch| branch.knows(last, &place.head));
        let parted = known.and_then(|branch| branch.before(place.length));
        let mut branch = parted.ok_or(IdentityError::Chain)?;
        branch.apply(entry, &others)?;
        if branches.len() >= limits::IDENTITY_BRANCHES_OPEN_MAX {
            return Err(IdentityError::Branches);
        }
        branches.push(branch);
        Ok(())
    }

    /// Forgets what was added since `before` to branches that are set aside: a former root key says
    /// nothing new. What counted once is remembered as set aside.
    pub fn settle(&mut self, before: Option<&Self>) {
        // Of those under the root key in force each may come to count.
        let of_now = |branch: &&Branch| branch.generation() == self.first.generation();
        self.keep(self.branches().filter(of_now).count(), before);
    }

    /// Keeps the first `count` branches, what was known `before`, and what these unite.
    fn keep(&mut self, count: usize, before: Option<&Self>) {
        let branches: Vec<_> = self.branches().collect();
        let places = branches.iter().enumerate();
        let mut lengths: Vec<u64> =
            places.map(|(place, one)| if place < count { one.length() } else { 0 }).collect();
        let known = before.into_iter().flat_map(Self::branches);
        for branch in known {
            keep_up_to(&branches, &mut lengths, &branch.position().head);
        }
        let mut has_grown = true;
        while has_grown {
            has_grown = false;
            for (branch, length) in branches.iter().zip(lengths.clone()) {
                for head in branch.united_before(length) {
                    has_grown |= keep_up_to(&branches, &mut lengths, head);
                }
            }
        }
        let kept =
            branches.iter().zip(lengths).filter_map(|(branch, length)| branch.before(length));
        self.arrange(leaves(kept.collect()));
    }

    /// Takes the place of what is known with so many of `branches` as are kept, among them those to
    /// which `entries` belong; nothing has changed when these are too many.
    fn arrange_within(&mut self, mut branches: Vec<Branch>, entries: &[IdentityEntry]) -> bool {
        let count = choice::order(&mut branches);
        let ends: BTreeSet<_> = entries.iter().map(|entry| entry.statement.hash()).collect();
        let fits = choice::let_go(&mut branches, count, |one| ends.contains(&one.position().head))
            || choice::let_go(&mut branches, count, |_| false);
        if fits {
            self.arrange(branches);
        }
        fits
    }

    /// What somebody learns of it who has never heard of it: without what is set aside and named by
    /// no union.
    #[must_use]
    pub fn as_told_first(&self) -> Self {
        let mut told = self.clone();
        told.keep(self.count, None);
        told
    }

    /// Puts branches into the order that all replicas know, and unites what counts of them.
    fn arrange(&mut self, mut branches: Vec<Branch>) {
        self.count = choice::order(&mut branches);
        let mut branches = branches.into_iter();
        let Some(first) = branches.next() else { return };
        (self.first, self.others) = (first, branches.collect());
        self.united = (!self.others.is_empty()).then(|| Box::new(self.unite()));
    }

    fn unite(&self) -> Facts {
        let mut united = self.first.facts().clone();
        for branch in self.in_force().skip(1) {
            united.unite(branch.facts());
        }
        for branch in self.set_aside() {
            united.note_set_aside(branch.facts(), self.first.common(branch));
        }
        united
    }

    fn branches(&self) -> impl Iterator<Item = &Branch> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub(super) fn is_signed_lately(&self, entry: &IdentityEntry) -> bool {
        self.first.is_signed_lately(entry)
    }

    pub(super) fn in_force(&self) -> impl Iterator<Item = &Branch> {
        self.branches().take(self.count)
    }

    pub(super) fn set_aside(&self) -> impl Iterator<Item = &Branch> {
        self.branches().skip(self.count)
    }

    pub(super) fn facts(&self) -> &Facts {
        self.united.as_deref().unwrap_or_else(|| self.first.facts())
    }

    /// The organisation.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// How many entries the longest branch in force has.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.first.length()
    }

    /// Where the branch ends that new entries go on with.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        self.first.position()
    }

    /// The last entry of each branch in force, in an order that all replicas know.
    pub fn heads(&self) -> impl Iterator<Item = EntryHash> {
        self.in_force().map(|branch| branch.position().head)
    }

    /// Whether the log, or a branch of it, goes through `position`.
    #[must_use]
    pub fn goes_through(&self, position: &LogPosition) -> bool {
        match position.length.checked_sub(1) {
            Some(last) => self.branches().any(|branch| branch.knows(last, &position.head)),
            None => true,
        }
    }

    /// From where on it is to be sent to whoever has it up to `theirs`: from where the first of its
    /// branches leaves theirs, all of it where that is not known here.
    #[must_use]
    pub fn going_on_from(&self, theirs: &LogPosition) -> u64 {
        let Some(last) = theirs.length.checked_sub(1) else { return 0 };
        let known = self.branches().find(|branch| branch.knows(last, &theirs.head));
        let Some(known) = known else { return 0 };
        let told = self.as_told_first();
        let common = told.branches().map(|branch| branch.common(known));
        common.min().unwrap_or(0).min(theirs.length)
    }

    /// Whether this very statement is known.
    #[must_use]
    pub fn knows(&self, statement: &IdentityStatement) -> bool {
        let hash = statement.hash();
        self.branches().any(|branch| branch.knows(statement.sequence, &hash))
    }

    /// Whether there is more than one branch: what stands at one length says nothing of the rest.
    #[must_use]
    pub fn has_branches(&self) -> bool {
        !self.others.is_empty()
    }

    /// The ends of the branches in force beside the first that nobody united with it yet.
    pub fn divided(&self) -> impl Iterator<Item = EntryHash> {
        let united: BTreeSet<_> = self.first.united().collect();
        let ends = self.in_force().skip(1).map(|branch| branch.position().head);
        ends.filter(move |end| !united.contains(end))
    }

    /// Whether branches can be united with the one that new entries go on with.
    #[must_use]
    pub fn has_room_to_unite(&self) -> bool {
        self.first.has_room_to_unite()
    }

    /// Whether two statements at one place are in force that nobody united yet.
    #[must_use]
    pub fn is_divided(&self) -> bool {
        self.divided().next().is_some()
    }

    /// Organisations that some of the branches in force name as taking this one's place, and others
    /// do not: they were declared apart.
    #[must_use]
    pub fn successors_apart(&self) -> Vec<OrganisationId> {
        let is_apart = |one: &&OrganisationId| {
            self.in_force().any(|branch| !branch.facts().successors.contains_key(*one))
        };
        self.successors().keys().filter(is_apart).copied().collect()
    }

    /// How often the root key was rotated: which key of the recovery words is in force.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.first.generation()
    }

    /// The root key in force.
    #[must_use]
    pub const fn root(&self) -> &RootPublic {
        self.first.root()
    }

    /// Whether the organisation ever certified `node`, revoked or not.
    #[must_use]
    pub fn has_certified(&self, node: &NodeId) -> bool {
        self.facts().nodes.contains_key(node)
    }

    /// Whether `node` speaks for the organisation now.
    #[must_use]
    pub fn is_active(&self, node: &NodeId) -> bool {
        self.facts().nodes.get(node).is_some_and(|standing| standing.revoked_at.is_none())
    }

    /// The nodes that speak for the organisation now, with their sealing keys.
    pub fn active_nodes(&self) -> impl Iterator<Item = (&NodeId, &SealingPublic)> {
        self.nodes()
            .filter(|(_, standing)| standing.revoked_at.is_none())
            .map(|(node, standing)| (node, &*standing.sealing))
    }

    /// Every node ever certified.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeId, &NodeStanding)> {
        self.facts().nodes.iter()
    }

    /// The node that writes the organisation's access logs now: of several branches the one that
    /// was named last, of two at one place that of the first branch.
    #[must_use]
    pub fn primary(&self) -> Option<Primary> {
        let ranked = self.facts().primaries.iter().rev();
        ranked.max_by_key(|primary| primary.term).copied()
    }

    /// Whether `node` was named primary at position `term` by a branch in force.
    #[must_use]
    pub fn is_primary_of_term(&self, term: u64, node: &NodeId) -> bool {
        self.facts().primaries.contains(&Primary { node: *node, term })
    }

    /// The organisations this one says take its place, and where it says so.
    #[must_use]
    pub fn successors(&self) -> &BTreeMap<OrganisationId, u64> {
        &self.facts().successors
    }

    /// The organisations this one says it takes the place of, and where it says so.
    #[must_use]
    pub fn predecessors(&self) -> &BTreeMap<OrganisationId, u64> {
        &self.facts().predecessors
    }
}

/// What the branches say that a statement unites with its own.
fn others(branches: &[Branch], statement: &IdentityStatement) -> Result<Facts, IdentityError> {
    let mut others = Facts::default();
    let IdentityOperation::Unite { heads } = &statement.operation else { return Ok(others) };
    if heads.is_empty() || heads.len() > limits::IDENTITY_BRANCHES_MAX {
        return Err(IdentityError::Operation);
    }
    for head in heads {
        let branch = up_to(branches.iter(), head).ok_or(IdentityError::Chain)?;
        // Whoever reads entries in the order of their places has these before.
        if branch.length() > statement.sequence {
            return Err(IdentityError::Operation);
        }
        others.unite(branch.facts());
    }
    Ok(others)
}

fn up_to<'a>(mut branches: impl Iterator<Item = &'a Branch>, head: &EntryHash) -> Option<Branch> {
    branches.find_map(|branch| branch.before(branch.length_up_to(head)?))
}

/// Has the first branch with this entry kept as far as it; returns whether it was not.
fn keep_up_to(branches: &[&Branch], lengths: &mut [u64], head: &EntryHash) -> bool {
    let mut places = branches.iter().zip(lengths);
    let found = places.find_map(|(branch, kept)| Some((branch.length_up_to(head)?, kept)));
    let Some((length, kept)) = found.filter(|(length, kept)| length > *kept) else { return false };
    *kept = length;
    true
}

/// Those branches that are not part of another.
fn leaves(branches: Vec<Branch>) -> Vec<Branch> {
    let mut leaves: Vec<Branch> = Vec::with_capacity(branches.len());
    for branch in branches {
        if !leaves.iter().any(|leaf| leaf.common(&branch) == branch.length()) {
            leaves.retain(|leaf| leaf.common(&branch) < leaf.length());
            leaves.push(branch);
        }
    }
    leaves
}
