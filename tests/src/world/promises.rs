//! What was written, and what its author was told.

use super::{PeerIndex, World};
use sincronia_protocol::crypto::KeyCommitment;
use sincronia_protocol::ids::{EntryHash, OrganisationId, SpaceId};
use sincronia_protocol::log::LogPosition;
use std::collections::{BTreeMap, BTreeSet};

const FRAME_BYTES: usize = 256 * 1024;

/// Who wrote an entry, and what of the access log it had seen.
#[derive(Clone, Copy)]
pub(super) struct Maker {
    pub(super) organisation: OrganisationId,
    pub(super) seen: EntryHash,
}

/// What was written, and what its author was told.
#[derive(Default)]
pub(super) struct Promises {
    /// By entry, who wrote it in which space.
    entries: BTreeMap<EntryHash, (SpaceId, Maker)>,
    /// By mark in the text, the key under which it was written.
    marks: BTreeMap<(SpaceId, u64), KeyCommitment>,
    next_mark: u64,
    /// By node and space, the entries whose write returned.
    kept: BTreeMap<(PeerIndex, SpaceId), BTreeSet<EntryHash>>,
}

impl Promises {
    /// A text that stands nowhere else.
    pub(super) fn mark(&mut self) -> String {
        self.next_mark += 1;
        format!("Titolo ⟦{}⟧ della scheda", self.next_mark)
    }

    /// The marks in a text.
    fn marks_in(text: &str) -> impl Iterator<Item = u64> + '_ {
        let parts = text.split('⟦').skip(1);
        parts.filter_map(|part| part.split('⟧').next()?.parse().ok())
    }

    pub(super) fn made(
        &mut self,
        space: SpaceId,
        entry: EntryHash,
        maker: Maker,
        key: KeyCommitment,
        text: &str,
    ) {
        self.entries.insert(entry, (space, maker));
        for mark in Self::marks_in(text) {
            self.marks.insert((space, mark), key);
        }
    }

    pub(super) fn acknowledged(&mut self, peer: PeerIndex, space: SpaceId, entry: EntryHash) {
        self.kept.entry((peer, space)).or_default().insert(entry);
    }

    /// A node starts from an old copy: what it was told is not on its disk any more.
    pub(super) fn forget(&mut self, peer: PeerIndex) {
        self.kept.retain(|(one, _), _| *one != peer);
    }

    /// Who wrote `entry` into `space`.
    pub(super) fn maker(&self, space: &SpaceId, entry: &EntryHash) -> Option<Maker> {
        self.entries.get(entry).filter(|(one, _)| one == space).map(|(_, maker)| *maker)
    }

    /// The keys under which the marks in a text were written.
    pub(super) fn keys_in(&self, space: &SpaceId, text: &str) -> BTreeSet<KeyCommitment> {
        let key = |mark| self.marks.get(&(*space, mark)).copied();
        Self::marks_in(text).filter_map(key).collect()
    }
}

impl World {
    /// Every write that returned to its author is still in the author's log, on its own disk.
    /// The log of a node that contradicts itself ends where it was found forked.
    pub(super) fn check_promises_at(&mut self, peer: PeerIndex) {
        if self.is_copied(peer) {
            return;
        }
        let spaces: Vec<_> =
            self.promises.kept.keys().filter(|(one, _)| *one == peer).map(|(_, id)| *id).collect();
        for space in spaces {
            let log = self.log_at(peer, peer, &space);
            let kept = &self.promises.kept[&(peer, space)];
            let lost: Vec<_> = kept.difference(&log).collect();
            assert!(lost.is_empty(), "seed {}: {peer} lost {lost:?} of its own", self.seed);
        }
    }

    /// After rest a node that speaks for a member has every write of the members.
    pub(super) fn check_promises_of(&mut self, reader: PeerIndex, space: &SpaceId) {
        let writers: Vec<_> =
            self.promises.kept.keys().filter(|(_, id)| id == space).map(|(one, _)| *one).collect();
        for writer in writers {
            let summary = self.peers[reader].replica.summary(space);
            let is_member = summary.is_some_and(|summary| {
                summary.role(&self.peers[writer].replica.organisation()).is_some()
            });
            let is_honest = self.peers[writer].is_good();
            if is_member && is_honest {
                let log = self.log_at(reader, writer, space);
                let kept = &self.promises.kept[&(writer, *space)];
                let lost: Vec<_> = kept.difference(&log).collect();
                let seed = self.seed;
                assert!(lost.is_empty(), "seed {seed}: {reader} lacks {lost:?} of {writer}");
            }
        }
    }

    /// Where a node's log in a space begins.
    pub(super) fn origin(&self, author: PeerIndex, space: &SpaceId) -> LogPosition {
        let replica = &self.peers[author].replica;
        LogPosition::origin(space, &replica.node(), &replica.organisation())
    }

    /// The entries of an author's log as a node holds it, chain and signatures verified.
    fn log_at(
        &mut self,
        peer: PeerIndex,
        author: PeerIndex,
        space: &SpaceId,
    ) -> BTreeSet<EntryHash> {
        let node = self.peers[author].replica.node();
        let (mut entries, mut position) = (BTreeSet::new(), self.origin(author, space));
        let one = &mut self.peers[peer];
        while let Ok(Some(run)) =
            one.replica.read_run(&one.disk, space, &node, position.length, FRAME_BYTES)
        {
            let verified = run.verify(position).expect("what a node keeps is sound");
            entries.extend(verified.entries().iter().map(|entry| entry.hash));
            position = verified.end();
        }
        entries
    }
}
