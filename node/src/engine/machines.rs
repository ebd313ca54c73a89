//! The nodes of this organisation, and the entries by which its root key adds and revokes them.
//!
//! The root key never comes here: whoever holds the recovery words signs elsewhere, upon the log as
//! this node has it, and hands in the signed entries. They must continue the log, and nobody in
//! session may know a longer one: two entries at one place would both count.

use super::Core;
use crate::api::hexadecimal::{hex, unhex};
use crate::api::{
    ApiError, ErrorCode, ExposedSpaceView, ExposureView, IdentityRequest, IdentityView, NodeView,
};
use crate::foreign::one_line;
use crate::limits;
use sincronia_protocol::access::Role;
use sincronia_protocol::codec;
use sincronia_protocol::identity::{Admission, Identity, IdentityEntry};
use sincronia_protocol::ids::{NodeId, OrganisationId, SpaceId};
use sincronia_protocol::limits::{IDENTITY_ENTRY_BYTES_MAX, IDENTITY_NODES_MAX};
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::{Exposure, Growth, ReplicaError, Safety};
use sincronia_protocol::sync::SyncPhase;
use sincronia_protocol::time::Timestamp;
use std::ops::ControlFlow;
use tracing::warn;

impl Core {
    fn own_identity(&self) -> Result<&Identity, ApiError> {
        let identity = self.replica.identity(&self.replica.organisation());
        identity.ok_or_else(|| ApiError::not_found("organisation"))
    }

    /// Every node this organisation ever certified.
    pub fn nodes(&mut self) -> Result<Vec<NodeView>, ApiError> {
        let this = self.replica.node();
        let primary = self.replica.primary();
        let view = |(node, standing): (&NodeId, &sincronia_protocol::identity::NodeStanding)| {
            let sibling = self.replica.siblings().get(node);
            let is_this = *node == this;
            let addresses = if is_this {
                self.announced()
            } else {
                sibling.map(|one| one.addresses.clone()).unwrap_or_default()
            };
            NodeView {
                node: node.to_string(),
                this: is_this,
                primary: primary == Some(*node),
                revoked: standing.revoked_at.is_some(),
                connected: self.by_node.contains_key(node),
                last_seen: sibling.and_then(|one| one.last_seen).map(Timestamp::milliseconds),
                addresses,
            }
        };
        Ok(self.own_identity()?.nodes().map(view).collect())
    }

    /// The identity log of this organisation, as far as it counts.
    pub fn identity(&mut self) -> Result<IdentityView, ApiError> {
        let own = self.replica.organisation();
        let length = self.own_identity()?.length();
        let entries = self.step(|replica, disk, _| replica.identity_in_force(disk, &own))?;
        let hexadecimal = entries.iter().map(|entry| hex(&codec::encode(entry))).collect();
        let sessions = self.links.values().map(|link| &link.session);
        let in_sync = sessions.clone().filter(|one| one.status().phase == SyncPhase::InSync);
        Ok(IdentityView {
            organisation: own.to_string(),
            length,
            known_length: self.known_length(length),
            witnesses: in_sync.count() as u64,
            entries: hexadecimal,
            admission: self.admission(entries).to_text(),
        })
    }

    fn known_length(&self, own: u64) -> u64 {
        let sessions = self.links.values().map(|link| link.session.own_identity_known());
        sessions.max().unwrap_or(0).max(own)
    }

    fn admission(&self, entries: Vec<IdentityEntry>) -> Admission {
        let this = (self.replica.node(), self.announced());
        let own = self.replica.identity(&self.replica.organisation());
        let is_active = |node: &NodeId| own.is_some_and(|one| one.is_active(node));
        let siblings = self.replica.siblings().iter().filter(|(node, _)| is_active(node));
        let siblings = siblings.map(|(node, one)| (*node, one.addresses.clone()));
        let addresses = std::iter::once(this).chain(siblings).take(IDENTITY_NODES_MAX);
        Admission::new(self.name.clone(), entries, addresses.collect())
    }

    /// Adds signed entries to the identity log of this organisation.
    pub fn extend_identity(
        &mut self,
        request: &IdentityRequest,
    ) -> Result<Vec<NodeView>, ApiError> {
        // Nobody would ever hear of what was signed here.
        self.check_speaks()?;
        let length = self.own_identity()?.length();
        let known = self.known_length(length);
        if known > length {
            return Err(stale(format!(
                "another node knows {known} entries of the identity log, this one {length}"
            )));
        }
        let own = self.replica.organisation();
        let entries = parse_entries(request)?;
        let continues = entries.first().is_some_and(|first| first.statement.sequence == length);
        if !continues || entries.iter().any(|one| one.statement.organisation != own) {
            return Err(stale("the entries do not continue the identity log".into()));
        }
        self.check_leads_on(&entries)?;
        self.step(|replica, disk, _| replica.admit_identity(disk, &entries))?;
        self.name_successors(&entries);
        self.nodes()
    }

