//! The sealed form of a bundle: its content under a key made for it, and that key sealed to every
//! node of the organisation it is for.
//!
//! Who finds a bundle learns for which organisation it is, how large it is, and how many nodes that
//! organisation has. A joining request is sealed under its invitation instead, since the invited
//! organisation does not know the inviting one yet.

use super::BundleError;
use crate::codec;
use crate::crypto::{Domain, SealingPublic, Secret, open_chunks, seal_chunks};
use crate::ids::{NodeId, OrganisationId};
use crate::invitation::InvitationKey;
use crate::limits;
use crate::replica::Replica;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const LENGTH_BYTES: usize = 4;

/// How the key is found.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Lock {
    /// Sealed to each node.
    #[n(0)]
    Nodes(#[n(0)] Vec<ByteVec>),
    /// Derived from an invitation.
    #[n(1)]
    Invitation {
        /// Which.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        id: [u8; 32],
        /// Fresh for each bundle.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        salt: [u8; 32],
    },
}

#[derive(Encode, Decode)]
struct Header {
    #[n(0)]
    version: u8,
    #[n(1)]
    recipient: OrganisationId,
    #[n(2)]
    lock: Lock,
}

/// A sealed bundle that was read and not yet opened.
pub struct Envelope<'a> {
    /// For whom it is.
    pub recipient: OrganisationId,
    /// How its key is found.
    pub lock: Lock,
    header: &'a [u8],
    chunks: &'a [u8],
}

/// Seals content to the nodes of an organisation.
///
/// # Errors
/// [`BundleError::NoNode`] when there is none.
pub fn seal_to_nodes(
    recipient: OrganisationId,
    nodes: &[(NodeId, SealingPublic)],
    content: &[u8],
    random: &mut dyn CryptoRng,
) -> Result<Vec<u8>, BundleError> {
    if nodes.is_empty() {
        return Err(BundleError::NoNode);
    }
    let secret = Secret::random(random);
    let mut sealed = Vec::with_capacity(nodes.len());
    for (node, public) in nodes {
        let bound = bound_to(&recipient, node);
        let key = public.seal_as(Domain::BUNDLE_KEY, &bound, secret.expose(), random)?;
        sealed.push(key.into());
    }
    seal(recipient, Lock::Nodes(sealed), &secret, content)
}

/// Seals content so that whoever holds the invitation, or made it, opens it.
///
/// # Errors
/// [`BundleError::Damaged`] never, in practice.
pub fn seal_by_invitation(
    recipient: OrganisationId,
    invitation: &InvitationKey,
    content: &[u8],
    random: &mut dyn CryptoRng,
) -> Result<Vec<u8>, BundleError> {
    let mut salt = [0; 32];
    random.fill_bytes(&mut salt);
    let secret = invited_secret(&invitation.proof, &invitation.id, &salt);
    seal(recipient, Lock::Invitation { id: invitation.id, salt }, &secret, content)
}

fn seal(
    recipient: OrganisationId,
    lock: Lock,
    secret: &Secret<32>,
    content: &[u8],
) -> Result<Vec<u8>, BundleError> {
    let header = codec::encode(&Header { version: VERSION, recipient, lock });
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX).to_be_bytes();
    let chunks = seal_chunks(&chunk_key(secret, &header), content)?;
    Ok([length.as_slice(), &header, &chunks].concat())
}

/// The clear beginning is part of the key: who changes it opens nothing.
fn chunk_key(secret: &Secret<32>, header: &[u8]) -> Secret<32> {
    Secret::from_bytes(Domain::BUNDLE_CHUNKS.keyed_hash(secret.expose(), &[header]))
}

/// What a key that is sealed to a node is bound to.
fn bound_to(recipient: &OrganisationId, node: &NodeId) -> Vec<u8> {
    [recipient.as_bytes().as_slice(), node.as_bytes()].concat()
}

fn invited_secret(proof: &Secret<32>, id: &[u8; 32], salt: &[u8; 32]) -> Secret<32> {
    Secret::from_bytes(Domain::BUNDLE_INVITATION.keyed_hash(proof.expose(), &[id, salt]))
}

