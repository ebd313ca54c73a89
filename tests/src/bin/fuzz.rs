//! Runs a fuzzing campaign, or one input of it again.

use clap::Parser;
use sincronia_tests::fuzzing::campaign::{guarded, memory_peak};
use sincronia_tests::fuzzing::{Campaign, Finding, Make, Report, TARGETS, corpus};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Damages valid inputs, hands them to the code that reads them, and looks whether it holds.
#[derive(Parser)]
struct Arguments {
    /// What to fuzz; without a name, all targets are listed.
    target: Option<String>,
    /// How long.
    #[arg(long)]
    seconds: Option<u64>,
    /// How many inputs.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    executions: u64,
    /// Which campaign.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first round: the one of a finding, to see it again.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// On how many threads.
    #[arg(long, default_value_t = 1)]
    threads: u64,
    /// Where inputs of findings are written.
    #[arg(long, default_value = "findings")]
    findings: PathBuf,
    /// Runs this input instead of a campaign.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Writes valid inputs into the corpus instead of running.
    #[arg(long)]
    samples: bool,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let wanted = arguments.target.as_deref().unwrap_or_default();
    let Some((name, make)) = TARGETS.iter().find(|(name, _)| *name == wanted) else {
        for (name, _) in TARGETS {
            println!("{name}");
        }
        return Ok(if wanted.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) });
    };
    if arguments.samples {
        corpus::write(name, &make().samples());
        return Ok(ExitCode::SUCCESS);
    }
    match &arguments.replay {
        Some(file) => replay(file, *make),
        None => campaign(&arguments, name, *make),
    }
}

fn replay(file: &Path, make: Make) -> io::Result<ExitCode> {
    let input = std::fs::read(file)?;
    Ok(match guarded(|| make().replay(&input)) {
        Ok(tally) => {
            println!("nothing found: {tally:?}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            println!("{message}");
            ExitCode::FAILURE
        }
    })
}

fn campaign(arguments: &Arguments, name: &str, make: Make) -> io::Result<ExitCode> {
    let campaign = Campaign {
        seed: arguments.seed,
        from: arguments.from,
        executions: arguments.executions,
        time: arguments.seconds.map(Duration::from_secs),
        threads: arguments.threads,
    };
    println!("{name}: seed {}, {} threads", campaign.seed, campaign.threads);
    let report = campaign.run(make, &|report| println!("{}", line(name, report)));
    println!("{}", line(name, &report));
    for finding in &report.findings {
        tell(name, finding, &arguments.findings)?;
    }
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(name: &str, report: &Report) -> String {
    let memory = memory_peak().map_or(0, |bytes| bytes / (1024 * 1024));
    format!(
        "{name}: {} executions in {} s, {} a second, {} accepted, {} refused, {} compared, \
         {} rounds, {memory} MiB at most, {} findings",
        report.tally.executions(),
        report.time.as_secs(),
        report.rate(),
        report.tally.accepted,
        report.tally.refused,
        report.tally.compared,
        report.rounds,
        report.findings.len(),
    )
}

fn tell(name: &str, finding: &Finding, folder: &Path) -> io::Result<()> {
    let file = folder.join(format!("{name}-{}-{}", finding.seed, finding.round));
    std::fs::create_dir_all(folder)?;
    std::fs::write(&file, &finding.input)?;
    println!("found in round {} of seed {}: {}", finding.round, finding.seed, finding.message);
    println!("read it again: fuzz {name} --replay {}", file.display());
    Ok(())
}
