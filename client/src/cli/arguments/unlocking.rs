//! With what a node opens.

use super::{Backup, Command, Machine};
use clap::Args;
use std::path::PathBuf;

/// Where the passphrase or the key is; without either the passphrase is asked for.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct Unlocking {
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    pub passphrase_file: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl Command {
    /// With what the node opens, where a command is told.
    pub(in crate::cli) const fn unlocking(&self) -> Option<&Unlocking> {
        match self {
            Self::Init(arguments) => Some(&arguments.unlocking),
            Self::Run(arguments) => Some(&arguments.unlocking),
            Self::Verify(arguments) => Some(&arguments.unlocking),
            Self::Repair(arguments) => Some(&arguments.unlocking),
            Self::Backup(Backup::Restore(arguments)) => Some(&arguments.unlocking),
            Self::Node(
                Machine::Admit { unlocking, .. } | Machine::RotateSealing { unlocking, .. },
            ) => Some(unlocking),
            _ => None,
        }
    }
}
