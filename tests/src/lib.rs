//! Many nodes: a simulated world for the protocol, and federations of real nodes.

pub mod federation;
pub mod world;
