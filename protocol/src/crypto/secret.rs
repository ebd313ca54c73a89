//! Secret bytes: zeroized on drop, compared in constant time, never printed.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `SIZE` secret bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> Secret<SIZE> {
    /// Takes secret bytes into custody.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; SIZE]) -> Self {
        Self(bytes)
    }

    /// Fresh bytes from the caller's random source.
    #[must_use]
    pub fn random<R: CryptoRng + ?Sized>(random: &mut R) -> Self {
        let mut bytes = [0; SIZE];
        random.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The bytes, for a cryptographic operation or for sealing. Never for text.
    #[must_use]
    pub const fn expose(&self) -> &[u8; SIZE] {
        &self.0
    }
}

impl<const SIZE: usize> PartialEq for Secret<SIZE> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const SIZE: usize> Eq for Secret<SIZE> {}

impl<const SIZE: usize> std::fmt::Debug for Secret<SIZE> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::from_bytes([0x41; 4])), "Secret(…)");
    }
}
