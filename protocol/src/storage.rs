//! What the rules need from a disk: ordered tables of bytes, read here, written in one batch.
//!
//! The node implements [`Storage`] over redb, the simulation over memory with a disk that forgets
//! what was not committed; both run [`conformance`]. Keys are fixed-width big-endian, so that byte
//! order is log order. All writes of one step reach the disk in one atomic, durable commit: nothing
//! is acknowledged, shown or pushed before it.
//!
//! Deliberately absent: caching, transactions that read, any knowledge of what the bytes mean.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The tables. One line each: key → value. Integers are big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// organisation 32 ‖ sequence 8 → identity entry; organisation 32 ‖ sequence 8 ‖ hash 32 →
    /// another one at the same place.
    Identity,
    /// space 32 ‖ sequence 8 → access entry.
    Access,
    /// space 32 ‖ author 32 ‖ sequence 8 → author entry: header fields, body, signature if known.
    Entries,
    /// space 32 ‖ author 32 → length, head hash, projection progress and organisation of an
    /// author log.
    Heads,
    /// space 32 ‖ hash 32 → sealed keyring, as it travels.
    Sealed,
    /// space 32 ‖ hash 32 → access entry of a branch that does not hold.
    Branches,
    /// space 32 ‖ commitment 32 → epoch key, sealed at rest.
    Keys,
    /// space 32 ‖ record 16 → materialised row, sealed at rest.
    Rows,
    /// space 32 → summary: owner, members, digest.
    Spaces,
    /// space 32 ‖ author 32 ‖ sequence 8 → why the entry is not shown: empty while its key or
    /// access log is not here yet, 1 when it cannot be read.
    Waiting,
    /// space 32 ‖ author 32 ‖ sequence 8 → proof that an author forked its log.
    Forks,
    /// space 32 ‖ node 32 → the node's receipt for erasures.
    Receipts,
    /// organisation 32 → what this node knows and decided about a partner, sealed at rest.
    Partners,
    /// hash of the secret 32 → invitation made here, sealed at rest.
    Invitations,
    /// node 32 → its latest signed address record, sealed at rest.
    Addresses,
    /// name → local setting.
    Settings,
    /// organisation 32 → what was exchanged with it by bundles; organisation 32 ‖ space 32 → where
    /// its logs of the space stand, by its own word. Both sealed at rest.
    Bundles,
    /// bundle 32 ‖ number 4 → when it was imported 8 ‖ part of a bundle whose others are missing.
    Parts,
}

impl Table {
    /// Every table, in order.
    pub const ALL: [Self; 18] = [
        Self::Identity,
        Self::Access,
        Self::Entries,
        Self::Heads,
        Self::Sealed,
        Self::Branches,
        Self::Keys,
        Self::Rows,
        Self::Spaces,
        Self::Waiting,
        Self::Forks,
        Self::Receipts,
        Self::Partners,
        Self::Invitations,
        Self::Addresses,
        Self::Settings,
        Self::Bundles,
        Self::Parts,
    ];

    /// The stable name of the table on disk; the number is the version of its format.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity/1",
            Self::Access => "access/1",
            Self::Entries => "entries/1",
            Self::Heads => "heads/1",
            Self::Sealed => "sealed/1",
            Self::Branches => "branches/1",
            Self::Keys => "keys/1",
            Self::Rows => "rows/1",
            Self::Spaces => "spaces/1",
            Self::Waiting => "waiting/1",
            Self::Forks => "forks/1",
            Self::Receipts => "receipts/1",
            Self::Partners => "partners/1",
            Self::Invitations => "invitations/1",
            Self::Addresses => "addresses/1",
            Self::Settings => "settings/1",
            Self::Bundles => "bundles/1",
            Self::Parts => "parts/1",
        }
    }
}

/// The disk could not answer. The text is for the log; it never holds stored content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store could not be read: {0}")]
pub struct StorageError(pub String);

/// What is called with each key and value of a scan; `Break` ends it.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// The read side of a store, as of its last commit.
pub trait Storage {
    /// The value of `key`.
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

