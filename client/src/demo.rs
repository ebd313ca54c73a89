//! The demonstration: a real federation on one machine.
//!
//! Every organisation of the data file runs as a process of its own (`sincronia run`) with its own
//! directory, keys, store and listener. This module speaks to them through their public APIs only,
//! does what offices do, and checks what each of them can then read against the data file.
//!
//! # Contract
//! Nothing waits without a deadline, and a deadline that passes names who is behind. A check that
//! does not hold is told and the others still run. All processes end with [`run`], however it ends.
//!
//! Deliberately absent: knowledge of how nodes work inside.

pub mod address_book;
mod bundles;
pub mod data;
pub mod expectation;
pub mod istat;
mod joining;
mod network;
pub mod pairs;
mod patience;
pub mod plan;
mod process;
mod reading;
pub mod report;
mod stage;
mod steps;
mod writing;

pub use report::{CheckResult, NodeRow, Report};

use data::{Data, DataError};
use network::Network;
use patience::Patience;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What to demonstrate.
#[derive(Clone, Debug)]
pub struct Options {
    /// The `sincronia` program that every node runs.
    pub binary: PathBuf,
    /// Comuni of ISTAT's list instead of the Lunigiana.
    pub organisations: Option<usize>,
    /// Where the nodes live, and stay; a place that is removed at the end when absent.
    pub directory: Option<PathBuf>,
    /// Only start the network and fill it, without the steps that change it.
    pub seed: bool,
    /// How long one wait may last.
    pub patience: Duration,
    /// Set by whoever wants the demonstration to end early.
    pub interrupted: Arc<AtomicBool>,
}

impl Options {
    /// The example network with this program.
    #[must_use]
    pub fn new(binary: PathBuf) -> Self {
        Self {
            binary,
            organisations: None,
            directory: None,
            seed: false,
            patience: Duration::from_mins(3),
            interrupted: Arc::new(AtomicBool::new(false)),
        }
    }
}

/// What is happening, for a display: the key of a text, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// `demo-starting` and so on; see the catalogue.
    pub key: &'static str,
    /// Steps that are done.
    pub done: usize,
    /// Steps that there are.
    pub all: usize,
}

/// Told what is happening.
pub type Narrator<'a> = &'a (dyn Fn(Moment) + Sync);

/// Why the demonstration could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The data file.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A place on the disk.
    #[error("{path}: {cause}")]
    Disk {
        /// The place.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A directory that holds something.
    #[error("{0} is not empty; choose a directory for the demonstration alone")]
    NotEmpty(PathBuf),
    /// A process that did not do its work.
    #[error("the node {key} did not start: {reason}")]
    Process {
        /// Whose.
        key: String,
        /// Why.
        reason: String,
    },
    /// A node that refused a request.
    #[error("{key} refused to {what}: {reason}")]
    Refused {
        /// Whose.
        key: String,
        /// What was asked.
        what: String,
        /// What it said.
        reason: String,
    },
    /// A deadline that passed.
    #[error("after {seconds} seconds still waiting until {what}: {behind}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// Who is behind, and by what.
        behind: String,
    },
    /// Something that should be there.
    #[error("{0}")]
    Missing(String),
    /// Somebody wants it to end.
    #[error("interrupted")]
    Interrupted,
}

/// Runs the demonstration, then `linger` with the report while the nodes still run.
pub fn run(
    options: &Options,
    narrator: Narrator<'_>,
    linger: impl FnOnce(&Report),
) -> Result<Report, DemoError> {
    let data = match options.organisations {
        Some(count) => istat::network(count)?,
        None => Data::lunigiana()?,
    };
    let patience = Patience::new(options.patience, options.interrupted.clone());
    let stage = stage::Stage::set(options)?;
    let mut network = Network::new(data, stage, patience, narrator);
    let mut report = Report::default();
    network.open(&mut report)?;
    steps::play(&mut network, options.seed, &mut report)?;
    report.describe(&network)?;
    if !options.interrupted.load(Ordering::SeqCst) {
        linger(&report);
    }
    network.close();
    Ok(report)
}
