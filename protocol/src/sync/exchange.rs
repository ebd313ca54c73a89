//! What is still to be sent in an exchange, and how much of it is under way.

use crate::ids::{EntryHash, NodeId, OrganisationId, SpaceId};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// Bytes that may be under way without acknowledgement: fills a line of 100 Mbit/s at 300 ms.
const WINDOW_BYTES: usize = 4 * 1024 * 1024;

/// Tasks, and names in them, that wait at most: 100,000 spaces of some authors each, under a
/// hundred bytes a piece. Whoever asks for more while it acknowledges nothing is not answered.
const TASKS_WEIGHT_MAX: usize = 1_000_000;

/// Something to send, read from the store only when the window has room.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// An identity log between two positions, or as far as it goes.
    Identity { organisation: OrganisationId, from: u64, to: u64 },
    /// An access log between two positions.
    Access { space: SpaceId, from: u64, to: u64 },
    /// A branch of an access log that does not hold, up to an entry.
    Branch { space: SpaceId, end: EntryHash },
    /// Keyrings, by hash.
    Sealed { space: SpaceId, hashes: BTreeSet<[u8; 32]> },
    /// Receipts for erasures, by node.
    Receipts { space: SpaceId, nodes: BTreeSet<NodeId> },
    /// An author's log from a position on.
    Author { space: SpaceId, author: NodeId, from: u64 },
    /// Bodies of an author's log, by their places.
    Bodies { space: SpaceId, author: NodeId, places: Vec<(u64, u64)> },
    /// Keys, by their commitments, for the partner's node.
    Handover { space: SpaceId, commitments: BTreeSet<[u8; 32]> },
    /// Everything known of partners, for another node of this organisation.
    Acquaintances,
    /// What is known of one partner, for another node of this organisation.
    Partner { organisation: OrganisationId },
    /// Other partners that are to be presented to this one.
    Introductions,
    /// Address records, by node.
    Beacons { nodes: BTreeSet<NodeId> },
    /// The proof that an author forked its log.
    Proof { space: SpaceId, author: NodeId, sequence: u64 },
}

impl Task {
    /// How much it takes to remember: one, and one more for each name it holds.
    fn weight(&self) -> usize {
        1 + match self {
            Self::Sealed { hashes: names, .. } | Self::Handover { commitments: names, .. } => {
                names.len()
            }
            Self::Receipts { nodes, .. } | Self::Beacons { nodes } => nodes.len(),
            Self::Bodies { places, .. } => places.len(),
            _ => 0,
        }
    }
}

/// The queue of one session. Identities go before access logs, these before author logs.
#[derive(Debug, Default)]
pub struct Exchange {
    identities: VecDeque<Task>,
    accesses: VecDeque<Task>,
    authors: VecDeque<Task>,
    /// What stands in the queues: asked, never iterated.
    queued: HashSet<Task>,
    /// How much stands there.
    weight: usize,
    /// Up to where a growing log was sent; `u64::MAX` while that is still under way.
    pushed: HashMap<(SpaceId, NodeId), u64>,
    under_way: VecDeque<usize>,
    under_way_bytes: usize,
    sent: u64,
    acknowledged: u64,
    grown_spaces: BTreeSet<SpaceId>,
    grown_identities: BTreeSet<OrganisationId>,
}

impl Exchange {
    /// Queues a task unless it is queued already.
    pub fn push(&mut self, task: Task) {
        if self.queued.insert(task.clone()) {
            self.weight += task.weight();
            self.queue_of(&task).push_back(task);
        }
    }

    /// Queues what an author's log has grown by, once however often it grew: a run goes to the end
    /// of the log, so what was sent or is about to be sent already holds what comes after it.
    pub fn push_grown(&mut self, space: SpaceId, author: NodeId, from: u64) {
        let end = self.pushed.entry((space, author)).or_insert(from);
        if *end <= from {
            *end = u64::MAX;
            self.push(Task::Author { space, author, from });
        }
    }

    /// Notes that an author's log was sent up to `end`, and that there is no more of it here.
    pub fn note_end(&mut self, space: SpaceId, author: NodeId, end: u64) {
        if let Some(pushed) = self.pushed.get_mut(&(space, author)) {
            *pushed = end;
        }
    }

    /// Puts the rest of a task back at the front of its queue.
    pub fn push_rest(&mut self, task: Task) {
        if self.queued.insert(task.clone()) {
            self.weight += task.weight();
            self.queue_of(&task).push_front(task);
        }
    }

    fn queue_of(&mut self, task: &Task) -> &mut VecDeque<Task> {
        match task {
            Task::Identity { .. }
            | Task::Acquaintances
            | Task::Introductions
            | Task::Partner { .. }
            | Task::Beacons { .. } => &mut self.identities,
            Task::Access { .. }
            | Task::Branch { .. }
            | Task::Sealed { .. }
            | Task::Handover { .. }
            | Task::Receipts { .. } => &mut self.accesses,
            Task::Author { .. } | Task::Bodies { .. } | Task::Proof { .. } => &mut self.authors,
        }
    }

