//! The keystore: the node's secrets in one file, sealed by a passphrase or a key file.
//!
//! The file is canonical CBOR: version, how the sealing key is derived, nonce, ciphertext. Everything
//! before the ciphertext is its associated data, so weaker parameters cannot be slipped in, and
//! parameters below the floor are refused before any work is done. It is replaced atomically.
//!
//! Secrets inside: the seeds of node key, sealing key and storage key; the recovery entropy of the
//! organisation only until it has been written on paper and removed.

pub mod file;

use crate::random;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use minicbor::{Decode, Encode};
use rand_chacha::rand_core::Rng;
use sincronia_protocol::codec;
use sincronia_protocol::crypto::Secret;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const VERSION: u8 = 1;
/// OWASP asks for at least 19 MiB; this is the floor below which a file is refused.
const MEMORY_KIB_MIN: u32 = 64 * 1024;
const PASSES_MIN: u32 = 3;

/// How much work a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// 256 MiB, 3 passes: about half a second.
    Standard,
    /// 64 MiB, 3 passes: the floor, for small machines.
    Light,
}

/// What opens a keystore.
#[derive(Clone)]
pub enum Unlock {
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// A file of 32 random bytes that only its owner can read; also a systemd credential.
    KeyFile(PathBuf),
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passphrase(_) => formatter.write_str("Passphrase(…)"),
            Self::KeyFile(path) => write!(formatter, "KeyFile({})", path.display()),
        }
    }
}

/// The node's secrets.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secrets {
    /// The organisation; no secret, but it must not be exchanged for another.
    pub organisation: [u8; 32],
    /// Seed of the node key.
    pub node: [u8; 32],
    /// Seed of the sealing key.
    pub sealing: [u8; 32],
    /// Seed of the storage key.
    pub storage: [u8; 32],
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Fresh secrets of a node of `organisation`.
    pub fn generate(organisation: [u8; 32], random: &mut impl rand_core::CryptoRng) -> Self {
        let mut seed = || *Secret::<32>::random(random).expose();
        Self { organisation, node: seed(), sealing: seed(), storage: seed() }
    }
}

/// Why a keystore does not open. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The file is damaged.
    #[error(
        "{0}: the keystore is damaged; restore it from a copy, or set up a new node with the recovery words"
    )]
    Damaged(PathBuf),
    /// A keystore is there already.
    #[error("{0}: there is a keystore already; this directory holds a node")]
    Exists(PathBuf),
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The key file can be read by others, or has not 32 bytes.
    #[error("{0}: a key file has 32 bytes and only its owner may read it (chmod 600)")]
    KeyFile(PathBuf),
    /// There is no keystore.
    #[error("{0}: there is no node here; create one with `sincronia init`")]
    Missing(PathBuf),
    /// A newer program wrote it.
    #[error("{0}: a newer program wrote this keystore; update this one")]
    Newer(PathBuf),
    /// The operating system has no randomness, or no memory for Argon2.
    #[error("the system could not provide {0}")]
    System(&'static str),
    /// The file asks for less work than is safe.
    #[error("{0}: the keystore's parameters are weaker than allowed; it was tampered with")]
    Weak(PathBuf),
    /// The passphrase or key file is not the right one.
    #[error("the passphrase (or key file) is not the right one for this keystore")]
    Wrong,
}

#[derive(Clone, PartialEq, Eq, Encode, Decode)]
enum Derivation {
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
    #[n(1)]
    KeyFile,
}

#[derive(Encode, Decode)]
struct Sealed {
    #[n(0)]
    magic: String,
    #[n(1)]
    version: u8,
    #[n(2)]
    derivation: Derivation,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    nonce: [u8; 24],
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    ciphertext: Vec<u8>,
}

const MAGIC: &str = "sincronia keystore";

