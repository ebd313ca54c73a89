//! A directory in which a node is being made: whatever ends that early leaves it as it was.

use super::lock::DirectoryLock;
use super::{DirectoryError, NodeDirectory};
use std::path::{Path, PathBuf};

/// The lock of a directory, and what was not there when it was taken. That goes again, unless the
/// node is kept.
#[derive(Debug)]
pub struct Claim {
    directory: NodeDirectory,
    /// Directories, the innermost first.
    directories: Directories,
    files: Vec<PathBuf>,
    is_kept: bool,
    /// Dropped after what was made is gone: until then nobody else makes anything here.
    _lock: DirectoryLock,
}

/// Directories that were not there; they go again while they are empty.
#[derive(Debug)]
struct Directories(Vec<PathBuf>);

impl Claim {
    /// Makes the directory and keeps others out of it; then takes note of what is in it.
    pub(super) fn take(path: &Path) -> Result<Self, DirectoryError> {
        let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let missing = path.ancestors().take_while(missing).map(Path::to_path_buf).collect();
        let directories = Directories(missing);
        let directory = NodeDirectory::create(path)?;
        let was_locked = directory.lock_file().exists();
        let lock = directory.lock()?;
        let files = directory.of_a_new_node().into_iter();
        let mut files: Vec<_> = files.filter(|file| !file.exists()).collect();
        if !was_locked {
            files.push(directory.lock_file());
        }
        Ok(Self { directory, directories, files, is_kept: false, _lock: lock })
    }

    /// The directory.
    pub(super) const fn directory(&self) -> &NodeDirectory {
        &self.directory
    }

    /// There is a node now. Others stay out until the claim is dropped.
    pub const fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Whoever put a node here meanwhile has no other copy of it.
        if self.is_kept || self.directory.keystore().exists() {
            self.directories.0.clear();
            return;
        }
        // The lock is held: whoever waits for its file finds another one, and takes that.
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
    }
}

impl Drop for Directories {
    fn drop(&mut self) {
        for directory in &self.0 {
            // One that somebody put something into stays.
            let _ = std::fs::remove_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_goes_and_what_was_there_stays() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b/node");
        let (directory, claim) = NodeDirectory::claim(&path).unwrap();
        directory.write(&directory.config(), "x").unwrap();
        drop(claim);
        assert!(!parent.path().join("a").exists());

        let (directory, mut claim) = NodeDirectory::claim(&path).unwrap();
        directory.write(&directory.config(), "x").unwrap();
        claim.keep();
        drop(claim);
        let (directory_again, claim) = NodeDirectory::claim(&path).unwrap();
        directory_again.write(&directory_again.store(), "x").unwrap();
        drop(claim);
        assert!(directory.config().exists() && !directory.store().exists());
        std::fs::write(path.join("letter.txt"), "x").unwrap();
        drop(NodeDirectory::claim(&path.join("inner")).unwrap());
        assert!(path.join("letter.txt").exists() && !path.join("inner").exists());
    }
    #[test]
    fn nobody_else_makes_a_node_meanwhile_and_one_that_is_there_stays() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("node");
        let (directory, claim) = NodeDirectory::claim(&path).unwrap();
        let second = NodeDirectory::claim(&path).unwrap_err();
        assert!(matches!(second, DirectoryError::InUse { .. }), "{second}");
        assert!(path.join("lock").exists(), "the lock that is held stays");
        for file in [directory.store(), directory.config(), directory.keystore()] {
            directory.write(&file, "x").unwrap();
        }
        drop(claim);
        for file in [directory.store(), directory.config(), directory.keystore()] {
            assert!(file.exists(), "{}", file.display());
        }
        NodeDirectory::claim(&path).unwrap();
    }
}
