//! Records that are erased: "right to be forgotten".
//!
//! The owner's primary names the record and the places of its entries in the access log. Whoever
//! applies that entry drops, in the same batch, the bodies at those places and the record's row;
//! header, hash and signature of each entry stay, so its chain still holds.
//!
//! An edit that the owner did not know of arrives at a place that is not named. Its record is, so
//! nobody shows it; but its body is kept until it is named, for a body may be left out only where
//! everybody, carriers too, agrees that it was erased. Such places are written down in `Waiting`,
//! and the owner's primary names them by itself: [`Replica::settle_erasures`] pays the debt.
//!
//! Where a log was found forked two entries have one place, and somebody else may have signed one
//! of them: there the owner names the entries of the record by their hashes.
//!
//! Who writes into a record that it knows to be erased does so on purpose. That is not named by
//! itself, or a member could fill the access log, and with it keep the owner from removing it: it
//! stays hidden until the owner erases the record once more.
//!
//! Deliberately absent: recalling what was read or copied before, which nobody can do.

mod late;
mod missing;
mod proofs;
mod unfinished;

use super::portion::Portion;
use super::stored::StoredEntry;
use super::{Event, Growth, Replica, ReplicaError, Row, keys};
use crate::access::{AccessOperation, ErasedEntries};
use crate::crypto::EpochKey;
use crate::ids::{NodeId, RecordId, SpaceId};
use crate::limits;
use crate::log::{Header, Payload};
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use late::Named;
pub(super) use late::{is_debt, record_of};
pub use missing::Missing;
pub(super) use missing::{MissingBodies, is_note};

/// Where an entry stands.
type Place = (NodeId, u64);

/// A stretch of a node's log: node, first position, position after the last.
type Stretch = (NodeId, u64, u64);

