//! How a local program finds the node: two files in the node's directory.
//!
//! Both are readable by their owner only and are removed when the node stops in order. What a crash
//! leaves behind is recognised by the lock of the file of the token, which the system ends with the
//! process: at the address may be a program of another user of the machine, that took the port.

use super::Token;
use crate::keystore::file::{open_file, write_private};
use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Holds where the API listens.
pub const ADDRESS_FILE: &str = "api-address";
/// Holds the token.
pub const TOKEN_FILE: &str = "api-token";

/// The files hold a line each; whatever is longer is not ours.
const FILE_BYTES_MAX: u64 = 1_024;

/// The two files, for as long as this value lives.
#[derive(Debug)]
#[must_use = "the files are removed when this is dropped"]
pub struct Announcement {
    directory: PathBuf,
    token: File,
}

impl Announcement {
    /// Writes both; the address last, so that who finds it finds the token too, and its lock.
    pub fn publish(directory: &Path, address: SocketAddr, token: &Token) -> io::Result<Self> {
        let path = directory.join(TOKEN_FILE);
        write_private(&path, token.expose().as_bytes())?;
        let token = File::open(path)?;
        token.lock()?;
        let announced = Self { directory: directory.to_path_buf(), token };
        write_private(&directory.join(ADDRESS_FILE), address.to_string().as_bytes())?;
        Ok(announced)
    }

    /// The token in a directory and, where the process that wrote it lives, that it does.
    pub fn token(directory: &Path) -> io::Result<(Token, bool)> {
        let mut file = open_file(&directory.join(TOKEN_FILE))?;
        let mut text = String::new();
        (&mut file).take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        let lives = match file.try_lock_shared() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(cause)) => return Err(cause),
        };
        Ok((Token::from_text(&text), lives))
    }

    /// The address in a directory, as it stands there.
    pub fn address(directory: &Path) -> io::Result<String> {
        let mut text = String::new();
        let file = open_file(&directory.join(ADDRESS_FILE))?;
        file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        for name in [ADDRESS_FILE, TOKEN_FILE] {
            // A file that is gone already is as good as removed; nothing else can be done here.
            let _ = std::fs::remove_file(self.directory.join(name));
        }
        let _ = self.token.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_files_are_private_and_do_not_outlive_the_node() {
        let directory = tempfile::tempdir().unwrap();
        let token = Token::generate().unwrap();
        let address = "127.0.0.1:4711".parse().unwrap();
        let announcement = Announcement::publish(directory.path(), address, &token).unwrap();
        for name in [ADDRESS_FILE, TOKEN_FILE] {
            let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let text = std::fs::read_to_string(directory.path().join(ADDRESS_FILE)).unwrap();
        assert_eq!(text, "127.0.0.1:4711");
        let (read, lives) = Announcement::token(directory.path()).unwrap();
        assert!(lives && read.admits(token.expose().as_bytes()));
        drop(announcement);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
