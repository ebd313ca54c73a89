//! A partner that is certified, joined, and hostile: whatever it sends, the node's memory stays
//! bounded, its people and its other partners notice nothing.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use serde_json::json;
use sincronia_node::api::hexadecimal::unhex;
use sincronia_node::api::{ConventionRequest, ConventionsQuery, RawQuery};
use sincronia_node::network::{Network, NetworkConfig, NetworkEvent, Purpose, SessionId};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{NodeKey, Secret};
use sincronia_protocol::ids::{EntryHash, NodeId, OrganisationId, SpaceId};
use sincronia_protocol::limits::{FRAME_BYTES_MAX, RUN_ENTRIES_MAX};
use sincronia_protocol::log::{AccessPoint, Body, Header, LogPosition, Run, RunEntry};
use sincronia_protocol::sync::{Hello, Message, VERSION_MAX, VERSION_MIN};
use sincronia_tests::federation::{self, DEADLINE, Node};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Beyond what the node had before: the queues of frames, a few frames decoded, and what the
/// allocator keeps. A node that kept what it is sent would be at several hundred.
const GROWTH_MAX: u64 = 64 * 1024 * 1024;
/// Sessions with each kind of attack.
const ROUNDS: usize = 12;
/// Frames of a session.
const FRAMES: usize = 12;

/// The same for well signed entries, which count and are kept: up to seven times what one commit
/// covers, and the pages that the store has in memory.
const KEPT_GROWTH_MAX: u64 = 192 * 1024 * 1024;
/// Frames of such entries, as many as one organisation brings in a day.
const KEPT_FRAMES: usize = 240;
/// How often people ask while rows of them are built.
const ANSWERS: u32 = 10;
/// Sessions that a partner begins to break the protocol in each.
const BROKEN_SESSIONS: usize = 3_000;
/// Lines of the log that this may take.
const LINES_MAX: u64 = 100;
/// What of them waits to be sent.
const UNSENT_MAX: u64 = 8 * 1024 * 1024;

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

/// The hostile partner's node, spoken for by this process.
struct Hostile {
    key: NodeKey,
    seed: zeroize::Zeroizing<[u8; 32]>,
    organisation: OrganisationId,
    network: Network,
    events: mpsc::Receiver<NetworkEvent>,
    victim: NodeId,
    addresses: Vec<String>,
}

impl Hostile {
    async fn take_over(lost: &Node, victim: &Node) -> Self {
        let seed = lost.seed();
        let key = NodeKey::from_seed(&Secret::from_bytes(*seed));
        let (sender, events) = mpsc::channel(1_024);
        let config = NetworkConfig { seed: seed.clone(), listen: Vec::new() };
        let network = Network::start(config, sender).await.unwrap();
        let status = victim.client().status().unwrap();
        network.admit([status.node.parse().unwrap()].into());
        Self {
            key,
            seed,
            organisation: lost.organisation.parse().unwrap(),
            network,
            events,
            victim: status.node.parse().unwrap(),
            addresses: status.addresses,
        }
    }

    /// Opens a session, sends the frames as fast as they go, reads nothing, and waits for the end.
    async fn attack(&mut self, frames: &[Vec<u8>]) {
        let wanted = (self.victim, self.addresses.clone());
        self.network.open(wanted.0, wanted.1, Purpose::Sync);
        let session = self.opened().await;
        for frame in frames {
            self.network.send(session, frame.clone());
        }
        self.network.close(session);
        self.ended(session).await;
    }

    async fn next(&mut self) -> NetworkEvent {
        tokio::time::timeout(DEADLINE, self.events.recv()).await.unwrap().unwrap()
    }

    async fn opened(&mut self) -> SessionId {
        loop {
            match self.next().await {
                NetworkEvent::Opened { session, outbound: true, .. } => return session,
                NetworkEvent::DialFailed { failure, .. } => panic!("{failure}"),
                _ => {}
            }
        }
    }

    async fn ended(&mut self, ended: SessionId) {
        loop {
            if let NetworkEvent::Closed { session, .. } = self.next().await
                && session == ended
            {
                return;
            }
        }
    }

    /// Sends frames as fast as they are read, whatever the other side acknowledges.
    async fn pour(&mut self, frames: impl Iterator<Item = Vec<u8>>) {
        self.network.open(self.victim, self.addresses.clone(), Purpose::Sync);
        let session = self.opened().await;
        self.network.send(session, self.hello());
        let mut poured = 0;
        for frame in frames {
            poured += frame.len() as u64;
            self.network.send(session, frame);
            while self.network.traffic_of(session).is_some_and(|one| one.sent + UNSENT_MAX < poured)
            {
                let pause = Duration::from_millis(1);
                while let Ok(Some(_)) = tokio::time::timeout(pause, self.events.recv()).await {}
            }
        }
        self.network.close(session);
        self.ended(session).await;
    }

