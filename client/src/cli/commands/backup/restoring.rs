//! `sincronia backup restore`: a new node out of a backup, in the place of the one that made it.
//!
//! The recovery words open the file and sign that the new node speaks for the organisation and the
//! old one no more. They stay in this process.

use super::super::{Outcome, machine};
use crate::cli::arguments::Restore;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::secret;
use crate::cli::starting::not_restored;
use crate::language::suggestion::by_directory;
use crate::output::progress::Progress;
use crate::output::value::time;
use crate::root::Signing;
use sincronia_node::backup::{Heard, Restoration, RestoreOptions, Restored};
use sincronia_node::config::NodeDirectory;
use sincronia_node::keystore::Strength;
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::recovery::recovery_sealing;
use std::path::Path;

/// What is asked before a node takes the place of the one that made the backup.
const RESTORE: &str = "confirm-restore";

pub(super) fn run(context: &Context, arguments: &Restore) -> Outcome {
    let directory = context.directory()?;
    let reading = super::begin(context, &arguments.file)?;
    if let Ok(found) = NodeDirectory::open(&directory) {
        let keystore = found.keystore().display().to_string();
        return Err(context.fail(Exit::Usage, "keystore_exists", &keystore));
    }
    let entropy = secret::recovery(context, arguments.recovery.recovery_file.as_deref())?;
    let unlock = secret::choose(context, &arguments.unlocking)?;
    let key_file = secret::make_key_file(context, &unlock)?;
    let options =
        RestoreOptions { directory: directory.clone(), unlock, strength: Strength::Standard };
    let progress = Progress::waiting(context.texts.text("backup-reading"));
    let sealing = recovery_sealing(&entropy);
    let restoration = Restoration::begin(options, reading, &sealing)
        .map_err(|error| not_restored(context, &error))?;
    drop(progress);
    check_words(context, &restoration, &entropy)?;
    let exit = replace(context, restoration, entropy, RESTORE, &directory)?;
    key_file.keep();
    Ok(exit)
}

/// Whether the words are those of the organisation: a person who has the wrong ones is told before
/// anything is asked.
pub(in crate::cli::commands) fn check_words(
    context: &Context,
    restoration: &Restoration,
    entropy: &Secret<32>,
) -> Result<(), Failure> {
    let log = restoration.identity().map_err(|error| not_restored(context, &error))?;
    let signing = Signing::after(&log, entropy.clone());
    signing.map(drop).map_err(|error| machine::not_signed(context, error))
}

/// Puts the node that was made in `directory` in the place of the old one: asks partners, asks the
/// person, signs.
pub(in crate::cli::commands) fn replace(
    context: &Context,
    mut restoration: Restoration,
    entropy: Secret<32>,
    question: &str,
    directory: &Path,
) -> Outcome {
    let heard = recall(context, &mut restoration, &entropy)?;
    confirm(context, &restoration, heard, question)?;
    let restored = sign(context, restoration, entropy)?;
    show(context, &restored, heard, directory);
    Ok(Exit::Done)
}

/// What the organisation signed since, as partners know it: an entry at a place that was taken
/// would split its identity.
pub(in crate::cli::commands) fn recall(
    context: &Context,
    restoration: &mut Restoration,
    entropy: &Secret<32>,
) -> Result<Heard, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::told(Exit::Error, "run", error);
    let _progress = Progress::waiting(context.texts.text("restore-recalling"));
    let runtime = tokio::runtime::Runtime::new().map_err(|error| failed(&error))?;
    let heard = runtime.block_on(restoration.recall(entropy));
    heard.map_err(|error| not_restored(context, &error))
}

fn confirm(
    context: &Context,
    restoration: &Restoration,
    heard: Heard,
    question: &str,
) -> Result<(), Failure> {
    let origin = restoration.origin();
    let others: Vec<_> = restoration.in_its_place().iter().map(ToString::to_string).collect();
    let mut question = question;
    if !others.is_empty() {
        if question == RESTORE {
            // That machine is revoked already: to ask about it would ask about nothing.
            question = "confirm-restore-again";
        }
        let others = [("nodes", others.join(", ").into())];
        context.output.message(&context.texts.with("restore-again", &others));
    }
    let arguments = [
        ("node", origin.node.to_string().into()),
        ("made", time(origin.made_at.milliseconds()).into()),
    ];
    context.confirm(&context.texts.with(question, &arguments))?;
    if restoration.has_partners() && heard.answered == 0 {
        let question = if restoration.is_closed() { "confirm-closed" } else { "confirm-unheard" };
        context.confirm(&context.texts.text(question))?;
    }
    Ok(())
}

fn sign(
    context: &Context,
    restoration: Restoration,
    entropy: Secret<32>,
) -> Result<Restored, Failure> {
    let failed = |error| not_restored(context, &error);
    let log = restoration.identity().map_err(failed)?;
    let mut signing =
        Signing::after(&log, entropy).map_err(|error| machine::not_signed(context, error))?;
    for operation in restoration.operations() {
        signing.say(operation).map_err(|error| machine::not_signed(context, error))?;
    }
    restoration.finish(signing.signed()).map_err(failed)
}

fn show(context: &Context, restored: &Restored, heard: Heard, directory: &Path) {
    let made = serde_json::json!({
        "organisation": restored.organisation.to_string(),
        "node": restored.node.to_string(),
        "awaited": restored.awaited,
        "knows_partners": restored.knows_partners,
        "asked": heard.asked,
        "answered": heard.answered,
    });
    context.output.show("restored", &made, || {
        let arguments = [
            ("node", restored.node.to_string().into()),
            ("awaited", restored.awaited.into()),
            ("asked", heard.asked.into()),
            ("answered", heard.answered.into()),
            ("directory", by_directory(directory).into()),
        ];
        let key = if restored.knows_partners { "restored" } else { "restored-blind" };
        context.texts.with(key, &arguments)
    });
}
