//! What somebody can do who has a node's secrets and everything that ever travelled.

use super::circle::Circle;
use sincronia_protocol::access::{
    AccessEntry, AccessOperation, AccessStatement, Keyring, Recipient, Rotation, sealed_hash,
};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{EpochKey, NodeKey};
use sincronia_protocol::ids::{EntryHash, NodeId, SpaceId};
use sincronia_protocol::log::{
    AccessPoint, Header, LogPosition, OPERATION_CHANGE, Payload, Run, RunEntry,
};
use sincronia_protocol::record::{Author, Change, Dependency, Edits, Kind, Record, derive_id};
use sincronia_protocol::replica::Credentials;
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeMap;

/// Every epoch key that a node's secrets open, out of all keyrings and all wrapped keys there are.
pub fn keys_within_reach(
    secrets: &Credentials,
    space: &SpaceId,
    access: &[AccessEntry],
    keyrings: &[Vec<u8>],
) -> BTreeMap<u64, EpochKey> {
    let mut keys = BTreeMap::new();
    for sealed in keyrings {
        for position in 0..access.len() as u64 {
            let opened =
                Keyring::open(&secrets.sealing, space, position, &secrets.node_key.id(), sealed);
            keys.extend(opened.into_iter().flat_map(|keyring| keyring.keys));
        }
    }
    let rotations: Vec<_> =
        access.iter().filter_map(|entry| entry.statement.operation.rotation()).collect();
    for rotation in rotations.iter().rev() {
        let (Some(wrapped), Some(key)) = (&rotation.previous, keys.get(&rotation.epoch)) else {
            continue;
        };
        let context = codec::encode(&(space, rotation.epoch));
        let previous = key.unwrap(&context, wrapped).expect("a committed key");
        keys.insert(rotation.epoch - 1, previous);
    }
    keys
}

/// How many of the entries in these runs, which the first nodes of the circle wrote, open with any
/// of the keys.
pub fn opened_entries(circle: &Circle, runs: &[Run], keys: &BTreeMap<u64, EpochKey>) -> usize {
    let mut positions: BTreeMap<NodeId, LogPosition> = BTreeMap::new();
    let mut opened = 0;
    for run in runs {
        let origins = circle
            .organisations
            .iter()
            .map(|one| LogPosition::origin(&circle.space, &run.author, &one.id()));
        let reached = positions.get(&run.author).map(|position| vec![*position]);
        let before = reached.unwrap_or_else(|| origins.collect());
        let (_, verified) = run.clone().verify_after(&before).expect("an authentic run");
        positions.insert(run.author, verified.end());
        for entry in verified.entries() {
            let data = entry.header.associated_data();
            let opens = keys.values().any(|key| {
                entry.body.sealed().is_some_and(|body| key.open_body(&data, body).is_ok())
            });
            opened += usize::from(opens);
        }
    }
    opened
}

/// The access points after each entry of an access log.
pub fn access_points(access: &[AccessEntry]) -> Vec<AccessPoint> {
    let point = |entry: &AccessEntry| AccessPoint {
        length: entry.statement.sequence + 1,
        head: entry.statement.hash(),
    };
    access.iter().map(point).collect()
}

/// The position of the last grant to an organisation.
pub fn last_grant(access: &[AccessEntry], secrets: &Credentials) -> u64 {
    let is_grant = |entry: &&AccessEntry| {
        matches!(&entry.statement.operation,
            AccessOperation::Grant { organisation, .. } if *organisation == secrets.organisation)
    };
    access.iter().rev().find(is_grant).map_or(0, |entry| entry.statement.sequence)
}

/// Writes entries of a node by hand, whatever an honest program would say to them.
pub struct Forger {
    pub space: SpaceId,
    pub key: NodeKey,
    pub position: LogPosition,
    pub access: AccessPoint,
    pub epoch: (u64, EpochKey),
}

impl Forger {
    /// Signs the next entry of the log.
    pub fn sign(&mut self, payload: &Payload) -> Run {
        self.sign_text(&codec::encode(payload))
    }

