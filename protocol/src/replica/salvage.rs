//! What still holds on a damaged disk, taken over by a new node of the same organisation.
//!
//! Logs pass through the same checks as what a partner brings, from the beginning to the first
//! place that does not hold or cannot be read; the rest comes back from partners. What is sealed at
//! rest is taken over where it opens. The node that wrote the disk must be revoked: nobody can know
//! how far its own logs went.
//!
//! # Deliberately absent
//! Spaces of which the organisation is no member any more, and those owned by partners it removed:
//! no honest partner would be let in with them. A backup has them.

use super::serving::RunBuilder;
use super::stored::Head;
use super::{Credentials, Replica, ReplicaError, keys};
use crate::access::{AccessEntry, Receipt, sealed_hash};
use crate::codec;
use crate::identity::IdentityEntry;
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::storage::{Storage, Table};
use minicbor::{Decode, Encode};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Sealed tables of a damaged disk that a new node takes over value by value.
pub const SALVAGED_TABLES: [Table; 4] =
    [Table::Partners, Table::Bundles, Table::Keys, Table::Settings];

/// Bytes of entries that are checked at once.
const RUN_BYTES: usize = 1024 * 1024;

/// What came of an attempt to take something over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Salvaged<T> {
    /// All of it that was there.
    Whole(T),
    /// What is before the place where it ended, in words.
    Part(T, String),
}

impl Credentials {
    /// A value that the node with `old` keys sealed at rest, as this node stores it; nothing when
    /// its table holds open values, or it says how the logs of that store stand.
    ///
    /// # Errors
    /// [`ReplicaError::Damaged`] when it does not open.
    pub fn take_over(
        &self,
        old: &Self,
        table: Table,
        key: &[u8],
        value: &[u8],
    ) -> Result<Option<Vec<u8>>, ReplicaError> {
        let is_of_logs = table == Table::Settings && super::erasure::is_note(key);
        if is_of_logs || !super::backup::is_sealed(table, key) {
            return Ok(None);
        }
        let opened = old.to_backup(table, key, value)?;
        self.from_backup(table, key, &opened).map(Some)
    }
}

/// The organisations whose identity logs a damaged disk has.
#[must_use]
pub fn organisations_on(damaged: &dyn Storage) -> BTreeSet<OrganisationId> {
    prefixes(damaged, Table::Identity, &[]).into_iter().map(OrganisationId::from_bytes).collect()
}

/// The spaces that a damaged disk has.
#[must_use]
pub fn spaces_on(damaged: &dyn Storage) -> BTreeSet<SpaceId> {
    let tables = [Table::Access, Table::Spaces, Table::Heads];
    let found = tables.into_iter().flat_map(|table| prefixes(damaged, table, &[]));
    found.map(SpaceId::from_bytes).collect()
}

/// The authors in a space that a damaged disk has.
#[must_use]
pub fn authors_on(damaged: &dyn Storage, space: &SpaceId) -> BTreeSet<NodeId> {
    let tables = [Table::Entries, Table::Heads];
    let found = tables.into_iter().flat_map(|table| prefixes(damaged, table, space.as_bytes()));
    found.map(NodeId::from_bytes).collect()
}

/// How long an author's log was, by what a damaged disk says without proof.
#[must_use]
pub fn length_on(damaged: &dyn Storage, space: &SpaceId, author: &NodeId) -> Option<u64> {
    let stored = damaged.read(Table::Heads, &keys::author(space, author)).ok().flatten()?;
    minicbor::decode::<Head>(&stored).ok().map(|head| head.position.length)
}

/// The ids that follow on `before` in the keys of a table: one is looked up after another, so that
/// damage within what belongs to one does not hide the next.
fn prefixes(damaged: &dyn Storage, table: Table, before: &[u8]) -> BTreeSet<[u8; 32]> {
    let (mut from, to) = keys::all(before);
    let to = if before.is_empty() { vec![u8::MAX; 97] } else { to };
    let mut found = BTreeSet::new();
    loop {
        let mut next = None;
        let read = damaged.scan(table, &from, &to, &mut |key, _| {
            next = keys::part::<32>(key, before.len());
            ControlFlow::Break(())
        });
        let Some(id) = next.filter(|_| read.is_ok()).filter(|id| found.insert(*id)) else {
            return found;
        };
        from = keys::all(&[before, id.as_slice()].concat()).1;
    }
}

/// The values under a prefix, until one cannot be read.
fn values<T: Encode<()> + for<'b> Decode<'b, ()>>(
    damaged: &dyn Storage,
    table: Table,
    prefix: &[u8],
) -> Salvaged<Vec<T>> {
    let (from, to) = keys::all(prefix);
    let (mut found, mut reason) = (Vec::new(), None);
    let read = damaged.scan(table, &from, &to, &mut |_, value| {
        let Ok(value) = codec::decode(value) else {
            reason = Some("what follows makes no sense".to_owned());
            return ControlFlow::Break(());
        };
        found.push(value);
        ControlFlow::Continue(())
    });
    if let Err(error) = read {
        reason = Some(format!("what follows cannot be read ({error})"));
    }
    match reason {
        Some(reason) => {
            let reason = format!("{} can be read; {reason}", found.len());
            Salvaged::Part(found, reason)
        }
        None => Salvaged::Whole(found),
    }
}

