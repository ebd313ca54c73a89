//! What an access log says, read anew and simply: the oracle must not ask the rules it judges.

use super::{PeerIndex, World};
use sincronia_protocol::access::{AccessEntry, AccessOperation, History, Role};
use sincronia_protocol::crypto::KeyCommitment;
use sincronia_protocol::ids::{NodeId, OrganisationId, SpaceId};
use std::collections::{BTreeMap, BTreeSet};

/// What an access log says.
#[derive(Default)]
pub(super) struct Charter {
    length: u64,
    epochs: u64,
    /// By what the log says of its key, the number of each epoch.
    commitments: BTreeMap<KeyCommitment, u64>,
    roles: BTreeMap<OrganisationId, Role>,
    given: BTreeMap<OrganisationId, BTreeSet<u64>>,
    wrote: BTreeSet<OrganisationId>,
    cut_since: BTreeMap<NodeId, u64>,
}

impl Charter {
    fn read(&mut self, entry: &AccessEntry) {
        let operation = &entry.statement.operation;
        match operation {
            AccessOperation::Create { owner, .. } => {
                self.admit(*owner, Role::Contributor);
            }
            AccessOperation::Grant { organisation, role, history, .. } => {
                self.admit(*organisation, *role);
                if role.reads() && *history == History::Start {
                    self.given.entry(*organisation).or_default().extend(0..self.epochs);
                }
            }
            AccessOperation::Revoke { organisation, .. } => {
                self.roles.remove(organisation);
            }
            AccessOperation::CutNode { cut, .. } => {
                self.cut_since.insert(cut.node, self.epochs);
            }
            AccessOperation::Rotate { .. }
            | AccessOperation::Offer { .. }
            | AccessOperation::Take { .. }
            | AccessOperation::Erase { .. } => {}
        }
        if let Some(rotation) = operation.rotation() {
            self.commitments.insert(rotation.commitment, self.epochs);
            for (organisation, _) in self.roles.iter().filter(|(_, role)| role.reads()) {
                self.given.entry(*organisation).or_default().insert(self.epochs);
            }
            self.epochs += 1;
        }
        self.length += 1;
    }

    fn admit(&mut self, organisation: OrganisationId, role: Role) {
        self.roles.insert(organisation, role);
        if role == Role::Contributor {
            self.wrote.insert(organisation);
        }
    }

    /// The epoch whose key has this commitment.
    pub(super) fn epoch_of(&self, commitment: &KeyCommitment) -> Option<u64> {
        self.commitments.get(commitment).copied()
    }

    /// Whether a node of `organisation` may have the key of `epoch`.
    pub(super) fn gives(&self, organisation: &OrganisationId, node: &NodeId, epoch: u64) -> bool {
        self.given.get(organisation).is_some_and(|given| given.contains(&epoch))
            && self.cut_since.get(node).is_none_or(|since| epoch < *since)
    }

    /// Whether `organisation` was ever allowed to write.
    pub(super) fn ever_wrote(&self, organisation: &OrganisationId) -> bool {
        self.wrote.contains(organisation)
    }
}

impl World {
    /// What the access log of a space says, as the one node that writes it has it on its disk.
    pub(super) fn charter(&mut self, space: &SpaceId) -> &Charter {
        let writer = self.writer_of(space);
        let charter = self.charters.entry(*space).or_default();
        if let Some(writer) = writer {
            let one = &self.peers[writer];
            let entries =
                one.replica.access_entries(&one.disk, space, charter.length, u64::MAX, usize::MAX);
            for entry in entries.expect("a sound disk") {
                charter.read(&entry);
            }
        }
        charter
    }

    /// The primary of the organisation that owns a space.
    pub(super) fn writer_of(&self, space: &SpaceId) -> Option<PeerIndex> {
        let primaries = self.organisations.iter().map(|one| one.primary);
        primaries.into_iter().find(|primary| {
            let replica = &self.peers[*primary].replica;
            replica.summary(space).is_some_and(|one| one.owner == replica.organisation())
        })
    }
}
