//! A store that is damaged, read as far as it can be.

use super::{CACHE_BYTES, Snapshot, Store, StoreError, tables::META};
use redb::{
    BackendError, ConcurrencyMode, Database, ReadOnlyDatabase, ReadableDatabase, StorageBackend,
};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::storage::{Batch, Storage, Table};
use sincronia_protocol::time::Timestamp;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::ops::{Bound, ControlFlow};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of what is copied between two commits.
const COPIED_BYTES: usize = 4 * 1024 * 1024;

/// A damaged file, open for reading alone. What cannot be read is an error where it stands; what
/// can be read may be anything, so whoever reads it checks it.
pub struct DamagedStore {
    /// Whose store it is, by its own word.
    pub organisation: OrganisationId,
    /// When it was made, by its own word.
    created: Timestamp,
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
        let (database, read, organisation, created) = StoreError::guard(path, || {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES);
            // A reader beside writers of other processes does not need to know which pages are
            // free, which is what a file that was not closed in order would have to be searched
            // for. There are no such writers: the lock of the directory is held.
            builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
            let file = File::open(path).map_err(redb::Error::Io)?;
            let database = builder.open_read_only_with_backend(Ruins(file))?;
            let read = database.begin_read()?;
            let meta = read.open_table(META)?;
            let organisation = meta.get("organisation")?;
            let organisation = organisation.and_then(|value| value.value().try_into().ok());
            let created = meta.get("created")?.and_then(|value| value.value().try_into().ok());
            Ok((database, read, organisation, created.map_or(0, u64::from_be_bytes)))
        })?;
        let organisation = organisation.ok_or_else(|| StoreError::Damaged {
            path: path.to_path_buf(),
            cause: "it names no organisation".into(),
        })?;
        let organisation = OrganisationId::from_bytes(organisation);
        let created = Timestamp::from_milliseconds(created);
        Ok(Self { organisation, created, disk: Snapshot::new(read), _database: database })
    }

    /// Writes `tables` as they stand into a new store at `path`, which says of itself what this one
    /// does.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a table cannot be read to its end; what was written by then is
    /// of no use.
    pub fn copy(
        &self,
        path: &Path,
        tables: impl Iterator<Item = Table>,
    ) -> Result<Store, StoreError> {
        let mut store = Store::open(path, &self.organisation)?;
        store.date(self.created)?;
        for table in tables {
            let (mut batch, mut bytes, mut outcome) = (Batch::default(), 0, Ok(()));
            let read = self.disk.scan(table, &[], &[u8::MAX; 97], &mut |key, value| {
                batch.put(table, key.to_vec(), value.to_vec());
                bytes += key.len() + value.len();
                if bytes >= COPIED_BYTES {
                    bytes = 0;
                    outcome = store.commit(&std::mem::take(&mut batch));
                }
                if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            read.map_err(|error| StoreError::Damaged { path: path.into(), cause: error.0 })?;
            outcome?;
            store.commit(&batch)?;
        }
        Ok(store)
    }
}

/// Where redb's file says how it was left (redb, `docs/design.md`, "Database header").
const STATE_OFFSET: u64 = 9;
/// Of that byte, the bits that ask for a repair before anything is read: "recovery required" and
/// "primary unflushed". A repair gives up at the first page that does not hold.
const ASKS_FOR_REPAIR: u8 = 0b1010;

/// A page of redb.
const PAGE_BYTES: u64 = 4_096;

/// Fills `out` from the file, page by page, with zeros where it ends or the disk gives nothing.
fn read_as_far(file: &File, offset: u64, out: &mut [u8]) {
    let mut at = offset;
    for page in out.chunks_mut(usize::try_from(PAGE_BYTES).unwrap_or(usize::MAX)) {
        let mut filled = 0;
        while let Some(rest) = page.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, at.saturating_add(filled as u64)) {
                Ok(count) if count > 0 => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        page.iter_mut().skip(filled).for_each(|byte| *byte = 0);
        at = at.saturating_add(page.len() as u64);
    }
}

/// A file that is read as if it had been closed in order, and never written.
#[derive(Debug)]
struct Ruins(File);

fn never() -> Error {
    Error::from(ErrorKind::ReadOnlyFilesystem)
}

impl StorageBackend for Ruins {
    /// Whole pages, also of a file whose end was cut off.
    fn len(&self) -> Result<u64, Error> {
        Ok(self.0.metadata()?.len().next_multiple_of(PAGE_BYTES))
    }

    /// What cannot be read is zeros, which is no page of any table: after one error redb would read
    /// nothing more at all.
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        read_as_far(&self.0, offset, out);
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

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: u32 = 4_000;

    fn count(store: &DamagedStore, table: Table) -> (u32, bool) {
        let mut rows = 0;
        let read = store.disk.scan(table, &[], &[u8::MAX; 97], &mut |_, _| {
            rows += 1;
            ControlFlow::Continue(())
        });
        (rows, read.is_ok())
    }

    /// After the first read behind the end redb gave nothing of any table any more.
    #[test]
    fn what_stands_before_a_missing_end_is_read() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("store.redb");
        let organisation = OrganisationId::from_bytes([7; 32]);
        let store = Store::open(&path, &organisation).unwrap();
        for table in [Table::Identity, Table::Entries] {
            let mut batch = Batch::default();
            for row in 0..ROWS {
                batch.put(table, row.to_be_bytes().to_vec(), vec![1; 500]);
            }
            store.commit(&batch).unwrap();
        }
        drop(store);
        let whole = std::fs::read(&path).unwrap();
        let mut read = Vec::new();
        for cut in [100, 16 * 1024, whole.len() / 3] {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let Ok(store) = DamagedStore::open(&path) else { continue };
            assert_eq!(store.organisation, organisation);
            read.push((count(&store, Table::Entries), count(&store, Table::Identity)));
        }
        println!("{read:?}");
        assert_eq!(read.first(), Some(&((ROWS, true), (ROWS, true))));
        assert!(read.len() > 1, "{read:?}");
    }
}
