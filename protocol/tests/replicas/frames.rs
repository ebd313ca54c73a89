//! Sessions on a line that changes bits, repeats and drops: nothing false gets in, nothing that was
//! there is lost, and over a sound line the two agree again.

use super::circle::Circle;
use super::line::Line;
use proptest::prelude::*;
use sincronia_protocol::access::Role;
use sincronia_protocol::ids::RecordId;
use sincronia_protocol::limits::{ADDRESS_BYTES_MAX, ADDRESSES_MAX};
use sincronia_protocol::sync::{CloseReason, Effect, Input, Message, Session, Side, SyncPhase};
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What a bad line does to the frame with this number.
#[derive(Clone, Copy, Debug)]
struct Fault {
    frame: usize,
    kind: FaultKind,
}

#[derive(Clone, Copy, Debug)]
enum FaultKind {
    Flip { place: usize, bit: u8 },
    Cut { place: usize },
    Twice,
    Dropped,
}

/// What comes out of a line with these faults.
fn through(faults: &[Fault], number: usize, frame: Vec<u8>) -> Vec<Vec<u8>> {
    let fault = faults.iter().find(|fault| fault.frame == number);
    match fault.map(|fault| fault.kind) {
        None => vec![frame],
        Some(FaultKind::Flip { place, bit }) => {
            let mut frame = frame;
            let place = place % frame.len();
            frame[place] ^= 1 << (bit % 8);
            vec![frame]
        }
        Some(FaultKind::Cut { place }) => vec![frame[..place % frame.len()].to_vec()],
        Some(FaultKind::Twice) => vec![frame.clone(), frame],
        Some(FaultKind::Dropped) => Vec::new(),
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    let kind = prop_oneof![
        6 => (any::<usize>(), any::<u8>()).prop_map(|(place, bit)| FaultKind::Flip { place, bit }),
        2 => any::<usize>().prop_map(|place| FaultKind::Cut { place }),
        1 => Just(FaultKind::Twice),
        1 => Just(FaultKind::Dropped),
    ];
    (0..40_usize, kind).prop_map(|(frame, kind)| Fault { frame, kind })
}

/// A circle in which owner and member both wrote what the other lacks.
fn apart() -> Circle {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "della titolare");
    circle.settle();
    circle.owner.rename(&space, record, "cambiata qui").unwrap();
    circle.member.rename(&space, record, "cambiata là").unwrap();
    circle.member.note(&space, "nuova del membro");
    circle.admit(circle.outsider.organisation(), Role::Reader);
    circle.owner.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    circle
}

#[test]
fn a_sound_line_brings_two_nodes_in_sync_and_says_so_on_both_sides() {
    let mut circle = apart();
    let space = circle.space;
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    line.run_sound();
    assert_eq!((line.phases(), line.closed.len()), ([SyncPhase::InSync; 2], 0));
    assert_eq!(circle.owner.shows(&space), circle.member.shows(&space));
    assert_eq!(circle.owner.shows(&space).len(), 2);
}

/// What both show after a sound line.
static HONEST: LazyLock<BTreeMap<RecordId, String>> = LazyLock::new(|| {
    let mut circle = apart();
    Line::open(&mut circle.owner, &mut circle.member).run_sound();
    circle.owner.shows(&circle.space)
});

proptest! {
    #![proptest_config(super::order::cases(64))]

    #[test]
    fn a_bad_line_lets_nothing_false_in_and_loses_nothing(
        faults in prop::collection::vec(fault(), 1..4),
    ) {
        let mut circle = apart();
        let space = circle.space;
        let honest = &*HONEST;
        let mut line = Line::open(&mut circle.owner, &mut circle.member);
        line.run(|number, frame| through(&faults, number, frame));
        for node in [&mut circle.owner, &mut circle.member] {
            let findings = node.replica.verify(&node.disk, true).unwrap();
            prop_assert!(findings.problems.is_empty(), "{:?}", findings.problems);
        }
        let mut line = Line::open(&mut circle.owner, &mut circle.member);
        line.run_sound();
        prop_assert_eq!(line.phases(), [SyncPhase::InSync; 2], "{:?}", line.closed);
        prop_assert_eq!(&circle.owner.shows(&space), honest);
        prop_assert_eq!(&circle.member.shows(&space), honest);
    }

    #[test]
    fn frames_of_noise_end_the_session_and_change_nothing(
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
    ) {
        let mut circle = Circle::of_contributors();
        let before = circle.owner.digests();
        let mut line = Line::open(&mut circle.owner, &mut circle.member);
        for frame in noise {
            prop_assume!(Message::decode(&frame).is_err());
            line.input(0, Input::Frame(frame));
        }
        prop_assert!(matches!(line.closed.first(), Some(CloseReason::Misbehaved(_))));
        drop(line);
        prop_assert_eq!(circle.owner.digests(), before);
    }
}

#[test]
fn a_node_of_many_addresses_tells_as_many_as_a_partner_takes() {
    let mut circle = Circle::of_contributors();
    let (owner, member) = (&mut circle.owner, &mut circle.member);
    let mut addresses: Vec<_> =
        (1..40).map(|number| format!("/ip4/192.0.2.{number}/tcp/1")).collect();
    addresses.insert(0, "x".repeat(ADDRESS_BYTES_MAX + 1));
    let now = Timestamp::from_milliseconds(1_000);
    let mut dialled = Session::new(Side::Initiator, member.id(), addresses.clone(), now);
    let mut answered = Session::new(Side::Responder, owner.id(), Vec::new(), now);
    let said = dialled.handle(now, Input::Opened, &mut owner.replica, &owner.disk);
    let [Effect::Send(hello)] = said.as_slice() else { panic!("{said:?}") };
    let frame = Input::Frame(hello.encode());
    let effects = answered.handle(now, frame, &mut member.replica, &member.disk);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Close(_))), "{effects:?}");
    let partner = member.replica.partner(&owner.organisation()).unwrap();
    assert_eq!(partner.addresses, [(owner.id(), addresses[1..=ADDRESSES_MAX].to_vec())]);
}
