//! Everything one node knows, as a pure state machine over [`Storage`].
//!
//! # Contract
//! A step reads `disk` (the last commit) through the replica's own pending writes, and adds to
//! them. The driver takes the pending [`Batch`] with [`Replica::take_batch`], commits it durably,
//! and only then releases what the steps returned: answers, acknowledgements, [`Growth`] to push,
//! [`Event`]s to show. When a commit fails it calls [`Replica::forget`]: caches and pending writes
//! are dropped and the state is that of the disk.
//!
//! Which entries are accepted is a function of the logs; which records result is a function of the
//! accepted entries; rows are that result, written down. Nothing here is decided by order of
//! arrival or by the clock.
//!
//! # Deliberately absent
//! Sessions and frames (`sync`), the gate and the fields of records (`record`), passphrases, time.

mod admission;
mod allowance;
mod aside;
mod askers;
mod backup;
mod beacons;
mod branches;
mod bundles;
mod cache;
mod catching_up;
mod certificate;
mod certified;
mod erasure;
mod exposure;
mod forks;
mod handover;
mod identities;
mod introductions;
mod invitations;
mod keys;
mod late;
mod maintenance;
mod membership;
mod ownership;
mod partners;
mod portion;
mod projection;
mod query;
mod receipts;
mod returning;
mod row;
mod runs;
mod salvage;
mod serving;
mod settings;
mod settling;
mod siblings;
mod space;
mod stored;
mod summary;
mod verification;
mod waiting;
mod writing;

use crate::access::{AccessError, KeyringError};
use crate::codec::CodecError;
use crate::crypto::{CryptoError, NodeKey, SealingSecret, StorageKey};
use crate::identity::{Identity, IdentityError};
use crate::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use crate::log::RunError;
use crate::record::Record;
use crate::storage::{Batch, Storage, StorageError, Table, Visit};
use cache::Cache;
use certified::Certified;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use summary::Summaries;

use allowance::Allowances;
use beacons::BeaconBook;
use introductions::Introductions;

pub use backup::BACKUP_TABLES;
pub use branches::SetAside;
pub use bundles::{Arrival, Awaited, Brought, Dispatch, Ledger};
pub use catching_up::CatchingUp;
pub use certificate::Certificate;
pub use erasure::Missing;
pub use exposure::{Exposure, Safety};
pub use introductions::{Introduced, Presentation};
pub use invitations::{GrantOnArrival, InvitationRecord, InvitationState};
pub use late::LateContent;
pub use membership::RevocationReport;
pub use partners::{Partner, Trust};
pub use portion::Portion;
pub use query::{EntryCount, HistoryEntry, Quarantined, RecordRow, SpaceView};
pub use row::{QuarantineReason, Row};
pub use runs::Admitted;
pub use salvage::{SALVAGED_TABLES, Salvaged, authors_on, length_on, organisations_on, spaces_on};
pub use serving::{Item, ItemRef, SpaceHeads, decode_proof};
pub use siblings::{PartnerRecord, Sibling};
pub use summary::Summary;
pub use verification::{Findings, RawRuns, RawWanted};
pub use writing::{WriteRequest, WriteTarget, Written};

/// Why a step did nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// A beacon is not its node's.
    #[error("the signature of a beacon does not hold")]
    Beacons,
    /// An access entry was refused.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The node was restored, or went back to an older commit, and has not heard its partners yet.
    #[error(
        "this node was restored from a backup or made of a damaged disk, or its store went back to \
         an older state, and it still waits to hear its partners"
    )]
    CatchingUp,
    /// Another copy of this node is running, or an old copy of its data was started.
    #[error(
        "this node's own log is longer elsewhere: another copy is running, or old data was restored"
    )]
    Cloned,
    /// Stored bytes are not what was written.
    #[error("the store holds damaged data in table {0}; run `sincronia verify`")]
    Damaged(&'static str),
    /// An edit was refused.
    #[error(transparent)]
    Edit(#[from] crate::record::EditError),
    /// An author's log is frozen because it was forked.
    #[error("the author's log is frozen: it was forked")]
    Frozen,
    /// The record was erased.
    #[error("the record was erased")]
    Erased,
    /// An identity entry was refused.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A sealed keyring was refused.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The key of the current epoch has not arrived yet.
    #[error("the key of this space has not arrived yet; it comes with the next synchronisation")]
    KeyMissing,
    /// Bytes of a partner do not parse.
    #[error(transparent)]
    Malformed(#[from] CodecError),
    /// A text holds characters that command a terminal or hide what it says.
    #[error("{0} holds control characters or marks that hide text")]
    Text(&'static str),
    /// A limit would be crossed.
    #[error("a limit would be crossed: {0}")]
    Limit(&'static str),
    /// Another node of this organisation writes its access logs.
    #[error(
        "this node is not its organisation's primary, which alone founds, shares and takes back"
    )]
    NotPrimary(Option<NodeId>),
    /// This organisation revoked this node.
    #[error("this node was revoked by its organisation; it signs nothing and syncs with nobody")]
    Revoked,
    /// This node was admitted apart from a change of the root key of its organisation.
    #[error(
        "this node was admitted apart from a change of the root key; for the others it is a \
         stranger, and what would be written here reaches nobody"
    )]
    SetAside,
    /// This organisation may not do that in that space.
    #[error("this organisation may not do that in this space")]
    NotPermitted,
    /// A receipt for erasures is not its node's.
    #[error("the signature of a receipt does not hold")]
    Receipt,
    /// A run was refused.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The store could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No such organisation, space or record here.
    #[error("not known here: {0}")]
    Unknown(&'static str),
}

impl From<CryptoError> for ReplicaError {
    fn from(_: CryptoError) -> Self {
        Self::Keyring(KeyringError::Sealed)
    }
}

/// The keys of this node.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The organisation it belongs to.
    pub organisation: OrganisationId,
    /// Signs entries.
    pub node_key: NodeKey,
    /// Opens keyrings.
    pub sealing: SealingSecret,
    /// Seals values at rest.
    pub storage: StorageKey,
}

