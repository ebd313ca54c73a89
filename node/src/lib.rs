//! One organisation's node: the clock, the disk and the network live here.
//!
//! The engine owns the replica and the store's write side; the network is a task behind a handle;
//! the local HTTP API is the only door for people and programs. Merge and access rules are not here
//! but in `sincronia_protocol`.

pub mod api;
pub mod backup;
pub mod config;
pub mod engine;
pub mod foreign;
pub mod http;
pub mod keystore;
pub mod limits;
pub mod logging;
pub mod machine;
pub mod network;
pub mod random;
pub mod repair;
pub mod run;
pub mod setup;
pub mod store;

pub use run::{RunError, RunOptions, run};
