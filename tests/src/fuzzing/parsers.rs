//! Everything that is read from bytes alone: one target for each sort of reader.
//!
//! A parser is a few valid inputs and a function that reads one, says whether it was taken, and
//! panics when a promise does not hold: what is read is written the same, what is signed cannot be
//! something else.

mod backups;
mod bundles;
mod client;
mod files;
mod http;
mod logs;
mod texts;
mod vectors;
mod wire;

use super::{Dice, Tally, Target, corpus, mutation};

pub use backups::backups;
pub use bundles::bundles;
pub use client::{answers, imports};
pub use files::{keystore, settings};
pub use http::http;
pub use logs::{access, identities, keyrings};
pub use texts::{invitations, names, words};
pub use wire::{entries, joining, messages};

/// Inputs that one round tries.
const TRIES: usize = 64;

/// How inputs are damaged.
#[derive(Clone, Copy)]
pub enum Form {
    /// As bytes.
    Bytes,
    /// As text, with words that the reader looks at.
    Text(&'static [&'static str]),
}

/// Reads an input, and says whether it was taken.
type Reader = Box<dyn FnMut(&[u8]) -> bool>;

/// A reader as a target.
pub struct Parser {
    samples: Vec<Vec<u8>>,
    pool: Vec<Vec<u8>>,
    form: Form,
    bytes_max: usize,
    read: Reader,
    input: Vec<u8>,
}

impl Parser {
    /// A reader with valid inputs; the committed corpus of `name` joins them.
    pub fn new(
        name: &str,
        form: Form,
        samples: Vec<Vec<u8>>,
        read: impl FnMut(&[u8]) -> bool + 'static,
    ) -> Self {
        let committed = corpus::read(name).into_iter().map(|(_, input)| input);
        let pool: Vec<_> = samples.iter().cloned().chain(committed).collect();
        assert!(!pool.is_empty(), "no sample of {name}");
        let longest = pool.iter().map(Vec::len).max().unwrap_or(0);
        let (read, input) = (Box::new(read), Vec::new());
        Self { samples, pool, form, bytes_max: longest * 2 + 1_024, read, input }
    }

    fn try_input(&mut self) -> bool {
        (self.read)(&self.input)
    }
}

impl Target for Parser {
    fn round(&mut self, dice: &mut Dice) -> Tally {
        let mut tally = Tally::default();
        let mut base = dice.pick(&self.pool).clone();
        for _ in 0..TRIES {
            self.input.clone_from(&base);
            let most = self.bytes_max;
            match self.form {
                Form::Bytes => mutation::bytes(&mut self.input, &self.pool, most, dice),
                Form::Text(words) => {
                    mutation::text(&mut self.input, words, &self.pool, most, dice);
                }
            }
            if self.try_input() {
                tally.accepted += 1;
                // What was taken is damaged further: farther from what anybody wrote.
                if dice.one_in(2) {
                    base.clone_from(&self.input);
                }
            } else {
                tally.refused += 1;
            }
        }
        tally
    }

    fn input(&self) -> Vec<u8> {
        self.input.clone()
    }

    fn replay(&mut self, input: &[u8]) -> Tally {
        self.input = input.to_vec();
        let is_taken = self.try_input();
        Tally { accepted: is_taken.into(), refused: (!is_taken).into(), compared: 0 }
    }

    fn samples(&self) -> Vec<Vec<u8>> {
        self.samples.clone()
    }
}