    /// Runs that go on with its log in a space, each of as many entries as one may have: rubbish,
    /// but well signed.
    fn runs(
        &self,
        mut at: Header,
        mut previous: EntryHash,
    ) -> impl Iterator<Item = Vec<u8>> + use<> {
        let key = NodeKey::from_seed(&Secret::from_bytes(*self.seed));
        std::iter::from_fn(move || {
            let start = at.sequence + 1;
            let mut entries = Vec::new();
            for offset in 0..RUN_ENTRIES_MAX as u64 {
                let body = Body::Sealed(vec![7; 64]);
                at = Header { sequence: start + offset, previous, ..at.clone() };
                previous = at.hash_with(&body);
                let is_first = offset == 0;
                entries.push(RunEntry {
                    access: is_first.then_some(at.access),
                    epoch: is_first.then_some(at.epoch),
                    body,
                });
            }
            let signature = Header::sign(&previous, &key);
            let run = Run { space: at.space, author: at.author, start, entries, signature };
            Some(Message::Run(run).encode())
        })
    }

    fn hello(&self) -> Vec<u8> {
        let hello = Hello {
            version_min: VERSION_MIN,
            version_max: VERSION_MAX,
            organisation: self.organisation,
            own_identity: LogPosition::START,
            known_identity: LogPosition::START,
            addresses: Vec::new(),
        };
        Message::Hello(hello).encode()
    }

    /// A run of as many tiny entries as one may have, well signed, of a space that nobody knows.
    fn tiny_entries(&self, number: u8) -> Vec<u8> {
        let space = SpaceId::from_bytes([number; 32]);
        let mut previous = EntryHash::from_bytes([0; 32]);
        let access = AccessPoint { length: 1, head: previous };
        let mut entries = Vec::new();
        for sequence in 0..RUN_ENTRIES_MAX as u64 {
            let body = Body::Sealed(vec![7; 64]);
            let header =
                Header { space, author: self.key.id(), sequence, previous, access, epoch: 0 };
            previous = header.hash_with(&body);
            let is_first = sequence == 0;
            entries.push(RunEntry {
                access: is_first.then_some(access),
                epoch: is_first.then_some(0),
                body,
            });
        }
        let signature = Header::sign(&previous, &self.key);
        let run = Run { space, author: self.key.id(), start: 0, entries, signature };
        Message::Run(run).encode()
    }