/// Creates a keystore; never replaces one.
///
/// # Errors
/// [`KeystoreError`].
pub fn create(
    path: &Path,
    secrets: &Secrets,
    unlock: &Unlock,
    strength: Strength,
) -> Result<(), KeystoreError> {
    if path.exists() {
        return Err(KeystoreError::Exists(path.to_path_buf()));
    }
    let mut random = random::generator().map_err(|_| KeystoreError::System("randomness"))?;
    let derivation = match unlock {
        Unlock::KeyFile(_) => Derivation::KeyFile,
        Unlock::Passphrase(_) => {
            let mut salt = [0; 32];
            random.fill_bytes(&mut salt);
            let memory_kib = match strength {
                Strength::Standard => 4 * MEMORY_KIB_MIN,
                Strength::Light => MEMORY_KIB_MIN,
            };
            Derivation::Argon2id { memory_kib, passes: PASSES_MIN, lanes: 4, salt }
        }
    };
    let mut nonce = [0; 24];
    random.fill_bytes(&mut nonce);
    let key = derive(path, &derivation, unlock)?;
    let text = Zeroizing::new(
        [secrets.organisation, secrets.node, secrets.sealing, secrets.storage].concat(),
    );
    let aad = associated_data(VERSION, &derivation);
    let payload = Payload { msg: text.as_slice(), aad: &aad };
    let cipher = XChaCha20Poly1305::new((&*key).into());
    let ciphertext = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| KeystoreError::System("encryption"))?;
    let sealed = Sealed { magic: MAGIC.into(), version: VERSION, derivation, nonce, ciphertext };
    file::write_private(path, &codec::encode(&sealed))
        .map_err(|cause| KeystoreError::Io { path: path.to_path_buf(), cause })
}

/// Opens a keystore.
///
/// # Errors
/// [`KeystoreError`] distinguishes a wrong passphrase from a damaged or newer file.
pub fn open(path: &Path, unlock: &Unlock) -> Result<Secrets, KeystoreError> {
    let bytes = std::fs::read(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => KeystoreError::Missing(path.to_path_buf()),
        _ => KeystoreError::Io { path: path.to_path_buf(), cause },
    })?;
    let damaged = || KeystoreError::Damaged(path.to_path_buf());
    let sealed: Sealed = match codec::decode_bounded(&bytes, 4_096) {
        Ok(sealed) => sealed,
        Err(_) if claims_newer(&bytes) => return Err(KeystoreError::Newer(path.to_path_buf())),
        Err(_) => return Err(damaged()),
    };
    if sealed.magic != MAGIC {
        return Err(damaged());
    }
    if sealed.version > VERSION {
        return Err(KeystoreError::Newer(path.to_path_buf()));
    }
    let key = derive(path, &sealed.derivation, unlock)?;
    let aad = associated_data(sealed.version, &sealed.derivation);
    let payload = Payload { msg: sealed.ciphertext.as_slice(), aad: &aad };
    let cipher = XChaCha20Poly1305::new((&*key).into());
    let opened = cipher.decrypt(&XNonce::from(sealed.nonce), payload);
    let text = Zeroizing::new(opened.map_err(|_| KeystoreError::Wrong)?);
    let part = |index: usize| -> Option<[u8; 32]> {
        text.get(index * 32..(index + 1) * 32)?.try_into().ok()
    };
    match (part(0), part(1), part(2), part(3)) {
        (Some(organisation), Some(node), Some(sealing), Some(storage)) => {
            Ok(Secrets { organisation, node, sealing, storage })
        }
        _ => Err(damaged()),
    }
}

/// Writes a fresh key file.
///
/// # Errors
/// [`KeystoreError::Io`].
pub fn create_key_file(path: &Path) -> Result<(), KeystoreError> {
    let mut random = random::generator().map_err(|_| KeystoreError::System("randomness"))?;
    let key = Secret::<32>::random(&mut random);
    file::write_private(path, key.expose())
        .map_err(|cause| KeystoreError::Io { path: path.to_path_buf(), cause })
}

