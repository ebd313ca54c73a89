//! A node made from a backup, in a directory of its own.
//!
//! The steps, so that whoever holds the recovery words keeps them: [`Restoration::begin`] writes
//! the store; [`Restoration::recall`] asks partners for what the organisation
//! signed since; the caller signs the entries that certify the new node and revoke the old one;
//! [`Restoration::finish`] takes them. The keystore is written last, so that whatever is
//! interrupted before leaves no node.

use super::error::RestoreError;
use super::reading::Reading;
use super::replacement::Replacement;
use super::ruins::Ruins;
use super::settings::{over, prepared};
use crate::config::{Claim, NodeDirectory};
use crate::keystore::{self, KeystoreError, Secrets, Strength, Unlock};
use crate::limits::RESTORE_BATCH_BYTES;
use crate::setup::{credentials, settings};
use crate::store::{Snapshot, Store};
use crate::{engine, random};
use sincronia_protocol::backup::{BackupError, BackupHeader, BackupItem};
use sincronia_protocol::crypto::SealingSecret;
use sincronia_protocol::identity::{Identity, IdentityEntry, IdentityOperation, NodeAdmission};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::replica::{BACKUP_TABLES, Credentials, Replica};
use sincronia_protocol::storage::{Batch, Table};
use sincronia_protocol::time::Timestamp;
use std::io::Read;
use std::path::PathBuf;

/// What a backup is, as far as it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// What it says of itself.
    pub header: BackupHeader,
    /// Bytes of the file.
    pub bytes: u64,
    /// Its sealed parts.
    pub parts: u64,
    /// Pairs in it, when it was opened.
    pub pairs: Option<u64>,
}

/// Checks a backup: without the words that every byte is as it was written, with them that it opens
/// and makes sense, too.
///
/// # Errors
/// [`RestoreError`] says what is wrong, and in which part.
pub fn inspect(
    file: impl Read,
    recovery: Option<&SealingSecret>,
) -> Result<Inspected, RestoreError> {
    Reading::begin(file)?.inspect(recovery)
}

impl<R: Read> Reading<R> {
    /// As [`inspect`], of a file that was begun.
    ///
    /// # Errors
    /// [`RestoreError`] says what is wrong, and in which part.
    pub fn inspect(mut self, recovery: Option<&SealingSecret>) -> Result<Inspected, RestoreError> {
        let header = self.header()?.clone();
        let mut pairs = None;
        if let Some(recovery) = recovery {
            let (key, mut count) = (self.key(recovery)?, 0);
            self.items(&key, |item| {
                count += u64::from(matches!(item, BackupItem::Pair { .. }));
                Ok(())
            })?;
            pairs = Some(count);
        } else {
            self.check()?;
        }
        Ok(Inspected { header, bytes: self.bytes, parts: self.parts, pairs })
    }
}

/// Where a node is restored to.
#[derive(Clone, Debug)]
pub struct RestoreOptions {
    /// Where the node is to live; made if it is not there.
    pub directory: PathBuf,
    /// What opens its keystore.
    pub unlock: Unlock,
    /// How much work a passphrase costs.
    pub strength: Strength,
}

/// A restored node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Its organisation.
    pub organisation: OrganisationId,
    /// The new node.
    pub node: NodeId,
    /// How many organisations it waits for before it signs access logs.
    pub awaited: usize,
    /// Whether it knows who its partners are.
    pub knows_partners: bool,
}

/// The node in whose place another is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its organisation.
    pub organisation: OrganisationId,
    /// The node.
    pub node: NodeId,
    /// As of when.
    pub made_at: Timestamp,
}

impl Origin {
    /// Whether the organisation's identity log is known, up to where it names the node.
    pub(super) fn is_certified_in(&self, replica: &Replica) -> bool {
        replica.identity(&self.organisation).is_some_and(|own| own.has_certified(&self.node))
    }
}

/// A node that is being restored.
pub struct Restoration {
    pub(super) directory: NodeDirectory,
    pub(super) options: RestoreOptions,
    pub(super) secrets: Secrets,
    pub(super) store: Store,
    pub(super) disk: Snapshot,
    pub(super) replica: Replica,
    pub(super) origin: Origin,
    pub(super) settings: String,
    /// The damaged node of which it is made.
    pub(super) ruins: Option<Ruins>,
    /// Whether the list of partners is as it was.
    pub(super) knows_partners: bool,
    /// Dropped last: others stay out until what was made is gone, when there is no node in the end.
    pub(super) claim: Claim,
}

