//! Organisations whose every secret follows from a small number.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sincronia_protocol::crypto::{NodeKey, RootKey, SealingSecret, Secret};
use sincronia_protocol::identity::{
    Identities, Identity, IdentityEntry, IdentityOperation, NodeAdmission,
};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::time::Timestamp;

/// 32 times the same byte.
pub fn secret(byte: u8) -> Secret<32> {
    Secret::from_bytes([byte; 32])
}

/// A random source that always says the same: the key stream of `ChaCha20` under 32 times `byte`.
pub fn random(byte: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([byte; 32])
}

/// 2026-01-01T00:00:00Z.
pub const NOW: Timestamp = Timestamp::from_milliseconds(1_767_225_600_000);

/// A node's keys.
#[derive(Clone)]
pub struct Seat {
    pub key: NodeKey,
    pub sealing: SealingSecret,
}

impl Seat {
    /// The node whose seeds are `byte` and the one after it.
    pub fn new(byte: u8) -> Self {
        let sealing = SealingSecret::from_seed(&secret(byte + 1));
        Self { key: NodeKey::from_seed(&secret(byte)), sealing }
    }

    pub fn id(&self) -> NodeId {
        self.key.id()
    }

    pub fn admission(&self, organisation: &OrganisationId) -> NodeAdmission {
        NodeAdmission::sign(organisation, &self.key, self.sealing.public().clone())
    }
}

/// An organisation: its recovery entropy is 32 times `number`, its nodes have the seeds
/// `16 · number + 1` and on.
pub struct Organisation {
    pub number: u8,
    pub identity: Identity,
    pub entries: Vec<IdentityEntry>,
    pub seats: Vec<Seat>,
}

impl Organisation {
    /// Founds it, certifies `nodes` nodes and names the first primary.
    pub fn found(number: u8, nodes: u8) -> Self {
        let genesis = Identity::found(&root(number, 0), &root(number, 1).public());
        let identity = Identity::begin(&genesis).unwrap();
        let (entries, seats) = (vec![genesis], Vec::new());
        let mut organisation = Self { number, identity, entries, seats };
        for node in 0..nodes {
            let seat = Seat::new(number * 16 + 1 + 2 * node);
            let admission = seat.admission(&organisation.id());
            organisation.say(IdentityOperation::AddNode { admission });
            organisation.seats.push(seat);
        }
        let node = organisation.seats[0].id();
        organisation.say(IdentityOperation::SetPrimary { node });
        organisation
    }

    pub fn identities(&self) -> Identities {
        Identities::from([(self.id(), self.identity.clone())])
    }

    pub fn id(&self) -> OrganisationId {
        self.identity.organisation()
    }

    /// Signs the next entry with the root key in force.
    pub fn say(&mut self, operation: IdentityOperation) {
        let root = root(self.number, self.identity.generation());
        self.take(self.identity.draft(operation).sign(&root));
    }

    /// Signs each of these operations at one place, and then that both count.
    pub fn say_apart(&mut self, operations: [IdentityOperation; 2]) {
        let root = root(self.number, self.identity.generation());
        let drafts = operations.map(|operation| self.identity.draft(operation));
        for draft in drafts {
            self.take(draft.sign(&root));
        }
        let heads = self.identity.divided().collect();
        self.say(IdentityOperation::Unite { heads });
    }

    /// Rotates to the next root key.
    pub fn rotate_root(&mut self) {
        let generation = self.identity.generation();
        let key = |step| root(self.number, generation + step);
        let statement = self.identity.draft_rotation(&key(1), &key(2).public());
        self.take(statement.sign(&key(0)));
    }

    fn take(&mut self, entry: IdentityEntry) {
        self.identity.apply(&entry).unwrap();
        self.entries.push(entry);
    }
}

/// A root key of the organisation with that number.
pub fn root(number: u8, generation: u64) -> RootKey {
    RootKey::derive(&secret(number), generation)
}
