//! Golden vectors: the exact bytes of everything that travels, is signed or is sealed, as
//! `docs/protocol.md` describes them.
//!
//! Every test makes its bytes again from fixed seeds and compares them with its file, and then
//! reads the bytes of the file back by the ways that a receiver takes. With
//! `SINCRONIA_WRITE_VECTORS=1` the files are written anew: a change of format shows as a change of
//! these files, and never happens by accident.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test that cannot go on says so by panicking"
)]

mod access;
mod author;
mod backups;
mod bundles;
mod cast;
mod changes;
mod document;
mod erasure;
mod golden;
mod hashes;
mod identity;
mod ids;
mod joining;
mod machines;
mod meeting;
mod messages;
mod schema;
mod session;
mod space;
mod words;