/// What grew durably, for sessions to pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Growth {
    /// An author log.
    Entries {
        /// The space.
        space: SpaceId,
        /// The author.
        author: NodeId,
        /// Its length before.
        from: u64,
    },
    /// An access log, or the keyrings of a space.
    Access {
        /// The space.
        space: SpaceId,
        /// Its length before.
        from: u64,
    },
    /// An identity log.
    Identity {
        /// The organisation.
        organisation: OrganisationId,
    },
    /// What a node says of itself.
    Beacons {
        /// The node.
        node: NodeId,
    },
    /// What is known of a partner, or of the nodes of this organisation: only for the latter.
    Partner {
        /// The partner, or this organisation.
        organisation: OrganisationId,
    },
    /// Somebody is to be told of an organisation that this one presents to it, or was itself
    /// presented here.
    Presented {
        /// The organisation.
        organisation: OrganisationId,
    },
}

/// What an application wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A record changed.
    Record {
        /// The space.
        space: SpaceId,
        /// The record.
        record: RecordId,
        /// Whether it has a conflict now.
        conflict: bool,
    },
    /// Membership of a space changed, or the space is new here.
    Space {
        /// The space.
        space: SpaceId,
    },
    /// The owner's primary node wrote two different entries at one place of a space's access log.
    Contradicted {
        /// The space.
        space: SpaceId,
    },
    /// A record was erased.
    Erased {
        /// The space.
        space: SpaceId,
        /// The record.
        record: RecordId,
        /// Whether the owner did not know of an edit of this node when it erased the record.
        own_edit: bool,
    },
    /// This node found entries of its own that it does not have.
    Cloned,
    /// Two statements at one place of an organisation's identity log are known, and both count.
    Divided {
        /// The organisation.
        organisation: OrganisationId,
    },
    /// An author's log was found forked; the proof is kept.
    Forked {
        /// The space.
        space: SpaceId,
        /// The author.
        author: NodeId,
    },
}

/// Everything one node knows.
pub struct Replica {
    credentials: Credentials,
    identities: BTreeMap<OrganisationId, Identity>,
    certified: Certified,
    partners: BTreeMap<OrganisationId, Partner>,
    summaries: Summaries,
    spaces: Cache<SpaceId, space::SpaceState>,
    records: Cache<(SpaceId, RecordId), Record>,
    dirty: BTreeSet<SpaceId>,
    debts: BTreeMap<OrganisationId, u64>,
    decisions: BTreeMap<OrganisationId, u64>,
    siblings: BTreeMap<NodeId, Sibling>,
    /// Spaces with entries that an erasure is still to name.
    unerased: BTreeSet<SpaceId>,
    /// Spaces of which not everything was erased that is to be.
    unfinished: BTreeSet<SpaceId>,
    /// Bodies that are gone though no erasure names them that counts.
    missing: erasure::MissingBodies,
    /// What accepted entries build on beyond cuts, until the owner has named it.
    built_upon: BTreeMap<SpaceId, settling::BuiltUpon>,
    pending: Batch,
    growth: Vec<Growth>,
    events: Vec<Event>,
    cloned: bool,
    catching_up: Option<CatchingUp>,
    has_caught_up: bool,
    allowances: Allowances,
    brought: Allowances,
    introductions: Introductions,
    removed_aside: BTreeSet<NodeId>,
    askers: askers::Askers,
    beacons: BeaconBook,
}

/// Spaces kept loaded.
const SPACES_CACHED_MAX: u64 = 4_096;
/// What records kept loaded take, in bytes: few with a history that somebody made as large as he
/// could, or 512 ordinary ones.
const RECORDS_CACHED_BYTES: u64 = 64 * 1024 * 1024;
const RECORD_CACHED_BYTES_MIN: u64 = RECORDS_CACHED_BYTES / 512;

