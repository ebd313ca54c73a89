//! Parts of bundles whose other parts have not come yet, and bundles that have been imported.

use super::super::{Replica, ReplicaError, keys};
use crate::codec;
use crate::limits;
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use minicbor::bytes::ByteArray;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Where the bundles that were imported are remembered.
const IMPORTED: &str = "bundles-imported";
/// Bytes of the time before each part.
const TIME_BYTES: usize = 8;

/// Numbers of parts, by bundle.
type PartsKept = BTreeMap<[u8; 32], BTreeSet<u32>>;

/// The parts of one bundle that wait.
#[derive(Default)]
struct Waiting {
    last: u64,
    bytes: u64,
    numbers: BTreeSet<u32>,
}

impl Replica {
    /// Keeps a part of a bundle until the others come. When too much waits, what has waited longest
    /// is dropped.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn keep_part(
        &mut self,
        disk: &dyn Storage,
        bundle: &[u8; 32],
        number: u32,
        part: &[u8],
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let value = [&now.milliseconds().to_be_bytes(), part].concat();
        self.pending.put(Table::Parts, keys::part_of(bundle, number), value);
        let mut waiting = self.waiting_parts(disk)?;
        let mut bytes: u64 = waiting.values().map(|one| one.bytes).sum();
        waiting.remove(bundle);
        while bytes > limits::PARTS_KEPT_BYTES_MAX {
            let oldest = waiting.iter().min_by_key(|(_, one)| one.last).map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            if let Some(dropped) = waiting.remove(&oldest) {
                bytes = bytes.saturating_sub(dropped.bytes);
                self.delete_parts(&oldest, &dropped.numbers);
            }
        }
        Ok(())
    }

    /// Drops the parts of bundles of which none came any more for long: nobody looks for the rest.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn drop_old_parts(
        &mut self,
        disk: &dyn Storage,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let waiting = self.waiting_parts(disk)?;
        let is_old =
            |one: &Waiting| now.milliseconds().saturating_sub(one.last) > limits::PARTS_KEPT_MS;
        for (bundle, old) in waiting.iter().filter(|(_, one)| is_old(one)) {
            self.delete_parts(bundle, &old.numbers);
        }
        Ok(())
    }

    fn waiting_parts(
        &self,
        disk: &dyn Storage,
    ) -> Result<BTreeMap<[u8; 32], Waiting>, ReplicaError> {
        let mut found: BTreeMap<[u8; 32], Waiting> = BTreeMap::new();
        self.scan(disk, Table::Parts, &[], &[u8::MAX; 37], &mut |key, value| {
            if let (Some(bundle), Some(number)) = (keys::part(key, 0), keys::tail(key)) {
                let waiting = found.entry(bundle).or_default();
                let at: Option<[u8; TIME_BYTES]> = keys::part(value, 0);
                waiting.last = waiting.last.max(at.map_or(0, u64::from_be_bytes));
                waiting.bytes += value.len() as u64;
                waiting.numbers.insert(u32::from_be_bytes(number));
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// The bundles of which parts wait here for others, and the numbers of these parts, from 0.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bundles_waiting(&self, disk: &dyn Storage) -> Result<PartsKept, ReplicaError> {
        let waiting = self.waiting_parts(disk)?;
        Ok(waiting.into_iter().map(|(bundle, one)| (bundle, one.numbers)).collect())
    }

    /// The numbers of the parts of a bundle that wait here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn parts_kept(
        &self,
        disk: &dyn Storage,
        bundle: &[u8; 32],
    ) -> Result<BTreeSet<u32>, ReplicaError> {
        let (from, to) = keys::all(bundle);
        let mut numbers = BTreeSet::new();
        self.scan(disk, Table::Parts, &from, &to, &mut |key, _| {
            numbers.extend(keys::tail(key).map(u32::from_be_bytes));
            ControlFlow::Continue(())
        })?;
        Ok(numbers)
    }

    /// A part that waits.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn kept_part(
        &self,
        disk: &dyn Storage,
        bundle: &[u8; 32],
        number: u32,
    ) -> Result<Option<Vec<u8>>, ReplicaError> {
        let value = self.read(disk, Table::Parts, &keys::part_of(bundle, number))?;
        Ok(value
            .and_then(|mut value| (value.len() >= TIME_BYTES).then(|| value.split_off(TIME_BYTES))))
    }

    /// Drops the parts of a bundle that wait.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn drop_parts(
        &mut self,
        disk: &dyn Storage,
        bundle: &[u8; 32],
    ) -> Result<(), ReplicaError> {
        let numbers = self.parts_kept(disk, bundle)?;
        self.delete_parts(bundle, &numbers);
        Ok(())
    }

    /// Drops all parts that wait, since nobody can tell whether what is to be erased is in them.
    /// Nothing is lost: the files can be imported again, and a later bundle has it, too.
    pub(in crate::replica) fn drop_all_parts(
        &mut self,
        disk: &dyn Storage,
    ) -> Result<(), ReplicaError> {
        self.delete_all(disk, Table::Parts, &[], &[u8::MAX; 37])
    }

    fn delete_parts(&mut self, bundle: &[u8; 32], numbers: &BTreeSet<u32>) {
        for number in numbers {
            self.pending.delete(Table::Parts, keys::part_of(bundle, *number));
        }
    }

    /// Remembers that all of a bundle was imported.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn note_imported(
        &mut self,
        disk: &dyn Storage,
        bundle: &[u8; 32],
    ) -> Result<(), ReplicaError> {
        let mut known = self.imported(disk)?;
        known.retain(|one| **one != *bundle);
        known.push((*bundle).into());
        let surplus = known.len().saturating_sub(limits::BUNDLES_REMEMBERED_MAX);
        known.drain(..surplus);
        self.put_setting(IMPORTED, &codec::encode(&known))
    }

    /// Whether all of a bundle was imported, not too many bundles ago.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn was_imported(
        &self,
        disk: &dyn Storage,
        bundle: &[u8; 32],
    ) -> Result<bool, ReplicaError> {
        Ok(self.imported(disk)?.iter().any(|one| **one == *bundle))
    }

    fn imported(&self, disk: &dyn Storage) -> Result<Vec<ByteArray<32>>, ReplicaError> {
        let stored = self.setting(disk, IMPORTED)?;
        Ok(stored.and_then(|bytes| minicbor::decode(&bytes).ok()).unwrap_or_default())
    }
}
