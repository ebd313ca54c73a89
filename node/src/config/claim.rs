//! A directory in which a node is being made: whatever ends that early leaves it as it was.

use super::NodeDirectory;
use std::path::{Path, PathBuf};

/// What was not there before a node began to be made. It goes again, unless the node is kept.
#[derive(Debug)]
pub struct Claim {
    /// Directories, the innermost first.
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
    is_kept: bool,
}

impl Claim {
    /// Takes note of what is there, before anything is made.
    pub(super) fn before(path: &Path) -> Self {
        let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let directories = path.ancestors().take_while(missing).map(Path::to_path_buf).collect();
        let files = NodeDirectory { path: path.to_path_buf() }.of_a_new_node();
        let files = files.into_iter().filter(|file| !file.exists()).collect();
        Self { directories, files, is_kept: false }
    }

    /// There is a node now.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        for directory in &self.directories {
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

        let (directory, claim) = NodeDirectory::claim(&path).unwrap();
        directory.write(&directory.config(), "x").unwrap();
        claim.keep();
        let (directory_again, claim) = NodeDirectory::claim(&path).unwrap();
        directory_again.write(&directory_again.store(), "x").unwrap();
        drop(claim);
        assert!(directory.config().exists() && !directory.store().exists());
        std::fs::write(path.join("letter.txt"), "x").unwrap();
        drop(NodeDirectory::claim(&path.join("inner")).unwrap());
        assert!(path.join("letter.txt").exists() && !path.join("inner").exists());
    }
}
