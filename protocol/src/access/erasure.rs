//! What an access log erases: records, and the places of their entries.
//!
//! Readers go by the record: they hide it, whatever of it comes later. Carriers cannot read and go
//! by the places, and so do readers for bodies: a body is left out exactly where an erasure names
//! its place, so that all replicas hand on the same entries with and without. Where a log was found
//! forked, a place is that of two entries, and an erasure names one of them by its hash.

use crate::codec;
use crate::ids::{EntryHash, NodeId, RecordId};
use crate::limits;
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// Entries of one node that an erasure names.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ErasedEntries {
    /// The node that wrote them.
    #[n(0)]
    pub node: NodeId,
    /// Stretches of its log, each from its first position to before its second, in order and apart.
    #[n(1)]
    pub stretches: Vec<(u64, u64)>,
    /// Entries of its log from where it was found forked on, in order: position and hash.
    #[n(2)]
    #[cbor(with = "codec::list_if_any", has_nil)]
    pub forked: Vec<(u64, EntryHash)>,
}

impl ErasedEntries {
    fn begin(node: NodeId) -> Self {
        Self { node, stretches: Vec::new(), forked: Vec::new() }
    }

    /// Where anything is named: node, first position, position after the last.
    pub fn places(&self) -> impl Iterator<Item = (NodeId, u64, u64)> {
        let forked = self.forked.iter().map(|(place, _)| (*place, place.saturating_add(1)));
        let stretches = self.stretches.iter().copied();
        stretches.chain(forked).map(|(from, to)| (self.node, from, to))
    }

    /// The fewest stretches that hold these places; places of one node must not repeat.
    #[must_use]
    pub fn gather(places: impl IntoIterator<Item = (NodeId, u64)>) -> Vec<Self> {
        let mut sorted: Vec<_> = places.into_iter().collect();
        sorted.sort_unstable();
        let mut gathered: Vec<Self> = Vec::new();
        for (node, sequence) in sorted {
            let end = sequence.saturating_add(1);
            let known = gathered.pop_if(|last| last.node == node);
            let mut of_node = known.unwrap_or_else(|| Self::begin(node));
            match of_node.stretches.last_mut().filter(|one| one.1 >= sequence) {
                Some(stretch) => stretch.1 = end,
                None => of_node.stretches.push((sequence, end)),
            }
            gathered.push(of_node);
        }
        gathered
    }

    /// These and, by their hashes, entries of logs that were found forked.
    #[must_use]
    pub fn with_forked(
        gathered: Vec<Self>,
        forked: impl IntoIterator<Item = (NodeId, u64, EntryHash)>,
    ) -> Vec<Self> {
        let mut all: BTreeMap<_, _> = gathered.into_iter().map(|one| (one.node, one)).collect();
        let forked: BTreeSet<_> = forked.into_iter().collect();
        for (node, sequence, hash) in forked {
            let of_node = all.entry(node).or_insert_with(|| Self::begin(node));
            of_node.forked.push((sequence, hash));
        }
        all.into_values().collect()
    }

    /// These in as many lists as an access entry each holds; at least one, if empty.
    #[must_use]
    pub fn portions(entries: Vec<Self>) -> Vec<Vec<Self>> {
        if is_within_limit(&entries) {
            return vec![entries];
        }
        let mut single = Vec::new();
        for one in entries {
            let node = one.node;
            let stretches = one.stretches.into_iter();
            single.extend(
                stretches.map(|stretch| Self { stretches: vec![stretch], ..Self::begin(node) }),
            );
            let forked = one.forked.into_iter();
            single.extend(forked.map(|one| Self { forked: vec![one], ..Self::begin(node) }));
        }
        single.chunks(limits::ERASURE_STRETCHES_MAX).map(Self::regroup).collect()
    }

    fn regroup(single: &[Self]) -> Vec<Self> {
        let mut grouped: Vec<Self> = Vec::new();
        for one in single {
            match grouped.last_mut().filter(|last| last.node == one.node) {
                Some(last) => {
                    last.stretches.extend_from_slice(&one.stretches);
                    last.forked.extend_from_slice(&one.forked);
                }
                None => grouped.push(one.clone()),
            }
        }
        grouped
    }
}

fn is_within_limit(entries: &[ErasedEntries]) -> bool {
    let named = entries.iter().map(|one| one.stretches.len().saturating_add(one.forked.len()));
    named.sum::<usize>() <= limits::ERASURE_STRETCHES_MAX
}

/// Whether the entries of an erasure are in order, apart and within their limits.
pub(super) fn is_sound(entries: &[ErasedEntries]) -> bool {
    let nodes = entries.iter().zip(entries.iter().skip(1));
    is_within_limit(entries)
        && nodes.into_iter().all(|(one, next)| one.node < next.node)
        && entries.iter().all(|one| !one.stretches.is_empty() || !one.forked.is_empty())
        && entries.iter().all(|one| are_apart(&one.stretches) && are_in_order(&one.forked))
}

fn are_in_order(forked: &[(u64, EntryHash)]) -> bool {
    let mut following = forked.iter().zip(forked.iter().skip(1));
    forked.iter().all(|(sequence, _)| *sequence < limits::AUTHOR_ENTRIES_MAX)
        && following.all(|(one, next)| one < next)
}

