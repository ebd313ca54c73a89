//! How a local program finds the node: two files in the node's directory.
//!
//! Both are readable by their owner only and are removed when the node stops in order; what a crash
//! leaves behind is recognised by the client, which finds nobody at the address.

use super::Token;
use crate::keystore::file::write_private;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Holds where the API listens.
pub const ADDRESS_FILE: &str = "api-address";
/// Holds the token.
pub const TOKEN_FILE: &str = "api-token";

/// The two files, for as long as this value lives.
#[derive(Debug)]
#[must_use = "the files are removed when this is dropped"]
pub struct Announcement {
    directory: PathBuf,
}

impl Announcement {
    /// Writes both; the address last, so that who finds it finds the token too.
    pub fn publish(directory: &Path, address: SocketAddr, token: &Token) -> io::Result<Self> {
        write_private(&directory.join(TOKEN_FILE), token.expose().as_bytes())?;
        write_private(&directory.join(ADDRESS_FILE), address.to_string().as_bytes())?;
        Ok(Self { directory: directory.to_path_buf() })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        for name in [ADDRESS_FILE, TOKEN_FILE] {
            // A file that is gone already is as good as removed; nothing else can be done here.
            let _ = std::fs::remove_file(self.directory.join(name));
        }
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
        drop(announcement);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
