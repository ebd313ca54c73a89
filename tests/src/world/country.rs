//! Thousands of organisations on one machine, all of them well: what a federation costs.
//!
//! Every organisation has a directory, shared with its partners: the authority of its district and
//! some neighbours. Two to four neighbours make a convention; authorities have many partners, some
//! of them hundreds. Everything is set up before the first link opens, as if it had been prepared
//! offline; then all synchronise, every party of a convention writes into it, and in the end all
//! members must agree.

use super::organisation::Organisation;
use super::peer::Peer;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::record::{Edits, Kind};
use sincronia_protocol::replica::{WriteRequest, WriteTarget};
use sincronia_protocol::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Organisations of one province: one large district, and small ones.
const PROVINCE: usize = 2_000;
/// Organisations of a large district, its authority among them.
const LARGE_DISTRICT: usize = 300;
/// Organisations of a small district, its authority among them.
const DISTRICT: usize = 85;
/// Neighbours that an organisation looks for, at most.
const NEIGHBOURS_MAX: usize = 4;

/// Median, 99th percentile and maximum over all nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread {
    /// Half of the nodes have at most this.
    pub median: u64,
    /// 99 of 100 have at most this.
    pub p99: u64,
    /// All have at most this.
    pub max: u64,
}

impl Spread {
    fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let at = |part: usize| values.get(values.len() * part / 100).copied().unwrap_or(0);
        Self { median: at(50), p99: at(99), max: values.last().copied().unwrap_or(0) }
    }
}

/// What a country looks like at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Survey {
    /// Things that happened: frames that arrived, deadlines.
    pub events: u64,
    /// Messages that came before what they need, and were refused.
    pub refused: u64,
    /// Frames received, by node.
    pub messages: Spread,
    /// Bytes received, by node.
    pub bytes: Spread,
    /// Bytes in the store, by node.
    pub stored: Spread,
    /// Milliseconds of the country's own time.
    pub milliseconds: u64,
}

/// Many organisations of one node each.
pub struct Country {
    pub(super) random: ChaCha20Rng,
    pub(super) now: Timestamp,
    pub(super) start: Timestamp,
    pub(super) peers: Vec<Peer>,
    pub(super) pairs: BTreeSet<(usize, usize)>,
    /// By space, its members, the owner first.
    pub(super) spaces: BTreeMap<SpaceId, Vec<usize>>,
    conventions: Vec<(SpaceId, RecordId)>,
    pub(super) traffic: super::country_driver::Traffic,
}

impl Country {
    /// Founds so many organisations, makes them partners, and founds and shares their spaces.
    #[must_use]
    pub fn prepare(seed: u64, organisations: usize) -> Self {
        let now = Timestamp::from_milliseconds(1_767_225_600_000);
        let mut country = Self {
            random: ChaCha20Rng::seed_from_u64(seed),
            now,
            start: now,
            peers: Vec::with_capacity(organisations),
            pairs: BTreeSet::new(),
            spaces: BTreeMap::new(),
            conventions: Vec::new(),
            traffic: super::country_driver::Traffic::default(),
        };
        (0..organisations).for_each(|house| country.found(house));
        country.introduce();
        country.share_directories();
        (0..organisations / 2).for_each(|_| country.agree());
        country
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        let number = self.random.next_u64() % (bound.max(1) as u64);
        usize::try_from(number).unwrap_or(0)
    }

    fn found(&mut self, house: usize) {
        let mut organisation = Organisation::found(&mut self.random, house);
        let credentials = organisation.certify(&mut self.random);
        organisation.say(IdentityOperation::SetPrimary { node: credentials.node_key.id() });
        self.peers.push(Peer::start(credentials, house, &organisation.entries));
    }

    /// An authority is the partner of its whole district; the others of some that are near.
    fn introduce(&mut self) {
        for one in 0..self.peers.len() {
            let authority = authority_of(one);
            self.befriend(authority, one);
            if one == authority {
                continue;
            }
            for _ in 0..self.below(NEIGHBOURS_MAX + 1) {
                let near = one + 1 + self.below(6);
                if near < self.peers.len() {
                    self.befriend(one, near);
                }
            }
        }
    }

    fn befriend(&mut self, one: usize, other: usize) {
        if one == other || !self.pairs.insert((one.min(other), one.max(other))) {
            return;
        }
        let now = self.now;
        let [first, second] = [one, other].map(|peer| self.peers[peer].acquaintance());
        self.peers[one].befriend(&second, now);
        self.peers[other].befriend(&first, now);
    }

