//! Private files: written atomically, readable by their owner only.

use super::KeystoreError;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Replaces `path` by `bytes`: after a crash there is the old file or the new one.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Reads a key file, which nobody else may be able to read.
pub fn read_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let failed = |cause| KeystoreError::Io { path: path.to_path_buf(), cause };
    let wrong = || KeystoreError::KeyFile(path.to_path_buf());
    let mut file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(wrong());
    }
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(key.as_mut_slice()).map_err(|_| wrong())?;
    match file.read(&mut [0]) {
        Ok(0) => Ok(key),
        _ => Err(wrong()),
    }
}
