//! Why a keystore does not open or cannot be written.

use std::path::PathBuf;

/// Why a keystore does not open. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The file is damaged.
    #[error(
        "{0}: the keystore is damaged; restore it from a copy, or set up a new node with the recovery words"
    )]
    Damaged(PathBuf),
    /// A file is there already.
    #[error("{0}: there is a file already and it is not replaced; choose another directory")]
    Exists(PathBuf),
    /// The file cannot be read or written.
    #[error("{path}: {cause}; check that it is yours, and that its directory is writable")]
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
    /// A passphrase was given and a key file is needed.
    #[error("{0}: this keystore opens with a key file, not with a passphrase; name its key file")]
    NeedsKeyFile(PathBuf),
    /// A key file was given and a passphrase is needed.
    #[error("{0}: this keystore opens with a passphrase, not with a key file; give its passphrase")]
    NeedsPassphrase(PathBuf),
    /// A newer program wrote it.
    #[error("{0}: a newer program wrote this keystore; update this one")]
    Newer(PathBuf),
    /// The operating system has no randomness, or no memory for Argon2.
    #[error("the system could not provide {0}; free some memory and try again")]
    System(&'static str),
    /// The file asks for less work than is safe.
    #[error(
        "{0}: the keystore's parameters are weaker than allowed, so somebody changed it; restore it from a copy"
    )]
    Weak(PathBuf),
    /// The passphrase or key file is not the right one.
    #[error("the passphrase (or key file) is not the right one for this keystore; try again")]
    Wrong,
}
