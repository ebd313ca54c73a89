//! Somebody has the key of a primary that was replaced, and writes branches that rank above one
//! which erases a record.

use super::branches::{copy_of, name_primary, second_machine};
use super::circle::Circle;
use super::line::Line;
use super::organisation::Node;
use super::parcel::Parcel;
use proptest::prelude::*;
use sincronia_protocol::access::{AccessEntry, AccessOperation, ErasedEntries, History, Role};
use sincronia_protocol::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::limits;
use sincronia_protocol::log::LogPosition;
use sincronia_protocol::replica::SetAside;
use sincronia_protocol::sync::SyncPhase;

/// A record that the primary of before erased, which only the colleague heard; the primary of now;
/// and what the thief could do.
struct Theft {
    circle: Circle,
    second: Node,
    record: RecordId,
    /// What the access log erases beside the branch that holds.
    erasure: AccessEntry,
}

impl Theft {
    fn new() -> Self {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let record = circle.member.note(&space, "dati di una persona");
        circle.settle();
        let mut second = second_machine(&mut circle);
        circle.owner.give(&mut second, &space);
        circle.owner.give(&mut circle.member, &space);
        circle.owner.give(&mut circle.colleague, &space);
        circle.owner.erase(&space, &record).unwrap();
        circle.owner.give(&mut circle.colleague, &space);
        let erasure = circle.owner.access_log(&space).pop().unwrap();
        name_primary(&mut circle, &mut second);
        second.try_rotate(&space).unwrap();
        Self { circle, second, record, erasure }
    }

    /// So many entries in the place of the erasure that rank above it, or below.
    fn beside(
        &self,
        count: usize,
        is_above: bool,
        operation: impl Fn([u8; 32]) -> AccessOperation,
    ) -> Vec<Parcel> {
        let limit = self.erasure.statement.hash();
        let key = &self.circle.owner.credentials.node_key;
        let ranked = (0_u32..).filter_map(|number| {
            let mut name = [7; 32];
            name[..4].copy_from_slice(&number.to_be_bytes());
            let mut statement = self.erasure.statement.clone();
            statement.operation = operation(name);
            ((statement.hash() < limit) == is_above).then(|| statement.sign(key))
        });
        ranked.take(count).map(|entry| self.parcel(entry)).collect()
    }

    fn parcel(&self, entry: AccessEntry) -> Parcel {
        Parcel::Access { space: self.circle.space, entries: vec![entry], is_complete: true }
    }

    /// What the primary of now wrote, with the keys for the member or for the colleague.
    fn holding(&mut self, is_member: bool) -> Vec<Parcel> {
        let Circle { member, colleague, .. } = &self.circle;
        let to = if is_member { member } else { colleague }.organisation();
        self.second.access_parcels(&self.circle.space, &to)
    }
}

/// An entry that erases nothing.
fn admit(name: [u8; 32]) -> AccessOperation {
    AccessOperation::Grant {
        organisation: OrganisationId::from_bytes(name),
        role: Role::Carrier,
        history: History::Start,
        recipients: Vec::new(),
        rotation: None,
    }
}

/// An erasure of a record that is nowhere.
fn erase(name: [u8; 32]) -> AccessOperation {
    let record = RecordId::from_bytes(name[..16].try_into().unwrap());
    let entries = vec![ErasedEntries {
        node: NodeId::from_bytes(name),
        stretches: vec![(0, 1)],
        forked: Vec::new(),
    }];
    AccessOperation::Erase { record, entries }
}

/// Where the access log stands, and what is kept beside it.
fn kept(node: &mut Node, space: &SpaceId) -> (LogPosition, Vec<SetAside>) {
    let aside = node.replica.set_aside(&node.disk, space).unwrap();
    (node.replica.summary(space).unwrap().access, aside)
}

fn assert_in_sync(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed[..]), ([SyncPhase::InSync; 2], &[][..]));
}

