//! Erasures that an access log names and this node could not carry out: a place of its store could
//! not be read. Such a space stands among the settings until all of it was done, at the next start
//! for one, and as long as it does no receipt is signed: it would say what is not so.

use crate::ids::SpaceId;
use crate::replica::{Replica, ReplicaError};
use crate::storage::{Storage, Table};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Beginning of the names under which such spaces stand among the settings.
const UNFINISHED: &[u8] = b"unfinished erasures of ";

impl Replica {
    /// Writes down that something of a space is to be erased; whether that is news.
    pub(in crate::replica) fn begin_erasing(&mut self, space: &SpaceId) -> bool {
        self.pending.put(Table::Settings, name(space), Vec::new());
        self.unfinished.insert(*space)
    }

    /// Crosses out that something is to be erased: all of it was.
    pub(in crate::replica) fn end_erasing(&mut self, space: &SpaceId) {
        self.pending.delete(Table::Settings, name(space));
        self.unfinished.remove(space);
    }

    pub(in crate::replica) fn load_unfinished(
        &mut self,
        disk: &dyn Storage,
    ) -> Result<(), ReplicaError> {
        let mut spaces = BTreeSet::new();
        let end = crate::storage::prefix_end(UNFINISHED);
        disk.scan(Table::Settings, UNFINISHED, &end, &mut |key, _| {
            let space = key.get(UNFINISHED.len()..).and_then(|id| id.try_into().ok());
            spaces.extend(space.map(SpaceId::from_bytes));
            ControlFlow::Continue(())
        })?;
        self.unfinished = spaces;
        Ok(())
    }

    /// Carries out what could not be carried out before. What still cannot stays written down: a
    /// damaged store must open, or nobody could repair it.
    pub(in crate::replica) fn finish_erasing(&mut self, disk: &dyn Storage) {
        for space in self.unfinished.clone() {
            let finished = self.carry_out_all(disk, &space);
            let _ = finished.and_then(|()| self.refresh_summary(disk, &space));
        }
    }
}

/// Whether a setting says that a space has erasures to be carried out; it has no value.
pub(super) fn is_unfinished(key: &[u8]) -> bool {
    key.starts_with(UNFINISHED)
}

fn name(space: &SpaceId) -> Vec<u8> {
    [UNFINISHED, space.as_bytes()].concat()
}
