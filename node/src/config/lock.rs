//! One process per directory: two writers of one author log would fork it.
//!
//! The lock is the system's own on an open file, so it ends with the process however that dies; the
//! file stays and holds the number of the last holder.

use super::DirectoryError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// How often a file is tried that its last holder removed meanwhile.
const TRIES: u32 = 16;

/// Held while a process uses the directory.
#[derive(Debug)]
pub struct DirectoryLock {
    file: File,
}

impl Drop for DirectoryLock {
    /// Closing the file is not enough where a process was being started at this moment: until it
    /// runs it has the file, too. What fails here the end of the process does.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl DirectoryLock {
    /// Takes the lock of a directory of which nothing will be written. On a disk that can only be
    /// read, as the system makes one that fails, no file of the lock can be made, and who holds one
    /// that is there is seen all the same.
    pub(super) fn acquire_to_read(directory: &Path) -> Result<Option<Self>, DirectoryError> {
        match Self::acquire(directory) {
            Err(DirectoryError::Io { cause, .. })
                if cause.kind() == ErrorKind::ReadOnlyFilesystem =>
            {
                Self::acquire_unwritten(directory)
            }
            taken => taken.map(Some),
        }
    }

    /// Takes a lock that is there, without writing who holds it; nothing when none is.
    fn acquire_unwritten(directory: &Path) -> Result<Option<Self>, DirectoryError> {
        let path = directory.join("lock");
        let failed = |cause| DirectoryError::Io { path: path.clone(), cause };
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => {
                let process = process_in(&mut file);
                Err(DirectoryError::InUse { path: directory.to_path_buf(), process })
            }
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// Takes the lock of a directory.
    pub(super) fn acquire(directory: &Path) -> Result<Self, DirectoryError> {
        let path = directory.join("lock");
        let failed = |cause| DirectoryError::Io { path: path.clone(), cause };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        for _ in 0..TRIES {
            let mut file = options.open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let process = process_in(&mut file);
                    return Err(DirectoryError::InUse { path: directory.to_path_buf(), process });
                }
                Err(TryLockError::Error(cause)) => return Err(failed(cause)),
            }
            if is_at(&file, &path).map_err(failed)? {
                sign(&mut file).map_err(failed)?;
                return Ok(Self { file });
            }
        }
        Err(DirectoryError::InUse { path: directory.to_path_buf(), process: None })
    }
}

/// Whether the file is still the one of that name: a lock on one that its holder removed keeps
/// nobody out.
fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    let held = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn process_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    // A number has ten digits at most; whatever else is in the file is not read.
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_is_in() {
        let directory = tempfile::tempdir().unwrap();
        let first = DirectoryLock::acquire(directory.path()).unwrap();
        let error = DirectoryLock::acquire(directory.path()).unwrap_err();
        let number = std::process::id();
        assert!(matches!(error, DirectoryError::InUse { process: Some(p), .. } if p == number));
        assert!(error.to_string().contains(&format!("process {number}")), "{error}");
        drop(first);
        DirectoryLock::acquire(directory.path()).unwrap();
    }

    /// A process that was started elsewhere kept the lock for a moment after its holder.
    #[test]
    fn who_has_the_file_of_a_holder_of_before_keeps_nobody_out() {
        let directory = tempfile::tempdir().unwrap();
        let first = DirectoryLock::acquire(directory.path()).unwrap();
        let _inherited = first.file.try_clone().unwrap();
        drop(first);
        DirectoryLock::acquire(directory.path()).unwrap();
    }

    #[test]
    fn a_lock_on_a_file_that_was_removed_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let removed = File::create(&path).unwrap();
        assert!(is_at(&removed, &path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&removed, &path).unwrap());
        let _holder = DirectoryLock::acquire(directory.path()).unwrap();
        assert!(!is_at(&removed, &path).unwrap());
    }

    #[test]
    fn what_is_only_read_is_locked_without_a_word() {
        let directory = tempfile::tempdir().unwrap();
        assert!(DirectoryLock::acquire_unwritten(directory.path()).unwrap().is_none());
        assert!(!directory.path().join("lock").exists());
        let holder = DirectoryLock::acquire(directory.path()).unwrap();
        let refused = DirectoryLock::acquire_unwritten(directory.path());
        assert!(matches!(refused, Err(DirectoryError::InUse { .. })), "{refused:?}");
        drop(holder);
        assert!(DirectoryLock::acquire_unwritten(directory.path()).unwrap().is_some());
    }

    #[test]
    fn what_a_dead_process_left_does_not_lock() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("lock"), "4194304\nrubbish").unwrap();
        DirectoryLock::acquire(directory.path()).unwrap();
        let text = std::fs::read_to_string(directory.path().join("lock")).unwrap();
        assert_eq!(text.trim(), std::process::id().to_string());
    }
}
