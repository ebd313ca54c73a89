//! What an owner and an organisation that it removed have to agree on.
//!
//! The owner knows of the removal at once, whoever was removed only when somebody tells it. And it
//! may not be the one that it takes for a member to ask: an owner that was replaced and removed
//! while it removed its successor believes that nobody shares the space with it any more. A removal
//! is therefore compared like anything else: the last entry by which one of the two ended the
//! other's membership is in both access logs when both are up to date, whatever either sees of the
//! log afterwards. With it are compared the branches beside the one that holds which the removed
//! one wrote as an owner of before: what they erased is erased.

use super::branches::Branches;
use super::state::Access;
use crate::codec;
use crate::crypto::Domain;
use crate::ids::{EntryHash, OrganisationId};

impl Access {
    /// Of the entries by which one of the two, as the owner, ended the other's membership the last:
    /// its place, and who was removed.
    #[must_use]
    fn parting(
        &self,
        one: &OrganisationId,
        other: &OrganisationId,
    ) -> Option<(u64, OrganisationId)> {
        self.endings(one, other).chain(self.endings(other, one)).max()
    }

    /// The entries by which `owner` ended a membership of `member`.
    fn endings<'a>(
        &'a self,
        owner: &'a OrganisationId,
        member: &'a OrganisationId,
    ) -> impl Iterator<Item = (u64, OrganisationId)> + 'a {
        let intervals = self.members().get(member).map_or(&[][..], |member| &member.intervals);
        let ended = intervals.iter().filter_map(|interval| Some(interval.ended.as_ref()?.0));
        let by_owner = ended.filter(move |place| self.owner_at(*place) == *owner);
        by_owner.map(move |place| (place, *member))
    }

    /// The owner that ended the last membership of `organisation`.
    #[must_use]
    pub fn removed_by(&self, organisation: &OrganisationId) -> Option<OrganisationId> {
        let last = self.members().get(organisation)?.intervals.last()?;
        last.ended.as_ref().map(|(place, _)| self.owner_at(*place))
    }
}

impl Branches {
    /// What parted the two, as it is compared; nothing when neither removed the other as the owner.
    #[must_use]
    pub fn parting_state(&self, one: &OrganisationId, other: &OrganisationId) -> Option<[u8; 32]> {
        let (place, removed) = self.parting(one, other)?;
        let entry = self.hashes().get(usize::try_from(place).ok()?)?;
        let mut written: Vec<_> = self.ends_by(&removed).collect();
        written.sort_unstable();
        if written.is_empty() {
            return Some(*entry.as_bytes());
        }
        Some(Domain::SPACE_DIGEST.hash(&[&codec::encode(&(entry, written))]))
    }

    /// The last entry of each branch that does not hold, of those that `owner` wrote.
    pub fn ends_by(&self, owner: &OrganisationId) -> impl Iterator<Item = EntryHash> {
        let by_owner = self.others().iter().filter(move |branch| branch.owner() == *owner);
        by_owner.map(|branch| branch.position().head)
    }
}
