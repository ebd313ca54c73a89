//! Paths in documents for programs.
//!
//! A stick holds names that other systems wrote, in whatever letters they had; some are no text. A
//! document says of them what the screen says, instead of nothing at all after the work was done.

use serde::{Serialize, Serializer};
use std::path::{Path, PathBuf};

/// One, as it is shown to people.
pub fn shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    path.display().to_string().serialize(serializer)
}

/// Several, each as it is shown to people.
pub fn all_shown<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.display().to_string()))
}
