//! The node's directory: which file is what, and who may read it.
//!
//! | file | holds | mode |
//! |---|---|---|
//! | `sincronia.toml` | settings; no secrets | 0600 |
//! | `keystore.cbor` | the node's secrets, sealed | 0600 |
//! | `store.redb` | everything the node knows | 0600 |
//! | `store.new.redb` | the store of a node that is being made | 0600 |
//! | `api-token` | what opens the local API; new at each start | 0600 |
//! | `api-address` | where the local API listens, while the node runs | 0600 |
//! | `last-listen` | where the node last listened for partners, to be found there again | 0600 |
//! | `replaced-by` | which node took the place of this one, whose disk is damaged | 0600 |
//! | `lock` | held by the process that uses the directory; its number | 0600 |

use super::claim::Claim;
use super::lock::DirectoryLock;
use crate::keystore::file::write_private;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why a node's directory cannot be used. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Another process uses it.
    #[error(
        "{path}: {} uses this node's directory already; stop it, or use another directory",
        holder(*.process)
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that holds the lock, when it said so.
        process: Option<u32>,
    },
    /// The system refuses.
    #[error("{path}: {cause}; check that the directory exists, is yours and is writable")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// There is a node's store in it, and not the keys that open it.
    #[error("{path}: the keystore is missing; put it back from a copy, or restore a backup")]
    Keyless {
        /// The keystore.
        path: PathBuf,
    },
    /// There is no node in it.
    #[error("{path}: there is no node here; create one with `sincronia init`")]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// Other users of the machine can look into it.
    #[error("{path}: other users can look into this directory; close it with `chmod 700`")]
    Open {
        /// The directory.
        path: PathBuf,
    },
}

fn holder(process: Option<u32>) -> String {
    process.map_or_else(|| "another process".into(), |number| format!("process {number}"))
}

/// The directory of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDirectory {
    pub(super) path: PathBuf,
}

impl NodeDirectory {
    /// Creates the directory, closed to other users, or closes one that is empty. One that holds
    /// something is not closed to those who use it: it may be a home, or the directory of all
    /// services.
    ///
    /// # Errors
    /// [`DirectoryError::Io`], [`DirectoryError::Open`].
    pub fn create(path: &Path) -> Result<Self, DirectoryError> {
        let failed = |cause| DirectoryError::Io { path: path.to_path_buf(), cause };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let is_open = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0;
        if is_open {
            if std::fs::read_dir(path).map_err(failed)?.next().is_some() {
                return Err(DirectoryError::Open { path: path.to_path_buf() });
            }
            let closed = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(path, closed).map_err(failed)?;
        }
        Ok(Self { path: path.to_path_buf() })
    }

    /// As [`Self::create`] and [`Self::lock`], for as long as the claim lives; unless it is kept,
    /// what comes to be there goes again.
    ///
    /// # Errors
    /// As [`Self::create`] and [`Self::lock`].
    pub fn claim(path: &Path) -> Result<(Self, Claim), DirectoryError> {
        let claim = Claim::take(path)?;
        Ok((claim.directory().clone(), claim))
    }

