//! What this node waits for, and who can bring it: keys, the bundle that makes somebody a partner,
//! and what a thief of a root key erased.
//!
//! Whoever rotates the keys of a space seals them to each member; a member that hears of it from
//! others has the new entry and not its key. It then differs from every partner that shares the
//! space, and none of these can help.

use super::Core;
use crate::api::{ApiError, AwaitedBundleView, AwaitedKeysView, MissingView};
use crate::limits;
use sincronia_protocol::access::Role;
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::replica::Awaited;
use std::collections::{BTreeMap, BTreeSet};

impl Core {
    /// Whose keys this node waits for, by owner of the spaces.
    pub(super) fn awaited_keys(&self) -> Vec<AwaitedKeysView> {
        let mut found: BTreeMap<_, (u64, BTreeSet<_>)> = BTreeMap::new();
        for summary in self.replica.lacking_spaces() {
            let (spaces, carriers) = found.entry(summary.owner).or_default();
            *spaces += 1;
            let carrying = summary.members.iter().filter(|(_, role)| *role == Role::Carrier);
            let partners = carrying.filter(|(one, _)| self.replica.is_partner(one));
            carriers.extend(partners.map(|(one, _)| *one).filter(|one| *one != summary.owner));
        }
        let view = |(owner, (spaces, carriers)): (OrganisationId, (u64, BTreeSet<_>))| {
            let own = owner == self.replica.organisation();
            AwaitedKeysView {
                owner: owner.to_string(),
                name: self.name_of(&owner),
                spaces,
                reachable: own || self.replica.is_partner(&owner),
                carriers: carriers.iter().map(|one| self.name_of(one)).collect(),
            }
        };
        found.into_iter().map(view).collect()
    }

    /// Whose first bundle is awaited, after its invitation was answered by a file.
    pub(super) fn awaited_bundles(&self) -> Result<Vec<AwaitedBundleView>, ApiError> {
        let answered = self.replica.answered(&self.disk)?.into_iter();
        let view = |(organisation, awaited): (OrganisationId, Awaited)| AwaitedBundleView {
            organisation: organisation.to_string(),
            name: self.name_of(&organisation),
            answered_at: awaited.at.milliseconds(),
        };
        Ok(answered.map(view).collect())
    }

    /// What is gone here though nothing that counts erased it, and may stand elsewhere.
    pub(super) fn missing_bodies(&self) -> Result<Vec<MissingView>, ApiError> {
        let mut found = Vec::new();
        for (space, missing) in self.replica.missing_bodies() {
            // Of what this organisation left nobody brings anything back.
            let Some(summary) = self.replica.summary(&space) else { continue };
            if self.replica.own_role(&space).is_none() {
                continue;
            }
            let owner = summary.owner;
            let records = missing.records.iter();
            let unseen =
                records.filter(|record| self.replica.row(&self.disk, &space, record).is_err());
            found.push(MissingView {
                space: space.to_string(),
                title: self.space_title(&space)?,
                owner: owner.to_string(),
                owner_name: self.name_of(&owner),
                entries: missing.bodies,
                records: unseen.take(limits::MISSING_SHOWN_MAX).map(ToString::to_string).collect(),
            });
        }
        Ok(found)
    }

    /// Names of the owners whose keys are missing of what is shared with a partner.
    pub(super) fn awaited_with(&self, partner: &OrganisationId) -> Vec<String> {
        let shared = self.replica.lacking_spaces().filter(|one| one.role(partner).is_some());
        let owners: BTreeSet<_> = shared.map(|one| one.owner).collect();
        owners.iter().map(|owner| self.name_of(owner)).collect()
    }
}
