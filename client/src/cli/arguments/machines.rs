//! The machines of an organisation, and the organisation that takes its place: what the recovery
//! words are needed for.

use super::{Authoring, Unlocking};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Where the recovery words are; without a file they are asked for.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct Recovery {
    #[arg(long, value_name = "FILE")]
    pub recovery_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Machine {
    List,
    Add {
        request: PathBuf,
        #[command(flatten)]
        recovery: Recovery,
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    Admit {
        admission: PathBuf,
        #[command(flatten)]
        unlocking: Unlocking,
    },
    Revoke {
        machine: String,
        #[command(flatten)]
        recovery: Recovery,
    },
    Report {
        machine: String,
    },
    Primary {
        machine: String,
        #[command(flatten)]
        recovery: Recovery,
    },
    RotateSealing {
        #[command(flatten)]
        recovery: Recovery,
        #[command(flatten)]
        unlocking: Unlocking,
    },
    RotateRoot {
        #[command(flatten)]
        recovery: Recovery,
    },
    Unite {
        #[command(flatten)]
        recovery: Recovery,
    },
}

/// Which conventions pass.
#[derive(Debug, Args)]
pub(in crate::cli) struct Handing {
    #[arg(required_unless_present = "all", value_name = "CONVENTION")]
    pub conventions: Vec<String>,
    #[arg(long, conflicts_with = "conventions")]
    pub all: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Succession {
    List,
    Declare {
        #[arg(value_name = "ORGANISATION")]
        successor: String,
        #[arg(long)]
        also: bool,
        #[command(flatten)]
        recovery: Recovery,
    },
    Accept {
        #[arg(value_name = "ORGANISATION")]
        predecessor: Option<String>,
        #[command(flatten)]
        recovery: Recovery,
    },
    Offer {
        #[arg(long, value_name = "ORGANISATION")]
        to: String,
        #[command(flatten)]
        handing: Handing,
    },
    Follow {
        #[command(flatten)]
        handing: Handing,
        #[arg(long, value_name = "ORGANISATION")]
        to: Option<String>,
        #[command(flatten)]
        authoring: Authoring,
    },
    Take {
        #[command(flatten)]
        handing: Handing,
        #[command(flatten)]
        authoring: Authoring,
    },
}
