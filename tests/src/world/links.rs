//! Links between nodes: streams with a delay, that break, stall in one direction, or stand twice.

use super::step::Happening;
use super::{PeerIndex, Trace, World};
use sincronia_protocol::sync::{Message, Side};
use sincronia_protocol::time::Timestamp;

/// A link between two nodes while it stands. Lane 0 leads from the first end to the second.
pub(super) struct Link {
    ends: [PeerIndex; 2],
    lanes: [Lane; 2],
}

/// One direction.
#[derive(Clone, Copy)]
struct Lane {
    busy_until: Timestamp,
    is_cut: bool,
}

impl World {
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

    /// Opens a link between two nodes unless there is one, or a wall.
    pub fn connect(&mut self, one: PeerIndex, other: PeerIndex) {
        if self.links_between(one, other).is_empty() {
            self.connect_again(one, other);
        }
    }

    /// Opens a link between two nodes, whether or not there is one.
    pub fn connect_again(&mut self, one: PeerIndex, other: PeerIndex) {
        let wall = (one.min(other), one.max(other));
        if one == other || self.walls.contains(&wall) || !self.has_line(one, other) {
            return;
        }
        for (here, there) in [(one, other), (other, one)] {
            self.return_to(here, there);
        }
        if !self.admit_each_other(one, other) {
            return;
        }
        self.counter += 1;
        let link = self.counter;
        let lane = Lane { busy_until: self.now, is_cut: false };
        self.links.insert(link, Link { ends: [one, other], lanes: [lane; 2] });
        self.note(&format!("link {link}: {one} to {other}"));
        for (here, there, side) in [(one, other, Side::Initiator), (other, one, Side::Responder)] {
            if !self.links.contains_key(&link) {
                return; // The one that opened it died of it.
            }
            let (node, now) = (self.peers[there].replica.node(), self.time_at(here));
            self.peers[here].open(link, there, side, node, now);
            self.flush(here);
        }
    }

    /// A node whose certification has not reached the other yet, told no greeting, presents the
    /// identity log of its organisation.
    fn return_to(&mut self, here: PeerIndex, there: PeerIndex) {
        if !self.admits(here, there) || self.admits(there, here) {
            return;
        }
        let (node, now) = (self.peers[here].replica.node(), self.time_at(there));
        let introduction = self.peers[here].acquaintance().introduction;
        let taken =
            self.act(there, |one| one.replica.admit_return(&one.disk, &node, &introduction, now));
        if matches!(taken, Ok(Ok(_))) {
            self.note(&format!("{here} returns to {there}"));
        }
    }

    /// Whether the door of the first lets the second in.
    fn admits(&self, here: PeerIndex, there: PeerIndex) -> bool {
        let node = self.peers[there].replica.node();
        self.peers[here].replica.admitted_nodes().any(|(admitted, _)| admitted == node)
    }

    /// Whether the doors of both let the other in.
    pub(super) fn admit_each_other(&self, one: PeerIndex, other: PeerIndex) -> bool {
        self.admits(one, other) && self.admits(other, one)
    }

    pub(super) fn links_between(&self, one: PeerIndex, other: PeerIndex) -> Vec<u64> {
        let joins = |link: &Link| link.ends == [one, other] || link.ends == [other, one];
        self.links.iter().filter(|(_, link)| joins(link)).map(|(id, _)| *id).collect()
    }

    /// Breaks every link between two nodes; what is under way is lost.
    pub fn cut(&mut self, one: PeerIndex, other: PeerIndex) {
        for link in self.links_between(one, other) {
            self.break_link(link);
        }
    }

    pub(super) fn break_link(&mut self, id: u64) {
        if let Some(link) = self.links.remove(&id) {
            self.note(&format!("link {id} breaks"));
            self.queue.retain(
                |_, happening| !matches!(happening, Happening::Arrival { link, .. } if *link == id),
            );
            for end in link.ends {
                self.peers[end].close(id);
            }
        }
    }

    /// Breaks every link of a node.
    pub fn isolate(&mut self, peer: PeerIndex) {
        for other in 0..self.peers.len() {
            self.cut(peer, other);
        }
    }

    /// From now on nothing arrives in one direction, and nobody says so.
    pub(super) fn cut_one_way(&mut self, from: PeerIndex, to: PeerIndex) {
        for id in self.links_between(from, to) {
            if let Some(link) = self.links.get_mut(&id) {
                link.lanes[usize::from(link.ends[0] != from)].is_cut = true;
            }
        }
    }

    /// What is sent from now on in one direction waits before it sets out.
    pub(super) fn delay(&mut self, from: PeerIndex, to: PeerIndex, milliseconds: u64) {
        for id in self.links_between(from, to) {
            if let Some(link) = self.links.get_mut(&id) {
                let lane = &mut link.lanes[usize::from(link.ends[0] != from)];
                lane.busy_until = lane.busy_until.max(self.now).plus(milliseconds);
            }
        }
    }

    /// Breaks links that are cut in one direction: in the end somebody notices.
    pub(super) fn break_cut_links(&mut self) {
        let is_cut = |link: &Link| link.lanes.iter().any(|lane| lane.is_cut);
        let cut: Vec<_> =
            self.links.iter().filter(|(_, link)| is_cut(link)).map(|(id, _)| *id).collect();
        for link in cut {
            self.break_link(link);
        }
    }

    pub(super) fn send(&mut self, id: u64, here: PeerIndex, message: &Message) {
        let latency = 1 + self.below(usize::try_from(self.latency_ms_max).unwrap_or(1)) as u64;
        let Some(link) = self.links.get_mut(&id) else { return };
        let direction = usize::from(link.ends[0] != here);
        let to = link.ends[1 - direction];
        let lane = &mut link.lanes[direction];
        lane.busy_until = lane.busy_until.max(self.now.plus(latency));
        let at = lane.busy_until;
        if lane.is_cut {
            return;
        }
        self.counter += 1;
        let frame = message.encode();
        self.queue.insert((at, self.counter), Happening::Arrival { link: id, to, frame });
    }

    /// What arrives, in the words of the trace.
    pub(super) fn describe(to: PeerIndex, link: u64, frame: &[u8]) -> String {
        let message = Message::decode(frame).map(|message| format!("{message:?}"));
        let kind: String = message.map_or_else(
            |_| "?".into(),
            |text| text.chars().take_while(|one| one.is_alphanumeric()).collect(),
        );
        format!("{to} hears {kind} {} on link {link}", Trace::name(frame))
    }

    /// Connects whoever admit each other and are not connected.
    pub fn heal(&mut self) {
        for one in 0..self.peers.len() {
            for other in one + 1..self.peers.len() {
                self.connect(one, other);
            }
        }
    }
}
