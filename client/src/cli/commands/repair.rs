//! `sincronia repair`: a stopped node whose store is damaged.
//!
//! What only follows from signed entries is made again where it stands. When more is damaged,
//! `--into` makes a new node in the place of the damaged one, out of what holds; what is missing
//! comes back from the partners.

use super::Outcome;
use super::backup::restoring::{check_words, recall, replace};
use crate::cli::arguments::Repair;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::secret;
use crate::cli::starting::{node_in, not_restored};
use crate::output::progress::Progress;
use serde_json::json;
use sincronia_node::backup::{
    Replacement, RestoreError, RestoreOptions, SalvageReport, salvage, salvage_again,
};
use sincronia_node::keystore::{KeystoreError, Strength, Unlock};
use sincronia_node::repair::{Repaired, repair};
use std::path::Path;

pub(super) fn run(context: &Context, arguments: &Repair) -> Outcome {
    let directory = context.directory()?;
    // Nobody types a passphrase to hear that there is no node, or that it must not be touched.
    let replacement = Replacement::of(&node_in(context, &directory)?);
    if let Some(replacement) = &replacement {
        if arguments.into.is_none() || !arguments.again {
            return Err(context.fail(Exit::NotPermitted, "replaced", &replacement.to_string()));
        }
        let again = [("detail", replacement.to_string().into())];
        context.confirm(&context.texts.with("confirm-repair-again", &again))?;
    }
    if let Some(into) = &arguments.into {
        free(context, into)?;
    }
    let unlock = secret::unlock(context, &arguments.unlocking)?;
    if let Unlock::KeyFile(path) = &unlock
        && !path.exists()
    {
        let path = path.display().to_string();
        return Err(context.fail(Exit::NotPermitted, "repair_key", &path));
    }
    match &arguments.into {
        // It was looked at when it was replaced.
        Some(into) if replacement.is_some() => {
            rebuild(context, arguments, unlock, &directory, into)
        }
        into => in_place(context, arguments, unlock, &directory, into.as_deref()),
    }
}

/// A directory that holds a node is left as it is.
fn free(context: &Context, into: &Path) -> Result<(), Failure> {
    match node_in(context, into) {
        Ok(found) => {
            let keystore = found.keystore().display().to_string();
            Err(context.fail(Exit::Usage, "keystore_exists", &keystore))
        }
        Err(_) => Ok(()),
    }
}

fn in_place(
    context: &Context,
    arguments: &Repair,
    unlock: Unlock,
    directory: &Path,
    into: Option<&Path>,
) -> Outcome {
    let progress = Progress::waiting(context.texts.text("repair-looking"));
    let found = repair(directory, &unlock).map_err(|error| not_opened(context, &error))?;
    drop(progress);
    let (problems, code) = match found {
        // Whoever has the words has the organisation: of this machine a new one is made.
        Repaired::Revoked if into.is_some() => (Vec::new(), "repair_beyond"),
        Repaired::Sound | Repaired::Revoked => {
            let made = json!({ "outcome": "sound" });
            context.output.show("repair", &made, || context.texts.text("repair-sound"));
            return Ok(Exit::Done);
        }
        Repaired::Rows(number) => {
            let made = json!({ "outcome": "rows", "rows": number });
            context.output.show("repair", &made, || {
                context.texts.with("repaired-rows", &[("rows", number.into())])
            });
            return Ok(Exit::Done);
        }
        Repaired::File(aside) => {
            let aside = aside.display().to_string();
            let made = json!({ "outcome": "file", "damaged": aside });
            context.output.show("repair", &made, || {
                context.texts.with("repaired-file", &[("aside", aside.into())])
            });
            return Ok(Exit::Done);
        }
        Repaired::WentBack(problems) => {
            let made = json!({ "outcome": "went_back", "problems": problems });
            tell(context, &problems);
            context.output.show("repair", &made, || context.texts.text("repair-went-back"));
            return Ok(Exit::Done);
        }
        Repaired::Ruined(cause) => {
            let cause = context.texts.said(&cause).unwrap_or(cause);
            return Err(context.fail(Exit::Error, "repair_ruined", &cause));
        }
        Repaired::Beyond(problems) => (problems, "repair_beyond"),
        Repaired::Unreadable(problems) => (problems, "repair_unreadable"),
    };
    tell(context, &problems);
    match into {
        Some(into) => rebuild(context, arguments, unlock, directory, into),
        None => Err(context.fail(Exit::Error, code, &problems.len().to_string())),
    }
}

/// What opens the damaged node opens the new one, too: who gave another is told so.
fn not_opened(context: &Context, error: &RestoreError) -> Failure {
    let failure = not_restored(context, error);
    let is_key = matches!(
        error,
        RestoreError::Keystore(
            KeystoreError::Wrong
                | KeystoreError::KeyFile(_)
                | KeystoreError::NeedsKeyFile(_)
                | KeystoreError::NeedsPassphrase(_)
        )
    );
    if is_key {
        return context.fail(Exit::NotPermitted, "repair_key", &failure.message);
    }
    failure
}

/// What is wrong goes to the standard error output: the answer of a program is what was done.
fn tell(context: &Context, problems: &[String]) {
    if problems.is_empty() {
        return;
    }
    let number = [("problems", problems.len().into())];
    context.output.message(&context.texts.with("repair-problems", &number));
    for problem in problems {
        context.output.message(&format!("  · {}", context.texts.told(problem)));
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
    let salvaged = if arguments.again {
        salvage_again(options, damaged, &old)
    } else {
        salvage(options, damaged, &old)
    };
    let (mut restoration, mut report) = salvaged.map_err(|error| not_opened(context, &error))?;
    drop(progress);
    if !report.knows_identity {
        let is_closed = restoration.is_closed();
        context.say(if is_closed { "repair-identity-closed" } else { "repair-identity" });
        recall(context, &mut restoration, &entropy)?;
        let taken = restoration.salvage_spaces(&mut report);
        taken.map_err(|error| not_restored(context, &error))?;
    }
    check_words(context, &restoration, &entropy)?;
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
        context.output.message(&format!("  · {}", context.texts.told(loss)));
    }
    if !report.knows_partners {
        context.say("repair-blind");
    }
}
