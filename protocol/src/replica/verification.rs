//! Checking everything again: what `verify` promises, and what can be done with raw entries that
//! somebody handed over.

use super::stored::{Head, StoredEntry};
use super::{Replica, ReplicaError, keys};
use crate::access::Branches;
use crate::access::Signatures;
use crate::codec;
use crate::crypto::Domain;
use crate::ids::{NodeId, SpaceId};
use crate::limits;
use crate::log::{LogPosition, Run};
use crate::storage::{Storage, Table};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Which raw entries of a space are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawWanted {
    /// Only of this node.
    pub only: Option<NodeId>,
    /// Only from this position in each log.
    pub from: u64,
    /// Where an earlier answer broke off.
    pub at: Option<(NodeId, u64)>,
}

/// Encoded runs, and where to go on when there are more.
pub type RawRuns = (Vec<Vec<u8>>, Option<(NodeId, u64)>);

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Identity entries whose chain and signatures hold.
    pub identity_entries: u64,
    /// Access entries whose chain and signatures hold.
    pub access_entries: u64,
    /// Author entries whose chain holds up to a signature.
    pub author_entries: u64,
    /// Records looked at.
    pub records: u64,
    /// What does not hold, in words.
    pub problems: Vec<String>,
    /// How many of these problems are of rows alone, which can be made again from entries.
    pub row_problems: u64,
    /// How many are of bodies of which it was noted that they are missing: whoever has them brings
    /// them back.
    pub missing_problems: u64,
}

impl Findings {
    /// How many problems there are beside bodies of which it was noted that they are missing: what
    /// a thief erased comes back from partners, and nothing here is damaged.
    #[must_use]
    pub const fn damage(&self) -> u64 {
        (self.problems.len() as u64).saturating_sub(self.missing_problems)
    }

    fn note_row(&mut self, problem: String) {
        self.problems.push(problem);
        self.row_problems += 1;
    }
}

impl Replica {
    /// Checks every chain and signature in the store, and with `deep` builds every record again and
    /// compares it with its row.
    ///
    /// # Errors
    /// When the store cannot be read at all; damage is among the findings.
    pub fn verify(&mut self, disk: &dyn Storage, deep: bool) -> Result<Findings, ReplicaError> {
        let mut findings = Findings::default();
        // Loading identities verifies: they are applied entry by entry.
        match self.load_identities(disk) {
            Ok(()) => {
                let lengths = self.identities.values().map(crate::identity::Identity::length);
                findings.identity_entries = lengths.sum();
            }
            Err(error) => findings.problems.push(error.to_string()),
        }
        self.spaces.clear();
        self.records.clear();
        let spaces: Vec<_> = self.summaries.keys().copied().collect();
        for space in spaces {
            self.verify_space(disk, &space, deep, &mut findings)?;
        }
        Ok(findings)
    }

    fn verify_space(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        deep: bool,
        findings: &mut Findings,
    ) -> Result<(), ReplicaError> {
        let (access, heads) = match self
            .load_access(disk, space, Signatures::Again)
            .and_then(|_| self.space(disk, space))
        {
            Ok(state) => {
                findings.access_entries += state.access.length();
                let heads = state.heads.iter().map(|(author, head)| (*author, *head));
                (state.access.clone(), heads.collect::<Vec<_>>())
            }
            Err(error) => {
                findings.problems.push(format!("{space}: {error}"));
                return Ok(());
            }
        };
        for (author, head) in heads {
            let missing = self.missing_of(space, &author).map_or(0, BTreeMap::len);
            if missing > 0 {
                let problem = format!("{space}, {author}: bodies that are missing: {missing}");
                findings.problems.push(problem);
                findings.missing_problems += 1;
            }
            match self.verify_author(disk, &access, &author, head)? {
                Some(problem) => findings.problems.push(format!("{space}, {author}: {problem}")),
                None => findings.author_entries += head.position.length,
            }
        }
        if deep {
            self.verify_rows(disk, space, findings)?;
        }
        Ok(())
    }

    /// Follows an author's chain from its origin to its head, which must carry a signature.
    fn verify_author(
        &self,
        disk: &dyn Storage,
        access: &Branches,
        author: &NodeId,
        Head { position, organisation, .. }: Head,
    ) -> Result<Option<String>, ReplicaError> {
        let space = &access.space();
        let origin = Head::begin(space, author, organisation).position;
        let (from, to) = keys::all(&keys::author(space, author));
        let (mut sequence, mut previous) = (0, origin.head);
        let missing = self.missing_of(space, author);
        let mut problem = None;
        self.scan(disk, Table::Entries, &from, &to, &mut |_, value| {
            let stored = StoredEntry::decode(value);
            let Some(stored) = stored.filter(|stored| stored.previous == previous) else {
                problem = Some(format!("entry {sequence} does not continue the chain"));
                return ControlFlow::Break(());
            };
            let hash = stored.header(*space, *author, sequence).hash_with(&stored.body);
            let is_noted = missing.is_some_and(|places| places.contains_key(&sequence));
            let is_left_out = access.is_body_erased(author, sequence, &hash) || is_noted;
            if stored.body.is_erased() != is_left_out {
                let is_here = !stored.body.is_erased();
                let problem_of = if is_here { "is here and was erased" } else { "is missing" };
                problem = Some(format!("the body of entry {sequence} {problem_of}"));
                return ControlFlow::Break(());
            }
            if let Some(signature) = stored.signature {
                let message = hash.as_bytes();
                if signature.verify(Domain::AUTHOR_SIGNATURE, author, message).is_err() {
                    problem = Some(format!("the signature of entry {sequence} does not hold"));
                    return ControlFlow::Break(());
                }
            } else if sequence + 1 == position.length {
                problem = Some("the last entry is not signed".into());
            }
            previous = hash;
            sequence += 1;
            ControlFlow::Continue(())
        })?;
        let found = LogPosition { length: sequence, head: previous };
        if problem.is_none() && found != position {
            problem = Some(format!("entries that are here: {sequence}/{}", position.length));
        }
        Ok(problem)
    }

