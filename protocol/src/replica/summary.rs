//! What is always in memory of every space.
//!
//! A node knows at once, for any partner, which spaces they share and how each stands: a session
//! begins with nothing else. So the summaries are indexed by member, and the name under which a
//! space is compared is computed when the space changes, not when a session opens.

use crate::access::Role;
use crate::crypto::Domain;
use crate::ids::{OrganisationId, SpaceId};
use crate::log::LogPosition;
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is always in memory of every space: who may know of it, and the digest that sync compares.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Summary {
    /// The owner.
    #[n(0)]
    pub owner: OrganisationId,
    /// Current members with their roles, the owner among them.
    #[n(1)]
    pub members: Vec<(OrganisationId, Role)>,
    /// Digest of access log, keys and author logs.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Records shown.
    #[n(3)]
    pub records: u64,
    /// Records with a conflict.
    #[n(4)]
    pub conflicts: u64,
    /// Entries that do not count.
    #[n(5)]
    pub quarantined: u64,
    /// Where the access log stands.
    #[n(6)]
    pub access: LogPosition,
    /// Organisations that were members: what they wrote stays, and with it the need to know whose
    /// nodes wrote it.
    #[n(7)]
    #[cbor(default)]
    pub former: Vec<OrganisationId>,
}

impl Summary {
    /// The role of `organisation`.
    #[must_use]
    pub fn role(&self, organisation: &OrganisationId) -> Option<Role> {
        self.members.iter().find(|(member, _)| member == organisation).map(|(_, role)| *role)
    }

    /// Everyone who is or was a member.
    pub fn everyone(&self) -> impl Iterator<Item = &OrganisationId> {
        self.members.iter().map(|(member, _)| member).chain(&self.former)
    }
}

/// The summaries of all spaces, in the order of their ids.
#[derive(Default)]
pub struct Summaries {
    spaces: BTreeMap<SpaceId, Known>,
    by_member: HashMap<OrganisationId, BTreeSet<SpaceId>>,
}

struct Known {
    summary: Summary,
    item: [u8; 32],
}

impl Summaries {
    /// The summary of a space.
    pub fn get(&self, space: &SpaceId) -> Option<&Summary> {
        self.spaces.get(space).map(|known| &known.summary)
    }

    /// Whether the space is here.
    pub fn contains_key(&self, space: &SpaceId) -> bool {
        self.spaces.contains_key(space)
    }

    /// The ids of all spaces.
    pub fn keys(&self) -> impl Iterator<Item = &SpaceId> {
        self.spaces.keys()
    }

    /// All spaces.
    pub fn iter(&self) -> impl Iterator<Item = (&SpaceId, &Summary)> {
        self.spaces.iter().map(|(space, known)| (space, &known.summary))
    }

    /// Takes the place of what was known of a space.
    pub fn insert(&mut self, space: &SpaceId, summary: Summary) {
        let item = Domain::SYNC_ITEM.hash(&[space.as_bytes(), &summary.digest]);
        let old = self.spaces.get(space).map(|known| &known.summary.members);
        if old != Some(&summary.members) {
            let gone: Vec<_> = old.into_iter().flatten().map(|(member, _)| *member).collect();
            for member in gone {
                if let Some(spaces) = self.by_member.get_mut(&member) {
                    spaces.remove(space);
                }
            }
            for (member, _) in &summary.members {
                self.by_member.entry(*member).or_default().insert(*space);
            }
        }
        self.spaces.insert(*space, Known { summary, item });
    }

    /// The spaces of which `organisation` is a member now.
    pub fn of(&self, organisation: &OrganisationId) -> impl Iterator<Item = (&SpaceId, &Summary)> {
        let spaces = self.by_member.get(organisation).into_iter().flatten();
        spaces.filter_map(|space| Some((space, self.get(space)?)))
    }

    /// The name under which a space is compared as it stands.
    pub fn item(&self, space: &SpaceId) -> Option<[u8; 32]> {
        self.spaces.get(space).map(|known| known.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation(number: u8) -> OrganisationId {
        OrganisationId::from_bytes([number; 32])
    }

    fn space(number: u8) -> SpaceId {
        SpaceId::from_bytes([number; 32])
    }

    fn summary(members: &[u8], digest: u8) -> Summary {
        Summary {
            owner: organisation(1),
            members: members.iter().map(|one| (organisation(*one), Role::Contributor)).collect(),
            digest: [digest; 32],
            records: 0,
            conflicts: 0,
            quarantined: 0,
            access: LogPosition::START,
            former: Vec::new(),
        }
    }

    fn spaces_of(summaries: &Summaries, member: u8) -> Vec<SpaceId> {
        summaries.of(&organisation(member)).map(|(space, _)| *space).collect()
    }

    #[test]
    fn members_find_the_spaces_they_are_in_now() {
        let mut summaries = Summaries::default();
        summaries.insert(&space(1), summary(&[1, 2], 0));
        summaries.insert(&space(2), summary(&[1, 3], 0));
        assert_eq!(spaces_of(&summaries, 1), [space(1), space(2)]);
        assert_eq!(spaces_of(&summaries, 2), [space(1)]);
        summaries.insert(&space(1), summary(&[1, 3], 1));
        assert_eq!(spaces_of(&summaries, 2), []);
        assert_eq!(spaces_of(&summaries, 3), [space(1), space(2)]);
    }

    #[test]
    fn the_name_of_a_space_in_a_comparison_changes_with_its_digest() {
        let mut summaries = Summaries::default();
        summaries.insert(&space(1), summary(&[1], 0));
        let before = summaries.item(&space(1));
        summaries.insert(&space(1), summary(&[1], 1));
        assert_ne!(before, summaries.item(&space(1)));
        summaries.insert(&space(1), summary(&[1, 2], 0));
        assert_eq!(before, summaries.item(&space(1)));
        assert_eq!(summaries.item(&space(2)), None);
    }
}
