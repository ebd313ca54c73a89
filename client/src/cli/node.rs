//! The commands that are the node itself, or prepare its directory: the only place where the client
//! calls its library.

use super::context::Context;
use super::failure::{Exit, Failure};
use super::secret::Words;
use super::starting::{not_admitted, not_run, not_set_up};
use crate::language::Language;
use sincronia_node::RunOptions;
use sincronia_node::config::Key;
use sincronia_node::keystore::{Strength, Unlock};
use sincronia_node::machine::{self, Admitted, RequestOptions};
use sincronia_node::setup::InitOptions;
use sincronia_protocol::crypto::SealingPublic;
use sincronia_protocol::identity::{Admission, NodeRequest};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::recovery::WordList;
use std::future::Future;
use std::path::Path;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

/// A node that was set up.
pub struct Created {
    /// Its organisation.
    pub organisation: String,
    /// The node.
    pub node: String,
}

/// Sets up a node in `directory`, once `confirm` has the twenty-four words in a safe place.
pub fn initialise(
    context: &Context,
    directory: &Path,
    name: &str,
    language: Language,
    unlock: Unlock,
    confirm: impl FnOnce(&Words) -> Result<(), Failure>,
) -> Result<Created, Failure> {
    let options = InitOptions {
        directory: directory.to_path_buf(),
        name: name.to_owned(),
        words: word_list(language),
        unlock,
        strength: Strength::Standard,
    };
    let mut confirmed = Ok(());
    let created = sincronia_node::setup::initialise_once(&options, |words| {
        confirmed = confirm(&Words::new(words.split(' ').map(str::to_owned).collect()));
        confirmed.is_ok()
    });
    confirmed?;
    let created = created.map_err(|error| not_set_up(context, &error))?;
    Ok(Created { organisation: created.organisation.to_string(), node: created.node.to_string() })
}

/// Makes the keys of another machine of `organisation` in `directory`, and its request.
pub fn request(
    context: &Context,
    directory: &Path,
    organisation: OrganisationId,
    unlock: Unlock,
) -> Result<NodeRequest, Failure> {
    let directory = directory.to_path_buf();
    let strength = Strength::Standard;
    let options = RequestOptions { directory, organisation, unlock, strength };
    machine::request(&options).map_err(|error| not_admitted(context, &error))
}

/// Takes the admission of the machine in `directory`.
pub fn admit(
    context: &Context,
    directory: &Path,
    unlock: &Unlock,
    admission: &Admission,
) -> Result<Admitted, Failure> {
    let admitted = machine::admit(directory, unlock, admission);
    admitted.map_err(|error| not_admitted(context, &error))
}

/// Replaces the sealing key in the keystore in `directory`; its public half.
pub fn rotate_sealing(
    context: &Context,
    directory: &Path,
    unlock: &Unlock,
    certified: &SealingPublic,
) -> Result<SealingPublic, Failure> {
    let rotated = machine::rotate_sealing(directory, unlock, Strength::Standard, certified);
    rotated.map_err(|error| not_admitted(context, &error))
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
    directory: &Path,
    unlock: Unlock,
    running: Running,
) -> Result<(), Failure> {
    let options = RunOptions {
        directory: directory.to_path_buf(),
        unlock,
        overrides: running.flags,
        // Both sides must read the same words, whatever language their screens have.
        words: WordList::Italian,
        offline: running.offline,
    };
    let failed = |error: &dyn std::fmt::Display| Failure::told(Exit::Error, "run", error);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| failed(&error))?;
    let shutdown = runtime.block_on(async { shutdown(running.with_parent) });
    let shutdown = shutdown.map_err(|error| failed(&error))?;
    let outcome = runtime.block_on(sincronia_node::run(options, shutdown));
    // Reading standard input cannot be interrupted; it must not keep the process.
    runtime.shutdown_background();
    outcome.map_err(|error| not_run(context, &error))
}

/// Resolves at SIGINT, SIGTERM and, with a parent, at the end of standard input.
fn shutdown(with_parent: bool) -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = end_of_input(), if with_parent => {}
        }
    })
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut ignored = [0; 64];
    while matches!(input.read(&mut ignored).await, Ok(read) if read > 0) {}
}

const fn word_list(language: Language) -> WordList {
    match language {
        Language::It => WordList::Italian,
        Language::En => WordList::English,
    }
}
