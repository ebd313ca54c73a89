//! A short run of what `cargo run -p sincronia-tests --bin endurance` does for longer.

use sincronia_tests::endurance::{Damage, damage, kills};
use sincronia_tests::federation;

const SEED: u64 = 20_261_124;

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

#[test]
fn whoever_is_killed_loses_nothing_that_was_acknowledged() {
    println!("seed {SEED}");
    let found = kills(12, SEED, |_| {});
    println!("{found:?}");
    assert_eq!((found.kills, found.lost), (12, 0));
    assert!(found.problems.is_empty() && found.acknowledged > 0, "{found:?}");
}

#[test]
fn damage_in_a_store_is_said_and_never_shown_as_if_it_were_sound() {
    println!("seed {SEED}");
    let found = damage(60, SEED);
    println!("{found:?}");
    let Damage { tries, silent, panics, .. } = found;
    assert_eq!((tries, silent, panics), (60, 0, 0), "{found:?}");
}
