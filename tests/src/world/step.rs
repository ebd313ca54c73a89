//! One thing after another: what arrives, what is due, and how a node makes it durable.

use super::peer::Durable;
use super::{PeerIndex, World};
use sincronia_protocol::replica::{Growth, Portion, ReplicaError};
use sincronia_protocol::storage::StorageError;
use sincronia_protocol::sync::{Effect, Input};
use sincronia_protocol::time::Timestamp;

/// Something that happens at a time.
pub(super) enum Happening {
    /// A frame arrives.
    Arrival {
        /// The link it came by.
        link: u64,
        /// Where it arrives.
        to: PeerIndex,
        /// What arrives.
        frame: Vec<u8>,
    },
    /// A node gets round to its commit and its rows.
    Flush(PeerIndex),
}

impl World {
    /// A command of a person: what waits is committed first, so that going back loses nothing of
    /// anybody else; it succeeds when its own writes are durable.
    pub(super) fn act<T>(
        &mut self,
        peer: PeerIndex,
        step: impl FnOnce(&mut super::Peer) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        let outcome = self.prepare(peer, step)?;
        self.conclude(peer)?;
        Ok(outcome)
    }

    /// The part of a command before its own commit.
    pub(super) fn prepare<T>(
        &mut self,
        peer: PeerIndex,
        step: impl FnOnce(&mut super::Peer) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        self.conclude(peer)?;
        let outcome = step(&mut self.peers[peer]);
        if outcome.is_err() {
            self.peers[peer].forget();
        }
        outcome
    }

    /// Commits what waits.
    pub(super) fn conclude(&mut self, peer: PeerIndex) -> Result<(), ReplicaError> {
        let failed = || ReplicaError::Storage(StorageError("the commit failed".into()));
        if self.flush(peer) { Ok(()) } else { Err(failed()) }
    }

    /// Makes everything durable, then lets it out, and hands the sessions what grew, until nothing
    /// grows. False when the commit failed or the process ended.
    pub(super) fn flush(&mut self, peer: PeerIndex) -> bool {
        let comes_again = self.project(peer);
        loop {
            match self.peers[peer].make_durable() {
                Durable::Nothing => {}
                Durable::Kept(batch) => {
                    self.check_batch(peer, &batch);
                    if self.peers[peer].dies_after_commit {
                        self.crash(peer);
                        return false;
                    }
                }
                Durable::Failed => {
                    self.note(&format!("{peer}: a commit fails"));
                    // What its sessions believe they said was never said.
                    self.isolate(peer);
                    return false;
                }
            }
            self.release(peer);
            let growth = self.peers[peer].replica.take_growth();
            if !growth.is_empty() {
                self.spread(peer, &growth);
            }
            self.maintain(peer);
            self.settle_erasures(peer);
            if growth.is_empty() && !self.peers[peer].replica.has_pending() {
                // What was done meanwhile touches rows too, and nothing else may ever call again.
                if self.peers[peer].replica.lags() && !comes_again {
                    self.flush_later(peer);
                }
                return true;
            }
        }
    }

    /// Brings rows up to date, some or all; whether the rest has its turn later.
    fn project(&mut self, peer: PeerIndex) -> bool {
        let budget = if self.is_lazy { 1 + self.below(20) } else { usize::MAX };
        let one = &mut self.peers[peer];
        let is_left = one.replica.project(&one.disk, Portion::of(budget)).expect("a sound disk");
        if is_left {
            self.flush_later(peer);
        }
        is_left
    }

    pub(super) fn flush_later(&mut self, peer: PeerIndex) {
        let pause = 1 + self.below(300) as u64;
        self.counter += 1;
        self.queue.insert((self.now.plus(pause), self.counter), Happening::Flush(peer));
    }

    fn release(&mut self, peer: PeerIndex) {
        for (link, effect) in std::mem::take(&mut self.peers[peer].outbox) {
            match effect {
                Effect::Send(message) => self.send(link, peer, &message),
                Effect::Refused(reason) => {
                    self.note(&format!("{peer} refuses: {reason}"));
                    self.peers[peer].refused.push(reason);
                }
                Effect::Close(reason) => {
                    self.note(&format!("{peer} closes link {link}: {reason}"));
                    if let Some((other, _)) = self.peers[peer].sessions.get(&link) {
                        let other = *other;
                        self.peers[peer].closed.push((other, reason));
                    }
                    self.break_link(link);
                }
            }
        }
    }

