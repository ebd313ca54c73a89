//! Finding out what differs: set reconciliation over items, by ranges.
//!
//! The set holds only what the partner may know of, so whatever bounds it sends, they select from
//! that set and nothing else. `negentropy` is named only here.

use crate::ids::OrganisationId;
use crate::limits;
use crate::replica::{Item, ItemRef, Replica};
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use std::collections::BTreeSet;

/// One step's frame: well under the frame limit, so that a comparison never crowds out entries.
const STEP_BYTES_MAX: u64 = 64 * 1024;

/// The partner's bytes are not a step of reconciliation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadStep;

/// A snapshot of the items at the beginning of a comparison.
pub struct Comparison {
    /// In the order of their ids.
    items: Vec<Item>,
    machine: Negentropy<'static, NegentropyStorageVector>,
    have: Vec<Id>,
    need: Vec<Id>,
    need_max: usize,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Items that are here as they are not there.
    pub have: Vec<ItemRef>,
    /// Items that are there as they are not here.
    pub need: Vec<[u8; 32]>,
    /// The ids of both: the same again when neither side has moved.
    pub ids: BTreeSet<[u8; 32]>,
}

impl Differences {
    /// How many.
    pub fn count(&self) -> u64 {
        (self.have.len() + self.need.len()) as u64
    }
}

impl Comparison {
    /// A snapshot of what `partner` may know of.
    pub fn new(replica: &Replica, partner: &OrganisationId) -> Result<Self, BadStep> {
        Self::of(replica.items(partner), limits::ITEMS_NEEDED_MAX)
    }

    /// A snapshot of these items, which asks for at most `need_max` others.
    fn of(mut items: Vec<Item>, need_max: usize) -> Result<Self, BadStep> {
        items.sort_unstable_by_key(|item| item.id);
        let mut storage = NegentropyStorageVector::with_capacity(items.len());
        for Item { id, .. } in &items {
            storage.insert(0, Id::from_byte_array(*id)).map_err(|_| BadStep)?;
        }
        storage.seal().map_err(|_| BadStep)?;
        let machine = Negentropy::owned(storage, STEP_BYTES_MAX).map_err(|_| BadStep)?;
        Ok(Self { items, machine, have: Vec::new(), need: Vec::new(), need_max })
    }

    /// The first step of the side that compares.
    pub fn initiate(&mut self) -> Result<Vec<u8>, BadStep> {
        self.machine.initiate().map_err(|_| BadStep)
    }

    /// The answer of the other side.
    pub fn answer(&mut self, bytes: &[u8]) -> Result<Vec<u8>, BadStep> {
        self.machine.reconcile(bytes).map_err(|_| BadStep)
    }

    /// The next step of the side that compares; `None` when the comparison is complete.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, BadStep> {
        let step = self.machine.reconcile_with_ids(bytes, &mut self.have, &mut self.need);
        // Each item differs once: more is said only to fill memory.
        if self.have.len() > self.items.len() || self.need.len() > self.need_max {
            return Err(BadStep);
        }
        step.map_err(|_| BadStep)
    }

    /// What was found.
    pub fn differences(&self) -> Differences {
        // What is found comes in no order of its own: one course of a session is to be one course.
        let sorted = |ids: &[Id]| ids.iter().map(|id| id.to_bytes()).collect::<BTreeSet<_>>();
        let (have, need) = (sorted(&self.have), sorted(&self.need));
        Differences {
            have: have.iter().filter_map(|id| self.resolve(id)).collect(),
            need: need.iter().copied().collect(),
            ids: have.union(&need).copied().collect(),
        }
    }

    /// The item with this id, in the snapshot.
    pub fn resolve(&self, id: &[u8; 32]) -> Option<ItemRef> {
        let place = self.items.binary_search_by(|item| item.id.cmp(id)).ok()?;
        self.items.get(place).map(|item| item.reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items with these numbers, as a replica would name them.
    fn comparison(numbers: impl IntoIterator<Item = u8>, need_max: usize) -> Comparison {
        let item = |number: u8| Item {
            reference: ItemRef::Identity(OrganisationId::from_bytes([number; 32])),
            id: [number; 32],
        };
        Comparison::of(numbers.into_iter().map(item).collect(), need_max).unwrap()
    }

    #[test]
    fn who_says_again_what_is_lacking_there_ends_the_comparison() {
        let (mut here, mut there) = (comparison(1..=3, 100), comparison([], 100));
        let answer = there.answer(&here.initiate().unwrap()).unwrap();
        here.advance(&answer).unwrap();
        assert_eq!(here.differences().have.len(), 3);
        // Each item differs once, however often it is said.
        assert_eq!(here.advance(&answer), Err(BadStep));
    }

    #[test]
    fn no_more_is_asked_for_than_is_allowed() {
        let (mut here, mut there) = (comparison([], 4), comparison(1..=2, 100));
        let answer = there.answer(&here.initiate().unwrap()).unwrap();
        for _ in 0..2 {
            here.advance(&answer).unwrap();
        }
        assert_eq!(here.need.len(), 4);
        assert_eq!(here.advance(&answer), Err(BadStep));
    }
}