    /// Opens the directory of a node that was set up.
    ///
    /// # Errors
    /// [`DirectoryError::Missing`] when it was not; [`DirectoryError::Keyless`] when only its store
    /// is left; [`DirectoryError::Open`] when others can look into it.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let directory = Self { path: path.to_path_buf() };
        if !directory.keystore().exists() && directory.store().exists() {
            return Err(DirectoryError::Keyless { path: directory.keystore() });
        }
        if !directory.keystore().exists() {
            return Err(DirectoryError::Missing { path: path.to_path_buf() });
        }
        let failed = |cause| DirectoryError::Io { path: path.to_path_buf(), cause };
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(DirectoryError::Open { path: path.to_path_buf() });
        }
        Ok(directory)
    }

    /// Keeps other processes out for as long as the lock lives.
    ///
    /// # Errors
    /// [`DirectoryError::InUse`] names the process that is in.
    pub fn lock(&self) -> Result<DirectoryLock, DirectoryError> {
        DirectoryLock::acquire(&self.path)
    }

    /// As [`Self::lock`], for who writes nothing; no lock where nobody can take one, since the disk
    /// can only be read.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub fn lock_to_read(&self) -> Result<Option<DirectoryLock>, DirectoryError> {
        DirectoryLock::acquire_to_read(&self.path)
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path.join("sincronia.toml")
    }

    /// The sealed secrets.
    #[must_use]
    pub fn keystore(&self) -> PathBuf {
        self.path.join("keystore.cbor")
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.path.join("store.redb")
    }

    /// The store of a node that is being made. It becomes [`Self::store`] when the node does: what
    /// stands there was a node's, also when its keystore is away.
    #[must_use]
    pub fn new_store(&self) -> PathBuf {
        self.path.join("store.new.redb")
    }

    /// What opens the local API.
    #[must_use]
    pub fn api_token(&self) -> PathBuf {
        self.path.join("api-token")
    }

    /// Where the local API listens.
    #[must_use]
    pub fn api_address(&self) -> PathBuf {
        self.path.join("api-address")
    }

    /// Where the node last listened for partners.
    #[must_use]
    pub fn last_listen(&self) -> PathBuf {
        self.path.join("last-listen")
    }

    /// Which node took the place of this one.
    #[must_use]
    pub fn replaced_by(&self) -> PathBuf {
        self.path.join("replaced-by")
    }

    /// The files that are made before a node is there: its keystore comes last.
    pub(super) fn of_a_new_node(&self) -> [PathBuf; 3] {
        [self.new_store(), self.store(), self.config()]
    }

    /// What the process that uses the directory holds.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Writes one of the files above, whole and readable by its owner only.
    ///
    /// # Errors
    /// [`DirectoryError::Io`].
    pub fn write(&self, file: &Path, text: &str) -> Result<(), DirectoryError> {
        write_private(file, text.as_bytes())
            .map_err(|cause| DirectoryError::Io { path: file.to_path_buf(), cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_directory_is_created_closed_and_its_files_too() {
        let parent = tempfile::tempdir().unwrap();
        let directory = NodeDirectory::create(&parent.path().join("a/node")).unwrap();
        assert_eq!(mode(directory.path()), 0o700);
        directory.write(&directory.api_token(), "secret").unwrap();
        assert_eq!(mode(&directory.api_token()), 0o600);
        assert_eq!(std::fs::read_to_string(directory.api_token()).unwrap(), "secret");
    }

    #[test]
    fn a_directory_without_a_node_says_how_to_make_one() {
        let parent = tempfile::tempdir().unwrap();
        let error = NodeDirectory::open(parent.path()).unwrap_err();
        assert!(error.to_string().contains("sincronia init"), "{error}");
    }

    #[test]
    fn a_directory_that_others_can_read_is_refused_until_closed() {
        let parent = tempfile::tempdir().unwrap();
        let directory = NodeDirectory::create(&parent.path().join("node")).unwrap();
        directory.write(&directory.keystore(), "").unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).unwrap();
        let error = NodeDirectory::open(directory.path()).unwrap_err();
        assert!(matches!(error, DirectoryError::Open { .. }), "{error}");
        let error = NodeDirectory::create(directory.path()).unwrap_err();
        assert!(matches!(error, DirectoryError::Open { .. }), "{error}");
        assert_eq!(mode(directory.path()), 0o755, "who uses it is not shut out");
        let closed = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(directory.path(), closed).unwrap();
        assert_eq!(NodeDirectory::open(directory.path()).unwrap(), directory);
    }

    #[test]
    fn an_empty_directory_is_closed() {
        let parent = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(parent.path(), open).unwrap();
        NodeDirectory::create(parent.path()).unwrap();
        assert_eq!(mode(parent.path()), 0o700);
    }

    #[test]
    fn a_directory_that_cannot_be_made_names_the_path() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("file"), "").unwrap();
        let error = NodeDirectory::create(&parent.path().join("file/node")).unwrap_err();
        assert!(error.to_string().contains("file/node"), "{error}");
    }
}
