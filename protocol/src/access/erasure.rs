//! What an access log erases: records, and the places of their entries.
//!
//! Readers go by the record: they hide it, whatever of it comes later. Carriers cannot read and go
//! by the places, and so do readers for bodies: a body is left out exactly where an erasure names
//! its place, so that all replicas hand on the same entries with and without.

use crate::ids::{NodeId, RecordId};
use crate::limits;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// Entries of one node that an erasure names.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ErasedEntries {
    /// The node that wrote them.
    #[n(0)]
    pub node: NodeId,
    /// Stretches of its log, each from its first position to before its second, in order and apart.
    #[n(1)]
    pub stretches: Vec<(u64, u64)>,
}

impl ErasedEntries {
    /// The stretches: node, first position, position after the last.
    pub fn places(&self) -> impl Iterator<Item = (NodeId, u64, u64)> {
        self.stretches.iter().map(|(from, to)| (self.node, *from, *to))
    }

    /// The fewest stretches that hold these places; places of one node must not repeat.
    #[must_use]
    pub fn gather(places: impl IntoIterator<Item = (NodeId, u64)>) -> Vec<Self> {
        let mut sorted: Vec<_> = places.into_iter().collect();
        sorted.sort_unstable();
        let mut gathered: Vec<Self> = Vec::new();
        for (node, sequence) in sorted {
            let end = sequence.saturating_add(1);
            match gathered.last_mut().filter(|last| last.node == node) {
                Some(last) => match last.stretches.last_mut().filter(|one| one.1 >= sequence) {
                    Some(stretch) => stretch.1 = end,
                    None => last.stretches.push((sequence, end)),
                },
                None => gathered.push(Self { node, stretches: vec![(sequence, end)] }),
            }
        }
        gathered
    }
}

/// Whether the entries of an erasure are in order, apart and within their limits.
pub(super) fn is_sound(entries: &[ErasedEntries]) -> bool {
    let stretches: usize = entries.iter().map(|one| one.stretches.len()).sum();
    let nodes = entries.iter().zip(entries.iter().skip(1));
    stretches <= limits::ERASURE_STRETCHES_MAX
        && nodes.into_iter().all(|(one, next)| one.node < next.node)
        && entries.iter().all(|one| are_apart(&one.stretches))
}

fn are_apart(stretches: &[(u64, u64)]) -> bool {
    let mut following = stretches.iter().zip(stretches.iter().skip(1));
    !stretches.is_empty()
        && stretches.iter().all(|(from, to)| from < to && *to <= limits::AUTHOR_ENTRIES_MAX)
        && following.all(|((_, end), (from, _))| end < from)
}

/// What a branch of an access log says of an erased record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasedRecord {
    /// Position of the first access entry that erases it.
    pub since: u64,
    /// Position of the last access entry that erases it.
    pub position: u64,
    /// The entries named, one erasure after another.
    pub entries: Vec<ErasedEntries>,
}

impl ErasedRecord {
    /// The stretches named: node, first position, position after the last.
    pub fn stretches(&self) -> impl Iterator<Item = (NodeId, u64, u64)> {
        self.entries.iter().flat_map(ErasedEntries::places)
    }
}

/// Everything that a branch of an access log erases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasures {
    records: BTreeMap<RecordId, ErasedRecord>,
    last: Option<u64>,
    /// By node and first position, the position before which a stretch ends. They do not overlap.
    stretches: BTreeMap<NodeId, BTreeMap<u64, u64>>,
}

impl Erasures {
    pub(super) fn note(&mut self, record: RecordId, entries: &[ErasedEntries], position: u64) {
        let first = ErasedRecord { since: position, ..ErasedRecord::default() };
        let erased = self.records.entry(record).or_insert(first);
        erased.position = position;
        erased.entries.extend_from_slice(entries);
        self.last = Some(position);
        for one in entries {
            let known = self.stretches.entry(one.node).or_default();
            one.stretches.iter().for_each(|stretch| join(known, *stretch));
        }
    }

    /// Adds what another branch erases; positions of the two do not compare.
    pub(super) fn add(&mut self, other: &Self) {
        for (record, erased) in &other.records {
            self.note(*record, &erased.entries, erased.position);
        }
    }

