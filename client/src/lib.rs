//! What people touch: the `sincronia` command, the typed API client, the demonstration network.
//!
//! Every command but `init`, `run` and `demo` talks to a running node through its local HTTP API,
//! as any other program may. Merge and access rules, a record store and the network are not here.

pub mod api;
pub mod cli;
pub mod demo;
pub mod import;
pub mod language;
pub mod output;
pub mod root;
