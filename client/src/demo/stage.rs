//! Where the nodes live, and which program they run.

use super::{DemoError, Options};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The place of a demonstration.
#[derive(Debug)]
pub(super) struct Stage {
    /// The program.
    pub binary: PathBuf,
    root: PathBuf,
    /// Removed when the stage goes; absent when somebody wants to keep it.
    _temporary: Option<TempDir>,
}

impl Stage {
    pub(super) fn set(options: &Options) -> Result<Self, DemoError> {
        let binary = options.binary.clone();
        if let Some(root) = &options.directory {
            let root = kept(root)?;
            return Ok(Self { binary, root, _temporary: None });
        }
        let made = tempfile::Builder::new().prefix("sincronia-demo-").tempdir();
        let temporary =
            made.map_err(|cause| DemoError::Disk { path: std::env::temp_dir(), cause })?;
        let root = temporary.path().to_owned();
        Ok(Self { binary, root, _temporary: Some(temporary) })
    }

    /// Of one node.
    pub(super) fn directory(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// What opens its keystore: outside the directory, as an administrator would keep it.
    pub(super) fn key_file(&self, key: &str) -> PathBuf {
        self.root.join(format!("{key}.key"))
    }

    /// Its recovery words. They protect nothing here, and `init` gives them only to a file that is
    /// asked for.
    pub(super) fn recovery_file(&self, key: &str) -> PathBuf {
        self.root.join(format!("{key}.recovery"))
    }

    /// What is carried by hand.
    pub(super) fn files(&self) -> PathBuf {
        self.root.join("files")
    }

    /// What it said.
    pub(super) fn log(&self, key: &str) -> PathBuf {
        self.root.join(format!("{key}.log"))
    }
}

/// A directory of the caller, made if need be; never one in which something is.
fn kept(root: &Path) -> Result<PathBuf, DemoError> {
    let disk = |cause| DemoError::Disk { path: root.to_owned(), cause };
    std::fs::create_dir_all(root).map_err(disk)?;
    let mut entries = std::fs::read_dir(root).map_err(disk)?;
    if entries.next().is_some() {
        return Err(DemoError::NotEmpty(root.to_owned()));
    }
    root.canonicalize().map_err(disk)
}
