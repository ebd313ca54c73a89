//! Random bytes that follow from a secret: for sealing inside machines that have no random source.
//!
//! Whoever does not know the secret cannot tell them from random ones; the same secret and parts
//! give the same bytes, so sealing the same again gives the same ciphertext.

use super::{Domain, Secret};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

/// The stream of bytes.
pub struct DerivedRandom(blake3::OutputReader);

impl DerivedRandom {
    /// The stream for one use: `parts` must name everything that distinguishes it from others.
    #[must_use]
    pub fn new(domain: Domain, secret: &Secret<32>, parts: &[&[u8]]) -> Self {
        let key = zeroize::Zeroizing::new(domain.keyed_hash(secret.expose(), parts));
        Self(blake3::Hasher::new_keyed(&key).finalize_xof())
    }
}

impl std::fmt::Debug for DerivedRandom {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DerivedRandom(…)")
    }
}

impl TryRng for DerivedRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for DerivedRandom {}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::Rng;

    #[test]
    fn it_follows_from_secret_and_parts_alone() {
        let of = |byte, part: &[u8]| {
            let secret = Secret::from_bytes([byte; 32]);
            DerivedRandom::new(Domain::HANDOVER_RANDOM, &secret, &[part]).next_u64()
        };
        assert_eq!(of(1, b"a"), of(1, b"a"));
        assert_ne!(of(1, b"a"), of(2, b"a"));
        assert_ne!(of(1, b"a"), of(1, b"b"));
    }
}
