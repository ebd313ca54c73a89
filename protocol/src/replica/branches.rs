//! Access entries beside the branch that holds: kept, chosen among, listed for the owner.
//!
//! Branches are rare: a machine that died, a copy that was started, a space that changed hands. So
//! the tree of all entries is built anew each time one comes, and written down as the path that
//! holds (`Access`) and all the rest (`Branches`).

use super::stored::Head;
use super::{Event, Replica, ReplicaError, keys};
use crate::access::{Access, AccessEntry, AccessError, AccessOperation, Branches, Signatures};
use crate::codec;
use crate::ids::{EntryHash, OrganisationId, SpaceId};
use crate::limits;
use crate::log::LogPosition;
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// An access entry that was validly signed and does not hold: for the owner to do again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its place in the log.
    pub sequence: u64,
    /// What it said.
    pub operation: AccessOperation,
    /// Whether it contradicts what holds: the owner's primary runs twice, and must be replaced.
    pub contradicts: bool,
}

/// Branches of a tree that is looked at: all that may be kept, the one that holds, and the one that
/// comes.
const LEAVES_MAX: usize = limits::ACCESS_ENDS_MAX + 2;

/// Entries of an access log, by the entry that each follows.
struct Tree {
    begin: AccessEntry,
    following: BTreeMap<EntryHash, Vec<(AccessEntry, Signatures)>>,
}

impl Tree {
    /// How many entries there are after the first.
    fn length(&self) -> usize {
        self.following.values().map(Vec::len).sum()
    }

    /// The entries for which something is not true, and those that follow on them.
    fn without(&self, is_left_out: impl Fn(&AccessEntry) -> bool) -> Self {
        let following = self.following.iter().filter_map(|(previous, entries)| {
            let left = entries.iter().filter(|(entry, _)| !is_left_out(entry)).cloned();
            let left: Vec<_> = left.collect();
            (!left.is_empty()).then_some((*previous, left))
        });
        Self { begin: self.begin.clone(), following: following.collect() }
    }

    /// The state at the end of each branch.
    fn leaves(&self, identities: &crate::identity::Identities) -> Result<Vec<Access>, AccessError> {
        let mut open = vec![Access::begin_with(&self.begin, identities, Signatures::Known)?];
        let mut leaves = Vec::new();
        while let Some(mut access) = open.pop() {
            // Along a branch nothing is copied; where it parts, once for each that leaves.
            loop {
                let next = self.following.get(&access.position().head);
                let Some(((entry, signatures), others)) = next.and_then(|next| next.split_first())
                else {
                    break;
                };
                if open.len() + leaves.len() + others.len() > LEAVES_MAX {
                    return Err(AccessError::TooLong);
                }
                for (other, signatures) in others {
                    let mut branch = access.clone();
                    branch.apply_with(other, identities, *signatures)?;
                    open.push(branch);
                }
                access.apply_with(entry, identities, *signatures)?;
            }
            leaves.push(access);
            if leaves.len() > LEAVES_MAX {
                return Err(AccessError::TooLong);
            }
        }
        Ok(leaves)
    }
}

/// A branch that does not hold, as the one that holds has to outrank it.
struct Parted {
    /// How many entries both have.
    at: u64,
    /// Whether the branch that holds comes first when both stand equal.
    wins_ties: bool,
    /// Where the other one stands.
    standing: (usize, u64),
}

impl Parted {
    /// The end of the first entry by which the branch that holds outranks this one.
    fn overruling(&self, holding: &[AccessEntry]) -> Option<LogPosition> {
        let mut taken = 0;
        let mut overrules = |AccessEntry { statement, .. }: &&AccessEntry| {
            taken += usize::from(matches!(statement.operation, AccessOperation::Take { .. }));
            let standing = (taken, statement.term);
            let outranks = standing > self.standing || self.wins_ties && standing == self.standing;
            statement.sequence >= self.at && outranks
        };
        let entry = &holding.iter().find(|entry| overrules(entry))?.statement;
        Some(LogPosition { length: entry.sequence.saturating_add(1), head: entry.hash() })
    }
}

impl Replica {
    /// The branches of a space as they are stored.
    pub(super) fn load_branches(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        signatures: Signatures,
    ) -> Result<Branches, ReplicaError> {
        let holding = self.load_access(disk, space, signatures)?;
        let beside = self.entries_beside(disk, space)?;
        if beside.is_empty() {
            return Ok(holding.into());
        }
        let tree = self.tree(disk, space, beside, signatures)?;
        let leaves = tree.leaves(&self.identities)?;
        Branches::choose(leaves).ok_or(ReplicaError::Damaged(Table::Branches.name()))
    }

