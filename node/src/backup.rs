//! Making a backup from a snapshot of the store, and restoring one on another machine; or a node
//! from what still holds in a damaged store.
//!
//! # Contract
//! A backup is what was on disk at one commit; the node goes on meanwhile. Neither half holds more
//! than a chunk and a batch in memory. A restored node is a new node: it has keys of its own, its
//! organisation must certify it and revoke the one that made the backup, and it signs access logs
//! only when it has caught up with its partners (`protocol::replica`).
//!
//! # Deliberately absent
//! Where files are, progress, recovery words: who has them derives the keys and signs.

mod error;
mod reading;
mod recalling;
mod replacement;
mod restoring;
mod ruins;
mod salvaging;
mod settings;

use crate::api::{ApiError, BackupStream, ErrorCode};
use crate::limits::BACKUP_QUEUE_MAX;
use crate::random;
use crate::store::Snapshot;
use sincronia_protocol::backup::{BackupItem, BackupWriter};
use sincronia_protocol::crypto::SealingPublic;
use sincronia_protocol::replica::{BACKUP_TABLES, Credentials, Replica};
use sincronia_protocol::time::Timestamp;
use tokio::sync::mpsc;

pub use error::RestoreError;
pub use reading::Reading;
pub use recalling::Heard;
pub use replacement::Replacement;
pub use restoring::{Inspected, Origin, Restoration, RestoreOptions, Restored, inspect};
pub use salvaging::{SalvageReport, salvage, salvage_again};

/// What a backup is made from.
pub struct BackupSource {
    /// The node's keys: its own signs the file, that of the store opens what is sealed at rest.
    pub credentials: Credentials,
    /// To whom it is sealed.
    pub recipient: SealingPublic,
    /// The file of settings.
    pub settings: String,
    /// When.
    pub made_at: Timestamp,
    /// The store as of one commit.
    pub disk: Snapshot,
}

type Parts = mpsc::Sender<Result<Vec<u8>, ApiError>>;

/// Why no more is written.
enum Stop {
    /// Whoever asked is gone.
    Gone,
    /// Something failed.
    Failed(ApiError),
}

impl BackupSource {
    /// Makes the backup in a thread of its own, as fast as it is taken.
    #[must_use]
    pub fn stream(self) -> BackupStream {
        let (parts, receiver) = mpsc::channel(BACKUP_QUEUE_MAX);
        tokio::task::spawn_blocking(move || {
            if let Err(Stop::Failed(error)) = self.write(&parts) {
                // Whoever asked may be gone.
                let _ = parts.blocking_send(Err(error));
            }
        });
        BackupStream(receiver)
    }

    fn write(&self, parts: &Parts) -> Result<(), Stop> {
        let mut random = random::generator().map_err(|_| failed("no randomness"))?;
        let key = &self.credentials.node_key;
        let organisation = self.credentials.organisation;
        let (mut writer, begun) =
            BackupWriter::begin(organisation, key, self.made_at, &self.recipient, &mut random)
                .map_err(|error| failed(&error.to_string()))?;
        send(parts, begun)?;
        put(&mut writer, parts, &BackupItem::Settings(self.settings.clone()))?;
        let mut pairs = 0_u64;
        for table in BACKUP_TABLES {
            put(&mut writer, parts, &BackupItem::Table(table.name().into()))?;
            let visited = Replica::visit_for_backup(&self.disk, table, |key, value| {
                let opened = self.credentials.to_backup(table, key, value);
                let value = opened.map_err(|error| failed(&error.to_string()))?;
                pairs += 1;
                let pair = BackupItem::Pair { key: key.to_vec(), value: value.to_vec() };
                put(&mut writer, parts, &pair)
            });
            visited.map_err(|error| failed(&error.to_string()))??;
        }
        put(&mut writer, parts, &BackupItem::End { pairs })?;
        let rest = writer.finish().map_err(|error| failed(&error.to_string()))?;
        send(parts, rest)
    }
}

fn put(writer: &mut BackupWriter, parts: &Parts, item: &BackupItem) -> Result<(), Stop> {
    let bytes = item.encode().ok_or_else(|| failed("an entry is too long for a backup"))?;
    let ready = writer.write(&bytes).map_err(|error| failed(&error.to_string()))?;
    if ready.is_empty() { Ok(()) } else { send(parts, ready) }
}

fn send(parts: &Parts, bytes: Vec<u8>) -> Result<(), Stop> {
    parts.blocking_send(Ok(bytes)).map_err(|_| Stop::Gone)
}

fn failed(cause: &str) -> Stop {
    let message = format!("the backup could not be made: {cause}");
    Stop::Failed(ApiError::new(
        ErrorCode::Internal,
        message,
        "run `sincronia verify`, and check the disk",
    ))
}
