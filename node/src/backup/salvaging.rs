//! A node made from what still holds in a damaged store: a backup made of ruins.
//!
//! The damaged directory is only read; in the end it is marked as replaced. What is taken over
//! passes the checks of what a partner brings; the rest comes back from partners once the new node
//! runs. The steps after this are those of a restoration: the new node is certified, the damaged
//! one revoked, and nothing of its own logs is signed anew.

use super::replacement::Replacement;
use super::restoring::{Ground, Origin, Restoration, RestoreError, RestoreOptions};
use crate::config::NodeDirectory;
use crate::engine;
use crate::keystore::{self, Unlock};
use crate::setup::credentials;
use crate::store::{DamagedStore, Pages, Snapshot, StoreError};
use sincronia_protocol::ids::{NodeId, SpaceId};
use sincronia_protocol::replica::{
    Credentials, Replica, SALVAGED_TABLES, Salvaged, authors_on, length_on, organisations_on,
    spaces_on,
};
use sincronia_protocol::storage::{Batch, Storage, Table};
use std::ops::ControlFlow;
use std::path::Path;

/// Runs of entries that are made durable together.
const RUNS_PER_COMMIT: u32 = 16;

/// What was taken over, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalvageReport {
    /// Spaces whose access log begins here.
    pub spaces: u64,
    /// Entries of authors.
    pub entries: u64,
    /// Whether the list of partners was taken over whole.
    pub knows_partners: bool,
    /// What did not hold or could not be read, in words: partners are asked for it.
    pub losses: Vec<String>,
}

/// Makes a node of what holds in the store of `damaged`, up to the point where the holder of the
/// root key must sign.
///
/// # Errors
/// [`RestoreError::Ruined`] when the store opens in no way; [`RestoreError::NoIdentity`] when it
/// does not hold the identity log of the organisation that the keystore beside it speaks for;
/// [`RestoreError::Replaced`] when it was done before.
pub fn salvage(
    options: RestoreOptions,
    damaged: &Path,
    unlock: &Unlock,
) -> Result<(Restoration, SalvageReport), RestoreError> {
    match Replacement::of(&NodeDirectory::open(damaged)?) {
        Some(replacement) => Err(RestoreError::Replaced(replacement)),
        None => salvage_again(options, damaged, unlock),
    }
}

/// As [`salvage`], also when another node took the place before, of which somebody knows that it
/// does not live.
///
/// # Errors
/// As [`salvage`].
pub fn salvage_again(
    options: RestoreOptions,
    damaged: &Path,
    unlock: &Unlock,
) -> Result<(Restoration, SalvageReport), RestoreError> {
    let ruins = NodeDirectory::open(damaged)?;
    let ruins_lock = ruins.lock()?;
    let old = keystore::open(&ruins.keystore(), unlock)?;
    let store = match DamagedStore::open(&ruins.store()) {
        Err(StoreError::Damaged { .. }) => return Err(RestoreError::Ruined),
        store => store?,
    };
    let old = credentials(&old, store.organisation);
    let ground = Ground::prepare(&options, store.organisation)?;
    let mut work = Salvage::begin(ground, &old, &store.disk)?;
    work.spaces(&store.disk)?;
    let pages = Pages::check(&ruins.store());
    // Fewer partners than there were look like all of them: only the checksums tell.
    work.report.knows_partners &= pages.is_ok_and(|pages| pages.is_whole(Table::Partners));
    let Salvage { ground, replica, disk, report } = work;
    let (organisation, node) = (old.organisation, old.node_key.id());
    let origin = Origin { organisation, node, made_at: engine::now() };
    let settings = std::fs::read_to_string(ruins.config()).unwrap_or_default();
    let Ground { directory, secrets, store, claim, .. } = ground;
    let restoration = Restoration {
        directory,
        options,
        secrets,
        store,
        disk,
        replica,
        origin,
        settings,
        ruins: Some((ruins, ruins_lock)),
        knows_partners: report.knows_partners,
        claim,
    };
    Ok((restoration, report))
}

/// A salvage under way.
struct Salvage {
    ground: Ground,
    replica: Replica,
    disk: Snapshot,
    report: SalvageReport,
}

