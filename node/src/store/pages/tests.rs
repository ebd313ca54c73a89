//! The checksums of a file that redb wrote, and what they say when it is damaged.

use super::super::{Batch, Store};
use super::*;
use sincronia_protocol::ids::OrganisationId;

const OWNER: OrganisationId = OrganisationId::from_bytes([1; 32]);

struct Place {
    _directory: tempfile::TempDir,
    path: std::path::PathBuf,
}

/// A store in which three tables have many pages, one has a value that is longer than a page, and
/// much was deleted again.
fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    let store = Store::open(&path, &OWNER).unwrap();
    for round in 0..8_u32 {
        let mut batch = Batch::default();
        for number in 0..400_u32 {
            let key = (round * 400 + number).to_be_bytes().to_vec();
            batch.put(Table::Entries, key.clone(), vec![7; 150]);
            batch.put(Table::Rows, key.clone(), vec![8; 90]);
            batch.put(Table::Heads, key, vec![9; 20]);
        }
        batch.put(Table::Settings, vec![u8::try_from(round).unwrap()], vec![5; 10_000]);
        store.commit(&batch).unwrap();
    }
    let mut batch = Batch::default();
    (0..900_u32).for_each(|number| batch.delete(Table::Rows, number.to_be_bytes().to_vec()));
    store.commit(&batch).unwrap();
    store.close().unwrap();
    Place { _directory: directory, path }
}

#[test]
fn a_file_as_redb_wrote_it_holds_table_by_table() {
    let place = place();
    let pages = Pages::check(&place.path).unwrap();
    assert_eq!(pages.problems(), [""; 0]);
    assert!(pages.knows_itself());
    assert!(Table::ALL.into_iter().all(|table| pages.is_whole(table)), "{pages:?}");
}

/// One bit after another through the whole file: redb refuses it exactly when the pages here do not
/// hold, every bit that matters is found, and turned back the file is byte for byte what it was.
#[test]
fn what_is_called_whole_is_whole() {
    let place = place();
    let whole = std::fs::read(&place.path).unwrap();
    let (mut seen, mut refused) = (0, 0);
    for at in (4_096..whole.len()).step_by(whole.len() / 70) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&place.path, &bytes).unwrap();
        let pages = Pages::check(&place.path);
        let is_sound = pages.as_ref().is_ok_and(|pages| pages.problems().is_empty());
        std::fs::write(&place.path, &bytes).unwrap();
        if let Some(pages) = pages.as_ref().ok().filter(|_| !is_sound) {
            assert!(pages.unreadable().is_empty(), "byte {at}: {pages:?}");
            let copy = place.path.with_extension("copy");
            pages.correct(&place.path, &copy).unwrap();
            assert!(std::fs::read(copy).unwrap() == whole, "byte {at}");
        }
        let opened = Store::open(&place.path, &OWNER);
        assert_eq!(opened.is_ok(), is_sound, "byte {at}: {pages:?}");
        seen += 1;
        refused += u32::from(!is_sound);
    }
    assert!(seen > 60 && refused > 10, "{refused} of {seen}");
}

#[test]
fn a_page_of_one_table_leaves_the_others_whole() {
    let place = place();
    let mut bytes = std::fs::read(&place.path).unwrap();
    let row = [8; 90];
    let at = bytes.windows(row.len()).rposition(|part| part == row).unwrap();
    bytes[at] ^= 3;
    std::fs::write(&place.path, &bytes).unwrap();
    let pages = Pages::check(&place.path).unwrap();
    assert_eq!(pages.problems(), ["the file is damaged in table rows/1 (1)"]);
    let whole = |table: &Table| pages.is_whole(*table);
    assert_eq!(Table::ALL.iter().filter(|table| !whole(table)).count(), 1);
    assert!(!pages.is_whole(Table::Rows));
}

#[test]
fn an_older_commit_is_never_taken_for_the_last() {
    let place = place();
    let mut bytes = std::fs::read(&place.path).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&place.path, &bytes).unwrap();
    let pages = Pages::check(&place.path);
    assert!(pages.is_err() || pages.is_ok_and(|pages| !pages.is_whole(Table::Heads)));
    bytes[9] ^= 1;
    for commit in [100, 228] {
        bytes[commit] ^= 3;
        std::fs::write(&place.path, &bytes).unwrap();
        let pages = Pages::check(&place.path);
        assert!(pages.is_err() || pages.is_ok_and(|pages| !pages.knows_itself()), "{commit}");
        bytes[commit] ^= 3;
    }
}

