//! Private files: written atomically, readable by their owner only.

use super::KeystoreError;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Replaces `path` by `bytes`: after a crash there is the old file or the new one.
///
/// # Errors
/// What the system says; `path` is then as it was.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = write_temporary(path, bytes)?;
    std::fs::rename(&temporary, path)?;
    sync_directory(path)
}

/// Puts a file that was written and synced in the place of another, in one step.
///
/// # Errors
/// What the system says; `path` is then as it was.
pub fn take_place(fresh: &Path, path: &Path) -> Result<()> {
    File::open(fresh)?.sync_all()?;
    std::fs::rename(fresh, path)?;
    sync_directory(path)
}

/// Writes `path` unless there is something already, also when two try at once.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`], or what the system says.
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = write_temporary(path, bytes)?;
    // A link, unlike a renaming, never replaces.
    let linked = std::fs::hard_link(&temporary, path);
    let removed = std::fs::remove_file(&temporary);
    linked?;
    // A caller that is told of a failure undoes the rest, and must not leave this.
    let kept = removed.and_then(|()| sync_directory(path));
    kept.inspect_err(|_| drop(std::fs::remove_file(path)))
}

/// A file beside `path` that a crash may leave behind; the next writing replaces it.
fn write_temporary(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // A new file, so that neither its mode nor a link in its place is somebody else's choice.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(temporary)
}

fn sync_directory(path: &Path) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Opens a file to read it. A pipe would keep whoever opens it until somebody writes into it.
///
/// # Errors
/// What the system says, or that it is something else than a file.
pub fn open_file(path: &Path) -> Result<File> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(std::io::Error::other("it is a pipe or a device, not a file"));
    }
    File::open(path)
}

/// Reads a key file, which nobody else may be able to read.
pub(super) fn read_key(path: &Path) -> std::result::Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let failed = |cause| KeystoreError::Io { path: path.to_path_buf(), cause };
    let wrong = || KeystoreError::KeyFile(path.to_path_buf());
    let mut file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.permissions().mode() & 0o077 != 0 || metadata.len() != 32 {
        return Err(wrong());
    }
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(key.as_mut_slice()).map_err(|_| wrong())?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_is_whole_and_private_and_leaves_nothing_beside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(directory.path().join("file.new"), "left by a crash").unwrap();
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn creating_never_replaces() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        create_private(&path, b"one").unwrap();
        let error = create_private(&path, b"two").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_laid_in_the_way_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let victim = directory.path().join("victim");
        std::fs::write(&victim, "untouched").unwrap();
        let path = directory.path().join("file");
        std::os::unix::fs::symlink(&victim, directory.path().join("file.new")).unwrap();
        write_private(&path, b"secret").unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched");
    }
}
