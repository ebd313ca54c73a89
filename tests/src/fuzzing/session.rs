//! Sessions between two nodes, over a line that damages, drops, repeats, reorders and injects.
//!
//! A round is one of two. On a bad line both ends are honest. Against a hostile partner one node
//! meets somebody who holds the partner's transport key and sends what it likes: messages of other
//! sessions, damaged ones, and ones that only look right. After either, nothing may stand on the
//! disk that nobody with the right to it signed, what one frame sets in motion is bounded, and over
//! a sound line the two nodes agree on what honest ones show.
//!
//! An input is a list of frames, each with the end that it arrives at, played against fresh nodes.

mod frames;
mod line;
mod scene;

use super::{Dice, Tally, Target};
use line::Line;
use scene::Scene;

/// Frames that one round delivers before the line is mended.
const FRAMES_MAX: usize = 96;

/// Sessions as a target.
pub struct Sessions {
    scene: Scene,
    input: Vec<u8>,
    rounds: u64,
}

impl Sessions {
    /// With two nodes that have much to say to each other.
    #[must_use]
    pub fn new() -> Self {
        Self { scene: Scene::new(), input: Vec::new(), rounds: 0 }
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new()
    }
}

impl Target for Sessions {
    fn round(&mut self, dice: &mut Dice) -> Tally {
        self.rounds += 1;
        self.input.clear();
        let mut nodes = self.scene.nodes();
        let mut line = Line::open(&mut nodes, &mut self.input);
        if dice.one_in(2) {
            bad_line(&mut line, &self.scene, dice);
        } else {
            hostile(&mut line, &self.scene, dice);
        }
        let mut tally = line.tally;
        drop(line);
        self.scene.check(&mut nodes, dice.one_in(4));
        tally.compared += 1;
        if dice.one_in(4) {
            self.scene.check_agreement(&mut nodes);
            tally.compared += 1;
        }
        tally
    }

    fn input(&self) -> Vec<u8> {
        self.input.clone()
    }

    fn replay(&mut self, input: &[u8]) -> Tally {
        let mut nodes = self.scene.nodes();
        let mut noted = Vec::new();
        let mut line = Line::open(&mut nodes, &mut noted);
        for (end, frame) in line::read(input) {
            line.deliver(end, frame);
        }
        let mut tally = line.tally;
        drop(line);
        self.scene.check(&mut nodes, true);
        self.scene.check_agreement(&mut nodes);
        tally.compared += 2;
        tally
    }

    fn samples(&self) -> Vec<Vec<u8>> {
        let mut nodes = self.scene.nodes();
        let mut noted = Vec::new();
        assert!(Line::open(&mut nodes, &mut noted).run_sound(), "the exchange does not end");
        vec![noted]
    }
}

/// Both ends are honest, and the line between them is not.
fn bad_line(line: &mut Line<'_>, scene: &Scene, dice: &mut Dice) {
    let calm = dice.below(12) + 2;
    for _ in 0..FRAMES_MAX {
        let Some((end, frame)) = line.take(dice.one_in(calm), dice) else {
            if !line.wait() {
                return;
            }
            continue;
        };
        match dice.below(calm * 5) {
            0 => {
                let mut damaged = frame;
                super::mutation::bytes(&mut damaged, &scene.frames, 1 << 20, dice);
                line.deliver(end, damaged);
            }
            1 => {}
            2 => {
                line.deliver(end, frame.clone());
                line.deliver(end, frame);
            }
            3 => {
                line.deliver(end, dice.pick(&scene.frames).clone());
                line.deliver(end, frame);
            }
            4 => line.deliver(end, frames::hostile(&frame, scene, dice)),
            _ => line.deliver(end, frame),
        }
    }
}

/// One end says what it likes, in whatever order.
fn hostile(line: &mut Line<'_>, scene: &Scene, dice: &mut Dice) {
    let victim = dice.below(2);
    // What the victim's counterpart would have said first: most attacks begin after the greeting.
    while !dice.one_in(6) {
        match line.take(false, dice) {
            Some((end, frame)) => line.deliver(end, frame),
            None => break,
        }
    }
    for _ in 0..dice.below(FRAMES_MAX) {
        if dice.one_in(24) && !line.wait() {
            return;
        }
        let known = dice.pick(&scene.frames).clone();
        let frame = match dice.below(4) {
            0 => known,
            1 => {
                let mut damaged = known;
                super::mutation::bytes(&mut damaged, &scene.frames, 1 << 20, dice);
                damaged
            }
            _ => frames::hostile(&known, scene, dice),
        };
        line.deliver(victim, frame);
    }
}
