//! Bodies that are gone here though no erasure names them that counts: what a primary erased that
//! only a branch of its organisation's identity log had named, and a change of the root key set
//! that branch aside.
//!
//! They are noted when that is found out, and compared with the space, so that nobody calls it in
//! sync who has less than others. Whoever has them sends the author's entries again. The note goes
//! with the last of them that came back, or that an erasure names which counts.

use super::Stretch;
use super::late::Named;
use crate::access::Branches;
use crate::codec;
use crate::ids::{EntryHash, NodeId, RecordId, SpaceId};
use crate::limits;
use crate::log::{LogPosition, Run, VerifiedEntry};
use crate::replica::forks::Overlap;
use crate::replica::runs::Proven;
use crate::replica::stored::StoredEntry;
use crate::replica::{Replica, ReplicaError, keys};
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};

/// Beginning of the names under which the missing bodies of a log stand among the settings.
const MISSING: &[u8] = b"missing bodies of ";

/// The setting that says that logs were looked through for bodies that are missing.
const MISSING_NOTED: &str = "missing bodies noted";

/// The places of one log whose bodies are missing, each with the record to which it belonged by
/// the word of whoever erased it.
pub(in crate::replica) type Places = BTreeMap<u64, Option<RecordId>>;

/// The missing bodies of all spaces. Where nothing is missing there is no list.
pub(in crate::replica) type MissingBodies = BTreeMap<SpaceId, BTreeMap<NodeId, Places>>;

/// Stretches of a log, each from its first place to before its second.
pub type Stretches = Vec<(u64, u64)>;

/// What is missing of a space, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// How many bodies.
    pub bodies: u64,
    /// The records to which they belonged, by the word of whoever erased them.
    pub records: BTreeSet<RecordId>,
}

impl Replica {
    /// What is missing here though nothing that counts erased it, by space.
    #[must_use]
    pub fn missing_bodies(&self) -> BTreeMap<SpaceId, Missing> {
        let mut found: BTreeMap<SpaceId, Missing> = BTreeMap::new();
        for (space, logs) in &self.missing {
            let known = found.entry(*space).or_default();
            for places in logs.values() {
                known.bodies += places.len() as u64;
                known.records.extend(places.values().flatten());
            }
        }
        found
    }

