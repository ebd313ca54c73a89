//! The demonstration: a real federation on one machine.

pub mod data;
pub mod expectation;
pub mod istat;
pub mod pairs;
pub mod plan;