    fn spread(&mut self, peer: PeerIndex, growth: &[Growth]) {
        let now = self.time_at(peer);
        let links: Vec<_> = self.peers[peer].sessions.keys().copied().collect();
        for link in links {
            self.peers[peer].handle(link, Input::Grown(growth.to_vec()), now);
        }
        // Keys may have come that a debt waits for, or a space in which something is owed.
        let one = &mut self.peers[peer];
        one.owes_maintenance |= !one.replica.maintenance_due().is_empty();
        let is_identity = |grown: &Growth| matches!(grown, Growth::Identity { .. });
        if growth.iter().any(is_identity) {
            self.close_door(peer);
        }
    }

    fn maintain(&mut self, peer: PeerIndex) {
        if !std::mem::take(&mut self.peers[peer].owes_maintenance) {
            return;
        }
        for organisation in self.peers[peer].replica.maintenance_due() {
            let mut random = self.fork_random();
            let one = &mut self.peers[peer];
            if let Err(error) = one.replica.maintain(&one.disk, &organisation, &mut random) {
                self.note(&format!("{peer} cannot maintain its spaces: {error}"));
            }
        }
    }

    /// Ends the links of nodes that are not admitted any more.
    pub(super) fn close_door(&mut self, peer: PeerIndex) {
        for other in 0..self.peers.len() {
            if !self.admit_each_other(peer, other) {
                self.cut(peer, other);
            }
        }
    }

    /// Lets the next thing happen; false when nothing ever will.
    pub fn step(&mut self) -> bool {
        let next = self.queue.first_key_value().map(|((at, _), _)| *at);
        let due = self.peers.iter().enumerate().filter_map(|(index, peer)| {
            peer.next_deadline(self.now).map(|(at, link)| (at.max(self.now), index, link))
        });
        let due = due.min();
        match (next, due) {
            (Some(at), due) if due.is_none_or(|(when, ..)| at <= when) => {
                self.now = self.now.max(at);
                let Some((_, happening)) = self.queue.pop_first() else { return false };
                self.happen(happening);
                true
            }
            (_, Some((at, peer, link))) => {
                self.now = self.now.max(at);
                self.note(&format!("{peer}: time for link {link}"));
                self.input(peer, link, Input::Tick);
                true
            }
            _ => false,
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Flush(peer) => {
                self.flush(peer);
            }
            Happening::Arrival { link, to, frame } => {
                self.delivered.0 += 1;
                self.delivered.1 += frame.len() as u64;
                self.note(&Self::describe(to, link, &frame));
                self.input(to, link, Input::Frame(frame));
            }
        }
    }

    fn input(&mut self, peer: PeerIndex, link: u64, input: Input) {
        let now = self.time_at(peer);
        self.peers[peer].handle(link, input, now);
        if self.is_lazy && self.below(3) == 0 {
            self.flush_later(peer);
        } else {
            self.flush(peer);
        }
    }

    /// Lets happen what happens within a time.
    pub fn run_for(&mut self, milliseconds: u64) {
        let end = self.now.plus(milliseconds);
        while self.next_time().is_some_and(|at| at <= end) && self.step() {}
        self.now = self.now.max(end);
    }

    fn next_time(&self) -> Option<Timestamp> {
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        let due = self.peers.iter().filter_map(|peer| peer.next_deadline(self.now));
        let due = due.map(|(at, _)| at);
        queued.into_iter().chain(due).min()
    }

    /// Runs until every session is in sync, or has nothing more to do.
    ///
    /// # Panics
    /// When that does not happen in a bounded number of steps.
    pub fn run_until_quiet(&mut self) {
        for _ in 0..30_000_u32 {
            let settled = self.queue.is_empty() && self.peers.iter().all(super::Peer::rests);
            if settled || !self.step() {
                return;
            }
        }
        panic!("seed {}: the world does not come to rest:\n{}", self.seed, self.describe_spaces());
    }
}
