//! What goes wrong, by the seed.

use super::{PeerIndex, World};

/// About ten years.
const CLOCK_MS_MAX: usize = 315_576_000_000;

/// The kinds of faults, by the number that the seed draws.
const KINDS: [&str; 12] = [
    "links break",
    "links break",
    "crash",
    "failing commit",
    "death after commit",
    "wall",
    "clock jumps",
    "one-way link",
    "delay",
    "second link",
    "isolation",
    "healing",
];

impl World {
    /// Kills a node and starts it from its disk.
    pub fn crash(&mut self, peer: PeerIndex) {
        self.note(&format!("{peer} crashes"));
        self.isolate(peer);
        self.peers[peer].restart();
        self.check_promises_at(peer);
        self.flush(peer);
    }

    /// The next commit of a node is not applied.
    pub fn fail_next_commit(&mut self, peer: PeerIndex) {
        self.note(&format!("{peer}: the next commit will fail"));
        self.peers[peer].failing_commits += 1;
    }

    /// A node dies between its next commit and what that commit would have let out.
    pub fn die_after_next_commit(&mut self, peer: PeerIndex) {
        self.note(&format!("{peer} will die after its next commit"));
        self.peers[peer].dies_after_commit = true;
    }

    /// Sets a node's clock off by up to ten years, ahead or behind.
    pub fn set_clock_wrong(&mut self, peer: PeerIndex) {
        let by = i64::try_from(self.below(2 * CLOCK_MS_MAX)).unwrap_or(0);
        let half = i64::try_from(CLOCK_MS_MAX).unwrap_or(0);
        self.peers[peer].clock.ahead_ms = by - half;
        self.note(&format!("the clock of {peer} is {} ms ahead", by - half));
    }

    /// Parts the world in two that do not hear of each other.
    pub(super) fn part(&mut self) {
        let sides: Vec<_> = (0..self.peers.len()).map(|_| self.below(2)).collect();
        self.note(&format!("the world parts: {sides:?}"));
        for one in 0..sides.len() {
            for other in one + 1..sides.len() {
                if sides[one] != sides[other] {
                    self.cut(one, other);
                    self.walls.insert((one, other));
                }
            }
        }
    }

    /// One fault.
    pub(super) fn go_wrong(&mut self) {
        let (peer, other) = (self.below(self.peers.len()), self.below(self.peers.len()));
        let kind = self.below(KINDS.len());
        self.count_fault(KINDS[kind]);
        match kind {
            0 | 1 => self.cut(peer, other),
            2 => self.crash(peer),
            3 => self.fail_next_commit(peer),
            4 => self.die_after_next_commit(peer),
            5 => self.part(),
            6 => self.set_clock_wrong(peer),
            7 => self.cut_one_way(peer, other),
            8 => {
                let milliseconds = self.below(200_000) as u64;
                self.delay(peer, other, milliseconds);
            }
            9 => self.connect_again(peer, other),
            10 => self.isolate(peer),
            _ => {
                self.walls.clear();
                self.break_cut_links();
                self.heal();
            }
        }
    }

    /// Everything is mended: nothing more goes wrong.
    pub(super) fn mend(&mut self) {
        self.note("everything is mended");
        self.walls.clear();
        self.break_cut_links();
        for peer in 0..self.peers.len() {
            self.peers[peer].failing_commits = 0;
            self.peers[peer].dies_after_commit = false;
            self.flush(peer);
        }
        self.heal();
    }
}
