//! What a bundle says of itself, signed by the node that made it.

use super::BundleError;
use crate::codec;
use crate::crypto::{Domain, Signature};
use crate::ids::{NodeId, OrganisationId};
use crate::limits;
use crate::replica::Replica;
use crate::text;
use crate::time::Timestamp;
use minicbor::{Decode, Encode};

/// The version of what a bundle holds.
const VERSION: u8 = 1;

/// Who made a bundle, for whom, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Manifest {
    /// The version of the content.
    #[n(0)]
    pub version: u8,
    /// The organisation that made it.
    #[n(1)]
    pub sender: OrganisationId,
    /// Its node.
    #[n(2)]
    pub node: NodeId,
    /// For whom it is.
    #[n(3)]
    pub recipient: OrganisationId,
    /// The how many-th of the sender for the recipient.
    #[n(4)]
    pub number: u64,
    /// When it was made, by the sender's clock; for people.
    #[n(5)]
    pub made_at: Timestamp,
    /// What the sender calls itself.
    #[n(6)]
    pub name: String,
    /// Whether it holds everything that the recipient lacked.
    #[n(7)]
    pub is_complete: bool,
    /// The invitation that it answers, in a joining request.
    #[n(8)]
    #[cbor(with = "minicbor::bytes")]
    pub invitation: Option<[u8; 32]>,
    /// The digest of everything after the manifest.
    #[n(9)]
    #[cbor(with = "minicbor::bytes")]
    pub content: [u8; 32],
}

/// A manifest and the signature of its node.
#[derive(Encode, Decode)]
struct Signed {
    #[n(0)]
    manifest: Manifest,
    #[n(1)]
    signature: Signature,
}

impl Manifest {
    /// Of this node, for an organisation, about `content`: number 0, complete, no invitation.
    #[must_use]
    pub fn draft(
        replica: &Replica,
        recipient: OrganisationId,
        name: String,
        made_at: Timestamp,
        content: &[u8],
    ) -> Self {
        Self {
            version: VERSION,
            sender: replica.organisation(),
            node: replica.node(),
            recipient,
            number: 0,
            made_at,
            name,
            is_complete: true,
            invitation: None,
            content: digest(content),
        }
    }

    /// The frame that a bundle begins with.
    #[must_use]
    pub fn sign(self, replica: &Replica) -> Vec<u8> {
        let signature = replica.sign_bundle(&codec::encode(&self));
        codec::encode(&Signed { manifest: self, signature })
    }

    /// Reads the first frame of a bundle for `own`, checks that the node it names signed it, and
    /// that it speaks of `content`. Whether the node may speak for its organisation is not known
    /// yet.
    ///
    /// # Errors
    /// [`BundleError`] says which of these does not hold.
    pub fn read(frame: &[u8], own: &OrganisationId, content: &[u8]) -> Result<Self, BundleError> {
        let Signed { manifest, signature } = codec::decode_bounded(frame, limits::FRAME_BYTES_MAX)
            .map_err(|_| BundleError::Damaged)?;
        if manifest.version != VERSION {
            return Err(BundleError::Version);
        }
        signature
            .verify(Domain::BUNDLE_SIGNATURE, &manifest.node, &codec::encode(&manifest))
            .map_err(|_| BundleError::Damaged)?;
        let sound = manifest.name.len() <= limits::NAME_BYTES_MAX && text::is_line(&manifest.name);
        if !sound || manifest.content != digest(content) {
            return Err(BundleError::Damaged);
        }
        if manifest.recipient != *own {
            return Err(BundleError::Recipient(manifest.recipient));
        }
        Ok(manifest)
    }
}

/// The digest of everything after the manifest.
#[must_use]
fn digest(content: &[u8]) -> [u8; 32] {
    Domain::BUNDLE_CONTENT.hash(&[content])
}
