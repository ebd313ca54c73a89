//! Organisations whose bundles may say what no honest program would.

use super::content::Writer;
use super::envelope::{seal_by_invitation, seal_to_nodes};
use super::manifest::Manifest;
use super::part::split;
use super::{BundleError, Outcome, import};
use crate::codec;
use crate::crypto::{NodeKey, RootKey, SealingSecret, Secret, StorageKey};
use crate::identity::{Identity, IdentityEntry, IdentityOperation, NodeAdmission};
use crate::invitation::Invitation;
use crate::joining::Introduction;
use crate::limits;
use crate::replica::{Credentials, Replica};
use crate::storage::MemoryStorage;
use crate::sync::Message;
use crate::time::Timestamp;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const NOW: Timestamp = Timestamp::from_milliseconds(1_767_225_600_000);

/// The node of an organisation, whose secrets are all `seed`.
pub struct Party {
    pub replica: Replica,
    pub disk: MemoryStorage,
    pub identity: Vec<IdentityEntry>,
    pub random: ChaCha20Rng,
}

impl Party {
    pub fn new(seed: u8) -> Self {
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

    pub fn invite(&mut self) -> Invitation {
        let (hour, random) = (3_600_000, &mut self.random);
        let invited = self.replica.invite(Vec::new(), hour, None, Vec::new(), NOW, random);
        self.disk.commit(&self.replica.take_batch());
        invited.unwrap().0
    }

    /// A request under `invitation` whose manifest was changed before it was signed.
    pub fn ask(
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

    pub fn read(&mut self, file: &[u8]) -> Result<Vec<Outcome>, BundleError> {
        import(file, &mut self.replica, &self.disk, NOW, &mut self.random)
    }

    /// What was read is kept.
    pub fn commit(&mut self) {
        self.disk.commit(&self.replica.take_batch());
    }

    /// A bundle of these messages for a party, whose manifest was changed before it was signed.
    pub fn bundle(
        &mut self,
        to: &Self,
        messages: &[Message],
        change: impl FnOnce(Manifest) -> Manifest,
    ) -> Vec<u8> {
        let recipient = to.replica.organisation();
        let mut writer = Writer::new(limits::BUNDLE_CONTENT_BYTES_MAX);
        assert!(messages.iter().all(|message| writer.push(&message.encode())));
        let draft = Manifest::draft(&self.replica, recipient, String::new(), NOW, writer.bytes());
        let content = writer.after(&change(Manifest { number: 1, ..draft }).sign(&self.replica));
        let nodes = to.replica.identity(&recipient).unwrap().active_nodes();
        let nodes: Vec<_> = nodes.map(|(node, key)| (*node, key.clone())).collect();
        let sealed = seal_to_nodes(recipient, &nodes, &content, &mut self.random).unwrap();
        split(recipient, &sealed, limits::PART_BYTES_DEFAULT).unwrap().concat()
    }
}