    fn entries_beside(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<AccessEntry>, ReplicaError> {
        self.access_table(disk, Table::Branches, space)
    }

    fn access_table(
        &self,
        disk: &dyn Storage,
        table: Table,
        space: &SpaceId,
    ) -> Result<Vec<AccessEntry>, ReplicaError> {
        let mut entries = Vec::new();
        let mut damaged = false;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, table, &from, &to, &mut |_, value| {
            match minicbor::decode(value) {
                Ok(entry) => entries.push(entry),
                Err(_) => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged { Err(ReplicaError::Damaged(table.name())) } else { Ok(entries) }
    }

    /// All entries of the space that are here, and `beside`, which are not among those that hold.
    fn tree(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        beside: Vec<AccessEntry>,
        signatures: Signatures,
    ) -> Result<Tree, ReplicaError> {
        let mut holding = self.access_table(disk, Table::Access, space)?.into_iter();
        let begin = holding.next().ok_or(ReplicaError::Damaged(Table::Access.name()))?;
        let mut following: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in holding {
            let place = following.entry(entry.statement.previous).or_default();
            place.push((entry, Signatures::Known));
        }
        for entry in beside {
            following.entry(entry.statement.previous).or_default().push((entry, signatures));
        }
        Ok(Tree { begin, following })
    }

    /// Takes consecutive entries that do not continue the branch that holds.
    ///
    /// # Errors
    /// [`AccessError`] when one does not hold, [`AccessError::Chain`] when what the first follows
    /// is not here; then nothing of them is kept.
    pub(super) fn admit_branch(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        entries: &[AccessEntry],
    ) -> Result<(), ReplicaError> {
        let access = self.space(disk, space)?.access.clone();
        let mut known = Vec::new();
        for entry in entries {
            let statement = &entry.statement;
            let hash = statement.hash();
            let follows = statement.sequence.checked_sub(1).is_some_and(|before| {
                access.knows(before, &statement.previous) || known.contains(&statement.previous)
            });
            if statement.space != *space || !follows {
                return Err(AccessError::Chain.into());
            }
            if !access.knows(statement.sequence, &hash) {
                known.push(hash);
            }
        }
        let fresh = entries.iter().filter(|entry| known.contains(&entry.statement.hash()));
        let mut tree =
            self.tree(disk, space, self.entries_beside(disk, space)?, Signatures::Known)?;
        for entry in fresh {
            let place = tree.following.entry(entry.statement.previous).or_default();
            place.push((entry.clone(), Signatures::Check));
        }
        let leaves = tree.leaves(&self.identities)?;
        let chosen = Branches::choose(leaves).ok_or(AccessError::Chain)?;
        if !chosen.fit_after(&access) {
            return Err(AccessError::TooLong.into());
        }
        self.keep_branches(disk, space, &tree, chosen)
    }

    /// Lets branches go that were kept for what they erase alone, once the branch that holds erases
    /// it too: else a replica that heard this first would keep fewer.
    pub(super) fn let_covered_go(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let Some(chosen) = self.space(disk, space)?.access.without_covered() else {
            return Ok(());
        };
        let beside = self.entries_beside(disk, space)?;
        let tree = self.tree(disk, space, beside, Signatures::Known)?;
        self.keep_branches(disk, space, &tree, chosen)
    }

    /// Forgets what was signed by primaries that only a branch of the owner's identity log named
    /// which a rotation of the root key set aside: nobody else takes it any more.
    pub(super) fn forget_set_aside(
        &mut self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
    ) -> Result<(), ReplicaError> {
        let known = self.summaries.iter();
        let concerned =
            known.filter(|(_, summary)| summary.everyone().any(|one| one == organisation));
        let spaces: Vec<_> = concerned.map(|(space, _)| *space).collect();
        for space in spaces {
            let founder = self.space(disk, &space)?.access.founder();
            if self.is_founder_aside(founder) {
                // Nobody else has any of it, and it stays as it is.
                continue;
            }
            let beside = self.entries_beside(disk, &space)?;
            let whole = self.tree(disk, &space, beside, Signatures::Known)?;
            let Some(identity) = self.identities.get(organisation) else { return Ok(()) };
            let is_aside = |AccessEntry { statement, .. }: &AccessEntry| {
                identity.is_primary_aside(statement.term, &statement.author)
            };
            let left = whole.without(is_aside);
            if left.length() < whole.length() {
                let leaves = left.leaves(&self.identities)?;
                let chosen = Branches::choose(leaves).ok_or(AccessError::Chain)?;
                self.keep_branches(disk, &space, &whole, chosen)?;
                self.refresh_summary(disk, &space)?;
                // It may be this organisation's again.
                self.owe_readers(disk, &space)?;
            }
        }
        Ok(())
    }

    /// Writes down which branch holds and which do not, and has everything judged again.
    fn keep_branches(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        tree: &Tree,
        chosen: Branches,
    ) -> Result<(), ReplicaError> {
        let before = self.space(disk, space)?.access.clone();
        let entries: BTreeMap<EntryHash, &AccessEntry> = tree
            .following
            .values()
            .flatten()
            .map(|(entry, _)| (entry.statement.hash(), entry))
            .collect();
        let holding: BTreeSet<_> = chosen.hashes().iter().copied().collect();
        let beside: BTreeSet<_> =
            chosen.others().iter().flat_map(Access::hashes).copied().collect();
        for sequence in chosen.length()..before.length() {
            self.pending.delete(Table::Access, keys::numbered(space, sequence));
        }
        let common = usize::try_from(before.common(&chosen)).unwrap_or(usize::MAX);
        for hash in chosen.hashes().get(common..).unwrap_or_default() {
            if let Some(entry) = entries.get(hash) {
                self.put_access_entry(entry);
            }
        }
        for hash in entries.keys() {
            let key = keys::hashed(space, hash.as_bytes());
            match entries.get(hash).filter(|_| beside.contains(hash) && !holding.contains(hash)) {
                Some(entry) => self.pending.put(Table::Branches, key, codec::encode(*entry)),
                None => self.pending.delete(Table::Branches, key),
            }
        }
        if chosen.is_contradicted() && !before.is_contradicted() {
            self.events.push(Event::Contradicted { space: *space });
        }
        self.space(disk, space)?.access = chosen;
        self.begin_erasing(space);
        self.settle_all(disk, space)?;
        self.carry_out_all(disk, space)?;
        self.note_erased_apart(disk, space, &before)?;
        self.reconsider_all(disk, space)?;
        let chosen = &self.space(disk, space)?.access;
        let is_known = |branch: &Access| {
            let LogPosition { length, head } = branch.position();
            chosen.knows(length.saturating_sub(1), &head)
        };
        if before.all().all(is_known) { Ok(()) } else { self.leave_out_unread(disk, space) }
    }

    /// Has every record of a space built again.
    pub(super) fn reconsider_all(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let heads: Vec<_> = self.space(disk, space)?.heads.iter().map(|(a, h)| (*a, *h)).collect();
        self.records.retain(|(owner, _)| owner != space);
        for (author, head) in heads {
            if head.projected > 0 {
                self.put_head(disk, space, &author, Head { projected: 0, ..head })?;
                self.dirty.insert(*space);
            }
        }
        self.reconsider_waiting(disk, space)
    }

    /// What was validly written into the access log and does not hold, for the owner to do again.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn set_aside(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<SetAside>, ReplicaError> {
        if !self.summaries.contains_key(space) {
            return Err(ReplicaError::Unknown("space"));
        }
        let entries = self.entries_beside(disk, space)?;
        let access = &self.space(disk, space)?.access;
        let mut aside: Vec<_> = entries
            .into_iter()
            .map(|entry| {
                let hash = entry.statement.hash();
                let contradicts =
                    access.contradicting().any(|branch| branch.hashes().contains(&hash));
                let AccessEntry { statement, .. } = entry;
                let (sequence, operation) = (statement.sequence, statement.operation);
                SetAside { sequence, operation, contradicts }
            })
            .collect();
        aside.sort_by_key(|one| one.sequence);
        Ok(aside)
    }

    /// Of what does not hold what is still to be done: what the branch that holds does not say by
    /// itself, or what contradicts it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn to_do_again(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<SetAside>, ReplicaError> {
        let mut aside = self.set_aside(disk, space)?;
        let access = &self.space(disk, space)?.access;
        let parted = access.others().iter().map(|other| access.common(other)).min();
        let parted = parted.unwrap_or(u64::MAX);
        aside.retain(|one| one.contradicts || !is_done(access, &one.operation, parted));
        Ok(aside)
    }

    /// How much of the branch that holds an organisation may see that was a member on another one
    /// after the two parted, or was removed on this one: up to the entry that put that branch
    /// aside. Without it, it would go on for ever as the member that it is not, or by a removal
    /// that does not hold, or take the other branch, of which it was told, for the one that holds.
    pub(super) fn overruled_for(
        &mut self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
        space: &SpaceId,
    ) -> Result<Option<LogPosition>, ReplicaError> {
        let access = &self.space(disk, space)?.access;
        let last = |branch: &Access| branch.members().get(organisation)?.intervals.last().cloned();
        let ended = last(access).and_then(|interval| interval.ended);
        let parted = access.others().iter().filter_map(|other| {
            let parted = access.common(other);
            let is_beyond = |(end, _): &(u64, _)| *end >= parted;
            let stayed = last(other).is_some_and(|one| one.ended.as_ref().is_none_or(is_beyond))
                || ended.as_ref().is_some_and(is_beyond);
            let place = usize::try_from(parted).ok()?;
            let wins_ties = access.hashes().get(place) < other.hashes().get(place);
            stayed.then(|| Parted { at: parted, wins_ties, standing: other.standing_of_writer() })
        });
        let parted: Vec<_> = parted.collect();
        if parted.is_empty() {
            return Ok(None);
        }
        let holding = self.access_table(disk, Table::Access, space)?;
        let ends = parted.iter().filter_map(|one| one.overruling(&holding));
        Ok(ends.max_by_key(|end| end.length))
    }

    /// How many entries the log that ends at `position` has in common with the branch that holds
    /// here; nothing when its end is not known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn shared_access(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        position: &LogPosition,
    ) -> Result<Option<u64>, ReplicaError> {
        let Some(last) = position.length.checked_sub(1) else { return Ok(Some(0)) };
        let access = &self.space(disk, space)?.access;
        let found = access.all().find(|branch| {
            let index = usize::try_from(last).unwrap_or(usize::MAX);
            branch.hashes().get(index) == Some(&position.head)
        });
        Ok(found.map(|branch| access.common(branch).min(position.length)))
    }

