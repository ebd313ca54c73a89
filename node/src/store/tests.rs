//! The contract of the store, and each way in which a file can be wrong.

mod power;

use super::*;
use sincronia_protocol::storage::{Storage, StorageError, Visit, conformance};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;

struct Checked(Store);

impl Storage for Checked {
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.0.snapshot().unwrap().read(table, key)
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.0.snapshot().unwrap().scan(table, from, to, visit)
    }
}

const OWNER: OrganisationId = OrganisationId::from_bytes([1; 32]);

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    Place { _directory: directory, path }
}

fn numbers(from: u32, to: u32) -> Batch {
    let mut batch = Batch::default();
    for number in from..to {
        batch.put(Table::Entries, number.to_be_bytes().to_vec(), vec![7; 200]);
    }
    batch
}

fn count(storage: &impl Storage) -> usize {
    let mut count = 0;
    storage
        .scan(Table::Entries, &[0; 4], &[255; 5], &mut |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    count
}

#[test]
fn redb_keeps_the_contract() {
    let place = place();
    let mut checked = Checked(Store::open(&place.path, &OWNER).unwrap());
    conformance::check(&mut checked, |one, batch| one.0.commit(batch).unwrap()).unwrap();
}

#[test]
fn tables_stand_in_the_order_of_their_numbers() {
    for (index, table) in Table::ALL.into_iter().enumerate() {
        assert_eq!(table as usize, index, "{}", table.name());
    }
}

#[test]
fn a_store_of_an_earlier_version_gets_the_tables_it_lacks() {
    let place = place();
    let store = Store::open(&place.path, &OWNER).unwrap();
    store.commit(&numbers(0, 10)).unwrap();
    let write = store.database.begin_write().unwrap();
    write.delete_table(definition(Table::Parts)).unwrap();
    write.commit().unwrap();
    drop(store);
    let store = Store::open(&place.path, &OWNER).unwrap();
    assert_eq!(count(&store.snapshot().unwrap()), 10);
    assert_eq!(store.snapshot().unwrap().read(Table::Parts, &[1]), Ok(None));
}

#[test]
fn a_snapshot_sees_one_commit_from_any_thread() {
    fn is_send<T: Send + Sync>(value: T) -> T {
        value
    }
    let place = place();
    let store = Store::open(&place.path, &OWNER).unwrap();
    store.commit(&numbers(0, 10)).unwrap();
    let before = is_send(store.snapshot().unwrap());
    store.commit(&numbers(10, 30)).unwrap();
    let seen = std::thread::spawn(move || count(&before)).join().unwrap();
    assert_eq!(seen, 10);
    assert_eq!(count(&store.snapshot().unwrap()), 30);
}

#[test]
fn ten_thousand_writes_are_one_commit_and_survive_closing() {
    let place = place();
    let store = Store::open(&place.path, &OWNER).unwrap();
    let created = store.created();
    assert!(created.milliseconds() > 0);
    store.commit(&numbers(0, 10_000)).unwrap();
    store.close().unwrap();
    assert_eq!(Store::organisation(&place.path).unwrap(), OWNER);
    let store = Store::open(&place.path, &OWNER).unwrap();
    assert_eq!(count(&store.snapshot().unwrap()), 10_000);
    assert_eq!(store.created(), created);
    assert!(store.bytes() > 2_000_000);
    let mode = std::fs::metadata(&place.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn verifying_waits_for_readers_and_finds_a_sound_file_sound() {
    let place = place();
    let mut store = Store::open(&place.path, &OWNER).unwrap();
    store.commit(&numbers(0, 100)).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert!(matches!(store.verify(), Err(StoreError::Busy { .. })));
    drop(snapshot);
    assert!(store.verify().unwrap());
}

#[test]
fn a_second_opener_is_told_that_it_is_in_use() {
    let place = place();
    let _first = Store::open(&place.path, &OWNER).unwrap();
    assert!(matches!(Store::open(&place.path, &OWNER), Err(StoreError::InUse { .. })));
}

#[test]
fn another_organisations_store_is_refused() {
    let place = place();
    drop(Store::open(&place.path, &OWNER).unwrap());
    let other = OrganisationId::from_bytes([2; 32]);
    assert!(matches!(Store::open(&place.path, &other), Err(StoreError::Foreign { .. })));
}

#[test]
fn a_newer_format_is_named_and_nothing_is_touched() {
    let place = place();
    let store = Store::open(&place.path, &OWNER).unwrap();
    let write = store.database.begin_write().unwrap();
    write.open_table(META).unwrap().insert("format", 9_u64.to_be_bytes().as_slice()).unwrap();
    write.commit().unwrap();
    drop(store);
    let error = Store::open(&place.path, &OWNER).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 9, .. }), "{error}");
}

#[test]
fn what_is_no_store_or_is_cut_off_is_called_damaged_and_left_alone() {
    let place = place();
    let store = Store::open(&place.path, &OWNER).unwrap();
    store.commit(&numbers(0, 1_000)).unwrap();
    store.close().unwrap();
    let whole = std::fs::read(&place.path).unwrap();
    for bytes in [vec![7; 8_192], vec![7; 3], whole[..100].to_vec(), whole[..4_096].to_vec()] {
        std::fs::write(&place.path, &bytes).unwrap();
        let error = Store::open(&place.path, &OWNER).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{} bytes: {error}", bytes.len());
        assert!(Store::organisation(&place.path).is_err());
    }
    std::fs::write(&place.path, [7; 8_192]).unwrap();
    drop(Store::open(&place.path, &OWNER));
    assert_eq!(std::fs::read(&place.path).unwrap(), [7; 8_192]);
}

#[test]
fn a_page_changed_by_others_is_found_and_never_read_as_if_it_were_sound() {
    let place = place();
    let store = Store::open(&place.path, &OWNER).unwrap();
    store.commit(&numbers(0, 2_000)).unwrap();
    store.close().unwrap();
    let whole = std::fs::read(&place.path).unwrap();
    let pages = whole.len() / 4_096;
    let step = (pages / 40).max(1);
    for page in (0..pages).step_by(step) {
        let mut bytes = whole.clone();
        bytes[page * 4_096..(page + 1) * 4_096].iter_mut().for_each(|byte| *byte ^= 0x55);
        std::fs::write(&place.path, &bytes).unwrap();
        match Store::open(&place.path, &OWNER) {
            Ok(store) => {
                let snapshot = store.snapshot().unwrap();
                for number in 0..2_000_u32 {
                    let value = snapshot.read(Table::Entries, &number.to_be_bytes()).unwrap();
                    assert_eq!(value, Some(vec![7; 200]), "page {page}, key {number}");
                }
            }
            Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "{page}: {error}"),
        }
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let place = place();
    let error = Store::open(&place.path.join("store.redb"), &OWNER).unwrap_err();
    assert!(error.to_string().contains("check that the directory exists"), "{error}");
}

/// Whoever started the node, or repaired it, waited for ever, and only a kill ended that.
#[test]
fn a_pipe_in_the_place_of_the_store_is_no_store() {
    let place = place();
    let made = std::process::Command::new("mkfifo").arg(&place.path).status().unwrap();
    assert!(made.success());
    assert!(!Pages::goes_back(&place.path));
    assert!(Pages::check_commits(&place.path).is_ok());
    let refused = Store::organisation(&place.path).unwrap_err();
    assert!(refused.to_string().contains("pipe"), "{refused}");
    assert!(Store::open(&place.path, &OWNER).is_err());
}
