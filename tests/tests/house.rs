//! The rules of the house, kept by a test: which way dependencies point, what `protocol` may never
//! touch, where each large library is named, and how the text of a file looks.
//!
//! Deliberately absent: what the compiler and clippy already refuse (unsafe code, `todo!`, unwraps).

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

#[path = "house/dependencies.rs"]
mod dependencies;
#[path = "house/layers.rs"]
mod layers;
#[path = "house/source.rs"]
mod source;
#[path = "house/threats.rs"]
mod threats;
#[path = "house/tidy.rs"]
mod tidy;

/// Fails with everything that was found, one a line.
fn none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
