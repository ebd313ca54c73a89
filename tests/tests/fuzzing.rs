//! A short campaign on every target; `cargo run --release -p sincronia-tests --bin fuzz` goes on
//! for longer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use sincronia_tests::fuzz::{TARGETS, Until, run, target};
use sincronia_tests::gate_campaign::Campaign;
use sincronia_tests::gate_campaign::gate::Gate;

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
fn threat_08_the_gate_accepts_nothing_that_does_not_save_load_and_compare() {
    let campaign = Campaign { seed: 1, from: 0, executions: 1_500, time: None, threads: 1 };
    let report = campaign.run(|| Box::new(Gate::new()), &|_| {});
    let told = report.findings.iter().map(|one| {
        format!("fuzz_gate gate --seed {} --from {}: {}", one.seed, one.round, one.message)
    });
    assert_eq!(told.collect::<Vec<_>>(), Vec::<String>::new());
    let tally = report.tally;
    assert!(tally.accepted > 0 && tally.refused > 0 && tally.compared > 0, "{tally:?}");
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
