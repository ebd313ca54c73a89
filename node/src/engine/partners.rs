//! Partners, as people see them.

use super::Core;
use crate::api::{
    ApiError, ApiEvent, ErrorCode, PartnerState, PartnerView, SyncView, VerifyRequest,
};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::phrase::verification_phrase;
use sincronia_protocol::replica::{Partner, Trust};
use sincronia_protocol::sync::SyncPhase;
use sincronia_protocol::time::Timestamp;

const fn phase_text(phase: SyncPhase) -> &'static str {
    match phase {
        SyncPhase::Greeting => "greeting",
        SyncPhase::Comparing => "comparing",
        SyncPhase::Exchanging => "exchanging",
        SyncPhase::InSync => "in_sync",
        SyncPhase::Outstanding => "outstanding",
        SyncPhase::Closed => "offline",
    }
}

/// The settings say that this node has no line.
pub(super) fn network_closed() -> ApiError {
    ApiError::new(
        ErrorCode::NotPermitted,
        "this node's network is closed by its settings",
        "exchange files: `sincronia join --bundle`, `sincronia bundle`",
    )
}

impl Core {
    /// All partners.
    pub fn partners(&mut self) -> Result<Vec<PartnerView>, ApiError> {
        let partners: Vec<_> = self.replica.partners().map(|(id, _)| *id).collect();
        partners.iter().map(|id| self.partner_view(id)).collect()
    }

    /// A partner.
    pub fn partner_view(&mut self, organisation: &OrganisationId) -> Result<PartnerView, ApiError> {
        let partner = self.replica.partner(organisation);
        let view = partner.map(|partner| self.view_partner(organisation, partner));
        let mut view = view.ok_or_else(|| ApiError::not_found("partner"))?;
        view.bundles = self.partner_bundles(organisation)?;
        Ok(view)
    }

    /// Tells whoever listens to events that something about a partner changed.
    pub(super) fn tell_partner(&self, organisation: &OrganisationId) {
        self.announce(ApiEvent::PartnerChanged { organisation: organisation.to_string() });
    }

    fn view_partner(&self, id: &OrganisationId, partner: &Partner) -> PartnerView {
        let phrase = verification_phrase(&self.replica.organisation(), id, self.words);
        PartnerView {
            organisation: id.to_string(),
            name: partner.name.clone(),
            state: match partner.trust {
                Trust::Joined => PartnerState::Joined,
                Trust::Verified => PartnerState::Verified,
                Trust::Blocked => PartnerState::Blocked,
            },
            verification_phrase: phrase.iter().map(ToString::to_string).collect(),
            addresses: partner
                .addresses
                .iter()
                .map(|(node, addresses)| (node.to_string(), addresses.clone()))
                .collect(),
            joined_at: partner.joined_at.milliseconds(),
            last_exchange: partner.last_exchange.max(self.agreed(id)).map(Timestamp::milliseconds),
            spaces: self.replica.shared_count(id),
            sync: self.sync_view(id, partner),
            bundles: None,
        }
    }

    fn sync_view(&self, id: &OrganisationId, partner: &Partner) -> SyncView {
        let statuses = self.statuses(id);
        // Of several nodes, the one that is furthest speaks for the organisation.
        let best = statuses.iter().max_by_key(|status| match status.phase {
            SyncPhase::InSync => 4,
            SyncPhase::Exchanging => 3,
            SyncPhase::Outstanding => 2,
            SyncPhase::Comparing => 1,
            SyncPhase::Greeting | SyncPhase::Closed => 0,
        });
        let failures = partner.addresses.iter().map(|(node, _)| self.dialing.last_failure(node));
        SyncView {
            connected: best.is_some(),
            phase: best.map_or("offline", |status| phase_text(status.phase)).into(),
            outgoing: best.map_or(0, |status| status.outgoing),
            differences: best.map_or(0, |status| status.differences),
            last_failure: if best.is_some() { None } else { failures.flatten().next() },
        }
    }

    /// Confirms that a person compared the phrase.
    pub fn verify_partner(
        &mut self,
        id: &OrganisationId,
        request: &VerifyRequest,
    ) -> Result<PartnerView, ApiError> {
        let partner = self.replica.partner(id).cloned();
        let partner = partner.ok_or_else(|| ApiError::not_found("partner"))?;
        if let Some(words) = &request.phrase {
            let expected = verification_phrase(&self.replica.organisation(), id, self.words);
            let typed: Vec<_> = words.split_whitespace().map(str::to_lowercase).collect();
            if typed != expected {
                return Err(ApiError::new(
                    ErrorCode::NotPermitted,
                    "the words are not the same on both sides",
                    "read them again over the telephone; if they stay different, block the partner: somebody stands between you",
                ));
            }
        }
        if partner.trust == Trust::Blocked {
            return Err(ApiError::new(
                ErrorCode::NotPermitted,
                "the partner is blocked",
                "unblock it first",
            ));
        }
        self.replica.put_partner(*id, Partner { trust: Trust::Verified, ..partner })?;
        self.announce(ApiEvent::PartnerChanged { organisation: id.to_string() });
        self.partner_view(id)
    }

    /// Gives nothing to a partner and takes nothing from it, or does so again.
    pub fn block_partner(
        &mut self,
        id: &OrganisationId,
        blocked: bool,
    ) -> Result<PartnerView, ApiError> {
        let partner = self.replica.partner(id).cloned();
        let partner = partner.ok_or_else(|| ApiError::not_found("partner"))?;
        let trust = if blocked { Trust::Blocked } else { Trust::Joined };
        self.replica.put_partner(*id, Partner { trust, ..partner })?;
        self.admit_partners();
        self.announce(ApiEvent::PartnerChanged { organisation: id.to_string() });
        self.partner_view(id)
    }

    /// Tries to reach everyone not connected, now.
    pub fn synchronise(&mut self) -> Result<(), ApiError> {
        self.dial_all();
        Ok(())
    }

    /// Whether the node may go online or offline.
    pub fn may_switch(&self, online: bool) -> Result<(), ApiError> {
        if online && self.closed { Err(network_closed()) } else { Ok(()) }
    }

    /// Notes whether the node works online. The network itself is paused by the caller.
    pub fn set_online(&mut self, online: bool) {
        let online = online && !self.replica.is_revoked();
        self.online = online;
        if online {
            self.admit_partners();
            self.dial_all();
        }
    }
}
