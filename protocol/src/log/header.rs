//! The header of an author entry.

use super::body::Body;
use crate::codec;
use crate::crypto::{Domain, NodeKey, Signature};
use crate::ids::{EntryHash, NodeId, OrganisationId, SpaceId};
use minicbor::{Decode, Encode};

/// The version of the entry format.
pub const VERSION: u8 = 1;

/// How much of the space's access log an author had seen when it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AccessPoint {
    /// Number of access entries seen.
    #[n(0)]
    pub length: u64,
    /// Hash of the last of them.
    #[n(1)]
    pub head: EntryHash,
}

/// Where a log stands: how long it is and the hash of its last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct LogPosition {
    /// Number of entries.
    #[n(0)]
    pub length: u64,
    /// Hash of the last one, [`EntryHash::ZERO`] when there is none.
    #[n(1)]
    pub head: EntryHash,
}

impl LogPosition {
    /// Before the first entry.
    pub const START: Self = Self { length: 0, head: EntryHash::ZERO };

    /// Before the first entry that `author` writes in `space` for `organisation`: its *origin*,
    /// which that entry names as its predecessor. Whose the log is stands so under the signature
    /// of the node itself. It does not travel; a receiver computes it.
    #[must_use]
    pub fn origin(space: &SpaceId, author: &NodeId, organisation: &OrganisationId) -> Self {
        let parts: [&[u8]; 3] = [space.as_bytes(), author.as_bytes(), organisation.as_bytes()];
        Self { length: 0, head: EntryHash::from_bytes(Domain::AUTHOR_ORIGIN.hash(&parts)) }
    }
}

/// Where an entry stands. With hash and length of the body it makes the entry's hash, which the
/// author signs; its encoding alone is the associated data of the body, so a body opens nowhere but
/// in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The space.
    pub space: SpaceId,
    /// The writing node.
    pub author: NodeId,
    /// Position in the author's log of this space, from 0.
    pub sequence: u64,
    /// Hash of the entry before, of the first one the log's origin.
    pub previous: EntryHash,
    /// How much of the access log the author had seen.
    pub access: AccessPoint,
    /// Which epoch key seals the body.
    pub epoch: u64,
}

impl Header {
    /// The bytes bound to the body as associated data.
    #[must_use]
    pub fn associated_data(&self) -> Vec<u8> {
        codec::encode(&(
            VERSION,
            self.space,
            self.author,
            self.sequence,
            self.previous,
            self.access,
            self.epoch,
        ))
    }

    /// The hash of the entry with this header and `body`.
    #[must_use]
    pub fn hash(&self, body: &[u8]) -> EntryHash {
        self.hash_of(&Domain::BODY.hash(&[body]), body.len() as u64)
    }

    /// The hash of the entry with this header and a body that may be erased.
    #[must_use]
    pub fn hash_with(&self, body: &Body) -> EntryHash {
        let (hash, length) = body.hash_and_length();
        self.hash_of(&hash, length)
    }

    pub(super) fn hash_of(&self, body_hash: &[u8; 32], length: u64) -> EntryHash {
        let parts: [&[u8]; 3] = [&self.associated_data(), body_hash, &length.to_be_bytes()];
        EntryHash::from_bytes(Domain::AUTHOR_ENTRY.hash(&parts))
    }

    /// Signs the entry with `hash`, and with it everything before it in the chain.
    #[must_use]
    pub fn sign(hash: &EntryHash, key: &NodeKey) -> Signature {
        key.sign(Domain::AUTHOR_SIGNATURE, hash.as_bytes())
    }
}
