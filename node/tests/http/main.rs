//! The local API over real loopback sockets, in front of a node that only notes what it is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bodies;
mod door;
mod endings;
mod events;
mod limits;
mod probe;
mod samples;
mod server;
mod surface;
