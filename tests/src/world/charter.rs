//! What an access log says after each of its entries, read anew and simply: the oracle must not
//! ask the rules it judges.

use sincronia_protocol::access::{AccessEntry, AccessOperation, History, Role};
use sincronia_protocol::crypto::KeyCommitment;
use sincronia_protocol::ids::{EntryHash, NodeId, OrganisationId};
use std::collections::{BTreeMap, BTreeSet};

/// That an organisation may have a key, on all its nodes but some.
pub(super) struct Gift {
    pub(super) key: KeyCommitment,
    pub(super) organisation: OrganisationId,
    pub(super) without: BTreeSet<NodeId>,
}

/// What an access log says up to one of its entries.
#[derive(Clone, Default)]
pub(super) struct Charter {
    /// The entries up to this one.
    pub(super) path: Vec<EntryHash>,
    pub(super) owner: Option<OrganisationId>,
    /// How often the space was taken, and the term of the last entry: what ranks branches.
    pub(super) standing: (u64, u64),
    pub(super) offered: Option<OrganisationId>,
    /// The keys, by the numbers of their epochs.
    pub(super) keys: Vec<KeyCommitment>,
    /// The number of the first key that the last one leads to.
    begun: usize,
    /// Keys that an owner went on without, since it lacked the last of them.
    given_up: BTreeSet<KeyCommitment>,
    roles: BTreeMap<OrganisationId, Role>,
    /// By node, the number of the first epoch that it does not get.
    cut: BTreeMap<NodeId, usize>,
}

impl Charter {
    /// What the log says with one entry more, and who may have which keys by that entry.
    pub(super) fn after(&self, entry: &AccessEntry) -> (Self, Vec<Gift>) {
        let mut next = self.clone();
        let mut gifts = Vec::new();
        let operation = &entry.statement.operation;
        match operation {
            AccessOperation::Create { owner, .. } => {
                next.owner = Some(*owner);
                next.roles.insert(*owner, Role::Contributor);
            }
            AccessOperation::Grant { organisation, role, history, .. } => {
                next.roles.insert(*organisation, *role);
                if role.reads() && *history == History::Start {
                    gifts.extend((0..next.keys.len()).map(|epoch| next.gift(epoch, *organisation)));
                }
            }
            AccessOperation::Revoke { organisation, .. } => {
                next.roles.remove(organisation);
            }
            AccessOperation::CutNode { cut, .. } => {
                next.cut.insert(cut.node, next.keys.len());
            }
            AccessOperation::Offer { organisation } => next.offered = Some(*organisation),
            AccessOperation::Take { organisation } => {
                next.owner = Some(*organisation);
                next.offered = None;
                next.standing.0 += 1;
                gifts.extend((0..next.keys.len()).map(|epoch| next.gift(epoch, *organisation)));
            }
            AccessOperation::Rotate { .. }
            | AccessOperation::Erase { .. }
            | AccessOperation::Settle { .. } => {}
        }
        if let Some(rotation) = operation.rotation() {
            if rotation.previous.is_none() {
                let keeps_past_closed = matches!(operation, AccessOperation::Grant { .. });
                let left = next.keys.get(next.begun..).filter(|_| !keeps_past_closed);
                next.given_up.extend(left.into_iter().flatten());
                next.begun = next.keys.len();
            }
            next.keys.push(rotation.commitment);
            let epoch = next.keys.len() - 1;
            let readers = next.roles.iter().filter(|(_, role)| role.reads());
            gifts.extend(readers.map(|(organisation, _)| next.gift(epoch, *organisation)));
        }
        next.standing.1 = entry.statement.term;
        next.path.push(entry.statement.hash());
        (next, gifts)
    }

    fn gift(&self, epoch: usize, organisation: OrganisationId) -> Gift {
        let cut = self.cut.iter().filter(|(_, since)| **since <= epoch);
        let without = cut.map(|(node, _)| *node).collect();
        Gift { key: self.keys[epoch], organisation, without }
    }

    /// The key of now.
    pub(super) fn last_key(&self) -> Option<&KeyCommitment> {
        self.keys.last()
    }

    /// The role of `organisation` here.
    pub(super) fn role(&self, organisation: &OrganisationId) -> Option<Role> {
        self.roles.get(organisation).copied()
    }

    /// Whether `organisation` reads here.
    pub(super) fn reads(&self, organisation: &OrganisationId) -> bool {
        self.role(organisation).is_some_and(Role::reads)
    }

    /// Whether a key with this name was given up: nobody is to wait for it.
    pub(super) fn gave_up(&self, name: &[u8; 32]) -> bool {
        self.given_up.contains(&KeyCommitment::from_bytes(*name))
    }

    /// Whether the log of `node` was cut.
    pub(super) fn is_cut(&self, node: &NodeId) -> bool {
        self.cut.contains_key(node)
    }

    /// Whether the log of `node` was cut, and a key came with that or later.
    pub(super) fn is_cut_off(&self, node: &NodeId) -> bool {
        self.cut.get(node).is_some_and(|since| *since < self.keys.len())
    }

    /// How many entries it has in common with `other`.
    pub(super) fn common(&self, other: &Self) -> usize {
        self.path.iter().zip(&other.path).take_while(|(one, two)| one == two).count()
    }
}
