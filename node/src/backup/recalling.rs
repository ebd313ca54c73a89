//! Asking partners for the organisation's own identity log, before anything is signed on top of the
//! one that a backup holds.

use super::error::RestoreError;
use super::restoring::Restoration;
use crate::config::{self, Config};
use crate::limits::{NETWORK_EVENTS_MAX, RECALL_TIMEOUT};
use crate::network::{Network, NetworkConfig, NetworkEvent, Purpose, SessionId};
use crate::setup::organisation_of;
use sincronia_protocol::crypto::{RootKey, Secret};
use sincronia_protocol::identity::{Identity, IdentityEntry};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::joining::{JoinMessage, recall};
use sincronia_protocol::replica::ReplicaError;
use std::collections::{BTreeSet, HashMap, HashSet};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// Who was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Organisations of which a node was asked: partners, and this one if it has other machines.
    pub asked: usize,
    /// Those of which one answered.
    pub answered: usize,
    /// Entries that the backup did not have.
    pub fresh: u64,
}

/// One round of questions.
struct Recall {
    network: Network,
    events: mpsc::Receiver<NetworkEvent>,
    waiting: HashSet<NodeId>,
    sessions: HashMap<SessionId, NodeId>,
    answers: Vec<(NodeId, Vec<IdentityEntry>)>,
}

impl Restoration {
    /// Asks every node of the partners, and other nodes of this organisation, for the identity log
    /// of the organisation that the recovery words `entropy` founded, and takes what is new. Nobody
    /// is asked where the settings close the network: their answers come by bundle.
    ///
    /// # Errors
    /// [`RestoreError::Forked`] when somebody knows another continuation; [`RestoreError::Words`]
    /// when the words founded another organisation.
    pub async fn recall(&mut self, entropy: &Secret<32>) -> Result<Heard, RestoreError> {
        self.begin_identity(entropy)?;
        if self.is_closed() {
            return Ok(Heard::default());
        }
        let places = self.places();
        let of = |node: &NodeId| places.get(node).map(|(organisation, _)| *organisation);
        let asked: BTreeSet<_> = places.keys().filter_map(of).collect();
        let reached = places.iter().map(|(node, (_, addresses))| (*node, addresses.clone()));
        let mut recall =
            Recall::begin(Zeroizing::new(self.secrets.node), reached.collect()).await?;
        let _ =
            tokio::time::timeout(RECALL_TIMEOUT, recall.listen(self.replica.node(), entropy)).await;
        recall.network.shutdown().await;
        let before = self.length();
        for (_, entries) in &recall.answers {
            self.take_answer(entries)?;
        }
        let fresh = self.length().saturating_sub(before);
        let answered: BTreeSet<_> =
            recall.answers.iter().filter_map(|(node, _)| of(node)).collect();
        Ok(Heard { asked: asked.len(), answered: answered.len(), fresh })
    }

    fn take_answer(&mut self, entries: &[IdentityEntry]) -> Result<(), RestoreError> {
        self.admit(entries).map_err(|error| match error {
            RestoreError::Replica(ReplicaError::Identity(_)) => RestoreError::Forked,
            error => error,
        })
    }

    /// Whether its network is closed, or nobody can tell: the node would not run with such
    /// settings.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let path = self.directory.config();
        Config::closes_network(&path, &self.settings, config::variables()).unwrap_or(true)
    }

    /// The first entry of a log that is lost, if it is: the words prove it, and what partners bring
    /// has to follow on it.
    fn begin_identity(&mut self, entropy: &Secret<32>) -> Result<(), RestoreError> {
        if organisation_of(entropy) != self.origin.organisation {
            return Err(RestoreError::Words);
        }
        if self.length() > 0 {
            return Ok(());
        }
        let [root, next] = [0, 1].map(|generation| RootKey::derive(entropy, generation));
        self.admit(&[Identity::found(&root, &next.public())])
    }

    fn length(&self) -> u64 {
        let own = self.replica.identity(&self.origin.organisation);
        own.map_or(0, Identity::length)
    }

    /// Where nodes of partners and of this organisation were last reached, and whose they are.
    fn places(&self) -> HashMap<NodeId, (OrganisationId, Vec<String>)> {
        let mut places = HashMap::new();
        for (organisation, partner) in self.replica.partners() {
            if self.replica.is_partner(organisation) {
                let place = |(node, addresses): &(NodeId, Vec<String>)| {
                    (*node, (*organisation, addresses.clone()))
                };
                places.extend(partner.addresses.iter().map(place));
            }
        }
        for (node, sibling) in self.replica.siblings() {
            places.insert(*node, (self.origin.organisation, sibling.addresses.clone()));
        }
        let old = self.origin.node;
        places.retain(|node, (_, addresses)| *node != old && !addresses.is_empty());
        places
    }
}

impl Recall {
    async fn begin(
        seed: Zeroizing<[u8; 32]>,
        places: HashMap<NodeId, Vec<String>>,
    ) -> Result<Self, RestoreError> {
        let (sender, events) = mpsc::channel(NETWORK_EVENTS_MAX);
        let config = NetworkConfig { seed, listen: Vec::new() };
        let network = Network::start(config, sender)
            .await
            .map_err(|error| RestoreError::Network(error.to_string()))?;
        let waiting = places.keys().copied().collect();
        for (node, addresses) in places {
            network.open(node, addresses, Purpose::Join);
        }
        Ok(Self { network, events, waiting, sessions: HashMap::new(), answers: Vec::new() })
    }

    /// Until everyone answered or failed.
    async fn listen(&mut self, own: NodeId, entropy: &Secret<32>) {
        let [root, next] = [0, 1].map(|generation| RootKey::derive(entropy, generation));
        let next = next.public();
        while !self.waiting.is_empty() {
            let Some(event) = self.events.recv().await else { return };
            match event {
                NetworkEvent::Opened { session, node, outbound: true, .. } => {
                    self.sessions.insert(session, node);
                    self.network.send(session, recall(&root, &next, &own, &node).encode());
                }
                NetworkEvent::Frame { session, bytes, .. } => self.hear(session, &bytes),
                NetworkEvent::Closed { session, .. } => {
                    if let Some(node) = self.sessions.remove(&session) {
                        self.waiting.remove(&node);
                    }
                }
                NetworkEvent::DialFailed { node, .. } => {
                    self.waiting.remove(&node);
                }
                _ => {}
            }
        }
    }

    fn hear(&mut self, session: SessionId, bytes: &[u8]) {
        let Some(node) = self.sessions.remove(&session) else { return };
        self.waiting.remove(&node);
        // A refusal tells nothing: the organisation may be none of its partners any more.
        if let Ok(JoinMessage::Recalled { identity }) = JoinMessage::decode(bytes) {
            self.answers.push((node, identity));
        }
        self.network.close(session);
    }
}
