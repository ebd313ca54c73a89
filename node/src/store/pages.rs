//! Which tables of a file are, byte for byte, what the last commit wrote.
//!
//! redb keeps a checksum of every page beside the reference to it, up to the beginning of the file,
//! and refuses a whole file for one page (redb, `docs/design.md`, "File format"). The same
//! checksums are followed here table by table. They find accidents, no forgeries: what a
//! table says is still checked by whoever reads it.
//!
//! # Deliberately absent
//! Reading values (redb does that), older formats of redb, tables with several values per key.

mod correction;
mod file;

use super::StoreError;
use super::tables::META;
use file::{Link, PageFile, Sizes};
use redb::TableHandle;
use sincronia_protocol::storage::Table;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How the pages of a file were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// Bytes in which a bit turned, and what they were when they were written.
    wrong: BTreeMap<u64, u8>,
    /// The other pages that do not hold, by the table they belong to; every table that is there is
    /// named.
    damaged: BTreeMap<String, u64>,
    /// Pages of redb's own bookkeeping that do not hold: what they say can be worked out again.
    bookkeeping: u64,
    /// Whether the file says beyond doubt which commit was its last.
    is_last: bool,
}

impl Pages {
    /// Checks every page that the last commit of a file refers to; writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the beginning of the file, or the list of its tables, does not
    /// hold: nothing can be said of the rest then.
    pub fn check(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::from_redb(path, redb::Error::Io(error));
        let damaged = |cause: &str| StoreError::Damaged { path: path.into(), cause: cause.into() };
        let file = PageFile::open(path).map_err(failed)?.ok_or_else(|| damaged(BEGINNING))?;
        let tables = tables(&file, file.user).ok_or_else(|| damaged(TABLES))?;
        let mut found = Self {
            wrong: BTreeMap::new(),
            damaged: BTreeMap::new(),
            bookkeeping: 0,
            is_last: file.is_last,
        };
        for (name, table) in irreplaceable_first(tables) {
            let pages = table.root.map_or(0, |root| file.walk(root, table.sizes, &mut |_, _| {}));
            found.damaged.insert(name, pages);
        }
        found.bookkeeping = match tables_of_redb(&file) {
            Some(tables) => tables.fold(0, u64::saturating_add),
            None => 1,
        };
        found.wrong = file.corrections.into_bytes();
        Ok(found)
    }

    /// Copies the file that was checked, with the bits that turned as they were.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Full`].
    pub fn correct(&self, path: &Path, copy: &Path) -> Result<(), StoreError> {
        let failed = |error| StoreError::from_redb(copy, redb::Error::Io(error));
        // The copy of a file has its permissions.
        std::fs::copy(path, copy).map_err(failed)?;
        let file = OpenOptions::new().write(true).open(copy).map_err(failed)?;
        for (at, byte) in &self.wrong {
            file.write_all_at(&[*byte], *at).map_err(failed)?;
        }
        file.sync_all().map_err(failed)
    }

    /// Whether a file was closed by its last user, and not left by a crash.
    #[must_use]
    pub fn was_closed(path: &Path) -> bool {
        file::was_closed(path).unwrap_or(true)
    }

    /// Refuses a file that a crash left with a turned bit in one of its two last commits: redb
    /// would go back to the other in silence. A write that was cut off looks different.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; the file can be repaired.
    pub fn check_commits(path: &Path) -> Result<(), StoreError> {
        let Ok(Some(file)) = PageFile::open(path) else { return Ok(()) };
        match file.corrections.into_bytes().keys().next() {
            Some(at) if !Self::was_closed(path) => {
                Err(StoreError::Damaged { path: path.into(), cause: turned(*at) })
            }
            _ => Ok(()),
        }
    }

    /// Whether redb will go back to the commit before the last: a crash left the file, and the last
    /// commit at its beginning does not hold. Disks write so few bytes whole or not at all, so this
    /// is damage. Of pages below it nothing is said: a write that the power cut off looks the same.
    #[must_use]
    pub fn goes_back(path: &Path) -> bool {
        matches!(PageFile::open(path), Ok(None))
            && file::was_closed(path).is_ok_and(|closed| !closed)
    }

