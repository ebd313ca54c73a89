//! An access log whose entries do not all follow one another.
//!
//! Every validly signed entry is kept, so the entries of a space make a tree, and replicas that
//! know the same entries have the same tree. One path through it *holds*: that of the latest owner,
//! then of the highest term, then, of what one primary wrote twice, that of the lesser hash at the
//! place where the paths part. Everything is read from the path that holds, with two additions.
//!
//! *Abandoned* branches were written by a primary after the root key had named another, or by an
//! owner after the space was taken over. What they say of members does not count and is listed for
//! the owner to do again; but an author that had seen such a branch keeps what it wrote, as if it
//! had seen the common part only, and the branch's keys go on opening it.
//!
//! *Contradicting* branches have the same owner and term as the one that holds: the primary runs
//! twice, or says different things to different members. Until the owner names another primary, who
//! was removed by either is a member no more, and who was admitted by one only is not yet one.
//!
//! *Forgotten* branches are known to nobody any more: a change of an owner's root key set aside who
//! signed them. Where there was such a change an author that had seen one keeps what it wrote, too:
//! whatever it saw, it had the key of an epoch, so it is judged as if it had seen the branch that
//! holds as long as that was the last.
//!
//! Deliberately absent: where branches are stored and how they travel (`replica`, `sync`).

use super::acceptance::Standing;
use super::erasure::{ErasedEntries, ErasedRecord, Erasures};
use super::operation::Role;
use super::state::{Access, Epoch};
use crate::ids::{EntryHash, NodeId, OrganisationId, RecordId};
use crate::limits;
use crate::log::{AccessPoint, Header, LogPosition};
use std::cmp::Ordering;
use std::ops::Deref;

/// The branch of an access log that holds, and the others.
///
/// It reads as the branch that holds; what the others change is answered by the methods here, which
/// take precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branches {
    holding: Access,
    others: Vec<Access>,
}

impl Deref for Branches {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.holding
    }
}

impl From<Access> for Branches {
    fn from(holding: Access) -> Self {
        Self { holding, others: Vec::new() }
    }
}

impl Branches {
    /// The branches that end with `leaves`: the first in rank holds, of the others so many as the
    /// limit allows are kept, and those below that erase what none above them does. Nothing when
    /// there is none.
    ///
    /// Whoever holds a key that was replaced can write branches that rank high: they let others go,
    /// but no erasure. In whatever order branches come, the same are kept.
    #[must_use]
    pub fn choose(mut leaves: Vec<Access>) -> Option<Self> {
        leaves.sort_by(rank);
        let lower = leaves.split_off(leaves.len().min(1 + limits::ACCESS_BRANCHES_MAX));
        if !lower.is_empty() {
            let kept = erasing(&leaves, lower);
            leaves.extend(kept);
        }
        let mut leaves = leaves.into_iter();
        let holding = leaves.next()?;
        Some(Self { holding, others: leaves.collect() })
    }

    /// What remains when branches that erase nothing any more, since the one that holds says it
    /// too, are let go; nothing when all remain.
    #[must_use]
    pub fn without_covered(&self) -> Option<Self> {
        if self.others.len() <= limits::ACCESS_BRANCHES_MAX {
            return None;
        }
        let chosen = Self::choose(self.all().cloned().collect())?;
        (chosen.others.len() < self.others.len()).then_some(chosen)
    }

    /// Whether so many branches fit in the place of `before`. Erasures are never let go, so there
    /// is no room for more of them than the limit until the owner's primary has said them again;
    /// only what it says itself, under a higher term, is always heard.
    #[must_use]
    pub fn fit_after(&self, before: &Self) -> bool {
        let outranks = self.standing_of_writer() > before.standing_of_writer();
        let count_max =
            if outranks { limits::ACCESS_ENDS_MAX } else { limits::ACCESS_BRANCHES_KEPT_MAX };
        self.others.len() <= count_max.max(before.others.len())
    }

    /// The branch that holds, to be extended.
    pub const fn holding_mut(&mut self) -> &mut Access {
        &mut self.holding
    }

    /// The branches that do not hold, highest in rank first.
    #[must_use]
    pub fn others(&self) -> &[Access] {
        &self.others
    }

    /// Branches that the owner's primary of now wrote beside the one that holds.
    pub fn contradicting(&self) -> impl Iterator<Item = &Access> {
        let writer = |branch: &Access| (branch.owner(), branch.standing_of_writer());
        let holding = writer(&self.holding);
        self.others.iter().filter(move |other| writer(other) == holding)
    }

    /// Whether the primary of now contradicts itself.
    #[must_use]
    pub fn is_contradicted(&self) -> bool {
        self.contradicting().next().is_some()
    }

