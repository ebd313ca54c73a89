//! The mark in the directory of a damaged node that another took its place: made twice out of the
//! same disk, two nodes would both hold.

use super::restoring::RestoreError;
use crate::config::{DirectoryError, NodeDirectory};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};

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
        match std::fs::read(damaged.replaced_by()) {
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

impl Display for Replacement {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}, {}", self.node, self.directory.display())
    }
}
