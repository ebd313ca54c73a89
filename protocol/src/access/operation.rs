//! What an access log says, entry by entry.

use super::erasure::ErasedEntries;
use crate::codec;
use crate::crypto::{Domain, KeyCommitment, NodeKey, Signature};
use crate::ids::{EntryHash, NodeId, OrganisationId, RecordId, SpaceId};
use crate::log::LogPosition;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The version of the entry format.
pub const VERSION: u8 = 1;

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Stores and forwards what it cannot read.
    #[n(0)]
    Carrier,
    /// Reads.
    #[n(1)]
    Reader,
    /// Reads and writes.
    #[n(2)]
    Contributor,
}

impl Role {
    /// Whether members with this role get the keys.
    #[must_use]
    pub const fn reads(self) -> bool {
        !matches!(self, Self::Carrier)
    }
}

/// How much of the past a new member reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Everything.
    #[n(0)]
    Start,
    /// What is written from now on.
    #[n(1)]
    Now,
}

/// A node to which a keyring was sealed, and the hash of the sealed keyring, which travels apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Recipient {
    /// The node.
    #[n(0)]
    pub node: NodeId,
    /// Hash of the sealed keyring.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub sealed: [u8; 32],
}

/// A new epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Rotation {
    /// Its number, one more than the last.
    #[n(0)]
    pub epoch: u64,
    /// Commitment to its key.
    #[n(1)]
    pub commitment: KeyCommitment,
    /// The previous epoch's key under the new one; absent where history starts afresh.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub previous: Option<Vec<u8>>,
    /// Who was given the key.
    #[n(3)]
    pub recipients: Vec<Recipient>,
}

/// How much of a node's log still counts after a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cut {
    /// The node.
    #[n(0)]
    pub node: NodeId,
    /// Number of entries that count.
    #[n(1)]
    pub length: u64,
    /// Hash of the last of them, as the owner saw it: of a log of which there are two versions,
    /// the one that goes through it counts.
    #[n(2)]
    pub head: EntryHash,
}

/// One step in the life of a space's access.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum AccessOperation {
    /// The space begins, with its owner as contributor.
    #[n(0)]
    Create {
        /// The owner.
        #[n(0)]
        owner: OrganisationId,
        /// With the owner it makes the space's id.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        salt: [u8; 16],
        /// Epoch 0.
        #[n(2)]
        rotation: Rotation,
    },
    /// An organisation becomes a member, or a reader becomes a contributor.
    #[n(1)]
    Grant {
        /// The organisation.
        #[n(0)]
        organisation: OrganisationId,
        /// Its role.
        #[n(1)]
        role: Role,
        /// How much of the past it reads; `Now` comes with a rotation.
        #[n(2)]
        history: History,
        /// Its nodes and their keyrings, when there is no rotation.
        #[n(3)]
        recipients: Vec<Recipient>,
        /// A fresh epoch, so that the past stays closed to it.
        #[n(4)]
        rotation: Option<Rotation>,
    },
    /// An organisation is a member no more.
    #[n(2)]
    Revoke {
        /// The organisation.
        #[n(0)]
        organisation: OrganisationId,
        /// What counts of its nodes' logs; a node not named counts for nothing.
        #[n(1)]
        cuts: Vec<Cut>,
        /// The epoch it does not get.
        #[n(2)]
        rotation: Rotation,
    },
    /// A node's log counts up to here and no further.
    #[n(3)]
    CutNode {
        /// What counts of it.
        #[n(0)]
        cut: Cut,
        /// The epoch it does not get.
        #[n(1)]
        rotation: Rotation,
    },
    /// A fresh key for the same members.
    #[n(4)]
    Rotate {
        /// The epoch.
        #[n(0)]
        rotation: Rotation,
    },
    /// A contributor may take the space over. An offer cannot be taken back: of an offer that was
    /// taken and a withdrawal that was written meanwhile, only one could hold.
    #[n(5)]
    Offer {
        /// The organisation that may take it.
        #[n(0)]
        organisation: OrganisationId,
    },
    /// The organisation to which the space was offered owns it from here on, and signs this entry
    /// and those that follow. The owner before it remains a contributor.
    #[n(6)]
    Take {
        /// The new owner.
        #[n(0)]
        organisation: OrganisationId,
    },
    /// A record is erased, whoever wrote in it and whatever comes of it later.
    #[n(7)]
    Erase {
        /// The record: readers hide it.
        #[n(0)]
        record: RecordId,
        /// Where its entries stand, as far as the owner knows, in the order of their nodes: also
        /// who cannot read drops their bodies.
        #[n(1)]
        entries: Vec<ErasedEntries>,
    },
    /// Through which places the log of a node goes, of which somebody else may sign another
    /// version. How much of it counts is said by cuts alone.
    #[n(8)]
    Settle {
        /// The node.
        #[n(0)]
        node: NodeId,
        /// Lengths of its log, ascending, each with the hash of the last entry.
        #[n(1)]
        places: Vec<LogPosition>,
    },
}

