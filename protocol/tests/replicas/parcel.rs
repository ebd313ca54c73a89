//! Pieces of logs on their way, and what a node takes of them.

use super::organisation::Node;
use sincronia_protocol::access::AccessEntry;
use sincronia_protocol::ids::{OrganisationId, SpaceId};
use sincronia_protocol::log::Run;
use sincronia_protocol::replica::{RawWanted, ReplicaError, decode_proof};
use std::collections::BTreeSet;

/// A piece that travels.
#[derive(Clone, Debug)]
pub enum Parcel {
    /// Entries of an access log.
    Access { space: SpaceId, entries: Vec<AccessEntry>, is_complete: bool },
    /// A sealed keyring.
    Sealed { space: SpaceId, bytes: Vec<u8> },
    /// Entries of an author.
    Run(Run),
}

impl Node {
    /// The access log of a space, one entry a parcel, and the keyrings meant for `organisation`.
    pub fn access_parcels(
        &mut self,
        space: &SpaceId,
        organisation: &OrganisationId,
    ) -> Vec<Parcel> {
        let entries = self.access_log(space);
        let last = entries.len() - 1;
        let mut parcels: Vec<_> = entries
            .into_iter()
            .enumerate()
            .map(|(index, entry)| Parcel::Access {
                space: *space,
                entries: vec![entry],
                is_complete: index == last,
            })
            .collect();
        parcels.extend(
            self.keyrings_for(space, organisation)
                .into_iter()
                .map(|bytes| Parcel::Sealed { space: *space, bytes }),
        );
        parcels
    }

    /// The access log.
    pub fn access_log(&mut self, space: &SpaceId) -> Vec<AccessEntry> {
        self.replica
            .access_entries(&self.disk, space, 0, u64::MAX, usize::MAX)
            .expect("a sound disk")
    }

    /// Sealed keyrings of an organisation's nodes.
    pub fn keyrings_for(&mut self, space: &SpaceId, organisation: &OrganisationId) -> Vec<Vec<u8>> {
        let (replica, disk) = (&mut self.replica, &self.disk);
        let wanted = replica.keyrings_since(disk, organisation, space, 0).expect("a sound disk");
        replica.sealed_for(disk, organisation, space, &wanted).expect("a sound disk")
    }

    /// Every author log that is here, one entry a parcel where its author signed each.
    pub fn author_parcels(&mut self, space: &SpaceId) -> Vec<Parcel> {
        if self.replica.summary(space).is_none() {
            return Vec::new();
        }
        let raw = self
            .replica
            .raw_runs(&self.disk, space, &RawWanted::default(), usize::MAX)
            .expect("a sound disk")
            .0;
        let runs = raw.iter().map(|bytes| decode_proof(bytes).expect("a run"));
        let authors: BTreeSet<_> = runs.map(|run| run.author).collect();
        let mut parcels = Vec::new();
        for author in authors {
            let mut from = 0;
            while let Some(run) =
                self.replica.read_run(&self.disk, space, &author, from, 1).expect("a sound disk")
            {
                from += run.entries.len() as u64;
                parcels.push(Parcel::Run(run));
            }
        }
        parcels
    }

    /// Takes one parcel; nothing of it may stay when it is refused, except what came before the
    /// part that does not hold.
    pub fn take(&mut self, parcel: &Parcel) -> Result<(), ReplicaError> {
        let (replica, disk) = (&mut self.replica, &self.disk);
        let outcome = match parcel.clone() {
            Parcel::Access { space, entries, is_complete } => {
                replica.admit_access(disk, &space, &entries, is_complete).map(drop)
            }
            Parcel::Sealed { space, bytes } => {
                replica.admit_sealed(disk, &space, [bytes]).map(drop)
            }
            Parcel::Run(run) => replica.admit_run(disk, run).map(drop),
        };
        self.commit();
        outcome
    }

    /// Takes parcels again and again, in the order given, until nothing more grows.
    pub fn take_all(&mut self, parcels: &[Parcel]) {
        loop {
            let mut grown = false;
            for parcel in parcels {
                let before = self.digests();
                let _ = self.take(parcel);
                grown |= self.digests() != before;
            }
            if !grown {
                return;
            }
        }
    }

    /// What sync would compare.
    pub fn digests(&self) -> Vec<(SpaceId, [u8; 32])> {
        self.replica.summaries().map(|(space, summary)| (*space, summary.digest)).collect()
    }

    /// Hands everything of a space to another node, as a session would.
    pub fn give(&mut self, other: &mut Self, space: &SpaceId) {
        if self.replica.summary(space).is_none() {
            return;
        }
        let mut parcels = self.access_parcels(space, &other.organisation());
        parcels.extend(self.author_parcels(space));
        other.take_all(&parcels);
    }
}
