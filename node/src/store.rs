//! The node's store: one redb file, named nowhere else.
//!
//! # Contract
//! [`Store::commit`] makes a batch durable as a whole or not at all; [`Store::snapshot`] reads the
//! last commit and never waits for a writer. What is on disk after a crash at any moment is the state
//! after some commit, and no commit that returned is lost (redb: copy on write, two header slots,
//! checksums). Values are opaque here; personal ones are sealed before they arrive.
//!
//! # Deliberately absent
//! Caching beyond redb's page cache, migrations of values (they carry their version in the table
//! name), any second writer: a lock on the directory keeps other processes out.

mod snapshot;
mod tables;

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, TableError, TransactionError,
};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::storage::{Batch, Table};
use std::path::{Path, PathBuf};

pub use snapshot::Snapshot;
use tables::{META, definition};

/// The version of the store's layout.
pub const FORMAT_VERSION: u64 = 1;
/// Page cache: the hot part of 100,000 records.
pub const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Why the store cannot be used. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is damaged or is no store.
    #[error(
        "{path}: the store is damaged ({cause}); restore a backup, or set up a new node and let it synchronise"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What redb says.
        cause: String,
    },
    /// The file cannot be read or written.
    #[error("{path}: {cause}; check that the directory exists, is writable and has space")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// The store belongs to another organisation.
    #[error("{path}: the store belongs to another organisation than the keystore beside it")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another process uses it.
    #[error("{path}: the store is in use by another process; stop it first")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "{path}: the store has format {found}, this program knows up to {known}; update the program"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u64,
        /// The newest format known here.
        known: u64,
    },
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
}

impl Store {
    /// The organisation whose store this is, as its first opener said; whether this node speaks for
    /// it is proved by the identity log inside.
    ///
    /// # Errors
    /// [`StoreError`] says what is wrong with the file.
    pub fn organisation(path: &Path) -> Result<OrganisationId, StoreError> {
        let database = Database::open(path).map_err(|error| open_error(path, error))?;
        let damaged = |cause: String| StoreError::Damaged { path: path.to_path_buf(), cause };
        let read = database.begin_read().map_err(|error| damaged(error.to_string()))?;
        let meta = read.open_table(META).map_err(|error| damaged(error.to_string()))?;
        let stored = meta.get("organisation").map_err(|error| damaged(error.to_string()))?;
        let bytes = stored.and_then(|value| value.value().try_into().ok());
        bytes
            .map(OrganisationId::from_bytes)
            .ok_or_else(|| damaged("it names no organisation".into()))
    }

    /// Opens the store of an organisation, or creates an empty one.
    ///
    /// # Errors
    /// [`StoreError`] says what is wrong with the file.
    pub fn open(path: &Path, organisation: &OrganisationId) -> Result<Self, StoreError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = builder.create(path).map_err(|error| open_error(path, error))?;
        let store = Self { database, path: path.to_path_buf() };
        store.check_format(organisation)?;
        Ok(store)
    }

    fn check_format(&self, organisation: &OrganisationId) -> Result<(), StoreError> {
        let write = self.database.begin_write().map_err(|error| self.failed(&error))?;
        {
            let mut meta = write.open_table(META).map_err(|error| self.failed(&error))?;
            let found = meta.get("format").map_err(|error| self.failed(&error))?;
            let found = found.map(|value| u64_of(value.value()));
            if let Some(found) = found.filter(|found| *found > FORMAT_VERSION) {
                let (path, known) = (self.path.clone(), FORMAT_VERSION);
                return Err(StoreError::Newer { path, found, known });
            }
            let owner = meta.get("organisation").map_err(|error| self.failed(&error))?;
            let owner = owner.map(|value| value.value().to_vec());
            if owner.is_some_and(|owner| owner != organisation.as_bytes()) {
                return Err(StoreError::Foreign { path: self.path.clone() });
            }
            let version = FORMAT_VERSION.to_be_bytes();
            meta.insert("format", version.as_slice()).map_err(|error| self.failed(&error))?;
            meta.insert("organisation", organisation.as_bytes().as_slice())
                .map_err(|error| self.failed(&error))?;
            for table in Table::ALL {
                write.open_table(definition(table)).map_err(|error| self.failed(&error))?;
            }
        }
        write.commit().map_err(|error| self.failed(&error))
    }

    /// Makes a batch durable.
    ///
    /// # Errors
    /// [`StoreError::Io`]; nothing of the batch is then on disk.
    pub fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut write = self.database.begin_write().map_err(|error| self.failed(&error))?;
        // A crash must not cost a scan of the whole file at the next start.
        write.set_quick_repair(false);
        let mut writes = batch.writes.iter().peekable();
        while let Some(((table, _), _)) = writes.peek() {
            let table = *table;
            let mut open =
                write.open_table(definition(table)).map_err(|error| self.failed(&error))?;
            while let Some(((_, key), value)) = writes.next_if(|((one, _), _)| *one == table) {
                match value {
                    Some(value) => open.insert(key.as_slice(), value.as_slice()).map(drop),
                    None => open.remove(key.as_slice()).map(drop),
                }
                .map_err(|error| self.failed(&error))?;
            }
        }
        write.commit().map_err(|error| self.failed(&error))
    }

    /// The state as of the last commit.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let read = self.database.begin_read().map_err(|error| self.failed(&error))?;
        let tables: Result<Vec<_>, TableError> =
            Table::ALL.iter().map(|table| read.open_table(definition(*table))).collect();
        Ok(Snapshot::new(tables.map_err(|error| self.failed(&error))?))
    }

    /// Bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Checks every page of the file. Returns whether it was sound as it stood.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it cannot be repaired.
    pub fn verify(&mut self) -> Result<bool, StoreError> {
        let path = self.path.clone();
        self.database.check_integrity().map_err(|error| open_error(&path, error))
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> StoreError {
        StoreError::Io { path: self.path.clone(), cause: error.to_string() }
    }
}

