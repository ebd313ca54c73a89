//! The store as of one commit.

use super::error::{contained, reading_failed};
use super::tables::definition;
use redb::{ReadOnlyTable, ReadTransaction, TableError};
use sincronia_protocol::storage::{Storage, StorageError, Table, Visit};
use std::sync::OnceLock;

type Open = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// A consistent view for reading; writers neither wait for it nor change it.
///
/// Making one costs nothing; each table is opened when it is first read, and stays open. While a
/// snapshot lives, the pages it sees are not reused: whoever keeps one for long makes the file
/// grow.
pub struct Snapshot {
    read: ReadTransaction,
    /// In the order of [`Table::ALL`].
    tables: [OnceLock<Open>; Table::ALL.len()],
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Snapshot")
    }
}

impl Snapshot {
    pub(super) fn new(read: ReadTransaction) -> Self {
        Self { read, tables: std::array::from_fn(|_| OnceLock::new()) }
    }

    fn table(&self, table: Table) -> Result<&Open, StorageError> {
        let unknown = || StorageError(format!("no table {}", table.name()));
        let place = self.tables.get(table as usize).ok_or_else(unknown)?;
        if let Some(open) = place.get() {
            return Ok(open);
        }
        let open = self.read.open_table(definition(table)).map_err(|error| match error {
            TableError::Storage(error) => reading_failed(&error),
            error => StorageError(error.to_string()),
        })?;
        Ok(place.get_or_init(|| open))
    }
}

impl Storage for Snapshot {
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        contained(|| {
            let value = self.table(table)?.get(key).map_err(|error| reading_failed(&error))?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        if from >= to {
            return Ok(());
        }
        let mut range = contained(|| {
            self.table(table)?.range(from..to).map_err(|error| reading_failed(&error))
        })?;
        // Only redb's part is contained: a panic of who visits is a fault of ours.
        while let Some((key, value)) =
            contained(|| range.next().transpose().map_err(|error| reading_failed(&error)))?
        {
            let (key, value) = contained(|| Ok((key.value(), value.value())))?;
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}
