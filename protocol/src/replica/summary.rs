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
    /// Organisations with which this one does not share the space any more though one of the two
    /// owned it then, and what parted them, which both are to know.
    #[n(8)]
    #[cbor(default)]
    pub parted: Vec<(OrganisationId, minicbor::bytes::ByteArray<32>)>,
    /// Who else owns or owned the space, on any branch of its access log, in the order of ids.
    #[n(9)]
    #[cbor(default)]
    pub owners: Vec<OrganisationId>,
    /// Keys and keyrings that this node should hold and does not: until they come, it differs from
    /// everybody who holds its own.
    #[n(10)]
    #[cbor(default)]
    pub lacking: u64,
    /// Whether who founded the space was set aside since: then it has no members, and nobody but
    /// those who have it hears of it.
    #[n(11)]
    #[cbor(default)]
    pub is_aside: bool,
}

impl Summary {
    /// Everyone who owns or owned the space, each once.
    fn all_owners(&self) -> impl Iterator<Item = &OrganisationId> {
        std::iter::once(&self.owner).chain(self.owners.iter().filter(|one| **one != self.owner))
    }

    /// For whom the space takes room.
    fn counted_owners(&self) -> impl Iterator<Item = &OrganisationId> {
        self.all_owners().filter(|_| !self.is_aside)
    }

    /// The same, of a space whose founder was set aside: nobody shares it.
    #[must_use]
    pub fn aside(self) -> Self {
        let (members, former, parted) = (Vec::new(), Vec::new(), Vec::new());
        Self { members, former, parted, lacking: 0, is_aside: true, ..self }
    }

    /// Whether the space has to do with `organisation`, also one that was set aside.
    #[must_use]
    pub fn concerns(&self, organisation: &OrganisationId) -> bool {
        self.everyone().chain(self.all_owners()).any(|one| one == organisation)
    }

    /// The role of `organisation`.
    #[must_use]
    pub fn role(&self, organisation: &OrganisationId) -> Option<Role> {
        self.members.iter().find(|(member, _)| member == organisation).map(|(_, role)| *role)
    }

    /// Whether `organisation` owns the space, and nobody set aside who founded it.
    #[must_use]
    pub fn is_of(&self, organisation: &OrganisationId) -> bool {
        self.owner == *organisation && !self.is_aside
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
    by_member: Index,
    by_parted: Index,
    /// How many spaces each organisation owns or owned.
    owned: HashMap<OrganisationId, usize>,
}

/// Where the spaces of each organisation stand.
#[derive(Default)]
struct Index(HashMap<OrganisationId, BTreeMap<SpaceId, usize>>);

impl Index {
    fn of(&self, organisation: &OrganisationId) -> impl Iterator<Item = usize> + use<'_> {
        self.0.get(organisation).into_iter().flat_map(BTreeMap::values).copied()
    }