    pub(in crate::replica) fn load_missing(
        &mut self,
        disk: &dyn Storage,
    ) -> Result<(), ReplicaError> {
        let mut missing = MissingBodies::new();
        let mut damaged = false;
        let end = crate::storage::prefix_end(MISSING);
        disk.scan(Table::Settings, MISSING, &end, &mut |key, sealed| {
            let place = keys::part(key, MISSING.len()).zip(keys::part(key, MISSING.len() + 32));
            let opened = self.credentials.storage.open(&keys::place(Table::Settings, key), sealed);
            let read = opened.ok().and_then(|bytes| minicbor::decode(&bytes).ok());
            match place.zip(read) {
                Some(((space, author), places)) => {
                    let places: Vec<(u64, Option<RecordId>)> = places;
                    let logs = missing.entry(SpaceId::from_bytes(space)).or_default();
                    logs.insert(NodeId::from_bytes(author), places.into_iter().collect());
                }
                None => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged {
            return Err(ReplicaError::Damaged(Table::Settings.name()));
        }
        self.missing = missing;
        Ok(())
    }

    fn put_missing(
        &mut self,
        space: &SpaceId,
        author: &NodeId,
        places: Places,
    ) -> Result<(), ReplicaError> {
        let key = [MISSING, &keys::author(space, author)].concat();
        let logs = self.missing.entry(*space).or_default();
        if places.is_empty() {
            logs.remove(author);
            if logs.is_empty() {
                self.missing.remove(space);
            }
            self.pending.delete(Table::Settings, key);
            return Ok(());
        }
        let listed: Vec<_> = places.iter().map(|(place, record)| (*place, *record)).collect();
        logs.insert(*author, places);
        let place = keys::place(Table::Settings, &key);
        let sealed = self.credentials.storage.seal(&place, &codec::encode(&listed))?;
        self.pending.put(Table::Settings, key, sealed);
        Ok(())
    }

    pub(in crate::replica) fn missing_of(
        &self,
        space: &SpaceId,
        author: &NodeId,
    ) -> Option<&Places> {
        self.missing.get(space)?.get(author)
    }

    /// Notes what branches of an access log erased as they were before, and is named no more.
    pub(in crate::replica) fn note_erased_apart(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        before: &Branches,
    ) -> Result<(), ReplicaError> {
        let records = before.all().flat_map(|branch| branch.erasures().records());
        let named: BTreeMap<Stretch, RecordId> = records
            .flat_map(|(record, erased)| erased.places().map(|stretch| (stretch, *record)))
            .collect();
        for (stretch, record) in named {
            self.note_missing(disk, space, stretch, Some(record))?;
        }
        Ok(())
    }

    fn note_missing(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        (author, from, to): Stretch,
        record: Option<RecordId>,
    ) -> Result<(), ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let length = state.heads.get(&author).map_or(0, |head| head.position.length);
        let [start, end] = [from, to.min(length)].map(|at| keys::entry(space, &author, at));
        let mut found = Vec::new();
        self.scan(disk, Table::Entries, &start, &end, &mut |key, value| {
            // What is damaged there is found by whoever reads it.
            let place = keys::tail(key).map(u64::from_be_bytes).zip(StoredEntry::decode(value));
            if let Some((sequence, stored)) = place.filter(|(_, stored)| stored.body.is_erased()) {
                let hash = stored.header(*space, author, sequence).hash_with(&stored.body);
                if !state.access.is_body_erased(&author, sequence, &hash) {
                    found.push(sequence);
                }
            }
            ControlFlow::Continue(())
        })?;
        let mut places = self.missing_of(space, &author).cloned().unwrap_or_default();
        let before = places.len();
        for sequence in found {
            places.entry(sequence).or_insert(record);
        }
        if places.len() > before { self.put_missing(space, &author, places) } else { Ok(()) }
    }

    /// Crosses out what an erasure names now that counts.
    pub(super) fn review_missing(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let Some(logs) = self.missing.get(space).cloned() else { return Ok(()) };
        for (author, mut places) in logs {
            let before = places.len();
            let mut named = Vec::new();
            for sequence in places.keys().copied() {
                let key = keys::entry(space, &author, sequence);
                // What is damaged there is found by whoever reads it.
                let stored = self.read(disk, Table::Entries, &key)?;
                let Some(stored) = stored.and_then(|bytes| StoredEntry::decode(&bytes)) else {
                    continue;
                };
                let hash = stored.header(*space, author, sequence).hash_with(&stored.body);
                if self.space(disk, space)?.access.is_body_erased(&author, sequence, &hash) {
                    named.push(sequence);
                }
            }
            places.retain(|place, _| named.binary_search(place).is_err());
            if places.len() < before {
                self.put_missing(space, &author, places)?;
            }
        }
        Ok(())
    }

    /// Crosses out what stands in a log from a position on: other entries come in its place.
    pub(in crate::replica) fn forget_missing(
        &mut self,
        space: &SpaceId,
        author: &NodeId,
        from: u64,
    ) -> Result<(), ReplicaError> {
        let Some(mut places) = self.missing_of(space, author).cloned() else { return Ok(()) };
        if places.split_off(&from).is_empty() {
            return Ok(());
        }
        self.put_missing(space, author, places)
    }

    /// What an erasure of a record is to name of that which is missing.
    pub(super) fn missing_named(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<Vec<Named>, ReplicaError> {
        let mut found = Vec::new();
        for (author, places) in self.missing.get(space).cloned().unwrap_or_default() {
            for (sequence, _) in places.iter().filter(|(_, one)| one.as_ref() == Some(record)) {
                let stored = self.stored_entry(disk, space, &author, *sequence)?;
                let header = stored.header(*space, author, *sequence);
                let (hash, body) = (header.hash_with(&stored.body), stored.body);
                let entry = VerifiedEntry { header, hash, body };
                found.push(Named::of_verified(*record, &entry));
            }
        }
        Ok(found)
    }

    /// What is missing of logs that stand as in `heads`, in stretches: what replicas compare.
    pub(in crate::replica) fn missing_within(
        &self,
        space: &SpaceId,
        heads: &[(NodeId, LogPosition)],
    ) -> Vec<Stretch> {
        let Some(logs) = self.missing.get(space) else { return Vec::new() };
        let mut stretches: Vec<Stretch> = Vec::new();
        for (author, position) in heads {
            let places = logs.get(author).into_iter().flat_map(|one| one.range(..position.length));
            for (place, _) in places {
                let end = place.saturating_add(1);
                match stretches.last_mut().filter(|last| (last.0, last.2) == (*author, *place)) {
                    Some(last) => last.2 = end,
                    None => stretches.push((*author, *place, end)),
                }
            }
        }
        stretches.sort_unstable();
        stretches
    }

    /// The hashes of the entries that a run repeats and whose bodies are missing here, too: it may
    /// leave them out.
    pub(in crate::replica) fn missing_in(
        &mut self,
        disk: &dyn Storage,
        run: &Run,
    ) -> Result<BTreeSet<EntryHash>, ReplicaError> {
        let (space, author) = (&run.space, &run.author);
        let end = run.start.saturating_add(run.entries.len() as u64);
        let Some(places) = self.missing_of(space, author) else { return Ok(BTreeSet::new()) };
        let places: Vec<_> = places.range(run.start..end).map(|(place, _)| *place).collect();
        let head = self.space(disk, space)?.heads.get(author).copied();
        let Some(head) = head else { return Ok(BTreeSet::new()) };
        places.into_iter().map(|place| self.hash_at(disk, space, author, head, place)).collect()
    }

    /// Takes from a run the bodies that are missing here, as far as it repeats what is here.
    pub(in crate::replica) fn fill_in(
        &mut self,
        disk: &dyn Storage,
        proven: &Proven,
        overlap: &Overlap,
    ) -> Result<bool, ReplicaError> {
        let Proven { space, author, run, .. } = proven;
        let Some(mut places) = self.missing_of(space, author).cloned() else { return Ok(false) };
        let mut first = None;
        for entry in run.entries().iter().filter(|entry| !entry.body.is_erased()) {
            let sequence = entry.header.sequence;
            if !overlap.agrees_at(sequence) || places.remove(&sequence).is_none() {
                continue;
            }
            let stored = self.stored_entry(disk, space, author, sequence)?;
            let stored = StoredEntry { body: entry.body.clone(), ..stored };
            self.pending.put(Table::Entries, keys::entry(space, author, sequence), stored.encode());
            first.get_or_insert(sequence);
        }
        let Some(first) = first else { return Ok(false) };
        self.put_missing(space, author, places)?;
        self.reconsider(disk, space, author, first)?;
        self.refresh_summary(disk, space)?;
        // Sessions announce the space anew: others may lack the same.
        self.announce(disk, space)?;
        Ok(true)
    }

    /// Notes anew what was missing of a log from a position on, where the entries of a run that
    /// took their place leave out the same bodies.
    pub(in crate::replica) fn keep_missing(
        &mut self,
        proven: &Proven,
        from: u64,
        noted: Places,
    ) -> Result<(), ReplicaError> {
        let Proven { space, author, run, .. } = proven;
        let left_out = run.entries().iter().filter(|entry| entry.body.is_erased());
        let left_out: BTreeSet<_> = left_out.map(|entry| entry.header.sequence).collect();
        let is_kept = |place: &u64| *place >= from && left_out.contains(place);
        let kept: Vec<_> = noted.into_iter().filter(|(place, _)| is_kept(place)).collect();
        if kept.is_empty() {
            return Ok(());
        }
        let mut places = self.missing_of(space, author).cloned().unwrap_or_default();
        places.extend(kept);
        self.put_missing(space, author, places)
    }

    /// As [`Replica::read_run`], up to the first body that is missing here: whoever has not got the
    /// entries takes none without it.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn run_to_send(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        from: u64,
        bytes_max: usize,
    ) -> Result<Option<Run>, ReplicaError> {
        let places = self.missing_of(space, author);
        let missing = places.and_then(|places| Some(*places.range(from..).next()?.0));
        let Some(missing) = missing else {
            return self.read_run(disk, space, author, from, bytes_max);
        };
        self.run_before(disk, (space, author), from..missing, bytes_max)
    }

    /// Of a log a run within `range`, as far as its fork, or to the first signature behind it where
    /// only that one proves what comes before.
    fn run_before(
        &mut self,
        disk: &dyn Storage,
        (space, author): (&SpaceId, &NodeId),
        range: Range<u64>,
        bytes_max: usize,
    ) -> Result<Option<Run>, ReplicaError> {
        let end = self.settled_length(disk, space, author)?.min(range.end);
        let run = self.build_run(disk, (space, author), range.start..end, bytes_max)?;
        if run.is_some() || range.start >= end || end == range.end {
            return Ok(run);
        }
        let length =
            self.space(disk, space)?.heads.get(author).map_or(0, |one| one.position.length);
        self.build_run(disk, (space, author), range.start..length.min(range.end), 1)
    }

    /// Of a log of which a partner lacks the bodies at these places, a run with the first of them
    /// that is here, and how much of the places it leaves: stretches in order, and apart. What both
    /// lack may be left out of it.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn run_of_missing(
        &mut self,
        disk: &dyn Storage,
        (space, author): (&SpaceId, &NodeId),
        wanted: &[(u64, u64)],
        bytes_max: usize,
    ) -> Result<Option<(Run, Stretches)>, ReplicaError> {
        let length = self.settled_length(disk, space, author)?;
        let missing = self.missing_of(space, author).cloned().unwrap_or_default();
        let is_wanted = |place: u64| {
            let after = wanted.partition_point(|(from, _)| *from <= place);
            let before = after.checked_sub(1).and_then(|index| wanted.get(index));
            before.is_some_and(|(_, to)| place < *to)
        };
        let mut from = 0;
        while let Some(first) = first_here(wanted, &missing, from..length) {
            // What is missing here and not there keeps a run from being taken.
            let mut beyond = missing.range(first..).map(|(place, _)| *place);
            let kept = beyond.find(|place| !is_wanted(*place)).unwrap_or(u64::MAX);
            if let Some(run) = self.run_before(disk, (space, author), first..kept, bytes_max)? {
                let end = first.saturating_add(run.entries.len() as u64);
                let rest = wanted.iter().filter(|(_, to)| *to > end);
                return Ok(Some((run, rest.map(|(from, to)| (end.max(*from), *to)).collect())));
            }
            from = kept.saturating_add(1);
        }
        Ok(None)
    }

    /// How long a log is that is here, before the first place where it was found forked.
    fn settled_length(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<u64, ReplicaError> {
        let state = self.space(disk, space)?;
        let length = state.heads.get(author).map_or(0, |head| head.position.length);
        Ok(state.forks.get(author).map_or(length, |fork| length.min(*fork)))
    }

    /// Looks once for what is missing in a store of before it was noted, where a change of the root
    /// key set anything aside.
    pub(in crate::replica) fn renew_missing(
        &mut self,
        disk: &dyn Storage,
    ) -> Result<(), ReplicaError> {
        if self.setting(disk, MISSING_NOTED)?.is_some() {
            return Ok(());
        }
        let changed = self.identities.iter().filter(|(_, identity)| identity.has_aside());
        let changed: BTreeSet<_> = changed.map(|(organisation, _)| *organisation).collect();
        let known = self.summaries.iter();
        let concerned = known.filter(|(_, one)| changed.iter().any(|other| one.concerns(other)));
        let concerned: Vec<_> = concerned.map(|(space, _)| *space).collect();
        for space in &concerned {
            // What is damaged there is found by whoever reads it.
            if let Err(error @ ReplicaError::Storage(_)) = self.look_for_missing(disk, space) {
                return Err(error);
            }
        }
        if changed.is_empty() { Ok(()) } else { self.put_setting(MISSING_NOTED, &[]) }
    }

    fn look_for_missing(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let authors: Vec<_> = self.space(disk, space)?.heads.keys().copied().collect();
        for author in authors {
            self.note_missing(disk, space, (author, 0, limits::AUTHOR_ENTRIES_MAX), None)?;
        }
        if self.missing.contains_key(space) { self.refresh_summary(disk, space) } else { Ok(()) }
    }
}

/// Whether a setting says what is missing: of the logs as they stand in this store.
pub(in crate::replica) fn is_note(key: &[u8]) -> bool {
    key.starts_with(MISSING) || key == MISSING_NOTED.as_bytes()
}

/// The first of the wanted places within `range` whose body is here.
fn first_here(wanted: &[(u64, u64)], missing: &Places, range: Range<u64>) -> Option<u64> {
    let within = wanted.iter().map(|(from, to)| range.start.max(*from)..range.end.min(*to));
    within.into_iter().find_map(|mut places| places.find(|place| !missing.contains_key(place)))
}