impl Salvage {
    /// Takes over identities, and then what is sealed at rest.
    fn begin(ground: Ground, old: &Credentials, damaged: &Snapshot) -> Result<Self, RestoreError> {
        let disk = ground.store.snapshot()?;
        let replica = Replica::open(ground.credentials.clone(), &disk)?;
        let report = SalvageReport { knows_partners: true, ..SalvageReport::default() };
        let mut work = Self { ground, replica, disk, report };
        work.identities(damaged, old)?;
        for table in SALVAGED_TABLES {
            let (batch, loss) = sealed(damaged, table, old, &work.ground.credentials);
            work.report.knows_partners &= table != Table::Partners || loss.is_none();
            work.report.losses.extend(loss.map(|loss| format!("{}: {loss}", table.name())));
            work.ground.store.commit(&batch)?;
        }
        work.disk = work.ground.store.snapshot()?;
        work.replica = Replica::open(work.ground.credentials.clone(), &work.disk)?;
        Ok(work)
    }

    fn identities(&mut self, damaged: &Snapshot, old: &Credentials) -> Result<(), RestoreError> {
        for organisation in organisations_on(damaged) {
            let taken = self.replica.salvage_identity(damaged, &self.disk, &organisation);
            self.note(&format!("identity of organisation {organisation}"), taken);
        }
        self.commit()?;
        let own = self.replica.identity(&old.organisation);
        if !own.is_some_and(|own| own.has_certified(&old.node_key.id())) {
            return Err(RestoreError::NoIdentity);
        }
        Ok(())
    }

    fn spaces(&mut self, damaged: &Snapshot) -> Result<(), RestoreError> {
        for space in spaces_on(damaged) {
            let taken = self.replica.salvage_space(damaged, &self.disk, &space);
            if self.note(&format!("access log of space {space}"), taken) == 0 {
                continue;
            }
            self.report.spaces += 1;
            self.commit()?;
            for author in authors_on(damaged, &space) {
                self.report.entries += self.author(damaged, (&space, &author))?;
            }
            let taken = self.replica.salvage_receipts(damaged, &self.disk, &space);
            self.note(&format!("receipts of space {space}"), taken);
            self.commit()?;
        }
        Ok(())
    }

    /// Takes over an author's log; returns how many entries hold.
    fn author(
        &mut self,
        damaged: &Snapshot,
        place: (&SpaceId, &NodeId),
    ) -> Result<u64, RestoreError> {
        let ((space, author), mut at, mut runs) = (place, 0, 0_u32);
        loop {
            let taken = self.replica.salvage_run(damaged, &self.disk, place, at);
            let is_whole = matches!(taken, Salvaged::Whole(_));
            let reached = self
                .note(&format!("space {space}, log of node {author}, from entry {at} on"), taken);
            let is_over = reached == at || !is_whole;
            at = reached;
            runs += 1;
            if is_over || runs.is_multiple_of(RUNS_PER_COMMIT) {
                self.commit()?;
            }
            if is_over {
                break;
            }
        }
        let known = length_on(damaged, space, author).unwrap_or_default();
        if at < known {
            self.report.losses.push(format!(
                "space {space}, log of node {author}, entries that hold: {at}/{known}"
            ));
        }
        Ok(at)
    }

    fn note<T>(&mut self, what: &str, taken: Salvaged<T>) -> T {
        match taken {
            Salvaged::Whole(value) => value,
            Salvaged::Part(value, reason) => {
                self.report.losses.push(format!("{what}: {reason}"));
                value
            }
        }
    }

    fn commit(&mut self) -> Result<(), RestoreError> {
        self.ground.store.commit(&self.replica.take_batch())?;
        self.replica.take_growth();
        self.replica.take_events();
        self.disk = self.ground.store.snapshot()?;
        Ok(())
    }
}

/// What opens of the values of a table that the old node sealed, sealed by the new one; and what
/// does not.
fn sealed(
    damaged: &Snapshot,
    table: Table,
    old: &Credentials,
    new: &Credentials,
) -> (Batch, Option<String>) {
    let (mut batch, mut unopened) = (Batch::default(), 0_u64);
    let read = damaged.scan(table, &[], &[u8::MAX; 97], &mut |key, value| {
        match new.take_over(old, table, key, value) {
            Ok(Some(value)) => batch.put(table, key.to_vec(), value),
            Ok(None) => {}
            Err(_) => unopened += 1,
        }
        ControlFlow::Continue(())
    });
    let loss = match read {
        Err(error) => Some(error.to_string()),
        Ok(()) => (unopened > 0).then(|| format!("{unopened} values do not open")),
    };
    (batch, loss)
}
