//! Which tables of a file are, byte for byte, what the last commit wrote.
//!
//! redb keeps a checksum of every page beside the reference to it, up to the beginning of the file,
//! and refuses a whole file for one page (redb, `docs/design.md`, "File format"). The same
//! checksums are followed here table by table. They find accidents, no forgeries: what a
//! table says is still checked by whoever reads it.
//!
//! # Deliberately absent
//! Reading values (redb does that), older formats of redb, tables with several values per key.

mod file;

use super::StoreError;
use super::tables::META;
use file::{Link, PageFile, Sizes};
use redb::TableHandle;
use sincronia_protocol::storage::Table;
use std::collections::BTreeMap;
use std::path::Path;

/// How the pages of a file were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// The pages that do not hold, by the table they belong to; no table that is there is missing.
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
        let mut found = Self { damaged: BTreeMap::new(), bookkeeping: 0, is_last: file.is_last };
        for (name, table) in tables {
            let pages = table.root.map_or(0, |root| file.walk(root, table.sizes, &mut |_, _| {}));
            found.damaged.insert(name, pages);
        }
        found.bookkeeping = match tables_of_redb(&file) {
            Some(tables) => tables.fold(0, |sum, pages| sum.saturating_add(pages)),
            None => 1,
        };
        Ok(found)
    }

    /// Whether a table is what the last commit wrote, beyond doubt.
    #[must_use]
    pub fn is_whole(&self, table: Table) -> bool {
        self.is_last && self.damaged.get(table.name()) == Some(&0)
    }

    /// Whether what the store says about itself is.
    #[must_use]
    pub fn knows_itself(&self) -> bool {
        self.is_last && self.damaged.get(META.name()) == Some(&0)
    }

    /// What does not hold, in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.is_last {
            problems.push("the file does not say beyond doubt which commit was its last".into());
        }
        let damaged = self.damaged.iter().filter(|(_, pages)| **pages > 0);
        problems.extend(damaged.map(|(table, pages)| format!("table {table}: pages {pages}")));
        if self.bookkeeping > 0 {
            problems.push(format!("the list of free pages: pages {}", self.bookkeeping));
        }
        problems
    }
}

/// Why nothing can be said of the rest.
const BEGINNING: &str = "its beginning, which says where everything is, does not hold";
const TABLES: &str = "the list of its tables does not hold";

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
