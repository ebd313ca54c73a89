//! A session as a state machine: two nodes that share a space talk, and what one of them says is
//! dropped, repeated, exchanged, damaged, or replaced by what it never said.
//!
//! The other must not panic, must not send without end, and its store must stay sound: it opens
//! again, every entry in it is verified, and no record is there that nobody wrote.

use super::Verdict;
use super::mutation::Mutator;
use crate::world::{Acquainted, World};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::replica::{Credentials, Replica};
use sincronia_protocol::storage::MemoryStorage;
use sincronia_protocol::sync::{Effect, Input, Session, Side};
use sincronia_protocol::time::Timestamp;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::OnceLock;

/// Frames of a conversation before it is cut off.
const STEPS_MAX: usize = 400;
/// Frames that one input may lead to.
const ANSWERS_MAX: usize = 10_000;
const NOW: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

/// Two nodes before they meet again.
struct Stage {
    hostile: Acquainted,
    honest: Acquainted,
    space: SpaceId,
    /// Records that anybody wrote.
    records: usize,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let mut world = World::new(7, 1);
        let (hostile, honest) = (world.add(), world.add());
        world.befriend(hostile, honest);
        let space = world.create_space(honest);
        world.grant(honest, space, hostile, Role::Contributor, History::Start).expect("a grant");
        world.connect(hostile, honest);
        let _ = world.new_practice(honest, space, "Prima dell'incontro");
        world.rest();
        // What is written now is on its way to nobody yet.
        let mut records = 1;
        for at in 0..6 {
            let title = format!("Scritta da sola {at}");
            let _ = world.new_practice(hostile, space, &title);
            let _ = world.new_practice(honest, space, &title);
            records += 2;
        }
        Stage { hostile: world.leave(hostile), honest: world.leave(honest), space, records }
    })
}

/// One side of the line.
struct Speaker {
    credentials: Credentials,
    replica: Replica,
    disk: MemoryStorage,
    session: Session,
    says: VecDeque<Vec<u8>>,
    is_over: bool,
}

impl Speaker {
    fn new(known: &Acquainted, side: Side, other: &Acquainted) -> Self {
        let disk = known.disk.clone();
        let credentials = known.credentials.clone();
        let replica = Replica::open(credentials.clone(), &disk).expect("a sound disk");
        let node = other.credentials.node_key.id();
        let session = Session::new(side, node, Vec::new(), NOW);
        let (says, is_over) = (VecDeque::new(), false);
        Self { credentials, replica, disk, session, says, is_over }
    }

    fn hear(&mut self, input: Input, at: Timestamp) {
        if self.is_over {
            return;
        }
        let effects = self.session.handle(at, input, &mut self.replica, &self.disk);
        assert!(effects.len() < ANSWERS_MAX, "one input led to {} effects", effects.len());
        let batch = self.replica.take_batch();
        self.disk.commit(&batch);
        for effect in effects {
            match effect {
                Effect::Send(message) => self.says.push_back(message.encode()),
                Effect::Close(_) => self.is_over = true,
                Effect::Refused(_) => {}
            }
        }
        let growth = self.replica.take_growth();
        if !growth.is_empty() {
            self.hear(Input::Grown(growth), at);
        }
        self.replica.take_events();
    }
}

pub(super) fn session(seed: &[u8]) -> Verdict {
    let seed = seed.iter().fold(17_u64, |sum, byte| {
        sum.wrapping_mul(1_099_511_628_211).wrapping_add(u64::from(*byte))
    });
    let stage = stage();
    let mut hostile = Speaker::new(&stage.hostile, Side::Initiator, &stage.honest);
    let mut honest = Speaker::new(&stage.honest, Side::Responder, &stage.hostile);
    hostile.hear(Input::Opened, NOW);
    honest.hear(Input::Opened, NOW);
    let mut mutator = Mutator::new(seed, super::samples::conversations());
    let mut at = NOW;
    for step in 0..STEPS_MAX {
        at = at.plus(40);
        if let Some(frame) = honest.says.pop_front() {
            hostile.hear(Input::Frame(frame), at);
        }
        match hostile.says.pop_front() {
            Some(frame) => say(&mut hostile, &mut honest, frame, &mut mutator, at),
            None if honest.says.is_empty() && step > 60 => break,
            None => {}
        }
        if step % 16 == 15 {
            hostile.hear(Input::Tick, at);
            honest.hear(Input::Tick, at);
        }
    }
    judge(honest, stage)
}

/// What becomes of a frame on its way.
fn say(
    hostile: &mut Speaker,
    honest: &mut Speaker,
    frame: Vec<u8>,
    mutator: &mut Mutator,
    at: Timestamp,
) {
    match mutator.below(24) {
        0 => {}
        1 => {
            honest.hear(Input::Frame(frame.clone()), at);
            honest.hear(Input::Frame(frame), at);
        }
        2 => hostile.says.push_back(frame),
        3 | 4 => {
            mutator.keep(frame);
            honest.hear(Input::Frame(mutator.next()), at);
        }
        5 => {
            let invented = mutator.next();
            honest.hear(Input::Frame(invented), at);
            honest.hear(Input::Frame(frame), at);
        }
        _ => {
            mutator.keep(frame.clone());
            honest.hear(Input::Frame(frame), at);
        }
    }
}

/// What the honest node has on its disk afterwards is sound, and nothing that nobody wrote.
fn judge(mut honest: Speaker, stage: &Stage) -> Verdict {
    while honest.replica.project(&honest.disk, 1_000).expect("a sound disk") {}
    honest.disk.commit(&honest.replica.take_batch());
    let mut again =
        Replica::open(honest.credentials.clone(), &honest.disk).expect("it opens again");
    let findings = again.verify(&honest.disk, true).expect("readable");
    assert!(findings.problems.is_empty(), "{:?}", findings.problems);
    let mut shown = 0;
    again
        .rows(&honest.disk, Some(&stage.space), None, &mut |_| {
            shown += 1;
            ControlFlow::Continue(())
        })
        .expect("a sound disk");
    assert!((7..=stage.records).contains(&shown), "{shown} records are shown");
    Verdict::when(shown == stage.records)
}
