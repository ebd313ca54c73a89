//! Sealing a keyring to one node: HPKE base mode over X-Wing (X25519 + ML-KEM-768), so that what a
//! carrier stores for years does not open to a future quantum computer, and is never weaker than
//! X25519 alone.

use super::{CryptoError, Domain, Secret};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The encapsulated key of X-Wing: ML-KEM-768 ciphertext 1,088 and X25519 share 32.
const ENCAPSULATED_BYTES: usize = 1_120;

/// The public half of a node's sealing key, 1,216 bytes.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct SealingPublic(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    Vec<u8>,
);

impl std::fmt::Debug for SealingPublic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SealingPublic")
    }
}

impl SealingPublic {
    /// Whether the bytes are a public key at all.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        <XWing as Kem>::PublicKey::from_bytes(&self.0).is_ok()
    }

    /// A short name of the key.
    #[must_use]
    pub fn key_id(&self) -> [u8; 32] {
        Domain::SEALING_KEY_ID.hash(&[&self.0])
    }

    /// Seals `text` so that only the holder of the secret half opens it, and only in `context`.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the public key is not one.
    pub fn seal<R: CryptoRng + ?Sized>(
        &self,
        context: &[u8],
        text: &[u8],
        random: &mut R,
    ) -> Result<Vec<u8>, CryptoError> {
        self.seal_as(Domain::KEYRING, context, text, random)
    }

    /// As [`SealingPublic::seal`], for another purpose than a keyring.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the public key is not one.
    pub fn seal_as<R: CryptoRng + ?Sized>(
        &self,
        domain: Domain,
        context: &[u8],
        text: &[u8],
        random: &mut R,
    ) -> Result<Vec<u8>, CryptoError> {
        let public =
            <XWing as Kem>::PublicKey::from_bytes(&self.0).map_err(|_| CryptoError::Key)?;
        let mut random = random;
        let (encapsulated, sealed) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
                &OpModeS::Base,
                &public,
                domain.text().as_bytes(),
                text,
                context,
                &mut random,
            )
            .map_err(|_| CryptoError::Sealed)?;
        let mut bytes = encapsulated.to_bytes().to_vec();
        bytes.extend(sealed);
        Ok(bytes)
    }
}

/// The secret half, expanded once from its seed: expanding costs as much as opening.
#[derive(Clone)]
pub struct SealingSecret {
    private: <XWing as Kem>::PrivateKey,
    public: SealingPublic,
    /// Keys in use before this one: what was sealed to them still opens.
    former: Vec<<XWing as Kem>::PrivateKey>,
}

impl std::fmt::Debug for SealingSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SealingSecret(…)")
    }
}

impl SealingSecret {
    /// The key of a seed.
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        let material = Zeroizing::new(Domain::SEALING_KEY.keyed_hash(seed.expose(), &[]));
        let (private, public) = XWing::derive_keypair(material.as_slice());
        let public = SealingPublic(public.to_bytes().to_vec());
        Self { private, public, former: Vec::new() }
    }

    /// Also opens what was sealed to `former`, which is not in use any more.
    #[must_use]
    pub fn with_former(mut self, former: Self) -> Self {
        self.former.push(former.private);
        self.former.extend(former.former);
        self
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &SealingPublic {
        &self.public
    }

    /// Whether what is sealed to `public` opens with this key or one in use before it.
    #[must_use]
    pub fn is_of(&self, public: &SealingPublic) -> bool {
        let is_it = |private: &<XWing as Kem>::PrivateKey| {
            XWing::sk_to_pk(private).to_bytes().to_vec() == public.0
        };
        self.public == *public || self.former.iter().any(is_it)
    }

    /// Opens what was sealed to this key in `context`.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] when it was sealed to another key, in another context, or changed.
    pub fn open(&self, context: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.open_as(Domain::KEYRING, context, bytes)
    }

    /// As [`SealingSecret::open`], for another purpose than a keyring.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`] also when it was sealed for yet another purpose.
    pub fn open_as(
        &self,
        domain: Domain,
        context: &[u8],
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (encapsulated, sealed) =
            bytes.split_at_checked(ENCAPSULATED_BYTES).ok_or(CryptoError::Sealed)?;
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(encapsulated)
            .map_err(|_| CryptoError::Sealed)?;
        let open = |private| {
            hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
                &OpModeR::Base,
                private,
                &encapsulated,
                domain.text().as_bytes(),
                sealed,
                context,
            )
        };
        std::iter::once(&self.private)
            .chain(&self.former)
            .find_map(|private| open(private).ok())
            .map(Zeroizing::new)
            .ok_or(CryptoError::Sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn threat_02_sealed_opens_only_for_its_recipient_and_context() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let secret = SealingSecret::from_seed(&Secret::from_bytes([1; 32]));
        let other = SealingSecret::from_seed(&Secret::from_bytes([2; 32]));
        let sealed = secret.public().seal(b"context", b"keyring", &mut random).unwrap();
        assert_eq!(sealed.len(), ENCAPSULATED_BYTES + 7 + 16);
        assert_eq!(secret.open(b"context", &sealed).unwrap().as_slice(), b"keyring");
        assert!(secret.open(b"cOntext", &sealed).is_err());
        assert!(other.open(b"context", &sealed).is_err());
        for position in (0..sealed.len()).step_by(37) {
            let mut tampered = sealed.clone();
            tampered[position] ^= 1;
            assert!(secret.open(b"context", &tampered).is_err(), "byte {position}");
        }
    }

    #[test]
    fn a_key_that_was_replaced_still_opens_what_was_sealed_to_it() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let [first, second, third] =
            [1, 2, 3].map(|byte| SealingSecret::from_seed(&Secret::from_bytes([byte; 32])));
        let sealed = first.public().seal(b"context", b"keyring", &mut random).unwrap();
        let now = third.clone().with_former(second.with_former(first));
        assert_eq!(now.public(), third.public());
        assert_eq!(now.open(b"context", &sealed).unwrap().as_slice(), b"keyring");
        assert!(third.open(b"context", &sealed).is_err());
        assert!(now.open_as(Domain::HANDOVER, b"context", &sealed).is_err(), "another use");
    }

    #[test]
    fn short_or_foreign_bytes_are_refused() {
        let secret = SealingSecret::from_seed(&Secret::from_bytes([1; 32]));
        assert!(secret.open(b"", &[]).is_err());
        assert!(!SealingPublic(vec![1; 10]).is_valid());
        assert!(secret.public().is_valid());
    }
}
