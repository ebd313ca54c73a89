//! Which epochs an organisation may read: what may be handed to a node of it that has no keys yet.

use super::operation::{AccessOperation, History};
use super::state::Access;
use crate::ids::OrganisationId;

/// Consecutive epochs that an organisation may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub from: u64,
    /// The last; `None` while it reads.
    pub to: Option<u64>,
}

impl Access {
    /// Notes who began and who ceased to read with `operation`, which has been performed.
    pub(super) fn note_readers(&mut self, operation: &AccessOperation) {
        // Nobody's role changes with these, and they are most of a log.
        if matches!(operation, AccessOperation::Rotate { .. } | AccessOperation::CutNode { .. }) {
            return;
        }
        let now = self.epoch();
        let before = if operation.rotation().is_some() { now.saturating_sub(1) } else { now };
        let from = match operation {
            AccessOperation::Grant { history: History::Now, .. } => now,
            _ => 0,
        };
        let roles: Vec<_> = self.members().iter().map(|(id, one)| (*id, one.role())).collect();
        for (organisation, role) in roles {
            let stretches = self.reading.entry(organisation).or_default();
            let open = stretches.last_mut().filter(|last| last.to.is_none());
            match (open, role.is_some_and(super::Role::reads)) {
                (None, true) => stretches.push(Stretch { from, to: None }),
                (Some(open), false) => open.to = Some(before),
                _ => {}
            }
        }
    }

    /// The epochs that `organisation` may read, in the order of its memberships.
    #[must_use]
    pub fn reading(&self, organisation: &OrganisationId) -> &[Stretch] {
        self.reading.get(organisation).map_or(&[], Vec::as_slice)
    }

    /// The epochs whose keys open everything that `organisation` may read: of every chain of
    /// wrapped keys the last one that it may have.
    #[must_use]
    pub fn reading_ends(&self, organisation: &OrganisationId) -> Vec<u64> {
        let stretches = self.reading(organisation);
        let last = self.epoch();
        let may = |epoch: u64| {
            stretches.iter().any(|one| one.from <= epoch && epoch <= one.to.unwrap_or(last))
        };
        let unwraps = |epoch| self.epoch_at(epoch).is_some_and(|one| one.previous.is_some());
        (0..=last)
            .filter(|epoch| may(*epoch) && !(epoch < &last && may(epoch + 1) && unwraps(epoch + 1)))
            .collect()
    }
}