/// A new directory with an empty store in it, and fresh keys for a node that is to live there.
pub(super) struct Ground {
    pub directory: NodeDirectory,
    pub secrets: Secrets,
    pub credentials: Credentials,
    pub store: Store,
    /// Dropped last.
    pub claim: Claim,
}

impl Ground {
    /// Prepares the directory; one that holds a node is left as it is.
    pub fn prepare(
        options: &RestoreOptions,
        organisation: OrganisationId,
    ) -> Result<Self, RestoreError> {
        let (directory, claim) = NodeDirectory::claim(&options.directory)?;
        if directory.keystore().exists() {
            return Err(KeystoreError::Exists(directory.keystore()).into());
        }
        prepared(&directory.config())?;
        let mut random = random::generator().map_err(|_| RestoreError::Random)?;
        let secrets = Secrets::generate(&mut random);
        let credentials = credentials(&secrets, organisation);
        let store = Store::open(&directory.new_store(), &organisation)?;
        Ok(Self { directory, secrets, credentials, store, claim })
    }
}

impl Restoration {
    /// Reads the whole backup, of which only the beginning was read, into a new store.
    ///
    /// # Errors
    /// [`RestoreError`]; a directory that holds a node is left as it is.
    pub fn begin(
        options: RestoreOptions,
        mut reading: Reading<impl Read>,
        recovery: &SealingSecret,
    ) -> Result<Self, RestoreError> {
        let (header, key) = (reading.header()?.clone(), reading.key(recovery)?);
        let Ground { directory, secrets, credentials, store, claim } =
            Ground::prepare(&options, header.organisation)?;
        let mut filling = Filling::new(&store, &credentials);
        reading.items(&key, |item| filling.take(item))?;
        let settings = filling.finish()?;
        let disk = store.snapshot()?;
        let mut replica = Replica::open(credentials, &disk)?;
        let BackupHeader { organisation, node, made_at, .. } = header;
        let origin = Origin { organisation, node, made_at };
        if !origin.is_certified_in(&replica) {
            let cause = "the node that made it is none of its organisation";
            return Err(BackupError::Content(cause).into());
        }
        replica.settle_restored(&disk)?;
        store.commit(&replica.take_batch())?;
        let disk = store.snapshot()?;
        Ok(Self {
            directory,
            options,
            secrets,
            store,
            disk,
            replica,
            origin,
            settings,
            ruins: None,
            knows_partners: true,
            claim,
        })
    }

