//! Founding an organisation's first node: keys, identity log, an empty store, settings.
//!
//! The recovery entropy is made here, given back as words to be written on paper, and kept nowhere.

use crate::config::{self, ConfigError, DirectoryError, Key, NodeDirectory};
use crate::keystore::{self, KeystoreError, Secrets, Strength, Unlock};
use crate::random;
use crate::store::{Store, StoreError};
use sincronia_protocol::crypto::{NodeKey, RootKey, SealingSecret, Secret, StorageKey};
use sincronia_protocol::identity::{
    Identity, IdentityEntry, IdentityError, IdentityOperation, NodeAdmission,
};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::recovery::{WordList, recovery_sealing, recovery_words};
use sincronia_protocol::replica::{Credentials, Replica, ReplicaError};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// What a new node is to be.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Where it lives; made if it is not there.
    pub directory: PathBuf,
    /// The organisation's name.
    pub name: String,
    /// The list of the recovery words.
    pub words: WordList,
    /// What opens its keystore.
    pub unlock: Unlock,
    /// How much work a passphrase costs.
    pub strength: Strength,
}

/// A founded organisation.
pub struct Initialised {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its first node.
    pub node: NodeId,
    /// 24 words, shown once.
    pub recovery_words: Zeroizing<String>,
}

/// Why a node could not be set up. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The settings that are there already cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The identity log.
    #[error("the identity log could not be made: {0}")]
    Identity(#[from] IdentityError),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// Nobody confirmed that the recovery words are safe.
    #[error("the recovery words were not confirmed; nothing was made")]
    Unconfirmed,
    /// The name is not one.
    #[error("an organisation's name has between 2 and 1,000 characters")]
    Name,
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

/// Founds an organisation with one node in a directory.
///
/// # Errors
/// [`SetupError`]; a directory that holds a node already is left as it is.
pub fn initialise(options: &InitOptions) -> Result<Initialised, SetupError> {
    initialise_once(options, |_| true)
}

/// As [`initialise`]; the node comes to exist only once `confirm` has been shown the recovery words
/// and says that they are safe. Whatever interrupts it before leaves nothing that counts; nobody
/// else makes a node in the directory meanwhile.
///
/// # Errors
/// As [`initialise`], and [`SetupError::Unconfirmed`].
pub fn initialise_once(
    options: &InitOptions,
    confirm: impl FnOnce(&str) -> bool,
) -> Result<Initialised, SetupError> {
    let length = options.name.trim().chars().count();
    if !(2..=1_000).contains(&length) || !sincronia_protocol::text::is_line(&options.name) {
        return Err(SetupError::Name);
    }
    // Who runs a node there hears that it is there, not that it runs.
    if let Ok(there) = NodeDirectory::open(&options.directory) {
        return Err(KeystoreError::Exists(there.keystore()).into());
    }
    let (directory, mut claim) = NodeDirectory::claim(&options.directory)?;
    if directory.keystore().exists() {
        return Err(KeystoreError::Exists(directory.keystore()).into());
    }
    let settings = prepared(&directory, options.name.trim())?;
    let mut random = random::generator().map_err(|_| SetupError::Random)?;
    let entropy = Secret::<32>::random(&mut random);
    let organisation = organisation_of(&entropy);
    let secrets = Secrets::generate(&mut random);
    let credentials = credentials(&secrets, organisation);
    let entries = identity_log(&entropy, &credentials)?;
    let store = Store::open(&directory.new_store(), &organisation)?;
    let disk = store.snapshot()?;
    let node = credentials.node_key.id();
    let mut replica = Replica::open(credentials, &disk)?;
    replica.admit_identity(&disk, &entries)?;
    replica.put_backup_recipient(recovery_sealing(&entropy).public())?;
    store.commit(&replica.take_batch())?;
    let recovery_words = recovery_words(&entropy, options.words);
    if !confirm(&recovery_words) {
        return Err(SetupError::Unconfirmed);
    }
    directory.write(&directory.config(), &settings)?;
    claim.place_store()?;
    keystore::create(&directory.keystore(), &secrets, &options.unlock, options.strength)?;
    claim.keep();
    Ok(Initialised { organisation, node, recovery_words })
}

/// The keys of a node as the protocol takes them.
#[must_use]
pub fn credentials(secrets: &Secrets, organisation: OrganisationId) -> Credentials {
    let secret = |bytes: &[u8; 32]| Secret::from_bytes(*bytes);
    let sealing = SealingSecret::from_seed(&secret(&secrets.sealing));
    let former = secrets.former.iter().rev().map(|seed| SealingSecret::from_seed(&secret(seed)));
    Credentials {
        organisation,
        node_key: NodeKey::from_seed(&secret(&secrets.node)),
        sealing: former.fold(sealing, SealingSecret::with_former),
        storage: StorageKey::from_seed(&secret(&secrets.storage)),
    }
}

/// The organisation that these recovery words found.
pub(crate) fn organisation_of(entropy: &Secret<32>) -> OrganisationId {
    let [root, next] = [0, 1].map(|generation| RootKey::derive(entropy, generation).public());
    Identity::organisation_id(&root, &next.commitment())
}

/// Genesis, the first node, and that it is primary.
fn identity_log(
    entropy: &Secret<32>,
    credentials: &Credentials,
) -> Result<Vec<IdentityEntry>, IdentityError> {
    let root = RootKey::derive(entropy, 0);
    let genesis = Identity::found(&root, &RootKey::derive(entropy, 1).public());
    let mut identity = Identity::begin(&genesis)?;
    let admission = NodeAdmission::sign(
        &identity.organisation(),
        &credentials.node_key,
        credentials.sealing.public().clone(),
    );
    let node = credentials.node_key.id();
    let mut entries = vec![genesis];
    for operation in
        [IdentityOperation::AddNode { admission }, IdentityOperation::SetPrimary { node }]
    {
        let entry = identity.draft(operation).sign(&root);
        identity.apply(&entry)?;
        entries.push(entry);
    }
    Ok(entries)
}

/// The settings of a new node: those that somebody wrote before it was made, who may have closed
/// its network so that it never has a line, and its name.
fn prepared(directory: &NodeDirectory, name: &str) -> Result<String, ConfigError> {
    let path = directory.config();
    let written = config::written(&path)?.unwrap_or_default();
    let mut file: toml::Table = toml::from_str(&written)
        .map_err(|error| ConfigError::Syntax { path, cause: error.to_string() })?;
    if let Some(named) = with_name(&written, name) {
        return Ok(named);
    }
    let (table, key) = Key::OrganisationName.name().split_once('.').unwrap_or_default();
    let section = file.get_mut(table).and_then(toml::Value::as_table_mut);
    match section {
        Some(section) if section.get(key).and_then(toml::Value::as_str) != Some(name) => {
            section.insert(key.into(), toml::Value::from(name));
            Ok(toml::to_string(&file).unwrap_or(written))
        }
        _ => Ok(written),
    }
}

/// The settings file of a new node.
pub(crate) fn settings(name: &str) -> String {
    let mut section = toml::Table::new();
    section.insert("name".into(), toml::Value::from(name));
    let mut file = toml::Table::new();
    let (table, _) = Key::OrganisationName.name().split_once('.').unwrap_or_default();
    file.insert(table.into(), toml::Value::from(section));
    let text = toml::to_string(&file).unwrap_or_default();
    format!("# Settings of this node; `sincronia config show --origin` lists them all.\n{text}")
}

/// A settings file that somebody wrote before its machine was admitted, with the organisation's
/// name; [`None`] when it has one already, or cannot be read and is for its writer to mend.
pub(crate) fn with_name(written: &str, name: &str) -> Option<String> {
    let file: toml::Table = toml::from_str(written).ok()?;
    let (table, key) = Key::OrganisationName.name().split_once('.')?;
    let Some(section) = file.get(table) else {
        let text = format!("{}\n\n{}", written.trim_end(), settings(name));
        return Some(text.trim_start().to_owned());
    };
    if section.get(key).is_some() {
        return None;
    }
    let header = format!("[{table}]");
    let line = written.lines().find(|line| line.trim() == header)?;
    let entry = format!("{key} = {}", toml::Value::from(name));
    Some(written.replacen(line, &format!("{line}\n{entry}"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::RequestOptions;

    fn options_in(place: &std::path::Path) -> InitOptions {
        let key_file = place.join("chiave");
        keystore::create_key_file(&key_file).unwrap();
        InitOptions {
            directory: place.join("nodo"),
            name: "Comune di Mulazzo".into(),
            words: WordList::Italian,
            unlock: Unlock::KeyFile(key_file),
            strength: Strength::Light,
        }
    }

    /// The one that waited for its words removed the store of the one that was quicker.
    #[test]
    fn a_set_up_never_removes_what_another_made() {
        for is_confirmed in [false, true] {
            let place = tempfile::tempdir().unwrap();
            let options = options_in(place.path());
            let slow = initialise_once(&options, |_| {
                let quick = initialise(&options);
                let in_use =
                    matches!(quick, Err(SetupError::Directory(DirectoryError::InUse { .. })));
                assert!(in_use, "a second one begins while the first is asked");
                let (directory, unlock) = (options.directory.clone(), options.unlock.clone());
                let (organisation, strength) =
                    (OrganisationId::from_bytes([1; 32]), Strength::Light);
                let machine = RequestOptions { directory, organisation, unlock, strength };
                let refused = crate::machine::request(&machine).unwrap_err().to_string();
                assert!(refused.contains("uses this node's directory"), "{refused}");
                is_confirmed
            });
            assert_eq!(slow.is_ok(), is_confirmed);
            let second = initialise(&options);
            assert_eq!(second.is_ok(), !is_confirmed, "one of them is there");
            let directory = NodeDirectory::open(&options.directory).unwrap();
            let organisation = slow.or(second).unwrap().organisation;
            assert_eq!(Store::organisation(&directory.store()).unwrap(), organisation);
        }
    }

    /// Whoever set the line of a new machine before it was admitted had a node without a name,
    /// whose invitations said nobody's.
    #[test]
    fn settings_that_were_written_before_the_admission_get_the_name() {
        let name = "Comune di \"Mulazzo\"";
        let line = "# nostra\n[network]\nlisten = \"/ip4/127.0.0.1/tcp/0\"";
        for written in [String::new(), line.into(), format!("{line}\n[organisation]\n")] {
            let text = with_name(&written, name).unwrap();
            assert!(written.lines().all(|line| text.contains(line)), "{text}");
            let file: toml::Table = toml::from_str(&text).unwrap();
            assert_eq!(file["organisation"]["name"].as_str(), Some(name), "{text}");
            assert_eq!(with_name(&text, "Altro"), None);
        }
        assert_eq!(with_name("[organisation", name), None);
    }

    #[test]
    fn an_unconfirmed_set_up_leaves_room_for_another() {
        let place = tempfile::tempdir().unwrap();
        let options = options_in(place.path());
        let mut shown = String::new();
        let interrupted = initialise_once(&options, |words| {
            shown = words.to_owned();
            false
        });
        assert!(matches!(interrupted, Err(SetupError::Unconfirmed)));
        let made = initialise(&options).unwrap();
        assert_eq!(made.recovery_words.split(' ').count(), 24);
        assert_ne!(*made.recovery_words, shown, "words that nobody confirmed restore nothing");
        assert!(matches!(initialise(&options), Err(SetupError::Keystore(_))), "it is there now");
    }

    /// Who closed the network of a node before it was made had one that dialled and listened: the
    /// settings that were there were written over.
    #[test]
    fn settings_that_were_written_before_a_node_is_made_stay() {
        let closed = "# No line.\n[network]\nclosed = true\n";
        let other = format!("{closed}[organisation]\nname = \"Comune di Aulla\"\n");
        for written in [closed, other.as_str()] {
            let place = tempfile::tempdir().unwrap();
            let options = options_in(place.path());
            let directory = NodeDirectory::create(&options.directory).unwrap();
            directory.write(&directory.config(), written).unwrap();
            initialise(&options).unwrap();
            let text = std::fs::read_to_string(directory.config()).unwrap();
            let file: toml::Table = toml::from_str(&text).unwrap();
            assert_eq!(file["network"]["closed"].as_bool(), Some(true), "{text}");
            assert_eq!(file["organisation"]["name"].as_str(), Some("Comune di Mulazzo"), "{text}");
        }
        let place = tempfile::tempdir().unwrap();
        let options = options_in(place.path());
        let directory = NodeDirectory::create(&options.directory).unwrap();
        directory.write(&directory.config(), "[network\n").unwrap();
        assert!(matches!(initialise(&options), Err(SetupError::Config(_))));
        assert_eq!(std::fs::read_to_string(directory.config()).unwrap(), "[network\n");
    }

    /// Whoever was stopped at the words was told that the data of a node were there, and to look
    /// for a copy of a keystore that there never was.
    #[test]
    fn a_set_up_that_was_killed_at_the_words_left_no_node() {
        let place = tempfile::tempdir().unwrap();
        let options = options_in(place.path());
        let left = NodeDirectory::create(&place.path().join("left")).unwrap();
        let unconfirmed = initialise_once(&options, |_| {
            for file in std::fs::read_dir(&options.directory).unwrap() {
                let file = file.unwrap();
                std::fs::copy(file.path(), left.path().join(file.file_name())).unwrap();
            }
            false
        });
        assert!(unconfirmed.is_err() && left.new_store().exists());
        let error = NodeDirectory::open(left.path()).unwrap_err();
        assert!(matches!(error, DirectoryError::Missing { .. }), "{error}");
        initialise(&InitOptions { directory: left.path().to_path_buf(), ..options }).unwrap();
        let stores = std::fs::read_dir(left.path()).unwrap().map(|file| file.unwrap().file_name());
        let stores = stores.filter(|name| name.display().to_string().starts_with("store."));
        assert_eq!(stores.collect::<Vec<_>>(), ["store.redb"]);
    }
}