impl<T> Salvaged<T> {
    fn split(self) -> (T, Option<String>) {
        match self {
            Self::Whole(value) => (value, None),
            Self::Part(value, reason) => (value, Some(reason)),
        }
    }

    fn join(value: T, reason: Option<String>) -> Self {
        match reason {
            None => Self::Whole(value),
            Some(reason) => Self::Part(value, reason),
        }
    }
}

impl Replica {
    /// Takes over an identity log; returns how many entries of it there are.
    pub fn salvage_identity(
        &mut self,
        damaged: &dyn Storage,
        disk: &dyn Storage,
        organisation: &OrganisationId,
    ) -> Salvaged<u64> {
        let found = values::<IdentityEntry>(damaged, Table::Identity, organisation.as_bytes());
        let (entries, mut reason) = found.split();
        if let Err(error) = self.admit_identity(disk, &entries) {
            reason = reason.or(Some(error.to_string()));
        }
        let length = self.identity(organisation).map_or(0, crate::identity::Identity::length);
        Salvaged::join(length, reason)
    }

    /// Takes over the access log of a space, its keyrings and receipts; returns how many access
    /// entries there are.
    pub fn salvage_space(
        &mut self,
        damaged: &dyn Storage,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Salvaged<u64> {
        let found = values::<AccessEntry>(damaged, Table::Access, space.as_bytes());
        let (entries, mut reason) = found.split();
        let mut note = |of: &str, outcome: Result<bool, ReplicaError>| {
            if let Err(error) = outcome {
                reason.get_or_insert(format!("{of}: {error}"));
            }
        };
        note("entries", self.admit_access(disk, space, &entries, false));
        let (mut branches, _) =
            values::<AccessEntry>(damaged, Table::Branches, space.as_bytes()).split();
        // They stand in the order of their hashes; each follows on one that comes before.
        branches.sort_by_key(|entry| entry.statement.sequence);
        if !branches.is_empty() {
            note("branches", self.admit_access(disk, space, &branches, false));
        }
        let (keyrings, unreadable) = sealed_on(damaged, space).split();
        for sealed in keyrings {
            match self.admit_sealed(disk, space, [sealed]) {
                // One for a node of a partner: it has it, or is given the key that comes after.
                Err(ReplicaError::NotPermitted) => {}
                outcome => note("its keys", outcome),
            }
        }
        let reason = reason.or(unreadable);
        let length = self.summary(space).map_or(0, |summary| summary.access.length);
        Salvaged::join(length, reason)
    }

    /// Takes over the receipts of a space, when its entries are here.
    pub fn salvage_receipts(
        &mut self,
        damaged: &dyn Storage,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Salvaged<bool> {
        let found = values::<Receipt>(damaged, Table::Receipts, space.as_bytes());
        let (receipts, reason) = found.split();
        match self.admit_receipts(disk, space, &receipts) {
            Ok(grown) => Salvaged::join(grown, reason),
            Err(error) => Salvaged::Part(false, error.to_string()),
        }
    }

    /// Takes over the next run of an author's entries, from `start` on; returns where it ends,
    /// which is `start` when there is no more.
    pub fn salvage_run(
        &mut self,
        damaged: &dyn Storage,
        disk: &dyn Storage,
        (space, author): (&SpaceId, &NodeId),
        start: u64,
    ) -> Salvaged<u64> {
        let mut builder = RunBuilder::new(RUN_BYTES);
        let [from, to] =
            [start, limits::AUTHOR_ENTRIES_MAX].map(|place| keys::entry(space, author, place));
        let read = damaged.scan(Table::Entries, &from, &to, &mut |_, value| builder.push(value));
        let reason = read.err().map(|error| format!("what follows cannot be read ({error})"));
        let Some(run) = builder.finish(*space, *author, start) else {
            return Salvaged::join(start, reason);
        };
        let end = start + run.entries.len() as u64;
        match self.admit_run(disk, run) {
            Ok(_) => Salvaged::Whole(end),
            Err(error) => Salvaged::Part(start, error.to_string()),
        }
    }
}

/// The keyrings of a space that can be read; the rest is handed over by partners.
fn sealed_on(damaged: &dyn Storage, space: &SpaceId) -> Salvaged<Vec<Vec<u8>>> {
    let (from, to) = keys::all(space.as_bytes());
    let (mut found, mut altered) = (Vec::new(), 0_u64);
    let read = damaged.scan(Table::Sealed, &from, &to, &mut |key, value| {
        if keys::hashed(space, &sealed_hash(value)) == key {
            found.push(value.to_vec());
        } else {
            altered += 1;
        }
        ControlFlow::Continue(())
    });
    let reason = match read {
        Err(error) => Some(format!("its keys: what follows cannot be read ({error})")),
        Ok(()) => (altered > 0).then(|| format!("its keys: {altered} are not what was sealed")),
    };
    Salvaged::join(found, reason)
}