    fn verify_rows(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        findings: &mut Findings,
    ) -> Result<(), ReplicaError> {
        for record in self.records_shown(disk, space)? {
            findings.records += 1;
            let row = match self.load_row(disk, space, &record) {
                Ok(row) => row.unwrap_or_default(),
                Err(error) => {
                    findings.note_row(format!("{record}: {error}"));
                    continue;
                }
            };
            if self.is_erased(disk, space, &record)? {
                findings.note_row(format!("{record}: it was erased, and its row is here"));
            }
            if crate::record::kind_of(&record).is_none() {
                continue;
            }
            let built = self.record(disk, space, &record)?;
            let is_sound = built.self_check().is_ok();
            let shown = row.view();
            if !is_sound || shown.is_some_and(|shown| shown != built.view()) {
                findings.note_row(format!("{record}: the row is not what its entries give"));
            }
        }
        Ok(())
    }

    /// The author entries of a space as they travel, for handing over by other means: those from
    /// `wanted.from` on in each log, beginning at `wanted.at`, until they are `bytes_max` or more.
    /// Returns also where to go on.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when the space is not here.
    pub fn raw_runs(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        wanted: &RawWanted,
        bytes_max: usize,
    ) -> Result<RawRuns, ReplicaError> {
        let mut authors: Vec<_> = self.space(disk, space)?.heads.keys().copied().collect();
        authors.retain(|author| wanted.only.is_none_or(|only| only == *author));
        authors.retain(|author| wanted.at.is_none_or(|(first, _)| first <= *author));
        let (mut runs, mut bytes) = (Vec::new(), 0);
        for author in authors {
            let at = wanted.at.filter(|(first, _)| *first == author);
            let mut from = at.map_or(wanted.from, |(_, from)| from);
            while let Some(run) =
                self.read_run(disk, space, &author, from, limits::FRAME_BYTES_MAX / 2)?
            {
                if bytes >= bytes_max {
                    return Ok((runs, Some((author, from))));
                }
                from += run.entries.len() as u64;
                let run = codec::encode(&run);
                bytes += run.len();
                runs.push(run);
            }
        }
        Ok((runs, None))
    }

    /// Where a log of `author` may begin, as far as is known here who certified it.
    fn origins(&self, space: &SpaceId, author: &NodeId) -> Vec<LogPosition> {
        let holders = self.holders(author).iter().take(limits::ORIGINS_MAX);
        holders.map(|one| LogPosition::origin(space, author, one)).collect()
    }

    /// How many entries stand in runs handed over, how many are authentic, and how many open with
    /// any key this node holds of the space.
    ///
    /// # Errors
    /// [`ReplicaError::Malformed`] when bytes are not a run.
    pub fn examine(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        runs: &[Vec<u8>],
    ) -> Result<(u64, u64, u64), ReplicaError> {
        let (mut entries, mut authentic, mut opened) = (0, 0, 0);
        let mut positions: BTreeMap<(SpaceId, NodeId), LogPosition> = BTreeMap::new();
        for bytes in runs {
            let run: Run = codec::decode_bounded(bytes, limits::FRAME_BYTES_MAX)?;
            if run.space != *space {
                return Err(ReplicaError::Unknown("space"));
            }
            entries += run.entries.len() as u64;
            let place = (run.space, run.author);
            let reached = positions.get(&place).map(|position| vec![*position]);
            let reached = reached.unwrap_or_else(|| self.origins(space, &run.author));
            let Ok((_, verified)) = run.verify_after(&reached) else { continue };
            positions.insert(place, verified.end());
            authentic += verified.entries().len() as u64;
            let state = if self.summaries.contains_key(&place.0) {
                Some(&*self.space(disk, &place.0)?)
            } else {
                None
            };
            opened += verified
                .entries()
                .iter()
                .filter(|entry| {
                    let aad = entry.header.associated_data();
                    let Some((state, body)) = state.zip(entry.body.sealed()) else { return false };
                    state.epoch_keys.values().any(|key| key.open_body(&aad, body).is_ok())
                })
                .count() as u64;
        }
        Ok((entries, authentic, opened))
    }
}
