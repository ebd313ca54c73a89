//! Lines of the log about what others do: so many a minute, then none until the minute is over.
//!
//! A partner may open a thousand sessions a second and break the protocol in each. Whoever reads
//! the log needs to know that, once; a line for each would fill the disk that the log is on.

use crate::limits;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);

/// Lines of one kind.
#[derive(Debug, Default)]
pub struct Restraint {
    since: Option<Instant>,
    told: u32,
    left_out: u64,
}

/// What may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// The line; so many before it were left out.
    Line {
        /// Lines of the minutes before, not told of yet.
        left_out: u64,
    },
    /// Only that lines are left out from here on.
    Last,
    /// Nothing.
    Nothing,
}

impl Restraint {
    /// What may be written now.
    pub fn tell(&mut self, now: Instant) -> Telling {
        let is_over = self.since.is_none_or(|since| now.duration_since(since) >= MINUTE);
        if is_over {
            let left_out = std::mem::take(&mut self.left_out);
            (self.since, self.told) = (Some(now), 1);
            return Telling::Line { left_out };
        }
        if self.told < limits::FOREIGN_LINES_PER_MINUTE_MAX {
            self.told += 1;
            return Telling::Line { left_out: 0 };
        }
        self.left_out = self.left_out.saturating_add(1);
        if self.left_out == 1 { Telling::Last } else { Telling::Nothing }
    }
}

/// Writes a line about what others did, if `restraint` lets it.
pub fn tell_within(restraint: &mut Restraint, line: impl FnOnce()) {
    match restraint.tell(Instant::now()) {
        Telling::Line { left_out } => {
            if left_out > 0 {
                tracing::warn!(left_out, "lines like the next were left out");
            }
            line();
        }
        Telling::Last => tracing::warn!("more lines like the last are left out for a minute"),
        Telling::Nothing => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_31_so_many_lines_a_minute_and_then_how_many_were_left_out() {
        let start = Instant::now();
        let mut restraint = Restraint::default();
        let told: Vec<_> = (0..10_000).map(|_| restraint.tell(start)).collect();
        let lines = told.iter().filter(|one| matches!(one, Telling::Line { .. })).count();
        assert_eq!(lines, limits::FOREIGN_LINES_PER_MINUTE_MAX as usize);
        assert_eq!(told.iter().filter(|one| **one == Telling::Last).count(), 1);
        let left_out = 10_000 - u64::from(limits::FOREIGN_LINES_PER_MINUTE_MAX);
        assert_eq!(restraint.tell(start + MINUTE), Telling::Line { left_out });
        assert_eq!(restraint.tell(start + MINUTE), Telling::Line { left_out: 0 });
    }
}
