//! Introductions, as people see them.

use super::{Core, now};
use crate::api::{ApiError, ApiEvent, ErrorCode, IntroduceRequest, IntroductionView, PartnerView};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::limits::INTRODUCTION_VALID_MS;

impl Core {
    /// Presents two partners to each other.
    pub fn introduce(&mut self, request: &IntroduceRequest) -> Result<(), ApiError> {
        let one: OrganisationId = super::members::parse(&request.one)?;
        let other: OrganisationId = super::members::parse(&request.other)?;
        if one == other {
            return Err(ApiError::new(
                ErrorCode::Invalid,
                "both are the same organisation",
                "name two different partners of this organisation",
            ));
        }
        self.check_speaks()?;
        let at = now();
        self.step(|replica, _, _| replica.introduce(one, other, at))
    }

    /// Who was presented here.
    pub fn introductions(&self) -> Vec<IntroductionView> {
        let view = |one: &sincronia_protocol::replica::Introduced| IntroductionView {
            organisation: one.organisation.to_string(),
            name: one.presentation.name.clone(),
            by: one.by.to_string(),
            by_name: self.name_of(&one.by),
            at: one.at.milliseconds(),
            expires_at: one.at.plus(INTRODUCTION_VALID_MS).milliseconds(),
            refused: one.refused,
        };
        self.replica.introduced(now()).map(view).collect()
    }

    /// That an organisation is no partner, and how it becomes one.
    pub(super) fn no_partner(&self, id: &OrganisationId) -> ApiError {
        self.only_presented(id, ErrorCode::NotFound)
            .unwrap_or_else(|| ApiError::not_found("partner"))
    }

    /// That an organisation was presented and nobody accepted it: who asks for an invitation
    /// instead waits for what is here already.
    pub(super) fn only_presented(&self, id: &OrganisationId, code: ErrorCode) -> Option<ApiError> {
        let presented = self.replica.introduced(now()).find(|one| one.organisation == *id)?;
        if self.replica.partner(id).is_some() {
            return None;
        }
        let accept =
            format!("accept it first: `sincronia introduction accept {}`", presented.organisation);
        Some(ApiError::new(
            code,
            "it was presented to this organisation, and is no partner yet",
            accept,
        ))
    }

    /// Makes an organisation that was presented a partner, and calls it.
    pub fn accept_introduction(&mut self, id: &OrganisationId) -> Result<PartnerView, ApiError> {
        self.check_may_invite(false)?;
        let at = now();
        self.step(|replica, disk, _| replica.accept_introduction(disk, id, at))?;
        self.greet_partner(*id)?;
        self.partner_view(id)
    }

    /// Does not want to hear of it.
    pub fn refuse_introduction(&mut self, id: &OrganisationId) -> Result<(), ApiError> {
        self.step(|replica, _, _| replica.refuse_introduction(id))?;
        self.announce(ApiEvent::PartnerChanged { organisation: id.to_string() });
        Ok(())
    }
}