    /// Whether the record was erased.
    #[must_use]
    pub fn names(&self, record: &RecordId) -> bool {
        self.records.contains_key(record)
    }

    /// Whether the place is among those named.
    #[must_use]
    pub fn covers(&self, node: &NodeId, sequence: u64) -> bool {
        self.covers_all(&(*node, sequence, sequence.saturating_add(1)))
    }

    fn covers_all(&self, (node, from, to): &(NodeId, u64, u64)) -> bool {
        let around = |known: &BTreeMap<u64, u64>| {
            known.range(..=from).next_back().is_some_and(|(_, end)| to <= end)
        };
        self.stretches.get(node).is_some_and(around)
    }

    /// The records.
    #[must_use]
    pub const fn records(&self) -> &BTreeMap<RecordId, ErasedRecord> {
        &self.records
    }

    /// What `other` erases and this does not.
    pub(super) fn lacking<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (RecordId, &'a [ErasedEntries])> {
        let is_lacking = |(record, erased): &(&RecordId, &ErasedRecord)| {
            !self.names(record) || !erased.stretches().all(|stretch| self.covers_all(&stretch))
        };
        let lacking = other.records.iter().filter(is_lacking);
        lacking.map(|(record, erased)| (*record, erased.entries.as_slice()))
    }

    /// The position of the last access entry that erases anything.
    #[must_use]
    pub const fn last(&self) -> Option<u64> {
        self.last
    }
}

/// Adds a stretch, joined with those that it touches.
fn join(known: &mut BTreeMap<u64, u64>, (mut from, mut to): (u64, u64)) {
    while let Some((start, end)) = known.range(..=to).next_back().map(|(start, end)| (*start, *end))
        && end >= from
    {
        known.remove(&start);
        (from, to) = (from.min(start), to.max(end));
    }
    known.insert(from, to);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u8) -> NodeId {
        NodeId::from_bytes([number; 32])
    }

    fn record(number: u8) -> RecordId {
        RecordId::from_bytes([number; 16])
    }

    fn entries(stretches: &[(u64, u64)]) -> Vec<ErasedEntries> {
        vec![ErasedEntries { node: node(1), stretches: stretches.to_vec() }]
    }

    #[test]
    fn places_are_gathered_into_the_fewest_stretches() {
        let places = [(node(2), 4), (node(1), 7), (node(1), 5), (node(1), 6), (node(1), 9)];
        let gathered = ErasedEntries::gather(places);
        let wanted = [(node(1), vec![(5, 8), (9, 10)]), (node(2), vec![(4, 5)])];
        let found: Vec<_> = gathered.iter().map(|one| (one.node, one.stretches.clone())).collect();
        assert_eq!(found, wanted);
        assert!(is_sound(&gathered));
    }

    #[test]
    fn stretches_that_overlap_touch_or_stand_the_wrong_way_are_refused() {
        assert!(is_sound(&entries(&[(0, 2), (3, 4)])));
        for unsound in [&[][..], &[(2, 2)], &[(0, 2), (2, 3)], &[(3, 4), (0, 1)], &[(0, u64::MAX)]]
        {
            assert!(!is_sound(&entries(unsound)), "{unsound:?}");
        }
        let twice = [entries(&[(0, 1)]), entries(&[(3, 4)])].concat();
        assert!(!is_sound(&twice), "a node named twice");
    }

    #[test]
    fn erasures_add_up() {
        let mut erasures = Erasures::default();
        erasures.note(record(1), &entries(&[(0, 2), (8, 9)]), 3);
        erasures.note(record(2), &entries(&[(4, 6)]), 4);
        erasures.note(record(1), &entries(&[(1, 5)]), 6);
        let joined: Vec<_> = erasures.stretches[&node(1)].iter().collect();
        assert_eq!(joined, [(&0, &6), (&8, &9)]);
        assert!(erasures.covers(&node(1), 5) && erasures.covers(&node(1), 8));
        assert!(!erasures.covers(&node(1), 6) && !erasures.covers(&node(2), 0));
        assert_eq!((erasures.last(), erasures.names(&record(2))), (Some(6), true));
    }
}
