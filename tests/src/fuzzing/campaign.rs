//! A campaign: rounds of one target, on several threads, until a time, a number, or a finding.

use super::{Dice, Tally, Target};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a campaign does.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Which campaign: another seed makes other inputs.
    pub seed: u64,
    /// The first round.
    pub from: u64,
    /// Ends after so many executions.
    pub executions: u64,
    /// Ends after this time, if there is one.
    pub time: Option<Duration>,
    /// How many threads.
    pub threads: u64,
}

/// A promise that did not hold.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The campaign.
    pub seed: u64,
    /// The round of it.
    pub round: u64,
    /// What the panic said, and where.
    pub message: String,
    /// What was read.
    pub input: Vec<u8>,
}

/// How far a campaign is.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What became of the inputs.
    pub tally: Tally,
    /// How many rounds were run.
    pub rounds: u64,
    /// How long it took.
    pub time: Duration,
    /// What was found; a campaign ends a thread at its first finding.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Executions a second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let milliseconds = u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX).max(1);
        self.tally.executions().saturating_mul(1_000) / milliseconds
    }
}

/// What the threads of a campaign have done together.
#[derive(Default)]
struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
    compared: AtomicU64,
    rounds: AtomicU64,
}

impl Counters {
    fn add(&self, tally: Tally) {
        self.accepted.fetch_add(tally.accepted, Ordering::Relaxed);
        self.refused.fetch_add(tally.refused, Ordering::Relaxed);
        self.compared.fetch_add(tally.compared, Ordering::Relaxed);
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    fn report(&self, since: Instant) -> Report {
        let tally = Tally {
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            compared: self.compared.load(Ordering::Relaxed),
        };
        let rounds = self.rounds.load(Ordering::Relaxed);
        Report { tally, rounds, time: since.elapsed(), findings: Vec::new() }
    }
}

impl Campaign {
    /// Runs it; `progress` hears of it about once a minute.
    #[must_use]
    pub fn run(
        &self,
        target: fn() -> Box<dyn Target>,
        progress: &(dyn Fn(&Report) + Sync),
    ) -> Report {
        let (counters, since) = (Counters::default(), Instant::now());
        let findings = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.threads.max(1))
                .map(|worker| {
                    let counters = &counters;
                    scope.spawn(move || self.work(target, worker, counters, since, progress))
                })
                .collect();
            workers.into_iter().filter_map(|worker| worker.join().expect("a worker")).collect()
        });
        Report { findings, ..counters.report(since) }
    }

    fn work(
        &self,
        target: fn() -> Box<dyn Target>,
        worker: u64,
        counters: &Counters,
        since: Instant,
        progress: &(dyn Fn(&Report) + Sync),
    ) -> Option<Finding> {
        let mut target = target();
        let (mut round, mut told) = (self.from + worker, Instant::now());
        loop {
            let report = counters.report(since);
            let is_over = self.time.is_some_and(|time| report.time >= time);
            if is_over || report.tally.executions() >= self.executions {
                return None;
            }
            let mut dice = Dice::of_round(self.seed, round);
            match guarded(|| target.round(&mut dice)) {
                Ok(tally) => counters.add(tally),
                Err(message) => {
                    let input = target.input();
                    return Some(Finding { seed: self.seed, round, message, input });
                }
            }
            if worker == 0 && told.elapsed() >= Duration::from_mins(1) {
                told = Instant::now();
                progress(&counters.report(since));
            }
            round += self.threads.max(1);
        }
    }
}

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs something that may panic, and returns what the panic said.
///
/// # Errors
/// The message and the place of the panic.
pub fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    listen();
    LAST.with_borrow_mut(Option::take);
    IS_GUARDED.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(run));
    IS_GUARDED.set(false);
    outcome.map_err(|_| {
        LAST.with_borrow_mut(Option::take).unwrap_or_else(|| "a panic without a word".into())
    })
}

/// Panics under a guard are kept instead of printed: the record catches those of its document
/// itself, and a campaign may cause millions.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                return usual(panic);
            }
            LAST.with_borrow_mut(|last| *last = Some(panic.to_string()));
        }));
    });
}

/// The most memory that this process had, in bytes, where the system tells.
#[must_use]
pub fn memory_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(kibibytes * 1024)
}
