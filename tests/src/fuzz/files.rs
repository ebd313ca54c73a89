//! Files and requests that people and programs hand in.

use super::Verdict;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sincronia_client::import::{Mapping, read};
use sincronia_client::language::{Catalogue, Language};
use sincronia_node::api::{
    BatchRequest, ConventionRequest, EditRequest, ExportBundleRequest, IdentityRequest,
    InviteRequest, JoinRequest, MemberRequest, NewRecordRequest, RawEntries, ResolveRequest,
};
use sincronia_node::backup::inspect;
use sincronia_node::config::Config;
use sincronia_node::keystore::{self, Unlock};
use sincronia_protocol::backup::ItemReader;
use sincronia_protocol::bundle::read_parts;
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::record::Kind;
use sincronia_protocol::recovery::recovery_sealing;
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(super) fn bundle(bytes: &[u8]) -> Verdict {
    let Ok(parts) = read_parts(bytes) else { return Verdict::Refused };
    let whole: usize = parts.iter().map(|part| part.bytes.len()).sum();
    assert_eq!(whole, bytes.len(), "parts of a bundle are not the file");
    Verdict::Accepted
}

pub(super) fn backup(bytes: &[u8]) -> Verdict {
    let sealing = recovery_sealing(&Secret::from_bytes([1; 32]));
    let whole = inspect(bytes, None).is_ok();
    let opened = inspect(bytes, Some(&sealing)).is_ok();
    assert!(whole || !opened, "a backup opens that is not whole");
    Verdict::when(whole)
}

pub(super) fn backup_items(bytes: &[u8]) -> Verdict {
    let mut reader = ItemReader::default();
    for part in bytes.chunks(37) {
        reader.feed(part);
        loop {
            match reader.next_item() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return Verdict::Refused,
            }
        }
    }
    Verdict::when(reader.finish().is_ok())
}

pub(super) fn import(bytes: &[u8]) -> Verdict {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    let catalogue = CATALOGUE.get_or_init(|| Catalogue::new(Language::It));
    let mut accepted = false;
    for kind in [Kind::Contact, Kind::Convention] {
        if let Ok(contents) = read(bytes, kind, &Mapping::default(), &[catalogue]) {
            assert!(contents.rows.len() <= contents.total, "more rows than there are");
            accepted |= !contents.rows.is_empty();
        }
    }
    Verdict::when(accepted)
}

pub(super) fn requests(bytes: &[u8]) -> Verdict {
    let accepted = [
        serde_json::from_slice::<ConventionRequest>(bytes).is_ok(),
        serde_json::from_slice::<BatchRequest>(bytes).is_ok(),
        serde_json::from_slice::<EditRequest>(bytes).is_ok(),
        serde_json::from_slice::<ExportBundleRequest>(bytes).is_ok(),
        serde_json::from_slice::<IdentityRequest>(bytes).is_ok(),
        serde_json::from_slice::<InviteRequest>(bytes).is_ok(),
        serde_json::from_slice::<JoinRequest>(bytes).is_ok(),
        serde_json::from_slice::<MemberRequest>(bytes).is_ok(),
        serde_json::from_slice::<NewRecordRequest>(bytes).is_ok(),
        serde_json::from_slice::<RawEntries>(bytes).is_ok(),
        serde_json::from_slice::<ResolveRequest>(bytes).is_ok(),
    ];
    Verdict::when(accepted.contains(&true))
}

/// A directory for the inputs of this process, in memory where the system has such a place.
fn place() -> &'static TempDir {
    static PLACE: OnceLock<TempDir> = OnceLock::new();
    PLACE.get_or_init(|| {
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a place")
    })
}

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = place().path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

pub(super) fn settings(bytes: &[u8]) -> Verdict {
    let path = written("sincronia.toml", bytes);
    let config = Config::load(&path, std::iter::empty(), &[]);
    if let Ok(config) = &config {
        let _ = config.show();
    }
    Verdict::when(config.is_ok())
}

/// What opens the keystores that are tried.
pub(super) fn unlock() -> Unlock {
    Unlock::Passphrase(Zeroizing::new("una frase lunga abbastanza".into()))
}

pub(super) fn random() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([5; 32])
}

pub(super) fn keystore(bytes: &[u8]) -> Verdict {
    use std::os::unix::fs::PermissionsExt;
    let path = written("keystore.cbor", bytes);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a file");
    Verdict::when(keystore::open(&path, &unlock()).is_ok())
}
