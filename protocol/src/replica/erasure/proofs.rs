//! Erased records in the proofs that authors forked their logs: runs, kept as they arrived.

use super::{Place, record_within};
use crate::codec;
use crate::ids::{RecordId, SpaceId};
use crate::log::{Body, Run, VerifiedEntry};
use crate::replica::{Replica, ReplicaError, decode_proof, keys};
use crate::storage::{Storage, Table};
use std::ops::ControlFlow;

impl Replica {
    /// Drops erased bodies from the proofs that authors forked their logs.
    pub(super) fn erase_in_proofs(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        for (key, mut run) in self.proofs(disk, space)? {
            let before = run.clone();
            let access = &self.space(disk, space)?.access;
            // What is missing was erased on a branch that was known once.
            let author = run.author;
            for (sequence, entry) in run.placed() {
                if access.is_body_erased(&author, sequence) {
                    entry.body = entry.body.erased();
                }
            }
            if run != before {
                self.pending.put(Table::Forks, key, codec::encode(&run));
            }
        }
        Ok(())
    }

    /// Places of entries of `records` in the proofs that authors forked their logs, where no
    /// erasure names them.
    pub(super) fn proven_places(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        records: &[RecordId],
    ) -> Result<Vec<(RecordId, Place)>, ReplicaError> {
        let mut found = Vec::new();
        for (_, run) in self.proofs(disk, space)? {
            for VerifiedEntry { header, body, .. } in self.proven_entries(disk, space, run)? {
                let key = self.space(disk, space)?.key_of(&header);
                let Body::Sealed(body) = body else { continue };
                let record = record_within(key, &header, &body);
                if let Some(record) = record.filter(|record| records.contains(record)) {
                    found.push((record, (header.author, header.sequence)));
                }
            }
        }
        Ok(found)
    }

    fn proven_entries(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        run: Run,
    ) -> Result<Vec<VerifiedEntry>, ReplicaError> {
        let places = self.places_before(disk, space, &run.author, run.start)?;
        let positions: Vec<_> = places.into_iter().map(|(_, position)| position).collect();
        let verified = run.verify_after(&positions);
        Ok(verified.map_or_else(|_| Vec::new(), |(_, run)| run.entries().to_vec()))
    }

    fn proofs(
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
