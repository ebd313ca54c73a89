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
use std::collections::{BTreeMap, HashMap};

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

/// The summaries of all spaces. None is ever taken out.
#[derive(Default)]
pub struct Summaries {
    known: Vec<Known>,
    /// Where each space stands in `known`.
    places: BTreeMap<SpaceId, usize>,
    by_member: HashMap<OrganisationId, BTreeMap<SpaceId, usize>>,
}

/// A space, its summary, and the name under which it is compared as it stands.
pub struct Known {
    pub space: SpaceId,
    pub summary: Summary,
    pub item: [u8; 32],
}

impl Summaries {
    /// The summary of a space.
    pub fn get(&self, space: &SpaceId) -> Option<&Summary> {
        let place = self.places.get(space)?;
        self.known.get(*place).map(|known| &known.summary)
    }

    /// Whether the space is here.
    pub fn contains_key(&self, space: &SpaceId) -> bool {
        self.places.contains_key(space)
    }

    /// The ids of all spaces, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &SpaceId> {
        self.places.keys()
    }

    /// All spaces, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&SpaceId, &Summary)> {
        let known = self.places.values().filter_map(|place| self.known.get(*place));
        known.map(|known| (&known.space, &known.summary))
    }

    /// The spaces of which `organisation` is a member now, in the order of their ids.
    pub fn of(&self, organisation: &OrganisationId) -> impl Iterator<Item = &Known> {
        let places = self.by_member.get(organisation).into_iter().flat_map(BTreeMap::values);
        places.filter_map(|place| self.known.get(*place))
    }

    /// Takes the place of what was known of a space.
    pub fn insert(&mut self, space: &SpaceId, summary: Summary) {
        let item = Domain::SYNC_ITEM.hash(&[space.as_bytes(), &summary.digest]);
        let place = *self.places.entry(*space).or_insert(self.known.len());
        let Some(known) = self.known.get_mut(place) else {
            add_to(&mut self.by_member, space, place, &summary.members);
            self.known.push(Known { space: *space, summary, item });
            return;
        };
        if known.summary.members != summary.members {
            for (member, _) in &known.summary.members {
                if let Some(spaces) = self.by_member.get_mut(member) {
                    spaces.remove(space);
                }
            }
            add_to(&mut self.by_member, space, place, &summary.members);
        }
        (known.summary, known.item) = (summary, item);
    }
}

fn add_to(
    by_member: &mut HashMap<OrganisationId, BTreeMap<SpaceId, usize>>,
    space: &SpaceId,
    place: usize,
    members: &[(OrganisationId, Role)],
) {
    for (member, _) in members {
        by_member.entry(*member).or_default().insert(*space, place);
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
        summaries.of(&organisation(member)).map(|known| known.space).collect()
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
        let mut item = |summary| {
            summaries.insert(&space(1), summary);
            summaries.of(&organisation(1)).map(|known| known.item).collect::<Vec<_>>()
        };
        let before = item(summary(&[1], 0));
        assert_eq!(before.len(), 1);
        assert_ne!(before, item(summary(&[1], 1)));
        assert_eq!(before, item(summary(&[1, 2], 0)));
    }
}
