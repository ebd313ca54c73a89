//! Settings of this node that belong with its data.

use super::{Replica, ReplicaError, keys};
use crate::storage::{Storage, Table};

impl Replica {
    /// A setting.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn setting(&self, disk: &dyn Storage, name: &str) -> Result<Option<Vec<u8>>, ReplicaError> {
        let key = name.as_bytes();
        let Some(sealed) = self.read(disk, Table::Settings, key)? else { return Ok(None) };
        let opened = self.credentials.storage.open(&keys::place(Table::Settings, key), &sealed);
        let value = opened.map_err(|_| ReplicaError::Damaged(Table::Settings.name()))?;
        Ok(Some(value.to_vec()))
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// When it cannot be sealed, which does not happen.
    pub fn put_setting(&mut self, name: &str, value: &[u8]) -> Result<(), ReplicaError> {
        let key = name.as_bytes().to_vec();
        let sealed = self.credentials.storage.seal(&keys::place(Table::Settings, &key), value)?;
        self.pending.put(Table::Settings, key, sealed);
        Ok(())
    }
}