fn open_error(path: &Path, error: DatabaseError) -> StoreError {
    let path = path.to_path_buf();
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path },
        DatabaseError::UpgradeRequired(version) => {
            StoreError::Damaged { path, cause: format!("an old file format, {version}") }
        }
        DatabaseError::Storage(redb::StorageError::Io(error))
            if error.kind() != std::io::ErrorKind::InvalidData =>
        {
            StoreError::Io { path, cause: error.to_string() }
        }
        error => StoreError::Damaged { path, cause: error.to_string() },
    }
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(u64::MAX, u64::from_be_bytes)
}

impl From<TransactionError> for StoreError {
    fn from(error: TransactionError) -> Self {
        Self::Io { path: PathBuf::new(), cause: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sincronia_protocol::storage::{Storage, StorageError, Visit, conformance};

    struct Checked(Store);

    impl Storage for Checked {
        fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
            self.0.snapshot().unwrap().read(table, key)
        }

        fn scan(
            &self,
            table: Table,
            from: &[u8],
            to: &[u8],
            visit: Visit<'_>,
        ) -> Result<(), StorageError> {
            self.0.snapshot().unwrap().scan(table, from, to, visit)
        }
    }

    const OWNER: OrganisationId = OrganisationId::from_bytes([1; 32]);

    #[test]
    fn redb_keeps_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store.redb"), &OWNER).unwrap();
        let mut checked = Checked(store);
        conformance::check(&mut checked, |one, batch| one.0.commit(batch).unwrap()).unwrap();
    }

    #[test]
    fn a_second_opener_is_told_that_it_is_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.redb");
        let _first = Store::open(&path, &OWNER).unwrap();
        assert!(matches!(Store::open(&path, &OWNER), Err(StoreError::InUse { .. })));
    }

    #[test]
    fn another_organisations_store_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.redb");
        drop(Store::open(&path, &OWNER).unwrap());
        let other = OrganisationId::from_bytes([2; 32]);
        assert!(matches!(Store::open(&path, &other), Err(StoreError::Foreign { .. })));
    }

    #[test]
    fn a_newer_format_is_named_and_nothing_is_touched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.redb");
        let store = Store::open(&path, &OWNER).unwrap();
        let write = store.database.begin_write().unwrap();
        write.open_table(META).unwrap().insert("format", 9_u64.to_be_bytes().as_slice()).unwrap();
        write.commit().unwrap();
        drop(store);
        let error = Store::open(&path, &OWNER).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 9, .. }), "{error}");
    }

    #[test]
    fn rubbish_is_called_damaged() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.redb");
        std::fs::write(&path, vec![7; 8192]).unwrap();
        let error = Store::open(&path, &OWNER).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }
}