    /// What tells `organisation`, which some branch of a contradiction admits and another does not,
    /// that it is not a member: how much of the branch that holds, and up to which entry the branch
    /// beside it that leaves the organisation out. Of what it is not admitted to it sees the first
    /// entry, which is the contradiction, or all that led to its removal there.
    #[must_use]
    pub fn contradiction_for(
        &self,
        organisation: &OrganisationId,
    ) -> Option<(LogPosition, Option<EntryHash>)> {
        let admits = |branch: &&Access| branch.role(organisation).is_some();
        if !admits(&&self.holding) {
            let other = self.contradicting().find(admits)?;
            return Some((position_at(&self.holding, self.common(other) + 1)?, None));
        }
        let other = self.contradicting().find(|other| !admits(other))?;
        let parted = self.common(other);
        let removed = other.farewell(organisation).map_or(0, |end| end.length);
        let end = position_at(other, removed.max(parted + 1))?;
        Some((position_at(&self.holding, parted)?, Some(end.head)))
    }

    /// How many entries `other` has in common with the branch that holds.
    #[must_use]
    pub fn common(&self, other: &Access) -> u64 {
        common(&self.holding, other)
    }

    /// The last entry of each branch that does not hold.
    pub fn ends(&self) -> impl Iterator<Item = EntryHash> {
        self.others.iter().map(|other| other.position().head)
    }

    /// Whether the entry with this hash is known at this place, on whatever branch.
    #[must_use]
    pub fn knows(&self, sequence: u64, hash: &EntryHash) -> bool {
        let index = usize::try_from(sequence).unwrap_or(usize::MAX);
        self.all().any(|branch| branch.hashes().get(index) == Some(hash))
    }

    /// Every branch, the one that holds first.
    pub fn all(&self) -> impl Iterator<Item = &Access> {
        std::iter::once(&self.holding).chain(&self.others)
    }

    /// Whether `point` lies on a branch.
    #[must_use]
    pub fn contains(&self, point: &AccessPoint) -> bool {
        self.branch_of(point).is_some()
    }

    /// The branch on which `point` lies, the one that holds if it is there.
    #[must_use]
    pub fn branch_of(&self, point: &AccessPoint) -> Option<&Access> {
        self.all().find(|branch| branch.contains(point))
    }

    /// Whether a record was erased, on whatever branch: an erasure is never undone.
    #[must_use]
    pub fn is_erased(&self, record: &RecordId) -> bool {
        self.all().any(|branch| branch.erasures().names(record))
    }

    /// Whether an author that had seen the log up to `point` knew that a record was erased.
    #[must_use]
    pub fn was_erased_at(&self, point: &AccessPoint, record: &RecordId) -> bool {
        let erased = self.branch_of(point).and_then(|one| one.erasures().records().get(record));
        erased.is_some_and(|erased| erased.since < point.length)
    }

    /// Whether the body of the entry with this hash was erased, on whatever branch.
    #[must_use]
    pub fn is_body_erased(&self, node: &NodeId, sequence: u64, hash: &EntryHash) -> bool {
        self.all().any(|branch| branch.erasures().covers(node, sequence, hash))
    }

    /// Whether any body at this place was erased, on whatever branch.
    #[must_use]
    pub fn touches_place(&self, node: &NodeId, sequence: u64) -> bool {
        self.all().any(|branch| branch.erasures().touches(node, sequence))
    }

    /// How many bodies of an erased record are named, on all branches.
    #[must_use]
    pub fn bodies_of(&self, record: &RecordId) -> u64 {
        let erased = self.all().filter_map(|branch| branch.erasures().records().get(record));
        let mut stretches: Vec<_> = erased.flat_map(ErasedRecord::places).collect();
        stretches.sort_unstable();
        let (mut count, mut reached) = (0, None);
        for (node, from, to) in stretches {
            let from =
                reached.filter(|(last, _)| *last == node).map_or(from, |(_, end)| from.max(end));
            count += to.saturating_sub(from);
            reached = Some((node, to.max(from)));
        }
        count
    }

    /// What branches that do not hold erase and the one that holds does not: for the owner to say
    /// again.
    #[must_use]
    pub fn erasures_beside(&self) -> Vec<(RecordId, Vec<ErasedEntries>)> {
        let held = self.holding.erasures();
        let beside = self.others.iter().flat_map(|other| held.lacking(other.erasures()));
        beside.map(|(record, entries)| (record, entries.to_vec())).collect()
    }

    /// The role of `organisation` now: the least that it has on the branch that holds and on those
    /// that contradict it.
    #[must_use]
    pub fn role(&self, organisation: &OrganisationId) -> Option<Role> {
        let held = self.holding.role(organisation);
        self.contradicting().map(|other| other.role(organisation)).fold(held, Ord::min)
    }

    /// Organisations that are members now, with their roles.
    pub fn current_members(&self) -> impl Iterator<Item = (OrganisationId, Role)> {
        self.holding.members().keys().filter_map(|one| self.role(one).map(|role| (*one, role)))
    }

