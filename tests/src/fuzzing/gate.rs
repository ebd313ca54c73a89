//! The gate: changes that a hostile member could send, on every kind of record.
//!
//! A round takes a record with a past, writes up to sixteen damaged changes into it as they would
//! arrive, and then looks whether the record still stands: Automerge holds what was accepted, saves
//! it, loads it, and reads it as the quick reading does. Now and then it also builds the record in
//! another order, which must show the same, and lets a person edit it, which must be accepted.
//!
//! An input is a kind and a list of changes with their authors, from the creation on.

mod beginning;
mod change;
mod content;
mod world;

use super::{Dice, Tally, Target};
use beginning::{Beginning, beginnings};
use world::World;

/// Changes that one round tries.
const STEPS_MAX: usize = 16;

/// The gate as a target.
pub struct Gate {
    beginnings: Vec<Beginning>,
    world: World,
}

impl Gate {
    /// With a few histories of every kind of record.
    #[must_use]
    pub fn new() -> Self {
        let beginnings = beginnings();
        let world = beginnings[0].world.clone();
        Self { beginnings, world }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Target for Gate {
    fn round(&mut self, dice: &mut Dice) -> Tally {
        let beginning = dice.pick(&self.beginnings);
        self.world.clone_from(&beginning.world);
        let mut tally = Tally::default();
        for _ in 0..=dice.below(STEPS_MAX) {
            let (author, bytes) = change::hostile(&self.world, beginning, dice);
            if self.world.step(author, bytes) {
                tally.accepted += 1;
            } else {
                tally.refused += 1;
            }
        }
        if tally.accepted > 0 {
            self.world.check();
            tally.compared += 1;
        }
        if dice.one_in(8) {
            self.world.check_history();
            tally.compared += 1;
        }
        if dice.one_in(16) {
            self.world.check_other_order(dice);
            tally.compared += 1;
        }
        if dice.one_in(4) {
            content::edit(&mut self.world, dice);
            self.world.check();
            tally.compared += 1;
        }
        tally
    }

    fn input(&self) -> Vec<u8> {
        self.world.encode()
    }

    fn replay(&mut self, input: &[u8]) -> Tally {
        let mut tally = Tally::default();
        let Some((kind, steps)) = World::decode(input) else { return tally };
        self.world = World::new(kind);
        for (author, bytes) in steps {
            if self.world.step(author, bytes) {
                tally.accepted += 1;
                self.world.check();
                self.world.check_history();
                tally.compared += 1;
            } else {
                tally.refused += 1;
            }
        }
        for order in 0..4 {
            self.world.check_other_order(&mut Dice::of_round(0, order));
            tally.compared += 1;
        }
        tally
    }

    fn samples(&self) -> Vec<Vec<u8>> {
        self.beginnings.iter().map(|beginning| beginning.world.encode()).collect()
    }
}
