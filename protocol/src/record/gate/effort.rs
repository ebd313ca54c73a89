//! How much the gate unfolds for one verdict, counted where tests ask: a clock would measure the
//! machine, and be right or wrong with it.

use std::cell::Cell;

thread_local! {
    static UNFOLDED: Cell<u64> = const { Cell::new(0) };
}

/// One operation of Automerge was asked for, with the values that it replaces.
pub fn note(predecessors: usize) {
    UNFOLDED.set(UNFOLDED.get() + 1 + predecessors as u64);
}

/// What `run` came to, and how many operations and values the gate unfolded for it.
pub fn of<T>(run: impl FnOnce() -> T) -> (T, u64) {
    UNFOLDED.set(0);
    let outcome = run();
    (outcome, UNFOLDED.get())
}
