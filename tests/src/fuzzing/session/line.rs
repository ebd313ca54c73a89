//! The line between two sessions, in virtual time.

use crate::fuzzing::cast::Node;
use crate::fuzzing::{Dice, Tally};
use sincronia_protocol::limits;
use sincronia_protocol::sync::{Effect, Input, Session, Side, SyncPhase};
use sincronia_protocol::time::Timestamp;
use std::collections::VecDeque;

/// Frames that an honest exchange may take; one takes under a hundred.
const EXCHANGE_FRAMES_MAX: usize = 500;
/// What one frame may make a node send: the window of unacknowledged entries, and a few answers.
const ANSWER_BYTES_MAX: usize = 8 * limits::FRAME_BYTES_MAX;

/// Two sessions and what is under way between them.
pub struct Line<'a> {
    nodes: &'a mut [Node; 2],
    sessions: [Session; 2],
    under_way: VecDeque<(usize, Vec<u8>)>,
    noted: &'a mut Vec<u8>,
    now: Timestamp,
    /// What the frames came to.
    pub tally: Tally,
}

impl<'a> Line<'a> {
    /// A fresh connection, the first node having dialled. What is delivered is noted.
    pub fn open(nodes: &'a mut [Node; 2], noted: &'a mut Vec<u8>) -> Self {
        let now = Timestamp::from_milliseconds(1_000);
        let sessions = [
            Session::new(Side::Initiator, nodes[1].id(), Vec::new(), now),
            Session::new(Side::Responder, nodes[0].id(), Vec::new(), now),
        ];
        let (under_way, tally) = (VecDeque::new(), Tally::default());
        let mut line = Self { nodes, sessions, under_way, noted, now, tally };
        line.input(0, Input::Opened);
        line.input(1, Input::Opened);
        line
    }

    /// Delivers a frame to one end.
    pub fn deliver(&mut self, end: usize, frame: Vec<u8>) {
        let end = end % 2;
        self.noted.push(u8::from(end != 0));
        self.noted.extend_from_slice(&u32::try_from(frame.len()).unwrap_or(0).to_be_bytes());
        self.noted.extend_from_slice(&frame);
        let before = self.sessions[end].status().phase;
        let is_refused = self.input(end, Input::Frame(frame));
        if is_refused || before == SyncPhase::Closed {
            self.tally.refused += 1;
        } else {
            self.tally.accepted += 1;
        }
    }

    /// Gives a session an input; whether it refused or ended.
    fn input(&mut self, end: usize, input: Input) -> bool {
        let node = &mut self.nodes[end];
        let was_closed = self.sessions[end].status().phase == SyncPhase::Closed;
        let effects = self.sessions[end].handle(self.now, input, &mut node.replica, &node.disk);
        let grown = node.commit();
        let (mut bytes, mut is_refused) = (0, false);
        for effect in effects {
            match effect {
                Effect::Send(message) => {
                    let frame = message.encode();
                    assert!(!was_closed, "a session that ended speaks");
                    assert!(frame.len() <= limits::FRAME_BYTES_MAX, "a frame nobody takes");
                    bytes += frame.len();
                    self.under_way.push_back((1 - end, frame));
                }
                Effect::Close(_) | Effect::Refused(_) => is_refused = true,
            }
        }
        assert!(bytes <= ANSWER_BYTES_MAX, "one input makes a node send {bytes} bytes");
        assert!(!node.replica.has_pending(), "something is not durable");
        if !grown.is_empty() {
            is_refused |= self.input(end, Input::Grown(grown));
        }
        is_refused
    }

    /// The next frame under way, or another one when they are out of order.
    pub fn take(&mut self, is_reordered: bool, dice: &mut Dice) -> Option<(usize, Vec<u8>)> {
        if is_reordered && !self.under_way.is_empty() {
            let at = dice.below(self.under_way.len());
            return self.under_way.remove(at);
        }
        self.under_way.pop_front()
    }

    /// Lets time pass until a session wants to act; false when none does.
    pub fn wait(&mut self) -> bool {
        let deadline = self.sessions.iter().filter_map(|one| one.next_deadline(self.now)).min();
        let Some(deadline) = deadline else { return false };
        self.now = self.now.max(deadline);
        for end in [0, 1] {
            self.input(end, Input::Tick);
        }
        true
    }

    /// Carries frames as they are; whether it is quiet in the end.
    pub fn run_sound(&mut self) -> bool {
        for _ in 0..EXCHANGE_FRAMES_MAX {
            match self.under_way.pop_front() {
                Some((end, frame)) => self.deliver(end, frame),
                None if self.wait() => {}
                None => return true,
            }
        }
        false
    }

    /// Where both stand.
    pub fn phases(&self) -> [SyncPhase; 2] {
        self.sessions.each_ref().map(|session| session.status().phase)
    }
}

/// The frames of an input, as far as they are whole.
pub fn read(mut input: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((end, rest)) = input.split_first() {
        let Some((length, rest)) = rest.split_first_chunk() else { break };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((frame, rest)) = rest.split_at_checked(length) else { break };
        found.push((usize::from(*end), frame.to_vec()));
        input = rest;
    }
    found
}
