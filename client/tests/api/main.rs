//! The typed client against a real server in front of a node that only notes what it is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod calls;
mod commands;
mod failures;
mod running;

#[path = "../../../node/tests/http/probe.rs"]
mod probe;
#[path = "../../../node/tests/http/samples.rs"]
mod samples;
