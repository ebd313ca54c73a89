//! A short campaign on every target; `cargo run --release -p sincronia-tests --bin fuzz` goes on
//! for longer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use sincronia_tests::fuzz::{TARGETS, Until, run, target};

/// Inputs of each target: more where one costs microseconds.
fn executions(name: &str) -> u64 {
    match name {
        "session" => 40,
        "keystore" => 60,
        "backup" => 400,
        _ => 3_000,
    }
}

#[test]
fn no_parser_breaks_on_mutated_input() {
    let seed = 20_261_123;
    println!("seed {seed}");
    for target in &TARGETS {
        let tally = run(target, seed, Until::Executions(executions(target.name)), |_, _| {});
        println!("{}: {tally:?}", target.name);
        assert_eq!(tally.executions, executions(target.name));
        // Samples that are all refused would try nothing behind the first check.
        let never = ["keyring", "run", "identity-log"];
        assert!(tally.accepted > 0 || never.contains(&target.name), "{}", target.name);
    }
}

#[test]
fn the_same_seed_tries_the_same_inputs() {
    let inputs = || {
        let mut seen = Vec::new();
        run(target("ids").unwrap(), 3, Until::Executions(500), |_, input| {
            seen.push(input.to_vec());
        });
        seen
    };
    assert_eq!(inputs(), inputs());
}
