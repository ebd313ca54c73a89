//! Why no node could be made of a backup or of a damaged store.

use super::replacement::Replacement;
use crate::config::{ConfigError, DirectoryError};
use crate::keystore::KeystoreError;
use crate::store::StoreError;
use sincronia_protocol::backup::BackupError;
use sincronia_protocol::replica::ReplicaError;

/// Why a backup cannot be used. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The file.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The settings that are there already cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The organisation's identity log continues otherwise at a partner.
    #[error(
        "a partner knows another continuation of the organisation's identity log; nothing was \
         restored: call whoever signed with the recovery words last"
    )]
    Forked,
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The network.
    #[error("the network could not start: {0}")]
    Network(String),
    /// The organisation's own identity log cannot be read, and nobody who has it answered.
    #[error(
        "the organisation's own identity log cannot be read in the damaged store, and no partner \
         that has it answered; try again when partners can be reached, restore a backup, or have \
         another machine of the organisation admit a new one"
    )]
    NoIdentity,
    /// No randomness.
    #[error("the system could not provide randomness")]
    Random,
    /// The file cannot be read.
    #[error("the backup cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// Another node took the place of the damaged one already.
    #[error(
        "another node took the place of this one already ({0}); go on with that one, or restore a \
         backup"
    )]
    Replaced(Replacement),
    /// The words are those of another organisation.
    #[error("these are not the recovery words of this organisation")]
    Words,
    /// Too little of a damaged store can be read.
    #[error(
        "of the damaged store not even the identity of its organisation can be read; restore a \
         backup"
    )]
    Ruined,
    /// The replica.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
