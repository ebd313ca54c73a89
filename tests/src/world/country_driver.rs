//! How a country runs: frames under way, deadlines, and nodes that make durable what they say
//! before they say it.

use super::country::Country;
use super::peer::Durable;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sincronia_protocol::replica::{Growth, Portion};
use sincronia_protocol::sync::{Effect, Input, Side};
use sincronia_protocol::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The longest that a frame is under way.
const LATENCY_MS_MAX: usize = 100;
/// Partners do not all call at the same moment.
const OPENING_MS: usize = 60_000;

/// Something that happens at a time.
enum Happening {
    /// A link opens.
    Opening(usize, usize),
    /// A frame arrives by a link.
    Arrival { link: u64, to: usize, frame: Vec<u8> },
}

/// What is under way, and what was counted.
#[derive(Default)]
pub(super) struct Traffic {
    queue: BTreeMap<(Timestamp, u64), Happening>,
    links: BTreeMap<u64, ([usize; 2], [Timestamp; 2])>,
    counter: u64,
    deadlines: BTreeSet<(Timestamp, usize, u64)>,
    due: BTreeMap<usize, (Timestamp, u64)>,
    pub(super) events: u64,
    /// What came too early or too late and was sent again, if it mattered.
    pub(super) refused: u64,
    /// By node, frames and bytes that it received.
    pub(super) received: Vec<(u64, u64)>,
}

impl Country {
    /// All partners call each other, within a minute.
    pub fn open_links(&mut self) {
        self.traffic.received.resize(self.peers.len(), (0, 0));
        for (one, other) in self.pairs.clone() {
            let at = self.now.plus(self.below(OPENING_MS) as u64);
            self.enqueue(at, Happening::Opening(one, other));
        }
    }

    fn enqueue(&mut self, at: Timestamp, happening: Happening) {
        self.traffic.counter += 1;
        self.traffic.queue.insert((at, self.traffic.counter), happening);
    }

    /// Runs until nothing is under way and nothing is due; `tell` hears now and then.
    pub fn run_until_quiet(&mut self, tell: &mut dyn FnMut(&Self)) {
        while self.step() {
            if self.traffic.events.is_multiple_of(1 << 18) {
                tell(self);
            }
        }
    }

    /// Number of events so far.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.traffic.events
    }

    fn step(&mut self) -> bool {
        let next = self.traffic.queue.first_key_value().map(|((at, _), _)| *at);
        let due = self.traffic.deadlines.first().copied();
        let is_due = match (next, &due) {
            (Some(at), Some((deadline, ..))) => *deadline < at,
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (None, None) => return false,
        };
        self.traffic.events += 1;
        if let Some((at, peer, link)) = due.filter(|_| is_due) {
            self.now = self.now.max(at);
            self.input(peer, link, Input::Tick);
        } else if let Some(((at, _), happening)) = self.traffic.queue.pop_first() {
            self.now = self.now.max(at);
            self.happen(happening);
        }
        true
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Opening(one, other) => {
                self.traffic.counter += 1;
                let link = self.traffic.counter;
                self.traffic.links.insert(link, ([one, other], [self.now; 2]));
                let sides = [(one, other, Side::Initiator), (other, one, Side::Responder)];
                for (here, there, side) in sides {
                    let node = self.peers[there].replica.node();
                    self.peers[here].open(link, there, side, node, self.now);
                    self.flush(here);
                }
            }
            Happening::Arrival { link, to, frame } => {
                let received = &mut self.traffic.received[to];
                *received = (received.0 + 1, received.1 + frame.len() as u64);
                self.input(to, link, Input::Frame(frame));
            }
        }
    }

    fn input(&mut self, peer: usize, link: u64, input: Input) {
        self.peers[peer].handle(link, input, self.now);
        self.flush(peer);
    }

    /// Makes everything of a node durable and lets it out, until nothing grows.
    pub(super) fn flush(&mut self, peer: usize) {
        loop {
            let one = &mut self.peers[peer];
            one.replica.project(&one.disk, Portion::of(usize::MAX)).expect("a sound disk");
            if let Durable::Failed = one.make_durable() {
                unreachable!("no disk fails here");
            }
            one.events.clear();
            self.release(peer);
            let growth = self.peers[peer].replica.take_growth();
            self.spread(peer, &growth);
            if growth.is_empty() && !self.peers[peer].replica.has_pending() {
                break;
            }
        }
        self.note_deadline(peer);
    }

    fn spread(&mut self, peer: usize, growth: &[Growth]) {
        let now = self.now;
        let is_identity = |grown: &Growth| matches!(grown, Growth::Identity { .. });
        let one = &mut self.peers[peer];
        if !growth.is_empty() {
            let links: Vec<_> = one.sessions.keys().copied().collect();
            for link in links {
                one.handle(link, Input::Grown(growth.to_vec()), now);
            }
        }
        if growth.iter().any(is_identity) || std::mem::take(&mut one.owes_maintenance) {
            let mut random = ChaCha20Rng::seed_from_u64(self.random.next_u64());
            for organisation in one.replica.maintenance_due() {
                let maintained = one.replica.maintain(&one.disk, &organisation, &mut random);
                maintained.expect("a space with its key");
            }
        }
    }

    fn release(&mut self, peer: usize) {
        for (link, effect) in std::mem::take(&mut self.peers[peer].outbox) {
            match effect {
                Effect::Send(message) => self.send(link, peer, message.encode()),
                Effect::Refused(_) => self.traffic.refused += 1,
                Effect::Close(reason) => panic!("{peer} closes: {reason}"),
            }
        }
    }

    fn send(&mut self, link: u64, here: usize, frame: Vec<u8>) {
        let latency = 1 + self.below(LATENCY_MS_MAX) as u64;
        let Some((ends, lanes)) = self.traffic.links.get_mut(&link) else { return };
        let direction = usize::from(ends[0] != here);
        let to = ends[1 - direction];
        lanes[direction] = lanes[direction].max(self.now.plus(latency));
        let at = lanes[direction];
        self.enqueue(at, Happening::Arrival { link, to, frame });
    }

    fn note_deadline(&mut self, peer: usize) {
        let next = self.peers[peer].next_deadline(self.now);
        let known = match next {
            Some(next) => self.traffic.due.insert(peer, next),
            None => self.traffic.due.remove(&peer),
        };
        if let Some((at, link)) = known {
            self.traffic.deadlines.remove(&(at, peer, link));
        }
        if let Some((at, link)) = next {
            self.traffic.deadlines.insert((at, peer, link));
        }
    }
}
