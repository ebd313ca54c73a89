//! Machines of one organisation: another one writes its access logs, a key is replaced.

use super::{PeerIndex, World};
use sincronia_protocol::crypto::{Domain, RootKey, SealingSecret};
use sincronia_protocol::identity::{IdentityOperation, IdentityStatement};
use sincronia_protocol::log::LogPosition;

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
        self.take_sealing(peer, fresh);
        self.count_operation("rotate sealing", true);
        self.note(&format!("node {peer} has another sealing key"));
        self.tell_primary(house);
    }

    fn take_sealing(&mut self, peer: PeerIndex, fresh: SealingSecret) {
        let former = self.peers[peer].credentials.sealing.clone();
        self.peers[peer].credentials.sealing = fresh.with_former(former);
        // The program reads its keys when it starts.
        self.crash(peer);
    }

    /// As [`Self::rotate_sealing`], with the recovery words used at that machine alone, on top of
    /// what it has heard so far, whatever was signed elsewhere meanwhile.
    pub fn rotate_sealing_apart(&mut self, peer: PeerIndex) {
        let house = self.peers[peer].house;
        let own = self.organisation(peer);
        let known = self.peers[peer].replica.identity(&own).cloned();
        let Some(known) = known.filter(|_| self.peers[peer].is_good()) else { return };
        let fresh = SealingSecret::from_seed(&super::organisation::secret(&mut self.random));
        let (node, sealing) = (self.peers[peer].replica.node(), fresh.public().clone());
        let Some(entry) = self.organisations[house]
            .say_apart(&known, IdentityOperation::RotateSealing { node, sealing })
        else {
            return;
        };
        let told = self.act(peer, |one| {
            one.replica.admit_identity(&one.disk, std::slice::from_ref(&entry)).map(drop)
        });
        self.take_sealing(peer, fresh);
        self.count_operation("sign apart", told.is_ok());
        self.note(&format!("node {peer} has another sealing key, signed apart"));
    }

    /// The organisation's root key is replaced by the next one of its recovery words.
    pub fn rotate_root(&mut self, peer: PeerIndex) {
        let house = self.peers[peer].house;
        let organisation = &mut self.organisations[house];
        organisation.unite();
        let generation = organisation.identity.generation() + 1;
        let root = RootKey::derive(&organisation.entropy, generation);
        let next = RootKey::derive(&organisation.entropy, generation + 1).public().commitment();
        let (id, length, head) = {
            let identity = &organisation.identity;
            let LogPosition { length, head } = identity.position();
            (identity.organisation(), length, head)
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
