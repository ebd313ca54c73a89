//! Records that an owner erases in the world, and that nothing of them is left.

use super::{PeerIndex, World};
use sincronia_protocol::crypto::KeyCommitment;
use sincronia_protocol::ids::{EntryHash, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};

const FRAME_BYTES: usize = 256 * 1024;

/// What was written of each record, and which records were erased.
#[derive(Default)]
pub(super) struct Erasures {
    /// Each entry with the key under which it was written.
    written: BTreeMap<(SpaceId, RecordId), BTreeMap<EntryHash, KeyCommitment>>,
    erased: BTreeSet<(SpaceId, RecordId)>,
}

impl Erasures {
    pub(super) fn wrote(
        &mut self,
        space: SpaceId,
        record: RecordId,
        (entry, key): (EntryHash, KeyCommitment),
    ) {
        self.written.entry((space, record)).or_default().insert(entry, key);
    }

    fn of<'a>(&'a self, space: &'a SpaceId) -> impl Iterator<Item = &'a RecordId> {
        self.erased.iter().filter(move |(one, _)| one == space).map(|(_, record)| record)
    }
}

impl World {
    /// Erases a record of a space.
    pub fn erase(
        &mut self,
        owner: PeerIndex,
        space: SpaceId,
        record: RecordId,
    ) -> Result<(), ReplicaError> {
        let prepared = self.prepare(owner, |one| one.replica.erase(&one.disk, &space, &record));
        self.count_operation("erase", prepared.is_ok());
        self.note(&format!("{owner} erases {record}: {prepared:?}"));
        prepared?;
        self.conclude(owner)?;
        // What a machine says that was revoked, and has not heard of it, reaches nobody: its disk
        // may be the only one that knows of the erasure.
        if self.peers[owner].is_good() {
            self.erasures.erased.insert((space, record));
        }
        Ok(())
    }

    /// What only machines say that were revoked before anybody heard it reaches nobody; nor does
    /// what they told whom no other machine of the owner knows, by way of whatever partners.
    pub(super) fn forget_unheard_erasures(&mut self) {
        let mut erased = std::mem::take(&mut self.erasures.erased);
        erased.retain(|(space, record)| {
            (0..self.peers.len()).any(|peer| self.has_heard_to_tell(peer, space, record))
        });
        self.erasures.erased = erased;
    }

    fn has_heard_to_tell(&mut self, peer: PeerIndex, space: &SpaceId, record: &RecordId) -> bool {
        let one = &mut self.peers[peer];
        let has_heard = one.is_good()
            && one.replica.is_erased(&one.disk, space, record).is_ok_and(|erased| erased);
        let owner = self.peers[peer].replica.summary(space).map(|summary| summary.owner);
        has_heard && owner.is_some_and(|owner| self.tells(peer, &owner))
    }

    /// Whether what `peer` knows comes to a machine of `owner` that is in service, if there is one.
    fn tells(&self, peer: PeerIndex, owner: &OrganisationId) -> bool {
        let is_of_owner = |one: PeerIndex| self.peers[one].replica.organisation() == *owner;
        let in_service: Vec<_> =
            (0..self.peers.len()).filter(|one| self.peers[*one].is_good()).collect();
        let (mut reached, mut open) = (BTreeSet::from([peer]), vec![peer]);
        while let Some(here) = open.pop() {
            if is_of_owner(here) {
                return true;
            }
            let met = in_service.iter().filter(|there| self.are_acquainted(here, **there));
            open.extend(met.filter(|there| reached.insert(**there)));
        }
        !in_service.iter().any(|one| is_of_owner(*one))
    }

    /// Whether two are machines of one organisation, or of two that took each other for partners.
    fn are_acquainted(&self, one: PeerIndex, other: PeerIndex) -> bool {
        let [one, other] = [one, other].map(|peer| &self.peers[peer].replica);
        let [its, others] = [one.organisation(), other.organisation()];
        its == others || (one.partner(&others).is_some() && other.partner(&its).is_some())
    }

    /// Has the owner name what came too late, as its node does after each commit.
    pub(super) fn settle_erasures(&mut self, peer: PeerIndex) {
        for space in self.peers[peer].replica.erasures_due() {
            let one = &mut self.peers[peer];
            if let Err(error) = one.replica.settle_erasures(&one.disk, &space) {
                self.note(&format!("{peer} cannot settle its erasures: {error}"));
            }
        }
    }