    fn partners(&self, one: usize) -> Vec<usize> {
        let ends = |(a, b): &(usize, usize)| match (*a == one, *b == one) {
            (true, _) => Some(*b),
            (_, true) => Some(*a),
            _ => None,
        };
        self.pairs.iter().filter_map(ends).collect()
    }

    fn share_directories(&mut self) {
        let mut partners = vec![Vec::new(); self.peers.len()];
        for (one, other) in &self.pairs {
            partners[*one].push(*other);
            partners[*other].push(*one);
        }
        for (owner, partners) in partners.into_iter().enumerate() {
            let space = self.create(owner, &partners, Role::Reader);
            self.write(owner, space, WriteTarget::New(Kind::Practice), "Recapiti dell'ente");
        }
    }

    /// A convention of two to four parties.
    fn agree(&mut self) {
        let owner = self.below(self.peers.len());
        let mut partners = self.partners(owner);
        partners.retain(|one| authority_of(*one) != *one);
        partners.truncate(1 + self.below(3));
        let space = self.create(owner, &partners, Role::Contributor);
        let record = self.write(owner, space, WriteTarget::New(Kind::Practice), "Convenzione");
        self.conventions.push((space, record));
    }

    fn create(&mut self, owner: usize, partners: &[usize], role: Role) -> SpaceId {
        let mut random = ChaCha20Rng::seed_from_u64(self.random.next_u64());
        let ids: Vec<_> =
            partners.iter().map(|one| self.peers[*one].replica.organisation()).collect();
        let one = &mut self.peers[owner];
        let space = one.replica.create_space(&one.disk, &mut random).expect("a primary");
        for id in ids {
            let history = History::Start;
            let granted = one.replica.grant(&one.disk, &space, id, role, history, &mut random);
            granted.expect("a partner");
        }
        self.flush(owner);
        let members = std::iter::once(owner).chain(partners.iter().copied()).collect();
        self.spaces.insert(space, members);
        space
    }

    fn write(&mut self, peer: usize, space: SpaceId, target: WriteTarget, title: &str) -> RecordId {
        let mut random = ChaCha20Rng::seed_from_u64(self.random.next_u64());
        let fields = match target {
            WriteTarget::New(_) => super::practice(title),
            WriteTarget::Existing(_) => serde_json::json!({ "title": title }),
        };
        let edits = Edits { fields: fields.as_object().cloned().unwrap_or_default() };
        let operator = format!("operator {peer}");
        let request = WriteRequest { space, target, edits, operator, comment: None };
        let (one, now) = (&mut self.peers[peer], self.now);
        let written = one.replica.write(&one.disk, request, now, &mut random);
        let record = written.expect("a contributor with a key").record;
        self.flush(peer);
        record
    }

    /// Every party writes into its conventions.
    pub fn work(&mut self) {
        for (space, record) in self.conventions.clone() {
            for party in self.spaces[&space].clone() {
                let title = format!("Convenzione, vista dal nodo {party}");
                self.write(party, space, WriteTarget::Existing(record), &title);
            }
        }
    }

    /// How many partnerships, spaces and memberships there are.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.pairs.len(), self.spaces.len(), self.spaces.values().map(Vec::len).sum())
    }

    /// What it looks like now.
    #[must_use]
    pub fn survey(&self) -> Survey {
        let stored = self.peers.iter().map(|peer| peer.disk.bytes() as u64).collect();
        Survey {
            events: self.traffic.events,
            refused: self.traffic.refused,
            messages: Spread::of(self.traffic.received.iter().map(|one| one.0).collect()),
            bytes: Spread::of(self.traffic.received.iter().map(|one| one.1).collect()),
            stored: Spread::of(stored),
            milliseconds: self.now.milliseconds() - self.start.milliseconds(),
        }
    }

    /// The spaces whose members do not all show the same, byte for byte.
    #[must_use]
    pub fn disagreements(&self) -> usize {
        let shows = |peer: &usize, space: &SpaceId| {
            let one = &self.peers[*peer];
            (one.shows(space), one.replica.summary(space).map(|summary| summary.digest))
        };
        let differ = |(space, members): &(&SpaceId, &Vec<usize>)| {
            let expected = shows(&members[0], space);
            let is_empty = expected.0.is_empty();
            is_empty || members.iter().any(|member| shows(member, space) != expected)
        };
        self.spaces.iter().filter(differ).count()
    }
}

/// The authority of the district of an organisation.
const fn authority_of(one: usize) -> usize {
    let place = one % PROVINCE;
    if place < LARGE_DISTRICT {
        return one - place;
    }
    one - (place - LARGE_DISTRICT) % DISTRICT
}
