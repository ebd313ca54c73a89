//! What a request to join must be for its sender to become a partner.

use super::super::{BundleError, Outcome, import};
use super::*;
use crate::crypto::{NodeKey, RootKey, SealingSecret, StorageKey};
use crate::identity::{Identity, IdentityEntry, IdentityOperation, NodeAdmission};
use crate::replica::Credentials;
use crate::storage::MemoryStorage;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const NOW: Timestamp = Timestamp::from_milliseconds(1_767_225_600_000);

/// The node of an organisation, whose secrets are all `seed`.
struct Party {
    replica: Replica,
    disk: MemoryStorage,
    identity: Vec<IdentityEntry>,
    random: ChaCha20Rng,
}

impl Party {
    fn new(seed: u8) -> Self {
        let secret = || Secret::from_bytes([seed; 32]);
        let (root, next) = (RootKey::derive(&secret(), 0), RootKey::derive(&secret(), 1));
        let genesis = Identity::found(&root, &next.public());
        let mut known = Identity::begin(&genesis).unwrap();
        let (organisation, node_key) = (known.organisation(), NodeKey::from_seed(&secret()));
        let sealing = SealingSecret::from_seed(&secret());
        let admission = NodeAdmission::sign(&organisation, &node_key, sealing.public().clone());
        let mut identity = vec![genesis];
        let node = node_key.id();
        for operation in
            [IdentityOperation::AddNode { admission }, IdentityOperation::SetPrimary { node }]
        {
            let entry = known.draft(operation).sign(&root);
            known.apply(&entry).unwrap();
            identity.push(entry);
        }
        let storage = StorageKey::from_seed(&secret());
        let credentials = Credentials { organisation, node_key, sealing, storage };
        let mut disk = MemoryStorage::default();
        let mut replica = Replica::open(credentials, &disk).unwrap();
        replica.admit_identity(&disk, &identity).unwrap();
        disk.commit(&replica.take_batch());
        Self { replica, disk, identity, random: ChaCha20Rng::seed_from_u64(seed.into()) }
    }

    fn invite(&mut self) -> Invitation {
        let (hour, random) = (3_600_000, &mut self.random);
        let invited = self.replica.invite(Vec::new(), hour, None, Vec::new(), NOW, random);
        self.disk.commit(&self.replica.take_batch());
        invited.unwrap().0
    }

    /// A request under `invitation` whose manifest was changed before it was signed.
    fn ask(
        &mut self,
        invitation: &Invitation,
        change: impl FnOnce(Manifest) -> Manifest,
    ) -> Vec<u8> {
        let introduction = Introduction {
            name: String::new(),
            addresses: Vec::new(),
            identity: self.identity.clone(),
        };
        let mut writer = Writer::new(limits::FRAME_BYTES_MAX);
        assert!(writer.push(&codec::encode(&introduction)));
        let (recipient, key) = (invitation.organisation, invitation.key());
        let draft = Manifest::draft(&self.replica, recipient, String::new(), NOW, writer.bytes());
        let manifest = change(Manifest { invitation: Some(key.id), ..draft });
        let content = writer.after(&manifest.sign(&self.replica));
        let sealed = seal_by_invitation(recipient, &key, &content, &mut self.random).unwrap();
        split(recipient, &sealed, limits::PART_BYTES_DEFAULT).unwrap().concat()
    }

    fn read(&mut self, file: &[u8]) -> Result<Vec<Outcome>, BundleError> {
        import(file, &mut self.replica, &self.disk, NOW, &mut self.random)
    }
}

/// Whoever held an invitation could otherwise make a third body, whose identity is known to the
/// host, a partner that is reached at the machine of whoever asks.
#[test]
fn a_request_makes_nobody_a_partner_but_whoever_signs_it() {
    let (mut host, mut guest, third) = (Party::new(1), Party::new(2), Party::new(3));
    host.replica.admit_identity(&host.disk, &third.identity).unwrap();
    host.disk.commit(&host.replica.take_batch());
    let sender = third.replica.organisation();
    let invitation = host.invite();
    let forged = guest.ask(&invitation, |manifest| Manifest { sender, ..manifest });
    assert_eq!(host.read(&forged), Err(Refusal::Identity.into()));
    assert!(!host.replica.is_partner(&sender));
    let sound = guest.ask(&invitation, |manifest| manifest);
    assert!(matches!(host.read(&sound).unwrap()[..], [Outcome::Imported(_)]));
}

/// Whoever holds two invitations opens the answer to one; under the other it says nothing.
#[test]
fn a_request_answers_the_invitation_that_it_names_and_no_other() {
    let (mut host, mut guest) = (Party::new(1), Party::new(2));
    let (mine, other) = (host.invite(), host.invite().key().id);
    for invitation in [Some(other), None] {
        let moved = guest.ask(&mine, |manifest| Manifest { invitation, ..manifest });
        assert_eq!(host.read(&moved), Err(Refusal::Identity.into()));
        assert!(!host.replica.is_partner(&guest.replica.organisation()));
    }
}
