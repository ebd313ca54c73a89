//! Identity logs of this organisation, its partners, and the members of common spaces.

use super::certified::Certified;
use super::{Growth, Replica, ReplicaError, keys};
use crate::codec;
use crate::identity::{Identity, IdentityEntry, IdentityError, Succession};
use crate::ids::OrganisationId;
use crate::limits;
use crate::storage::{Storage, Table};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

impl Replica {
    pub(super) fn load_identities(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let mut identities: BTreeMap<OrganisationId, Identity> = BTreeMap::new();
        let mut sound = true;
        disk.scan(Table::Identity, &[], &[u8::MAX; 41], &mut |_, value| {
            let applied = minicbor::decode::<IdentityEntry>(value)
                .map_err(|_| IdentityError::Chain)
                .and_then(|entry| extend(&mut identities, &entry));
            sound = applied.is_ok();
            if sound { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if !sound {
            return Err(ReplicaError::Damaged(Table::Identity.name()));
        }
        self.identities = identities;
        self.certified = Certified::default();
        for (organisation, identity) in &self.identities {
            self.certified.note(*organisation, identity);
        }
        Ok(())
    }

    /// Takes entries of an identity log; those already here are compared, new ones verified.
    /// Returns whether the log grew.
    ///
    /// # Errors
    /// [`IdentityError`], with [`IdentityError::Fork`] when an entry contradicts one that is here.
    pub fn admit_identity(
        &mut self,
        disk: &dyn Storage,
        entries: &[IdentityEntry],
    ) -> Result<bool, ReplicaError> {
        let Some(first) = entries.first() else { return Ok(false) };
        let organisation = first.statement.organisation;
        let mut grown = self.identities.get(&organisation).cloned();
        let length = grown.as_ref().map_or(0, Identity::length);
        let mut fresh = Vec::new();
        for entry in entries {
            if entry.statement.organisation != organisation {
                return Err(IdentityError::Chain.into());
            }
            if entry.statement.sequence < length {
                self.check_identical(disk, entry)?;
                continue;
            }
            match grown.as_mut() {
                Some(identity) => identity.apply(entry)?,
                None => grown = Some(Identity::begin(entry)?),
            }
            fresh.push(entry);
        }
        let Some(identity) = grown.filter(|_| !fresh.is_empty()) else { return Ok(false) };
        self.note_exposure(disk, &fresh)?;
        for entry in fresh {
            let key = keys::identity(&organisation, entry.statement.sequence);
            self.pending.put(Table::Identity, key, codec::encode(entry));
        }
        self.certified.note(organisation, &identity);
        self.identities.insert(organisation, identity);
        self.owe_maintenance(&organisation, length);
        self.growth.push(Growth::Identity { organisation });
        Ok(true)
    }

    fn check_identical(
        &self,
        disk: &dyn Storage,
        entry: &IdentityEntry,
    ) -> Result<(), ReplicaError> {
        let statement = &entry.statement;
        let key = keys::identity(&statement.organisation, statement.sequence);
        let known = self.read(disk, Table::Identity, &key)?;
        let known = known.and_then(|bytes| minicbor::decode::<IdentityEntry>(&bytes).ok());
        match known {
            Some(known) if known.statement == *statement => Ok(()),
            _ => Err(IdentityError::Fork.into()),
        }
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

    /// Entries of an identity log from `from` on.
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
            if entries.len() < limits::IDENTITY_ENTRIES_MAX {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(entries)
    }
}

fn extend(
    identities: &mut BTreeMap<OrganisationId, Identity>,
    entry: &IdentityEntry,
) -> Result<(), IdentityError> {
    let organisation = entry.statement.organisation;
    if let Some(identity) = identities.get_mut(&organisation) {
        identity.apply(entry)
    } else {
        identities.insert(organisation, Identity::begin(entry)?);
        Ok(())
    }
}