    /// The next task, while the window has room.
    pub fn next(&mut self) -> Option<Task> {
        if self.under_way_bytes >= WINDOW_BYTES {
            return None;
        }
        let queues = [&mut self.identities, &mut self.accesses, &mut self.authors];
        let next = queues.into_iter().find_map(VecDeque::pop_front)?;
        self.queued.remove(&next);
        self.weight = self.weight.saturating_sub(next.weight());
        Some(next)
    }

    /// Whether more is queued than any honest partner asks for.
    pub const fn is_overfull(&self) -> bool {
        self.weight > TASKS_WEIGHT_MAX
    }

    /// Notes that a space grew: its heads are announced once, however much grew.
    pub fn announce(&mut self, space: SpaceId) {
        self.grown_spaces.insert(space);
    }

    /// Notes that an identity log grew.
    pub fn announce_identity(&mut self, organisation: OrganisationId) {
        self.grown_identities.insert(organisation);
    }

    /// What is to be announced now.
    pub fn take_announcements(&mut self) -> (BTreeSet<SpaceId>, BTreeSet<OrganisationId>) {
        (std::mem::take(&mut self.grown_spaces), std::mem::take(&mut self.grown_identities))
    }

    /// Notes that a message of so many bytes is under way.
    pub fn note_sent(&mut self, bytes: usize) {
        self.sent += 1;
        self.under_way.push_back(bytes);
        self.under_way_bytes += bytes;
    }

    /// Notes that the partner holds `total` messages durably; whether that is possible.
    pub fn note_acknowledged(&mut self, total: u64) -> bool {
        if total < self.acknowledged || total > self.sent {
            return false;
        }
        while self.acknowledged < total {
            self.acknowledged += 1;
            let bytes = self.under_way.pop_front().unwrap_or(0);
            self.under_way_bytes = self.under_way_bytes.saturating_sub(bytes);
        }
        true
    }

    /// Whether everything was sent and acknowledged.
    pub fn is_idle(&self) -> bool {
        self.queued.is_empty() && self.under_way.is_empty()
    }

    /// Whether something waits for an acknowledgement.
    pub fn is_waiting(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Tasks queued and messages under way.
    pub fn outstanding(&self) -> u64 {
        (self.queued.len() + self.under_way.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(from: u64) -> Task {
        let space = SpaceId::from_bytes([1; 32]);
        Task::Author { space, author: NodeId::from_bytes([2; 32]), from }
    }

    #[test]
    fn identities_go_first_and_nothing_is_queued_twice() {
        let mut exchange = Exchange::default();
        exchange.push(author(0));
        exchange.push(author(0));
        let organisation = OrganisationId::from_bytes([3; 32]);
        exchange.push(Task::Identity { organisation, from: 0, to: u64::MAX });
        assert!(matches!(exchange.next(), Some(Task::Identity { .. })));
        assert_eq!(exchange.next(), Some(author(0)));
        assert_eq!(exchange.next(), None);
    }

    #[test]
    fn a_log_that_grows_and_grows_is_sent_once() {
        let (space, node) = (SpaceId::from_bytes([1; 32]), NodeId::from_bytes([2; 32]));
        let mut exchange = Exchange::default();
        (5..100).for_each(|from| exchange.push_grown(space, node, from));
        assert_eq!(exchange.next(), Some(Task::Author { space, author: node, from: 5 }));
        exchange.push_grown(space, node, 100);
        assert_eq!(exchange.next(), None, "the run that is under way takes it along");
        exchange.note_end(space, node, 101);
        exchange.push_grown(space, node, 100);
        assert_eq!(exchange.next(), None, "sent already");
        exchange.push_grown(space, node, 101);
        assert_eq!(exchange.next(), Some(Task::Author { space, author: node, from: 101 }));
    }

    #[test]
    fn the_window_stops_and_acknowledgements_reopen_it() {
        let mut exchange = Exchange::default();
        exchange.push(author(0));
        exchange.note_sent(WINDOW_BYTES);
        assert_eq!(exchange.next(), None);
        assert!(!exchange.note_acknowledged(2), "more than was sent");
        assert!(exchange.note_acknowledged(1));
        assert_eq!(exchange.next(), Some(author(0)));
        assert!(exchange.is_idle());
    }

    /// A partner that acknowledges nothing and names other keys in every message.
    #[test]
    fn threat_31_who_asks_without_end_is_left() {
        let mut exchange = Exchange::default();
        let space = SpaceId::from_bytes([1; 32]);
        let mut pushed = 0_u32;
        while !exchange.is_overfull() {
            let names = (0..4_096_u32).map(|name| {
                let mut bytes = [0; 32];
                bytes[..4].copy_from_slice(&pushed.to_be_bytes());
                bytes[4..8].copy_from_slice(&name.to_be_bytes());
                bytes
            });
            exchange.push(Task::Sealed { space, hashes: names.collect() });
            pushed += 1;
            assert!(pushed < 300, "never overfull");
        }
        while exchange.next().is_some() {}
        assert!(!exchange.is_overfull(), "what was sent is forgotten");
    }
}