fn derive(
    path: &Path,
    derivation: &Derivation,
    unlock: &Unlock,
) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    match (derivation, unlock) {
        (Derivation::Argon2id { memory_kib, passes, lanes, salt }, Unlock::Passphrase(words)) => {
            if *memory_kib < MEMORY_KIB_MIN || *passes < PASSES_MIN {
                return Err(KeystoreError::Weak(path.to_path_buf()));
            }
            // A file that asks for more than any sane machine has would only exhaust this one.
            if *memory_kib > 4 * 1024 * 1024 || *passes > 64 || *lanes > 64 {
                return Err(KeystoreError::Damaged(path.to_path_buf()));
            }
            let params = Params::new(*memory_kib, *passes, *lanes, Some(32))
                .map_err(|_| KeystoreError::Damaged(path.to_path_buf()))?;
            let mut key = Zeroizing::new([0; 32]);
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(words.as_bytes(), salt, key.as_mut_slice())
                .map_err(|_| KeystoreError::System("memory for the passphrase"))?;
            Ok(key)
        }
        (Derivation::KeyFile, Unlock::KeyFile(key_file)) => file::read_key(key_file),
        _ => Err(KeystoreError::Wrong),
    }
}

fn associated_data(version: u8, derivation: &Derivation) -> Vec<u8> {
    codec::encode(&(MAGIC, version, derivation.clone()))
}

/// Whether bytes that do not parse begin like a keystore of a later version.
fn claims_newer(bytes: &[u8]) -> bool {
    let mut decoder = minicbor::Decoder::new(bytes);
    let begins = decoder.array().is_ok() && decoder.str().is_ok_and(|magic| magic == MAGIC);
    begins && decoder.u8().is_ok_and(|version| version > VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Unlock {
        Unlock::Passphrase(Zeroizing::new(text.into()))
    }

    fn secrets() -> Secrets {
        Secrets { organisation: [0; 32], node: [1; 32], sealing: [2; 32], storage: [3; 32] }
    }

    #[test]
    fn the_passphrase_opens_it_and_another_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keystore.cbor");
        create(&path, &secrets(), &words("giusta"), Strength::Light).unwrap();
        assert_eq!(open(&path, &words("giusta")).unwrap().storage, [3; 32]);
        assert!(matches!(open(&path, &words("sbagliata")), Err(KeystoreError::Wrong)));
        let again = create(&path, &secrets(), &words("giusta"), Strength::Light);
        assert!(matches!(again, Err(KeystoreError::Exists(_))));
    }

    #[test]
    fn weaker_parameters_are_refused_before_any_work() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keystore.cbor");
        create(&path, &secrets(), &words("giusta"), Strength::Light).unwrap();
        let mut sealed: Sealed = codec::decode(&std::fs::read(&path).unwrap()).unwrap();
        let Derivation::Argon2id { memory_kib, .. } = &mut sealed.derivation else { panic!() };
        *memory_kib = 8;
        std::fs::write(&path, codec::encode(&sealed)).unwrap();
        assert!(matches!(open(&path, &words("giusta")), Err(KeystoreError::Weak(_))));
    }

    #[test]
    fn every_byte_is_authenticated() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keystore.cbor");
        let key_file = directory.path().join("key");
        create_key_file(&key_file).unwrap();
        let unlock = Unlock::KeyFile(key_file);
        create(&path, &secrets(), &unlock, Strength::Light).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for position in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[position] ^= 1;
            std::fs::write(&path, tampered).unwrap();
            assert!(open(&path, &unlock).is_err(), "byte {position}");
        }
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let key_file = directory.path().join("key");
        create_key_file(&key_file).unwrap();
        let path = directory.path().join("keystore.cbor");
        let unlock = Unlock::KeyFile(key_file.clone());
        create(&path, &secrets(), &unlock, Strength::Light).unwrap();
        std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(open(&path, &unlock), Err(KeystoreError::KeyFile(_))));
    }

    #[test]
    fn a_missing_a_damaged_and_a_newer_file_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keystore.cbor");
        assert!(matches!(open(&path, &words("x")), Err(KeystoreError::Missing(_))));
        std::fs::write(&path, b"rubbish").unwrap();
        assert!(matches!(open(&path, &words("x")), Err(KeystoreError::Damaged(_))));
        std::fs::write(&path, codec::encode(&(MAGIC, 9_u8, 1_u8))).unwrap();
        assert!(matches!(open(&path, &words("x")), Err(KeystoreError::Newer(_))));
    }
}
