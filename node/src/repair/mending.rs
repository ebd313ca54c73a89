//! A new file in the place of one that redb refuses, when nothing is lost by it.

use super::{Repaired, is_damage, look, make_rows};
use crate::backup::RestoreError;
use crate::config::NodeDirectory;
use crate::keystore::Secrets;
use crate::keystore::file::take_place;
use crate::setup::credentials;
use crate::store::{DERIVED, DamagedStore, Pages, StoreError};
use sincronia_protocol::replica::Findings;
use sincronia_protocol::storage::Table;
use std::path::{Path, PathBuf};

/// Makes the file again if its pages prove that only what follows from others is damaged, or bits
/// that can be turned back.
pub(super) fn mend(directory: &NodeDirectory, secrets: &Secrets) -> Result<Repaired, RestoreError> {
    let path = directory.store();
    let pages = match Pages::check(&path) {
        Err(StoreError::Damaged { cause, .. }) => return hopeless(&path, cause),
        pages => pages?,
    };
    let mut needed = Table::ALL.into_iter().filter(|table| !DERIVED.contains(table));
    if !pages.knows_itself() || needed.any(|table| !pages.is_whole(table)) {
        return Ok(Repaired::Unreadable(pages.problems()));
    }
    let work = Work::beside(&path);
    pages.correct(&path, &work.corrected)?;
    match make(&pages, &work, secrets) {
        Ok(found) if found.damage() == 0 => Ok(Repaired::File(exchange(&path, &work.fresh)?)),
        Ok(found) => Ok(Repaired::Beyond(found.problems)),
        Err(RestoreError::Store(StoreError::Damaged { cause, .. })) => {
            Ok(Repaired::Unreadable(vec![cause]))
        }
        Err(RestoreError::Replica(error)) if is_damage(&error) => {
            Ok(Repaired::Beyond(vec![error.to_string()]))
        }
        Err(error) => Err(error),
    }
}

/// Nothing is proved: a new node may still be made of what can be read, if anything can.
pub(super) fn hopeless(path: &Path, cause: String) -> Result<Repaired, RestoreError> {
    match DamagedStore::open(path) {
        Ok(_) => Ok(Repaired::Unreadable(vec![cause])),
        Err(StoreError::Damaged { .. }) => Ok(Repaired::Ruined(cause)),
        Err(error) => Err(error.into()),
    }
}

/// Files beside the store while it is made again. They go in the end, whatever the end is, and what
/// an attempt that was interrupted left goes in the beginning.
struct Work {
    corrected: PathBuf,
    fresh: PathBuf,
}

impl Work {
    fn beside(path: &Path) -> Self {
        let [corrected, fresh] = ["redb.corrected", "redb.new"].map(|end| path.with_extension(end));
        let work = Self { corrected, fresh };
        work.clear();
        work
    }

    fn clear(&self) {
        let _ = std::fs::remove_file(&self.corrected);
        let _ = std::fs::remove_file(&self.fresh);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Copies what is whole, makes the rest from it, and examines the outcome.
fn make(pages: &Pages, work: &Work, secrets: &Secrets) -> Result<Findings, RestoreError> {
    let damaged = DamagedStore::open(&work.corrected)?;
    let credentials = credentials(secrets, damaged.organisation);
    let copied = |table: &Table| pages.has(*table) && !DERIVED.contains(table);
    let mut store = damaged.copy(&work.fresh, Table::ALL.into_iter().filter(copied))?;
    make_rows(&store, &credentials)?;
    let found = look(&store, &credentials)?;
    store.verify()?;
    store.close()?;
    Ok(found)
}

/// Puts the new file in the place of the damaged one, which gets a name of its own: at every moment
/// there is one of them under the name of the store, never none, which would be an empty store.
fn exchange(path: &Path, fresh: &Path) -> Result<PathBuf, RestoreError> {
    let aside = (1..=1_000_u32)
        .map(|number| path.with_extension(format!("damaged-{number}.redb")))
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| path.with_extension("damaged.redb"));
    let failed = |error: std::io::Error| {
        let (path, cause) = (path.to_path_buf(), error.to_string());
        RestoreError::Store(StoreError::Io { path, cause })
    };
    std::fs::hard_link(path, &aside).map_err(failed)?;
    take_place(fresh, path).map_err(failed)?;
    Ok(aside)
}
