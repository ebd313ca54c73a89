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
use crate::log::LogPosition;
use std::collections::BTreeMap;

/// Who removed whom last, and where: found at once, however long the log is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removals(BTreeMap<(OrganisationId, OrganisationId), u64>);

/// The last entry by which one of two organisations, as the owner, removed the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parting {
    /// Where the log stood after it.
    pub position: LogPosition,
    /// Who was removed.
    pub removed: OrganisationId,
}

impl Removals {
    pub(super) fn note(&mut self, owner: OrganisationId, removed: OrganisationId, place: u64) {
        self.0.insert((owner, removed), place);
    }

    fn between(&self, one: OrganisationId, other: OrganisationId) -> Option<(u64, OrganisationId)> {
        let by = |owner, removed| self.0.get(&(owner, removed)).map(|place| (*place, removed));
        by(one, other).max(by(other, one))
    }
}

impl Access {
    /// What parted the two; nothing when neither removed the other as the owner.
    #[must_use]
    pub fn parting(&self, one: &OrganisationId, other: &OrganisationId) -> Option<Parting> {
        let (place, removed) = self.removals.between(*one, *other)?;
        let head = *self.hashes().get(usize::try_from(place).ok()?)?;
        Some(Parting { position: LogPosition { length: place + 1, head }, removed })
    }
}

impl Branches {
    /// What parted the two, as it is compared.
    #[must_use]
    pub fn parting_state(&self, one: &OrganisationId, other: &OrganisationId) -> Option<[u8; 32]> {
        let Parting { position, removed } = self.parting(one, other)?;
        let mut written: Vec<_> = self.ends_by(&removed).collect();
        written.sort_unstable();
        if written.is_empty() {
            return Some(*position.head.as_bytes());
        }
        Some(Domain::SPACE_DIGEST.hash(&[&codec::encode(&(position.head, written))]))
    }

    /// The last entry of each branch that does not hold, of those that `owner` wrote.
    pub fn ends_by(&self, owner: &OrganisationId) -> impl Iterator<Item = EntryHash> {
        let by_owner = self.others().iter().filter(move |branch| branch.owner() == *owner);
        by_owner.map(|branch| branch.position().head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_removal_of_either_by_the_other_parts_the_two() {
        let [one, other, third] = [1, 2, 3].map(|byte| OrganisationId::from_bytes([byte; 32]));
        let mut removals = Removals::default();
        assert_eq!(removals.between(one, other), None);
        removals.note(one, other, 4);
        removals.note(third, one, 9);
        assert_eq!(removals.between(one, other), Some((4, other)));
        assert_eq!(removals.between(other, one), Some((4, other)));
        removals.note(other, one, 7);
        assert_eq!(removals.between(one, other), Some((7, one)));
        removals.note(one, other, 8);
        assert_eq!(removals.between(one, other), Some((8, other)));
        assert_eq!(removals.between(other, third), None);
    }
}
