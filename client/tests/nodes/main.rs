//! The command as people type it, against real nodes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bundles;
mod decisions;
mod files;
mod node;
mod reading;
mod records;
mod restoring;
mod sharing;
mod successors;
mod texts;