    /// Every kind of attack: its name and its frames, the greeting first where it needs one.
    fn attacks(&self) -> Vec<(&'static str, Vec<Vec<u8>>)> {
        let after_hello = |frame: Vec<u8>| {
            std::iter::once(self.hello()).chain(std::iter::repeat_n(frame, FRAMES)).collect()
        };
        let half = FRAME_BYTES_MAX / 2;
        let names = Message::Resolve(vec![[7; 32].into(); 30_000]).encode();
        let reconcile = Message::Reconcile { first: true, bytes: vec![0xa5; half] };
        // An array of 2^32 messages, a text of 2^62 bytes, a million arrays in one another.
        let many = [&[0x82, 0x03, 0x81, 0x9a, 0xff, 0xff, 0xff, 0xff], [0x40; 64].as_slice()];
        let long = [0x82, 0x0d, 0x81, 0x7b, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        vec![
            ("rubbish", vec![vec![0xff; FRAME_BYTES_MAX]; FRAMES]),
            ("rubbish after the greeting", after_hello(vec![0xff; FRAME_BYTES_MAX])),
            ("a declared list", after_hello(many.concat())),
            ("a declared text", after_hello(long.to_vec())),
            ("deep nesting", after_hello(vec![0x81; FRAME_BYTES_MAX])),
            ("names of nothing", after_hello(names)),
            ("comparison of nothing", after_hello(reconcile.encode())),
            ("tiny entries", after_hello(self.tiny_entries(1))),
            ("a greeting without end", vec![self.hello(); 4 * FRAMES]),
            ("only half a greeting", vec![codec::encode(&(0_u8, 1_u8)); FRAMES]),
        ]
    }
}

#[test]
fn threat_31_a_hostile_partner_finds_memory_bounded_and_keeps_nobody_waiting() {
    let victim = Node::found("Comune di Aulla");
    let friend = Node::found("Casa di accoglienza");
    let mut lost = Node::found("Cooperativa");
    let joined = [friend.join(&victim), lost.join(&victim)];
    assert!(joined.iter().all(|one| !one.organisation.is_empty()));
    victim.wait_in_sync();
    lost.kill();
    let before = victim.peak_memory();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut hostile = runtime.block_on(Hostile::take_over(&lost, &victim));
    let received = || victim.client().status().unwrap().bytes_received;
    let received_before = received();
    for (name, frames) in hostile.attacks() {
        for _ in 0..ROUNDS {
            runtime.block_on(hostile.attack(&frames));
        }
        let growth = victim.peak_memory().saturating_sub(before);
        assert!(growth < GROWTH_MAX, "{name}: {growth} bytes more");
    }
    let growth = victim.peak_memory().saturating_sub(before);
    let received = received() - received_before;
    assert!(received > 50 * 1024 * 1024, "{received} bytes arrived: that was no attack");
    println!("{received} bytes of hostile frames were read; memory's peak grew by {growth} bytes");

    // Its people and its other partner go on.
    let request: ConventionRequest = serde_json::from_value(json!({
        "fields": {
            "title": "Accoglienza residenziale",
            "instrument_kind": "accoglienza",
            "parties": [
                {"org": victim.organisation, "role": "inviante"},
                {"org": friend.organisation, "role": "gestore"},
            ],
        },
        "operator": "segreteria",
    }))
    .unwrap();
    let id = victim.client().create_convention(&request).unwrap().convention.id;
    friend.wait("a convention", |client| {
        let all = client.conventions(&ConventionsQuery::default()).unwrap();
        all.iter().any(|one| one.id == id)
    });
    runtime.block_on(hostile.network.shutdown());
}

/// Where a partner's own log ends, in a space that it shares.
fn end_of_log(node: &Node, space: &str) -> (Header, EntryHash) {
    let own = node.client().status().unwrap().node;
    let (author, organisation) = (own.parse().unwrap(), node.organisation.parse().unwrap());
    let mut position = LogPosition::origin(&space.parse().unwrap(), &author, &organisation);
    let query = RawQuery { author: Some(own), ..RawQuery::default() };
    let raw = node.client().raw(space, &query).unwrap();
    let mut end = None;
    for run in raw.runs {
        let run: Run = codec::decode(&unhex(&run).unwrap()).unwrap();
        let verified = run.verify(position).unwrap();
        let last = verified.entries().last().unwrap();
        position = LogPosition { length: last.header.sequence + 1, head: last.hash };
        end = Some((last.header.clone(), last.hash));
    }
    end.unwrap()
}

/// A partner that heeds no window had a node take in half a thousand messages before it wrote any
/// of them down.
#[test]
fn threat_31_what_a_partner_pours_out_is_kept_piece_by_piece() {
    let victim = Node::found("Comune di Aulla");
    let mut lost = Node::found("Cooperativa");
    assert!(!lost.join(&victim).organisation.is_empty());
    let view = lost.agree(&victim, "Accoglienza");
    let id = view.convention.id;
    victim.wait("a convention", |client| {
        let all = client.conventions(&ConventionsQuery::default()).unwrap();
        all.iter().any(|one| one.id == id)
    });
    victim.wait_in_sync();
    let (header, hash) = end_of_log(&lost, &view.convention.space);
    lost.kill();
    let (before, received) =
        (victim.peak_memory(), victim.client().status().unwrap().bytes_received);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut hostile = runtime.block_on(Hostile::take_over(&lost, &victim));
    // Made beforehand: they come faster than they are taken.
    let frames: Vec<_> = hostile.runs(header, hash).take(KEPT_FRAMES).collect();
    let bytes: usize = frames.iter().map(Vec::len).sum();
    runtime.block_on(hostile.pour(frames.into_iter()));
    victim.wait("all that was poured out", |client| {
        client.status().unwrap().bytes_received >= received + bytes as u64
    });
    let growth = victim.peak_memory().saturating_sub(before);
    assert!(growth < KEPT_GROWTH_MAX, "{growth} bytes more");
    println!("{bytes} bytes of entries were kept; memory's peak grew by {growth} bytes");
    // Now rows are built of all that, which takes a minute here: whoever asks is served meanwhile.
    let asked = Instant::now();
    for _ in 0..ANSWERS {
        assert!(victim.client().status().is_ok());
    }
    println!("{ANSWERS} answers, after {:?} each", asked.elapsed() / ANSWERS);
    runtime.block_on(hostile.network.shutdown());
}

/// A thousand sessions a second, each of which broke the protocol, were as many lines in the log.
#[test]
fn threat_31_a_partner_that_breaks_the_protocol_without_end_fills_no_log() {
    let victim = Node::found("Comune di Aulla");
    let mut lost = Node::found("Cooperativa");
    assert!(!lost.join(&victim).organisation.is_empty());
    victim.wait_in_sync();
    lost.kill();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut hostile = runtime.block_on(Hostile::take_over(&lost, &victim));
    let before = victim.lines_logged();
    let frames = [vec![0xff; 10]];
    for _ in 0..BROKEN_SESSIONS {
        runtime.block_on(hostile.attack(&frames));
    }
    let lines = victim.lines_logged() - before;
    assert!((1..LINES_MAX).contains(&lines), "{lines} lines");
    runtime.block_on(hostile.network.shutdown());
}
