//! What happened in a run: a hash of all of it, and the last steps in words.

use std::collections::VecDeque;

const LINES_MAX: usize = 400;

/// What happened in a run.
#[derive(Default)]
pub struct Trace {
    hasher: blake3::Hasher,
    lines: VecDeque<String>,
}

impl Trace {
    /// Notes one step.
    pub fn note(&mut self, line: &str) {
        self.hasher.update(line.as_bytes()).update(b"\n");
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// A short name for bytes.
    #[must_use]
    pub fn name(bytes: &[u8]) -> String {
        blake3::hash(bytes).to_hex().chars().take(12).collect()
    }

    /// The hash of every step so far.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// The last steps, one a line.
    #[must_use]
    pub fn last_steps(&self) -> String {
        self.lines.iter().flat_map(|line| ["  ", line, "\n"]).collect()
    }
}
