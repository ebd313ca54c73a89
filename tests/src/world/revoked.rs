//! What becomes of machines of readers that their organisations revoked: each is to be cut.

use super::{PeerIndex, World};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, SpaceId};
use sincronia_protocol::storage::Table;
use std::collections::BTreeSet;

impl World {
    /// After rest every machine that a reader revoked, and that holds a key of the space, is cut
    /// there, and the space has a key that came after it and that the machine has not. Not where
    /// the primary of the owner was itself cut: it writes nothing there, and owes until it is
    /// replaced.
    ///
    /// # Panics
    /// When one goes on reading, with the seed.
    pub(super) fn check_revoked(&mut self, owner: PeerIndex, space: &SpaceId) {
        let met: BTreeSet<_> = self.members(owner, space).into_iter().chain([owner]).collect();
        let houses: BTreeSet<_> = met.iter().map(|peer| self.peers[*peer].house).collect();
        for house in houses {
            let organisation = self.organisations[house].identity.organisation();
            for node in self.revoked_by(house) {
                let one = &self.peers[owner].replica;
                let head = one.summary(space).expect("a known space").access.head;
                let charter = self.ledger(space).at(&head).expect("a known entry").clone();
                if charter.is_cut(&one.node()) {
                    return;
                }
                if !charter.reads(&organisation) || !self.has_key(&node, space, &[]) {
                    continue;
                }
                let last = charter.keys.last().expect("a key").as_bytes();
                let is_safe = charter.is_cut_off(&node) && !self.has_key(&node, space, last);
                if !is_safe {
                    let (seed, told) = (self.seed, self.describe_heads(owner, space));
                    panic!("seed {seed}: {node} of {house} goes on reading {space}\n{told}");
                }
            }
        }
    }

    /// The nodes that an organisation revoked, by its own log.
    fn revoked_by(&self, house: usize) -> Vec<NodeId> {
        let said = self.organisations[house].entries.iter();
        said.filter_map(|entry| match entry.statement.operation {
            IdentityOperation::RevokeNode { node } => Some(node),
            _ => None,
        })
        .collect()
    }

    /// Whether a machine with the key of `node` has a key of the space, whose name begins so.
    fn has_key(&self, node: &NodeId, space: &SpaceId, begin: &[u8]) -> bool {
        let from = [space.as_bytes().as_slice(), begin].concat();
        let mut machines = self.peers.iter().filter(|one| one.replica.node() == *node);
        machines.any(|one| {
            let mut keys = one.disk.values(Table::Keys);
            keys.any(|(name, _)| name.starts_with(&from))
        })
    }
}
