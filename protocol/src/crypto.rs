//! Cryptography: thin, typed doors to reviewed crates. Nothing here invents a primitive.
//!
//! | purpose | primitive |
//! |---|---|
//! | signatures | Ed25519, always `verify_strict`: one verdict on every node |
//! | hashes | BLAKE3 in derive-key mode with a context string per use |
//! | keys, nonces, commitments, macs | BLAKE3 in keyed mode with the context string hashed first |
//! | bodies, wrapped keys, values at rest | XChaCha20-Poly1305 with header, epoch or table key as associated data |
//! | sealing a keyring to a node | HPKE (RFC 9180) over X-Wing (X25519 + ML-KEM-768), HKDF-SHA256, ChaCha20-Poly1305 |
//!
//! Every signature and derivation has its own [`Domain`], so that bytes made for one purpose are
//! worthless for another. Secrets zeroize on drop and print as `…`.

mod at_rest;
mod body;
mod chunks;
mod derived;
mod domain;
mod sealing;
mod secret;
mod signature;

pub use at_rest::StorageKey;
pub use body::{EpochKey, KeyCommitment};
pub use chunks::{open_chunks, seal_chunks};
pub use derived::DerivedRandom;
pub use domain::Domain;
pub use sealing::{SealingPublic, SealingSecret};
pub use secret::Secret;
pub use signature::{NodeKey, RootKey, RootPublic, Signature};

/// Why something authenticated was not accepted. Deliberately without detail: the difference
/// between a wrong key and damaged bytes helps only an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// A signature does not hold for its bytes and signer.
    #[error("the signature does not hold")]
    Signature,
    /// A ciphertext does not open under this key and associated data.
    #[error("the content does not open with this key")]
    Sealed,
    /// A public key is not a valid one.
    #[error("the public key is not valid")]
    Key,
}
