//! Two nodes with a session each and the line between them, in virtual time.

use super::organisation::Node;
use sincronia_protocol::sync::{CloseReason, Effect, Input, Session, Side, SyncPhase};
use sincronia_protocol::time::Timestamp;
use std::collections::VecDeque;

/// Frames that one exchange may take; an honest one takes under a hundred.
const FRAMES_MAX: usize = 2_000;

/// Two nodes and the line between them.
pub struct Line<'a> {
    pub nodes: [&'a mut Node; 2],
    pub sessions: [Session; 2],
    pub frames: VecDeque<(usize, Vec<u8>)>,
    carried: usize,
    now: Timestamp,
    pub closed: Vec<CloseReason>,
}

impl<'a> Line<'a> {
    /// A fresh connection, the first node having dialled.
    pub fn open(one: &'a mut Node, other: &'a mut Node) -> Self {
        let now = Timestamp::from_milliseconds(1_000);
        let sessions = [
            Session::new(Side::Initiator, other.id(), Vec::new(), now),
            Session::new(Side::Responder, one.id(), Vec::new(), now),
        ];
        let (frames, closed) = (VecDeque::new(), Vec::new());
        let mut line = Self { nodes: [one, other], sessions, frames, carried: 0, now, closed };
        line.input(0, Input::Opened);
        line.input(1, Input::Opened);
        line
    }

    /// Gives a session an input and queues what it sends.
    pub fn input(&mut self, side: usize, input: Input) {
        let node = &mut *self.nodes[side];
        let effects = self.sessions[side].handle(self.now, input, &mut node.replica, &node.disk);
        let grown = node.commit();
        for effect in effects {
            match effect {
                Effect::Send(message) => self.frames.push_back((1 - side, message.encode())),
                Effect::Close(reason) => self.closed.push(reason),
                Effect::Refused(_) => {}
            }
        }
        if !grown.is_empty() {
            self.input(side, Input::Grown(grown));
        }
    }

    /// Carries frames until it is quiet or a session ended; `through` says what comes out of the
    /// line for the frame with a number.
    pub fn run(&mut self, mut through: impl FnMut(usize, Vec<u8>) -> Vec<Vec<u8>>) {
        for _ in 0..FRAMES_MAX {
            if !self.closed.is_empty() {
                return;
            }
            let Some((to, frame)) = self.frames.pop_front() else {
                if !self.wait() {
                    return;
                }
                continue;
            };
            self.carried += 1;
            for frame in through(self.carried - 1, frame) {
                self.input(to, Input::Frame(frame));
            }
        }
        panic!("the exchange does not end");
    }

    /// Carries frames as they are.
    pub fn run_sound(&mut self) {
        self.run(|_, frame| vec![frame]);
    }

    /// Carries frames as they are, and lets time pass so many times: for nodes between which
    /// something stays outstanding.
    pub fn run_for(&mut self, waits: usize) {
        let mut carried = 0;
        for _ in 0..waits {
            while let Some((to, frame)) = self.frames.pop_front() {
                self.input(to, Input::Frame(frame));
                carried += 1;
                assert!(carried < FRAMES_MAX, "the exchange does not end");
            }
            self.wait();
        }
    }

    /// Lets time pass until a session wants to act; false when both are in sync and none does.
    fn wait(&mut self) -> bool {
        let deadline = self.sessions.iter().filter_map(|one| one.next_deadline(self.now)).min();
        let Some(deadline) = deadline else { return false };
        self.now = self.now.max(deadline);
        for side in [0, 1] {
            self.input(side, Input::Tick);
        }
        true
    }

    /// Where both sessions stand.
    pub fn phases(&self) -> [SyncPhase; 2] {
        self.sessions.each_ref().map(|session| session.status().phase)
    }
}
