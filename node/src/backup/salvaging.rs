//! A node made from what still holds in a damaged store: a backup made of ruins.
//!
//! What is taken over passes the checks of what a partner brings; the rest comes back from partners
//! once the new node runs. The steps after this are those of a restoration: the new node is
//! certified, the damaged one revoked, and nothing of its own logs is signed anew.
//!
//! Nothing of a space holds without the identity log of its owner. When the organisation's own
//! cannot be read, spaces wait ([`SalvageReport::knows_identity`]) until
//! [`Restoration::recall`] has it from partners; [`Restoration::salvage_spaces`] goes on then.

use super::error::RestoreError;
use super::replacement::Replacement;
use super::restoring::{Ground, Origin, Restoration, RestoreOptions};
use super::ruins::Ruins;
use crate::config::NodeDirectory;
use crate::engine;
use crate::keystore::Unlock;
use crate::store::Snapshot;
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
    /// Whether the organisation's own identity log names the damaged node; spaces wait until one
    /// does.
    pub knows_identity: bool,
    /// What did not hold or could not be read, in words: partners are asked for it.
    pub losses: Vec<String>,
}

/// Makes a node of what holds in the store of `damaged`, up to the point where the holder of the
/// root key must sign.
///
/// # Errors
/// [`RestoreError::Ruined`] when the store opens in no way; [`RestoreError::Replaced`] when it was
/// done before.
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
    let ruins = Ruins::open(damaged, unlock)?;
    let Ground { directory, secrets, credentials, store, claim } =
        Ground::prepare(&options, ruins.store.organisation)?;
    let (organisation, node) = (ruins.keys.organisation, ruins.keys.node_key.id());
    let disk = store.snapshot()?;
    let replica = Replica::open(credentials.clone(), &disk)?;
    let mut restoration = Restoration {
        directory,
        options,
        secrets,
        store,
        disk,
        replica,
        origin: Origin { organisation, node, made_at: engine::now() },
        settings: ruins.settings(),
        ruins: None,
        knows_partners: true,
        claim,
    };
    let mut report = SalvageReport { knows_partners: true, ..SalvageReport::default() };
    let mut work = Salvage { restoration: &mut restoration, report: &mut report };
    work.identities(&ruins.store.disk)?;
    work.sealed(&ruins.store.disk, (&ruins.keys, &credentials))?;
    report.knows_partners &= ruins.is_whole(Table::Partners);
    restoration.knows_partners = report.knows_partners;
    restoration.ruins = Some(ruins);
    match restoration.salvage_spaces(&mut report) {
        Ok(()) | Err(RestoreError::NoIdentity) => Ok((restoration, report)),
        Err(error) => Err(error),
    }
}

impl Restoration {
    /// Takes over the spaces of the damaged store; nothing of a restoration from a backup.
    ///
    /// # Errors
    /// [`RestoreError::NoIdentity`] as long as the organisation's identity log is not known up to
    /// where it names the damaged node.
    pub fn salvage_spaces(&mut self, report: &mut SalvageReport) -> Result<(), RestoreError> {
        report.knows_identity = self.origin.is_certified_in(&self.replica);
        if !report.knows_identity {
            return Err(RestoreError::NoIdentity);
        }
        let Some(ruins) = self.ruins.take() else { return Ok(()) };
        let taken = Salvage { restoration: self, report }.spaces(&ruins.store.disk);
        self.ruins = Some(ruins);
        taken
    }
}

/// A salvage under way.
struct Salvage<'a> {
    restoration: &'a mut Restoration,
    report: &'a mut SalvageReport,
}

impl Salvage<'_> {
    fn identities(&mut self, damaged: &Snapshot) -> Result<(), RestoreError> {
        for organisation in organisations_on(damaged) {
            let Restoration { replica, disk, .. } = &mut *self.restoration;
            let taken = replica.salvage_identity(damaged, disk, &organisation);
            self.note(&format!("identity of organisation {organisation}"), taken);
        }
        self.commit()
    }

    /// Takes over what is sealed at rest.
    fn sealed(
        &mut self,
        damaged: &Snapshot,
        (old, new): (&Credentials, &Credentials),
    ) -> Result<(), RestoreError> {
        for table in SALVAGED_TABLES {
            let (batch, loss) = sealed(damaged, table, old, new);
            self.report.knows_partners &= table != Table::Partners || loss.is_none();
            self.report.losses.extend(loss.map(|loss| format!("{}: {loss}", table.name())));
            self.restoration.store.commit(&batch)?;
        }
        let work = &mut *self.restoration;
        work.disk = work.store.snapshot()?;
        work.replica = Replica::open(new.clone(), &work.disk)?;
        Ok(())
    }

    fn spaces(&mut self, damaged: &Snapshot) -> Result<(), RestoreError> {
        for space in spaces_on(damaged) {
            let Restoration { replica, disk, .. } = &mut *self.restoration;
            let taken = replica.salvage_space(damaged, disk, &space);
            if self.note(&format!("access log of space {space}"), taken) == 0 {
                continue;
            }
            self.report.spaces += 1;
            self.commit()?;
            for author in authors_on(damaged, &space) {
                self.report.entries += self.author(damaged, (&space, &author))?;
            }
            let Restoration { replica, disk, .. } = &mut *self.restoration;
            let taken = replica.salvage_receipts(damaged, disk, &space);
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
            let Restoration { replica, disk, .. } = &mut *self.restoration;
            let taken = replica.salvage_run(damaged, disk, place, at);
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
        let work = &mut *self.restoration;
        work.store.commit(&work.replica.take_batch())?;
        work.replica.take_growth();
        work.replica.take_events();
        work.disk = work.store.snapshot()?;
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
