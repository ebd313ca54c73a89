//! Every access entry that was ever signed in the world, on whatever branch: what nodes keep is
//! among them, and who holds which key follows from them.

use super::charter::Charter;
use super::{PeerIndex, World};
use sincronia_protocol::access::{AccessEntry, AccessOperation, Role};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::KeyCommitment;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{EntryHash, NodeId, OrganisationId, SpaceId};
use sincronia_protocol::storage::{Storage, Table, prefix_end};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Branches that a node keeps; beyond, it lets go of some.
const LEAVES_MAX: usize = 9;

/// The access log of one space: a tree, since a writer may not know that it was replaced.
#[derive(Default)]
pub(super) struct Ledger {
    charters: BTreeMap<EntryHash, Charter>,
    /// By key, the organisations that may have it, each with its nodes that may not.
    gifts: BTreeMap<KeyCommitment, Vec<(OrganisationId, BTreeSet<NodeId>)>>,
    /// The entry that brought each key.
    made: BTreeMap<KeyCommitment, EntryHash>,
    /// Which node signed each entry.
    signers: BTreeMap<EntryHash, PeerIndex>,
}

impl Ledger {
    fn write_down(&mut self, peer: PeerIndex, entry: &AccessEntry, before: &Charter) {
        let hash = entry.statement.hash();
        let (charter, gifts) = before.after(entry);
        for gift in gifts {
            self.gifts.entry(gift.key).or_default().push((gift.organisation, gift.without));
        }
        if let Some(rotation) = entry.statement.operation.rotation() {
            self.made.insert(rotation.commitment, hash);
        }
        self.charters.insert(hash, charter);
        self.signers.insert(hash, peer);
    }

    /// What the log says up to an entry.
    pub(super) fn at(&self, head: &EntryHash) -> Option<&Charter> {
        self.charters.get(head)
    }

    /// Whether a node of `organisation` may have a key: an entry says so; or the key was made on a
    /// branch that lost to one where it reads, and it may have the key in force where that parted.
    pub(super) fn gives(
        &self,
        organisation: &OrganisationId,
        node: &NodeId,
        key: &KeyCommitment,
    ) -> bool {
        let mut gifts = self.gifts.get(key).into_iter().flatten();
        let is_given = gifts.any(|(to, without)| to == organisation && !without.contains(node));
        is_given || self.is_left_beside(organisation, node, key)
    }

    /// Whether an entry gives the last key of a log to nodes of `organisation`.
    fn may_read(&self, organisation: &OrganisationId, charter: &Charter) -> bool {
        let mut gifts =
            charter.last_key().and_then(|key| self.gifts.get(key)).into_iter().flatten();
        gifts.any(|(to, _)| to == organisation)
    }

    fn is_left_beside(
        &self,
        organisation: &OrganisationId,
        node: &NodeId,
        key: &KeyCommitment,
    ) -> bool {
        let Some(made) = self.made.get(key).and_then(|entry| self.charters.get(entry)) else {
            return false;
        };
        self.charters.values().any(|other| {
            let common = other.common(made);
            let parts = common < other.path.len() && common < made.path.len();
            let then = common.checked_sub(1).and_then(|last| self.charters.get(&made.path[last]));
            parts
                && other.reads(organisation)
                && !other.is_cut(node)
                && then.is_some_and(|then| self.may_read(organisation, then))
        })
    }

    /// Of these entries, the last one of the branch that holds; nothing when there are more
    /// branches than a node keeps.
    fn holding<'a>(&'a self, known: &BTreeSet<EntryHash>) -> Option<&'a Charter> {
        let before = |hash: &EntryHash| self.charters[hash].path.iter().rev().nth(1).copied();
        let followed: BTreeSet<_> = known.iter().filter_map(before).collect();
        let leaves: Vec<_> = known.difference(&followed).map(|hash| &self.charters[hash]).collect();
        if leaves.len() > LEAVES_MAX {
            return None;
        }
        leaves.into_iter().min_by(|one, other| rank(one, other))
    }
}

/// Who took the space last, then who was named last, then the lesser hash where they part.
fn rank(one: &Charter, other: &Charter) -> Ordering {
    let parted = one.common(other);
    let at = |charter: &Charter| charter.path.get(parted).copied();
    other.standing.cmp(&one.standing).then_with(|| at(one).cmp(&at(other)))
}

impl World {
    /// What is known of a space's access log.
    pub(super) fn ledger(&self, space: &SpaceId) -> &Ledger {
        self.ledgers.get(space).unwrap_or_else(|| panic!("seed {}: {space} of nobody", self.seed))
    }

