//! Another machine of an organisation that exists: its keys and request, its admission, and a new
//! sealing key. The recovery words never come here.

use crate::config::{DirectoryError, NodeDirectory};
use crate::keystore::{self, KeystoreError, Secrets, Strength, Unlock};
use crate::random;
use crate::setup::{credentials, with_name};
use crate::store::{Store, StoreError};
use sincronia_protocol::crypto::SealingPublic;
use sincronia_protocol::identity::{Admission, MachineError, NodeRequest};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::replica::{Replica, ReplicaError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What a new machine is to be.
#[derive(Clone, Debug)]
pub struct RequestOptions {
    /// Where the node lives; made if it is not there.
    pub directory: PathBuf,
    /// The organisation that it is to speak for.
    pub organisation: OrganisationId,
    /// What opens its keystore.
    pub unlock: Unlock,
    /// How much work a passphrase costs.
    pub strength: Strength,
}

/// A machine that was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Whether this machine had been admitted before.
    pub already: bool,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// The organisation's name.
    pub name: String,
    /// The node.
    pub node: NodeId,
}

/// Why a machine was not set up. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupMachineError {
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The admission.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// No randomness.
    #[error("the system could not provide randomness")]
    Random,
    /// The replica.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes keys and an empty store in a directory, and the request to hand to another node. The
/// request of a machine that was set up before is made again, the same.
///
/// # Errors
/// [`SetupMachineError`].
pub fn request(options: &RequestOptions) -> Result<NodeRequest, SetupMachineError> {
    let (directory, mut claim) = NodeDirectory::claim(&options.directory)?;
    let organisation = options.organisation;
    if directory.keystore().exists() {
        claim.keep();
        return request_again(&directory, options);
    }
    let mut random = random::generator().map_err(|_| SetupMachineError::Random)?;
    let secrets = Secrets::generate(&mut random);
    Store::open(&directory.new_store(), &organisation)?;
    claim.place_store()?;
    keystore::create(&directory.keystore(), &secrets, &options.unlock, options.strength)?;
    claim.keep();
    Ok(sign(&secrets, organisation))
}

fn request_again(
    directory: &NodeDirectory,
    options: &RequestOptions,
) -> Result<NodeRequest, SetupMachineError> {
    let secrets = keystore::open(&directory.keystore(), &options.unlock)?;
    let store = Store::open(&directory.store(), &options.organisation)?;
    let disk = store.snapshot()?;
    let replica = Replica::open(credentials(&secrets, options.organisation), &disk)?;
    if replica.identity(&options.organisation).is_some() {
        return Err(KeystoreError::Exists(directory.keystore()).into());
    }
    Ok(sign(&secrets, options.organisation))
}

fn sign(secrets: &Secrets, organisation: OrganisationId) -> NodeRequest {
    let keys = credentials(secrets, organisation);
    NodeRequest::sign(organisation, &keys.node_key, keys.sealing.public().clone())
}

/// Takes the admission that another node of the organisation gave; the node can run then.
///
/// # Errors
/// [`SetupMachineError::Machine`] when it is not for this machine.
pub fn admit(
    directory: &Path,
    unlock: &Unlock,
    admission: &Admission,
) -> Result<Admitted, SetupMachineError> {
    let directory = NodeDirectory::open(directory)?;
    let _lock = directory.lock()?;
    let secrets = keystore::open(&directory.keystore(), unlock)?;
    let organisation = Store::organisation(&directory.store())?;
    let keys = credentials(&secrets, organisation);
    let node = keys.node_key.id();
    admission.check(&organisation, &node)?;
    let store = Store::open(&directory.store(), &organisation)?;
    let disk = store.snapshot()?;
    let mut replica = Replica::open(keys, &disk)?;
    let known = replica.identity(&organisation);
    let already = known.is_some_and(|identity| identity.is_active(&node));
    replica.admit_identity(&disk, &admission.identity)?;
    for (sibling, addresses) in admission.addresses.iter().filter(|(one, _)| *one != node) {
        replica.note_sibling(sibling, addresses.clone(), None)?;
    }
    store.commit(&replica.take_batch())?;
    let written = match std::fs::read_to_string(directory.config()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Some(String::new()),
        read => read.ok(),
    };
    if let Some(text) = written.and_then(|text| with_name(&text, admission.name.trim())) {
        directory.write(&directory.config(), &text)?;
    }
    Ok(Admitted { already, organisation, name: admission.name.clone(), node })
}

/// Replaces the sealing key in the keystore and returns its public half, to be certified; the node
/// uses it from its next start on, and goes on opening what was sealed to the one before. When the
/// keystore already holds a key that is not `certified` yet, that one is returned.
///
/// # Errors
/// [`SetupMachineError::Keystore`]; the old keystore then stands.
pub fn rotate_sealing(
    directory: &Path,
    unlock: &Unlock,
    strength: Strength,
    certified: &SealingPublic,
) -> Result<SealingPublic, SetupMachineError> {
    let directory = NodeDirectory::open(directory)?;
    let mut secrets = keystore::open(&directory.keystore(), unlock)?;
    // The running node holds the store; which organisation it is makes no difference to its keys.
    let anyone = OrganisationId::from_bytes([0; 32]);
    let public = |secrets: &Secrets| credentials(secrets, anyone).sealing.public().clone();
    let held = public(&secrets);
    if held != *certified {
        return Ok(held);
    }
    let mut random = random::generator().map_err(|_| SetupMachineError::Random)?;
    secrets.replace_sealing(&mut random);
    keystore::replace(&directory.keystore(), &secrets, unlock, strength)?;
    Ok(public(&secrets))
}