    /// No node writes down what a record shows after it heard that the record was erased.
    pub(super) fn check_not_erased(&mut self, peer: PeerIndex, space: &SpaceId, record: &RecordId) {
        let seed = self.seed;
        let one = &mut self.peers[peer];
        let is_erased = one.replica.is_erased(&one.disk, space, record).expect("a space");
        assert!(!is_erased, "seed {seed}: {peer} shows {record}, which was erased");
    }

    /// Whether a node has the key of a space.
    fn opens_with(&self, peer: PeerIndex, space: &SpaceId, key: &KeyCommitment) -> bool {
        let place = [space.as_bytes().as_slice(), key.as_bytes()].concat();
        self.peers[peer].disk.read(Table::Keys, &place).expect("a disk in memory").is_some()
    }

    /// After rest a member shows no erased record and holds no body of one, whoever wrote it and
    /// whenever; and its certificate misses nobody. Of what a former owner sealed after its removal
    /// with a key that it gave nobody, the owner cannot tell to which record it belongs.
    pub(super) fn check_erased(&mut self, owner: PeerIndex, member: PeerIndex, space: &SpaceId) {
        let mut records: Vec<_> = self.erasures.of(space).copied().collect();
        if self.has_copied() || self.bears_grudges {
            // The only machine that knew of an erasure may have been put back, or its organisation
            // speaks with nobody.
            let one = &mut self.peers[member];
            records.retain(|one_record| {
                one.replica.is_erased(&one.disk, space, one_record).expect("a space")
            });
        }
        if records.is_empty() {
            return;
        }
        let (seed, bodies) = (self.seed, self.bodies_at(member, space));
        let shown = self.peers[member].shows(space);
        for record in &records {
            if shown.contains_key(&record.to_string()) {
                let (spaces, heads) = (self.describe_spaces(), self.describe_heads(member, space));
                panic!("seed {seed}: {member} shows {record}\n{spaces}\n{heads}");
            }
            let written = self.erasures.written.get(&(*space, *record));
            let written = written.into_iter().flatten();
            let told = written.filter(|(_, key)| self.opens_with(owner, space, key));
            let left: Vec<EntryHash> =
                told.map(|(entry, _)| *entry).filter(|entry| bodies.contains(entry)).collect();
            if !left.is_empty() {
                let (spaces, heads) = (self.describe_spaces(), self.describe_heads(member, space));
                panic!("seed {seed}: {member} holds {left:?} of {record}\n{spaces}\n{heads}");
            }
        }
        let one = &mut self.peers[member];
        let certificates = one.replica.certificates(&one.disk, space).expect("a space");
        let found: BTreeSet<_> = certificates.iter().map(|one| one.record).collect();
        assert!(records.iter().all(|record| found.contains(record)), "seed {seed}: {member}");
        let silent: BTreeSet<_> =
            certificates.iter().flat_map(|one| &one.missing).map(|(_, node)| *node).collect();
        for peer in self.members(member, space) {
            let node = self.peers[peer].replica.node();
            assert!(!silent.contains(&node), "seed {seed}: {member} lacks the receipt of {peer}");
        }
    }

    /// The entries of a space whose bodies a node holds.
    fn bodies_at(&mut self, peer: PeerIndex, space: &SpaceId) -> BTreeSet<EntryHash> {
        let authors = (0..self.peers.len())
            .map(|author| (self.peers[author].replica.node(), self.origin(author, space)));
        let authors: Vec<_> = authors.collect();
        let one = &mut self.peers[peer];
        let mut bodies = BTreeSet::new();
        for (author, mut position) in authors {
            while let Ok(Some(run)) =
                one.replica.read_run(&one.disk, space, &author, position.length, FRAME_BYTES)
            {
                let verified = run.verify(position).expect("what a node keeps is sound");
                let sealed = verified.entries().iter().filter(|entry| !entry.body.is_erased());
                bodies.extend(sealed.map(|entry| entry.hash));
                position = verified.end();
            }
        }
        bodies
    }
}
