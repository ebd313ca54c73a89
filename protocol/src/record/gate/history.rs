//! What the gate remembers of accepted changes: who wrote each slot when, and which past each
//! change has. Its size follows the number of operations; text costs one line per run.
//!
//! A causal past is a clock: for each actor, how many of its changes are in it. Because a change
//! always builds on its author's previous one, a past holds a whole prefix of every actor. Because
//! a write replaces everything its past shows in its slot, what a past shows there is: of each
//! actor's latest write in that past, those that no other of them has in its own past.

use crate::ids::{EntryHash, NodeId, RecordId};
use crate::record::Author;
use std::collections::{BTreeSet, HashMap};

/// An operation in this history: its number, and whose it is as an index into the actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OpId {
    pub counter: u64,
    pub actor: u32,
}

/// A node writing this record under one grant.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// What Automerge knows it by.
    pub id: [u8; 16],
    /// Its changes, in sequence.
    pub changes: Vec<u32>,
    /// What they weigh together, up to each of them.
    totals: Vec<Weight>,
}

/// What changes cost to keep.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weight {
    pub changes: u64,
    pub operations: u64,
    /// Of text.
    pub bytes: u64,
}

impl Weight {
    fn plus(self, other: Self) -> Self {
        Self {
            changes: self.changes + other.changes,
            operations: self.operations + other.operations,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// An accepted change.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub entry: EntryHash,
    pub author: Author,
    pub actor: u32,
    /// From one, within the actor.
    pub sequence: u32,
    /// The number of its first operation.
    pub start: u64,
    /// The number after its last operation.
    pub end: u64,
    /// Its past and itself.
    pub clock: Vec<u32>,
    /// The changes it names as dependencies.
    pub parents: Vec<u32>,
    /// Text it inserted.
    pub runs: Vec<Run>,
}

/// Consecutive text elements inserted by one operation.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub object: OpId,
    pub first: u64,
    pub count: u64,
}

/// A place that holds a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// A field of the record.
    Field(u16),
    /// An element of the set that this operation made.
    Element(OpId, String),
}

/// One write of a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write {
    pub change: u32,
    pub id: OpId,
    pub kind: WriteKind,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteKind {
    /// A value that is replaced as a whole.
    Value,
    /// A set or a text, which has operations of its own.
    Object,
    /// Nothing: an element left a set.
    Deletion,
}

/// A causal past.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    clock: Vec<u32>,
    /// The number after the highest operation.
    pub next: u64,
    /// The changes it was joined from.
    pub heads: Vec<u32>,
}

impl Past {
    fn holds(&self, actor: u32, sequence: u32) -> bool {
        at(&self.clock, actor) >= sequence
    }
}

/// Accepted changes of one record.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    actors: Vec<Actor>,
    actor_by_author: HashMap<(NodeId, u64), u32>,
    changes: Vec<Applied>,
    by_entry: HashMap<EntryHash, u32>,
    slots: HashMap<Slot, Vec<Vec<Write>>>,
    heads: BTreeSet<u32>,
}

impl History {
    /// Accepted changes, in an order in which each follows its past.
    pub fn changes(&self) -> &[Applied] {
        &self.changes
    }

    /// The number of an accepted change.
    pub fn index_of(&self, entry: &EntryHash) -> Option<u32> {
        self.by_entry.get(entry).copied()
    }

    /// An accepted change.
    pub fn change(&self, index: u32) -> Option<&Applied> {
        self.changes.get(index as usize)
    }

    /// Who created the record.
    pub fn creator(&self) -> Option<&Author> {
        self.changes.first().map(|change| &change.author)
    }

    /// The actors, in the order in which they first appeared.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// The actor of an author, if it has written.
    pub fn actor_of(&self, node: &NodeId, grant: u64) -> Option<u32> {
        self.actor_by_author.get(&(*node, grant)).copied()
    }

    /// The actor with these bytes.
    pub fn actor_named(&self, id: &[u8]) -> Option<u32> {
        let found = self.actors.iter().position(|actor| actor.id == *id)?;
        u32::try_from(found).ok()
    }

    /// The last accepted change of an author.
    pub fn last_of(&self, node: &NodeId, grant: u64) -> Option<u32> {
        let actor = self.actor_of(node, grant)?;
        self.actors.get(actor as usize)?.changes.last().copied()
    }

    /// Changes that no other accepted change builds on, sorted by entry.
    pub fn heads(&self) -> Vec<u32> {
        let mut heads: Vec<u32> = self.heads.iter().copied().collect();
        heads.sort_by_key(|head| self.change(*head).map(|change| change.entry));
        heads
    }

