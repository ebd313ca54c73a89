//! Identity logs of this organisation, its partners, and the members of common spaces.

use super::certified::Certified;
use super::{Event, Growth, Replica, ReplicaError, keys};
use crate::codec;
use crate::identity::{Identity, IdentityEntry, Succession};
use crate::ids::OrganisationId;
use crate::limits;
use crate::log::LogPosition;
use crate::storage::{Storage, Table};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

impl Replica {
    pub(super) fn load_identities(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut logs: BTreeMap<OrganisationId, Vec<IdentityEntry>> = BTreeMap::new();
        let mut sound = true;
        disk.scan(Table::Identity, &[], &[u8::MAX; 73], &mut |_, value| {
            match minicbor::decode::<IdentityEntry>(value) {
                Ok(entry) => logs.entry(entry.statement.organisation).or_default().push(entry),
                Err(_) => sound = false,
            }
            if sound { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let damaged = || ReplicaError::Damaged(Table::Identity.name());
        let read = |(organisation, log): (_, Vec<_>)| {
            Some((organisation, Identity::read(&log).ok().filter(|_| sound)?))
        };
        let identities: Option<BTreeMap<_, _>> = logs.into_iter().map(read).collect();
        self.identities = identities.filter(|_| sound).ok_or_else(damaged)?;
        self.certified = Certified::default();
        for (organisation, identity) in &self.identities {
            self.certified.note(*organisation, identity);
        }
        Ok(())
    }

    /// Takes entries of an identity log, of whatever branches, each after the one it follows;
    /// those already here change nothing, new ones are verified, and those of which nothing known
    /// is followed are passed over. Returns whether the log grew.
    ///
    /// # Errors
    /// [`crate::identity::IdentityError`]; then nothing of them is kept.
    pub fn admit_identity(
        &mut self,
        disk: &dyn Storage,
        entries: &[IdentityEntry],
    ) -> Result<bool, ReplicaError> {
        let Some(first) = entries.first() else { return Ok(false) };
        let organisation = first.statement.organisation;
        let known = self.identities.get(&organisation);
        if known.is_some_and(|known| entries.iter().all(|entry| known.knows(&entry.statement))) {
            return Ok(false);
        }
        let mut identity = match known {
            Some(known) => known.clone(),
            None => Identity::begin(first)?,
        };
        let passed_over = identity.take_all(entries, known)?;
        let is_fresh = |entry: &&IdentityEntry| {
            let is_known = known.is_some_and(|known| known.knows(&entry.statement));
            !is_known && identity.knows(&entry.statement)
        };
        let fresh: Vec<_> = entries.iter().filter(is_fresh).collect();
        let Some(since) = fresh.iter().map(|entry| entry.statement.sequence).min() else {
            if organisation == self.organisation() {
                self.note_removed_aside(entries)?;
            }
            return passed_over.map(|()| false).map_err(Into::into);
        };
        let known_generation = known.map(Identity::generation);
        let was_divided = known.is_some_and(Identity::is_divided);
        let had_branches = known.is_some_and(Identity::has_branches);
        let is_other_spoken = known.is_some_and(|known| {
            (had_branches || identity.has_branches()) && known.spoken() != identity.spoken()
        });
        self.note_exposure(disk, &fresh)?;
        if had_branches {
            self.let_entries_go(disk, &identity)?;
        }
        for entry in fresh {
            self.put_identity_entry(disk, entry)?;
        }
        if identity.is_divided() && !was_divided {
            self.events.push(Event::Divided { organisation });
        }
        let generation = identity.generation();
        let has_new_root = known_generation.is_some_and(|known| known != generation);
        self.certified.note(organisation, &identity);
        self.identities.insert(organisation, identity);
        if has_new_root {
            self.note_new_root(disk, &organisation)?;
        }
        if is_other_spoken {
            self.review_aside(disk, &organisation)?;
        }
        if organisation == self.organisation() {
            self.note_removed_aside(entries)?;
        }
        self.owe_maintenance(&organisation, since);
        self.growth.push(Growth::Identity { organisation });
        Ok(true)
    }

    /// Drops the entries of branches for which there is no room any more.
    fn let_entries_go(
        &mut self,
        disk: &dyn Storage,
        identity: &Identity,
    ) -> Result<(), ReplicaError> {
        let mut gone = Vec::new();
        let (from, to) = keys::all(identity.organisation().as_bytes());
        self.scan(disk, Table::Identity, &from, &to, &mut |key, value| {
            let entry = minicbor::decode::<IdentityEntry>(value);
            if entry.is_ok_and(|entry| !identity.knows(&entry.statement)) {
                gone.push(key.to_vec());
            }
            ControlFlow::Continue(())
        })?;
        for key in gone {
            self.pending.delete(Table::Identity, key);
        }
        Ok(())
    }

    /// Keeps an entry: the first that came to its place there, any other beside it.
    fn put_identity_entry(
        &mut self,
        disk: &dyn Storage,
        entry: &IdentityEntry,
    ) -> Result<(), ReplicaError> {
        let statement = &entry.statement;
        let place = keys::identity(&statement.organisation, statement.sequence);
        let is_taken = self.read(disk, Table::Identity, &place)?.is_some();
        let beside = || [place.as_slice(), statement.hash().as_bytes()].concat();
        let key = if is_taken { beside() } else { place.clone() };
        self.pending.put(Table::Identity, key, codec::encode(entry));
        Ok(())
    }

    /// Where an organisation's identity log stands here.
    #[must_use]
    pub fn identity_position(&self, organisation: &OrganisationId) -> LogPosition {
        self.identities.get(organisation).map_or(LogPosition::START, Identity::position)
    }

    /// What is known of an organisation's keys.
    #[must_use]
    pub fn identity(&self, organisation: &OrganisationId) -> Option<&Identity> {
        self.identities.get(organisation)
    }

    /// Every succession of organisations that is known here.
    #[must_use]
    pub fn successions(&self) -> Vec<Succession> {
        Succession::all(&self.identities)
    }

    /// Whose place an organisation took, as both sides say, at most so many.
    #[must_use]
    pub fn behind(&self, organisation: &OrganisationId, most: usize) -> Vec<OrganisationId> {
        Succession::behind(&self.identities, organisation, most)
    }

    /// The identity log of an organisation for somebody who has never heard of it. Whoever had a
    /// root key of before may have added to it what fills a frame, and is set aside.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn identity_in_force(
        &self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
    ) -> Result<Vec<IdentityEntry>, ReplicaError> {
        let mut entries = self.identity_entries(disk, organisation, 0)?;
        if let Some(known) = self.identities.get(organisation).filter(|one| one.has_branches()) {
            let told = known.as_told_first();
            entries.retain(|entry| told.knows(&entry.statement));
        }
        Ok(entries)
    }

    /// Entries of an identity log from `from` on, of all its branches, each after the one it
    /// follows.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn identity_entries(
        &self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
        from: u64,
    ) -> Result<Vec<IdentityEntry>, ReplicaError> {
        let mut entries = Vec::new();
        let start = keys::identity(organisation, from);
        let (_, end) = keys::all(organisation.as_bytes());
        self.scan(disk, Table::Identity, &start, &end, &mut |_, value| {
            entries.extend(minicbor::decode::<IdentityEntry>(value));
            if entries.len() < limits::IDENTITY_ENTRIES_ALL_MAX {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(entries)
    }
}
