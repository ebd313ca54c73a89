//! One organisation's node in the world: a replica, a disk, and sessions.

use super::PeerIndex;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;
use sincronia_protocol::crypto::{NodeKey, RootKey, SealingSecret, Secret, StorageKey};
use sincronia_protocol::identity::{Identity, IdentityOperation, NodeAdmission};
use sincronia_protocol::ids::{NodeId, SpaceId};
use sincronia_protocol::joining::Acquaintance;
use sincronia_protocol::replica::{Credentials, Event, Growth, Replica};
use sincronia_protocol::storage::MemoryStorage;
use sincronia_protocol::sync::{CloseReason, Effects, Input, Session, Side, SyncPhase};
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// One organisation's node.
pub struct Peer {
    credentials: Credentials,
    /// What it knows.
    pub replica: Replica,
    /// What survives a crash.
    pub disk: MemoryStorage,
    /// What happened, for assertions.
    pub events: Vec<Event>,
    /// Sessions that ended, and why.
    pub closed: Vec<(PeerIndex, CloseReason)>,
    /// What was refused of others.
    pub refused: Vec<String>,
    sessions: BTreeMap<PeerIndex, Session>,
}

impl Peer {
    /// Founds an organisation with one node that is its primary.
    pub(super) fn found(random: &mut ChaCha20Rng) -> Self {
        let mut seed = || {
            let mut bytes = [0; 32];
            random.fill_bytes(&mut bytes);
            Secret::from_bytes(bytes)
        };
        let entropy: Secret<32> = seed();
        let root = RootKey::derive(&entropy, 0);
        let node_key = NodeKey::from_seed(&seed());
        let sealing = SealingSecret::from_seed(&seed());
        let storage = StorageKey::from_seed(&seed());
        let genesis = Identity::found(&root, &RootKey::derive(&entropy, 1).public());
        let mut identity = Identity::begin(&genesis).expect("a genesis");
        let organisation = identity.organisation();
        let admission = NodeAdmission::sign(&organisation, &node_key, sealing.public().clone());
        let mut entries = vec![genesis];
        for operation in [
            IdentityOperation::AddNode { admission },
            IdentityOperation::SetPrimary { node: node_key.id() },
        ] {
            let entry = identity.draft(operation).sign(&root);
            identity.apply(&entry).expect("a possible operation");
            entries.push(entry);
        }
        let credentials = Credentials { organisation, node_key, sealing, storage };
        let mut disk = MemoryStorage::default();
        let mut replica = Replica::open(credentials.clone(), &disk).expect("an empty disk");
        replica.admit_identity(&disk, &entries).expect("its own identity");
        disk.commit(&replica.take_batch());
        Self {
            credentials,
            replica,
            disk,
            events: Vec::new(),
            closed: Vec::new(),
            refused: Vec::new(),
            sessions: BTreeMap::new(),
        }
    }

    pub(super) fn acquaintance(&self) -> Acquaintance {
        let introduction =
            self.replica.introduction(&self.disk, String::new(), Vec::new()).expect("readable");
        Acquaintance {
            organisation: self.replica.organisation(),
            node: self.replica.node(),
            introduction,
        }
    }

    pub(super) fn befriend(&mut self, acquaintance: &Acquaintance, now: Timestamp) {
        self.replica.befriend(&self.disk, acquaintance, now).expect("a sound identity");
        self.commit();
    }

    /// What the process would find after being killed now.
    pub(super) fn restart(&mut self) {
        self.sessions.clear();
        self.replica = Replica::open(self.credentials.clone(), &self.disk).expect("a sound disk");
        while self.replica.project(&self.disk, 1_000).expect("a sound disk") {}
        self.commit();
    }

    pub(super) fn forget(&mut self) {
        self.replica.forget(&self.disk).expect("a sound disk");
    }

    pub(super) fn open(
        &mut self,
        other: PeerIndex,
        side: Side,
        node: NodeId,
        now: Timestamp,
    ) -> Effects {
        self.sessions.insert(other, Session::new(side, node, Vec::new(), now));
        self.handle(other, Input::Opened, now)
    }

    pub(super) fn close(&mut self, other: PeerIndex) {
        self.sessions.remove(&other);
    }

    pub(super) fn handle(&mut self, other: PeerIndex, input: Input, now: Timestamp) -> Effects {
        match self.sessions.get_mut(&other) {
            Some(session) => session.handle(now, input, &mut self.replica, &self.disk),
            None => Effects::new(),
        }
    }

    /// Projects, makes everything durable, and returns what grew.
    pub(super) fn commit(&mut self) -> Vec<Growth> {
        while self.replica.project(&self.disk, 1_000).expect("a sound disk") {}
        let batch = self.replica.take_batch();
        self.disk.commit(&batch);
        self.events.extend(self.replica.take_events());
        self.replica.take_growth()
    }

    pub(super) fn connected(&self) -> Vec<PeerIndex> {
        self.sessions.keys().copied().collect()
    }

    pub(super) fn next_deadline(&self) -> Option<(Timestamp, PeerIndex)> {
        self.sessions
            .iter()
            .filter_map(|(other, session)| session.next_deadline().map(|at| (at, *other)))
            .min()
    }

    /// The phases of its sessions.
    pub fn phases(&self) -> impl Iterator<Item = SyncPhase> {
        self.sessions.values().map(|session| session.status().phase)
    }

    /// The phase of its session with `other`.
    #[must_use]
    pub fn phase_with(&self, other: PeerIndex) -> Option<SyncPhase> {
        self.sessions.get(&other).map(|session| session.status().phase)
    }

    /// Entries of a space that it cannot read.
    pub fn unreadable(&mut self, space: &SpaceId) -> u64 {
        self.replica.space_view(&self.disk, space).map_or(0, |view| view.waiting)
    }

    /// Everything it shows of a space: records with fields and conflicts, as text to compare.
    #[must_use]
    pub fn shows(&self, space: &SpaceId) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        self.replica
            .rows(&self.disk, Some(space), None, &mut |row| {
                let view = serde_json::to_string(&row.view).expect("a view is JSON");
                shown.insert(row.record.to_string(), view);
                ControlFlow::Continue(())
            })
            .expect("a sound disk");
        shown
    }
}
