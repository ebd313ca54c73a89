//! What people ask their nodes to do.

use super::promises::Maker;
use super::{PeerIndex, World};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::record::{Edits, Kind};
use sincronia_protocol::replica::{ReplicaError, WriteRequest, WriteTarget};
use std::collections::BTreeSet;

impl World {
    /// Founds a space.
    pub fn create_space(&mut self, peer: PeerIndex) -> SpaceId {
        let mut random = self.fork_random();
        let space = self.act(peer, |one| one.replica.create_space(&one.disk, &mut random));
        let space = space.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        self.count_operation("found", true);
        self.note(&format!("{peer} founds {space}"));
        space
    }

    /// Makes an organisation a member.
    pub fn grant(
        &mut self,
        owner: PeerIndex,
        space: SpaceId,
        member: PeerIndex,
        role: Role,
        history: History,
    ) -> Result<(), ReplicaError> {
        let organisation = self.organisation(member);
        let mut random = self.fork_random();
        let granted = self.act(owner, |one| {
            one.replica.grant(&one.disk, &space, organisation, role, history, &mut random)
        });
        self.count_operation("grant", granted.is_ok());
        self.note(&format!("{owner} grants {member} {role:?} {history:?}: {granted:?}"));
        granted
    }

    /// Ends a membership.
    pub fn revoke(
        &mut self,
        owner: PeerIndex,
        space: SpaceId,
        member: PeerIndex,
    ) -> Result<(), ReplicaError> {
        let organisation = self.organisation(member);
        let mut random = self.fork_random();
        let revoked = self.act(owner, |one| {
            one.replica.revoke(&one.disk, &space, organisation, &mut random).map(|_| ())
        });
        self.count_operation("revoke", revoked.is_ok());
        self.note(&format!("{owner} revokes {member}: {revoked:?}"));
        revoked
    }

    /// Gives a space a fresh key.
    pub fn rotate(&mut self, owner: PeerIndex, space: SpaceId) -> Result<u64, ReplicaError> {
        let mut random = self.fork_random();
        let epoch = self.act(owner, |one| one.replica.rotate(&one.disk, &space, &mut random));
        self.count_operation("rotate", epoch.is_ok());
        self.note(&format!("{owner} rotates: {epoch:?}"));
        epoch
    }

    /// Cuts the log of a node.
    pub fn cut_node(
        &mut self,
        owner: PeerIndex,
        space: SpaceId,
        peer: PeerIndex,
    ) -> Result<(), ReplicaError> {
        let node = self.peers[peer].replica.node();
        let mut random = self.fork_random();
        let cut = self.act(owner, |one| one.replica.cut_node(&one.disk, &space, node, &mut random));
        self.count_operation("cut node", cut.is_ok());
        self.note(&format!("{owner} cuts node {peer}: {cut:?}"));
        cut
    }

    /// Writes fields of a record.
    pub fn write(
        &mut self,
        peer: PeerIndex,
        space: SpaceId,
        target: WriteTarget,
        fields: serde_json::Value,
    ) -> Result<RecordId, ReplicaError> {
        let mut random = self.fork_random();
        let now = self.time_at(peer);
        let text = fields.to_string();
        let fields = fields.as_object().cloned().unwrap_or_default();
        let request = WriteRequest {
            space,
            target,
            edits: Edits { fields },
            operator: format!("operator {peer}"),
            comment: None,
        };
        let prepared = self.prepare(peer, |one| {
            let written = one.replica.write(&one.disk, request, now, &mut random)?;
            let seen = one.replica.summary(&space).map(|summary| summary.access.head);
            Ok((written, seen.ok_or(ReplicaError::Unknown("space"))?))
        });
        let named = prepared.as_ref().map(|(written, _)| written.entry);
        self.count_operation("write", named.is_ok());
        self.note(&format!("{peer} writes {named:?}"));
        let (written, seen) = prepared?;
        let key = self.ledger(&space).at(&seen).and_then(|then| then.keys.last().copied());
        let maker = Maker { organisation: self.organisation(peer), seen };
        let key = key.expect("a space has a key");
        self.promises.made(space, written.entry, maker, key, &text);
        self.erasures.wrote(space, written.record, (written.entry, key));
        self.conclude(peer)?;
        self.promises.acknowledged(peer, space, written.entry);
        Ok(written.record)
    }

    /// A new good practice.
    pub fn new_practice(&mut self, peer: PeerIndex, space: SpaceId, title: &str) -> RecordId {
        let fields = practice(title);
        let record = self.write(peer, space, WriteTarget::New(Kind::Practice), fields);
        record.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed))
    }

    /// The nodes of the members of a space, as its owner sees it, that speak for them now.
    #[must_use]
    pub fn members(&self, owner: PeerIndex, space: &SpaceId) -> BTreeSet<PeerIndex> {
        let summary = self.peers[owner].replica.summary(space);
        let members = summary.map(|summary| summary.members.clone()).unwrap_or_default();
        (0..self.peers.len())
            .filter(|peer| self.peers[*peer].is_good())
            .filter(|peer| members.iter().any(|(id, _)| *id == self.organisation(*peer)))
            .collect()
    }
}

/// The fields of a good practice.
#[must_use]
pub fn practice(title: &str) -> serde_json::Value {
    serde_json::json!({
        "title": title,
        "area": "accoglienza",
        "problem": "Ogni servizio chiede un modulo diverso.",
        "procedure": "Una scheda sola, uguale per tutti.",
        "maturity": "sperimentata",
    })
}