    /// In whose place it is made.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The organisation's identity log as far as it is known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn identity(&self) -> Result<Vec<IdentityEntry>, RestoreError> {
        Ok(self.replica.identity_entries(&self.disk, &self.origin.organisation, 0)?)
    }

    /// Whether somebody may know more than this node: a partner that it knows of, or may not know
    /// of any more.
    #[must_use]
    pub fn has_partners(&self) -> bool {
        !self.knows_partners || self.replica.partners().next().is_some()
    }

    /// Machines of the organisation that are in service although the one that made the backup is
    /// revoked already, as far as was heard: one of them may have been restored from it before.
    #[must_use]
    pub fn in_its_place(&self) -> Vec<NodeId> {
        let own = self.replica.identity(&self.origin.organisation);
        let revoked = |identity: &&Identity| {
            identity.has_certified(&self.origin.node) && !identity.is_active(&self.origin.node)
        };
        let active = own.filter(revoked).into_iter().flat_map(Identity::active_nodes);
        active.map(|(node, _)| *node).collect()
    }

    /// What the holder of the root key is to sign: that the new node is certified, that it is
    /// primary if the old one was or nobody else is, and that the old one is revoked.
    #[must_use]
    pub fn operations(&self) -> Vec<IdentityOperation> {
        let own = self.replica.identity(&self.origin.organisation);
        let keys = credentials(&self.secrets, self.origin.organisation);
        let sealing = keys.sealing.public().clone();
        let admission = NodeAdmission::sign(&self.origin.organisation, &keys.node_key, sealing);
        let (node, old) = (admission.node, self.origin.node);
        let mut operations = vec![IdentityOperation::AddNode { admission }];
        let primary = own.and_then(Identity::primary);
        let others = own.is_some_and(|own| own.active_nodes().any(|(one, _)| *one != old));
        if !others || primary.is_none_or(|primary| primary.node == old) {
            operations.push(IdentityOperation::SetPrimary { node });
        }
        if own.is_some_and(|own| own.is_active(&old)) {
            operations.push(IdentityOperation::RevokeNode { node: old });
        }
        operations
    }

    /// Takes entries of the organisation's identity log.
    ///
    /// # Errors
    /// [`RestoreError::Replica`] when they do not hold, or contradict the log.
    pub fn admit(&mut self, entries: &[IdentityEntry]) -> Result<(), RestoreError> {
        self.replica.admit_identity(&self.disk, entries)?;
        self.store.commit(&self.replica.take_batch())?;
        self.disk = self.store.snapshot()?;
        Ok(())
    }

    /// Makes it a node that can run, once `signed` certifies it.
    ///
    /// # Errors
    /// [`RestoreError`]; there is then no node in the directory.
    pub fn finish(mut self, signed: &[IdentityEntry]) -> Result<Restored, RestoreError> {
        self.replica.admit_identity(&self.disk, signed)?;
        self.replica.begin_catching_up(engine::now(), self.knows_partners)?;
        self.store.commit(&self.replica.take_batch())?;
        let text = if self.settings.is_empty() {
            settings(&self.origin.organisation.to_string())
        } else {
            self.settings
        };
        let text = over(text, prepared(&self.directory.config())?);
        self.directory.write(&self.directory.config(), &text)?;
        let awaited = self.replica.catching_up().map_or(0, |one| one.awaited.len());
        self.claim.place_store()?;
        let (organisation, node) = (self.origin.organisation, self.replica.node());
        let at = engine::now().milliseconds();
        if let Some(ruins) = &self.ruins {
            // Before there is the node: it must not come to be without the mark.
            Replacement::in_directory(self.directory.path(), node.to_string(), at)
                .mark(&ruins.directory)?;
        }
        let created = keystore::create(
            &self.directory.keystore(),
            &self.secrets,
            &self.options.unlock,
            self.options.strength,
        );
        if let Err(error) = created {
            if let Some(ruins) = &self.ruins {
                let _ = std::fs::remove_file(ruins.directory.replaced_by());
            }
            return Err(error.into());
        }
        self.claim.keep();
        Ok(Restored { organisation, node, awaited, knows_partners: self.knows_partners })
    }
}

/// Puts what a backup holds into a store, a batch at a time.
struct Filling<'a> {
    store: &'a Store,
    credentials: &'a Credentials,
    table: Option<Table>,
    settings: String,
    batch: Batch,
    bytes: usize,
}

impl<'a> Filling<'a> {
    fn new(store: &'a Store, credentials: &'a Credentials) -> Self {
        let (settings, batch) = (String::new(), Batch::default());
        Self { store, credentials, table: None, settings, batch, bytes: 0 }
    }

    fn take(&mut self, item: &BackupItem) -> Result<(), RestoreError> {
        match item {
            BackupItem::Settings(text) => self.settings.clone_from(text),
            BackupItem::Table(name) => {
                let known = BACKUP_TABLES.into_iter().find(|table| table.name() == name);
                let unknown =
                    BackupError::Content("it has a table that this program does not know");
                self.table = Some(known.ok_or(unknown)?);
            }
            BackupItem::Pair { key, value } => {
                let table = self.table.ok_or(BackupError::Content("a pair is of no table"))?;
                let value = self.credentials.from_backup(table, key, value)?;
                self.bytes += key.len() + value.len();
                self.batch.put(table, key.clone(), value);
                if self.bytes >= RESTORE_BATCH_BYTES {
                    self.commit()?;
                }
            }
            BackupItem::End { .. } => self.commit()?,
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), RestoreError> {
        self.store.commit(&std::mem::take(&mut self.batch))?;
        self.bytes = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<String, RestoreError> {
        self.commit()?;
        Ok(self.settings)
    }
}
