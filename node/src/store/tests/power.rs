//! A disk that forgets what was not synced, one that fills up, and one that errs once.

use super::*;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use std::io::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What reached the platter, and what the system still holds.
#[derive(Debug, Default)]
struct Platter {
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// Writes and syncs until the power goes; then everything fails.
    steps: usize,
}

#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Write(usize, Vec<u8>),
}

impl Platter {
    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Length(length) => bytes.resize(*length, 0),
            Change::Write(offset, data) => {
                let end = offset + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }

    fn current(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        self.pending.iter().for_each(|change| Self::apply(&mut bytes, change));
        bytes
    }

    fn step(&mut self) -> Result<()> {
        self.steps = self.steps.checked_sub(1).ok_or_else(|| Error::other("no power"))?;
        Ok(())
    }

    /// After the crash: any subset of what was not synced may be there, the last write torn.
    fn crash(&mut self, random: &mut u64) {
        for change in std::mem::take(&mut self.pending) {
            match next(random) % 4 {
                0 => {}
                1 => {
                    if let Change::Write(offset, data) = &change {
                        let torn = data[..data.len() / 1_024 * 512].to_vec();
                        Self::apply(&mut self.durable, &Change::Write(*offset, torn));
                    }
                }
                _ => Self::apply(&mut self.durable, &change),
            }
        }
        self.steps = usize::MAX;
    }
}

fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

#[derive(Clone, Debug)]
struct Forgetful(Arc<Mutex<Platter>>);

