//! Random histories for as long as wanted:
//! `cargo run --release -p sincronia-tests --bin simulation -- --minutes 60`.

#![allow(clippy::print_stdout, reason = "it prints what it found")]

use clap::Parser;
use sincronia_tests::world::{Campaign, Country, Outcome, Seeds, Spread};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Plays random histories of organisations that work while things go wrong, one for each seed, and
/// checks what must hold.
#[derive(Parser)]
struct Arguments {
    /// Which seeds: a count, or `start..end`. Without it and with --minutes, all from 0 on.
    #[arg(long)]
    seeds: Option<String>,
    /// After so many minutes no history begins.
    #[arg(long)]
    minutes: Option<u64>,
    /// How many histories run at once.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// How many of the last steps are printed of a history that failed.
    #[arg(long, default_value_t = 400)]
    steps: usize,
    /// Instead of histories: so many organisations that are all well, and what they cost.
    #[arg(long, conflicts_with_all = ["seeds", "minutes"])]
    organisations: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(organisations) = arguments.organisations {
        return run_country(organisations);
    }
    let seeds = match (&arguments.seeds, arguments.minutes) {
        (Some(text), _) => Seeds::read(text),
        (None, Some(_)) => Some(Seeds(0..u64::MAX)),
        (None, None) => Some(Seeds(0..1_000)),
    };
    let Some(Seeds(seeds)) = seeds else {
        eprintln!("--seeds is a count, or start..end");
        return ExitCode::from(2);
    };
    let time = arguments.minutes.map(|minutes| Duration::from_secs(60 * minutes));
    let Arguments { threads, steps, .. } = arguments;
    let outcome = Campaign { seeds, time, threads, steps }.run(&tell);
    report(&outcome);
    if outcome.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(outcome: &Outcome, failure: Option<&str>) {
    if let (Some(steps), Some(seed)) = (failure, outcome.failed.last()) {
        eprintln!("seed {seed} failed; its last steps:\n{steps}");
        eprintln!("repeat it: simulation --seeds {seed}..{}", seed + 1);
    }
    eprintln!(
        "{:.0} s: {} histories, {:.1} a second, {} failed",
        outcome.time.as_secs_f64(),
        outcome.histories,
        rate(outcome),
        outcome.failed.len()
    );
}

#[allow(clippy::cast_precision_loss, reason = "a rate to read")]
fn rate(outcome: &Outcome) -> f64 {
    outcome.histories as f64 / outcome.time.as_secs_f64().max(0.001)
}

fn report(outcome: &Outcome) {
    println!("histories\t{}", outcome.histories);
    println!("seconds\t{:.1}", outcome.time.as_secs_f64());
    println!("histories a second\t{:.1}", rate(outcome));
    println!("frames\t{}", outcome.frames);
    println!("bytes\t{}", outcome.bytes);
    for (kind, (done, refused)) in &outcome.tally.operations {
        println!("operation {kind}\t{done} done\t{refused} refused");
    }
    for (kind, count) in &outcome.tally.faults {
        println!("fault {kind}\t{count}");
    }
    println!("failed\t{:?}", outcome.failed);
}

/// Sets a country up, lets it synchronise and work, and says what that cost.
fn run_country(organisations: usize) -> ExitCode {
    let start = Instant::now();
    let mut country = Country::prepare(1, organisations);
    let (pairs, spaces, memberships) = country.sizes();
    println!("organisations\t{organisations}");
    println!("partnerships\t{pairs}\nspaces\t{spaces}\nmemberships\t{memberships}");
    println!("set up\t{:.1} s\t{} MB resident", start.elapsed().as_secs_f64(), resident());
    let tell = &mut |country: &Country| {
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("{seconds:.0} s: {} events, {} MB resident", country.events(), resident());
    };
    country.open_links();
    country.run_until_quiet(tell);
    describe("first synchronisation", &country, start);
    country.work();
    country.run_until_quiet(tell);
    describe("after work", &country, start);
    let disagreements = country.disagreements();
    println!("spaces whose members disagree\t{disagreements}");
    if disagreements == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn describe(moment: &str, country: &Country, start: Instant) {
    let survey = country.survey();
    println!("{moment}");
    println!("  wall time\t{:.1} s", start.elapsed().as_secs_f64());
    println!("  own time\t{:.1} s", Duration::from_millis(survey.milliseconds).as_secs_f64());
    println!("  events\t{}\n  refused\t{}", survey.events, survey.refused);
    let spread = |what: &str, Spread { median, p99, max }: Spread| {
        println!("  {what}, by node\tmedian {median}\tp99 {p99}\tmax {max}");
    };
    spread("frames received", survey.messages);
    spread("bytes received", survey.bytes);
    spread("bytes stored", survey.stored);
    println!("  resident\t{} MB", resident());
}

/// Memory of this process in megabytes, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kilobytes.map_or(0, |kilobytes: u64| kilobytes / 1024)
}
