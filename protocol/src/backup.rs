//! Backups: everything a node knows in one file that only the recovery words open.
//!
//! # Contract
//! A backup is sealed to the organisation's *recovery sealing key*
//! ([`crate::recovery::recovery_sealing`]), so making one needs its public half only, and opening
//! one needs the 24 words and nothing else. The node that made it signs the whole file, and each
//! part carries a checksum: without the words every damaged, missing, added or exchanged byte is
//! found, and the part it is in. What the signature is worth is known only with the words, when
//! the identity log inside says whose node it was.
//!
//! ```text
//! prelude   magic 16 ‖ version 2 ‖ length of the header 4
//! header    CBOR: organisation, node, made at, file key sealed to the recovery key ‖ checksum 16
//! chunks    1 when it is the last, else 0 ‖ length 4 ‖ XChaCha20-Poly1305 ‖ checksum 16
//! trailer   Ed25519 signature of the node over the hash of all before, 64
//! ```
//! Numbers are big-endian. The chunks, opened and put together, are [`BackupItem`]s, each after its
//! length in 4 bytes. A file that ends within is not a backup: the last chunk says that it is.
//!
//! # Deliberately absent
//! Files, and which tables belong in a backup (`replica`): never the node key, the sealing secret
//! or the storage key, so that no backup can continue a log.

mod content;
mod reading;
mod writing;

use crate::codec;
use crate::crypto::Domain;
use crate::ids::{NodeId, OrganisationId};
use crate::time::Timestamp;
use minicbor::{Decode, Encode};

pub use content::{BackupItem, ItemReader};
pub use reading::{BackupKey, BackupScanner, Scanned};
pub use writing::BackupWriter;

/// The version of the file format.
pub const VERSION: u16 = 1;
/// What every backup begins with.
pub const MAGIC: [u8; 16] = *b"sincronia-backup";

const PRELUDE_BYTES: usize = 16 + 2 + 4;
const FRAME_BYTES: usize = 1 + 4;
const CHECKSUM_BYTES: usize = 16;
const SIGNATURE_BYTES: usize = 64;
/// The tag of the cipher.
const TAG_BYTES: usize = 16;

/// What a backup says of itself without the words.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct BackupHeader {
    /// Whose backup it is.
    #[n(0)]
    pub organisation: OrganisationId,
    /// The node that made it.
    #[n(1)]
    pub node: NodeId,
    /// When.
    #[n(2)]
    pub made_at: Timestamp,
    /// The key of the chunks, sealed to the recovery key.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

impl std::fmt::Debug for BackupHeader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "BackupHeader({:?}, {:?})", self.node, self.made_at)
    }
}

/// Why bytes are not a backup that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// It does not begin as a backup does.
    #[error("this is not a backup of Sincronia")]
    Foreign,
    /// A newer program made it.
    #[error("the backup has format {0}, this program knows {VERSION}; update it")]
    Newer(u16),
    /// Bytes are not those that were written.
    #[error("the backup is damaged in {0}; use another one")]
    Damaged(Place),
    /// The file ends too early.
    #[error("the backup is not whole: it ends in {0}; copy it again, or use another one")]
    Truncated(Place),
    /// Something follows its end.
    #[error("something follows the end of the backup; copy it again, or use another one")]
    Trailing,
    /// The signature is not that of the node that it names.
    #[error("the signature of the backup does not hold; use another one")]
    Signature,
    /// The words are those of another organisation.
    #[error("the recovery words do not open this backup: they are of another organisation")]
    Words,
    /// What is inside makes no sense.
    #[error("the content of the backup is not sound: {0}")]
    Content(&'static str),
}

/// A part of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its beginning.
    Header,
    /// The chunk of this number, from 0.
    Chunk(u64),
    /// Its end.
    Trailer,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header => formatter.write_str("its header"),
            Self::Chunk(number) => write!(formatter, "part {}", number.saturating_add(1)),
            Self::Trailer => formatter.write_str("its end"),
        }
    }
}

/// What binds a sealed file key to its file.
fn key_context(organisation: &OrganisationId, node: &NodeId, made_at: Timestamp) -> Vec<u8> {
    codec::encode(&(Domain::BACKUP_KEY.text(), organisation, node, made_at))
}

fn prelude(header: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    [MAGIC.as_slice(), &VERSION.to_be_bytes(), &length.to_be_bytes()].concat()
}

/// The hash that every chunk is bound to.
fn header_hash(prelude: &[u8], header: &[u8]) -> [u8; 32] {
    Domain::BACKUP_HEADER.hash(&[prelude, header])
}

fn checksum(header: &[u8; 32], frame: &[u8], number: u64, sealed: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Domain::BACKUP_CHUNK.hash(&[header, frame, &number.to_be_bytes(), sealed]);
    let mut short = [0; CHECKSUM_BYTES];
    short.copy_from_slice(hash.split_at(CHECKSUM_BYTES).0);
    short
}

/// The nonce of a chunk: its number, and whether it is the last. The key is of this file alone.
fn nonce(number: u64, is_last: bool) -> [u8; 24] {
    let mut nonce = [0; 24];
    let (place, rest) = nonce.split_at_mut(8);
    place.copy_from_slice(&number.to_be_bytes());
    if let Some(last) = rest.first_mut() {
        *last = u8::from(is_last);
    }
    nonce
}

#[cfg(test)]
mod tests;
