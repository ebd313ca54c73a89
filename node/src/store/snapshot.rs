//! The store as of one commit.

use redb::ReadOnlyTable;
use sincronia_protocol::storage::{Storage, StorageError, Table, Visit};

/// A consistent view for reading; writers neither wait for it nor change it.
pub struct Snapshot {
    /// In the order of [`Table::ALL`].
    tables: Vec<ReadOnlyTable<&'static [u8], &'static [u8]>>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Snapshot")
    }
}

impl Snapshot {
    pub(super) const fn new(tables: Vec<ReadOnlyTable<&'static [u8], &'static [u8]>>) -> Self {
        Self { tables }
    }

    fn table(
        &self,
        table: Table,
    ) -> Result<&ReadOnlyTable<&'static [u8], &'static [u8]>, StorageError> {
        let index = Table::ALL.iter().position(|one| *one == table);
        index
            .and_then(|index| self.tables.get(index))
            .ok_or_else(|| StorageError(format!("no table {}", table.name())))
    }
}

impl Storage for Snapshot {
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let value = self.table(table)?.get(key).map_err(|error| failed(&error))?;
        Ok(value.map(|value| value.value().to_vec()))
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
        let range = self.table(table)?.range(from..to).map_err(|error| failed(&error))?;
        for item in range {
            let (key, value) = item.map_err(|error| failed(&error))?;
            if visit(key.value(), value.value()).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn failed(error: &redb::StorageError) -> StorageError {
    StorageError(error.to_string())
}
