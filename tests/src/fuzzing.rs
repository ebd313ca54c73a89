//! Fuzzing: seeded campaigns against everything that takes bytes from others.
//!
//! A [`Target`] makes one input after another, mostly by damaging valid ones, and hands them to the
//! code that reads them in production. It panics when a promise does not hold; that, and nothing
//! else, is a finding. Every round has a seed of its own, so a round can be run again alone, and
//! what it read is written to a file that [`Target::replay`] takes.
//!
//! The same targets run over `tests/corpus` and a few thousand mutations with the ordinary tests,
//! and for as long as one likes with `cargo run --release -p sincronia-tests --bin fuzz`.

pub mod campaign;
pub mod cast;
pub mod corpus;
pub mod dice;
pub mod gate;
pub mod mutation;
pub mod parsers;
pub mod session;

pub use campaign::{Campaign, Finding, Report};
pub use dice::Dice;

/// What became of inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that the code took.
    pub accepted: u64,
    /// Inputs that it refused.
    pub refused: u64,
    /// Comparisons after which something had to be equal or sound.
    pub compared: u64,
}

impl Tally {
    /// How many inputs were tried.
    #[must_use]
    pub const fn executions(&self) -> u64 {
        self.accepted + self.refused
    }

    /// Adds another tally.
    pub const fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.compared += other.compared;
    }
}

/// Something that takes bytes from others.
pub trait Target {
    /// One round: an input, or several that belong together. Panics on a finding.
    fn round(&mut self, dice: &mut Dice) -> Tally;

    /// The input of the round that runs or ran last.
    fn input(&self) -> Vec<u8>;

    /// Runs an input from a file. Panics on a finding.
    fn replay(&mut self, input: &[u8]) -> Tally;

    /// Valid inputs, from which a corpus starts.
    fn samples(&self) -> Vec<Vec<u8>>;
}

/// Makes a target.
pub type Make = fn() -> Box<dyn Target>;

/// The targets by name.
pub const TARGETS: &[(&str, Make)] = &[
    ("gate", || Box::new(gate::Gate::new())),
    ("session", || Box::new(session::Sessions::new())),
    ("messages", || Box::new(parsers::messages())),
    ("entries", || Box::new(parsers::entries())),
    ("identities", || Box::new(parsers::identities())),
    ("access", || Box::new(parsers::access())),
    ("keyrings", || Box::new(parsers::keyrings())),
    ("joining", || Box::new(parsers::joining())),
    ("bundles", || Box::new(parsers::bundles())),
    ("backups", || Box::new(parsers::backups())),
    ("invitations", || Box::new(parsers::invitations())),
    ("names", || Box::new(parsers::names())),
    ("words", || Box::new(parsers::words())),
    ("keystore", || Box::new(parsers::keystore())),
    ("settings", || Box::new(parsers::settings())),
    ("imports", || Box::new(parsers::imports())),
    ("answers", || Box::new(parsers::answers())),
    ("http", || Box::new(parsers::http())),
];

/// The target with a name.
#[must_use]
pub fn target(name: &str) -> Option<Box<dyn Target>> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
}
