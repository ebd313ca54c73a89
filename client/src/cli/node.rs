//! The two commands that are the node itself: the only place where the client calls its library.

use super::context::Context;
use super::failure::{Exit, Failure};
use super::secret::Words;
use crate::language::Language;
use sincronia_node::config::Key;
use sincronia_node::keystore::Unlock;
use std::path::Path;

/// A node that was set up.
pub struct Created {
    /// Its organisation.
    pub organisation: String,
    /// The node.
    pub node: String,
    /// Twenty-four words, shown once.
    pub words: Words,
}

/// Sets up a node in `directory`.
pub fn initialise(
    context: &Context,
    _directory: &Path,
    _name: &str,
    _language: Language,
    _unlock: Unlock,
) -> Result<Created, Failure> {
    // `sincronia_node::setup::initialise(InitOptions { directory, name, language, unlock })`.
    Err(context.fail(Exit::Error, "not_in_this_build", "init"))
}

/// How a node runs.
#[derive(Debug)]
pub struct Running {
    /// Settings of the command line.
    pub flags: Vec<(Key, String)>,
    /// Whether it starts without the network.
    pub offline: bool,
    /// Whether it ends with the process that started it.
    pub with_parent: bool,
}

/// Runs the node in `directory` until it is told to stop.
pub fn run(
    context: &Context,
    _directory: &Path,
    _unlock: Unlock,
    _running: Running,
) -> Result<(), Failure> {
    // `sincronia_node::run(RunOptions { directory, unlock, flags, offline }, shutdown)`, where
    // `shutdown` is the first of SIGINT, SIGTERM and, with `with_parent`, the end of standard input.
    Err(context.fail(Exit::Error, "not_in_this_build", "run"))
}
