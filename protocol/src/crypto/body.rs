//! Epoch keys, and the bodies of entries sealed under them.
//!
//! The key of a body derives from the epoch key and the header, and the nonce is synthetic: a keyed
//! hash of header and padded text. So no random source can fail, and a restored or cloned node that
//! reuses a position never encrypts two texts under one key and nonce.
//!
//! Sizes are padded as Padmé does (Nikitin et al., PETS 2019: at most 12 % more, and the size tells
//! O(log log n) bits), with a floor under which all short edits look alike.

use super::{CryptoError, Domain, Secret};
use crate::limits;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

const NONCE_BYTES: usize = 24;

/// The key that members of a space share during one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochKey(Secret<32>);

/// What the access log says of an epoch key in clear, so that all members know they hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct KeyCommitment(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    [u8; 32],
);

impl KeyCommitment {
    /// The commitment with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes: how a node names a key that it lacks.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl EpochKey {
    /// A fresh key.
    #[must_use]
    pub fn random<R: CryptoRng + ?Sized>(random: &mut R) -> Self {
        Self(Secret::random(random))
    }

    /// A key received or stored.
    #[must_use]
    pub const fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, for sealing.
    #[must_use]
    pub const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The commitment published in the access log.
    #[must_use]
    pub fn commitment(&self, space: &[u8; 32], epoch: u64) -> KeyCommitment {
        let parts: [&[u8]; 2] = [space, &epoch.to_be_bytes()];
        KeyCommitment(Domain::KEY_COMMITMENT.keyed_hash(self.0.expose(), &parts))
    }

    /// Pads and seals the body of the entry with `header` (everything but the body's own hash and
    /// length). The result is nonce ‖ ciphertext ‖ tag.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] when the text is larger than a body may be.
    pub fn seal_body(&self, header: &[u8], text: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if text.len() > limits::PAYLOAD_BYTES_MAX {
            return Err(CryptoError::Sealed);
        }
        let padded = zeroize::Zeroizing::new(pad(text));
        let nonce = Domain::BODY_NONCE.keyed_hash(self.0.expose(), &[header, &padded]);
        let mut body = nonce.get(..NONCE_BYTES).unwrap_or_default().to_vec();
        let sealed = self.cipher(header).encrypt(
            &nonce_of(&body).ok_or(CryptoError::Sealed)?,
            Payload { msg: &padded, aad: header },
        );
        body.extend(sealed.map_err(|_| CryptoError::Sealed)?);
        Ok(body)
    }

    /// Opens the body of the entry with `header`.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] when key, header or bytes are not those it was sealed with.
    pub fn open_body(&self, header: &[u8], body: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let nonce = nonce_of(body).ok_or(CryptoError::Sealed)?;
        let sealed = body.get(NONCE_BYTES..).ok_or(CryptoError::Sealed)?;
        let opened = self.cipher(header).decrypt(&nonce, Payload { msg: sealed, aad: header });
        unpad(opened.map_err(|_| CryptoError::Sealed)?).ok_or(CryptoError::Sealed)
    }

    /// Encrypts the previous epoch's key under this one.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] never, in practice: the input is 32 bytes.
    pub fn wrap(&self, context: &[u8], previous: &Self) -> Result<Vec<u8>, CryptoError> {
        let key = Domain::KEY_WRAP.keyed_hash(self.0.expose(), &[context]);
        let payload = Payload { msg: previous.0.expose(), aad: context };
        // The wrapping key is used for this one message, so the nonce may be fixed.
        let cipher = XChaCha20Poly1305::new(&key.into());
        cipher.encrypt(&XNonce::default(), payload).map_err(|_| CryptoError::Sealed)
    }

    /// Recovers the previous epoch's key.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] when it was not wrapped under this key and context.
    pub fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<Self, CryptoError> {
        let key = Domain::KEY_WRAP.keyed_hash(self.0.expose(), &[context]);
        let payload = Payload { msg: wrapped, aad: context };
        let cipher = XChaCha20Poly1305::new(&key.into());
        let opened = zeroize::Zeroizing::new(
            cipher.decrypt(&XNonce::default(), payload).map_err(|_| CryptoError::Sealed)?,
        );
        let bytes = opened.as_slice().try_into().map_err(|_| CryptoError::Sealed)?;
        Ok(Self(Secret::from_bytes(bytes)))
    }

    fn cipher(&self, header: &[u8]) -> XChaCha20Poly1305 {
        let key = Domain::BODY_KEY.keyed_hash(self.0.expose(), &[header]);
        XChaCha20Poly1305::new(&key.into())
    }
}

fn nonce_of(body: &[u8]) -> Option<XNonce> {
    let bytes: [u8; NONCE_BYTES] = body.get(..NONCE_BYTES)?.try_into().ok()?;
    Some(bytes.into())
}

fn pad(text: &[u8]) -> Vec<u8> {
    let mut padded = text.to_vec();
    padded.push(0x80);
    padded.resize(padded_size(padded.len()), 0);
    padded
}

fn unpad(mut padded: Vec<u8>) -> Option<Vec<u8>> {
    let end = padded.iter().rposition(|byte| *byte != 0)?;
    if padded.get(end) != Some(&0x80) {
        return None;
    }
    padded.truncate(end);
    Some(padded)
}

fn padded_size(size: usize) -> usize {
    let size = size.max(limits::PAYLOAD_BYTES_MIN);
    let exponent = size.ilog2();
    let mantissa = exponent.ilog2() + 1;
    let mask = (1_usize << exponent.saturating_sub(mantissa)) - 1;
    (size + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> EpochKey {
        EpochKey::from_secret(Secret::from_bytes([byte; 32]))
    }

    #[test]
    fn a_body_opens_only_with_its_key_and_header_and_unchanged() {
        let body = key(1).seal_body(b"header", b"text").unwrap();
        assert_eq!(key(1).open_body(b"header", &body).unwrap(), b"text");
        assert!(key(2).open_body(b"header", &body).is_err());
        assert!(key(1).open_body(b"hEader", &body).is_err());
        for position in 0..body.len() {
            let mut tampered = body.clone();
            tampered[position] ^= 1;
            assert!(key(1).open_body(b"header", &tampered).is_err(), "byte {position}");
        }
    }

    #[test]
    fn two_texts_at_one_position_never_share_a_nonce() {
        let first = key(1).seal_body(b"header", b"one").unwrap();
        let second = key(1).seal_body(b"header", b"two").unwrap();
        assert_ne!(first[..NONCE_BYTES], second[..NONCE_BYTES]);
    }

    #[test]
    fn threat_23_short_texts_have_one_size() {
        let size = |text: &[u8]| key(1).seal_body(b"", text).unwrap().len();
        assert_eq!(size(b""), size(&[1; 90]));
    }

    proptest! {
        #[test]
        fn threat_23_padding_is_undone_and_small(
            text in proptest::collection::vec(any::<u8>(), 0..5000),
        ) {
            let padded = pad(&text);
            prop_assert!(padded.len() <= limits::PAYLOAD_BYTES_MIN.max(text.len() * 9 / 8 + 2));
            prop_assert_eq!(unpad(padded), Some(text));
        }
    }
}