impl AccessOperation {
    /// The rotation that the operation brings.
    #[must_use]
    pub const fn rotation(&self) -> Option<&Rotation> {
        match self {
            Self::Grant { rotation, .. } => rotation.as_ref(),
            Self::Create { rotation, .. }
            | Self::Revoke { rotation, .. }
            | Self::CutNode { rotation, .. }
            | Self::Rotate { rotation } => Some(rotation),
            Self::Offer { .. } | Self::Take { .. } | Self::Erase { .. } | Self::Settle { .. } => {
                None
            }
        }
    }

    /// Everyone to whom a keyring was sealed by this operation.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        let direct = match self {
            Self::Grant { recipients, .. } => recipients.as_slice(),
            _ => &[],
        };
        direct.iter().chain(self.rotation().into_iter().flat_map(|rotation| &rotation.recipients))
    }
}

/// An operation at its place in the log: what the owner's primary signs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AccessStatement {
    /// Format version.
    #[n(0)]
    pub version: u8,
    /// Whose log.
    #[n(1)]
    pub space: SpaceId,
    /// Position, from 0.
    #[n(2)]
    pub sequence: u64,
    /// Hash of the entry before.
    #[n(3)]
    pub previous: EntryHash,
    /// The owner's primary node.
    #[n(4)]
    pub author: NodeId,
    /// Position in its owner's identity log at which it was named primary.
    #[n(5)]
    pub term: u64,
    /// What happens.
    #[n(6)]
    pub operation: AccessOperation,
}

impl AccessStatement {
    /// The hash of the entry; the signature is not part of it.
    #[must_use]
    pub fn hash(&self) -> EntryHash {
        EntryHash::from_bytes(Domain::ACCESS_ENTRY.hash(&[&codec::encode(self)]))
    }

    /// Signs the statement.
    #[must_use]
    pub fn sign(self, key: &NodeKey) -> AccessEntry {
        let signature = key.sign(Domain::ACCESS_SIGNATURE, &codec::encode(&self));
        AccessEntry { statement: self, signature }
    }
}

/// A signed entry of an access log, as it travels and is stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AccessEntry {
    /// What is said.
    #[n(0)]
    pub statement: AccessStatement,
    /// The primary's signature.
    #[n(1)]
    pub signature: Signature,
}

impl AccessEntry {
    /// The id of the space that `owner` founds with `salt`.
    #[must_use]
    pub fn space_id(owner: &OrganisationId, salt: &[u8; 16]) -> SpaceId {
        SpaceId::from_bytes(Domain::SPACE_ID.hash(&[owner.as_bytes(), salt]))
    }

    /// Whether the node that it names signed it; whether that node may is another question.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let message = codec::encode(&self.statement);
        let author = &self.statement.author;
        self.signature.verify(Domain::ACCESS_SIGNATURE, author, &message).is_ok()
    }
}
