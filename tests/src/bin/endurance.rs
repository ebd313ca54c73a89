//! Faults of the machine under real nodes, for as long as one likes.

use clap::{Parser, Subcommand};
use sincronia_tests::endurance::{damage, kills};
use sincronia_tests::federation;

/// Faults of the machine under real nodes.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Kills processes while they write and synchronise.
    Kills {
        /// How often.
        #[arg(long, default_value_t = 100)]
        rounds: usize,
        /// The seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Damages store files.
    Damage {
        /// How often.
        #[arg(long, default_value_t = 1_000)]
        tries: usize,
        /// The seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() {
    // The nodes are processes of this same program.
    federation::run_if_asked();
    match Arguments::parse().what {
        What::Kills { rounds, seed } => {
            let found = kills(rounds, seed, |found| {
                if found.kills % 25 == 0 {
                    println!("{} kills, {} writes acknowledged", found.kills, found.acknowledged);
                }
            });
            println!("{found:?}");
            assert!(found.lost == 0 && found.problems.is_empty(), "something was lost");
        }
        What::Damage { tries, seed } => {
            std::panic::set_hook(Box::new(|_| {}));
            let found = damage(tries, seed);
            println!("{found:?}");
            assert!(found.silent == 0 && found.panics == 0, "damage was not named");
        }
    }
}
