//! `sincronia run`: the node itself, until it is told to stop.

use super::Outcome;
use crate::cli::arguments::Run;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::node::{self, Running};
use crate::cli::{secret, starting};
use sincronia_node::config::{Key, NodeDirectory};

pub(super) fn run(context: &Context, arguments: Run) -> Outcome {
    let directory = context.directory()?;
    // Whoever mistyped the directory is not asked for the passphrase of a node that is not there.
    NodeDirectory::open(&directory).map_err(|error| starting::not_run(context, &error.into()))?;
    let unlock = secret::unlock(context, &arguments.unlocking)?;
    let mut flags = Vec::new();
    if !arguments.listen.is_empty() {
        flags.push((Key::NetworkListen, arguments.listen.join(",")));
    }
    flags.extend(arguments.api.map(|address| (Key::ApiAddress, address)));
    let running = Running { flags, offline: arguments.offline, with_parent: arguments.with_parent };
    node::run(context, &directory, unlock, running)?;
    Ok(Exit::Done)
}
