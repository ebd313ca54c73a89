//! `sincronia completions`: what a shell needs to complete commands.

use super::Outcome;
use crate::cli::arguments::Completions;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::help::command;
use crate::output::print;

pub(super) fn run(context: &Context, arguments: &Completions) -> Outcome {
    let mut script = Vec::new();
    let mut command = command(&context.texts);
    clap_complete::generate(arguments.shell, &mut command, "sincronia", &mut script);
    print(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}
