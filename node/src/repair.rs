//! Looking at a node that is stopped, and repairing it in place.
//!
//! # Contract
//! What only follows from entries is made again: rows, and a file of which redb says that it is
//! damaged, when by the checksums of its pages everything else in it is what the last commit wrote.
//! The damaged file then stays beside the new one, which takes its place in one step, after it was
//! examined as a whole.
//!
//! A node whose own log lost its end would sign a place twice, and fork. So anything that is not
//! proved whole is left as it is: [`crate::backup::salvage`] makes a new node of what holds, with
//! keys of its own.

mod examination;
mod mending;

use crate::backup::{Replacement, RestoreError};
use crate::config::NodeDirectory;
use crate::engine;
use crate::keystore::{self, Secrets, Unlock};
use crate::limits::RESTORE_BATCH_BYTES;
use crate::setup::credentials;
use crate::store::{DamagedStore, Pages, Store, StoreError};
use sincronia_protocol::replica::{Credentials, Findings, Portion, Replica, ReplicaError};
use sincronia_protocol::storage::{Batch, Storage, Table};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use examination::{Examined, examine};

/// Entries that are shown between two commits.
const PROJECTED_PER_COMMIT: usize = 4_096;

/// What a look at a stopped node came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repaired {
    /// Nothing was wrong.
    Sound,
    /// Nothing was wrong but that the organisation revoked the node: what it has may still be all
    /// that is left, where machines revoked each other.
    Revoked,
    /// Only rows were; they are made again. How many did not hold.
    Rows(u64),
    /// Only the file was; it is made again. Where the damaged one is kept.
    File(PathBuf),
    /// What was signed does not hold: nothing was changed. What does not, in words.
    Beyond(Vec<String>),
    /// The last commit does not hold, and the store went back to the one before: a write that was
    /// cut off, or one that partners may know. The node waits for them before it signs. What did
    /// not hold, in words.
    WentBack(Vec<String>),
    /// Parts of the file that hold more than rows cannot be read: nothing was changed. Which, in
    /// words.
    Unreadable(Vec<String>),
    /// Nothing of the file can be read, and nothing was changed. Why, in words.
    Ruined(String),
}

/// Checks everything a stopped node has, and repairs what can be repaired in place.
///
/// # Errors
/// [`RestoreError`] when the directory, the keystore or the disk cannot be used, or another node
/// took this one's place.
pub fn repair(directory: &Path, unlock: &Unlock) -> Result<Repaired, RestoreError> {
    let directory = NodeDirectory::open(directory)?;
    let _lock = directory.lock()?;
    let secrets = keystore::open(&directory.keystore(), unlock)?;
    if let Some(replacement) = Replacement::of(&directory) {
        return Err(RestoreError::Replaced(replacement));
    }
    let path = directory.store();
    if let Ok(store) = DamagedStore::open(&path) {
        // Not one page of it is this node's to repair.
        Store::check_owner(&path, &store.disk, &credentials(&secrets, store.organisation))?;
    }
    let has_problems = match Pages::check(&path) {
        Err(StoreError::Damaged { .. }) => true,
        pages => !pages?.problems().is_empty(),
    };
    if has_problems {
        // Before redb opens it, which writes.
        let repaired = mending::mend(&directory, &secrets)?;
        let is_hopeless = matches!(repaired, Repaired::Unreadable(_) | Repaired::Ruined(_));
        // A write that was cut off does not hold either, and had not been acknowledged: redb goes
        // back to the one before. But damage to one that was looks the same.
        if !is_hopeless || Pages::was_closed(&path) {
            return Ok(repaired);
        }
        return match open(&path, &secrets) {
            Err(RestoreError::Store(StoreError::Damaged { .. })) => Ok(repaired),
            opened => {
                let (store, credentials) = opened?;
                went_back(&store, &credentials, repaired)
            }
        };
    }
    match open(&path, &secrets) {
        // Every page holds, and still the file does not open in place; perhaps a copy of it does.
        Err(RestoreError::Store(StoreError::Damaged { cause, .. })) => {
            mending::hopeless(&path, cause)
        }
        opened => {
            let (store, credentials) = opened?;
            let found = rows(&store, &credentials)?;
            let is_sound = found == Repaired::Sound;
            let replica = Replica::open(credentials, &store.snapshot()?)?;
            Ok(if is_sound && replica.is_revoked() { Repaired::Revoked } else { found })
        }
    }
}

fn open(path: &Path, secrets: &Secrets) -> Result<(Store, Credentials), RestoreError> {
    let organisation = Store::organisation(path)?;
    let mut store = Store::open(path, &organisation)?;
    store.verify()?;
    Ok((store, credentials(secrets, organisation)))
}

/// Looks at a store that went back to an older commit; whatever of it is well, its node waits for
/// partners.
fn went_back(
    store: &Store,
    credentials: &Credentials,
    lost: Repaired,
) -> Result<Repaired, RestoreError> {
    // First of all: from now on the file itself does not tell any more that it went back.
    match wait_for_partners(store, credentials) {
        // Rows of the store say below what is wrong with it.
        Err(RestoreError::Replica(_)) => {}
        outcome => outcome?,
    }
    let found = rows(store, credentials)?;
    if !matches!(found, Repaired::Sound | Repaired::Rows(_)) {
        return Ok(found);
    }
    Ok(match lost {
        Repaired::Unreadable(problems) | Repaired::Beyond(problems) => Repaired::WentBack(problems),
        Repaired::Ruined(cause) => Repaired::WentBack(vec![cause]),
        _ => Repaired::WentBack(Vec::new()),
    })
}

/// Has a node whose store went back to an older commit hear its partners before it signs.
///
/// # Errors
/// [`RestoreError`] when the store cannot be read or written.
pub fn wait_for_partners(store: &Store, credentials: &Credentials) -> Result<(), RestoreError> {
    let mut replica = Replica::open(credentials.clone(), &store.snapshot()?)?;
    replica.begin_after_going_back(engine::now())?;
    Ok(store.commit(&replica.take_batch())?)
}

/// Makes rows again in a store that opens.
fn rows(store: &Store, credentials: &Credentials) -> Result<Repaired, RestoreError> {
    let found = match look(store, credentials) {
        Err(RestoreError::Replica(error)) if is_damage(&error) => {
            return Ok(Repaired::Beyond(vec![error.to_string()]));
        }
        found => found?,
    };
    if found.damage() == 0 {
        return Ok(Repaired::Sound);
    }
    if found.row_problems < found.damage() {
        return Ok(Repaired::Beyond(found.problems));
    }
    make_rows(store, credentials)?;
    let left = look(store, credentials)?;
    if left.damage() == 0 {
        return Ok(Repaired::Rows(found.row_problems));
    }
    Ok(Repaired::Beyond(left.problems))
}

fn look(store: &Store, credentials: &Credentials) -> Result<Findings, RestoreError> {
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
        let is_more = replica.project(&disk, Portion::of(PROJECTED_PER_COMMIT))?;
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