    /// Signs the next entry of the log, which says anything.
    pub fn sign_text(&mut self, text: &[u8]) -> Run {
        let data = self.header().associated_data();
        self.sign_body(self.epoch.1.seal_body(&data, text).expect("small"))
    }

    fn header(&self) -> Header {
        Header {
            space: self.space,
            author: self.key.id(),
            sequence: self.position.length,
            previous: self.position.head,
            access: self.access,
            epoch: self.epoch.0,
        }
    }

    /// Signs the next entry of the log, with a body from anywhere.
    pub fn sign_body(&mut self, body: Vec<u8>) -> Run {
        let header = self.header();
        let hash = header.hash(&body);
        self.position = LogPosition { length: header.sequence + 1, head: hash };
        Run {
            space: self.space,
            author: self.key.id(),
            start: header.sequence,
            entries: vec![RunEntry {
                access: Some(self.access),
                epoch: Some(self.epoch.0),
                body: body.into(),
            }],
            signature: Header::sign(&hash, &self.key),
        }
    }
}

/// Runs of one author, one after another, as one.
pub fn joined(runs: impl IntoIterator<Item = Run>) -> Run {
    let join = |mut whole: Run, next: Run| {
        whole.entries.extend(next.entries);
        Run { signature: next.signature, ..whole }
    };
    runs.into_iter().reduce(join).expect("a run")
}

/// An entry's content: a change of a record.
pub fn payload(record: sincronia_protocol::ids::RecordId, change: &Change) -> Payload {
    Payload {
        record,
        operation_code: OPERATION_CHANGE,
        operation: change.encode(),
        operator: "operator".to_owned(),
        written_at: Timestamp::from_milliseconds(1_767_225_600_000),
        comment: None,
    }
}

/// A new good practice as `node` would make it under the grant at `grant`.
pub fn new_practice(secrets: &Credentials, grant: u64, title: &str) -> Payload {
    let nonce = [9; 8];
    let (node, organisation) = (secrets.node_key.id(), secrets.organisation);
    let record = derive_id(Kind::Practice, &node, nonce);
    let author = Author { node, organisation, grant };
    let fields = super::organisation::practice(title).as_object().expect("an object").clone();
    let document = Record::new(record).expect("a known kind");
    let change = document.edit(&author, &Edits { fields }, Some(nonce)).expect("sound fields");
    payload(record, &change)
}

/// The same change, built on other entries.
pub fn built_on(change: &Change, dependencies: &[EntryHash]) -> Change {
    let dependencies = dependencies.iter().copied().map(Dependency::Entry).collect();
    Change { dependencies, ..change.clone() }
}

/// A rotation whose keyring for the member holds another key than the log commits to.
pub fn deceitful_rotation(circle: &mut Circle) -> (AccessEntry, Vec<u8>) {
    let log = circle.owner.access_log(&circle.space);
    let last = log.last().expect("a log").statement.clone();
    let (position, epoch) = (last.sequence + 1, 1);
    let [announced, handed] = [3, 4].map(|byte| {
        EpochKey::from_secret(sincronia_protocol::crypto::Secret::from_bytes([byte; 32]))
    });
    let keyring = Keyring { keys: vec![(epoch, handed)] };
    let sealing = circle.member.credentials.sealing.public().clone();
    let node = circle.member.id();
    let sealed = keyring
        .seal(&circle.space, position, &node, &sealing, &mut circle.owner.random)
        .expect("a sound key");
    let recipients = vec![Recipient { node, sealed: sealed_hash(&sealed) }];
    let commitment = announced.commitment(circle.space.as_bytes(), epoch);
    let rotation = Rotation { epoch, commitment, previous: None, recipients };
    let statement = AccessStatement {
        sequence: position,
        previous: last.hash(),
        operation: AccessOperation::Rotate { rotation },
        ..last
    };
    (statement.sign(&circle.owner.credentials.node_key), sealed)
}