impl<'a> Envelope<'a> {
    /// Reads the clear beginning.
    ///
    /// # Errors
    /// [`BundleError::NotBundle`] when it is none, [`BundleError::Version`] when it is a newer one.
    pub fn read(bytes: &'a [u8]) -> Result<Self, BundleError> {
        let split = bytes.split_first_chunk::<LENGTH_BYTES>();
        let (length, rest) = split.ok_or(BundleError::NotBundle)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > limits::BUNDLE_HEADER_BYTES_MAX {
            return Err(BundleError::NotBundle);
        }
        let (header, chunks) = rest.split_at_checked(length).ok_or(BundleError::NotBundle)?;
        let Header { version, recipient, lock } =
            codec::decode(header).map_err(|_| BundleError::NotBundle)?;
        if version != VERSION {
            return Err(BundleError::Version);
        }
        if matches!(&lock, Lock::Nodes(keys) if keys.len() > limits::IDENTITY_NODES_MAX) {
            return Err(BundleError::NotBundle);
        }
        Ok(Self { recipient, lock, header, chunks })
    }

    /// Opens what was sealed to the node of `replica`.
    ///
    /// # Errors
    /// [`BundleError::NotForNode`] when it was sealed to other nodes only, [`BundleError::Damaged`]
    /// when the content was changed.
    pub fn open_as_node(&self, replica: &Replica) -> Result<Zeroizing<Vec<u8>>, BundleError> {
        let Lock::Nodes(keys) = &self.lock else { return Err(BundleError::NotForNode) };
        let bound = bound_to(&self.recipient, &replica.node());
        let mut opened = keys.iter().filter_map(|key| replica.open_bundle_key(&bound, key).ok());
        let secret: Option<[u8; 32]> = opened.next().and_then(|key| key.as_slice().try_into().ok());
        self.open(&Secret::from_bytes(secret.ok_or(BundleError::NotForNode)?))
    }

    /// Opens what was sealed under an invitation whose proof key is `proof`.
    ///
    /// # Errors
    /// [`BundleError::Damaged`] when it was sealed under another, or changed.
    pub fn open_by_invitation(
        &self,
        proof: &Secret<32>,
    ) -> Result<Zeroizing<Vec<u8>>, BundleError> {
        let Lock::Invitation { id, salt } = &self.lock else { return Err(BundleError::Damaged) };
        self.open(&invited_secret(proof, id, salt))
    }

    fn open(&self, secret: &Secret<32>) -> Result<Zeroizing<Vec<u8>>, BundleError> {
        let key = chunk_key(secret, self.header);
        open_chunks(&key, self.chunks).map_err(|_| BundleError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SealingSecret;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    const RECIPIENT: OrganisationId = OrganisationId::from_bytes([1; 32]);

    fn invitation() -> InvitationKey {
        InvitationKey { id: [2; 32], proof: Secret::from_bytes([3; 32]) }
    }

    #[test]
    fn content_under_an_invitation_opens_with_its_key_alone() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let sealed = seal_by_invitation(RECIPIENT, &invitation(), b"content", &mut random).unwrap();
        let again = seal_by_invitation(RECIPIENT, &invitation(), b"content", &mut random).unwrap();
        assert_ne!(sealed, again, "no two are sealed alike");
        let envelope = Envelope::read(&sealed).unwrap();
        let opened = envelope.open_by_invitation(&invitation().proof);
        assert_eq!(opened.unwrap().as_slice(), b"content");
        let other = Secret::from_bytes([4; 32]);
        assert!(envelope.open_by_invitation(&other).is_err());
    }

    #[test]
    fn more_keys_than_nodes_and_longer_beginnings_are_refused() {
        let keys = vec![ByteVec::from(vec![0; 8]); limits::IDENTITY_NODES_MAX + 1];
        let lock = Lock::Nodes(keys);
        let sealed = seal(RECIPIENT, lock, &Secret::from_bytes([5; 32]), b"content").unwrap();
        assert!(matches!(Envelope::read(&sealed), Err(BundleError::NotBundle)));
        for bytes in [&[0xff; 8][..], &[0, 0, 0, 9, 1], &[0, 1]] {
            assert!(matches!(Envelope::read(bytes), Err(BundleError::NotBundle)), "{bytes:?}");
        }
    }

    #[test]
    fn a_bundle_is_sealed_to_somebody() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let nobody = seal_to_nodes(RECIPIENT, &[], b"content", &mut random);
        assert_eq!(nobody, Err(BundleError::NoNode));
        let public = SealingSecret::from_seed(&Secret::from_bytes([6; 32])).public().clone();
        let node = (NodeId::from_bytes([7; 32]), public);
        let sealed = seal_to_nodes(RECIPIENT, &[node], b"content", &mut random).unwrap();
        assert!(!sealed.windows(7).any(|bytes| bytes == b"content"));
    }
}
