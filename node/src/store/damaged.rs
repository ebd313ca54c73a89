//! A store that is damaged, read as far as it can be.

use super::{CACHE_BYTES, Snapshot, StoreError, tables::META};
use redb::{
    BackendError, ConcurrencyMode, Database, ReadOnlyDatabase, ReadableDatabase, StorageBackend,
};
use sincronia_protocol::ids::OrganisationId;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A damaged file, open for reading alone. What cannot be read is an error where it stands; what
/// can be read may be anything, so whoever reads it checks it.
pub struct DamagedStore {
    /// Whose store it is, by its own word.
    pub organisation: OrganisationId,
    /// What it holds. Dropped before the database is closed.
    pub disk: Snapshot,
    _database: ReadOnlyDatabase,
}

impl DamagedStore {
    /// Opens the file without looking at more than its beginning, and writes nothing to it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it opens in no way.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (database, read, organisation) = StoreError::guard(path, || {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES);
            // A reader beside writers of other processes does not need to know which pages are
            // free, which is what a file that was not closed in order would have to be searched
            // for. There are no such writers: the lock of the directory is held.
            builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
            let file = File::open(path).map_err(redb::Error::Io)?;
            let database = builder.open_read_only_with_backend(Ruins(file))?;
            let read = database.begin_read()?;
            let organisation = read.open_table(META)?.get("organisation")?;
            let organisation = organisation.and_then(|value| value.value().try_into().ok());
            Ok((database, read, organisation))
        })?;
        let organisation = organisation.ok_or_else(|| StoreError::Damaged {
            path: path.to_path_buf(),
            cause: "it names no organisation".into(),
        })?;
        let organisation = OrganisationId::from_bytes(organisation);
        Ok(Self { organisation, disk: Snapshot::new(read), _database: database })
    }
}

/// Where redb's file says how it was left (redb, `docs/design.md`, "Database header").
const STATE_OFFSET: u64 = 9;
/// Of that byte, the bits that ask for a repair before anything is read: "recovery required" and
/// "primary unflushed". A repair gives up at the first page that does not hold.
const ASKS_FOR_REPAIR: u8 = 0b1010;

/// A file that is read as if it had been closed in order, and never written.
#[derive(Debug)]
struct Ruins(File);

fn never() -> Error {
    Error::from(ErrorKind::ReadOnlyFilesystem)
}

impl StorageBackend for Ruins {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        self.0.read_exact_at(out, offset)?;
        let state = STATE_OFFSET.checked_sub(offset).and_then(|at| usize::try_from(at).ok());
        if let Some(state) = state.and_then(|at| out.get_mut(at)) {
            *state &= !ASKS_FOR_REPAIR;
        }
        Ok(())
    }

    fn set_len(&self, _: u64) -> Result<(), Error> {
        Err(never())
    }

    fn sync_data(&self) -> Result<(), Error> {
        Err(never())
    }

    fn write(&self, _: u64, _: &[u8]) -> Result<(), Error> {
        Err(never())
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}