#[test]
fn a_file_without_its_beginning_says_nothing() {
    let place = place();
    let whole = std::fs::read(&place.path).unwrap();
    for bytes in [vec![0; 9_000], vec![7; 3], whole[..200].to_vec(), Vec::new()] {
        std::fs::write(&place.path, &bytes).unwrap();
        assert!(matches!(Pages::check(&place.path), Err(StoreError::Damaged { .. })));
    }
}

/// A turned bit in the checksum of the last commit let redb go back to the one before in silence.
#[test]
fn every_bit_of_both_commits_is_turned_back_closed_or_killed() {
    let directory = tempfile::tempdir().unwrap();
    let [path, killed, copy] =
        ["store.redb", "killed.redb", "copy.redb"].map(|name| directory.path().join(name));
    let store = Store::open(&path, &OWNER).unwrap();
    let mut batch = Batch::default();
    batch.put(Table::Settings, vec![1], vec![2; 10]);
    store.commit(&batch).unwrap();
    std::fs::copy(&path, &killed).unwrap();
    store.close().unwrap();
    assert!(Pages::was_closed(&path) && !Pages::was_closed(&killed));
    for path in [path, killed] {
        let whole = std::fs::read(&path).unwrap();
        for bit in (64 * 8)..(320 * 8) {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bytes).unwrap();
            let pages = Pages::check(&path).unwrap();
            assert_eq!(pages.problems().len(), 1, "bit {bit}: {pages:?}");
            assert!(pages.unreadable().is_empty(), "bit {bit}: {pages:?}");
            pages.correct(&path, &copy).unwrap();
            assert!(std::fs::read(&copy).unwrap() == whole, "bit {bit}");
        }
    }
}

/// Nothing at the beginning says twice how the file is laid out: one bit of it led to no way out.
#[test]
fn every_bit_of_the_layout_is_turned_back_closed_or_killed() {
    let directory = tempfile::tempdir().unwrap();
    let [path, killed, copy] =
        ["store.redb", "killed.redb", "copy.redb"].map(|name| directory.path().join(name));
    let store = Store::open(&path, &OWNER).unwrap();
    std::fs::copy(&path, &killed).unwrap();
    store.close().unwrap();
    // How many pages a killed file has is counted when it is opened, whatever it says.
    for (path, layout) in [(path, 12..32), (killed, 12..24)] {
        let whole = std::fs::read(&path).unwrap();
        for bit in (0..9).chain(layout).flat_map(|byte| byte * 8..byte * 8 + 8) {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bytes).unwrap();
            let pages = Pages::check(&path).unwrap();
            assert_eq!(pages.problems().len(), 1, "bit {bit}: {pages:?}");
            assert!(pages.unreadable().is_empty(), "bit {bit}: {pages:?}");
            pages.correct(&path, &copy).unwrap();
            assert!(std::fs::read(&copy).unwrap() == whole, "bit {bit}");
        }
    }
}

#[test]
fn many_damaged_rows_take_no_tries_from_what_nothing_replaces() {
    let place = place();
    let mut bytes = std::fs::read(&place.path).unwrap();
    let row = [8; 90];
    let (mut last_page, mut at) = (0, 4_096);
    while at + row.len() <= bytes.len() {
        if bytes[at..].starts_with(&row) && at / 4_096 != last_page {
            last_page = at / 4_096;
            bytes[at] ^= 3;
        }
        at += 1;
    }
    let setting = bytes.windows(10_000).rposition(|part| part == [5; 10_000]).unwrap();
    bytes[setting] ^= 1;
    std::fs::write(&place.path, &bytes).unwrap();
    let pages = Pages::check(&place.path).unwrap();
    assert!(pages.is_whole(Table::Settings), "{pages:?}");
    assert!(pages.damaged[Table::Rows.name()] > 16, "{pages:?}");
}
