//! What an owner and an organisation that it removed have to agree on.
//!
//! The owner knows of the removal at once, whoever was removed only when somebody tells it. And it
//! may not be the one that it takes for a member to ask: an owner that was replaced and removed
//! while it removed its successor believes that nobody shares the space with it any more. A removal
//! is therefore compared like anything else: the last entry by which one of the two ended the
//! other's membership is in both access logs when both are up to date, whatever either sees of the
//! log afterwards.

use super::state::Access;
use crate::ids::{EntryHash, OrganisationId};

impl Access {
    /// The last entry by which one of the two, as the owner, ended the other's membership.
    #[must_use]
    pub fn parting(&self, one: &OrganisationId, other: &OrganisationId) -> Option<EntryHash> {
        let last = self.endings(one, other).chain(self.endings(other, one)).max()?;
        self.hashes().get(usize::try_from(last).ok()?).copied()
    }

    /// Places of the entries by which `owner` ended a membership of `member`.
    fn endings(
        &self,
        owner: &OrganisationId,
        member: &OrganisationId,
    ) -> impl Iterator<Item = u64> {
        let intervals = self.members().get(member).map_or(&[][..], |member| &member.intervals);
        let ended = intervals.iter().filter_map(|interval| Some(interval.ended.as_ref()?.0));
        ended.filter(|place| self.owner_at(*place) == *owner)
    }
}
