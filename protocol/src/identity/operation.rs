//! What an identity log says, entry by entry.

use crate::codec;
use crate::crypto::{Domain, NodeKey, RootKey, RootPublic, SealingPublic, Signature};
use crate::ids::{EntryHash, NodeId, OrganisationId};
use minicbor::{Decode, Encode};

/// The version of the entry format.
pub const VERSION: u8 = 1;

/// One step in the life of an organisation's keys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum IdentityOperation {
    /// The organisation begins.
    #[n(0)]
    Genesis {
        /// The first root key; the organisation's id is its hash.
        #[n(0)]
        root: RootPublic,
        /// Hash of the root key that a rotation will bring.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        next_root: [u8; 32],
    },
    /// A node speaks for the organisation from here on.
    #[n(1)]
    AddNode {
        /// The node, its sealing key, and its consent.
        #[n(0)]
        admission: NodeAdmission,
    },
    /// A node no longer speaks for the organisation.
    #[n(2)]
    RevokeNode {
        /// The node.
        #[n(0)]
        node: NodeId,
    },
    /// From here on this node, and no other, writes the access logs of the organisation's spaces.
    #[n(3)]
    SetPrimary {
        /// A certified node.
        #[n(0)]
        node: NodeId,
    },
    /// The root key changes; the old one signs the entry, the new one its acceptance.
    #[n(4)]
    RotateRoot {
        /// The new root key, committed to by the previous root statement.
        #[n(0)]
        root: RootPublic,
        /// Hash of the root key after it.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        next_root: [u8; 32],
        /// The new key's signature over organisation and place.
        #[n(2)]
        acceptance: Signature,
    },
    /// A node's sealing key changes.
    #[n(5)]
    RotateSealing {
        /// The node.
        #[n(0)]
        node: NodeId,
        /// Its new sealing key.
        #[n(1)]
        sealing: SealingPublic,
    },
    /// Another organisation takes this one's place; counts when it says so too.
    #[n(6)]
    SucceededBy {
        /// The successor.
        #[n(0)]
        organisation: OrganisationId,
    },
    /// This organisation takes another's place; counts when it says so too.
    #[n(7)]
    Succeeds {
        /// The predecessor.
        #[n(0)]
        organisation: OrganisationId,
    },
    /// What other branches of this log say up to these entries counts on this one, too.
    #[n(8)]
    Unite {
        /// The last entry of each, at an earlier place than this one.
        #[n(0)]
        heads: Vec<EntryHash>,
    },
}

/// A node's consent to speak for an organisation: nobody can enlist another's node.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NodeAdmission {
    /// The node.
    #[n(0)]
    pub node: NodeId,
    /// Where space keys for it are sealed to.
    #[n(1)]
    pub sealing: SealingPublic,
    /// The node's signature over organisation, node and sealing key.
    #[n(2)]
    pub consent: Signature,
}

impl NodeAdmission {
    /// The consent of the node that holds `key`.
    #[must_use]
    pub fn sign(organisation: &OrganisationId, key: &NodeKey, sealing: SealingPublic) -> Self {
        let message = Self::message(organisation, &key.id(), &sealing);
        let consent = key.sign(Domain::IDENTITY_SIGNATURE, &message);
        Self { node: key.id(), sealing, consent }
    }

    /// Whether the node consented and its sealing key is one.
    #[must_use]
    pub fn holds(&self, organisation: &OrganisationId) -> bool {
        let message = Self::message(organisation, &self.node, &self.sealing);
        let signed = self.consent.verify(Domain::IDENTITY_SIGNATURE, &self.node, &message).is_ok();
        signed && self.sealing.is_valid()
    }

    fn message(organisation: &OrganisationId, node: &NodeId, sealing: &SealingPublic) -> Vec<u8> {
        codec::encode(&("admission", organisation, node, sealing))
    }
}

/// An operation at its place in the log: what the root key signs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IdentityStatement {
    /// Format version.
    #[n(0)]
    pub version: u8,
    /// Whose log.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Position, from 0.
    #[n(2)]
    pub sequence: u64,
    /// Hash of the entry before, [`EntryHash::ZERO`] at the beginning.
    #[n(3)]
    pub previous: EntryHash,
    /// What happens.
    #[n(4)]
    pub operation: IdentityOperation,
}

impl IdentityStatement {
    /// The hash of the entry; the signature is not part of it.
    #[must_use]
    pub fn hash(&self) -> EntryHash {
        EntryHash::from_bytes(Domain::IDENTITY_ENTRY.hash(&[&codec::encode(self)]))
    }

    /// Signs the statement with the root key of its moment.
    #[must_use]
    pub fn sign(self, root: &RootKey) -> IdentityEntry {
        let signature = root.sign(Domain::IDENTITY_SIGNATURE, &codec::encode(&self));
        IdentityEntry { statement: self, signature }
    }

    /// What an incoming root key signs to accept its rotation at this place.
    #[must_use]
    pub fn acceptance_message(
        organisation: &OrganisationId,
        sequence: u64,
        previous: &EntryHash,
    ) -> Vec<u8> {
        codec::encode(&(organisation, sequence, previous))
    }
}

/// A signed entry of an identity log, as it travels and is stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IdentityEntry {
    /// What is said.
    #[n(0)]
    pub statement: IdentityStatement,
    /// The root key's signature.
    #[n(1)]
    pub signature: Signature,
}
