//! Sync sessions: one per partner's node, driven by `protocol::sync`.

use super::Core;
use crate::api::ApiEvent;
use crate::limits;
use crate::network::{Purpose, SessionId};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::replica::Growth;
use sincronia_protocol::sync::{Input, Session, Side, SyncPhase, SyncStatus};
use sincronia_protocol::time::Timestamp;
use tracing::debug;

/// A session with a node.
pub struct Link {
    /// The machine.
    pub session: Session,
    /// Whether this side opened the stream.
    pub outbound: bool,
    /// The phase last told to listeners.
    told: SyncPhase,
    /// When both sides last were known to have the same.
    agreed: Option<Timestamp>,
    /// When the session began.
    since: Timestamp,
}

impl Core {
    pub(super) fn handle_opened(
        &mut self,
        session: SessionId,
        node: NodeId,
        purpose: Purpose,
        outbound: bool,
    ) {
        match purpose {
            Purpose::Join => self.begin_joining(session, node, outbound),
            Purpose::Sync => self.begin_link(session, node, outbound),
        }
    }

    fn begin_link(&mut self, id: SessionId, node: NodeId, outbound: bool) {
        if self.room.is_short() {
            return self.network.close(id);
        }
        if let Some(old) = self.by_node.get(&node).copied() {
            if !self.prefers(old, node, outbound) {
                return self.network.close(id);
            }
            self.drop_link(old, None);
            self.network.close(old);
        }
        let side = if outbound { Side::Initiator } else { Side::Responder };
        let addresses = self.announced();
        self.sign_beacon();
        let mut session = Session::new(side, node, addresses, super::now());
        let effects = session.handle(super::now(), Input::Opened, &mut self.replica, &self.disk);
        let (told, since) = (SyncPhase::Greeting, super::now());
        self.links.insert(id, Link { session, outbound, told, agreed: None, since });
        self.by_node.insert(node, id);
        self.dialing.opened(&node);
        self.queue(id, effects);
        if let Some(partner) = self.replica.organisation_of(&node) {
            self.announce(ApiEvent::PartnerChanged { organisation: partner.to_string() });
        }
    }

    /// When both sides opened a stream at once, both keep the one opened by the smaller node; a
    /// second one from the same side replaces a first that must have broken.
    fn prefers(&self, old: SessionId, node: NodeId, outbound: bool) -> bool {
        let own = self.replica.node();
        let Some(link) = self.links.get(&old) else { return true };
        link.outbound == outbound || (outbound == (own < node))
    }

    pub(super) fn handle_frame(&mut self, id: SessionId, bytes: Vec<u8>) {
        if self.joinings.contains(id) {
            return self.handle_joining_frame(id, &bytes);
        }
        self.input(id, Input::Frame(bytes));
    }

    fn input(&mut self, id: SessionId, input: Input) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let effects = link.session.handle(super::now(), input, &mut self.replica, &self.disk);
        self.queue(id, effects);
        self.tell_phase(id);
    }

    fn tell_phase(&mut self, id: SessionId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let status = link.session.status();
        if status.phase == SyncPhase::InSync {
            link.agreed = Some(super::now());
            if let Some(partner) = status.partner {
                self.note_heard(&partner);
            }
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        if status.partner.is_some() {
            self.dialing.greeted(&link.session.node());
        }
        if status.phase != link.told {
            link.told = status.phase;
            if let Some(partner) = status.partner {
                self.announce(ApiEvent::PartnerChanged { organisation: partner.to_string() });
            }
        }
    }

    pub(super) fn pass_growth(&mut self, growth: &[Growth]) {
        let sessions: Vec<_> = self.links.keys().copied().collect();
        for id in sessions {
            self.input(id, Input::Grown(growth.to_vec()));
        }
    }

    pub(super) fn tick_links(&mut self) {
        let now = super::now();
        let due: Vec<_> = self
            .links
            .iter()
            .filter(|(_, link)| link.session.next_deadline(now).is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.input(id, Input::Tick);
        }
    }

    /// Forgets a session, and tries to reach the node again.
    pub(super) fn drop_link(&mut self, id: SessionId, failure: Option<String>) {
        let Some(link) = self.links.remove(&id) else { return };
        let node = link.session.node();
        if self.by_node.get(&node) == Some(&id) {
            self.by_node.remove(&node);
            if let Some(failure) = failure.filter(|_| self.is_sought(&node)) {
                self.dialing.failed(node, failure);
            }
        }
        let Some(partner) = link.session.status().partner else { return };
        if let Some(at) = link.agreed
            && let Err(error) = self.replica.note_contact(&partner, &node, Vec::new(), at)
        {
            debug!(%error, "the time of the last exchange was not kept");
        }
        self.announce(ApiEvent::PartnerChanged { organisation: partner.to_string() });
    }

    /// The node at the other end of a session that this side opened and that was never greeted.
    pub(super) fn not_greeted(&self, id: SessionId) -> Option<NodeId> {
        let link = self.links.get(&id).filter(|link| link.outbound)?;
        link.session.status().partner.is_none().then(|| link.session.node())
    }

    /// When `organisation` and this node were last known to have the same, in a session that
    /// stands.
    pub(super) fn agreed(&self, organisation: &OrganisationId) -> Option<Timestamp> {
        let with = |link: &&Link| link.session.status().partner.as_ref() == Some(organisation);
        self.links.values().filter(with).filter_map(|link| link.agreed).max()
    }

    /// The nodes of an organisation with which sessions stand for so long that their last signs of
    /// life have come.
    pub(super) fn standing_with(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Vec<NodeId> {
        let is_settled = |link: &&Link| {
            link.since.plus(limits::SETTLED_MS) <= now
                && link.session.status().partner.as_ref() == Some(organisation)
        };
        self.links.values().filter(is_settled).map(|link| link.session.node()).collect()
    }

    /// Where synchronisation with the nodes of an organisation stands.
    pub(super) fn statuses(&self, organisation: &OrganisationId) -> Vec<SyncStatus> {
        self.links
            .values()
            .map(|link| link.session.status())
            .filter(|status| status.partner.as_ref() == Some(organisation))
            .collect()
    }
}
