//! A damaged node of which another is made. It is only read; in the end it is marked as replaced.

use super::error::RestoreError;
use crate::config::{DirectoryLock, NodeDirectory};
use crate::keystore::{self, Unlock};
use crate::setup::credentials;
use crate::store::{DamagedStore, Pages, Store, StoreError};
use sincronia_protocol::replica::Credentials;
use sincronia_protocol::storage::Table;
use std::path::Path;

/// The directory, what can be read in it, and its keys; nobody else uses it meanwhile.
pub(super) struct Ruins {
    pub directory: NodeDirectory,
    pub store: DamagedStore,
    pub keys: Credentials,
    _lock: DirectoryLock,
}

impl Ruins {
    /// Opens what can be opened.
    ///
    /// # Errors
    /// [`RestoreError::Ruined`] when the store opens in no way.
    pub fn open(damaged: &Path, unlock: &Unlock) -> Result<Self, RestoreError> {
        let directory = NodeDirectory::open(damaged)?;
        let lock = directory.lock()?;
        let secrets = keystore::open(&directory.keystore(), unlock)?;
        let store = match DamagedStore::open(&directory.store()) {
            Err(StoreError::Damaged { .. }) => return Err(RestoreError::Ruined),
            store => store?,
        };
        let keys = credentials(&secrets, store.organisation);
        Store::check_owner(&directory.store(), &store.disk, &keys)?;
        Ok(Self { directory, store, keys, _lock: lock })
    }

    /// Its file of settings, or nothing.
    pub fn settings(&self) -> String {
        std::fs::read_to_string(self.directory.config()).unwrap_or_default()
    }

    /// Whether a table is proved to be whole. Fewer rows than there were look like all of them:
    /// only the checksums tell.
    pub fn is_whole(&self, table: Table) -> bool {
        Pages::check(&self.directory.store()).is_ok_and(|pages| pages.is_whole(table))
    }
}
