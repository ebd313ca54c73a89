//! Repairing a node that is stopped: rows are made again from entries, in place.
//!
//! Damage of logs cannot be mended in place: a node whose own log lost its end would sign a place
//! twice. Then [`crate::backup::salvage`] makes a new node of what holds.

use crate::backup::RestoreError;
use crate::config::NodeDirectory;
use crate::keystore::{self, Unlock};
use crate::limits::RESTORE_BATCH_BYTES;
use crate::setup::credentials;
use crate::store::{Store, StoreError};
use sincronia_protocol::replica::{Credentials, Replica, ReplicaError};
use sincronia_protocol::storage::{Batch, Storage, Table};
use std::ops::ControlFlow;
use std::path::Path;

/// Entries that are shown between two commits.
const PROJECTED_PER_COMMIT: usize = 4_096;

/// What a look at a stopped node came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repaired {
    /// Nothing was wrong.
    Sound,
    /// Only rows were; they are made again. How many did not hold.
    Rows(u64),
    /// More than rows: nothing was changed. What does not hold, in words.
    Beyond(Vec<String>),
}

/// Checks everything a stopped node has, and repairs what can be repaired in place.
///
/// # Errors
/// [`RestoreError`] when the directory, the keystore or the disk cannot be used.
pub fn repair(directory: &Path, unlock: &Unlock) -> Result<Repaired, RestoreError> {
    let directory = NodeDirectory::open(directory)?;
    let _lock = directory.lock()?;
    let secrets = keystore::open(&directory.keystore(), unlock)?;
    let opened = Store::organisation(&directory.store()).and_then(|organisation| {
        let mut store = Store::open(&directory.store(), &organisation)?;
        store.verify()?;
        Ok((store, credentials(&secrets, organisation)))
    });
    let (store, credentials) = match opened {
        Err(StoreError::Damaged { cause, .. }) => return Ok(Repaired::Beyond(vec![cause])),
        opened => opened?,
    };
    let found = match examine(&store, &credentials) {
        Err(RestoreError::Replica(error)) if is_damage(&error) => {
            return Ok(Repaired::Beyond(vec![error.to_string()]));
        }
        found => found?,
    };
    if found.problems.is_empty() {
        return Ok(Repaired::Sound);
    }
    if found.row_problems < found.problems.len() as u64 {
        return Ok(Repaired::Beyond(found.problems));
    }
    make_rows(&store, &credentials)?;
    let left = examine(&store, &credentials)?;
    if left.problems.is_empty() {
        return Ok(Repaired::Rows(found.row_problems));
    }
    Ok(Repaired::Beyond(left.problems))
}

type Findings = sincronia_protocol::replica::Findings;

fn examine(store: &Store, credentials: &Credentials) -> Result<Findings, RestoreError> {
    let disk = store.snapshot()?;
    let mut replica = Replica::open(credentials.clone(), &disk)?;
    Ok(replica.verify(&disk, true)?)
}

const fn is_damage(error: &ReplicaError) -> bool {
    matches!(error, ReplicaError::Damaged(_) | ReplicaError::Storage(_))
}

/// Forgets rows and how far they reflect entries, and makes them again.
fn make_rows(store: &Store, credentials: &Credentials) -> Result<(), RestoreError> {
    for table in [Table::Rows, Table::Waiting] {
        change(store, table, |_, _| Ok(None))?;
    }
    for table in [Table::Heads, Table::Spaces] {
        change(store, table, |key, value| credentials.from_backup(table, key, value).map(Some))?;
    }
    let mut disk = store.snapshot()?;
    let mut replica = Replica::open(credentials.clone(), &disk)?;
    replica.settle_restored(&disk)?;
    loop {
        let is_more = replica.project(&disk, PROJECTED_PER_COMMIT)?;
        store.commit(&replica.take_batch())?;
        disk = store.snapshot()?;
        if !is_more {
            return Ok(());
        }
    }
}

/// Writes each value of a table as `change` says: another one, or none.
fn change(
    store: &Store,
    table: Table,
    mut change: impl FnMut(&[u8], &[u8]) -> Result<Option<Vec<u8>>, ReplicaError>,
) -> Result<(), RestoreError> {
    let disk = store.snapshot()?;
    let (mut batch, mut bytes, mut outcome) = (Batch::default(), 0, Ok(()));
    let visit = &mut |key: &[u8], value: &[u8]| {
        match change(key, value) {
            Ok(Some(value)) => batch.put(table, key.to_vec(), value),
            Ok(None) => batch.delete(table, key.to_vec()),
            Err(error) => outcome = Err(RestoreError::from(error)),
        }
        bytes += key.len() + value.len();
        if bytes >= RESTORE_BATCH_BYTES && outcome.is_ok() {
            bytes = 0;
            outcome = store.commit(&std::mem::take(&mut batch)).map_err(RestoreError::from);
        }
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    disk.scan(table, &[], &[u8::MAX; 97], visit).map_err(ReplicaError::from)?;
    outcome?;
    Ok(store.commit(&batch)?)
}
