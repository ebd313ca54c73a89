//! The organisation's own directory: a space of its profile, offices and contacts, shared with its
//! partners as readers.

use super::Core;
use crate::api::ApiError;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::{OrganisationId, SpaceId};
use sincronia_protocol::record::Kind;
use std::ops::ControlFlow;

impl Core {
    /// The directory, founded at the first start of the organisation's primary node, and again
    /// where the one before was set aside with who founded it.
    pub(super) fn ensure_directory(&mut self) -> Result<(), ApiError> {
        let is_primary = self.replica.primary() == Some(self.replica.node());
        if self.directory()?.is_some() || !is_primary || self.replica.is_revoked() {
            return Ok(());
        }
        let space = self.step(|replica, disk, random| replica.create_space(disk, random))?;
        self.step(|replica, _, _| replica.name_directory(&space))
    }

    /// The directory.
    pub(super) fn directory(&self) -> Result<Option<SpaceId>, ApiError> {
        Ok(self.replica.directory(&self.disk)?)
    }

    /// Gives a partner what it is due: the directory, and conventions that name it as a party.
    pub(super) fn share_due(&mut self, partner: &OrganisationId) -> Result<(), ApiError> {
        if self.replica.primary() != Some(self.replica.node()) {
            // The primary does it when it hears of the partner.
            return Ok(());
        }
        if self.replica.catching_up().is_some() {
            // It becomes a partner nevertheless, and gets this when the node has caught up.
            return Ok(());
        }
        let mut due = Vec::new();
        self.ensure_directory()?;
        if let Some(directory) = self.directory()? {
            due.push((directory, Role::Reader));
        }
        let own = self.replica.organisation();
        let text = partner.to_string();
        let directory = self.directory()?;
        self.replica.rows(&self.disk, None, Some(Kind::Convention), &mut |row| {
            // A convention that an older import put into the directory makes nobody write there.
            let is_apart =
                directory != Some(row.space) && !super::conventions::is_private(&row.view.fields);
            if is_apart && super::conventions::parties(&row.view.fields).any(|party| party == text)
            {
                due.push((row.space, Role::Contributor));
            }
            ControlFlow::Continue(())
        })?;
        for (space, role) in due {
            let summary = self.replica.summary(&space);
            let is_own = summary.is_some_and(|summary| summary.is_of(&own));
            let has = summary.and_then(|summary| summary.role(partner));
            let has_less = has.is_none_or(|has| has < role);
            let is_kept = directory != Some(space)
                && self.check_nothing_private(&space, Some(Kind::Convention)).is_err();
            if is_own && has_less && !is_kept && !self.was_removed(&space, partner)? {
                self.step(|replica, disk, random| {
                    replica.grant(disk, &space, *partner, role, History::Start, random)
                })?;
            }
        }
        Ok(())
    }

    /// Gives every partner what it is due and could not be given before.
    pub(super) fn share_with_everyone(&mut self) {
        let partners: Vec<_> = self.replica.partners().map(|(partner, _)| *partner).collect();
        for partner in partners {
            self.share_if_primary(&partner);
        }
    }

    fn was_removed(
        &mut self,
        space: &SpaceId,
        organisation: &OrganisationId,
    ) -> Result<bool, ApiError> {
        self.step(|replica, disk, _| replica.was_removed(disk, space, organisation))
    }
}