fn are_apart(stretches: &[(u64, u64)]) -> bool {
    let mut following = stretches.iter().zip(stretches.iter().skip(1));
    stretches.iter().all(|(from, to)| from < to && *to <= limits::AUTHOR_ENTRIES_MAX)
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
    /// Where anything is named: node, first position, position after the last.
    pub fn places(&self) -> impl Iterator<Item = (NodeId, u64, u64)> {
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
    /// Entries of forked logs that are named by their hashes.
    forked: BTreeSet<(NodeId, u64, EntryHash)>,
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
            for stretch in &one.stretches {
                join(known, *stretch);
            }
            let forked = one.forked.iter();
            self.forked.extend(forked.map(|(sequence, hash)| (one.node, *sequence, *hash)));
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

    /// Whether the entry with this hash is among those named, by its place or by its hash.
    #[must_use]
    pub fn covers(&self, node: &NodeId, sequence: u64, hash: &EntryHash) -> bool {
        self.covers_stretch(node, sequence, sequence.saturating_add(1))
            || self.forked.contains(&(*node, sequence, *hash))
    }

    /// Whether any entry at this place is named.
    #[must_use]
    pub fn touches(&self, node: &NodeId, sequence: u64) -> bool {
        let [first, last] = [[u8::MIN; 32], [u8::MAX; 32]].map(EntryHash::from_bytes);
        self.covers_stretch(node, sequence, sequence.saturating_add(1))
            || self.forked.range((*node, sequence, first)..=(*node, sequence, last)).count() > 0
    }

    fn covers_stretch(&self, node: &NodeId, from: u64, to: u64) -> bool {
        let around = |known: &BTreeMap<u64, u64>| {
            known.range(..=from).next_back().is_some_and(|(_, end)| to <= *end)
        };
        self.stretches.get(node).is_some_and(around)
    }

    fn covers_all(&self, entries: &ErasedEntries) -> bool {
        let node = &entries.node;
        entries.stretches.iter().all(|(from, to)| self.covers_stretch(node, *from, *to))
            && entries.forked.iter().all(|(sequence, hash)| self.covers(node, *sequence, hash))
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
            !self.names(record) || !erased.entries.iter().all(|one| self.covers_all(one))
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
        vec![ErasedEntries { stretches: stretches.to_vec(), ..ErasedEntries::begin(node(1)) }]
    }

    fn hash(number: u8) -> EntryHash {
        EntryHash::from_bytes([number; 32])
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
        let covers = |author, place| erasures.covers(&node(author), place, &hash(0));
        assert!(covers(1, 5) && covers(1, 8));
        assert!(!covers(1, 6) && !covers(2, 0));
        assert_eq!((erasures.last(), erasures.names(&record(2))), (Some(6), true));
    }

    #[test]
    fn of_two_entries_at_one_place_only_the_one_named_is_erased() {
        let forked = [(node(1), 3, hash(2)), (node(1), 3, hash(1)), (node(2), 0, hash(1))];
        let named = ErasedEntries::with_forked(entries(&[(0, 2)]), forked);
        assert!(is_sound(&named));
        assert_eq!(named[0].forked, [(3, hash(1)), (3, hash(2))]);
        let mut erasures = Erasures::default();
        erasures.note(record(1), &named[1..], 1);
        assert!(erasures.covers(&node(2), 0, &hash(1)) && erasures.touches(&node(2), 0));
        assert!(!erasures.covers(&node(2), 0, &hash(2)) && !erasures.touches(&node(2), 1));
        let mut other = Erasures::default();
        other.note(record(1), &named, 1);
        assert_eq!(erasures.lacking(&other).count(), 1);
        assert_eq!(other.lacking(&erasures).count(), 0);
        for unsound in [vec![(3, hash(2)), (3, hash(1))], vec![(3, hash(1)); 2]] {
            assert!(!is_sound(&[ErasedEntries { forked: unsound, ..named[0].clone() }]));
        }
        assert!(!is_sound(&[ErasedEntries::begin(node(1))]), "nothing named");
    }

    #[test]
    fn more_than_an_access_entry_holds_goes_into_several() {
        let count = limits::ERASURE_STRETCHES_MAX as u64;
        let forked = (0..count).map(|place| (node(1), place, hash(1)));
        let all = ErasedEntries::with_forked(entries(&[(0, 2), (4, 5)]), forked);
        assert!(!is_sound(&all));
        let portions = ErasedEntries::portions(all.clone());
        assert_eq!(portions.len(), 2);
        assert!(portions.iter().all(|one| is_sound(one)));
        let mut erasures = Erasures::default();
        for one in &portions {
            erasures.note(record(1), one, 1);
        }
        let mut whole = Erasures::default();
        whole.note(record(1), &all, 1);
        assert_eq!(erasures.lacking(&whole).count(), 0);
        let largest = vec![ErasedEntries {
            forked: (0..count)
                .map(|place| (limits::AUTHOR_ENTRIES_MAX - count + place, hash(1)))
                .collect(),
            ..ErasedEntries::begin(node(1))
        }];
        assert!(is_sound(&largest));
        let bytes = codec::encode(&largest).len();
        assert!(bytes + 1_024 < limits::ACCESS_ENTRY_BYTES_MAX, "{bytes} bytes");
    }
}
