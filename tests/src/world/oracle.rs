//! What must hold of every batch that a node commits, and of the stories' ends.

use super::{PeerIndex, World};
use sincronia_protocol::access::Role;
use sincronia_protocol::crypto::KeyCommitment;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::storage::{Batch, Table};

/// Two members that show different things after quiet.
#[derive(Debug)]
pub struct Disagreement {
    /// The members.
    pub between: (PeerIndex, PeerIndex),
    /// What they show.
    pub shows: (String, String),
}

fn part<const N: usize>(key: &[u8], from: usize) -> [u8; N] {
    key[from..from + N].try_into().expect("a key of this length")
}

impl World {
    /// Looks at what a node has just made durable: an author's log only grows, unless a cut names
    /// another version of it (`copies`); no key and no text
    /// goes where the access log does not give it; no entry counts that nobody allowed.
    pub(super) fn check_batch(&mut self, peer: PeerIndex, batch: &Batch) {
        self.check_forks(peer, batch);
        for ((table, key), value) in &batch.writes {
            match (table, value) {
                (Table::Identity | Table::Keys, None) => {
                    panic!("seed {}: {peer} deletes from {}", self.seed, table.name());
                }
                (Table::Access | Table::Branches, Some(entry)) => self.check_access(peer, entry),
                (Table::Keys, Some(_)) => self.check_key(peer, key),
                (Table::Rows, Some(_)) => self.check_row(peer, key),
                _ => {}
            }
        }
    }

    /// No node holds a key that its organisation was not given.
    fn check_key(&mut self, peer: PeerIndex, key: &[u8]) {
        let space = SpaceId::from_bytes(part(key, 0));
        let commitment = KeyCommitment::from_bytes(part(key, 32));
        let (organisation, node) = (self.organisation(peer), self.peers[peer].replica.node());
        let is_given = self.ledger(&space).gives(&organisation, &node, &commitment);
        let seed = self.seed;
        assert!(is_given, "seed {seed}: {peer} holds the key {commitment:?} of {space}");
    }

    /// No node shows a text that was written under a key it was not given, and every entry that
    /// counts was written by somebody who was a contributor.
    fn check_row(&mut self, peer: PeerIndex, key: &[u8]) {
        let (space, record) =
            (SpaceId::from_bytes(part(key, 0)), RecordId::from_bytes(part(key, 32)));
        self.check_not_erased(peer, &space, &record);
        let one = &mut self.peers[peer];
        let (organisation, node) = (one.replica.organisation(), one.replica.node());
        let Ok(row) = one.replica.row(&one.disk, &space, &record) else { return };
        let text = serde_json::to_string(&row.view).expect("a view is JSON");
        let history = one.replica.history(&one.disk, &space, &record).expect("a record");
        let keys = self.promises.keys_in(&space, &text);
        let seed = self.seed;
        for item in history {
            let entry = item.origin.entry;
            let maker = self.promises.maker(&space, &entry);
            let maker = maker.unwrap_or_else(|| panic!("seed {seed}: {entry} of nobody"));
            assert_eq!(maker.organisation, item.origin.organisation, "seed {seed}: {entry}");
            let then = self.ledger(&space).at(&maker.seen).expect("what its author had seen");
            let allowed = then.role(&maker.organisation) == Some(Role::Contributor);
            assert!(allowed, "seed {seed}: {peer} accepts {entry} of a reader");
        }
        for key in keys {
            let is_given = self.ledger(&space).gives(&organisation, &node, &key);
            assert!(is_given, "seed {seed}: {peer} shows a text under {key:?} of {space}");
        }
    }

    /// After quiet, all members that may read the whole history of a space show the same. A member
    /// admitted "from now" lacks earlier keys, and with them whatever builds on earlier entries.
    ///
    /// # Errors
    /// The first pair that does not.
    pub fn check_agreement(
        &mut self,
        owner: PeerIndex,
        space: &SpaceId,
    ) -> Result<(), Box<Disagreement>> {
        let picture = |world: &Self, peer: PeerIndex| {
            let one = world.peer(peer);
            let mut shown = one.shows(space);
            if world.has_copied() {
                // Of a forked log one node has more that does not count than another.
                let view = |text: &str| text.split(" EntryCount").next().map(str::to_owned);
                for text in shown.values_mut() {
                    *text = view(text).unwrap_or_default();
                }
            }
            format!("{shown:#?} {:#?}", one.sets_aside(space))
        };
        // A new owner may have been admitted "from now" itself.
        let members: Vec<_> = std::iter::once(owner).chain(self.members(owner, space)).collect();
        let mut reads = |member: &PeerIndex| {
            let role = self.peer(*member).replica.own_role(space);
            role.is_some_and(Role::reads) && self.peer_mut(*member).unreadable(space) == 0
        };
        let readers: Vec<_> = members.into_iter().filter(|one| reads(one)).collect();
        let Some((first, others)) = readers.split_first() else { return Ok(()) };
        let reference = picture(self, *first);
        for member in others.iter().copied() {
            let found = picture(self, member);
            if found != reference {
                let shows = (reference, found);
                return Err(Box::new(Disagreement { between: (*first, member), shows }));
            }
        }
        Ok(())
    }

    /// No disk holds `canary` in clear: not where it may be read, much less where it may not.
    ///
    /// # Panics
    /// When one does.
    pub fn check_no_plaintext(&self, canary: &str) {
        for peer in 0..self.len() {
            for table in Table::ALL {
                for (_, value) in self.peer(peer).disk.values(table) {
                    let found = value.windows(canary.len()).any(|part| part == canary.as_bytes());
                    assert!(!found, "seed {}: peer {peer}, {}", self.seed(), table.name());
                }
            }
        }
    }
}
