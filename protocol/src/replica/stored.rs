//! Author entries as they stand in the store.

use crate::codec;
use crate::crypto::Signature;
use crate::ids::{EntryHash, NodeId, OrganisationId, SpaceId};
use crate::log::{AccessPoint, Body, Header, LogPosition, VerifiedEntry};
use minicbor::{Decode, Encode};

/// An author entry without what its key says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredEntry {
    /// Hash of the entry before, of the first one the log's origin.
    #[n(0)]
    pub previous: EntryHash,
    /// How much of the access log the author had seen.
    #[n(1)]
    pub access: AccessPoint,
    /// The epoch.
    #[n(2)]
    pub epoch: u64,
    /// The body.
    #[n(3)]
    pub body: Body,
    /// The author's signature, when this entry ended a run.
    #[n(4)]
    pub signature: Option<Signature>,
}

impl StoredEntry {
    /// The entry that was verified; `signature` when it is the last of its run.
    pub fn from_verified(entry: &VerifiedEntry, signature: Option<Signature>) -> Self {
        Self {
            previous: entry.header.previous,
            access: entry.header.access,
            epoch: entry.header.epoch,
            body: entry.body.clone(),
            signature,
        }
    }

    /// The header, given where the entry stands.
    pub fn header(&self, space: SpaceId, author: NodeId, sequence: u64) -> Header {
        Header {
            space,
            author,
            sequence,
            previous: self.previous,
            access: self.access,
            epoch: self.epoch,
        }
    }

    /// The bytes in the store.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// From the bytes in the store. They were canonical when written, so this does not check again.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }
}

/// Where an author log stands here, whose it is, and how far its entries are reflected in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// Length and last hash.
    #[n(0)]
    pub position: LogPosition,
    /// Entries before this position are reflected in rows, or stand in `Waiting`.
    #[n(1)]
    pub projected: u64,
    /// The organisation for which the node writes: that of the log's origin.
    #[n(2)]
    pub organisation: OrganisationId,
}

impl Head {
    /// Before the first entry of a log that `author` writes in `space` for `organisation`.
    pub fn begin(space: &SpaceId, author: &NodeId, organisation: OrganisationId) -> Self {
        let position = LogPosition::origin(space, author, &organisation);
        Self { position, projected: 0, organisation }
    }
}