impl StorageBackend for Forgetful {
    fn len(&self) -> Result<u64> {
        Ok(self.0.lock().unwrap().current().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let bytes = self.0.lock().unwrap().current();
        let start = usize::try_from(offset).unwrap();
        let part = bytes.get(start..start + out.len());
        out.copy_from_slice(part.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.step()?;
        platter.pending.push(Change::Length(usize::try_from(length).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.step()?;
        platter.durable = platter.current();
        platter.pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.step()?;
        let offset = usize::try_from(offset).unwrap();
        platter.pending.push(Change::Write(offset, data.to_vec()));
        Ok(())
    }
}

fn open(disk: &Forgetful) -> Result<Store> {
    let database = Database::builder().set_cache_size(1 << 20).create_with_backend(disk.clone());
    let database = database.map_err(|_| Error::other("open"))?;
    Store::from_database(database, Path::new("disk"), &OWNER).map_err(|_| Error::other("open"))
}

/// Commit number `n` replaces everything by `n`, so that a mixture of two commits shows.
fn generation(number: u8) -> Batch {
    let mut batch = Batch::default();
    for key in 0..40_u8 {
        batch.put(Table::Entries, vec![key], vec![number; 300]);
        batch.put(Table::Heads, vec![key], vec![number]);
    }
    batch
}

fn generation_on(store: &Store) -> Option<u8> {
    let snapshot = store.snapshot().unwrap();
    let first = snapshot.read(Table::Heads, &[0]).unwrap().map(|value| value[0]);
    for key in 0..40_u8 {
        let head = snapshot.read(Table::Heads, &[key]).unwrap();
        let entry = snapshot.read(Table::Entries, &[key]).unwrap();
        assert_eq!(head, first.map(|number| vec![number]));
        assert_eq!(entry, first.map(|number| vec![number; 300]));
    }
    first
}

/// Cuts the power after every write and sync in turn.
#[test]
fn wherever_the_power_goes_every_commit_is_whole_and_none_that_returned_is_lost() {
    let mut random = 0x5eed_u64;
    let mut cut_at = 0;
    loop {
        let disk = Forgetful(Arc::default());
        disk.0.lock().unwrap().steps = usize::MAX;
        drop(open(&disk).unwrap());
        disk.0.lock().unwrap().steps = cut_at;
        let mut returned = None;
        if let Ok(store) = open(&disk) {
            for number in 1..=4 {
                if store.commit(&generation(number)).is_ok() {
                    returned = Some(number);
                }
            }
        }
        let is_over = disk.0.lock().unwrap().steps > 0;
        disk.0.lock().unwrap().crash(&mut random);
        let found = generation_on(&open(&disk).unwrap());
        assert!(found >= returned, "cut at {cut_at}: {found:?} after {returned:?} returned");
        assert!(found <= Some(returned.map_or(1, |number| number + 1)), "cut at {cut_at}");
        if is_over {
            break;
        }
        cut_at += 1;
    }
    assert!(cut_at > 40, "only {cut_at} crash points");
}

/// A disk with room for so many bytes.
#[derive(Debug)]
struct Small(InMemoryBackend, u64);

impl StorageBackend for Small {
    fn len(&self) -> Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, length: u64) -> Result<()> {
        if length > self.1 { Err(ErrorKind::StorageFull.into()) } else { self.0.set_len(length) }
    }

    fn sync_data(&self) -> Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.0.write(offset, data)
    }
}

#[test]
fn threat_42_a_full_disk_is_said_and_what_was_committed_can_be_read() {
    let disk = Small(InMemoryBackend::new(), 6_000_000);
    let database = Database::builder().create_with_backend(disk).unwrap();
    let store = Store::from_database(database, Path::new("disk"), &OWNER).unwrap();
    let mut committed = 0;
    let error = loop {
        match store.commit(&numbers(committed, committed + 2_000)) {
            Ok(()) => committed += 2_000,
            Err(error) => break error,
        }
    };
    assert!(committed > 0);
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    let again = store.commit(&numbers(0, 1)).is_ok();
    if let Ok(snapshot) = store.snapshot() {
        assert_eq!(count(&snapshot), committed as usize, "writable again: {again}");
    }
}

/// A disk of which one operation, counted from now, fails with an input/output error.
#[derive(Clone, Debug)]
struct Faulty(Arc<InMemoryBackend>, Arc<AtomicUsize>);

impl Faulty {
    fn step(&self) -> Result<()> {
        let left = self.1.fetch_sub(1, Ordering::SeqCst);
        if left == 0 { Err(Error::other("input/output error")) } else { Ok(()) }
    }
}

impl StorageBackend for Faulty {
    fn len(&self) -> Result<u64> {
        self.step().and_then(|()| self.0.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.step().and_then(|()| self.0.read(offset, out))
    }

    fn set_len(&self, length: u64) -> Result<()> {
        self.step().and_then(|()| self.0.set_len(length))
    }

    fn sync_data(&self) -> Result<()> {
        self.step().and_then(|()| self.0.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.step().and_then(|()| self.0.write(offset, data))
    }
}

/// Lets every read, write and sync fail in turn: an error is told, and nothing that a commit
/// promised is lost or half there when the store is opened again.
#[test]
fn whichever_operation_of_the_disk_fails_nothing_that_was_promised_is_lost() {
    const NEVER: usize = usize::MAX / 2;
    let (mut failing, mut told) = (0, 0);
    loop {
        let disk = Faulty(Arc::default(), Arc::new(AtomicUsize::new(NEVER)));
        let open = || {
            // A small cache: reads reach the disk, and fail too.
            let database =
                Database::builder().set_cache_size(1 << 14).create_with_backend(disk.clone());
            let database = database.map_err(|_| Error::other("open"))?;
            Store::from_database(database, Path::new("disk"), &OWNER)
                .map_err(|_| Error::other("open"))
        };
        drop(open().unwrap());
        disk.1.store(failing, Ordering::SeqCst);
        let (mut returned, mut tried) = (None, None);
        if let Ok(store) = open() {
            for number in 1..=3 {
                tried = Some(number);
                match store.commit(&generation(number)) {
                    Ok(()) => returned = Some(number),
                    Err(_) => told += 1,
                }
            }
        }
        // Beyond zero it goes on below: a number larger than any it was set to.
        let is_over = disk.1.load(Ordering::SeqCst) < NEVER;
        disk.1.store(NEVER, Ordering::SeqCst);
        let found = generation_on(&open().unwrap());
        assert!(found >= returned, "{failing}: {found:?} after {returned:?} returned");
        assert!(found <= tried, "{failing}: {found:?} was never tried");
        if is_over {
            break;
        }
        failing += 1;
    }
    assert!(failing > 40 && told > 40, "{failing} operations, {told} errors");
}
