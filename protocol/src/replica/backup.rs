//! What of a node's tables belongs in a backup, and how it comes back on another node.
//!
//! A backup holds what cannot be made again: logs, keyrings, keys of spaces, receipts for erasures,
//! partners and what was exchanged with them by bundles, settings.
//! Rows, what waits to be read and progress are made again from the logs. Invitations stay out: one
//! that was used after the backup must not be open again, and their addresses name the old node.
//! What is sealed at rest stands open inside the encrypted file and is sealed anew when it comes
//! back, so no key of the old node is needed.

use super::stored::Head;
use super::{Credentials, Replica, ReplicaError, Summary, keys};
use crate::codec;
use crate::crypto::SealingPublic;
use crate::ids::SpaceId;
use crate::log::LogPosition;
use crate::storage::{Storage, Table};
use std::ops::ControlFlow;
use zeroize::Zeroizing;

/// The tables of a backup, in the order in which they stand in it.
pub const BACKUP_TABLES: [Table; 13] = [
    Table::Identity,
    Table::Access,
    Table::Entries,
    Table::Heads,
    Table::Sealed,
    Table::Branches,
    Table::Keys,
    Table::Spaces,
    Table::Forks,
    Table::Receipts,
    Table::Partners,
    Table::Bundles,
    Table::Settings,
];

/// Whether the values of a table are sealed under the storage key.
pub(super) fn is_sealed(table: Table, key: &[u8]) -> bool {
    match table {
        Table::Keys | Table::Partners | Table::Bundles => true,
        Table::Settings => {
            let is_debt = super::maintenance::is_debt(key) || super::erasure::is_debt(key);
            !is_debt && !super::askers::is_note(key)
        }
        _ => false,
    }
}

impl Credentials {
    /// A stored value as a backup holds it.
    ///
    /// # Errors
    /// [`ReplicaError::Damaged`] when it does not open.
    pub fn to_backup(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, ReplicaError> {
        if !is_sealed(table, key) {
            return Ok(Zeroizing::new(value.to_vec()));
        }
        let opened = self.storage.open(&keys::place(table, key), value);
        opened.map_err(|_| ReplicaError::Damaged(table.name()))
    }

    /// A value of a backup as this node stores it.
    ///
    /// # Errors
    /// [`ReplicaError::Damaged`] when it is not a value of its table.
    pub fn from_backup(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
    ) -> Result<Vec<u8>, ReplicaError> {
        let damaged = || ReplicaError::Damaged(table.name());
        match table {
            Table::Heads => {
                let head: Head = minicbor::decode(value).map_err(|_| damaged())?;
                Ok(codec::encode(&Head { projected: 0, ..head }))
            }
            Table::Spaces => {
                let summary: Summary = minicbor::decode(value).map_err(|_| damaged())?;
                let counts = Summary { records: 0, conflicts: 0, quarantined: 0, ..summary };
                Ok(codec::encode(&counts))
            }
            _ if is_sealed(table, key) => Ok(self.storage.seal(&keys::place(table, key), value)?),
            _ => Ok(value.to_vec()),
        }
    }
}

/// Sealed values that are tried, at least and at most, before a store is called another node's: one
/// that does not open may be damaged.
const TRIED_VALUES: std::ops::RangeInclusive<usize> = 2..=64;

impl Credentials {
    /// Whether what is sealed in a store was sealed by another node: nothing of it opens, and there
    /// is more than one value. What cannot be read says nothing.
    #[must_use]
    pub fn are_of_another(&self, disk: &dyn Storage) -> bool {
        let (mut tried, mut is_opened) = (0_usize, false);
        for table in [Table::Settings, Table::Partners, Table::Keys, Table::Bundles] {
            let _ = disk.scan(table, &[], &[u8::MAX; 97], &mut |key, value| {
                if is_sealed(table, key) {
                    tried += 1;
                    is_opened |= self.to_backup(table, key, value).is_ok();
                }
                if is_opened || tried >= *TRIED_VALUES.end() {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
        }
        !is_opened && tried >= *TRIED_VALUES.start()
    }
}

const RECIPIENT: &str = "recovery sealing key";

impl Replica {
    /// Writes down to which key backups are sealed: the public half of the recovery sealing key.
    ///
    /// # Errors
    /// When it cannot be sealed, which does not happen.
    pub fn put_backup_recipient(&mut self, recipient: &SealingPublic) -> Result<(), ReplicaError> {
        self.put_setting(RECIPIENT, &codec::encode(recipient))
    }

    /// To which key backups are sealed; nothing on a node that was never told.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn backup_recipient(
        &self,
        disk: &dyn Storage,
    ) -> Result<Option<SealingPublic>, ReplicaError> {
        let Some(stored) = self.setting(disk, RECIPIENT)? else { return Ok(None) };
        let damaged = |_| ReplicaError::Damaged(Table::Settings.name());
        minicbor::decode(&stored).map(Some).map_err(damaged)
    }

    /// The keys of this node, to read what it sealed at rest.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Puts right what a restored store says of spaces and belongs to the node that made it.
    ///
    /// # Errors
    /// When the store holds damaged data.
    pub fn settle_restored(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let spaces: Vec<_> = self.summaries.keys().copied().collect();
        for space in spaces {
            self.check_ends(disk, &space)?;
            self.refresh_summary(disk, &space)?;
        }
        Ok(())
    }

    /// Checks that every author log is as long as its head says, and that of whom it says: what is
    /// restored has no hole at its end.
    fn check_ends(&mut self, disk: &dyn Storage, space: &SpaceId) -> Result<(), ReplicaError> {
        let heads: Vec<_> = self.space(disk, space)?.heads.clone().into_iter().collect();
        for (author, head) in heads {
            let Some(last) = head.position.length.checked_sub(1) else { continue };
            let begun = Head::begin(space, &author, head.organisation).position.head;
            if self.stored_entry(disk, space, &author, 0)?.previous != begun {
                return Err(ReplicaError::Damaged(Table::Heads.name()));
            }
            let stored = self.stored_entry(disk, space, &author, last)?;
            let header = stored.header(*space, author, last);
            let hash = header.hash_with(&stored.body);
            if (LogPosition { length: last + 1, head: hash }) != head.position {
                return Err(ReplicaError::Damaged(Table::Heads.name()));
            }
        }
        Ok(())
    }

    /// Calls `visit` with each pair of a table that belongs in a backup.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn visit_for_backup<E>(
        disk: &dyn Storage,
        table: Table,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<Result<(), E>, ReplicaError> {
        let mut outcome = Ok(());
        // No key is longer than three ids.
        disk.scan(table, &[], &[u8::MAX; 97], &mut |key, value| {
            outcome = visit(key, value);
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(outcome)
    }
}
