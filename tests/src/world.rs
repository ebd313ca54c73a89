//! A seeded world of organisations on the real `protocol`: virtual time, links that are slow and
//! break, nodes that crash and restart from what their disk holds.
//!
//! Links are streams: what arrives, arrives in order; when a link breaks, what was under way is
//! lost, and the two greet each other again later. Nothing here reads a clock or an unseeded random
//! source, so one seed is one run. [`World::check_agreement`] is the oracle, asked after quiet.

mod oracle;
mod peer;

use peer::Peer;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::{OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::{Edits, Kind};
use sincronia_protocol::replica::{ReplicaError, WriteRequest, WriteTarget};
use sincronia_protocol::sync::{Effect, Input, Message, Side, SyncPhase};
use sincronia_protocol::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub use oracle::Disagreement;

/// One of the world's organisations.
pub type PeerIndex = usize;

/// Something that arrives at a time.
struct Delivery {
    link: u64,
    from: PeerIndex,
    to: PeerIndex,
    frame: Vec<u8>,
}

/// A link between two nodes while it stands.
struct Link {
    id: u64,
    busy_until: [Timestamp; 2],
}

/// The world.
pub struct World {
    seed: u64,
    random: ChaCha20Rng,
    now: Timestamp,
    peers: Vec<Peer>,
    links: BTreeMap<(PeerIndex, PeerIndex), Link>,
    under_way: BTreeMap<(Timestamp, u64), Delivery>,
    counter: u64,
    latency_ms_max: u64,
    /// Frames and bytes delivered.
    pub delivered: (u64, u64),
}

impl World {
    /// An empty world; `latency_ms_max` is the longest that a frame is under way.
    #[must_use]
    pub fn new(seed: u64, latency_ms_max: u64) -> Self {
        Self {
            seed,
            random: ChaCha20Rng::seed_from_u64(seed),
            now: Timestamp::from_milliseconds(1_767_225_600_000),
            peers: Vec::new(),
            links: BTreeMap::new(),
            under_way: BTreeMap::new(),
            counter: 0,
            latency_ms_max,
            delivered: (0, 0),
        }
    }

    /// The seed, to print when something fails.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = self.random.next_u64() % (bound.max(1) as u64);
        usize::try_from(number).unwrap_or(0)
    }

    /// Founds an organisation with one node.
    pub fn add(&mut self) -> PeerIndex {
        self.peers.push(Peer::found(&mut self.random));
        self.peers.len() - 1
    }

    /// Makes two organisations partners, as a joining would.
    pub fn befriend(&mut self, one: PeerIndex, other: PeerIndex) {
        let now = self.now;
        let (first, second) = (self.peers[one].acquaintance(), self.peers[other].acquaintance());
        self.peers[one].befriend(&second, now);
        self.peers[other].befriend(&first, now);
    }

    /// Everyone a partner of everyone, and connected.
    pub fn befriend_all(&mut self) {
        for one in 0..self.peers.len() {
            for other in one + 1..self.peers.len() {
                self.befriend(one, other);
                self.connect(one, other);
            }
        }
    }

    /// Number of organisations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// The organisation's id.
    #[must_use]
    pub fn organisation(&self, peer: PeerIndex) -> OrganisationId {
        self.peers[peer].replica.organisation()
    }

    /// Direct access to a peer, for questions.
    #[must_use]
    pub fn peer(&self, peer: PeerIndex) -> &Peer {
        &self.peers[peer]
    }

    /// Direct access to a peer, for questions that load.
    pub fn peer_mut(&mut self, peer: PeerIndex) -> &mut Peer {
        &mut self.peers[peer]
    }

    /// Opens the link between two nodes.
    pub fn connect(&mut self, one: PeerIndex, other: PeerIndex) {
        let key = (one.min(other), one.max(other));
        if self.links.contains_key(&key) || one == other {
            return;
        }
        self.counter += 1;
        let link = Link { id: self.counter, busy_until: [self.now; 2] };
        self.links.insert(key, link);
        let now = self.now;
        for (here, there, side) in [(one, other, Side::Initiator), (other, one, Side::Responder)] {
            let node = self.peers[there].replica.node();
            let effects = self.peers[here].open(there, side, node, now);
            self.perform(here, there, effects);
        }
    }

    /// Breaks the link between two nodes; what is under way is lost.
    pub fn cut(&mut self, one: PeerIndex, other: PeerIndex) {
        if let Some(link) = self.links.remove(&(one.min(other), one.max(other))) {
            self.under_way.retain(|_, delivery| delivery.link != link.id);
            self.peers[one].close(other);
            self.peers[other].close(one);
        }
    }

    /// Breaks every link of a node.
    pub fn isolate(&mut self, peer: PeerIndex) {
        for other in 0..self.peers.len() {
            self.cut(peer, other);
        }
    }

    /// Kills a node and starts it from its disk.
    pub fn crash(&mut self, peer: PeerIndex) {
        self.isolate(peer);
        self.peers[peer].restart();
    }

    /// Founds a space.
    pub fn create_space(&mut self, peer: PeerIndex) -> SpaceId {
        let mut random = ChaCha20Rng::seed_from_u64(self.random.next_u64());
        let space = self.act(peer, |one| one.replica.create_space(&one.disk, &mut random));
        space.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed))
    }

    /// Makes an organisation a member.
    pub fn grant(
        &mut self,
        owner: PeerIndex,
        space: SpaceId,
        member: PeerIndex,
        role: Role,
        history: History,
    ) -> Result<(), ReplicaError> {
        let organisation = self.organisation(member);
        let mut random = ChaCha20Rng::seed_from_u64(self.random.next_u64());
        self.act(owner, |one| {
            one.replica.grant(&one.disk, &space, organisation, role, history, &mut random)
        })
    }

    /// Ends a membership.
    pub fn revoke(
        &mut self,
        owner: PeerIndex,
        space: SpaceId,
        member: PeerIndex,
    ) -> Result<(), ReplicaError> {
        let organisation = self.organisation(member);
        let mut random = ChaCha20Rng::seed_from_u64(self.random.next_u64());
        self.act(owner, |one| {
            one.replica.revoke(&one.disk, &space, organisation, &mut random).map(|_| ())
        })
    }

    /// Writes fields of a record.
    pub fn write(
        &mut self,
        peer: PeerIndex,
        space: SpaceId,
        target: WriteTarget,
        fields: serde_json::Value,
    ) -> Result<RecordId, ReplicaError> {
        let mut random = ChaCha20Rng::seed_from_u64(self.random.next_u64());
        let now = self.now;
        let fields = fields.as_object().cloned().unwrap_or_default();
        let request = WriteRequest {
            space,
            target,
            edits: Edits { fields },
            operator: format!("operator {peer}"),
            comment: None,
        };
        let written = self.act(peer, |one| one.replica.write(&one.disk, request, now, &mut random));
        written.map(|written| written.record)
    }

    /// A meeting record: a shared kind with one long text field.
    pub fn new_practice(&mut self, peer: PeerIndex, space: SpaceId, title: &str) -> RecordId {
        let fields = practice(title);
        let record = self.write(peer, space, WriteTarget::New(Kind::Practice), fields);
        record.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed))
    }

    /// One step of a peer's replica: commit, then push what grew.
    fn act<T>(
        &mut self,
        peer: PeerIndex,
        step: impl FnOnce(&mut Peer) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        let outcome = step(&mut self.peers[peer]);
        if outcome.is_err() {
            self.peers[peer].forget();
        }
        self.settle(peer);
        outcome
    }

    /// Commits, and hands what grew to the peer's sessions until nothing grows.
    fn settle(&mut self, peer: PeerIndex) {
        let now = self.now;
        loop {
            let growth = self.peers[peer].commit();
            if growth.is_empty() {
                return;
            }
            for other in self.peers[peer].connected() {
                let input = Input::Grown(growth.clone());
                let effects = self.peers[peer].handle(other, input, now);
                self.perform(peer, other, effects);
            }
        }
    }

    fn perform(&mut self, here: PeerIndex, there: PeerIndex, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(message) => self.send(here, there, &message),
                Effect::Close(reason) => {
                    self.peers[here].closed.push((there, reason));
                    self.cut(here, there);
                    return;
                }
                Effect::Refused(reason) => self.peers[here].refused.push(reason),
            }
        }
    }

    fn send(&mut self, here: PeerIndex, there: PeerIndex, message: &Message) {
        let latency = 1 + self.below(usize::try_from(self.latency_ms_max).unwrap_or(1)) as u64;
        let key = (here.min(there), here.max(there));
        let Some(link) = self.links.get_mut(&key) else { return };
        let lane = &mut link.busy_until[usize::from(here > there)];
        *lane = (*lane).max(self.now.plus(latency));
        self.counter += 1;
        let delivery = Delivery { link: link.id, from: here, to: there, frame: message.encode() };
        self.under_way.insert((*lane, self.counter), delivery);
    }

    /// Lets the next thing happen; false when nothing ever will.
    pub fn step(&mut self) -> bool {
        let next = self.under_way.first_key_value().map(|((at, _), _)| *at);
        let tick =
            self.peers.iter().enumerate().filter_map(|(index, peer)| {
                peer.next_deadline().map(|(at, other)| (at, index, other))
            });
        let tick = tick.min();
        match (next, tick) {
            (Some(at), tick) if tick.is_none_or(|(due, ..)| at <= due) => {
                self.now = self.now.max(at);
                let Some((_, delivery)) = self.under_way.pop_first() else { return false };
                self.delivered.0 += 1;
                self.delivered.1 += delivery.frame.len() as u64;
                self.input(delivery.to, delivery.from, Input::Frame(delivery.frame));
                true
            }
            (_, Some((due, peer, other))) => {
                self.now = self.now.max(due);
                self.input(peer, other, Input::Tick);
                true
            }
            _ => false,
        }
    }

    fn input(&mut self, peer: PeerIndex, other: PeerIndex, input: Input) {
        let now = self.now;
        let effects = self.peers[peer].handle(other, input, now);
        // Durable first: acknowledgements are among the effects.
        let growth = self.peers[peer].commit();
        self.perform(peer, other, effects);
        for session in self.peers[peer].connected() {
            if !growth.is_empty() {
                let effects = self.peers[peer].handle(session, Input::Grown(growth.clone()), now);
                self.perform(peer, session, effects);
            }
        }
        self.settle(peer);
    }

    /// Runs until every session is in sync, or has nothing more to do.
    ///
    /// # Panics
    /// When that does not happen in a bounded number of steps.
    pub fn run_until_quiet(&mut self) {
        for _ in 0..2_000_000_u32 {
            let settled = self.under_way.is_empty()
                && self.peers.iter().all(|peer| {
                    peer.phases()
                        .all(|phase| matches!(phase, SyncPhase::InSync | SyncPhase::Outstanding))
                });
            if settled || !self.step() {
                return;
            }
        }
        panic!("seed {}: the world does not come to rest", self.seed);
    }

    /// Connects whoever are partners and not connected.
    pub fn heal(&mut self) {
        for one in 0..self.peers.len() {
            for other in one + 1..self.peers.len() {
                let organisation = self.organisation(other);
                if self.peers[one].replica.is_partner(&organisation) {
                    self.connect(one, other);
                }
            }
        }
    }

    /// The members of a space, as its owner sees it.
    #[must_use]
    pub fn members(&self, owner: PeerIndex, space: &SpaceId) -> BTreeSet<PeerIndex> {
        let summary = self.peers[owner].replica.summaries().find(|(id, _)| *id == space);
        let members = summary.map(|(_, summary)| summary.members.clone()).unwrap_or_default();
        (0..self.peers.len())
            .filter(|peer| members.iter().any(|(id, _)| *id == self.organisation(*peer)))
            .collect()
    }
}

/// The fields of a good practice.
#[must_use]
pub fn practice(title: &str) -> serde_json::Value {
    serde_json::json!({
        "title": title,
        "area": "accoglienza",
        "problem": "Ogni servizio chiede un modulo diverso.",
        "procedure": "Una scheda sola, uguale per tutti.",
        "maturity": "sperimentata",
    })
}
