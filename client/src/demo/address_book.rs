//! Where the nodes of the running demonstration are, so that `--node KEY` finds them.
//!
//! The file is in a directory that only this user can use: somebody else's would lead commands to
//! somebody else's nodes.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, Permissions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The name of the file.
const FILE: &str = "nodes.json";
/// Far more than a thousand nodes need.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The directories of the nodes, by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressBook {
    nodes: BTreeMap<String, PathBuf>,
    /// Set in the process that wrote it, and removes it.
    written: Option<PathBuf>,
}

impl AddressBook {
    /// Reads the book of the demonstration that runs; there is none while none runs.
    pub fn open() -> std::io::Result<Self> {
        let path = place()?.join(FILE);
        if std::fs::metadata(&path)?.len() > FILE_BYTES_MAX {
            return Err(Error::from(ErrorKind::InvalidData));
        }
        let nodes = serde_json::from_slice(&std::fs::read(path)?)?;
        Ok(Self { nodes, written: None })
    }

    /// Writes the book; it is removed with the value.
    pub(super) fn write(nodes: BTreeMap<String, PathBuf>) -> std::io::Result<Self> {
        let directory = place()?;
        let file = tempfile::NamedTempFile::new_in(&directory)?;
        serde_json::to_writer(file.as_file(), &nodes)?;
        let path = directory.join(FILE);
        file.persist(&path).map_err(|error| error.error)?;
        Ok(Self { nodes, written: Some(path) })
    }

    /// Where the node with this key lives.
    #[must_use]
    pub fn directory(&self, key: &str) -> Option<PathBuf> {
        self.nodes.get(key).cloned()
    }

    /// The keys of all nodes.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }
}

impl Drop for AddressBook {
    fn drop(&mut self) {
        let ours = |path: &PathBuf| {
            let found = std::fs::read(path).ok();
            let found = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            // Another demonstration may have written its own since.
            found.is_some_and(|found: BTreeMap<String, PathBuf>| found == self.nodes)
        };
        if let Some(path) = self.written.as_ref().filter(|path| ours(path)) {
            // If it cannot be removed, it leads to nodes that do not answer, and commands say so.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The directory for it: the user's own for running programs, or one in `/tmp` that is the user's.
fn place() -> std::io::Result<PathBuf> {
    let own = tempfile::tempfile()?.metadata()?.uid();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute() && path.is_dir());
    let directory = runtime.map_or_else(
        || std::env::temp_dir().join(format!("sincronia-demo-{own}")),
        |path| path.join("sincronia-demo"),
    );
    match DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => check(&directory, own)?,
    }
    Ok(directory)
}

fn check(directory: &Path, own: u32) -> std::io::Result<()> {
    // Not the target of a link: somebody else could have put one there.
    let found = std::fs::symlink_metadata(directory)?;
    let private = Permissions::mode(&found.permissions()).trailing_zeros() >= 6;
    if found.is_dir() && found.uid() == own && private {
        return Ok(());
    }
    let message = format!("{} is not a private directory of yours", directory.display());
    Err(Error::new(ErrorKind::PermissionDenied, message))
}