    /// The past that these accepted entries and all before them make.
    pub fn past_of(&self, entries: &[EntryHash]) -> Past {
        self.join(entries.iter().filter_map(|entry| self.index_of(entry)))
    }

    /// The past that these changes and all before them make.
    pub fn join(&self, changes: impl Iterator<Item = u32>) -> Past {
        let mut past = Past { clock: Vec::new(), next: 1, heads: Vec::new() };
        for index in changes {
            let Some(change) = self.change(index) else { continue };
            if past.clock.len() < change.clock.len() {
                past.clock.resize(change.clock.len(), 0);
            }
            for (ours, theirs) in past.clock.iter_mut().zip(&change.clock) {
                *ours = (*ours).max(*theirs);
            }
            past.next = past.next.max(change.end);
            past.heads.push(index);
        }
        past
    }

    /// What all accepted changes weigh.
    pub fn whole_weight(&self) -> Weight {
        let weights = self.actors.iter().filter_map(|actor| actor.totals.last().copied());
        weights.fold(Weight::default(), Weight::plus)
    }

    /// What a past weighs.
    pub fn weight(&self, past: &Past) -> Weight {
        let of_actor = |(actor, count): (&Actor, &u32)| {
            let last = (*count as usize).checked_sub(1)?;
            actor.totals.get(last).copied()
        };
        let weights = self.actors.iter().zip(&past.clock).filter_map(of_actor);
        weights.fold(Weight::default(), Weight::plus)
    }

    /// Whether all accepted changes of the author are in the past. Entries of an author are judged
    /// in the order of its log, so this never depends on what has happened to arrive.
    pub fn own_changes_in(&self, past: &Past, author: &Author) -> bool {
        let Some(actor) = self.actor_of(&author.node, author.grant) else { return true };
        let written = self.actors.get(actor as usize).map_or(0, |actor| actor.changes.len());
        at(&past.clock, actor) as usize == written
    }

    /// What a past shows in a slot, sorted as Automerge sorts, the winner last; deletions left out.
    pub fn visible(&self, slot: &Slot, past: &Past) -> Vec<Write> {
        let Some(writers) = self.slots.get(slot) else { return Vec::new() };
        let latest: Vec<Write> =
            writers.iter().filter_map(|writes| self.latest(writes, past)).collect();
        let covered = |write: &Write| {
            latest.iter().any(|other| other.id.actor != write.id.actor && self.covers(other, write))
        };
        let mut shown: Vec<Write> = latest
            .iter()
            .filter(|write| write.kind != WriteKind::Deletion && !covered(write))
            .copied()
            .collect();
        shown.sort_by_key(|write| self.order(write.id));
        shown
    }

    fn latest(&self, writes: &[Write], past: &Past) -> Option<Write> {
        let within = writes.partition_point(|write| {
            let change = self.change(write.change);
            change.is_some_and(|change| past.holds(change.actor, change.sequence))
        });
        within.checked_sub(1).and_then(|last| writes.get(last)).copied()
    }

    fn covers(&self, later: &Write, earlier: &Write) -> bool {
        let sequence = self.change(earlier.change).map_or(u32::MAX, |change| change.sequence);
        let later = self.change(later.change);
        later.is_some_and(|later| at(&later.clock, earlier.id.actor) >= sequence)
    }

    /// The order in which Automerge lets one of two concurrent values win.
    pub fn order(&self, id: OpId) -> (u64, Option<&[u8; 16]>) {
        (id.counter, self.actors.get(id.actor as usize).map(|actor| &actor.id))
    }

    /// The actors of a past, sorted by their bytes: how changes name them.
    pub fn actors_in(&self, past: &Past) -> Vec<u32> {
        let mut actors: Vec<u32> = (0u32..)
            .zip(&past.clock)
            .filter(|(_, count)| **count > 0)
            .map(|(actor, _)| actor)
            .collect();
        actors.sort_by_key(|actor| self.actors.get(*actor as usize).map(|actor| actor.id));
        actors
    }

    /// Whether the `count` elements numbered from `first` were all inserted into `object` in this
    /// past. They may have come in several runs.
    pub fn holds_text(&self, past: &Past, object: OpId, first: OpId, count: u64) -> bool {
        let Some(end) = first.counter.checked_add(count) else { return false };
        let mut next = first;
        while next.counter < end {
            let Some(run) = self.run_of(past, object, next) else { return false };
            next.counter = run.first + run.count;
        }
        true
    }

