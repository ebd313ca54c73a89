//! The node's store: one redb file, named nowhere else.
//!
//! # Contract
//! [`Store::commit`] makes a batch durable as a whole or not at all; [`Store::snapshot`] reads the
//! last commit and never waits for a writer. What is on disk after a crash at any moment is the
//! state after some commit, and no commit that returned is lost (redb: copy on write, two header
//! slots, checksums; a test cuts the power everywhere). Values are opaque here; personal ones are
//! sealed before they arrive.
//!
//! After a failure of the disk the store stops: every further call says so, because what memory
//! holds may differ from the disk. Whoever gets [`StoreError::Stopped`] or [`StoreError::Full`]
//! drops the store, with its snapshots, and opens it again.
//!
//! # Threats
//! A file altered by others is found by [`Store::verify`], and on opening as long as it is small
//! enough to be read through; beyond that the entries' own hashes and seals protect what they hold.
//!
//! # Deliberately absent
//! Caching beyond redb's page cache, migrations of values (they carry their version in the table
//! name), any second writer: a lock on the directory keeps other processes out.

mod damaged;
mod error;
mod pages;
mod snapshot;
mod tables;

use redb::{Database, ReadableDatabase};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::replica::Credentials;
use sincronia_protocol::storage::{Batch, Storage, Table};
use sincronia_protocol::time::Timestamp;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub use damaged::DamagedStore;
pub use error::StoreError;
pub use pages::{DERIVED, Pages};
pub use snapshot::Snapshot;
use tables::{META, definition};

/// The version of the store's layout.
pub const FORMAT_VERSION: u64 = 1;
/// Page cache: the hot part of 100,000 records.
pub const CACHE_BYTES: usize = 32 * 1024 * 1024;
/// Files up to this size are read through and checked when they are opened: about 0.1 s.
const CHECKED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An open store.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
    created: Timestamp,
}

impl Store {
    /// The organisation whose store this is, as its first opener said; whether this node speaks for
    /// it is proved by the identity log inside.
    ///
    /// # Errors
    /// [`StoreError`] says what is wrong with the file.
    pub fn organisation(path: &Path) -> Result<OrganisationId, StoreError> {
        let stored = StoreError::guard(path, || {
            let meta = Database::open(path)?.begin_read()?.open_table(META)?;
            Ok(meta.get("organisation")?.and_then(|value| value.value().try_into().ok()))
        })?;
        stored.map(OrganisationId::from_bytes).ok_or_else(|| StoreError::Damaged {
            path: path.to_path_buf(),
            cause: "it names no organisation".into(),
        })
    }

