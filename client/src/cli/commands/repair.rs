//! `sincronia repair`: a stopped node whose store is damaged.
//!
//! Rows are made again where they stand. When logs are damaged, `--into` makes a new node in the
//! place of the damaged one, out of what holds; what is missing comes back from the partners.

use super::Outcome;
use super::backup::restoring::replace;
use crate::cli::arguments::Repair;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::secret;
use crate::cli::starting::not_restored;
use crate::output::progress::Progress;
use serde_json::json;
use sincronia_node::backup::{RestoreOptions, SalvageReport, salvage};
use sincronia_node::keystore::{Strength, Unlock};
use sincronia_node::repair::{Repaired, repair};
use std::path::Path;

pub(super) fn run(context: &Context, arguments: &Repair) -> Outcome {
    let directory = context.directory()?;
    let unlock = secret::unlock(context, &arguments.unlocking)?;
    let progress = Progress::waiting(context.texts.text("repair-looking"));
    let found = repair(&directory, &unlock).map_err(|error| not_restored(context, &error))?;
    drop(progress);
    match (found, &arguments.into) {
        (Repaired::Beyond(problems), Some(into)) => {
            tell(context, &problems);
            rebuild(context, arguments, unlock, &directory, into)
        }
        (Repaired::Beyond(problems), None) => {
            tell(context, &problems);
            Err(context.fail(Exit::Error, "repair_beyond", &problems.len().to_string()))
        }
        (Repaired::Rows(number), _) => {
            let made = json!({ "outcome": "rows", "rows": number });
            context.output.show("repair", &made, || {
                context.texts.with("repaired-rows", &[("rows", number.into())])
            });
            Ok(Exit::Done)
        }
        (Repaired::Sound, _) => {
            let made = json!({ "outcome": "sound" });
            context.output.show("repair", &made, || context.texts.text("repair-sound"));
            Ok(Exit::Done)
        }
    }
}

/// What is wrong goes to the standard error output: the answer of a program is what was done.
fn tell(context: &Context, problems: &[String]) {
    let number = [("problems", problems.len().into())];
    context.output.message(&context.texts.with("repair-problems", &number));
    for problem in problems {
        context.output.message(&format!("  · {problem}"));
    }
}

fn rebuild(
    context: &Context,
    arguments: &Repair,
    unlock: Unlock,
    damaged: &Path,
    into: &Path,
) -> Result<Exit, Failure> {
    let entropy = secret::recovery(context, arguments.recovery.recovery_file.as_deref())?;
    let progress = Progress::waiting(context.texts.text("repair-salvaging"));
    let old = unlock.clone();
    let options =
        RestoreOptions { directory: into.to_path_buf(), unlock, strength: Strength::Standard };
    let (restoration, report) =
        salvage(options, damaged, &old).map_err(|error| not_restored(context, &error))?;
    drop(progress);
    told(context, &report);
    replace(context, restoration, entropy, "confirm-repair", into)
}

fn told(context: &Context, report: &SalvageReport) {
    let arguments = [
        ("spaces", report.spaces.into()),
        ("entries", report.entries.into()),
        ("losses", report.losses.len().into()),
    ];
    context.output.message(&context.texts.with("repair-salvaged", &arguments));
    for loss in &report.losses {
        context.output.message(&format!("  · {loss}"));
    }
}