    fn run_of(&self, past: &Past, object: OpId, element: OpId) -> Option<&Run> {
        let change = self.change_of(element)?;
        let within = |run: &&Run| {
            run.object == object && (run.first..run.first + run.count).contains(&element.counter)
        };
        past.holds(change.actor, change.sequence).then(|| change.runs.iter().find(within))?
    }

    /// The accepted change that an operation belongs to.
    pub fn change_of(&self, id: OpId) -> Option<&Applied> {
        let actor = self.actors.get(id.actor as usize)?;
        let after = actor.changes.partition_point(|index| {
            self.change(*index).is_some_and(|change| change.start <= id.counter)
        });
        let change = self.change(*actor.changes.get(after.checked_sub(1)?)?)?;
        (id.counter < change.end).then_some(change)
    }

    /// The index the author's actor has or would get.
    pub fn actor_for(&self, author: &Author) -> u32 {
        let next = u32::try_from(self.actors.len()).unwrap_or(u32::MAX);
        self.actor_of(&author.node, author.grant).unwrap_or(next)
    }

    /// Remembers an accepted change. The operations of the plan carry the actor that
    /// [`Self::actor_for`] gave.
    pub fn accept(&mut self, id: &RecordId, entry: EntryHash, author: Author, plan: &super::Plan) {
        let actor = self.actor_for(&author);
        if actor as usize == self.actors.len() {
            let bytes = derive_actor(id, &author);
            self.actors.push(Actor { id: bytes, changes: Vec::new(), totals: Vec::new() });
            self.actor_by_author.insert((author.node, author.grant), actor);
        }
        let index = u32::try_from(self.changes.len()).unwrap_or(u32::MAX);
        let mut clock = plan.past.clock.clone();
        clock.resize(clock.len().max(actor as usize + 1), 0);
        if let Some(own) = clock.get_mut(actor as usize) {
            *own += 1;
        }
        let sequence = at(&clock, actor);
        if let Some(actor) = self.actors.get_mut(actor as usize) {
            let before = actor.totals.last().copied().unwrap_or_default();
            let operations = plan.steps.len() as u64;
            actor.totals.push(before.plus(Weight { changes: 1, operations, bytes: plan.bytes }));
            actor.changes.push(index);
        }
        for (slot, counter, kind) in &plan.writes {
            let write = Write { change: index, id: OpId { counter: *counter, actor }, kind: *kind };
            self.remember(slot.clone(), write);
        }
        for head in &plan.past.heads {
            self.heads.remove(head);
        }
        self.heads.insert(index);
        self.by_entry.insert(entry, index);
        let (start, end, runs) = (plan.past.next, plan.end(), plan.runs.clone());
        let parents = plan.past.heads.clone();
        let change = Applied { entry, author, actor, sequence, start, end, clock, parents, runs };
        self.changes.push(change);
    }

    fn remember(&mut self, slot: Slot, write: Write) {
        let by_actor = self.slots.entry(slot).or_default();
        let own = by_actor
            .iter_mut()
            .find(|writes| writes.first().is_some_and(|first| first.id.actor == write.id.actor));
        match own {
            Some(writes) => writes.push(write),
            None => by_actor.push(vec![write]),
        }
    }
}

fn at(clock: &[u32], actor: u32) -> u32 {
    clock.get(actor as usize).copied().unwrap_or(0)
}

/// What Automerge knows an author by: computed, so that nobody can write in another's name.
pub(crate) fn derive_actor(id: &RecordId, author: &Author) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("sincronia/1/actor");
    hasher.update(author.node.as_bytes());
    hasher.update(id.as_bytes());
    hasher.update(&author.grant.to_be_bytes());
    let mut actor = [0; 16];
    hasher.finalize_xof().fill(&mut actor);
    actor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrganisationId;

    /// Actors decide which of two concurrent values is shown: every implementation needs the same.
    #[test]
    fn threat_12_an_actor_follows_from_node_record_and_grant() {
        let (node, organisation) =
            (NodeId::from_bytes([7; 32]), OrganisationId::from_bytes([8; 32]));
        let author = Author { node, organisation, grant: 2 };
        let actor = derive_actor(&RecordId::from_bytes([9; 16]), &author);
        let material = [&[7; 32][..], &[9; 16], &[0, 0, 0, 0, 0, 0, 0, 2]].concat();
        assert_eq!(actor, blake3::derive_key("sincronia/1/actor", &material)[..16]);
        assert_eq!(u128::from_be_bytes(actor), 0x886d_6bfc_2fc1_471c_84a7_e102_fb38_a165);
    }
}
