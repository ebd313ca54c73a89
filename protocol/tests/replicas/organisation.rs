//! Organisations and their nodes, each node with a disk of its own.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value as Json, json};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::crypto::{NodeKey, RootKey, SealingSecret, Secret, StorageKey};
use sincronia_protocol::identity::{
    Identities, Identity, IdentityEntry, IdentityOperation, NodeAdmission,
};
use sincronia_protocol::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::{Edits, Kind, View};
use sincronia_protocol::replica::{
    Credentials, Growth, Partner, Portion, Replica, ReplicaError, Trust, WriteRequest, WriteTarget,
};
use sincronia_protocol::storage::MemoryStorage;
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// An organisation with its root key, as it is before any node runs.
pub struct Organisation {
    seed: u8,
    root: RootKey,
    pub identity: Identity,
    pub entries: Vec<IdentityEntry>,
}

impl Organisation {
    /// Founds the organisation whose secrets are all `seed`.
    pub fn found(seed: u8) -> Self {
        let entropy = Secret::from_bytes([seed; 32]);
        let root = RootKey::derive(&entropy, 0);
        let genesis = Identity::found(&root, &RootKey::derive(&entropy, 1).public());
        let identity = Identity::begin(&genesis).expect("a genesis");
        Self { seed, root, identity, entries: vec![genesis] }
    }

    /// The same organisation at a machine that hears of nothing that is said from here on.
    pub fn elsewhere(&self) -> Self {
        let entropy = Secret::from_bytes([self.seed; 32]);
        let root = RootKey::derive(&entropy, self.identity.generation());
        let (identity, entries) = (self.identity.clone(), self.entries.clone());
        Self { seed: self.seed, root, identity, entries }
    }

    /// Takes note of what was said elsewhere.
    pub fn hear(&mut self, other: &Self) {
        for entry in &other.entries {
            self.identity.apply(entry).expect("a sound log");
            if !self.entries.contains(entry) {
                self.entries.push(entry.clone());
            }
        }
    }

    /// An organisation with one node, its primary.
    pub fn with_node(seed: u8) -> (Self, Credentials) {
        let mut organisation = Self::found(seed);
        let credentials = organisation.add_node(seed);
        organisation.say(IdentityOperation::SetPrimary { node: credentials.node_key.id() });
        (organisation, credentials)
    }

    pub fn id(&self) -> OrganisationId {
        self.identity.organisation()
    }

    /// What a node that knows this organisation alone knows.
    pub fn identities(&self) -> Identities {
        Identities::from([(self.id(), self.identity.clone())])
    }

    /// Signs the next entry of the identity log.
    pub fn say(&mut self, operation: IdentityOperation) {
        let entry = self.identity.draft(operation).sign(&self.root);
        self.identity.apply(&entry).expect("a possible operation");
        self.entries.push(entry);
    }

    /// Replaces the root key by the next of the same words.
    pub fn rotate_root(&mut self) {
        let generation = self.identity.generation();
        let entropy = Secret::from_bytes([self.seed; 32]);
        let [new, next] = [1, 2].map(|ahead| RootKey::derive(&entropy, generation + ahead));
        let entry = self.identity.draft_rotation(&new, &next.public()).sign(&self.root);
        self.identity.apply(&entry).expect("a possible operation");
        self.entries.push(entry);
        self.root = new;
    }

    /// Certifies another node.
    pub fn add_node(&mut self, seed: u8) -> Credentials {
        let secret = |part: u8| Secret::from_bytes([seed, part].repeat(16).try_into().unwrap());
        let node_key = NodeKey::from_seed(&secret(1));
        let sealing = SealingSecret::from_seed(&secret(2));
        let admission = NodeAdmission::sign(&self.id(), &node_key, sealing.public().clone());
        self.say(IdentityOperation::AddNode { admission });
        let storage = StorageKey::from_seed(&secret(3));
        Credentials { organisation: self.id(), node_key, sealing, storage }
    }
}

/// What became of a step.
type Outcome<T> = Result<T, ReplicaError>;

/// A node: a replica on a disk in memory.
pub struct Node {
    pub credentials: Credentials,
    pub replica: Replica,
    pub disk: MemoryStorage,
    pub random: ChaCha20Rng,
}

impl Node {
    /// A new node that knows these organisations and has them as partners.
    pub fn start(credentials: &Credentials, known: &[&Organisation]) -> Self {
        let disk = MemoryStorage::default();
        let replica = Replica::open(credentials.clone(), &disk).expect("an empty disk");
        let random = ChaCha20Rng::from_seed(*credentials.node_key.id().as_bytes());
        let mut node = Self { credentials: credentials.clone(), replica, disk, random };
        for organisation in known {
            node.learn(organisation);
            node.accept(&organisation.id());
        }
        node
    }

    pub fn id(&self) -> NodeId {
        self.replica.node()
    }

    pub fn organisation(&self) -> OrganisationId {
        self.replica.organisation()
    }

    /// Takes what is new in an identity log.
    pub fn learn(&mut self, organisation: &Organisation) {
        self.replica.admit_identity(&self.disk, &organisation.entries).expect("a sound log");
        self.commit();
    }

