//! Nodes that run twice, or from an old copy of their disk.
//!
//! Such a node contradicts itself without meaning to. The proof is kept, its log counts up to where
//! it parts, nobody takes more of it; and its organisation puts another node in its place.

use super::peer::Repute;
use super::{Peer, PeerIndex, World};
use sincronia_protocol::access::{AccessEntry, AccessOperation};
use sincronia_protocol::ids::{NodeId, SpaceId};
use sincronia_protocol::storage::{Batch, MemoryStorage, Table};
use std::collections::{BTreeMap, BTreeSet};

/// A log at a node.
type Place = (PeerIndex, SpaceId, NodeId);

/// What the oracle knows of copies.
#[derive(Default)]
pub(super) struct Copies {
    backups: BTreeMap<PeerIndex, MemoryStorage>,
    /// Nodes that run twice or from an old copy: their logs may be found forked.
    nodes: BTreeSet<NodeId>,
    /// Nodes in whose name an entry was forged with their own key, unknown to their replica: when
    /// they write at its place, now or as a contributor later, they sign the place twice.
    forgers: BTreeSet<NodeId>,
    lengths: BTreeMap<Place, u64>,
    frozen: BTreeSet<Place>,
}

impl Copies {
    /// Whether a log may be found forked.
    fn is_untrue(&self, author: &NodeId) -> bool {
        self.nodes.contains(author) || self.forgers.contains(author)
    }
}

impl World {
    /// Copies a node's disk, for later.
    pub fn back_up(&mut self, peer: PeerIndex) {
        self.note(&format!("the disk of {peer} is copied"));
        let disk = self.peers[peer].disk.clone();
        self.copies.backups.insert(peer, disk);
    }

    /// A node starts from the copy of its disk. What it wrote since is only elsewhere, if anywhere.
    pub fn restore(&mut self, peer: PeerIndex) {
        let Some(disk) = self.copies.backups.get(&peer).cloned() else { return };
        if !self.peers[peer].is_good() {
            return;
        }
        self.count_fault("old copy");
        self.note(&format!("{peer} starts from an old copy"));
        self.set_copied(peer);
        self.promises.forget(peer);
        self.copies.lengths.retain(|(one, ..), _| *one != peer);
        self.copies.frozen.retain(|(one, ..)| *one != peer);
        self.isolate(peer);
        self.peers[peer].disk = disk;
        self.peers[peer].restart();
        self.flush(peer);
    }

    /// A second node with the keys and the disk of the first. Returns it.
    pub fn clone_node(&mut self, peer: PeerIndex) -> PeerIndex {
        let twin = self.len();
        self.count_fault("clone");
        self.note(&format!("{twin} is a copy of {peer}"));
        self.set_copied(peer);
        let one = &self.peers[peer];
        let (credentials, house, disk) = (one.credentials.clone(), one.house, one.disk.clone());
        let entries = self.organisations[house].entries.clone();
        let mut copy = Peer::start(credentials, house, &entries[..1]);
        copy.disk = disk;
        copy.repute = Repute::Copied;
        copy.restart();
        self.peers.push(copy);
        twin
    }

    fn set_copied(&mut self, peer: PeerIndex) {
        self.peers[peer].repute = Repute::Copied;
        self.copies.nodes.insert(self.peers[peer].replica.node());
    }

    pub(super) fn set_forging(&mut self, peer: PeerIndex) {
        self.peers[peer].repute = Repute::Rogue;
        self.copies.forgers.insert(self.peers[peer].replica.node());
    }

    /// Organisations put other nodes in the places of primaries that contradict themselves.
    pub(super) fn replace_copied_primaries(&mut self) {
        for house in 0..self.organisations.len() {
            let primary = self.organisations[house].primary;
            if self.peers[primary].repute != Repute::Copied {
                continue;
            }
            let is_fit =
                |peer: &PeerIndex| self.peers[*peer].house == house && self.peers[*peer].is_good();
            let fit = (0..self.len()).find(is_fit);
            let successor = fit.unwrap_or_else(|| self.add_node(primary));
            self.name_primary(successor);
        }
    }

    /// Organisations take their word back for nodes that contradict themselves.
    pub(super) fn revoke_copied(&mut self) {
        for peer in 0..self.len() {
            if self.peers[peer].repute == Repute::Copied {
                self.revoke_node(peer);
            }
        }
    }

