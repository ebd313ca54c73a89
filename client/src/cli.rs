//! The `sincronia` command: what is typed, what it means, one file per command.
//!
//! # Exit codes
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | an error |
//! | 2 | the command line, or what was asked for, is not possible |
//! | 3 | not found, also a file that was named, or several things fit |
//! | 4 | the node does not run |
//! | 5 | a conflict needs a person (with `--check`, and when an edit meets one) |
//! | 6 | the network, a partner or an invitation |
//! | 7 | not permitted |
//!
//! Deliberately absent: any door of its own. Every command but `init`, `run` and `demo` goes
//! through the local API of a running node.

mod arguments;
mod commands;
mod context;
mod entering;
mod failure;
mod help;
mod naming;
mod node;
mod secret;
mod sheet;
mod starting;
mod usage;

pub use arguments::Arguments;
pub use failure::{Exit, Failure};
pub use help::command;

use crate::language::{Catalogue, Language};
use clap::FromArgMatches;
use context::Context;
use std::ffi::OsString;
use std::process::ExitCode;

/// Understands the command line, does what it asks for and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let texts = Catalogue::new(Language::wanted(&words));
    let arguments = command(&texts)
        .try_get_matches_from(&words)
        .and_then(|mut matches| Arguments::from_arg_matches_mut(&mut matches));
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(usage::answer(texts, &words, &error)),
    };
    let context = Context::new(texts, arguments.global);
    let context = match arguments.command.unlocking() {
        Some(given) => context.opened_with(given),
        None => context,
    };
    match commands::run(&context, arguments.command) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            failure.report(&context);
            ExitCode::from(failure.exit.code())
        }
    }
}
