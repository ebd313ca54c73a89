//! What happened in a run: a hash of all of it, and the last steps in words.

use std::collections::VecDeque;

/// Steps remembered in words unless more are asked for.
const LINES: usize = 400;

/// What happened in a run.
pub struct Trace {
    hasher: blake3::Hasher,
    lines: VecDeque<String>,
    /// How many of the last steps are remembered in words.
    pub remembered: usize,
}

impl Default for Trace {
    fn default() -> Self {
        let (hasher, lines) = (blake3::Hasher::new(), VecDeque::new());
        Self { hasher, lines, remembered: LINES }
    }
}

impl Trace {
    /// Notes one step.
    pub fn note(&mut self, line: &str) {
        self.hasher.update(line.as_bytes()).update(b"\n");
        if self.lines.len() >= self.remembered {
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
