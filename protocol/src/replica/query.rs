//! What an application asks: spaces, rows, history, what does not count.

use super::row::{QuarantineReason, Row};
use super::waiting::UNREADABLE;
use super::{Replica, ReplicaError, SetAside, Summary, keys};
use crate::access::Role;
use crate::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use crate::record::{HistoryItem, Kind, View, kind_of};
use crate::storage::{Storage, Table};
use std::ops::ControlFlow;

/// A record as listed.
#[derive(Clone, Debug)]
pub struct RecordRow {
    /// The space.
    pub space: SpaceId,
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// What it shows.
    pub view: View,
    /// Entries: all, not counting, waiting, of a newer version.
    pub entries: EntryCount,
}

/// How many entries a record has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryCount {
    /// All.
    pub all: u64,
    /// Those that do not count.
    pub quarantined: u64,
    /// Those that wait for others.
    pub waiting: u64,
    /// Those of operations this program does not know.
    pub newer: u64,
}

/// A space as its members see it.
#[derive(Clone, Debug)]
pub struct SpaceView {
    /// The space.
    pub space: SpaceId,
    /// Owner, members, counts.
    pub summary: Summary,
    /// The number of the current epoch.
    pub epoch: u64,
    /// Whether this node holds its key.
    pub has_key: bool,
    /// Entries that are here, whether this node can read them or not.
    pub entries: u64,
    /// Entries that could not be read yet: their key or their part of the access log is missing.
    pub waiting: u64,
    /// Entries that cannot be read although the key is here: their author made them so.
    pub unreadable: u64,
    /// The organisation that may take the space over.
    pub offered: Option<OrganisationId>,
    /// What was validly written into the access log, does not hold, and was not done again since.
    pub aside: Vec<SetAside>,
}

/// An entry that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The space.
    pub space: SpaceId,
    /// The record.
    pub record: RecordId,
    /// The author.
    pub author: NodeId,
    /// Its organisation.
    pub organisation: Option<OrganisationId>,
    /// Position in the author's log.
    pub sequence: u64,
    /// Why.
    pub reason: QuarantineReason,
}

/// One step in a record's history.
pub type HistoryEntry = HistoryItem;

impl Replica {
    /// Every space here with its summary, those this organisation has left among them.
    pub fn summaries(&self) -> impl Iterator<Item = (&SpaceId, &Summary)> {
        self.summaries.iter()
    }

    /// The summary of a space.
    #[must_use]
    pub fn summary(&self, space: &SpaceId) -> Option<&Summary> {
        self.summaries.get(space)
    }

    /// Whether `organisation` was a member of a space and was removed: what is shared by itself
    /// must never bring back whom a person removed.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when the space is not here.
    pub fn was_removed(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: &OrganisationId,
    ) -> Result<bool, ReplicaError> {
        Ok(self.space(disk, space)?.access.farewell(organisation).is_some())
    }

    /// This organisation's role in a space.
    #[must_use]
    pub fn own_role(&self, space: &SpaceId) -> Option<Role> {
        self.summaries.get(space).and_then(|summary| summary.role(&self.organisation()))
    }