    /// Whether a node ran twice or from an old copy.
    pub(super) fn is_copied(&self, peer: PeerIndex) -> bool {
        self.copies.nodes.contains(&self.peers[peer].replica.node())
    }

    /// Whether some node ran twice or from an old copy: its organisation may have lost something.
    pub(super) fn has_copied(&self) -> bool {
        !self.copies.nodes.is_empty()
    }

    /// Only logs of nodes that were copied or forged entries are found forked, and nobody takes
    /// more of them from then on, beyond what the owner's cut names.
    pub(super) fn check_forks(&mut self, peer: PeerIndex, batch: &Batch) {
        let seed = self.seed;
        // What settles a fork may bring at once what was written after the cut.
        let (settled, others): (Vec<_>, Vec<_>) = batch
            .writes
            .iter()
            .filter(|((table, _), _)| matches!(table, Table::Entries | Table::Forks))
            .partition(|((table, _), value)| *table == Table::Forks && value.is_none());
        for ((table, key), value) in settled.into_iter().chain(others) {
            let space = SpaceId::from_bytes(key[..32].try_into().expect("a space"));
            let author = NodeId::from_bytes(key[32..64].try_into().expect("an author"));
            let sequence = u64::from_be_bytes(key[64..].try_into().expect("a place"));
            let place = (peer, space, author);
            if value.is_none() {
                self.note_settled(*table, place, sequence, batch);
                continue;
            }
            if *table == Table::Forks {
                let is_untrue = self.copies.is_untrue(&author);
                assert!(is_untrue, "seed {seed}: {peer} finds an honest log forked: {author}");
                self.copies.frozen.insert(place);
                continue;
            }
            let length = self.copies.lengths.get(&place).copied().unwrap_or(0);
            let is_frozen = self.copies.frozen.contains(&place) && sequence >= length;
            let is_named = is_frozen && sequence < self.cut_of(place, batch);
            assert!(
                !is_frozen || is_named,
                "seed {seed}: {peer} takes {sequence} of {author}, forked"
            );
            self.copies.lengths.insert(place, length.max(sequence + 1));
        }
    }

    /// Another version of a log takes the place of what was there, or a fork is settled.
    fn note_settled(&mut self, table: Table, place: Place, sequence: u64, batch: &Batch) {
        let (seed, (peer, _, author)) = (self.seed, place);
        let is_cut = self.cut_of(place, batch) > 0;
        assert!(is_cut, "seed {seed}: {peer} drops {sequence} of {author}, which was not cut");
        let is_untrue = self.copies.is_untrue(&author);
        assert!(is_untrue, "seed {seed}: {peer} drops {sequence} of an honest log: {author}");
        if table == Table::Forks {
            self.copies.frozen.remove(&place);
        } else if let Some(length) = self.copies.lengths.get_mut(&place) {
            *length = sequence.min(*length);
        }
    }

    /// How much of a log the owner's cuts keep, as a node knows them.
    fn cut_of(&self, (peer, space, author): Place, batch: &Batch) -> u64 {
        let one = &self.peers[peer];
        let known = one.replica.access_entries(&one.disk, &space, 0, u64::MAX, usize::MAX);
        let fresh = batch.writes.iter().filter(|((table, _), _)| *table == Table::Access);
        let fresh = fresh.filter_map(|(_, value)| minicbor::decode(value.as_ref()?).ok());
        let entries = known.expect("a sound disk").into_iter().chain(fresh);
        let cuts = entries.flat_map(|entry: AccessEntry| match entry.statement.operation {
            AccessOperation::Revoke { cuts, .. } => {
                cuts.into_iter().map(|cut| (cut.node, cut.length)).collect()
            }
            AccessOperation::CutNode { cut, .. } => vec![(cut.node, cut.length)],
            AccessOperation::Settle { node, places } => {
                places.into_iter().map(|place| (node, place.length)).collect()
            }
            _ => Vec::new(),
        });
        let lengths = cuts.filter(|(node, _)| *node == author).map(|(_, length)| length);
        lengths.max().unwrap_or(0)
    }

    /// The logs that a node found forked.
    #[must_use]
    pub fn forked_at(&self, peer: PeerIndex) -> usize {
        self.copies.frozen.iter().filter(|(one, ..)| *one == peer).count()
    }
}
