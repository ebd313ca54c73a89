//! Store files in which a bit flipped, or whose end is missing: they open as they were, or what is
//! wrong is said; nothing else is ever shown, and nothing panics.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sincronia_node::store::Store;
use sincronia_protocol::crypto::{NodeKey, RootKey, SealingSecret, Secret, StorageKey};
use sincronia_protocol::identity::{Identity, IdentityOperation, NodeAdmission};
use sincronia_protocol::record::{Edits, Kind};
use sincronia_protocol::replica::{Credentials, Portion, Replica, WriteRequest, WriteTarget};
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Files tried.
    pub tries: usize,
    /// That did not open, and said why.
    pub refused: usize,
    /// That opened; the check of everything named the damage.
    pub named: usize,
    /// That showed what they showed before, undamaged as far as anybody reads.
    pub unchanged: usize,
    /// That showed something else and did not say so: never.
    pub silent: usize,
    /// That ended in a panic: never.
    pub panics: usize,
}

/// What a store shows: every record as text.
type Shown = BTreeMap<String, String>;

/// Damages a store's file in so many ways, one at a time.
///
/// # Panics
/// When the undamaged store cannot be made.
#[must_use]
pub fn damage(tries: usize, seed: u64) -> Damage {
    let place = tempfile::tempdir().expect("a place");
    let path = place.path().join("store.redb");
    let credentials = fill(&path);
    let sound = fs::read(&path).expect("the store");
    let shown = look(&path, &credentials).expect("a sound store").0;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut found = Damage::default();
    for attempt in 0..tries {
        let mut bytes = sound.clone();
        let length = bytes.len() as u64;
        let at = usize::try_from(random.next_u64() % length).unwrap_or(0);
        if attempt % 8 == 7 {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << (random.next_u64() % 8);
        }
        fs::write(&path, &bytes).expect("a place");
        judge(&path, &credentials, &shown, &mut found);
        found.tries += 1;
    }
    found
}

fn judge(path: &Path, credentials: &Credentials, shown: &Shown, found: &mut Damage) {
    let outcome = catch_unwind(AssertUnwindSafe(|| look(path, credentials)));
    match outcome {
        Err(_) => found.panics += 1,
        Ok(Err(_)) => found.refused += 1,
        Ok(Ok((_, problems))) if problems > 0 => found.named += 1,
        Ok(Ok((now, _))) if now == *shown => found.unchanged += 1,
        Ok(Ok(_)) => found.silent += 1,
    }
}

/// Opens a store as a node does, reads every record and checks everything; how many problems.
fn look(path: &Path, credentials: &Credentials) -> Result<(Shown, usize), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let store = Store::open(path, &credentials.organisation).map_err(|error| text(&error))?;
    let disk = store.snapshot().map_err(|error| text(&error))?;
    let mut replica = Replica::open(credentials.clone(), &disk).map_err(|error| text(&error))?;
    let mut shown = Shown::new();
    let visited = replica.rows(&disk, None, None, &mut |row| {
        let view = serde_json::to_string(&row.view).unwrap_or_default();
        shown.insert(row.record.to_string(), view);
        ControlFlow::Continue(())
    });
    visited.map_err(|error| text(&error))?;
    let findings = replica.verify(&disk, true).map_err(|error| text(&error))?;
    Ok((shown, findings.problems.len()))
}

/// A store with a space and some records; the keys of its node.
fn fill(path: &Path) -> Credentials {
    let secret = |byte: u8| Secret::from_bytes([byte; 32]);
    let root = RootKey::derive(&secret(1), 0);
    let genesis = Identity::found(&root, &RootKey::derive(&secret(1), 1).public());
    let mut identity = Identity::begin(&genesis).expect("a genesis");
    let organisation = identity.organisation();
    let (node_key, sealing) =
        (NodeKey::from_seed(&secret(2)), SealingSecret::from_seed(&secret(3)));
    let admission = NodeAdmission::sign(&organisation, &node_key, sealing.public().clone());
    let mut entries = vec![genesis];
    let node = node_key.id();
    for operation in
        [IdentityOperation::AddNode { admission }, IdentityOperation::SetPrimary { node }]
    {
        let entry = identity.draft(operation).sign(&root);
        identity.apply(&entry).expect("a possible operation");
        entries.push(entry);
    }
    let storage = StorageKey::from_seed(&secret(4));
    let credentials = Credentials { organisation, node_key, sealing, storage };
    let store = Store::open(path, &organisation).expect("a new store");
    let mut random = rand_chacha::ChaCha20Rng::from_seed([5; 32]);
    let mut replica =
        Replica::open(credentials.clone(), &store.snapshot().expect("a store")).expect("empty");
    let keep = |replica: &mut Replica| {
        store.commit(&replica.take_batch()).expect("a disk");
        store.snapshot().expect("a store")
    };
    let disk = store.snapshot().expect("a store");
    replica.admit_identity(&disk, &entries).expect("its own identity");
    let disk = keep(&mut replica);
    let space = replica.create_space(&disk, &mut random).expect("a primary");
    let mut disk = keep(&mut replica);
    for number in 0..40_u64 {
        let fields = crate::world::practice(&format!("Scheda {number}"));
        let request = WriteRequest {
            space,
            target: WriteTarget::New(Kind::Practice),
            edits: Edits { fields: fields.as_object().cloned().unwrap_or_default() },
            operator: "operator".into(),
            comment: None,
        };
        let now = Timestamp::from_milliseconds(1_800_000_000_000 + number);
        replica.write(&disk, request, now, &mut random).expect("a contributor");
        disk = keep(&mut replica);
    }
    while replica.project(&disk, Portion::of(1_000)).expect("a sound disk") {
        disk = keep(&mut replica);
    }
    keep(&mut replica);
    drop(disk);
    store.close().expect("a disk");
    credentials
}