    /// Has an organisation whose identity log it knows as a partner.
    pub fn accept(&mut self, organisation: &OrganisationId) {
        if *organisation == self.organisation() {
            return;
        }
        let partner = Partner {
            name: String::new(),
            trust: Trust::Verified,
            joined_at: Timestamp::default(),
            addresses: Vec::new(),
            last_exchange: None,
        };
        self.replica.put_partner(*organisation, partner).expect("its identity is known");
        self.commit();
    }

    /// Brings rows up to date and makes everything durable; returns what grew.
    pub fn commit(&mut self) -> Vec<Growth> {
        while self.replica.project(&self.disk, Portion::of(7)).expect("a sound disk") {}
        let batch = self.replica.take_batch();
        self.disk.commit(&batch);
        self.replica.take_events();
        self.replica.take_growth()
    }

    /// Forgets everything in memory: what a restart does.
    pub fn restart(&mut self) {
        self.replica = Replica::open(self.credentials.clone(), &self.disk).expect("a sound disk");
        self.commit();
    }

    /// One step, committed when it succeeds and dropped when it does not.
    pub fn act<T>(
        &mut self,
        step: impl FnOnce(&mut Replica, &MemoryStorage, &mut ChaCha20Rng) -> Outcome<T>,
    ) -> Outcome<T> {
        let outcome = step(&mut self.replica, &self.disk, &mut self.random);
        match outcome {
            Ok(_) => drop(self.commit()),
            Err(_) => self.replica.forget(&self.disk).expect("a sound disk"),
        }
        outcome
    }

    pub fn create_space(&mut self) -> SpaceId {
        self.act(|replica, disk, random| replica.create_space(disk, random)).expect("a primary")
    }

    pub fn grant(
        &mut self,
        space: &SpaceId,
        organisation: OrganisationId,
        role: Role,
        history: History,
    ) -> Result<(), ReplicaError> {
        self.act(|replica, disk, random| {
            replica.grant(disk, space, organisation, role, history, random)
        })
    }

    pub fn revoke(
        &mut self,
        space: &SpaceId,
        organisation: OrganisationId,
    ) -> Result<(), ReplicaError> {
        self.act(|replica, disk, random| {
            replica.revoke(disk, space, organisation, random).map(drop)
        })
    }

    /// Gives a space a fresh key, if that is possible.
    pub fn try_rotate(&mut self, space: &SpaceId) -> Result<u64, ReplicaError> {
        self.act(|replica, disk, random| replica.rotate(disk, space, random))
    }

    /// Writes fields of a record.
    pub fn write(
        &mut self,
        space: &SpaceId,
        target: WriteTarget,
        fields: &Json,
    ) -> Result<RecordId, ReplicaError> {
        let request = WriteRequest {
            space: *space,
            target,
            edits: Edits { fields: fields.as_object().expect("an object").clone() },
            operator: "operator".to_owned(),
            comment: None,
        };
        let now = Timestamp::from_milliseconds(1_767_225_600_000);
        self.act(|replica, disk, random| {
            replica.write(disk, request, now, random).map(|written| written.record)
        })
    }

    /// A new good practice.
    pub fn note(&mut self, space: &SpaceId, title: &str) -> RecordId {
        self.try_note(space, title).expect("a contributor")
    }

    /// A new good practice, if that is possible.
    pub fn try_note(&mut self, space: &SpaceId, title: &str) -> Result<RecordId, ReplicaError> {
        self.write(space, WriteTarget::New(Kind::Practice), &practice(title))
    }

    /// Gives a record another title.
    pub fn rename(
        &mut self,
        space: &SpaceId,
        record: RecordId,
        title: &str,
    ) -> Result<(), ReplicaError> {
        let fields = json!({ "title": title });
        self.write(space, WriteTarget::Existing(record), &fields).map(drop)
    }

    /// Erases a record.
    pub fn erase(&mut self, space: &SpaceId, record: &RecordId) -> Result<(), ReplicaError> {
        self.act(|replica, disk, _| replica.erase(disk, space, record))
    }

    /// Everything shown of a space: by record, fields and conflicts, then what became of its
    /// entries.
    pub fn shows(&self, space: &SpaceId) -> BTreeMap<RecordId, String> {
        let mut shown = BTreeMap::new();
        let visit = &mut |row: sincronia_protocol::replica::RecordRow| {
            let view = serde_json::to_string(&row.view).expect("a view");
            shown.insert(row.record, format!("{view} {:?}", row.entries));
            ControlFlow::Continue(())
        };
        self.replica.rows(&self.disk, Some(space), None, visit).expect("a sound disk");
        shown
    }

    /// What a record that is here shows.
    pub fn view(&self, space: &SpaceId, record: &RecordId) -> View {
        self.replica.row(&self.disk, space, record).expect("a record").view
    }

    /// The title a record shows.
    pub fn title(&self, space: &SpaceId, record: &RecordId) -> Option<String> {
        let row = self.replica.row(&self.disk, space, record).ok()?;
        let view = serde_json::to_value(&row.view).expect("a view");
        view["fields"]["title"].as_str().map(ToOwned::to_owned)
    }
}

/// The fields of a good practice.
pub fn practice(title: &str) -> Json {
    json!({
        "title": title,
        "area": "accoglienza",
        "problem": "Ogni servizio chiede un modulo diverso.",
        "procedure": "Una scheda sola, uguale per tutti.",
        "maturity": "sperimentata",
    })
}
