//! Saying what is damaged on a node that is stopped, without changing anything.

use super::is_damage;
use crate::backup::RestoreError;
use crate::config::NodeDirectory;
use crate::keystore::{self, Unlock};
use crate::setup::credentials;
use crate::store::{DamagedStore, Pages, Store, StoreError};
use sincronia_protocol::replica::{Credentials, Findings, Replica};
use std::path::Path;

/// What a stopped node has, and what of it does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// What is damaged of the file, in words.
    pub file: Vec<String>,
    /// Whether nothing of it can be read.
    pub is_ruined: bool,
    /// Whether the node was not stopped in order: its last write may have been cut off, by a full
    /// disk for example, and not damaged.
    pub may_be_cut_off: bool,
    /// What was counted of its content, and does not hold.
    pub content: Findings,
}

/// Checks every page of the store's file, then chains and signatures, and with `deep` every record.
/// Nothing is written, and what can be read of a damaged file is read.
///
/// # Errors
/// [`RestoreError`] when the directory, the keystore or the disk cannot be used.
pub fn examine(directory: &Path, unlock: &Unlock, deep: bool) -> Result<Examined, RestoreError> {
    let directory = NodeDirectory::open(directory)?;
    let _lock = directory.lock_to_read()?;
    let secrets = keystore::open(&directory.keystore(), unlock)?;
    let file = match Pages::check(&directory.store()) {
        Err(StoreError::Damaged { cause, .. }) => vec![cause],
        pages => pages?.problems(),
    };
    let may_be_cut_off = !file.is_empty() && !Pages::was_closed(&directory.store());
    let mut examined = Examined { file, may_be_cut_off, ..Examined::default() };
    match DamagedStore::open(&directory.store()) {
        Err(StoreError::Damaged { cause, .. }) => {
            if examined.file.is_empty() {
                examined.file.push(cause);
            }
            examined.is_ruined = true;
        }
        store => {
            let store = store?;
            let credentials = credentials(&secrets, store.organisation);
            Store::check_owner(&directory.store(), &store.disk, &credentials)?;
            examined.content = content(&store, credentials, deep)?;
        }
    }
    Ok(examined)
}

fn content(
    store: &DamagedStore,
    credentials: Credentials,
    deep: bool,
) -> Result<Findings, RestoreError> {
    let opened = Replica::open(credentials, &store.disk);
    match opened.and_then(|mut replica| replica.verify(&store.disk, deep)) {
        Err(error) if is_damage(&error) => {
            Ok(Findings { problems: vec![error.to_string()], ..Findings::default() })
        }
        found => Ok(found?),
    }
}
