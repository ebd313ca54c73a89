//! Spaces that pass from one organisation to another, and organisations that follow others.

use super::{PeerIndex, World};
use sincronia_protocol::identity::{IdentityOperation, Succession};
use sincronia_protocol::ids::{OrganisationId, SpaceId};
use sincronia_protocol::replica::ReplicaError;
use std::collections::BTreeSet;

impl World {
    /// Offers a space to the organisation of `other`.
    pub fn offer(
        &mut self,
        owner: PeerIndex,
        space: SpaceId,
        other: PeerIndex,
    ) -> Result<(), ReplicaError> {
        let organisation = self.organisation(other);
        let offered = self.act(owner, |one| one.replica.offer(&one.disk, &space, organisation));
        self.count_operation("offer", offered.is_ok());
        self.note(&format!("{owner} offers {space} to {other}: {offered:?}"));
        offered
    }

    /// Takes a space that was offered.
    pub fn take_over(&mut self, peer: PeerIndex, space: SpaceId) -> Result<(), ReplicaError> {
        let taken = self.act(peer, |one| one.replica.take_over(&one.disk, &space));
        self.count_operation("take", taken.is_ok());
        self.note(&format!("{peer} takes {space}: {taken:?}"));
        taken
    }

    /// The organisation of `old` says that the one of `new` takes its place, or the other way
    /// round; only when both said so does it count.
    pub fn declare_succession(&mut self, old: PeerIndex, new: PeerIndex, is_successor: bool) {
        let [old_house, new_house] = [old, new].map(|peer| self.peers[peer].house);
        if old_house == new_house {
            return;
        }
        let [old_id, new_id] = [old, new].map(|peer| self.organisation(peer));
        let (house, operation) = if is_successor {
            (new_house, IdentityOperation::Succeeds { organisation: old_id })
        } else {
            (old_house, IdentityOperation::SucceededBy { organisation: new_id })
        };
        let said = self.organisations[house].try_to_say(operation);
        self.count_operation("succession", said);
        if said {
            self.note(&format!("organisation {house} speaks of a succession"));
            self.tell_primary(house);
        }
    }

    /// After rest a node lists the successions that both sides declared, as far as it knows both.
    pub(super) fn check_successions(&self, peer: PeerIndex) {
        let replica = &self.peers[peer].replica;
        let is_known = |house: usize| {
            let entries = &self.organisations[house].entries;
            let id = entries[0].statement.organisation;
            replica.identity(&id).map(sincronia_protocol::identity::Identity::length)
                == Some(entries.len() as u64)
        };
        let known: Vec<_> = (0..self.organisations.len()).filter(|one| is_known(*one)).collect();
        let found: BTreeSet<_> = replica
            .successions()
            .iter()
            .filter(|one| one.is_mutual())
            .map(|Succession { predecessor, successor, .. }| (*predecessor, *successor))
            .collect();
        for (one, other) in known.iter().flat_map(|one| known.iter().map(move |two| (*one, *two))) {
            let pair = (self.id_of(one), self.id_of(other));
            let declared = self.says(one, &IdentityOperation::SucceededBy { organisation: pair.1 })
                && self.says(other, &IdentityOperation::Succeeds { organisation: pair.0 });
            let seed = self.seed;
            assert_eq!(found.contains(&pair), declared, "seed {seed}: {peer}, {one} to {other}");
        }
    }

    fn id_of(&self, house: usize) -> OrganisationId {
        self.organisations[house].entries[0].statement.organisation
    }

    fn says(&self, house: usize, operation: &IdentityOperation) -> bool {
        let entries = self.organisations[house].entries.iter();
        entries.into_iter().any(|entry| entry.statement.operation == *operation)
    }
}