    /// The entries that a branch beside the one that holds adds to it, up to `end`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn branch_entries(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        end: &EntryHash,
    ) -> Result<Vec<AccessEntry>, ReplicaError> {
        let access = &self.space(disk, space)?.access;
        let place = |one: &Access| one.hashes().iter().position(|hash| hash == end);
        let found = access.others().iter().find_map(|one| Some((one, place(one)?)));
        let Some((branch, last)) = found else { return Ok(Vec::new()) };
        let common = usize::try_from(access.common(branch)).unwrap_or(usize::MAX);
        let wanted: Vec<_> = branch.hashes().get(common..=last).unwrap_or_default().to_vec();
        let mut entries = Vec::with_capacity(wanted.len());
        for hash in wanted {
            let key = keys::hashed(space, hash.as_bytes());
            let found = self.read(disk, Table::Branches, &key)?;
            let entry = found.and_then(|bytes| minicbor::decode(&bytes).ok());
            entries.push(entry.ok_or(ReplicaError::Damaged(Table::Branches.name()))?);
        }
        Ok(entries)
    }
}

/// Whether the branch that holds, which parted from others at `parted`, brought about what an
/// operation beside it wanted.
fn is_done(access: &Branches, operation: &AccessOperation, parted: u64) -> bool {
    let is_renewed = || access.epochs().last().is_some_and(|epoch| epoch.position >= parted);
    match operation {
        // Places are named anew wherever something accepted builds on them.
        AccessOperation::Create { .. } | AccessOperation::Settle { .. } => true,
        AccessOperation::Grant { organisation, role, .. } => {
            let was_removed = access.farewell(organisation).is_some_and(|end| end.length > parted);
            was_removed || access.role(organisation) >= Some(*role)
        }
        AccessOperation::Revoke { organisation, .. } => access.role(organisation).is_none(),
        AccessOperation::CutNode { cut, .. } => access.cut_nodes().contains_key(&cut.node),
        AccessOperation::Rotate { .. } => is_renewed(),
        AccessOperation::Erase { record, .. } => access.erasures().names(record),
        AccessOperation::Offer { organisation } | AccessOperation::Take { organisation } => {
            access.offered() == Some(*organisation)
                || access.owners().any(|one| one == *organisation)
        }
    }
}
