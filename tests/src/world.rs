//! A seeded world of organisations on the real `protocol`: virtual time, links that are slow and
//! break, nodes that crash and restart from what their disk holds.
//!
//! Links are streams: what arrives, arrives in order; when a link breaks, what was under way is
//! lost, and the two greet each other again later. A node works as the real one does: what a step
//! leads to waits in an outbox until its batch is durable. Nothing here reads a clock or an
//! unseeded random source, so one seed is one run, and its [`Trace`] proves it.
//!
//! The oracle looks at every batch that a node commits (`World::check_batch`), at every node that
//! starts again, and at everything after quiet ([`World::check_rest`]).

mod campaign;
mod charter;
mod commands;
mod copies;
mod country;
mod country_driver;
mod erasures;
mod faults;
mod history;
mod leaving;
mod ledger;
mod links;
mod lost;
mod machines;
mod oracle;
mod organisation;
mod partners;
mod peer;
mod post;
mod promises;
mod rest;
mod revoked;
mod rogue;
mod step;
mod tally;
mod trace;
mod transfers;

use copies::Copies;
use erasures::Erasures;
use ledger::Ledger;
use links::Link;
use organisation::Organisation;
use peer::Peer;
use post::Post;
use promises::Promises;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sincronia_protocol::ids::{OrganisationId, SpaceId};
use sincronia_protocol::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use step::Happening;

pub use campaign::{Campaign, Outcome, play_seed};
pub use commands::practice;
pub use country::{Country, Spread, Survey};
pub use history::{Seeds, play};
pub use leaving::Acquainted;
pub use oracle::Disagreement;
pub use tally::Tally;
pub use trace::Trace;

/// One of the world's nodes.
pub type PeerIndex = usize;

/// The world.
pub struct World {
    seed: u64,
    random: ChaCha20Rng,
    now: Timestamp,
    organisations: Vec<Organisation>,
    peers: Vec<Peer>,
    links: BTreeMap<u64, Link>,
    walls: BTreeSet<(PeerIndex, PeerIndex)>,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    counter: u64,
    latency_ms_max: u64,
    is_lazy: bool,
    /// Whether partners that were removed stay so in the end.
    bears_grudges: bool,
    ledgers: BTreeMap<SpaceId, Ledger>,
    promises: Promises,
    erasures: Erasures,
    copies: Copies,
    post: Post,
    /// What was asked and what went wrong, by kind.
    pub tally: Tally,
    /// What happened.
    pub trace: Trace,
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
            organisations: Vec::new(),
            peers: Vec::new(),
            links: BTreeMap::new(),
            walls: BTreeSet::new(),
            queue: BTreeMap::new(),
            counter: 0,
            latency_ms_max,
            is_lazy: false,
            bears_grudges: false,
            ledgers: BTreeMap::new(),
            promises: Promises::default(),
            erasures: Erasures::default(),
            copies: Copies::default(),
            post: Post::default(),
            tally: Tally::default(),
            trace: Trace::default(),
            delivered: (0, 0),
        }
    }

    /// From now on nodes gather several steps in one commit, and show records late.
    pub const fn be_lazy(&mut self) {
        self.is_lazy = true;
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

    /// A random source of its own for one step.
    fn fork_random(&mut self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(self.random.next_u64())
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// The id of a node's organisation.
    #[must_use]
    pub fn organisation(&self, peer: PeerIndex) -> OrganisationId {
        self.peers[peer].replica.organisation()
    }

    /// Direct access to a node, for questions.
    #[must_use]
    pub fn peer(&self, peer: PeerIndex) -> &Peer {
        &self.peers[peer]
    }

    /// Direct access to a node, for questions that load.
    pub fn peer_mut(&mut self, peer: PeerIndex) -> &mut Peer {
        &mut self.peers[peer]
    }

    /// What time a node believes it is.
    fn time_at(&self, peer: PeerIndex) -> Timestamp {
        self.peers[peer].clock.read(self.now)
    }

    fn note(&mut self, text: &str) {
        self.trace.note(&format!("{} {text}", self.now.milliseconds()));
    }
}