/// The colleague had erased the record, and forgot that it had when nine branches came that rank
/// above the one that says it: the bodies that it had dropped were then errors of its store, and
/// the member, to which it had not yet said so, went on showing the record.
#[test]
fn threat_24_branches_of_a_stolen_key_push_out_no_erasure() {
    let mut theft = Theft::new();
    let (space, record) = (theft.circle.space, theft.record);
    let parcels = theft.beside(limits::ACCESS_BRANCHES_MAX + 1, true, admit);
    let [of_colleague, of_member] = [false, true].map(|is_member| theft.holding(is_member));
    let Theft { circle, second, .. } = &mut theft;
    circle.colleague.take_all(&[of_colleague, parcels.clone()].concat());
    circle.member.take_all(&[of_member, parcels].concat());
    assert!(circle.member.shows(&space).contains_key(&record));

    assert_in_sync(&mut circle.colleague, &mut circle.member);
    for node in [&mut circle.colleague, &mut circle.member] {
        assert!(node.replica.is_erased(&node.disk, &space, &record).unwrap());
        assert!(!node.shows(&space).contains_key(&record));
        let findings = node.replica.verify(&node.disk, true).expect("a readable disk");
        assert_eq!(findings.problems, Vec::<String>::new());
        let digests = node.digests();
        node.restart();
        assert!(node.replica.is_erased(&node.disk, &space, &record).unwrap());
        assert_eq!(node.digests(), digests);
    }
    // The primary of now says it again, and nobody needs the branch any more.
    assert_in_sync(&mut circle.colleague, second);
    assert_eq!(second.replica.erasures_due(), [space]);
    second.act(|replica, disk, _| replica.settle_erasures(disk, &space)).unwrap();
    assert_in_sync(&mut circle.colleague, second);
    assert_in_sync(&mut circle.colleague, &mut circle.member);
    for node in [second, &mut circle.colleague, &mut circle.member] {
        let aside = node.replica.set_aside(&node.disk, &space).unwrap();
        assert_eq!(aside.len(), limits::ACCESS_BRANCHES_MAX, "{aside:?}");
        assert!(node.replica.is_erased(&node.disk, &space, &record).unwrap());
    }
}

/// More erasures than there is room for are not taken until the primary of now has said again those
/// that are here; what is here is not let go for them.
#[test]
fn threat_24_erasures_without_end_push_out_none_that_was_heard() {
    let mut theft = Theft::new();
    let (space, record) = (theft.circle.space, theft.record);
    let mut parcels = theft.beside(limits::ACCESS_BRANCHES_MAX + 1, true, admit);
    parcels.extend(theft.beside(limits::ACCESS_BRANCHES_KEPT_MAX, true, erase));
    parcels.extend(theft.beside(limits::ACCESS_BRANCHES_KEPT_MAX, false, erase));
    parcels.extend(theft.holding(false));
    let mut colleague = copy_of(&theft.circle.colleague, &theft.circle);
    for parcels in [parcels.clone(), parcels.iter().rev().cloned().collect()] {
        let node = &mut colleague;
        node.take_all(&parcels);
        assert!(node.replica.is_erased(&node.disk, &space, &record).unwrap());
        let aside = node.replica.set_aside(&node.disk, &space).unwrap().len();
        assert!(aside <= limits::ACCESS_BRANCHES_KEPT_MAX + 1, "{aside}");
        let held = [node, &theft.second].map(|one| one.replica.summary(&space).unwrap().access);
        assert_eq!(held[0], held[1], "the primary of now is heard");
    }
    // Each time that the primary of now has said again what it heard, there is room for more.
    for _ in 0..6 {
        Line::open(&mut colleague, &mut theft.second).run_for(3);
        let second = &mut theft.second;
        second.act(|replica, disk, _| replica.settle_erasures(disk, &space)).unwrap();
        colleague.take_all(&parcels);
    }
    assert_in_sync(&mut colleague, &mut theft.second);
    assert!(!theft.second.shows(&space).contains_key(&record));
    assert_eq!(colleague.digests(), theft.second.digests());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever order branches and erasures arrive in, every replica keeps the same.
    #[test]
    fn the_same_erasures_are_kept_in_any_order(order in Just((0..32).collect::<Vec<usize>>())
        .prop_shuffle(), erasures in 0..3_usize)
    {
        let mut theft = Theft::new();
        let (space, record) = (theft.circle.space, theft.record);
        let mut parcels = theft.beside(limits::ACCESS_BRANCHES_MAX + 1, true, admit);
        parcels.extend(theft.beside(erasures, true, erase));
        parcels.extend(theft.beside(erasures, false, erase));
        parcels.push(theft.parcel(theft.erasure.clone()));
        theft.second.take_all(&parcels);
        let second = &mut theft.second;
        second.act(|replica, disk, _| replica.settle_erasures(disk, &space)).unwrap();
        parcels.extend(theft.holding(false));
        let mut shuffled: Vec<_> = parcels.iter().enumerate().collect();
        shuffled.sort_by_key(|(index, _)| order.get(*index).copied().unwrap_or(*index));
        let shuffled: Vec<_> = shuffled.into_iter().map(|(_, parcel)| parcel.clone()).collect();
        let mut node = copy_of(&theft.circle.colleague, &theft.circle);
        node.take_all(&shuffled);
        theft.circle.member.take_all(&parcels);
        prop_assert!(node.replica.is_erased(&node.disk, &space, &record).unwrap());
        let kept = kept(&mut node, &space);
        prop_assert_eq!(&kept, &self::kept(&mut theft.circle.member, &space));
        prop_assert_eq!(&kept, &self::kept(&mut theft.second, &space));
    }
}
