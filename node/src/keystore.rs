//! The keystore: the node's secrets in one file, sealed by a passphrase or a key file.
//!
//! # Contract
//! The sealing key comes from Argon2id (v1.3) over the passphrase, or from a key file of 32 random
//! bytes; the secrets are sealed with XChaCha20-Poly1305. Everything before the nonce is associated
//! data, so weaker parameters cannot be slipped in, and parameters below the floor are refused
//! before any work is done. [`create`] never replaces a file; [`replace`] does so atomically.
//!
//! Secrets inside: the seeds of node key, sealing key and storage key; the recovery entropy of the
//! organisation only until it has been written on paper and removed.
//!
//! # Deliberately absent
//! Asking for the passphrase, counting wrong ones (who has the file can guess without us; Argon2id
//! is what slows that down), and locking memory, which needs unsafe code: swap is for the service's
//! unit to switch off.

mod error;
pub mod file;
mod sealed;
mod secrets;

use crate::random;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand_chacha::rand_core::Rng;
use sincronia_protocol::crypto::Secret;
use std::io::{ErrorKind, Read};
use std::path::Path;
use zeroize::Zeroizing;

pub use error::KeystoreError;
use sealed::{Derivation, LANES, MEMORY_KIB_MIN, PASSES_MIN, Sealed, associated_data, derive};
pub use secrets::{Secrets, Unlock};

/// How much work a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// 256 MiB, 3 passes: about half a second.
    Standard,
    /// 64 MiB, 3 passes: the floor, for small machines.
    Light,
}

/// Creates a keystore; never replaces a file.
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
    let bytes = seal(path, secrets, unlock, strength)?;
    file::create_private(path, &bytes).map_err(|cause| write_error(path, cause))
}

/// Replaces a keystore: another passphrase, or without the root entropy. Whoever calls this has
/// opened it before. After a crash there is the old one or the new one.
///
/// # Errors
/// [`KeystoreError`]; the old one then stands.
pub fn replace(
    path: &Path,
    secrets: &Secrets,
    unlock: &Unlock,
    strength: Strength,
) -> Result<(), KeystoreError> {
    let bytes = seal(path, secrets, unlock, strength)?;
    file::write_private(path, &bytes).map_err(|cause| write_error(path, cause))
}

/// Opens a keystore.
///
/// # Errors
/// [`KeystoreError`] distinguishes a wrong passphrase from a damaged or newer file.
pub fn open(path: &Path, unlock: &Unlock) -> Result<Secrets, KeystoreError> {
    let sealed = Sealed::parse(path, &read(path)?)?;
    let key = derive(path, &sealed.derivation, unlock)?;
    let aad = associated_data(&sealed.derivation);
    let payload = Payload { msg: sealed.ciphertext.as_slice(), aad: &aad };
    let opened = XChaCha20Poly1305::new((&*key).into())
        .decrypt(&XNonce::from(sealed.nonce), payload)
        .map_err(|_| KeystoreError::Wrong)?;
    let bytes = Zeroizing::new(opened);
    Secrets::from_bytes(&bytes).ok_or_else(|| KeystoreError::Damaged(path.to_path_buf()))
}

/// Whether a keystore opens with a key file; one that cannot be read is not known to.
#[must_use]
pub fn opens_with_key_file(path: &Path) -> bool {
    let sealed = read(path).and_then(|bytes| Sealed::parse(path, &bytes));
    sealed.is_ok_and(|sealed| matches!(sealed.derivation, Derivation::KeyFile))
}

/// Writes a fresh key file; never replaces a file.
///
/// # Errors
/// [`KeystoreError::Exists`] or [`KeystoreError::Io`].
pub fn create_key_file(path: &Path) -> Result<(), KeystoreError> {
    let mut random = random::generator().map_err(|_| KeystoreError::System("randomness"))?;
    let key = Secret::<32>::random(&mut random);
    file::create_private(path, key.expose()).map_err(|cause| write_error(path, cause))
}

fn seal(
    path: &Path,
    secrets: &Secrets,
    unlock: &Unlock,
    strength: Strength,
) -> Result<Vec<u8>, KeystoreError> {
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
            Derivation::Argon2id { memory_kib, passes: PASSES_MIN, lanes: LANES, salt }
        }
    };
    let mut nonce = [0; 24];
    random.fill_bytes(&mut nonce);
    let key = derive(path, &derivation, unlock)?;
    let (text, aad) = (secrets.to_bytes(), associated_data(&derivation));
    let ciphertext = XChaCha20Poly1305::new((&*key).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: text.as_slice(), aad: &aad })
        .map_err(|_| KeystoreError::System("encryption"))?;
    Ok(sincronia_protocol::codec::encode(&Sealed::new(derivation, nonce, ciphertext)))
}

/// The bytes of the file; a longer file is no keystore and is not read further.
fn read(path: &Path) -> Result<Vec<u8>, KeystoreError> {
    let failed = |cause: std::io::Error| match cause.kind() {
        ErrorKind::NotFound => KeystoreError::Missing(path.to_path_buf()),
        _ => KeystoreError::Io { path: path.to_path_buf(), cause },
    };
    let mut bytes = Vec::new();
    let file = file::open_file(path).map_err(failed)?;
    file.take(sealed::FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn write_error(path: &Path, cause: std::io::Error) -> KeystoreError {
    match cause.kind() {
        ErrorKind::AlreadyExists => KeystoreError::Exists(path.to_path_buf()),
        _ => KeystoreError::Io { path: path.to_path_buf(), cause },
    }
}

#[cfg(test)]
mod tests;