impl Replica {
    /// Loads the state of the disk.
    ///
    /// # Errors
    /// [`ReplicaError::Damaged`] when stored bytes are not what was written.
    pub fn open(credentials: Credentials, disk: &dyn Storage) -> Result<Self, ReplicaError> {
        let mut replica = Self {
            credentials,
            identities: BTreeMap::new(),
            certified: Certified::default(),
            partners: BTreeMap::new(),
            summaries: Summaries::default(),
            spaces: Cache::default(),
            records: Cache::default(),
            dirty: BTreeSet::new(),
            debts: BTreeMap::new(),
            decisions: BTreeMap::new(),
            siblings: BTreeMap::new(),
            unerased: BTreeSet::new(),
            unfinished: BTreeSet::new(),
            missing: erasure::MissingBodies::new(),
            built_upon: BTreeMap::new(),
            pending: Batch::default(),
            growth: Vec::new(),
            events: Vec::new(),
            cloned: false,
            catching_up: None,
            has_caught_up: false,
            allowances: Allowances::of_authors(),
            brought: Allowances::of_bringers(),
            introductions: Introductions::default(),
            removed_aside: BTreeSet::new(),
            askers: askers::Askers::default(),
            beacons: BeaconBook::default(),
        };
        replica.load(disk)?;
        replica.renew_partings(disk)?;
        replica.renew_lacking(disk)?;
        replica.renew_missing(disk)?;
        replica.finish_erasing(disk);
        Ok(replica)
    }

    /// Drops pending writes and caches, and loads the state of the disk: after a failed commit.
    ///
    /// # Errors
    /// As [`Replica::open`].
    pub fn forget(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        self.pending = Batch::default();
        self.growth.clear();
        self.events.clear();
        self.load(disk)
    }

    fn load(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        self.spaces.clear();
        self.records.clear();
        self.load_identities(disk)?;
        self.load_partners(disk)?;
        self.load_siblings(disk)?;
        self.load_beacons(disk)?;
        self.load_debts(disk)?;
        self.load_catching_up(disk)?;
        self.load_introductions(disk)?;
        self.load_removed_aside(disk)?;
        self.load_askers(disk)?;
        self.load_unerased(disk)?;
        self.load_unfinished(disk)?;
        self.load_missing(disk)?;
        self.load_summaries(disk)
    }

    /// The writes to commit now. Caches stay ahead of the disk by exactly these.
    pub fn take_batch(&mut self) -> Batch {
        self.trim();
        std::mem::take(&mut self.pending)
    }

    /// Lets go of loaded spaces beyond those that are kept: between steps, never within one.
    pub fn trim(&mut self) {
        self.spaces.trim(SPACES_CACHED_MAX);
    }

    /// Whether there is something to commit.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What grew since the last call.
    pub fn take_growth(&mut self) -> Vec<Growth> {
        std::mem::take(&mut self.growth)
    }

    /// How much grew since the last call of [`Replica::take_growth`].
    #[must_use]
    pub const fn growth_count(&self) -> usize {
        self.growth.len()
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// This organisation.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.credentials.organisation
    }

    /// This node.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.credentials.node_key.id()
    }

    /// Whether another copy of this node was noticed: it then signs nothing.
    #[must_use]
    pub const fn is_cloned(&self) -> bool {
        self.cloned
    }

    /// Reads through the pending writes.
    fn read(
        &self,
        disk: &dyn Storage,
        table: Table,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StorageError> {
        match self.pending.writes.get(&(table, key.to_vec())) {
            Some(value) => Ok(value.clone()),
            None => disk.read(table, key),
        }
    }

    /// Scans the disk merged with the pending writes, in key order.
    fn scan(
        &self,
        disk: &dyn Storage,
        table: Table,
        from: &[u8],
        to: &[u8],
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        if from >= to {
            return Ok(());
        }
        let range = (table, from.to_vec())..(table, to.to_vec());
        let mut pending = self.pending.writes.range(range).peekable();
        let mut stopped = false;
        disk.scan(table, from, to, &mut |key, value| {
            while let Some(((_, own), new)) = pending.next_if(|((_, own), _)| own.as_slice() < key)
            {
                if let Some(new) = new
                    && visit(own, new).is_break()
                {
                    stopped = true;
                    return ControlFlow::Break(());
                }
            }
            let replaced = pending.next_if(|((_, own), _)| own.as_slice() == key);
            let flow = match replaced {
                Some((_, None)) => ControlFlow::Continue(()),
                Some((_, Some(new))) => visit(key, new),
                None => visit(key, value),
            };
            stopped = flow.is_break();
            flow
        })?;
        if !stopped {
            for ((_, key), value) in pending {
                if let Some(value) = value
                    && visit(key, value).is_break()
                {
                    break;
                }
            }
        }
        Ok(())
    }
}