    /// Calls `visit` for each entry with `from ≤ key < to`, in key order, until it breaks.
    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        visit: Visit<'_>,
    ) -> Result<(), StorageError>;
}

/// Writes that reach the disk together or not at all; `None` deletes.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// By table and key, the latest value.
    pub writes: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl Batch {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Sets `key` to `value`.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert((table, key), Some(value));
    }

    /// Removes `key`.
    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.writes.insert((table, key), None);
    }
}

/// The first key after every key that begins with `prefix`; empty when there is none.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    end
}

/// A store in memory: for the simulation, and for reading what is not yet committed.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    tables: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
}

impl MemoryStorage {
    /// Applies a batch.
    pub fn commit(&mut self, batch: &Batch) {
        for (key, value) in &batch.writes {
            match value {
                Some(value) => self.tables.insert(key.clone(), value.clone()),
                None => self.tables.remove(key),
            };
        }
    }

    /// Bytes of all keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tables.iter().map(|((_, key), value)| key.len() + value.len()).sum()
    }

    /// Every value of a table, in key order: for oracles that look for plaintext.
    pub fn values(&self, table: Table) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.tables
            .iter()
            .filter(move |((found, _), _)| *found == table)
            .map(|((_, key), value)| (key.as_slice(), value.as_slice()))
    }
}

impl Storage for MemoryStorage {
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.tables.get(&(table, key.to_vec())).cloned())
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
        for ((_, key), value) in self.tables.range((table, from.to_vec())..(table, to.to_vec())) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The contract of [`Storage`] as checks that every implementation runs.
pub mod conformance {
    use super::{Batch, Storage, StorageError, Table};
    use std::ops::ControlFlow;

    /// Runs all checks against an empty store; `commit` applies a batch to it durably.
    ///
    /// # Errors
    /// The name of the first promise that does not hold, or the store's own error.
    pub fn check<S: Storage>(
        store: &mut S,
        mut commit: impl FnMut(&mut S, &Batch),
    ) -> Result<(), StorageError> {
        let mut batch = Batch::default();
        for key in [[1u8, 9], [2, 0], [2, 1], [3, 0]] {
            batch.put(Table::Entries, key.to_vec(), vec![key[1]]);
        }
        batch.put(Table::Rows, vec![2, 0], vec![77]);
        commit(store, &batch);
        ensure(store.read(Table::Entries, &[2, 1])? == Some(vec![1]), "a put is read")?;
        ensure(store.read(Table::Rows, &[2, 1])?.is_none(), "tables are separate")?;

        let mut seen = Vec::new();
        store.scan(Table::Entries, &[2], &[3], &mut |key, _| {
            seen.push(key.to_vec());
            ControlFlow::Continue(())
        })?;
        ensure(seen == vec![vec![2, 0], vec![2, 1]], "a scan is ordered and half-open")?;

        let mut count = 0;
        store.scan(Table::Entries, &[0], &[9], &mut |_, _| {
            count += 1;
            ControlFlow::Break(())
        })?;
        ensure(count == 1, "a break ends the scan")?;

        let mut batch = Batch::default();
        batch.delete(Table::Entries, vec![2, 0]);
        batch.put(Table::Entries, vec![2, 1], vec![42]);
        commit(store, &batch);
        ensure(store.read(Table::Entries, &[2, 0])?.is_none(), "a deletion is read")?;
        ensure(store.read(Table::Entries, &[2, 1])? == Some(vec![42]), "a put replaces")
    }

    fn ensure(holds: bool, promise: &str) -> Result<(), StorageError> {
        if holds { Ok(()) } else { Err(StorageError(format!("broken promise: {promise}"))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_keeps_the_contract() {
        let mut store = MemoryStorage::default();
        conformance::check(&mut store, MemoryStorage::commit).unwrap();
    }

    #[test]
    fn the_end_of_a_prefix_carries() {
        assert_eq!(prefix_end(&[1, 255]), vec![2]);
        assert_eq!(prefix_end(&[255]), Vec::<u8>::new());
    }
}