    /// What a node has made durable of an access log is what somebody signed who may, or is signed
    /// by this node now, which may.
    pub(super) fn check_access(&mut self, peer: PeerIndex, value: &[u8]) {
        let seed = self.seed;
        let entry: AccessEntry = codec::decode_bounded(value, value.len()).expect("an entry");
        let statement = &entry.statement;
        let hash = statement.hash();
        if self.ledgers.get(&statement.space).is_some_and(|one| one.charters.contains_key(&hash)) {
            return;
        }
        let is_own = statement.author == self.peers[peer].replica.node();
        assert!(is_own, "seed {seed}: {peer} takes an access entry that nobody signed: {entry:?}");
        let ledger = self.ledgers.entry(statement.space).or_default();
        let before = match &statement.operation {
            AccessOperation::Create { .. } => Charter::default(),
            _ => ledger.charters.get(&statement.previous).cloned().expect("the entry before"),
        };
        let organisation = self.peers[peer].replica.organisation();
        let writes = match &statement.operation {
            AccessOperation::Create { owner, .. } => *owner == organisation,
            AccessOperation::Take { .. } => {
                before.offered == Some(organisation)
                    && before.role(&organisation) == Some(Role::Contributor)
            }
            _ => before.owner == Some(organisation),
        };
        let mut said = self.organisations[self.peers[peer].house].entries.iter();
        let is_named = said.any(|one| {
            one.statement.sequence == statement.term
                && matches!(one.statement.operation, IdentityOperation::SetPrimary { node }
                    if node == statement.author)
        });
        assert!(writes && is_named, "seed {seed}: {peer} may not write {entry:?}");
        ledger.write_down(peer, &entry, &before);
    }

    /// The access entries of a space on a node's disk.
    fn access_on_disk(&self, peer: PeerIndex, space: &SpaceId) -> BTreeSet<EntryHash> {
        let mut found = BTreeSet::new();
        for table in [Table::Access, Table::Branches] {
            let end = prefix_end(space.as_bytes());
            let visit = &mut |_: &[u8], value: &[u8]| {
                let entry: AccessEntry =
                    codec::decode_bounded(value, value.len()).expect("an entry");
                found.insert(entry.statement.hash());
                ControlFlow::Continue(())
            };
            let disk = &self.peers[peer].disk;
            disk.scan(table, space.as_bytes(), &end, visit).expect("a disk in memory");
        }
        found
    }

    /// The branch that a node takes as the one that holds is the one that should, of those it has;
    /// and it reads the owner from it.
    pub(super) fn check_holding(&self, peer: PeerIndex, space: &SpaceId) {
        let seed = self.seed;
        let known = self.access_on_disk(peer, space);
        let Some(expected) = self.ledger(space).holding(&known) else { return };
        let summary = self.peers[peer].replica.summary(space).expect("a known space");
        let found = (Some(&summary.access.head), Some(summary.owner));
        let expected = (expected.path.last(), expected.owner);
        assert_eq!(found, expected, "seed {seed}: {peer} has another branch of {space} hold");
    }

    /// Every entry of the access log that an honest node of the owner signed, and kept, reached
    /// `member`, on the branch that holds or beside it.
    pub(super) fn check_access_of(&self, member: PeerIndex, space: &SpaceId) {
        let known = self.access_on_disk(member, space);
        let ledger = self.ledger(space);
        if known.iter().filter(|one| !ledger.charters.contains_key(one)).count() > LEAVES_MAX {
            return;
        }
        let summary = self.peers[member].replica.summary(space).expect("a known space");
        for (hash, signer) in &ledger.signers {
            let one = &self.peers[*signer];
            let stands = summary.role(&one.replica.organisation()).is_some();
            let seed = self.seed;
            let is_here = !one.is_good() || !stands || known.contains(hash);
            assert!(is_here, "seed {seed}: {member} lacks {hash} that {signer} signed in {space}");
        }
    }

    /// The nodes that believe they write the access log of a space.
    pub(super) fn writers_of(&self, space: &SpaceId) -> Vec<PeerIndex> {
        let believes = |peer: &PeerIndex| {
            let replica = &self.peers[*peer].replica;
            replica.primary() == Some(replica.node())
                && !replica.is_revoked()
                && replica.summary(space).is_some_and(|one| one.owner == replica.organisation())
        };
        (0..self.peers.len()).filter(believes).collect()
    }

    /// The node that writes a space's access log now: good, and named last.
    pub(super) fn writer_of(&self, space: &SpaceId) -> Option<PeerIndex> {
        let is_primary = |peer: &PeerIndex| {
            self.organisations[self.peers[*peer].house].primary == *peer
                && self.peers[*peer].is_good()
        };
        self.writers_of(space).into_iter().find(is_primary)
    }
}
