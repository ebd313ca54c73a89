//! Every target over its corpus and a few thousand mutations. Longer campaigns:
//! `cargo run --release -p sincronia-tests --bin fuzz -- TARGET --seconds 600`.
//!
//! `SINCRONIA_FUZZ_SEED` asks for other mutations.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

use sincronia_tests::fuzzing::campaign::guarded;
use sincronia_tests::fuzzing::{Campaign, TARGETS, corpus, target};

/// Runs the corpus of a target, and then so many mutations.
fn run(name: &str, executions: u64) {
    let seed = std::env::var("SINCRONIA_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    let (_, make) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let inputs = corpus::read(name);
    assert!(!inputs.is_empty(), "{name} has no corpus: fuzz {name} --samples writes one");
    let mut replayed = make();
    for (file, input) in inputs {
        let outcome = guarded(|| replayed.replay(&input));
        assert_eq!(outcome.err(), None, "tests/corpus/{name}/{file}");
    }
    let campaign =
        Campaign { seed: seed.unwrap_or(1), from: 0, executions, time: None, threads: 1 };
    let report = campaign.run(*make, &|_| {});
    let told = report.findings.iter().map(|one| {
        format!("fuzz {name} --seed {} --from {}: {}", one.seed, one.round, one.message)
    });
    assert_eq!(told.collect::<Vec<_>>(), Vec::<String>::new());
    let tally = report.tally;
    assert!(tally.accepted > 0 && tally.refused > 0, "{name} sees only one side: {tally:?}");
}

macro_rules! fuzzed {
    ($($name:ident: $target:literal, $executions:literal;)+) => {
        $(
            #[test]
            fn $name() {
                run($target, $executions);
            }
        )+

        const TESTED: &[&str] = &["gate", $($target),+];
    };
}

fuzzed! {
    sessions: "session", 1_500;
    messages: "messages", 5_000;
    entries: "entries", 5_000;
    identity_logs: "identities", 2_000;
    access_logs: "access", 2_000;
    keyrings: "keyrings", 500;
    joinings: "joining", 2_000;
    bundles: "bundles", 1_000;
    backup_files: "backups", 600;
    invitations: "invitations", 2_000;
    names: "names", 5_000;
    recovery_words: "words", 1_000;
    keystore_files: "keystore", 3_000;
    settings: "settings", 3_000;
    imports: "imports", 2_000;
    answers_of_the_api: "answers", 3_000;
    requests_to_a_node: "http", 256;
}

#[test]
fn threat_08_the_gate_accepts_nothing_that_does_not_save_load_and_compare() {
    run("gate", 3_000);
}

#[test]
fn every_target_is_run_here() {
    for (name, _) in TARGETS {
        assert!(TESTED.contains(name), "{name} is a target, and no test runs it");
        assert!(target(name).is_some());
    }
}