    /// The organisation that may take a space over.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when it is not here.
    pub fn offered(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Option<OrganisationId>, ReplicaError> {
        Ok(self.space(disk, space)?.access.offered())
    }

    /// A space in detail.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when it is not here.
    pub fn space_view(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<SpaceView, ReplicaError> {
        let summary = self.summaries.get(space).cloned().ok_or(ReplicaError::Unknown("space"))?;
        let (mut waiting, mut unreadable) = (0, 0);
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Waiting, &from, &to, &mut |_, mark| {
            if mark == UNREADABLE {
                unreadable += 1;
            } else if mark.is_empty() {
                waiting += 1;
            }
            ControlFlow::Continue(())
        })?;
        let aside = self.to_do_again(disk, space)?;
        let state = self.space(disk, space)?;
        let entries = state.heads.values().map(|head| head.position.length).sum();
        let epoch = state.access.epoch();
        let has_key = state.key_at(epoch).is_some();
        let offered = state.access.offered();
        let space = *space;
        Ok(SpaceView {
            space,
            summary,
            epoch,
            has_key,
            entries,
            waiting,
            unreadable,
            offered,
            aside,
        })
    }

    /// A record as it is shown.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when it is not here or nothing of it counts.
    pub fn row(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<RecordRow, ReplicaError> {
        let row = self.load_row(disk, space, record)?;
        row.and_then(|row| shown(space, record, &row)).ok_or(ReplicaError::Unknown("record"))
    }

    /// Visits the records shown, of one space or of all, of one kind or of all.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn rows(
        &self,
        disk: &dyn Storage,
        space: Option<&SpaceId>,
        kind: Option<Kind>,
        visit: &mut dyn FnMut(RecordRow) -> ControlFlow<()>,
    ) -> Result<(), ReplicaError> {
        self.visit_rows(disk, space, kind, &mut |space, record, row| {
            shown(space, record, row).map_or(ControlFlow::Continue(()), &mut *visit)
        })
    }

    fn visit_rows(
        &self,
        disk: &dyn Storage,
        space: Option<&SpaceId>,
        kind: Option<Kind>,
        visit: &mut dyn FnMut(&SpaceId, &RecordId, &Row) -> ControlFlow<()>,
    ) -> Result<(), ReplicaError> {
        let (from, to) =
            space.map_or((Vec::new(), vec![u8::MAX; 49]), |space| keys::all(space.as_bytes()));
        let mut failure = None;
        self.scan(disk, Table::Rows, &from, &to, &mut |key, sealed| {
            let (Some(space), Some(record)) = (keys::part(key, 0), keys::tail(key)) else {
                return ControlFlow::Continue(());
            };
            let (space, record) = (SpaceId::from_bytes(space), RecordId::from_bytes(record));
            if kind.is_some() && kind_of(&record) != kind {
                return ControlFlow::Continue(());
            }
            match self.open_row(key, sealed) {
                Ok(row) => visit(&space, &record, &row),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failure.map_or(Ok(()), Err)
    }

    /// How many records there are of each kind, without opening them: a record that shows nothing
    /// (all its entries are quarantined or waiting) is counted too.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count_records(&self, disk: &dyn Storage) -> Result<Vec<(Kind, u64)>, ReplicaError> {
        let mut counts: Vec<_> = Kind::ALL.iter().map(|kind| (*kind, 0)).collect();
        self.scan(disk, Table::Rows, &[], &[u8::MAX; 49], &mut |key, _| {
            let record = keys::tail(key).map(RecordId::from_bytes);
            let kind = record.and_then(|record| kind_of(&record));
            if let Some((_, count)) = counts.iter_mut().find(|(one, _)| Some(*one) == kind) {
                *count += 1;
            }
            ControlFlow::Continue(())
        })?;
        Ok(counts)
    }

    /// Who changed what in a record, oldest first.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when it is not here.
    pub fn history(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<Vec<HistoryEntry>, ReplicaError> {
        Ok(self.record(disk, space, record)?.history())
    }

    /// Entries that do not count, with the reason.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn quarantine(&self, disk: &dyn Storage) -> Result<Vec<Quarantined>, ReplicaError> {
        let mut found = Vec::new();
        let concerned: Vec<_> = self
            .summaries
            .iter()
            .filter(|(_, summary)| summary.quarantined > 0)
            .map(|(space, _)| *space)
            .collect();
        for space in concerned {
            let heads = self.load_heads(disk, &space)?;
            self.visit_rows(disk, Some(&space), None, &mut |space, record, row| {
                for ((author, sequence), reason) in &row.quarantined {
                    if let Some(author) = row.author(*author) {
                        found.push(Quarantined {
                            space: *space,
                            record: *record,
                            author,
                            organisation: heads.get(&author).map(|head| head.organisation),
                            sequence: *sequence,
                            reason: *reason,
                        });
                    }
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(found)
    }
}

fn shown(space: &SpaceId, record: &RecordId, row: &Row) -> Option<RecordRow> {
    Some(RecordRow {
        space: *space,
        record: *record,
        kind: kind_of(record)?,
        view: row.view()?,
        entries: EntryCount {
            all: row.entries.len() as u64,
            quarantined: row.quarantined.len() as u64,
            waiting: row.waiting,
            newer: row.newer,
        },
    })
}
