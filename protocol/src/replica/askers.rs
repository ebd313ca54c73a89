//! Which nodes said that they have no key of a chain that was given up.
//!
//! The access log says for whom keyrings were made, and not who ever got one: with the machine that
//! made it a keyring may have died that nobody had yet. A node without keys of such a chain asks
//! whom it meets for the first of them. Whoever has none either notes that: it need not wait for
//! what it would get from there, or the two would wait for each other for ever. Where one of them
//! comes by the key after all, it gives it to those who asked.
//!
//! Deliberately absent: who may be given a key (`handover`).

use super::{Replica, ReplicaError, SpaceHeads, keys};
use crate::access::{Chain, Role};
use crate::ids::{NodeId, SpaceId};
use crate::limits;
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Beginning of the names under which they stand among the settings, each with nothing else: one
/// costs the same however many there are.
const ASKERS: &[u8] = b"who asked for a given up key: ";

/// A space and the commitment to a key of it.
type Asked = (SpaceId, [u8; 32]);

/// By what they asked for, the nodes that asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Askers(BTreeMap<Asked, BTreeSet<NodeId>>);

impl Askers {
    /// Whether `node` said that it lacks the key.
    pub fn includes(&self, space: &SpaceId, commitment: &[u8; 32], node: &NodeId) -> bool {
        self.0.get(&(*space, *commitment)).is_some_and(|nodes| nodes.contains(node))
    }

    /// How many are noted of certain spaces.
    fn count(&self, is_counted: impl Fn(&SpaceId) -> bool) -> usize {
        let counted = self.0.iter().filter(|((space, _), _)| is_counted(space));
        counted.map(|(_, nodes)| nodes.len()).sum()
    }

    fn note(&mut self, asked: Asked, node: NodeId) -> bool {
        self.0.entry(asked).or_default().insert(node)
    }

    fn strike(&mut self, asked: &Asked, node: &NodeId) -> bool {
        let Some(nodes) = self.0.get_mut(asked) else { return false };
        let was_there = nodes.remove(node);
        if nodes.is_empty() {
            self.0.remove(asked);
        }
        was_there
    }

    fn of<'a>(&'a self, node: &'a NodeId) -> impl Iterator<Item = &'a Asked> {
        self.0.iter().filter(|(_, nodes)| nodes.contains(node)).map(|(asked, _)| asked)
    }
}

impl Replica {
    pub(super) fn load_askers(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut askers = Askers::default();
        let end = crate::storage::prefix_end(ASKERS);
        disk.scan(Table::Settings, ASKERS, &end, &mut |key, _| {
            let names = key.get(ASKERS.len()..).unwrap_or_default();
            let [space, commitment, node] = [0, 32, 64].map(|at| keys::part(names, at));
            if let (Some(space), Some(commitment), Some(node)) = (space, commitment, node) {
                let asked = (SpaceId::from_bytes(space), commitment);
                askers.note(asked, NodeId::from_bytes(node));
            }
            ControlFlow::Continue(())
        })?;
        self.askers = askers;
        Ok(())
    }

    /// Notes which keys of chains that were given up another node says that it lacks, and which it
    /// lacks no more. Of the spaces of one owner so many are noted and no more: an owner can give
    /// up any number of keys, and takes nobody else's places with them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn note_asked(
        &mut self,
        disk: &dyn Storage,
        node: &NodeId,
        theirs: &SpaceHeads,
    ) -> Result<(), ReplicaError> {
        let (space, organisation) = (theirs.space, self.organisation());
        if *node == self.node() || !self.own_role(&space).is_some_and(Role::reads) {
            // What a file for a partner begins at was noted when the partner's own was read.
            return Ok(());
        }
        let access = &self.space(disk, &space)?.access;
        let given_up = |chain: &Chain| chain.given_up_at.is_some();
        let chains = access.chains_for(&organisation).into_iter().filter(given_up);
        let first = |chain: Chain| Some(*access.epoch_at(chain.from)?.commitment.as_bytes());
        let firsts: Vec<_> = chains.filter_map(first).collect();
        if firsts.is_empty() {
            return Ok(());
        }
        let named: BTreeSet<_> = theirs.lacking.iter().map(|name| **name).collect();
        let owner_of = |space: &SpaceId| self.summaries.get(space).map(|one| one.owner);
        let owner = owner_of(&space);
        let mut count = self.askers.count(|one| owner_of(one) == owner);
        let mut is_news = false;
        for commitment in firsts {
            let asked = (space, commitment);
            if !named.contains(&commitment) {
                if self.askers.strike(&asked, node) {
                    self.pending.delete(Table::Settings, name(&asked, node));
                    is_news = true;
                }
            } else if count < limits::ASKERS_OF_OWNER_MAX && self.askers.note(asked, *node) {
                self.pending.put(Table::Settings, name(&asked, node), Vec::new());
                count += 1;
                is_news = true;
            }
        }
        if is_news { self.tell_of_waiting(disk, &space) } else { Ok(()) }
    }

    /// Finds anew which keys this node waits for, and announces the space where that is others.
    fn tell_of_waiting(&mut self, disk: &dyn Storage, space: &SpaceId) -> Result<(), ReplicaError> {
        let digest = |replica: &Self| replica.summaries.get(space).map(|one| one.digest);
        let before = digest(self);
        self.refresh_summary(disk, space)?;
        if digest(self) != before {
            self.announce(disk, space)?;
        }
        Ok(())
    }

    /// What a node asked for in vain and is here by now: commitments to keys, by space.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn owed_to_asker(
        &self,
        disk: &dyn Storage,
        node: &NodeId,
    ) -> Result<BTreeMap<SpaceId, BTreeSet<[u8; 32]>>, ReplicaError> {
        let mut owed: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (space, commitment) in self.askers.of(node) {
            if self.read(disk, Table::Keys, &keys::hashed(space, commitment))?.is_some() {
                owed.entry(*space).or_default().insert(*commitment);
            }
        }
        Ok(owed)
    }
}

/// Whether a setting says who asked for a key; it has no value.
pub(super) fn is_note(key: &[u8]) -> bool {
    key.starts_with(ASKERS)
}

fn name((space, commitment): &Asked, node: &NodeId) -> Vec<u8> {
    [ASKERS, space.as_bytes(), commitment, node.as_bytes()].concat()
}