    /// What a node of this organisation could have read.
    pub fn node_report(&mut self, node: &NodeId) -> Result<ExposureView, ApiError> {
        let identity = self.own_identity()?;
        if !identity.has_certified(node) {
            return Err(ApiError::not_found("node"));
        }
        let revoked = !identity.is_active(node);
        let found = self.step(|replica, disk, _| replica.exposure(disk, node))?;
        let spaces = found.iter().map(|one| self.exposed_space(one));
        let spaces = spaces.collect::<Result<Vec<_>, _>>()?;
        let waiting = found.iter().filter(|one| one.safety == Safety::Waiting).count() as u64;
        Ok(ExposureView {
            node: node.to_string(),
            revoked,
            records: found.iter().map(|one| one.records).sum(),
            safe: found.len() as u64 - waiting,
            waiting,
            spaces,
        })
    }

    fn exposed_space(&self, one: &Exposure) -> Result<ExposedSpaceView, ApiError> {
        Ok(ExposedSpaceView {
            space: one.space.to_string(),
            title: self.space_title(&one.space)?,
            owner: one.owner.to_string(),
            owner_name: self.name_of(&one.owner),
            from_epoch: one.from_epoch,
            to_epoch: one.to_epoch,
            records: one.records,
            written: one.written,
            state: match one.safety {
                Safety::Rotated => "rotated",
                Safety::Ended => "ended",
                Safety::Waiting => "waiting",
            }
            .into(),
        })
    }

    /// The title of the convention in a space, `directory`, or the kind of its first record. What
    /// an organisation only reads, and is no convention, is the directory of a partner.
    pub(super) fn space_title(&self, space: &SpaceId) -> Result<String, ApiError> {
        if self.directory()? == Some(*space) {
            return Ok("directory".into());
        }
        let (mut title, mut kind) = (None, None);
        self.replica.rows(&self.disk, Some(space), None, &mut |row| {
            let named = row.view.fields.get("title").and_then(serde_json::Value::as_str);
            kind.get_or_insert_with(|| row.kind.to_string());
            if row.kind == Kind::Convention {
                title = named.map(one_line);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        if title.is_none() && self.replica.own_role(space) == Some(Role::Reader) {
            return Ok("directory".into());
        }
        Ok(title.or(kind).unwrap_or_default())
    }

    /// Notes what grew that concerns the nodes of this organisation or its partners.
    pub(super) fn attend_to_nodes(&mut self, growth: &[Growth]) {
        if self.replica.is_revoked() {
            return self.fall_silent();
        }
        for grown in growth {
            // Of a partner that another machine brought in, the identity log may come later.
            if let Growth::Partner { organisation } | Growth::Identity { organisation } = grown {
                self.announce(crate::api::ApiEvent::PartnerChanged {
                    organisation: organisation.to_string(),
                });
                self.share_if_primary(organisation);
            }
        }
    }

    /// A partner that another node brought in is given what it is due by the primary.
    pub(super) fn share_if_primary(&mut self, organisation: &OrganisationId) {
        let is_primary = self.replica.primary() == Some(self.replica.node());
        let directory = self.directory().ok().flatten();
        let directory = directory.and_then(|space| self.replica.summary(&space));
        if !is_primary || directory.is_some_and(|one| one.role(organisation).is_some()) {
            return;
        }
        let is_partner = *organisation != self.replica.organisation()
            && self.replica.is_partner(organisation)
            && self.replica.identity(organisation).is_some();
        if is_partner && let Err(error) = self.share_due(organisation) {
            warn!(%error, "what a partner is due was not shared");
        }
    }

    /// Whether this node may make a partner, and share spaces with it when it arrives.
    pub(super) fn check_may_invite(&self, shares: bool) -> Result<(), ApiError> {
        self.check_speaks()?;
        let primary = self.replica.primary();
        if shares && primary != Some(self.replica.node()) {
            return Err(ReplicaError::NotPrimary(primary).into());
        }
        Ok(())
    }

    /// This node was revoked: it syncs with nobody any more.
    pub(super) fn fall_silent(&mut self) {
        if self.online || !self.links.is_empty() {
            warn!("this node was revoked by its organisation; it signs nothing and syncs no more");
        }
        self.online = false;
        self.network.admit(std::collections::HashSet::new());
    }

    /// The error of whoever asks something of a node that its primary alone does.
    pub(super) fn not_primary(text: String, primary: Option<NodeId>) -> ApiError {
        let remedy = match primary {
            Some(node) => format!(
                "do it on the primary; if that machine is lost, this revokes it and makes this one \
                 the primary: `sincronia node revoke {node}`"
            ),
            None => "name one: `sincronia node primary MACHINE`".to_owned(),
        };
        ApiError::new(ErrorCode::NotPrimary, text, remedy)
    }
}

fn stale(message: String) -> ApiError {
    let remedy = "wait until the nodes have synchronised, then sign again";
    ApiError::new(ErrorCode::Conflict, message, remedy)
}

fn parse_entries(request: &IdentityRequest) -> Result<Vec<IdentityEntry>, ApiError> {
    let invalid = || {
        let remedy = "update the program that signed them";
        ApiError::new(ErrorCode::Invalid, "these are no entries of an identity log", remedy)
    };
    let parse = |text: &String| {
        let bytes = unhex(text).ok_or_else(invalid)?;
        codec::decode_bounded(&bytes, IDENTITY_ENTRY_BYTES_MAX + 128).map_err(|_| invalid())
    };
    request.entries.iter().take(limits::IDENTITY_REQUEST_MAX).map(parse).collect()
}
