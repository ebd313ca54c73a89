//! Arguments of backups.

use super::{Recovery, Unlocking};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Backup {
    Create {
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    Verify {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        recovery: Recovery,
    },
    Restore(Restore),
    Finish,
    Enable {
        #[command(flatten)]
        recovery: Recovery,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Restore {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub recovery: Recovery,
    #[command(flatten)]
    pub unlocking: Unlocking,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Repair {
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
    #[arg(long, requires = "into")]
    pub again: bool,
    #[command(flatten)]
    pub recovery: Recovery,
    #[command(flatten)]
    pub unlocking: Unlocking,
}
