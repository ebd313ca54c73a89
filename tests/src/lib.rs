//! Many nodes: a simulated world for the protocol, federations of real nodes, benchmarks.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::match_wild_err_arm,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

pub mod benchmark;
pub mod endurance;
pub mod federation;
pub mod fuzzing;
pub mod impairment;
pub mod world;