    /// Whether a table is what the last commit wrote, beyond doubt, once [`Self::correct`] was
    /// there; one that an earlier version of
    /// the program did not make is whole without being there.
    #[must_use]
    pub fn is_whole(&self, table: Table) -> bool {
        self.is_last && self.damaged.get(table.name()).is_none_or(|pages| *pages == 0)
    }

    /// Whether there is such a table.
    #[must_use]
    pub fn has(&self, table: Table) -> bool {
        self.damaged.contains_key(table.name())
    }

    /// Whether what the store says about itself is what the last commit wrote.
    #[must_use]
    pub fn knows_itself(&self) -> bool {
        self.is_last && self.damaged.get(META.name()) == Some(&0)
    }

    /// What does not hold, in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.wrong.keys().map(|at| turned(*at)).chain(self.unreadable()).collect()
    }

    /// What does not hold and cannot be put right, in words.
    #[must_use]
    pub fn unreadable(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.is_last {
            problems.push("the file does not say beyond doubt which commit was its last".into());
        }
        let damaged = self.damaged.iter().filter(|(_, pages)| **pages > 0);
        problems.extend(
            damaged.map(|(table, pages)| format!("the file is damaged in table {table} ({pages})")),
        );
        if self.bookkeeping > 0 {
            problems.push(format!(
                "the file is damaged in its list of free places ({})",
                self.bookkeeping
            ));
        }
        problems
    }
}

/// What follows from everything else.
pub const DERIVED: [Table; 2] = [Table::Rows, Table::Waiting];

/// Bits are looked for in so many pages only: in those that nothing else replaces before the rest.
fn irreplaceable_first(tables: BTreeMap<String, Described>) -> Vec<(String, Described)> {
    let mut tables: Vec<_> = tables.into_iter().collect();
    tables.sort_by_key(|(name, _)| DERIVED.iter().any(|table| table.name() == name));
    tables
}

/// Why nothing can be said of the rest.
const BEGINNING: &str = "its beginning, which says where everything is, does not hold";
const TABLES: &str = "the list of its tables does not hold";

fn turned(at: u64) -> String {
    format!("a bit of the file turned, and can be turned back: {at}")
}

/// A table as redb describes it.
struct Described {
    root: Option<Link>,
    sizes: Sizes,
}

/// The tables under a root; nothing when their list is damaged.
fn tables(file: &PageFile, root: Option<Link>) -> Option<BTreeMap<String, Described>> {
    let (mut found, mut is_sound) = (BTreeMap::new(), true);
    let visit = &mut |name: &[u8], described: &[u8]| {
        let name = std::str::from_utf8(name).ok().map(str::to_owned);
        match name.zip(Described::read(described)) {
            Some((name, table)) => drop(found.insert(name, table)),
            None => is_sound = false,
        }
    };
    let damaged = root.map_or(0, |root| file.walk(root, Sizes::default(), visit));
    (damaged == 0 && is_sound).then_some(found)
}

/// How many pages of each of redb's own tables do not hold; nothing when their list does not.
fn tables_of_redb(file: &PageFile) -> Option<impl Iterator<Item = u64>> {
    let tables = tables(file, file.system)?.into_values();
    Some(tables.filter_map(|table| Some(file.walk(table.root?, table.sizes, &mut |_, _| {}))))
}

/// Of a description: its kind, and where what is read of it stands.
const ONE_VALUE_PER_KEY: u8 = 3;
const ROOT_AT: usize = 9;
const KEY_SIZE_AT: usize = ROOT_AT + 1 + 32;
const VALUE_SIZE_AT: usize = KEY_SIZE_AT + 5;

impl Described {
    fn read(bytes: &[u8]) -> Option<Self> {
        if *bytes.first()? != ONE_VALUE_PER_KEY {
            return None;
        }
        let size = |at: usize| {
            let size = file::number::<4>(bytes, at.checked_add(1)?).and_then(usize_of)?;
            Some((*bytes.get(at)? != 0).then_some(size))
        };
        let root = Link::read(bytes, ROOT_AT.checked_add(1)?)?;
        let root = (*bytes.get(ROOT_AT)? != 0).then_some(root);
        let sizes = Sizes { key: size(KEY_SIZE_AT)?, value: size(VALUE_SIZE_AT)? };
        Some(Self { root, sizes })
    }
}

fn usize_of(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests;
