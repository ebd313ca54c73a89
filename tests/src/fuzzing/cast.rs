//! Organisations and nodes on disks in memory, from fixed secrets: who speaks in the samples.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::crypto::{NodeKey, RootKey, SealingSecret, Secret, StorageKey};
use sincronia_protocol::identity::{Identity, IdentityEntry, IdentityOperation, NodeAdmission};
use sincronia_protocol::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::{Edits, Kind};
use sincronia_protocol::replica::{
    Credentials, Growth, Partner, Portion, RecordRow, Replica, ReplicaError, Trust, WriteRequest,
    WriteTarget,
};
use sincronia_protocol::storage::MemoryStorage;
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// What a replica makes of an operation.
type Outcome<T> = Result<T, ReplicaError>;

/// When everything here happens.
pub const NOW: Timestamp = Timestamp::from_milliseconds(1_767_225_600_000);

/// An organisation: its log, and the secrets of its only node.
pub struct Organisation {
    /// The identity log.
    pub entries: Vec<IdentityEntry>,
    /// What the log says.
    pub identity: Identity,
    /// The secrets of its node.
    pub credentials: Credentials,
}

impl Organisation {
    /// Founds the organisation whose secrets come from `seed`.
    #[must_use]
    pub fn found(seed: u8) -> Self {
        let entropy = Secret::from_bytes([seed; 32]);
        let root = RootKey::derive(&entropy, 0);
        let genesis = Identity::found(&root, &RootKey::derive(&entropy, 1).public());
        let mut identity = Identity::begin(&genesis).expect("a genesis");
        let secret = |part: u8| Secret::from_bytes([seed ^ part; 32]);
        let (node_key, sealing) =
            (NodeKey::from_seed(&secret(0x40)), SealingSecret::from_seed(&secret(0x80)));
        let organisation = identity.organisation();
        let admission = NodeAdmission::sign(&organisation, &node_key, sealing.public().clone());
        let node = node_key.id();
        let mut entries = vec![genesis];
        for operation in
            [IdentityOperation::AddNode { admission }, IdentityOperation::SetPrimary { node }]
        {
            let entry = identity.draft(operation).sign(&root);
            identity.apply(&entry).expect("a possible operation");
            entries.push(entry);
        }
        let storage = StorageKey::from_seed(&secret(0xc0));
        let credentials = Credentials { organisation, node_key, sealing, storage };
        Self { entries, identity, credentials }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> OrganisationId {
        self.identity.organisation()
    }
}

/// A node: a replica on a disk in memory.
pub struct Node {
    /// Its secrets.
    pub credentials: Credentials,
    /// What it knows.
    pub replica: Replica,
    /// What survives it.
    pub disk: MemoryStorage,
    /// Where its randomness comes from.
    pub random: ChaCha20Rng,
}

impl Node {
    /// A node that knows these organisations and has them as partners.
    #[must_use]
    pub fn start(own: &Organisation, known: &[&Organisation]) -> Self {
        let mut node = Self::wake(&own.credentials, &MemoryStorage::default());
        for one in known {
            node.replica.admit_identity(&node.disk, &one.entries).expect("a sound log");
            if one.id() != own.id() {
                let partner = Partner {
                    name: String::new(),
                    trust: Trust::Verified,
                    joined_at: NOW,
                    addresses: Vec::new(),
                    last_exchange: None,
                };
                node.replica.put_partner(one.id(), partner).expect("its identity is known");
            }
            node.commit();
        }
        node
    }

    /// A node as it starts with what its disk holds.
    #[must_use]
    pub fn wake(credentials: &Credentials, disk: &MemoryStorage) -> Self {
        let (credentials, disk) = (credentials.clone(), disk.clone());
        let replica = Replica::open(credentials.clone(), &disk).expect("a sound disk");
        let random = ChaCha20Rng::from_seed(*credentials.node_key.id().as_bytes());
        Self { credentials, replica, disk, random }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.replica.node()
    }

    /// Brings rows up to date and makes everything durable; returns what grew.
    pub fn commit(&mut self) -> Vec<Growth> {
        while self.replica.project(&self.disk, Portion::of(16)).expect("a sound disk") {}
        let batch = self.replica.take_batch();
        self.disk.commit(&batch);
        self.replica.take_events();
        self.replica.take_growth()
    }

    /// One step that must succeed.
    pub fn act<T>(
        &mut self,
        step: impl FnOnce(&mut Replica, &MemoryStorage, &mut ChaCha20Rng) -> Outcome<T>,
    ) -> T {
        let outcome = step(&mut self.replica, &self.disk, &mut self.random);
        let outcome = outcome.expect("a possible step");
        self.commit();
        outcome
    }

    /// Lets an organisation read or write a space from the start.
    pub fn grant(&mut self, space: &SpaceId, organisation: OrganisationId, role: Role) {
        self.act(|replica, disk, random| {
            replica.grant(disk, space, organisation, role, History::Start, random)
        });
    }

    /// A new good practice, or another title of one.
    pub fn write(&mut self, space: &SpaceId, target: WriteTarget, title: &str) -> RecordId {
        let mut fields = crate::world::practice(title);
        if matches!(target, WriteTarget::Existing(_)) {
            fields = serde_json::json!({ "title": title });
        }
        let edits = Edits { fields: fields.as_object().expect("an object").clone() };
        let (space, operator) = (*space, "operatore".to_owned());
        let request = WriteRequest { space, target, edits, operator, comment: None };
        self.act(|replica, disk, random| replica.write(disk, request, NOW, random)).record
    }

    /// A new good practice.
    pub fn note(&mut self, space: &SpaceId, title: &str) -> RecordId {
        self.write(space, WriteTarget::New(Kind::Practice), title)
    }

    /// Every record with what it shows and what became of its entries.
    #[must_use]
    pub fn shows(&self) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        let visit = &mut |row: RecordRow| {
            let view = serde_json::to_string(&row.view).expect("a view");
            shown.insert(
                format!("{} {}", row.space, row.record),
                format!("{view} {:?}", row.entries),
            );
            ControlFlow::Continue(())
        };
        self.replica.rows(&self.disk, None, None, visit).expect("a sound disk");
        shown
    }
}

/// A random source that is the same at every try.
#[must_use]
pub fn random() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([3; 32])
}
