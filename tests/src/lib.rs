//! Many nodes: a simulated world for the protocol, and what federations of real nodes share.

pub mod benchmark;
pub mod world;
