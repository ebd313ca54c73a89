//! Ed25519 signatures (RFC 8032) with `verify_strict`.

use super::{CryptoError, Domain, Secret};
use crate::ids::NodeId;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};

/// 64 bytes that bind a signer to a message in one domain.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    [u8; 64],
);

impl std::fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Signature")
    }
}

impl Signature {
    /// A signature from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Checks that the node signed `message` in `domain`.
    ///
    /// # Errors
    /// [`CryptoError::Signature`], also when the id is not a valid public key.
    pub fn verify(&self, domain: Domain, node: &NodeId, message: &[u8]) -> Result<(), CryptoError> {
        verify(domain, node.as_bytes(), message, self)
    }
}

/// A node's signing key; also its libp2p identity. Never copied, never in a backup.
#[derive(Clone)]
pub struct NodeKey(SigningKey);

impl NodeKey {
    /// The key of a seed.
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        Self(SigningKey::from_bytes(seed.expose()))
    }

    /// The node: the public half.
    #[must_use]
    pub fn id(&self) -> NodeId {
        NodeId::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// Signs `message` in `domain`.
    #[must_use]
    pub fn sign(&self, domain: Domain, message: &[u8]) -> Signature {
        Signature(self.0.sign(&framed(domain, message)).to_bytes())
    }
}

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "NodeKey({:?})", self.id())
    }
}

/// An organisation's root key: signs its identity log and nothing else.
#[derive(Clone)]
pub struct RootKey(SigningKey);

/// The public half of a root key.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct RootPublic(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    [u8; 32],
);

impl std::fmt::Debug for RootPublic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RootPublic")
    }
}

impl RootKey {
    /// The root key number `generation` of a recovery entropy. Generation 0 founds the
    /// organisation; each rotation takes the next one.
    #[must_use]
    pub fn derive(entropy: &Secret<32>, generation: u64) -> Self {
        let seed = Domain::ROOT_KEY.keyed_hash(entropy.expose(), &[&generation.to_be_bytes()]);
        Self(SigningKey::from_bytes(&seed))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> RootPublic {
        RootPublic(self.0.verifying_key().to_bytes())
    }

    /// Signs `message` in `domain`.
    #[must_use]
    pub fn sign(&self, domain: Domain, message: &[u8]) -> Signature {
        Signature(self.0.sign(&framed(domain, message)).to_bytes())
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RootKey(…)")
    }
}

impl RootPublic {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What an earlier root statement publishes about this key, so that a thief of the current
    /// root key cannot rotate it to one of his own.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        Domain::NEXT_ROOT.hash(&[&self.0])
    }

    /// Checks a signature of this root key.
    ///
    /// # Errors
    /// [`CryptoError::Signature`].
    pub fn verify(
        &self,
        domain: Domain,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), CryptoError> {
        verify(domain, &self.0, message, signature)
    }
}

fn framed(domain: Domain, message: &[u8]) -> Vec<u8> {
    let text = domain.text().as_bytes();
    let mut bytes = Vec::with_capacity(text.len() + 1 + message.len());
    bytes.extend_from_slice(text);
    bytes.push(0);
    bytes.extend_from_slice(message);
    bytes
}

fn verify(
    domain: Domain,
    public: &[u8; 32],
    message: &[u8],
    signature: &Signature,
) -> Result<(), CryptoError> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| CryptoError::Signature)?;
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(&framed(domain, message), &signature).map_err(|_| CryptoError::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_signer_domain_and_message_only() {
        let key = NodeKey::from_seed(&Secret::from_bytes([1; 32]));
        let other = NodeKey::from_seed(&Secret::from_bytes([2; 32]));
        let signature = key.sign(Domain::AUTHOR_SIGNATURE, b"message");
        let check = |domain, node: NodeId, message: &[u8]| signature.verify(domain, &node, message);
        assert_eq!(check(Domain::AUTHOR_SIGNATURE, key.id(), b"message"), Ok(()));
        assert!(check(Domain::ACCESS_SIGNATURE, key.id(), b"message").is_err());
        assert!(check(Domain::AUTHOR_SIGNATURE, other.id(), b"message").is_err());
        assert!(check(Domain::AUTHOR_SIGNATURE, key.id(), b"massage").is_err());
    }

    #[test]
    fn root_generations_differ_and_are_stable() {
        let entropy = Secret::from_bytes([9; 32]);
        let first = RootKey::derive(&entropy, 0).public();
        assert_eq!(first, RootKey::derive(&entropy, 0).public());
        assert_ne!(first, RootKey::derive(&entropy, 1).public());
    }
}
