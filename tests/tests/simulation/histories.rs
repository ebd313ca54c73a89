//! Random histories. `SINCRONIA_SEEDS=1000..2000`, or a count, runs more of them:
//! `SINCRONIA_SEEDS=1000 cargo test -p sincronia-tests --test simulation -- --nocapture`.

use sincronia_tests::world::{Seeds, World, play};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

const SEEDS: u64 = 80;
const LATENCY_MS_MAX: u64 = 400;

/// Plays one seed; returns the hash of its trace.
fn history(seed: u64) -> String {
    let mut world = World::new(seed, LATENCY_MS_MAX);
    let outcome = catch_unwind(AssertUnwindSafe(|| play(&mut world)));
    if let Err(cause) = outcome {
        eprintln!("seed {seed} failed; its last steps:\n{}", world.trace.last_steps());
        resume_unwind(cause);
    }
    world.trace.hash()
}

#[test]
fn random_histories_keep_every_promise() {
    let asked = std::env::var("SINCRONIA_SEEDS").ok();
    let seeds = match &asked {
        Some(text) => Seeds::read(text).expect("start..end or a count"),
        None => Seeds(0..SEEDS),
    };
    let start = Instant::now();
    let seeds: Vec<_> = seeds.0.collect();
    let count = u32::try_from(seeds.len()).expect("a number that can be run");
    let failed: Vec<_> =
        seeds.into_iter().filter(|seed| catch_unwind(|| history(*seed)).is_err()).collect();
    let seconds = start.elapsed().as_secs_f64();
    println!("{count} seeds in {seconds:.1} s, {:.1} a second", f64::from(count) / seconds);
    assert!(failed.is_empty(), "{} of {count} seeds failed: {failed:?}", failed.len());
}

#[test]
fn one_seed_is_one_run() {
    for seed in [3, 7, 11, 19] {
        assert_eq!(history(seed), history(seed), "seed {seed}");
    }
    assert_ne!(history(3), history(7));
}

#[test]
fn seeds_are_a_range_or_a_count() {
    assert_eq!(Seeds::read("12"), Some(Seeds(0..12)));
    assert_eq!(Seeds::read("5..9"), Some(Seeds(5..9)));
    assert_eq!(Seeds::read("many"), None);
}
