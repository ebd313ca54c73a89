//! Partners, as people see them.

use super::Core;
use crate::api::{
    ApiError, ApiEvent, CarrierView, ErrorCode, PartnerState, PartnerView, SyncView, VerifyRequest,
};
use crate::limits;
use sincronia_protocol::identity::Identity;
use sincronia_protocol::ids::{NodeId, OrganisationId};
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
        BY_FILES,
    )
}

/// What to do where no line will do.
pub(super) const BY_FILES: &str = "exchange files: `sincronia join INVITATION --bundle FILE`, then \
    `sincronia bundle export --for ORGANISATION` and `sincronia bundle import FILE`";

/// Whether nobody heard of a partner for long. From when it joined counts, too.
fn is_silent(partner: &PartnerView, now: Timestamp) -> bool {
    let heard = partner.confirmed.unwrap_or_default().max(partner.joined_at);
    let is_awaited = !partner.sync.connected && partner.bundles.is_none();
    let elapsed = now.milliseconds().saturating_sub(heard);
    is_awaited && partner.state != PartnerState::Blocked && elapsed > limits::SILENCE_MS
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
        let mut view = view.ok_or_else(|| self.no_partner(organisation))?;
        view.silent = is_silent(&view, super::now());
        view.held_back = self.replica.held_back(&self.disk, organisation, super::now())?;
        let connected = self.standing_with(organisation, super::now());
        view.clock_apart = self.replica.clock_apart(organisation, super::now(), &connected);
        view.bundles = self.partner_bundles(organisation)?;
        view.no_line = self.closed || view.addresses.iter().all(|(_, known)| known.is_empty());
        if !view.sync.connected {
            view.carriers = self.carriers(organisation)?;
        }
        Ok(view)
    }

    /// Who carries what is shared with a partner. A carrier that is no partner here is none.
    fn carriers(&mut self, partner: &OrganisationId) -> Result<Vec<CarrierView>, ApiError> {
        let mut carriers = Vec::new();
        for (id, spaces) in self.replica.carriers(partner) {
            let Some(name) = self.replica.partner(&id).map(|one| one.name.clone()) else {
                continue;
            };
            let in_sync_at = self.level_at(&id)?.map(Timestamp::milliseconds);
            carriers.push(CarrierView { organisation: id.to_string(), name, spaces, in_sync_at });
        }
        Ok(carriers)
    }

    /// When an organisation last was known to have what this node has. That a bundle of it came
    /// does not say so while it acknowledged less.
    fn level_at(&mut self, id: &OrganisationId) -> Result<Option<Timestamp>, ApiError> {
        if self.statuses(id).iter().any(|one| one.phase == SyncPhase::InSync) {
            return Ok(Some(super::now()));
        }
        let noted = self.replica.partner(id).and_then(|one| one.last_exchange);
        let arrival = self.replica.ledger(&self.disk, id)?.arrival.map(|arrival| arrival.at);
        let is_of_bundle = arrival.is_some_and(|at| noted.is_some_and(|noted| noted <= at));
        let lacks = is_of_bundle && self.replica.unacknowledged(&self.disk, id)? > 0;
        Ok(noted.filter(|_| !lacks).max(self.agreed(id)))
    }

    /// Tells whoever listens to events that something about a partner changed.
    pub(super) fn tell_partner(&self, organisation: &OrganisationId) {
        self.announce(ApiEvent::PartnerChanged { organisation: organisation.to_string() });
    }

    /// As [`Self::tell_partner`], of the organisation of a node.
    pub(super) fn tell_partner_of(&self, node: &NodeId) {
        if let Some(partner) = self.replica.organisation_of(node) {
            self.tell_partner(&partner);
        }
    }

    fn view_partner(&self, id: &OrganisationId, partner: &Partner) -> PartnerView {
        let phrase = verification_phrase(&self.replica.organisation(), id, self.words);
        let last_exchange = partner.last_exchange.max(self.agreed(id));
        let confirmed = self.replica.confirmed(id, super::now()).max(last_exchange);
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
            revoked: self.revoked_of(id, partner),
            joined_at: partner.joined_at.milliseconds(),
            last_exchange: last_exchange.map(Timestamp::milliseconds),
            confirmed: confirmed.map(Timestamp::milliseconds),
            silent: false,
            held_back: 0,
            clock_apart: None,
            divided: self.replica.identity(id).is_some_and(Identity::is_divided),
            awaited_keys: self.awaited_with(id),
            spaces: self.replica.shared_count(id),
            sync: self.sync_view(id, partner),
            no_line: false,
            carriers: Vec::new(),
            bundles: None,
        }
    }

    /// Which of the nodes that a partner was reached at do not speak for it any more.
    fn revoked_of(&self, id: &OrganisationId, partner: &Partner) -> Vec<String> {
        let Some(identity) = self.replica.identity(id) else { return Vec::new() };
        let nodes = partner.addresses.iter().map(|(node, _)| node);
        nodes.filter(|node| !identity.is_active(node)).map(ToString::to_string).collect()
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
        let nodes = || partner.addresses.iter().map(|(node, _)| node);
        let failures = nodes().map(|node| self.dialing.last_failure(node));
        let is_refused = nodes().any(|node| self.dialing.is_refused(node));
        let away = if is_refused { "refused" } else { "offline" };
        SyncView {
            connected: best.is_some(),
            phase: best.map_or(away, |status| phase_text(status.phase)).into(),
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
        let partner = partner.ok_or_else(|| self.no_partner(id))?;
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
        let partner = partner.ok_or_else(|| self.no_partner(id))?;
        let trust = match partner.trust {
            _ if blocked => Trust::Blocked,
            Trust::Blocked => Trust::Joined,
            // Nothing ends, and what a person compared stays compared.
            trust => trust,
        };
        self.replica.put_partner(*id, Partner { trust, ..partner })?;
        self.admit_partners();
        self.announce(ApiEvent::PartnerChanged { organisation: id.to_string() });
        self.partner_view(id)
    }

    /// Tries to reach everyone not connected, now.
    pub fn synchronise(&mut self) -> Result<(), ApiError> {
        self.check_speaks()?;
        self.dial_all();
        Ok(())
    }

    /// Whether the node may go online or offline.
    pub fn may_switch(&self, online: bool) -> Result<(), ApiError> {
        match online {
            true if self.closed => Err(network_closed()),
            true => self.check_speaks(),
            false => Ok(()),
        }
    }

    /// A node that does not speak for its organisation exchanges nothing, whatever is asked of it,
    /// and what would be written or signed there reaches nobody.
    pub(super) fn check_speaks(&self) -> Result<(), ApiError> {
        Ok(self.replica.check_speaks()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

    fn view(joined_at: u64, confirmed: Option<u64>) -> PartnerView {
        let sync = SyncView {
            connected: false,
            phase: "offline".into(),
            outgoing: 0,
            differences: 0,
            last_failure: None,
        };
        PartnerView {
            organisation: String::new(),
            name: String::new(),
            state: PartnerState::Verified,
            verification_phrase: Vec::new(),
            addresses: Vec::new(),
            revoked: Vec::new(),
            joined_at,
            last_exchange: None,
            confirmed,
            silent: false,
            held_back: 0,
            clock_apart: None,
            divided: false,
            awaited_keys: Vec::new(),
            spaces: 0,
            sync,
            no_line: false,
            carriers: Vec::new(),
            bundles: None,
        }
    }

    fn day(number: u64) -> Timestamp {
        Timestamp::from_milliseconds(number * DAY_MS)
    }

    #[test]
    fn threat_21_silence_of_two_days_is_shown() {
        let heard = view(DAY_MS, Some(2 * DAY_MS));
        assert!(!is_silent(&heard, day(4)));
        assert!(is_silent(&heard, Timestamp::from_milliseconds(4 * DAY_MS + 1)));
        assert!(!is_silent(&view(3 * DAY_MS, None), day(5)), "who joined was heard of");
        let here = SyncView { connected: true, ..heard.sync.clone() };
        assert!(!is_silent(&PartnerView { sync: here, ..heard.clone() }, day(9)));
        let blocked = PartnerView { state: PartnerState::Blocked, ..heard };
        assert!(!is_silent(&blocked, day(9)), "who is blocked is not waited for");
    }
}
