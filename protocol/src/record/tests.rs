//! The promises of records, each with its test.

mod found;
mod fuzz;
mod hostile;
mod kinds;
mod laws;
mod merge;
pub(crate) mod world;
