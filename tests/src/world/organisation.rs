//! The people who hold an organisation's root key, and what they sign.

use super::peer::Repute;
use super::{Peer, PeerIndex, World};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;
use sincronia_protocol::crypto::{NodeKey, RootKey, SealingSecret, Secret, StorageKey};
use sincronia_protocol::identity::{Identity, IdentityEntry, IdentityOperation, NodeAdmission};
use sincronia_protocol::replica::Credentials;

/// An organisation with its root key.
pub(super) struct Organisation {
    pub(super) entropy: Secret<32>,
    pub(super) root: RootKey,
    pub(super) identity: Identity,
    pub(super) entries: Vec<IdentityEntry>,
    /// The node that writes its access logs.
    pub(super) primary: PeerIndex,
}

impl Organisation {
    pub(super) fn found(random: &mut ChaCha20Rng, primary: PeerIndex) -> Self {
        let entropy = secret(random);
        let root = RootKey::derive(&entropy, 0);
        let genesis = Identity::found(&root, &RootKey::derive(&entropy, 1).public());
        let identity = Identity::begin(&genesis).expect("a genesis");
        Self { entropy, root, identity, entries: vec![genesis], primary }
    }

    pub(super) fn say(&mut self, operation: IdentityOperation) {
        assert!(self.try_to_say(operation), "a possible operation");
    }

    /// Signs an operation if it is possible; whether it was.
    pub(super) fn try_to_say(&mut self, operation: IdentityOperation) -> bool {
        self.unite();
        self.sign(operation)
    }

    /// What was signed apart counts together.
    pub(super) fn unite(&mut self) {
        let heads: Vec<_> = self.identity.divided().collect();
        if !heads.is_empty() {
            assert!(self.sign(IdentityOperation::Unite { heads }), "a possible operation");
        }
    }

    /// Signs an operation on top of what was `known` at one machine; the entry, if it is possible.
    pub(super) fn say_apart(
        &mut self,
        known: &Identity,
        operation: IdentityOperation,
    ) -> Option<IdentityEntry> {
        let root = RootKey::derive(&self.entropy, known.generation());
        let entry = known.draft(operation).sign(&root);
        known.clone().apply(&entry).ok()?;
        let before = self.identity.clone();
        self.identity.apply(&entry).ok()?;
        self.identity.settle(Some(&before));
        // Under a root key that was replaced meanwhile it counts nowhere else.
        if self.identity.knows(&entry.statement) {
            self.entries.push(entry.clone());
        }
        Some(entry)
    }

    fn sign(&mut self, operation: IdentityOperation) -> bool {
        let entry = self.identity.draft(operation).sign(&self.root);
        let is_possible = self.identity.apply(&entry).is_ok();
        if is_possible {
            self.entries.push(entry);
        }
        is_possible
    }

    pub(super) fn certify(&mut self, random: &mut ChaCha20Rng) -> Credentials {
        let organisation = self.identity.organisation();
        let node_key = NodeKey::from_seed(&secret(random));
        let sealing = SealingSecret::from_seed(&secret(random));
        let storage = StorageKey::from_seed(&secret(random));
        let admission = NodeAdmission::sign(&organisation, &node_key, sealing.public().clone());
        self.say(IdentityOperation::AddNode { admission });
        Credentials { organisation, node_key, sealing, storage }
    }
}

pub(super) fn secret(random: &mut ChaCha20Rng) -> Secret<32> {
    let mut bytes = [0; 32];
    random.fill_bytes(&mut bytes);
    Secret::from_bytes(bytes)
}

impl World {
    /// Founds an organisation with one node.
    pub fn add(&mut self) -> PeerIndex {
        let peer = self.peers.len();
        let mut organisation = Organisation::found(&mut self.random, peer);
        let credentials = organisation.certify(&mut self.random);
        organisation.say(IdentityOperation::SetPrimary { node: credentials.node_key.id() });
        let house = self.organisations.len();
        self.peers.push(Peer::start(credentials, house, &organisation.entries));
        self.organisations.push(organisation);
        peer
    }

    /// Certifies another node for the organisation of `peer`, a partner of whom the organisation is
    /// a partner of. The organisation's primary is told at once.
    pub fn add_node(&mut self, peer: PeerIndex) -> PeerIndex {
        let house = self.peers[peer].house;
        let mut random = self.fork_random();
        let credentials = self.organisations[house].certify(&mut random);
        let entries = self.organisations[house].entries.clone();
        let added = self.peers.len();
        self.peers.push(Peer::start(credentials, house, &entries));
        for other in 0..self.organisations.len() {
            let met = self.organisations[other].primary;
            if other != house && self.peers[peer].replica.is_partner(&self.organisation(met)) {
                let (acquaintance, now) = (self.peers[met].acquaintance(), self.now);
                self.peers[added].befriend(&acquaintance, now);
            }
        }
        self.count_operation("add node", true);
        self.note(&format!("node {added} of organisation {house}"));
        self.tell_primary(house);
        added
    }

    /// The organisation takes its word back for one of its nodes; its primary is told at once.
    pub fn revoke_node(&mut self, peer: PeerIndex) {
        let house = self.peers[peer].house;
        let node = self.peers[peer].replica.node();
        let is_primary = self.peers[self.organisations[house].primary].replica.node() == node;
        let is_revoked = self.peers[peer].repute == Repute::Revoked;
        if is_revoked || is_primary || self.peers[peer].repute == Repute::Rogue {
            return;
        }
        self.count_operation("revoke node", true);
        self.note(&format!("node {peer} is revoked"));
        for one in self.peers.iter_mut().filter(|one| one.replica.node() == node) {
            one.repute = Repute::Revoked;
        }
        self.organisations[house].say(IdentityOperation::RevokeNode { node });
        self.tell_primary(house);
        self.forget_unheard_erasures();
    }

    /// Hands the primary the identity log of its organisation, again until it keeps it.
    pub(super) fn tell_primary(&mut self, house: usize) {
        let primary = self.organisations[house].primary;
        let entries = self.organisations[house].entries.clone();
        for _ in 0..8 {
            let entries = entries.clone();
            let told =
                self.act(primary, |one| one.replica.admit_identity(&one.disk, &entries).map(drop));
            if told.is_ok() {
                return;
            }
        }
    }
}
