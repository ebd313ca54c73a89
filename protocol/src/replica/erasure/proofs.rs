//! Erased records in the proofs that authors forked their logs: runs, kept as they arrived.

use super::late::Named;
use super::record_within;
use crate::codec;
use crate::ids::{EntryHash, NodeId, RecordId, SpaceId};
use crate::log::{LogPosition, Run, VerifiedEntry};
use crate::replica::{Replica, ReplicaError, decode_proof, keys};
use crate::storage::{Storage, Table};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

impl Replica {
    /// Drops erased bodies from the proofs that authors forked their logs: what an erasure names,
    /// and what is read here of a record that was erased. A machine of the owner, which may be its
    /// primary once, keeps the latter until it is named; of a third version the primary may never
    /// hear, for one proof is enough.
    pub(in crate::replica) fn erase_in_proofs(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let own = self.organisation();
        let pays = self.summaries.get(space).is_some_and(|summary| summary.is_of(&own));
        for (key, mut run) in self.proofs(disk, space)? {
            let before = run.clone();
            let verified = self.proven_entries(disk, space, run.clone())?;
            let state = self.space(disk, space)?;
            let is_erased = |VerifiedEntry { header, hash, body }: &&VerifiedEntry| {
                let record = body.sealed().filter(|_| !pays);
                let record =
                    record.and_then(|body| record_within(state.key_of(header), header, body));
                state.access.is_body_erased(&header.author, header.sequence, hash)
                    || record.is_some_and(|record| state.access.is_erased(&record))
            };
            let erased = verified.iter().filter(is_erased).map(|one| one.header.sequence);
            let erased: BTreeSet<_> = erased.collect();
            for (_, entry) in run.placed().filter(|(place, _)| erased.contains(place)) {
                entry.body = entry.body.erased();
            }
            if run != before {
                self.pending.put(Table::Forks, key, codec::encode(&run));
            }
        }
        Ok(())
    }

    /// Entries of a record, or of all that were erased, in the proofs that authors forked their
    /// logs, where their bodies are here.
    pub(super) fn proven_of(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        only: Option<&RecordId>,
    ) -> Result<Vec<Named>, ReplicaError> {
        let mut found = Vec::new();
        for (_, run) in self.proofs(disk, space)? {
            let entries = self.proven_entries(disk, space, run)?;
            let state = self.space(disk, space)?;
            let is_wanted = |record: &RecordId| {
                only.map_or_else(|| state.access.is_erased(record), |only| only == record)
            };
            for entry in &entries {
                let Some(body) = entry.body.sealed() else { continue };
                let key = state.key_of(&entry.header);
                let record = record_within(key, &entry.header, body).filter(is_wanted);
                found.extend(record.map(|record| Named::of_verified(record, entry)));
            }
        }
        Ok(found)
    }

    /// Where these entries stand that are in the proofs that authors forked their logs.
    pub(in crate::replica) fn proven_places(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        wanted: &BTreeSet<EntryHash>,
    ) -> Result<Vec<(NodeId, LogPosition)>, ReplicaError> {
        let mut found = Vec::new();
        for (_, run) in self.proofs(disk, space)? {
            let entries = self.proven_entries(disk, space, run)?;
            let entries = entries.into_iter().filter(|one| wanted.contains(&one.hash));
            found.extend(entries.map(|VerifiedEntry { header, hash, .. }| {
                let length = header.sequence.saturating_add(1);
                (header.author, LogPosition { length, head: hash })
            }));
        }
        Ok(found)
    }

    /// The records to which entries of a proof belong, as far as they open.
    pub(in crate::replica) fn records_proven(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        run: &Run,
    ) -> Result<BTreeSet<RecordId>, ReplicaError> {
        let entries = self.proven_entries(disk, space, run.clone())?;
        let state = self.space(disk, space)?;
        let record = |entry: &VerifiedEntry| {
            record_within(state.key_of(&entry.header), &entry.header, entry.body.sealed()?)
        };
        Ok(entries.iter().filter_map(record).collect())
    }

    fn proven_entries(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        run: Run,
    ) -> Result<Vec<VerifiedEntry>, ReplicaError> {
        let positions = self.places_before_proof(disk, space, &run)?;
        let verified = run.verify_after(&positions);
        Ok(verified.map_or_else(|_| Vec::new(), |(_, run)| run.entries().to_vec()))
    }

    /// What the run of a proof may follow on. It is read also where its log was set aside since, of
    /// which no run is taken any more.
    fn places_before_proof(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        run: &Run,
    ) -> Result<Vec<LogPosition>, ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let head = state.heads.get(&run.author).filter(|one| run.start <= one.position.length);
        let mut places = Vec::new();
        if let Some(head) = head.copied() {
            places.push(self.position_at(disk, space, &run.author, head, run.start)?);
        }
        if run.start == 0 {
            let holders = self.certified.members(&state.access, &run.author).into_iter();
            places.extend(holders.map(|one| LogPosition::origin(space, &run.author, &one)));
        }
        Ok(places)
    }

    pub(in crate::replica) fn proofs(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<(Vec<u8>, Run)>, ReplicaError> {
        let mut proofs = Vec::new();
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Forks, &from, &to, &mut |key, value| {
            proofs.extend(decode_proof(value).map(|run| (key.to_vec(), run)));
            ControlFlow::Continue(())
        })?;
        Ok(proofs)
    }
}
