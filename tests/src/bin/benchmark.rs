//! Measures workloads W1–W6 between two nodes, each a process of this same program.

use clap::{Parser, Subcommand, ValueEnum};
use sincronia_tests::benchmark::{self, Failure, Plan, Shape, Workload};
use std::path::PathBuf;

/// Measures what synchronisation costs, between two nodes on loopback.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// How many records.
    #[arg(long, default_value_t = 1_000)]
    records: usize,
    /// How many changes each record has, its creation among them.
    #[arg(long, default_value_t = 5)]
    changes: usize,
    /// One directory with all records (d), a space for each record (s), or both.
    #[arg(long, value_enum, default_value = "both")]
    shape: Shapes,
    /// Which workloads: w1 to w6, separated by commas. The first is always run.
    #[arg(long, value_delimiter = ',', default_value = "w1,w2,w3,w4,w5,w6")]
    workloads: Vec<Workload>,
    /// Also writes the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where the nodes live while measured: on the disk that counts.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What else this program is.
#[derive(Subcommand)]
enum Role {
    /// Runs the node in a directory.
    #[command(hide = true)]
    Node {
        /// The directory.
        directory: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Shapes {
    D,
    S,
    Both,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    if let Some(Role::Node { directory }) = arguments.role {
        return benchmark::serve(directory);
    }
    let plan = Plan {
        records: arguments.records.max(1),
        changes: arguments.changes.max(1),
        shapes: match arguments.shape {
            Shapes::D => vec![Shape::Directory],
            Shapes::S => vec![Shape::Spaces],
            Shapes::Both => vec![Shape::Directory, Shape::Spaces],
        },
        workloads: arguments.workloads.into_iter().collect(),
        directory: arguments.directory.unwrap_or_else(std::env::temp_dir),
        program: std::env::current_exe()?,
    };
    let report = benchmark::run(&plan, &|step| eprintln!("{step}"))?;
    println!("{report}");
    if let Some(file) = arguments.json {
        std::fs::write(file, serde_json::to_string_pretty(&report.json())?)?;
    }
    Ok(())
}
