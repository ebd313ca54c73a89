//! Many histories, on several threads, for as long as wanted.

use super::{Tally, World, play};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long the longest frame of a history is under way.
const LATENCY_MS_MAX: u64 = 400;
/// Pause between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);

/// What to run.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Which seeds, in order.
    pub seeds: Range<u64>,
    /// No history begins after this time.
    pub time: Option<Duration>,
    /// How many run at once.
    pub threads: usize,
    /// How many of the last steps are told of a history that failed.
    pub steps: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Histories played.
    pub histories: u64,
    /// Seeds whose history did not keep a promise.
    pub failed: Vec<u64>,
    /// What was asked and what went wrong.
    pub tally: Tally,
    /// Frames that arrived.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Wall time.
    pub time: Duration,
}

/// Plays one seed, remembering so many steps; the world and the hash of its trace.
///
/// # Errors
/// The last steps in words, when a promise was not kept; the panic was printed.
pub fn play_seed(seed: u64, steps: usize) -> Result<(World, String), String> {
    let mut world = World::new(seed, LATENCY_MS_MAX);
    world.trace.remembered = steps;
    match catch_unwind(AssertUnwindSafe(|| play(&mut world))) {
        Ok(()) => {
            let hash = world.trace.hash();
            Ok((world, hash))
        }
        Err(_) => Err(world.trace.last_steps()),
    }
}

impl Campaign {
    /// Runs it; `tell` hears of progress now and then, and of every failure with its last steps.
    pub fn run(&self, tell: &(dyn Fn(&Outcome, Option<&str>) + Sync)) -> Outcome {
        let start = Instant::now();
        let next = AtomicU64::new(self.seeds.start);
        let outcome = Mutex::new(Outcome::default());
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let work = || self.work(&next, start, &outcome, tell);
            let workers: Vec<_> = (0..self.threads.max(1)).map(|_| scope.spawn(work)).collect();
            let watcher = scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    thread::park_timeout(PROGRESS);
                    let mut outcome = outcome.lock().expect("nobody panics with it");
                    outcome.time = start.elapsed();
                    tell(&outcome, None);
                }
            });
            for worker in workers {
                worker.join().expect("failures are caught");
            }
            is_over.store(true, Ordering::Relaxed);
            watcher.thread().unpark();
        });
        outcome.into_inner().expect("nobody panics with it")
    }

    fn work(
        &self,
        next: &AtomicU64,
        start: Instant,
        outcome: &Mutex<Outcome>,
        tell: &(dyn Fn(&Outcome, Option<&str>) + Sync),
    ) {
        let has_time = || self.time.is_none_or(|time| start.elapsed() < time);
        while has_time() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.seeds.end {
                return;
            }
            let played = play_seed(seed, self.steps);
            let mut outcome = outcome.lock().expect("nobody panics with it");
            outcome.histories += 1;
            outcome.time = start.elapsed();
            match played {
                Ok((world, _)) => {
                    outcome.tally.add(&world.tally);
                    outcome.frames += world.delivered.0;
                    outcome.bytes += world.delivered.1;
                }
                Err(steps) => {
                    outcome.failed.push(seed);
                    tell(&outcome, Some(&steps));
                }
            }
        }
    }
}
