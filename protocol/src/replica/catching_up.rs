//! A node restored from a backup, until it has heard what its partners have and the backup has not.
//!
//! Its organisation revoked the node that made the backup, so its spaces must cut that node's logs.
//! Cut at what the backup holds, they would lose what the old node wrote afterwards and partners
//! acknowledged; and an entry written into an access log now would set aside what the old node
//! wrote there. So both wait until the node was in sync with every partner that shares a space, or
//! the operator says that nobody else is to be waited for. Records are read and written meanwhile.
//!
//! A node that lost the list of its partners does not know whom to wait for. It waits for every
//! organisation that shares a space, partner or not, and for one partner at least: from that one it
//! learns of spaces that it lost, and of those who share them.
//!
//! A node whose store went back to an older commit, under the keys that it had, waits in the same
//! way and writes no records either: it may have signed the next place of its logs before. If it
//! did, and a partner has what it signed, it meets that, and signs no more.

use super::{Replica, ReplicaError};
use crate::codec;
use crate::ids::OrganisationId;
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use minicbor::{Decode, Encode};

const SETTING: &str = "catching up";

/// The setting that says that the waiting is over, and what waited for it not done yet.
const ENDED: &str = "caught up";

/// Whom a restored node still waits for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CatchingUp {
    /// When it was restored.
    #[n(0)]
    pub since: Timestamp,
    /// Organisations not heard yet.
    #[n(1)]
    pub awaited: Vec<OrganisationId>,
    /// Whether it lost the list of its partners, and has heard nobody who knows any since.
    #[n(2)]
    #[cbor(default)]
    pub is_blind: bool,
    /// Whether its store went back to an older commit: its own logs may be longer elsewhere.
    #[n(3)]
    #[cbor(default)]
    pub has_gone_back: bool,
}

impl Replica {
    pub(super) fn load_catching_up(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let damaged = || ReplicaError::Damaged(Table::Settings.name());
        let stored = self.setting(disk, SETTING)?;
        let read = stored.map(|bytes| minicbor::decode(&bytes).map_err(|_| damaged()));
        self.catching_up = read.transpose()?;
        self.has_caught_up = self.setting(disk, ENDED)?.is_some();
        Ok(())
    }

    /// Begins to wait for every partner that shares a space, and for other nodes of this
    /// organisation. Nothing begins when there is nobody to wait for, unless the node does not
    /// know its partners any more.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn begin_catching_up(
        &mut self,
        now: Timestamp,
        knows_partners: bool,
    ) -> Result<(), ReplicaError> {
        let awaited = self.sharing(knows_partners);
        let is_blind = !knows_partners;
        self.keep_catching_up(CatchingUp { since: now, awaited, is_blind, has_gone_back: false })
    }

    /// As [`Self::begin_catching_up`], for a node whose store went back to an older commit: until
    /// it has heard them it signs nothing in its own logs.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn begin_after_going_back(&mut self, now: Timestamp) -> Result<(), ReplicaError> {
        let is_blind = self.catching_up.as_ref().is_some_and(|state| state.is_blind);
        let awaited = self.sharing(!is_blind);
        self.keep_catching_up(CatchingUp { since: now, awaited, is_blind, has_gone_back: true })
    }

    /// Whether its own logs may be longer elsewhere, and nobody said yet that they are not.
    pub(super) fn doubts_own_logs(&self) -> bool {
        self.catching_up.as_ref().is_some_and(|state| state.has_gone_back)
    }

    /// Organisations of which another node shares a space of this one, among them this one itself:
    /// all of them, or partners only.
    fn sharing(&self, only_partners: bool) -> Vec<OrganisationId> {
        let (own, node) = (self.organisation(), self.node());
        let is_active = |organisation: &OrganisationId| {
            let identity = self.identities.get(organisation);
            identity.is_some_and(|one| one.active_nodes().any(|(active, _)| *active != node))
        };
        let shares = |organisation: &OrganisationId| {
            self.summaries.of(organisation).any(|known| known.summary.role(&own).is_some())
        };
        let counts = |one: &&OrganisationId| !only_partners || self.is_partner(one);
        let known = self.identities.keys().filter(counts);
        known.filter(|one| is_active(one) && shares(one)).copied().collect()
    }

    fn keep_catching_up(&mut self, state: CatchingUp) -> Result<(), ReplicaError> {
        if state.awaited.is_empty() && !state.is_blind {
            self.pending.delete(Table::Settings, SETTING.as_bytes().to_vec());
            if self.catching_up.take().is_some() {
                self.put_setting(ENDED, &[])?;
                self.has_caught_up = true;
            }
            return Ok(());
        }
        self.put_setting(SETTING, &codec::encode(&state))?;
        self.catching_up = Some(state);
        Ok(())
    }

    /// Whom a restored node waits for; nothing when it has caught up.
    #[must_use]
    pub const fn catching_up(&self) -> Option<&CatchingUp> {
        self.catching_up.as_ref()
    }

    /// Whether the node waited, waits no more, and what waited with it is still to be done: a crash
    /// meanwhile forgets nothing of that.
    #[must_use]
    pub const fn has_caught_up(&self) -> bool {
        self.has_caught_up && self.catching_up.is_none()
    }

    /// What waited was done.
    pub fn go_on(&mut self) {
        self.pending.delete(Table::Settings, ENDED.as_bytes().to_vec());
        self.has_caught_up = false;
    }

    /// Waits no longer for an organisation that was blocked: it will never be in sync.
    pub(super) fn wait_not_for(
        &mut self,
        organisation: &OrganisationId,
    ) -> Result<(), ReplicaError> {
        let awaits = |state: &&CatchingUp| state.awaited.contains(organisation);
        let Some(mut state) = self.catching_up.as_ref().filter(awaits).cloned() else {
            return Ok(());
        };
        state.awaited.retain(|one| one != organisation);
        self.keep_catching_up(state)
    }

    /// Notes that this node and `organisation` were in sync. Returns whether nobody is waited for
    /// any more.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn note_heard(&mut self, organisation: &OrganisationId) -> Result<bool, ReplicaError> {
        let Some(state) = &self.catching_up else { return Ok(false) };
        let mut state = state.clone();
        if state.is_blind {
            // It brought the spaces that both share, and so the others who share them.
            state.awaited = self.sharing(false);
            state.is_blind = false;
        } else if !state.awaited.contains(organisation) {
            return Ok(false);
        }
        state.awaited.retain(|one| one != organisation);
        self.keep_catching_up(state)?;
        Ok(self.catching_up.is_none())
    }

    /// Waits for nobody any more, as the operator decides; those not heard.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn finish_catching_up(&mut self) -> Result<Vec<OrganisationId>, ReplicaError> {
        let Some(state) = self.catching_up.clone() else { return Ok(Vec::new()) };
        self.keep_catching_up(CatchingUp {
            since: state.since,
            awaited: Vec::new(),
            is_blind: false,
            has_gone_back: false,
        })?;
        Ok(state.awaited)
    }
}
