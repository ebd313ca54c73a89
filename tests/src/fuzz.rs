//! Foreign bytes, mutated: every parser that meets them, and a session as a whole.
//!
//! A target takes bytes that began as something valid (the golden vectors, and samples of files
//! that people hand in) and were changed; it must not panic, not take long, and whatever it accepts
//! it must write again as the same bytes where the format has one encoding. Everything follows from
//! a seed, so a finding is a number. There is no coverage feedback: mutations know the shape of
//! CBOR and of tables instead. The gate of records has a campaign of its own beside it
//! (`protocol/src/record/tests/fuzz.rs`).

mod conversation;
mod files;
mod formats;
mod mutation;
mod samples;

use mutation::Mutator;
use std::time::{Duration, Instant};

/// What became of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Accepted,
    /// It was refused.
    Refused,
}

impl Verdict {
    /// Accepted when `holds`.
    #[must_use]
    pub const fn when(holds: bool) -> Self {
        if holds { Self::Accepted } else { Self::Refused }
    }
}

/// Something that takes foreign bytes.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    samples: fn() -> Vec<Vec<u8>>,
    execute: fn(&[u8]) -> Verdict,
}

/// Every target.
pub const TARGETS: [Target; 21] = [
    Target { name: "message", samples: samples::binary, execute: formats::message },
    Target { name: "join-message", samples: samples::binary, execute: formats::join_message },
    Target { name: "identity-log", samples: samples::binary, execute: formats::identity_log },
    Target { name: "access-log", samples: samples::binary, execute: formats::access_log },
    Target { name: "run", samples: samples::binary, execute: formats::run },
    Target { name: "change", samples: samples::binary, execute: formats::change },
    Target { name: "keyring", samples: samples::binary, execute: formats::keyring },
    Target { name: "receipt", samples: samples::binary, execute: formats::receipt },
    Target { name: "bundle", samples: samples::binary, execute: files::bundle },
    Target { name: "backup", samples: samples::binary, execute: files::backup },
    Target { name: "backup-items", samples: samples::items, execute: files::backup_items },
    Target { name: "invitation", samples: samples::texts, execute: formats::invitation },
    Target { name: "machine", samples: samples::texts, execute: formats::machine },
    Target { name: "ids", samples: samples::texts, execute: formats::ids },
    Target { name: "recovery-words", samples: samples::texts, execute: formats::recovery_words },
    Target { name: "import-table", samples: samples::tables, execute: files::import },
    Target { name: "import-json", samples: samples::documents, execute: files::import },
    Target { name: "api-json", samples: samples::documents, execute: files::requests },
    Target { name: "settings", samples: samples::settings, execute: files::settings },
    Target { name: "keystore", samples: samples::keystores, execute: files::keystore },
    Target { name: "session", samples: samples::seeds, execute: conversation::session },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// What a campaign came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs tried.
    pub executions: u64,
    /// Of these, taken.
    pub accepted: u64,
    /// The longest that one took.
    pub longest: Duration,
}

/// Until when a campaign goes on.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// So many inputs.
    Executions(u64),
    /// This long.
    Elapsed(Duration),
}

impl Until {
    fn is_over(self, tally: &Tally, started: Instant) -> bool {
        match self {
            Self::Executions(number) => tally.executions >= number,
            Self::Elapsed(time) => started.elapsed() >= time,
        }
    }
}

/// Tries mutations of a target's samples, first the samples themselves; `told` hears of each input
/// before it is tried, so that a finding can be written down.
///
/// # Panics
/// When a target does not keep its promise.
pub fn run(target: &Target, seed: u64, until: Until, mut told: impl FnMut(&Tally, &[u8])) -> Tally {
    let samples = (target.samples)();
    let mut mutator = Mutator::new(seed, samples.clone());
    let (mut tally, started) = (Tally::default(), Instant::now());
    let mut samples = samples.into_iter();
    while !until.is_over(&tally, started) {
        let input = samples.next().unwrap_or_else(|| mutator.next());
        told(&tally, &input);
        let begun = Instant::now();
        let verdict = (target.execute)(&input);
        tally.longest = tally.longest.max(begun.elapsed());
        tally.executions += 1;
        tally.accepted += u64::from(verdict == Verdict::Accepted);
        if verdict == Verdict::Accepted {
            // What is taken leads further than what is refused at the first byte.
            mutator.keep(input);
        }
    }
    tally
}

/// Tries one input.
#[must_use]
pub fn again(target: &Target, input: &[u8]) -> Verdict {
    (target.execute)(input)
}