    /// Opens the store of an organisation, or creates an empty one.
    ///
    /// # Errors
    /// [`StoreError`] says what is wrong with the file.
    pub fn open(path: &Path, organisation: &OrganisationId) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::from_redb(path, redb::Error::Io(error));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let length = options.open(path).and_then(|file| file.metadata()).map_err(failed)?.len();
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        builder.set_check_integrity_on_open((1..=CHECKED_BYTES_MAX).contains(&length));
        let database = StoreError::guard(path, || Ok(builder.create(path)?))?;
        Self::from_database(database, path, organisation)
    }

    fn from_database(
        database: Database,
        path: &Path,
        organisation: &OrganisationId,
    ) -> Result<Self, StoreError> {
        let path = path.to_path_buf();
        let mut store = Self { database, path, created: Timestamp::default() };
        match store.meta()? {
            Some(meta) => {
                if meta.owner.as_deref() != Some(organisation.as_bytes().as_slice()) {
                    return Err(StoreError::Foreign { path: store.path });
                }
                store.created = meta.created;
                store.complete()?;
            }
            None => store.found(organisation)?,
        }
        Ok(store)
    }

    /// What the store says about itself; nothing when it is new.
    fn meta(&self) -> Result<Option<Meta>, StoreError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let meta = match read.open_table(META) {
            Ok(meta) => meta,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        let value = |name: &str| -> Result<Option<Vec<u8>>, StoreError> {
            let value = meta.get(name).map_err(|error| self.failed(error))?;
            Ok(value.map(|value| value.value().to_vec()))
        };
        let number = |name: &str| -> Result<u64, StoreError> {
            Ok(value(name)?.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes))
        };
        let (path, found, known) = (self.path.clone(), number("format")?, FORMAT_VERSION);
        if found > known {
            return Err(StoreError::Newer { path, found, known });
        }
        let created = Timestamp::from_milliseconds(number("created")?);
        Ok(Some(Meta { owner: value("organisation")?, created }))
    }

    /// Makes the tables of a new store, so that no reader ever misses one.
    fn found(&mut self, organisation: &OrganisationId) -> Result<(), StoreError> {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let created = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        {
            let mut meta = write.open_table(META).map_err(|error| self.failed(error))?;
            let (version, created) = (FORMAT_VERSION.to_be_bytes(), created.to_be_bytes());
            for (name, value) in [
                ("format", version.as_slice()),
                ("organisation", organisation.as_bytes().as_slice()),
                ("created", created.as_slice()),
            ] {
                meta.insert(name, value).map_err(|error| self.failed(error))?;
            }
            for table in Table::ALL {
                write.open_table(definition(table)).map_err(|error| self.failed(error))?;
            }
        }
        write.commit().map_err(|error| self.failed(error))?;
        self.created = Timestamp::from_milliseconds(created);
        Ok(())
    }

    /// Says of the store that it was made when the one was whose place it takes.
    fn date(&mut self, created: Timestamp) -> Result<(), StoreError> {
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        {
            let mut meta = write.open_table(META).map_err(|error| self.failed(error))?;
            let milliseconds = created.milliseconds().to_be_bytes();
            let dated = meta.insert("created", milliseconds.as_slice()).map(drop);
            dated.map_err(|error| self.failed(error))?;
        }
        write.commit().map_err(|error| self.failed(error))?;
        self.created = created;
        Ok(())
    }

    /// Makes the tables that a store of an earlier version of the program does not have.
    fn complete(&self) -> Result<(), StoreError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let missing = Table::ALL.into_iter().filter(|table| {
            let found = read.open_table(definition(*table));
            matches!(found, Err(redb::TableError::TableDoesNotExist(_)))
        });
        let missing: Vec<_> = missing.collect();
        drop(read);
        if missing.is_empty() {
            return Ok(());
        }
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        for table in missing {
            write.open_table(definition(table)).map_err(|error| self.failed(error))?;
        }
        write.commit().map_err(|error| self.failed(error))
    }

    /// Refuses a store in which another node sealed what is sealed.
    ///
    /// # Errors
    /// [`StoreError::Misplaced`].
    pub fn check_owner(
        path: &Path,
        disk: &dyn Storage,
        credentials: &Credentials,
    ) -> Result<(), StoreError> {
        if credentials.are_of_another(disk) {
            return Err(StoreError::Misplaced { path: path.to_path_buf() });
        }
        Ok(())
    }

    /// Makes a batch durable.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the batch is then on disk.
    pub fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        // Not quick repair: it doubles the time of every commit (3 to 6 ms), and without it a file
        // of 285 MB opens half a second after a crash.
        let mut writes = batch.writes.iter().peekable();
        while let Some(((table, _), _)) = writes.peek() {
            let table = *table;
            let mut open =
                write.open_table(definition(table)).map_err(|error| self.failed(error))?;
            while let Some(((_, key), value)) = writes.next_if(|((one, _), _)| *one == table) {
                match value {
                    Some(value) => open.insert(key.as_slice(), value.as_slice()).map(drop),
                    None => open.remove(key.as_slice()).map(drop),
                }
                .map_err(|error| self.failed(error))?;
            }
        }
        write.commit().map_err(|error| self.failed(error))
    }

    /// The state as of the last commit.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        Ok(Snapshot::new(read))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When the store was made.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        self.created
    }

    /// Bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Checks every page of the file. Returns whether it was sound as it stood; what could be
    /// repaired was.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while a snapshot lives, [`StoreError::Damaged`] when it cannot be
    /// repaired.
    pub fn verify(&mut self) -> Result<bool, StoreError> {
        let (path, database) = (self.path.clone(), &mut self.database);
        StoreError::guard(&path, || Ok(database.check_integrity()?))
    }

    /// Closes the file so that the next opening need not look for a crash. Dropping does the same
    /// but cannot say that it failed.
    ///
    /// # Errors
    /// [`StoreError`]; nothing that was committed is lost.
    pub fn close(self) -> Result<(), StoreError> {
        let Self { database, path, .. } = self;
        database.close().map_err(|error| StoreError::from_redb(&path, error))
    }

    fn failed(&self, error: impl Into<redb::Error>) -> StoreError {
        StoreError::from_redb(&self.path, error)
    }
}

struct Meta {
    owner: Option<Vec<u8>>,
    created: Timestamp,
}

#[cfg(test)]
mod tests;