    /// Lists the space that stands at `place` for the organisations in `after`, and for those in
    /// `before` no more.
    fn replace<T>(
        &mut self,
        (space, place): (&SpaceId, usize),
        before: &[(OrganisationId, T)],
        after: &[(OrganisationId, T)],
    ) {
        if before.iter().map(|(one, _)| one).eq(after.iter().map(|(one, _)| one)) {
            return;
        }
        for (organisation, _) in before {
            if let Some(spaces) = self.0.get_mut(organisation) {
                spaces.remove(space);
            }
        }
        for (organisation, _) in after {
            self.0.entry(*organisation).or_default().insert(*space, place);
        }
    }
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
        self.by_member.of(organisation).filter_map(|place| self.known.get(place))
    }

    /// The spaces that `organisation` and this one do not share any more, in the order of their
    /// ids, and the name under which what parted them is compared.
    pub fn parted_from<'s>(
        &'s self,
        organisation: &'s OrganisationId,
    ) -> impl Iterator<Item = (SpaceId, [u8; 32])> + use<'s> {
        self.by_parted.of(organisation).filter_map(move |place| {
            let known = self.known.get(place)?;
            let mut parted = known.summary.parted.iter();
            let (_, state) = parted.find(|(one, _)| one == organisation)?;
            Some((known.space, item(&known.space, state)))
        })
    }

    /// How many spaces `organisation` owns or owned.
    pub fn owned(&self, organisation: &OrganisationId) -> usize {
        self.owned.get(organisation).copied().unwrap_or(0)
    }

    fn count_owners(&mut self, before: &[OrganisationId], after: &Summary) {
        if after.counted_owners().eq(before) {
            return;
        }
        for owner in before {
            let count = self.owned.entry(*owner).or_default();
            *count = count.saturating_sub(1);
        }
        for owner in after.counted_owners() {
            *self.owned.entry(*owner).or_default() += 1;
        }
    }

    /// Takes the place of what was known of a space.
    pub fn insert(&mut self, space: &SpaceId, summary: Summary) {
        let item = item(space, &summary.digest);
        let place = *self.places.entry(*space).or_insert(self.known.len());
        let before = self.known.get(place).map(|known| &known.summary);
        let owners: Vec<_> =
            before.into_iter().flat_map(Summary::counted_owners).copied().collect();
        let members = before.map_or(&[][..], |before| &before.members);
        let parted = before.map_or(&[][..], |before| &before.parted);
        self.by_member.replace((space, place), members, &summary.members);
        self.by_parted.replace((space, place), parted, &summary.parted);
        self.count_owners(&owners, &summary);
        let known = Known { space: *space, summary, item };
        match self.known.get_mut(place) {
            Some(before) => *before = known,
            None => self.known.push(known),
        }
    }
}

/// The name under which a state of a space is compared.
fn item(space: &SpaceId, state: &[u8; 32]) -> [u8; 32] {
    Domain::SYNC_ITEM.hash(&[space.as_bytes(), state])
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
            parted: Vec::new(),
            lacking: 0,
            owners: Vec::new(),
            is_aside: false,
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
    fn what_parted_two_organisations_has_another_name_than_the_space_as_it_stands() {
        let mut summaries = Summaries::default();
        let parted = |entry| Summary {
            parted: vec![(organisation(2), [entry; 32].into())],
            ..summary(&[1], 7)
        };
        let mut names = |summary| {
            summaries.insert(&space(1), summary);
            let [parted, members] = [2, 1].map(organisation);
            let named = summaries.parted_from(&parted).map(|(_, item)| item).collect::<Vec<_>>();
            (named, summaries.of(&members).map(|known| known.item).collect::<Vec<_>>())
        };
        let (first, members) = names(parted(3));
        let (second, unchanged) = names(parted(4));
        assert_eq!((first.len(), second.len(), &members), (1, 1, &unchanged));
        assert!(first != second && first != members);
        assert_eq!(names(summary(&[1, 2], 7)).0, Vec::<[u8; 32]>::new());
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

    #[test]
    fn a_space_counts_for_each_that_owns_or_owned_it_once() {
        let mut summaries = Summaries::default();
        summaries.insert(&space(1), summary(&[1], 0));
        summaries.insert(&space(2), summary(&[1], 0));
        let owned = |summaries: &Summaries| [1, 2].map(|one| summaries.owned(&organisation(one)));
        assert_eq!(owned(&summaries), [2, 0]);
        let owners = vec![organisation(1), organisation(2)];
        let taken = Summary { owner: organisation(2), owners, ..summary(&[1, 2], 1) };
        summaries.insert(&space(2), taken.clone());
        assert_eq!(owned(&summaries), [2, 1]);
        summaries.insert(&space(2), Summary { records: 5, ..taken });
        assert_eq!(owned(&summaries), [2, 1]);
        summaries.insert(&space(2), summary(&[1], 2));
        assert_eq!(owned(&summaries), [2, 0]);
        // A thief of the owner's root key fills no room that partners have for its spaces.
        summaries.insert(&space(2), Summary { is_aside: true, ..summary(&[], 2) });
        assert_eq!(owned(&summaries), [1, 0]);
        summaries.insert(&space(2), summary(&[1], 2));
        assert_eq!(owned(&summaries), [2, 0]);
    }
}