    /// The epoch under which the entry with `header` was written.
    #[must_use]
    pub fn epoch_of(&self, header: &Header) -> Option<&Epoch> {
        self.branch_of(&header.access)?.epoch_at(header.epoch)
    }

    /// Position and hash of every keyring sealed to `node`.
    #[must_use]
    pub fn keyrings_of(&self, node: &NodeId) -> Vec<(u64, [u8; 32])> {
        let mut places: Vec<_> =
            self.all().flat_map(|branch| branch.keyrings_of(node)).copied().collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The node to which a keyring was sealed, and the position of the entry that names it, on
    /// whatever branch.
    #[must_use]
    pub fn keyring(&self, hash: &[u8; 32]) -> Option<(NodeId, u64)> {
        self.all().find_map(|branch| branch.keyring(hash))
    }

    /// Every keyring that was ever sealed: node, position, hash.
    #[must_use]
    pub fn keyrings(&self) -> Vec<(NodeId, u64, [u8; 32])> {
        let mut places: Vec<_> = self.all().flat_map(Access::keyrings).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The standing of the entry with `header`, whose author belongs to `organisation`.
    #[must_use]
    pub fn standing(&self, organisation: &OrganisationId, header: &Header) -> Standing {
        let Some(branch) = self.branch_of(&header.access) else { return Standing::Unknown };
        if branch.epoch_seen(header.access.length) != header.epoch {
            return Standing::Unauthorised;
        }
        let seen = if self.holding.contains(&header.access) {
            header.access.length
        } else {
            self.common(branch)
        };
        self.standing_of(organisation, header, seen)
    }

    /// The standing of an entry whose author may have seen a branch that was forgotten, and whose
    /// body opens under the key of its epoch on the branch that holds. Its author could have named
    /// a place there as well: that shows no more than the key does.
    #[must_use]
    pub fn standing_by_key(&self, organisation: &OrganisationId, header: &Header) -> Standing {
        let seen = self.holding.last_seen_under(header.epoch);
        seen.map_or(Standing::Unknown, |seen| self.standing_of(organisation, header, seen))
    }

    fn standing_of(&self, organisation: &OrganisationId, header: &Header, seen: u64) -> Standing {
        let standing =
            self.holding.standing_at(organisation, seen, &header.author, header.sequence);
        self.contradicting()
            .fold(standing, |standing, other| self.restrict(standing, other, organisation, header))
    }

    /// What remains of a standing under a branch that contradicts the one that holds.
    fn restrict(
        &self,
        standing: Standing,
        other: &Access,
        organisation: &OrganisationId,
        header: &Header,
    ) -> Standing {
        let Some(grant) = standing.grant() else { return standing };
        if grant >= self.common(other) {
            let is_granted = other.role(organisation) == Some(Role::Contributor);
            return if is_granted { standing } else { Standing::Unauthorised };
        }
        let interval = other
            .members()
            .get(organisation)
            .and_then(|member| member.intervals.iter().find(|interval| interval.from == grant));
        let is_within = interval.is_some_and(|interval| {
            other.is_within_cuts(interval, &header.author, header.sequence)
        });
        if is_within { standing } else { Standing::BeyondCut { grant } }
    }
}

/// Of branches that rank below `higher`, in order, those that erase what none above them erases.
fn erasing(higher: &[Access], lower: Vec<Access>) -> Vec<Access> {
    let mut erased = Erasures::default();
    for branch in higher {
        erased.add(branch.erasures());
    }
    let mut adds = |branch: &Access| {
        let is_new = erased.lacking(branch.erasures()).next().is_some();
        erased.add(branch.erasures());
        is_new
    };
    lower.into_iter().filter(|branch| adds(branch)).collect()
}

/// The order of branches: the one that holds comes first.
fn rank(one: &Access, other: &Access) -> Ordering {
    let by_writer = other.standing_of_writer().cmp(&one.standing_of_writer());
    by_writer.then_with(|| {
        let parted = usize::try_from(common(one, other)).unwrap_or(usize::MAX);
        let [first, second] = [one, other].map(|branch| branch.hashes().get(parted));
        // Of two of which one continues the other, the longer comes first.
        match (first, second) {
            (Some(first), Some(second)) => first.cmp(second),
            _ => second.cmp(&first),
        }
    })
}

/// Where a branch stood after so many entries.
fn position_at(branch: &Access, length: u64) -> Option<LogPosition> {
    let last = usize::try_from(length.checked_sub(1)?).ok()?;
    branch.hashes().get(last).map(|head| LogPosition { length, head: *head })
}

fn common(one: &Access, other: &Access) -> u64 {
    let pairs = one.hashes().iter().zip(other.hashes());
    pairs.take_while(|(first, second)| first == second).count() as u64
}
