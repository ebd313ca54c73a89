//! What was asked of the nodes of a world, and what went wrong there, by kind.

use super::World;
use std::collections::BTreeMap;

/// What was asked of nodes, and what went wrong, by kind.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Operations, by kind: how often they succeeded, and how often they were refused.
    pub operations: BTreeMap<&'static str, (u64, u64)>,
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Adds what another world counted.
    pub fn add(&mut self, other: &Self) {
        for (kind, (done, refused)) in &other.operations {
            let total = self.operations.entry(kind).or_default();
            *total = (total.0 + done, total.1 + refused);
        }
        for (kind, count) in &other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
    }
}

impl World {
    pub(super) fn count_operation(&mut self, kind: &'static str, is_done: bool) {
        let total = self.tally.operations.entry(kind).or_default();
        let counter = if is_done { &mut total.0 } else { &mut total.1 };
        *counter += 1;
    }

    pub(super) fn count_fault(&mut self, kind: &'static str) {
        *self.tally.faults.entry(kind).or_default() += 1;
    }
}