impl Replica {
    /// Erases a record of a space that this organisation owns, for all members and for ever.
    ///
    /// # Errors
    /// [`ReplicaError::NotPermitted`] when this node does not write the space's access log,
    /// [`ReplicaError::Erased`] when it was erased before and nothing came since,
    /// [`ReplicaError::Unknown`] when no entry of it is here.
    pub fn erase(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<(), ReplicaError> {
        let summary = self.summaries.get(space).ok_or(ReplicaError::Unknown("space"))?;
        if !summary.is_of(&self.organisation()) {
            return Err(ReplicaError::NotPermitted);
        }
        self.own_term()?;
        if self.dirty.contains(space) {
            self.project_space(disk, space, &mut Portion::of(usize::MAX))?;
        }
        if self.is_erased(disk, space, record)? {
            let mut late = self.unnamed(disk, space)?;
            late.retain(|one| one.record == *record);
            late.extend(self.missing_named(disk, space, record)?);
            if late.is_empty() {
                return Err(ReplicaError::Erased);
            }
            return self.name(disk, space, *record, &late);
        }
        let row = self.load_row(disk, space, record)?;
        let mut named = self.missing_named(disk, space, record)?;
        if row.is_none() && named.is_empty() {
            return Err(ReplicaError::Unknown("record"));
        }
        named.extend(self.proven_of(disk, space, Some(record))?);
        for place in row.unwrap_or_default().places() {
            named.extend(self.sealed_at(disk, space, record, place)?);
        }
        self.name(disk, space, *record, &named)
    }

    /// Says that these entries of a record are erased.
    fn name(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: RecordId,
        named: &[Named],
    ) -> Result<(), ReplicaError> {
        let entries = self.naming(disk, space, named)?;
        self.say_erasure(disk, space, record, entries)
    }

    /// Whether a record was erased.
    ///
    /// # Errors
    /// When the store cannot be read, or the space is not here.
    pub fn is_erased(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<bool, ReplicaError> {
        if !self.summaries.contains_key(space) {
            return Err(ReplicaError::Unknown("space"));
        }
        Ok(self.space(disk, space)?.access.is_erased(record))
    }

    /// This organisation's spaces in which an erasure is to be said again, for entries that it did
    /// not name, or because it stands on a branch that does not hold.
    #[must_use]
    pub fn erasures_due(&self) -> Vec<SpaceId> {
        let own = self.organisation();
        let is_own =
            |space: &&SpaceId| self.summaries.get(space).is_some_and(|summary| summary.is_of(&own));
        self.unerased.iter().filter(is_own).copied().collect()
    }

    /// Says again, in a space of this organisation, what [`Replica::erasures_due`] asks for;
    /// nothing where this node does not write the access log.
    ///
    /// # Errors
    /// When the store cannot be read, [`ReplicaError::Cloned`] when another copy of this node runs.
    pub fn settle_erasures(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        self.settle_erasures_until(disk, space, limits::ERASURES_SETTLED_UNTIL)
    }

    /// As [`Replica::settle_erasures`], and nothing where the access log is longer than
    /// `length_max`: whoever writes into erased records makes these entries, and it must never take
    /// the places that its own removal needs. Beyond this, a person erases once more.
    ///
    /// # Errors
    /// As [`Replica::settle_erasures`].
    pub fn settle_erasures_until(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        length_max: u64,
    ) -> Result<(), ReplicaError> {
        let own = self.organisation();
        let is_own = self.summaries.get(space).is_some_and(|summary| summary.is_of(&own));
        if !is_own || self.own_term().is_err() {
            return Ok(());
        }
        if self.space(disk, space)?.access.length() > length_max {
            return Ok(());
        }
        for (record, mut entries) in self.space(disk, space)?.access.erasures_beside() {
            // Of those that erased the record one after another, each may name the same node.
            let first = entries.split_off(entries.len().min(1));
            for entries in std::iter::once(entries).chain(first.into_iter().map(|one| vec![one])) {
                self.say_erasure(disk, space, record, entries)?;
            }
        }
        let mut late: BTreeMap<RecordId, Vec<Named>> = BTreeMap::new();
        for one in self.due(disk, space)? {
            late.entry(one.record).or_default().push(one);
        }
        for (record, named) in late {
            self.name(disk, space, record, &named)?;
        }
        self.note_debt(disk, space)
    }

    /// Writes an erasure, in as many access entries as its stretches need.
    fn say_erasure(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: RecordId,
        entries: Vec<ErasedEntries>,
    ) -> Result<(), ReplicaError> {
        let from = self.space(disk, space)?.access.length();
        for entries in ErasedEntries::portions(entries) {
            self.say_access(disk, space, AccessOperation::Erase { record, entries })?;
        }
        self.refresh_summary(disk, space)?;
        self.growth.push(Growth::Access { space: *space, from });
        Ok(())
    }

    /// Drops what every branch of the access log erases, of which something is news.
    pub(super) fn carry_out_all(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        if self.space(disk, space)?.access.all().any(|one| !one.erasures().records().is_empty()) {
            self.drop_all_parts(disk)?;
        }
        self.carry_out_again(disk, space)
    }

    /// Drops what every branch of the access log erases, after entries came that it knows of.
    pub(super) fn carry_out_again(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        self.begin_erasing(space);
        let (mut records, mut stretches) = (BTreeSet::new(), BTreeSet::new());
        for branch in self.space(disk, space)?.access.all() {
            for (record, erased) in branch.erasures().records() {
                records.insert(*record);
                stretches.extend(erased.places());
            }
        }
        if !records.is_empty() {
            let records: Vec<_> = records.into_iter().collect();
            self.carry_out(disk, space, &records, stretches.into_iter().collect())?;
        }
        self.end_erasing(space);
        Ok(())
    }

    /// Drops rows of `records` and of the bodies in `stretches` those that the access log names.
    pub(super) fn carry_out(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        records: &[RecordId],
        stretches: Vec<Stretch>,
    ) -> Result<(), ReplicaError> {
        self.let_covered_go(disk, space)?;
        let (mut others, mut outcome) = (BTreeSet::new(), Ok(()));
        for stretch in stretches {
            match self.erase_bodies(disk, space, stretch, &mut others) {
                // What cannot be read keeps nothing else from going.
                Err(error @ ReplicaError::Damaged(_)) => outcome = Err(error),
                other => other?,
            }
        }
        self.erase_in_proofs(disk, space)?;
        for record in records {
            self.erase_row(disk, space, record)?;
        }
        outcome?;
        for record in others.into_iter().filter(|record| !records.contains(record)) {
            // An owner that names wrong places takes away what other records are made of.
            if self.load_row(disk, space, &record)?.is_some() {
                self.absorb(disk, space, &record, Vec::new())?;
            }
        }
        self.review_missing(disk, space)?;
        self.note_debt(disk, space)
    }

    /// Drops the erased bodies of a stretch, and adds the records they belonged to, as far as they
    /// open.
    fn erase_bodies(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        (author, from, to): Stretch,
        records: &mut BTreeSet<RecordId>,
    ) -> Result<(), ReplicaError> {
        let mut erased = Vec::new();
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let length = state.heads.get(&author).map_or(0, |head| head.position.length);
        let start = keys::entry(space, &author, from);
        let end = keys::entry(space, &author, to.min(length));
        let mut damaged = false;
        self.scan(disk, Table::Entries, &start, &end, &mut |key, value| {
            let sequence = keys::tail(key).map(u64::from_be_bytes);
            let Some((sequence, mut stored)) = sequence.zip(StoredEntry::decode(value)) else {
                damaged = true;
                return ControlFlow::Continue(());
            };
            let header = stored.header(*space, author, sequence);
            if let Some(body) = stored.body.sealed()
                && state.access.is_body_erased(&author, sequence, &header.hash(body))
            {
                records.extend(record_within(state.key_of(&header), &header, body));
                stored.body = stored.body.erased();
                erased.push((key.to_vec(), stored.encode()));
            }
            ControlFlow::Continue(())
        })?;
        for (key, stored) in erased {
            self.pending.delete(Table::Waiting, key.clone());
            self.pending.put(Table::Entries, key, stored);
        }
        if damaged { Err(ReplicaError::Damaged(Table::Entries.name())) } else { Ok(()) }
    }

    /// Drops a record's row and whatever is loaded of it, and has its entries that are not named
    /// wait for that.
    fn erase_row(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<(), ReplicaError> {
        self.records.remove(&(*space, *record));
        let Some(row) = self.load_row(disk, space, record)? else { return Ok(()) };
        let mut own_edit = false;
        for place in row.places() {
            if self.sealed_at(disk, space, record, place)?.is_some() {
                own_edit |= self.await_erasure(disk, space, record, place)?;
            }
        }
        self.events.push(Event::Erased { space: *space, record: *record, own_edit });
        self.drop_row(space, record, &row);
        Ok(())
    }

    /// Takes a row away.
    pub(super) fn drop_row(&mut self, space: &SpaceId, record: &RecordId, row: &Row) {
        self.count_row(space, Some(row), &Row::default());
        self.records.remove(&(*space, *record));
        self.pending.delete(Table::Rows, keys::row(space, record));
    }
}

/// The record that an entry belongs to, when its key is here and it opens.
pub(super) fn record_within(
    key: Option<&EpochKey>,
    header: &Header,
    body: &[u8],
) -> Option<RecordId> {
    let text = key?.open_body(&header.associated_data(), body).ok()?;
    let text = zeroize::Zeroizing::new(text);
    Payload::decode(&text).ok().map(|payload| payload.record)
}
