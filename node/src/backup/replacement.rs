//! The mark in the directory of a damaged node that another took its place: made twice out of the
//! same disk, two nodes would both hold.

use super::error::RestoreError;
use crate::config::{DirectoryError, NodeDirectory};
use serde::{Deserialize, Serialize};
use sincronia_protocol::text::is_line;
use std::fmt::{Display, Formatter, Write as _};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A directory and the name of a node are never so long.
const MARK_BYTES_MAX: u64 = 64 * 1024;
const SHOWN_MAX: usize = 8 * 1024;

/// The node that took the place of a damaged one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Replacement {
    /// Where it was made.
    pub directory: PathBuf,
    /// The node.
    pub node: String,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

impl Replacement {
    /// Who took the place of the node in a directory. A mark that cannot be read is one, too.
    #[must_use]
    pub fn of(damaged: &NodeDirectory) -> Option<Self> {
        match read(&damaged.replaced_by()) {
            Ok(text) => Some(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) => Some(Self::default()),
        }
    }

    /// Says it in the directory of the damaged node.
    pub(super) fn mark(&self, damaged: &NodeDirectory) -> Result<(), RestoreError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| {
            let (path, cause) = (damaged.replaced_by(), error.into());
            DirectoryError::Io { path, cause }
        })?;
        Ok(damaged.write(&damaged.replaced_by(), &text)?)
    }

    /// That a node in `directory` took the place.
    pub(super) fn in_directory(directory: &Path, node: String, at: u64) -> Self {
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_path_buf());
        Self { directory, node, at }
    }
}

/// The mark as far as one can be long; a longer one does not read as one.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MARK_BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// Whoever can write into the directory wrote it: nothing in it commands a terminal.
impl Display for Replacement {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}, {}", self.node, self.directory.display());
        let shown = text.chars().filter(|one| is_line(one.encode_utf8(&mut [0; 4])));
        shown.take(SHOWN_MAX).try_for_each(|one| formatter.write_char(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_somebody_altered_is_read_to_a_bound_and_shown_as_text() {
        let place = tempfile::tempdir().unwrap();
        let directory = NodeDirectory::create(&place.path().join("node")).unwrap();
        assert_eq!(Replacement::of(&directory), None);
        let node = "\u{1b}[2Jnodo\n\u{202e}uno".to_owned();
        let mark = Replacement { directory: "/tmp/x\u{7}".into(), node, at: 1 };
        mark.mark(&directory).unwrap();
        let found = Replacement::of(&directory).unwrap();
        assert_eq!((found.to_string().as_str(), found), ("[2Jnodouno, /tmp/x", mark));

        let long = format!("{{\"node\": \"{}\"}}", "n".repeat(1 << 20));
        directory.write(&directory.replaced_by(), &long).unwrap();
        assert_eq!(Replacement::of(&directory), Some(Replacement::default()));
    }
}
