//! The keystore file: its fields, and the key that opens it.
//!
//! `[magic, version, derivation, nonce, ciphertext, checksum]` in canonical CBOR. The associated
//! data of the ciphertext is `[magic, version, derivation]`. The checksum is for accidents only: it
//! tells a damaged file from a wrong passphrase, and an attacker who corrects it gains nothing.

use super::{KeystoreError, Unlock, file};
use argon2::{Algorithm, Argon2, Params, Version};
use minicbor::{Decode, Encode};
use sincronia_protocol::codec;
use std::path::Path;
use zeroize::Zeroizing;

/// The format this program writes, and the newest it reads.
pub const VERSION: u8 = 1;
/// OWASP asks for at least 19 MiB; this is the floor below which a file is refused.
pub const MEMORY_KIB_MIN: u32 = 64 * 1024;
/// Passes over the memory, at least.
pub const PASSES_MIN: u32 = 3;
/// Lanes that are computed side by side.
pub const LANES: u32 = 4;
/// A file that asks for more than any sane machine has would only exhaust this one.
const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;
const PASSES_MAX: u32 = 64;
const LANES_MAX: u32 = 64;
/// A whole file has less than 400 bytes.
pub const FILE_BYTES_MAX: u64 = 4_096;

const MAGIC: &str = "sincronia keystore";

/// How the sealing key comes from what the user gives.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum Derivation {
    /// Argon2id of a passphrase.
    #[n(0)]
    Argon2id {
        #[n(0)]
        memory_kib: u32,
        #[n(1)]
        passes: u32,
        #[n(2)]
        lanes: u32,
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        salt: [u8; 32],
    },
    /// The bytes of a key file.
    #[n(1)]
    KeyFile,
}

/// The file.
#[derive(Clone, Encode, Decode)]
pub struct Sealed {
    #[n(0)]
    pub magic: String,
    #[n(1)]
    pub version: u8,
    #[n(2)]
    pub derivation: Derivation,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: [u8; 24],
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub checksum: [u8; 32],
}

impl Sealed {
    pub fn new(derivation: Derivation, nonce: [u8; 24], ciphertext: Vec<u8>) -> Self {
        let (magic, version, checksum) = (MAGIC.to_owned(), VERSION, [0; 32]);
        let mut sealed = Self { magic, version, derivation, nonce, ciphertext, checksum };
        sealed.checksum = sealed.sum();
        sealed
    }

    /// The checksum that belongs to the other fields.
    pub fn sum(&self) -> [u8; 32] {
        let fields = Self { checksum: [0; 32], ..self.clone() };
        blake3::derive_key("sincronia/1/keystore-checksum", &codec::encode(&fields))
    }

    /// Reads a file as far as that goes without a secret.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, KeystoreError> {
        if claims_newer(bytes) {
            return Err(KeystoreError::Newer(path.to_path_buf()));
        }
        let sealed: Option<Self> = codec::decode(bytes).ok();
        sealed
            .filter(|sealed| sealed.magic == MAGIC && sealed.version == VERSION)
            .filter(|sealed| sealed.checksum == sealed.sum())
            .ok_or_else(|| KeystoreError::Damaged(path.to_path_buf()))
    }
}

/// What the ciphertext is bound to.
pub fn associated_data(derivation: &Derivation) -> Vec<u8> {
    codec::encode(&(MAGIC, VERSION, derivation))
}

/// Whether bytes begin like a keystore of a later version, whatever follows.
fn claims_newer(bytes: &[u8]) -> bool {
    let mut decoder = minicbor::Decoder::new(bytes);
    let begins = decoder.array().is_ok() && decoder.str().is_ok_and(|magic| magic == MAGIC);
    begins && decoder.u64().is_ok_and(|version| version > u64::from(VERSION))
}

/// The sealing key. `path` is only for the messages.
pub fn derive(
    path: &Path,
    derivation: &Derivation,
    unlock: &Unlock,
) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    match (derivation, unlock) {
        (Derivation::Argon2id { memory_kib, passes, lanes, salt }, Unlock::Passphrase(words)) => {
            stretch(
                path,
                &Work { memory_kib: *memory_kib, passes: *passes, lanes: *lanes },
                |way| {
                    let mut key = Zeroizing::new([0; 32]);
                    way.hash_password_into(words.as_bytes(), salt, key.as_mut_slice()).map(|()| key)
                },
            )
        }
        (Derivation::KeyFile, Unlock::KeyFile(key_file)) => file::read_key(key_file),
        (Derivation::KeyFile, Unlock::Passphrase(_)) => {
            Err(KeystoreError::NeedsKeyFile(path.to_path_buf()))
        }
        (Derivation::Argon2id { .. }, Unlock::KeyFile(_)) => {
            Err(KeystoreError::NeedsPassphrase(path.to_path_buf()))
        }
    }
}

struct Work {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

fn stretch<T>(
    path: &Path,
    work: &Work,
    hash: impl FnOnce(&Argon2<'_>) -> Result<T, argon2::Error>,
) -> Result<T, KeystoreError> {
    let Work { memory_kib, passes, lanes } = *work;
    if memory_kib < MEMORY_KIB_MIN || passes < PASSES_MIN {
        return Err(KeystoreError::Weak(path.to_path_buf()));
    }
    let damaged = || KeystoreError::Damaged(path.to_path_buf());
    if memory_kib > MEMORY_KIB_MAX || passes > PASSES_MAX || lanes > LANES_MAX {
        return Err(damaged());
    }
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| damaged())?;
    let way = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hash(&way).map_err(|_| KeystoreError::System("memory for the passphrase"))
}
