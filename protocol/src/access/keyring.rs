//! The keys that one node is given, sealed to it and bound to their place.

use crate::codec;
use crate::crypto::{
    CryptoError, DerivedRandom, Domain, EpochKey, SealingPublic, SealingSecret, Secret,
};
use crate::ids::{NodeId, SpaceId};
use crate::limits;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Why a sealed keyring is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// It does not open with this node's key at this place.
    #[error("the sealed keyring does not open for this node")]
    Sealed,
    /// It opens, but a key is not the one the access log commits to.
    #[error("a key is not the one that the access log commits to")]
    Commitment,
}

/// Epoch keys: the current one, and the last of every earlier stretch of history that a reader may
/// know. Older keys of a stretch unwrap from it.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    /// Epoch number and key, ascending as honest owners write them. Each key is checked by itself
    /// against its commitment.
    pub keys: Vec<(u64, EpochKey)>,
}

#[derive(Encode, Decode)]
struct WireKey {
    #[n(0)]
    epoch: u64,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    key: [u8; 32],
}

impl Keyring {
    /// Seals the keyring to `node`, for the access entry at `position` of `space` only.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the sealing key is not one.
    pub fn seal<R: CryptoRng + ?Sized>(
        &self,
        space: &SpaceId,
        position: u64,
        node: &NodeId,
        sealing: &SealingPublic,
        random: &mut R,
    ) -> Result<Vec<u8>, CryptoError> {
        sealing.seal(&context(space, position, node), &self.text(), random)
    }

    /// Seals the keyring to `node`, to be handed over outside the access log. The randomness
    /// follows from the keys, so that the same handover is the same bytes.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the sealing key is not one, or there is no key to hand over.
    pub fn seal_handover(
        &self,
        space: &SpaceId,
        epoch: u64,
        node: &NodeId,
        sealing: &SealingPublic,
    ) -> Result<Vec<u8>, CryptoError> {
        let (_, key) = self.keys.last().ok_or(CryptoError::Key)?;
        let (context, text) = (context(space, epoch, node), self.text());
        let parts: [&[u8]; 3] = [&context, &sealing.key_id(), &text];
        let mut random = DerivedRandom::new(Domain::HANDOVER_RANDOM, key.secret(), &parts);
        sealing.seal_as(Domain::HANDOVER, &context, &text, &mut random)
    }

    /// Opens what [`Self::seal_handover`] sealed to `node`.
    ///
    /// # Errors
    /// [`KeyringError::Sealed`].
    pub fn open_handover(
        secret: &SealingSecret,
        space: &SpaceId,
        epoch: u64,
        node: &NodeId,
        sealed: &[u8],
    ) -> Result<Self, KeyringError> {
        Self::open_in(Domain::HANDOVER, secret, &context(space, epoch, node), sealed)
    }

    fn text(&self) -> Zeroizing<Vec<u8>> {
        let wire: Vec<WireKey> = self
            .keys
            .iter()
            .map(|(epoch, key)| WireKey { epoch: *epoch, key: *key.secret().expose() })
            .collect();
        Zeroizing::new(codec::encode(&wire))
    }

    /// Opens a keyring sealed to `node` for that place.
    ///
    /// # Errors
    /// [`KeyringError::Sealed`].
    pub fn open(
        secret: &SealingSecret,
        space: &SpaceId,
        position: u64,
        node: &NodeId,
        sealed: &[u8],
    ) -> Result<Self, KeyringError> {
        Self::open_in(Domain::KEYRING, secret, &context(space, position, node), sealed)
    }

    fn open_in(
        domain: Domain,
        secret: &SealingSecret,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Self, KeyringError> {
        if sealed.len() > limits::SEALED_BYTES_MAX {
            return Err(KeyringError::Sealed);
        }
        let text = secret.open_as(domain, context, sealed).map_err(|_| KeyringError::Sealed)?;
        let wire: Vec<WireKey> = codec::decode(&text).map_err(|_| KeyringError::Sealed)?;
        if wire.len() > limits::KEYRING_KEYS_MAX {
            return Err(KeyringError::Sealed);
        }
        let open = |key: &WireKey| (key.epoch, EpochKey::from_secret(Secret::from_bytes(key.key)));
        Ok(Self { keys: wire.iter().map(open).collect() })
    }
}

/// The name of a sealed keyring in the access log.
#[must_use]
pub fn sealed_hash(sealed: &[u8]) -> [u8; 32] {
    Domain::SEALED.hash(&[sealed])
}

fn context(space: &SpaceId, position: u64, node: &NodeId) -> Vec<u8> {
    codec::encode(&(space, position, node))
}
