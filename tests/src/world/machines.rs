//! Machines of one organisation: another one writes its access logs, a key is replaced.

use super::{PeerIndex, World};
use sincronia_protocol::crypto::{Domain, RootKey, SealingSecret};
use sincronia_protocol::identity::{IdentityOperation, IdentityStatement};

impl World {
    /// The organisation names another of its nodes to write its access logs. That node is told at
    /// once; the one before goes on writing until it hears of it.
    pub fn name_primary(&mut self, peer: PeerIndex) {
        let house = self.peers[peer].house;
        if !self.peers[peer].is_good() || self.organisations[house].primary == peer {
            return;
        }
        let node = self.peers[peer].replica.node();
        self.organisations[house].say(IdentityOperation::SetPrimary { node });
        self.organisations[house].primary = peer;
        self.count_operation("set primary", true);
        self.note(&format!("node {peer} is primary of organisation {house}"));
        self.tell_primary(house);
    }

    /// A node gets another key to which keyrings are sealed; it keeps the one before, to open what
    /// was sealed to it.
    pub fn rotate_sealing(&mut self, peer: PeerIndex) {
        let house = self.peers[peer].house;
        if !self.peers[peer].is_good() {
            return;
        }
        let fresh = SealingSecret::from_seed(&super::organisation::secret(&mut self.random));
        let (node, sealing) = (self.peers[peer].replica.node(), fresh.public().clone());
        self.organisations[house].say(IdentityOperation::RotateSealing { node, sealing });
        let former = self.peers[peer].credentials.sealing.clone();
        self.peers[peer].credentials.sealing = fresh.with_former(former);
        self.count_operation("rotate sealing", true);
        self.note(&format!("node {peer} has another sealing key"));
        // The program reads its keys when it starts.
        self.crash(peer);
        self.tell_primary(house);
    }

    /// The organisation's root key is replaced by the next one of its recovery words.
    pub fn rotate_root(&mut self, peer: PeerIndex) {
        let house = self.peers[peer].house;
        let organisation = &mut self.organisations[house];
        let generation = organisation.identity.generation() + 1;
        let root = RootKey::derive(&organisation.entropy, generation);
        let next = RootKey::derive(&organisation.entropy, generation + 1).public().commitment();
        let (id, length, head) = {
            let identity = &organisation.identity;
            (identity.organisation(), identity.length(), identity.head())
        };
        let message = IdentityStatement::acceptance_message(&id, length, &head);
        let acceptance = root.sign(Domain::ROOT_ACCEPTANCE, &message);
        organisation.say(IdentityOperation::RotateRoot {
            root: root.public(),
            next_root: next,
            acceptance,
        });
        organisation.root = root;
        self.count_operation("rotate root", true);
        self.note(&format!("organisation {house} has another root key"));
        self.tell_primary(house);
    }
}
