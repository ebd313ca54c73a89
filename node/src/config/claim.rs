//! A directory in which a node is being made: whatever ends that early leaves it as it was.

use super::lock::DirectoryLock;
use super::{DirectoryError, NodeDirectory};
use crate::keystore::file::take_place;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Stores that stand aside in one directory: nobody makes a node there so often.
const ASIDE_MAX: u32 = 1_000;

/// The lock of a directory, and what was not there when it was taken. That goes again, unless the
/// node is kept.
#[derive(Debug)]
pub struct Claim {
    directory: NodeDirectory,
    /// Directories, the innermost first.
    directories: Directories,
    files: Vec<PathBuf>,
    /// Where the store is meanwhile that stood there without its keys.
    aside: Option<PathBuf>,
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
        // What was interrupted before there was a node left it, and nobody can open it.
        let _ = std::fs::remove_file(directory.new_store());
        let files = directory.of_a_new_node().into_iter();
        let mut files: Vec<_> = files.filter(|file| !file.exists()).collect();
        if !was_locked {
            files.push(directory.lock_file());
        }
        Ok(Self { directory, directories, files, aside: None, is_kept: false, _lock: lock })
    }

    /// Puts the store that was made in its place, before the keystore comes: a directory with a
    /// keystore is a whole node.
    ///
    /// # Errors
    /// [`DirectoryError::Io`].
    pub fn place_store(&mut self) -> Result<(), DirectoryError> {
        self.clear_store()?;
        let path = self.directory.store();
        take_place(&self.directory.new_store(), &path)
            .map_err(|cause| DirectoryError::Io { path, cause })
    }

    /// Makes room for a store. One that stands there without its keystore is all that a body has:
    /// its keys may turn up in a copy. So it is put aside, and back in its place if no node comes
    /// to be.
    fn clear_store(&mut self) -> Result<(), DirectoryError> {
        let store = self.directory.store();
        let free = |path: &PathBuf| path.symlink_metadata().is_err();
        if free(&store) {
            return Ok(());
        }
        let names = (1..=ASIDE_MAX).map(|at| store.with_extension(format!("keyless-{at}.redb")));
        let aside = names.into_iter().find(free).ok_or_else(|| ErrorKind::AlreadyExists.into());
        let moved = aside.and_then(|aside| std::fs::rename(&store, &aside).map(|()| aside));
        self.aside = Some(moved.map_err(|cause| DirectoryError::Io { path: store, cause })?);
        Ok(())
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
        if let Some(aside) = &self.aside {
            // Should it not go back, it is still there.
            let _ = std::fs::rename(aside, self.directory.store());
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

    /// The keystore was lost, and its copy lay elsewhere: whoever made a node in the same directory
    /// erased all that the copy would have opened, even when nothing came of it.
    #[test]
    fn a_store_without_its_keys_is_put_aside_and_back() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("node");
        let directory = NodeDirectory::create(&path).unwrap();
        let read = |name: &str| std::fs::read_to_string(path.join(name)).ok();
        directory.write(&directory.store(), "everything").unwrap();
        for attempt in 1..=3 {
            let (_, mut claim) = NodeDirectory::claim(&path).unwrap();
            directory.write(&directory.new_store(), "new").unwrap();
            if attempt > 1 {
                claim.place_store().unwrap();
                assert_eq!(read("store.keyless-1.redb").as_deref(), Some("everything"));
            }
            if attempt > 2 {
                claim.keep();
            }
            drop(claim);
            let now = if attempt > 2 { "new" } else { "everything" };
            assert_eq!(read("store.redb").as_deref(), Some(now));
            assert_eq!(read("store.keyless-1.redb").is_some(), attempt > 2);
            assert!(!directory.new_store().exists());
        }
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
