//! Through which places the owner said that logs go: of a log of which there are two versions, the
//! one that goes through them counts.

use super::operation::Cut;
use crate::ids::{EntryHash, NodeId};
use crate::limits;
use crate::log::LogPosition;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

/// The named places of every log, by cuts and beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    places: BTreeMap<NodeId, BTreeMap<u64, EntryHash>>,
    /// How many places there are, of all logs.
    count: usize,
}

impl Settled {
    pub(super) fn note_cut(&mut self, cut: &Cut) {
        if cut.length > 0 {
            self.note(cut.node, &[LogPosition { length: cut.length, head: cut.head }]);
        }
    }

    /// Of two hashes that are named at one place the first stands.
    pub(super) fn note(&mut self, node: NodeId, places: &[LogPosition]) {
        let known = self.places.entry(node).or_default();
        for LogPosition { length, head } in places {
            if let Entry::Vacant(place) = known.entry(*length) {
                place.insert(*head);
                self.count += 1;
            }
        }
    }

    /// How many more places of a log may be named: of one log, and of all logs of the space.
    #[must_use]
    pub fn room(&self, node: &NodeId) -> usize {
        let of_all = limits::SETTLED_PLACES_OF_SPACE_MAX.saturating_sub(self.count);
        limits::SETTLED_PLACES_OF_NODE_MAX.saturating_sub(self.count(node)).min(of_all)
    }

    /// How many places of a log are named.
    #[must_use]
    pub fn count(&self, node: &NodeId) -> usize {
        self.places.get(node).map_or(0, BTreeMap::len)
    }

    /// The named place of a log that is furthest along.
    #[must_use]
    pub fn last(&self, node: &NodeId) -> Option<LogPosition> {
        let (length, head) = self.places.get(node)?.last_key_value()?;
        Some(LogPosition { length: *length, head: *head })
    }

    /// The named places of a log behind `after` and up to `length`, in their order.
    pub fn between(
        &self,
        node: &NodeId,
        after: u64,
        length: u64,
    ) -> impl Iterator<Item = LogPosition> {
        let named = self.places.get(node).filter(|_| after < length).into_iter();
        let range = (Bound::Excluded(after), Bound::Included(length));
        let named = named.flat_map(move |places| places.range(range));
        named.map(|(length, head)| LogPosition { length: *length, head: *head })
    }
}

/// Whether named places are in order and within their limits.
pub(super) fn is_sound(places: &[LogPosition]) -> bool {
    let mut following = places.iter().zip(places.iter().skip(1));
    let is_possible = |one: &LogPosition| (1..=limits::AUTHOR_ENTRIES_MAX).contains(&one.length);
    (1..=limits::SETTLED_PLACES_MAX).contains(&places.len())
        && places.iter().all(is_possible)
        && following.all(|(one, next)| one.length < next.length)
}
