//! Values sealed at rest: whoever has the disk but not the storage key reads nothing.

use super::{CryptoError, Domain, Secret};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// The key of one node's store. It lives in the keystore, itself sealed.
#[derive(Clone, Debug)]
pub struct StorageKey {
    encryption: Secret<32>,
    nonce: Secret<32>,
}

impl StorageKey {
    /// The key of a seed.
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        let derive = |domain: Domain| Secret::from_bytes(domain.keyed_hash(seed.expose(), &[]));
        Self { encryption: derive(Domain::AT_REST), nonce: derive(Domain::AT_REST_NONCE) }
    }

    /// Seals a value that belongs at `place` (table and key): moved elsewhere, it does not open.
    /// The nonce is a keyed hash of place and value, so equal values at one place look equal and
    /// nothing else does.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] never, in practice: values are far below the cipher's limit.
    pub fn seal(&self, place: &[u8], value: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let hash = Domain::AT_REST_NONCE.keyed_hash(self.nonce.expose(), &[place, value]);
        let mut bytes = hash.get(..NONCE_BYTES).unwrap_or_default().to_vec();
        let payload = Payload { msg: value, aad: place };
        let nonce = nonce_of(&bytes).ok_or(CryptoError::Sealed)?;
        bytes.extend(self.cipher().encrypt(&nonce, payload).map_err(|_| CryptoError::Sealed)?);
        Ok(bytes)
    }

    /// Opens a value sealed at `place`.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] when it was changed, moved, or sealed under another key.
    pub fn open(&self, place: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let nonce = nonce_of(bytes).ok_or(CryptoError::Sealed)?;
        let sealed = bytes.get(NONCE_BYTES..).ok_or(CryptoError::Sealed)?;
        let opened = self.cipher().decrypt(&nonce, Payload { msg: sealed, aad: place });
        opened.map(Zeroizing::new).map_err(|_| CryptoError::Sealed)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.encryption.expose().into())
    }
}

fn nonce_of(bytes: &[u8]) -> Option<XNonce> {
    let bytes: [u8; NONCE_BYTES] = bytes.get(..NONCE_BYTES)?.try_into().ok()?;
    Some(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_22_a_value_opens_only_at_its_place() {
        let key = StorageKey::from_seed(&Secret::from_bytes([3; 32]));
        let sealed = key.seal(b"rows/1", b"value").unwrap();
        assert_eq!(key.open(b"rows/1", &sealed).unwrap().as_slice(), b"value");
        assert!(key.open(b"rows/2", &sealed).is_err());
        let other = StorageKey::from_seed(&Secret::from_bytes([4; 32]));
        assert!(other.open(b"rows/1", &sealed).is_err());
    }
}
