//! Tries mutated foreign bytes on every parser that meets them, and on a session.
//!
//! A finding ends the program with the panic's message; the input stands in the file that is named
//! at the beginning, and the seed brings it back.

use clap::Parser;
use sincronia_tests::fuzz::{self, TARGETS, Tally, Target, Until};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often it tells how far it is.
const TOLD: Duration = Duration::from_mins(1);

/// Tries mutated foreign bytes on parsers and sessions.
#[derive(Parser)]
struct Arguments {
    /// Which target; all, one after another, when none is named.
    target: Option<String>,
    /// How long each is tried.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many inputs each gets, instead of a time.
    #[arg(long)]
    executions: Option<u64>,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the input under trial is kept.
    #[arg(long, default_value = "fuzz-input.bin")]
    input: PathBuf,
    /// Tries the input of that file alone.
    #[arg(long)]
    again: bool,
}

fn main() {
    let arguments = Arguments::parse();
    println!("seed {}; the input under trial: {}", arguments.seed, arguments.input.display());
    let named = arguments.target.as_deref();
    let wanted = TARGETS.iter().filter(|target| named.is_none_or(|name| target.name == name));
    let wanted: Vec<&Target> = wanted.collect();
    if wanted.is_empty() {
        let known: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("there is no such target; there are {}", known.join(", "));
        std::process::exit(2);
    }
    for target in wanted {
        if arguments.again {
            let input = std::fs::read(&arguments.input).unwrap_or_default();
            println!("{}: {:?}", target.name, fuzz::again(target, &input));
            continue;
        }
        campaign(target, &arguments);
    }
}

fn campaign(target: &Target, arguments: &Arguments) {
    let seconds = Duration::from_secs(arguments.seconds);
    let until = arguments.executions.map_or(Until::Elapsed(seconds), Until::Executions);
    let (started, mut told) = (Instant::now(), Instant::now());
    let path = arguments.input.clone();
    // Written down only when it comes to that: a panic ends the process.
    let last = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&last);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(input) = kept.lock() {
            let _ = std::fs::write(&path, input.as_slice());
        }
        before(panic);
    }));
    let tally = fuzz::run(target, arguments.seed, until, |tally, input| {
        if let Ok(mut last) = last.lock() {
            input.clone_into(&mut last);
        }
        if told.elapsed() >= TOLD {
            told = Instant::now();
            show(target, tally, started);
        }
    });
    show(target, &tally, started);
    let _ = std::panic::take_hook();
}

fn show(target: &Target, tally: &Tally, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{}: {} executions in {seconds:.0} s, {} accepted, longest {:.1} ms",
        target.name,
        tally.executions,
        tally.accepted,
        tally.longest.as_secs_f64() * 1000.0
    );
}
