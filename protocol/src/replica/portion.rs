//! How much of a long piece of work is done in one go, and who may end it before.

/// Entries after which it is asked whether somebody waits: few enough that nobody notices, enough
/// that asking costs nothing and that whoever asks without a pause does not stop the work.
const ENTRIES_PER_QUESTION: usize = 256;

/// A portion of work, counted in entries.
pub struct Portion<'a> {
    left: usize,
    done: usize,
    is_over: &'a dyn Fn() -> bool,
}

impl Portion<'static> {
    /// So many entries, whoever waits.
    #[must_use]
    pub fn of(entries: usize) -> Self {
        Self { left: entries, done: 0, is_over: &|| false }
    }
}

impl<'a> Portion<'a> {
    /// So many entries, or fewer once `is_over`; some in any case, so that the work comes to its
    /// end.
    #[must_use]
    pub const fn until(entries: usize, is_over: &'a dyn Fn() -> bool) -> Self {
        Self { left: entries, done: 0, is_over }
    }

    /// Whether one more belongs to it.
    pub(super) fn take(&mut self) -> bool {
        let is_asked = self.done > 0 && self.done.is_multiple_of(ENTRIES_PER_QUESTION);
        if is_asked && (self.is_over)() {
            self.left = 0;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.done += 1;
        true
    }

    /// What was done of it.
    pub(super) const fn done(&self) -> usize {
        self.done
    }

    pub(super) const fn is_used_up(&self) -> bool {
        self.left == 0
    }

    /// A step that took no entry costs as one.
    pub(super) const fn spend_one(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn it_ends_when_somebody_waits_but_not_before_something_was_done() {
        let mut whole = Portion::of(1_000);
        assert_eq!(
            std::iter::repeat_with(|| whole.take()).take_while(|taken| *taken).count(),
            1_000
        );
        let asked = Cell::new(0);
        let is_over = || {
            asked.set(asked.get() + 1);
            asked.get() == 3
        };
        let mut portion = Portion::until(usize::MAX, &is_over);
        let taken = std::iter::repeat_with(|| portion.take()).take_while(|taken| *taken).count();
        assert_eq!(taken, 3 * ENTRIES_PER_QUESTION);
        assert!(portion.is_used_up() && portion.done() == taken);
        let mut hurried = Portion::until(usize::MAX, &|| true);
        let taken = std::iter::repeat_with(|| hurried.take()).take_while(|taken| *taken).count();
        assert_eq!(taken, ENTRIES_PER_QUESTION);
    }
}
