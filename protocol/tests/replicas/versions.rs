//! An owner names places of several versions of one log as those that count: by mistake, or with
//! whoever has the key of its machine. Whatever each member met of them, members agree.

use super::branches::{copy_of, second_machine};
use super::circle::Circle;
use super::cuts::{hand, third_reader};
use super::forks::agree;
use super::line::Line;
use super::order::cases;
use super::organisation::Node;
use proptest::prelude::*;
use proptest::sample::Index;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sincronia_protocol::access::{AccessEntry, AccessOperation, AccessStatement};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::log::{LogPosition, Run};

/// Versions of the log of one machine, and its copies after each entry.
struct Versions {
    copies: Vec<Vec<Node>>,
}

impl Versions {
    /// The member's own log as it is, and nothing else.
    fn begin(circle: &Circle) -> Self {
        Self { copies: vec![vec![copy_of(&circle.member, circle)]] }
    }

    /// One more entry on a version.
    fn extend(&mut self, circle: &Circle, version: usize) {
        let last = self.copies[version].last().expect("a copy");
        let mut copy = copy_of(last, circle);
        let number = self.copies[version].len();
        copy.random = ChaCha20Rng::from_seed([u8::try_from(16 * version + number).unwrap(); 32]);
        copy.note(&circle.space, &format!("Nota {number} della versione {version}"));
        self.copies[version].push(copy);
    }

    /// A version that goes as another up to some entry, and then its own way.
    fn branch(&mut self, circle: &Circle, version: usize, length: usize, entries: usize) {
        let common = self.copies[version].iter().take(length + 1);
        self.copies.push(common.map(|copy| copy_of(copy, circle)).collect());
        for _ in 0..entries {
            self.extend(circle, self.copies.len() - 1);
        }
    }

    /// The place after so many entries of a version.
    fn place(&mut self, space: &SpaceId, version: usize, length: usize) -> LogPosition {
        let copy = &mut self.copies[version][length];
        let (author, own) = (copy.id(), copy.organisation());
        let heads = copy.replica.heads_for(&copy.disk, &own, space).unwrap().unwrap();
        let place = heads.authors.iter().find(|(one, _)| *one == author);
        place.map_or(LogPosition::START, |(_, place)| *place)
    }

    /// Places of any versions, as one entry names them.
    fn places(&mut self, space: &SpaceId, names: &[(Index, Index)]) -> Vec<LogPosition> {
        let mut places = Vec::new();
        for (version, length) in names {
            let version = version.index(self.copies.len());
            let length = length.index(self.copies[version].len() - 1) + 1;
            places.push(self.place(space, version, length));
        }
        places.sort_by_key(|place| place.length);
        places.dedup_by_key(|place| place.length);
        places
    }

    /// Every version, from each place on, to the next signature and as far as it goes.
    fn pieces(&mut self, space: &SpaceId) -> Vec<Run> {
        let mut found = Vec::new();
        for version in 0..self.copies.len() {
            for (from, bytes) in (0..12).flat_map(|from| [(from, 1), (from, usize::MAX)]) {
                found.extend(self.piece(space, version, from, bytes));
            }
        }
        found
    }

    /// A piece of a version.
    fn piece(&mut self, space: &SpaceId, version: usize, from: u64, bytes: usize) -> Option<Run> {
        let copy = self.copies[version].last_mut().expect("a copy");
        let author = copy.id();
        copy.replica.read_run(&copy.disk, space, &author, from, bytes).expect("a sound disk")
    }
}

/// The owner's access log, and entries of it that name places of the member's log.
fn named(circle: &mut Circle, places: &[Vec<LogPosition>]) -> Vec<AccessEntry> {
    let mut log = circle.owner.access_log(&circle.space);
    let node = circle.member.id();
    for places in places {
        let last = &log.last().expect("a log").statement;
        let operation = AccessOperation::Settle { node, places: places.clone() };
        let (sequence, previous) = (last.sequence + 1, last.hash());
        let statement = AccessStatement { sequence, previous, operation, ..last.clone() };
        log.push(statement.sign(&circle.owner.credentials.node_key));
    }
    log
}

fn hear(reader: &mut Node, space: &SpaceId, log: &[AccessEntry]) {
    reader
        .act(|replica, disk, _| replica.admit_access(disk, space, log, true))
        .expect("a sound log");
}

fn assert_sound(reader: &mut Node) {
    let findings = reader.replica.verify(&reader.disk, true).expect("a sound disk");
    assert_eq!(findings.problems, Vec::<String>::new());
}

/// They meet again and again, and are in sync: then they show the same.
fn assert_agreed(readers: &mut [Node], space: &SpaceId) {
    for _ in 0..3 {
        for other in 1..readers.len() {
            let (before, after) = readers.split_at_mut(other);
            for one in before {
                Line::open(one, &mut after[0]).run_for(10);
            }
        }
    }
    for other in 1..readers.len() {
        let (before, after) = readers.split_at_mut(other);
        agree(&mut before[0], &mut after[0]);
        assert_eq!(before[0].shows(space), after[0].shows(space), "in sync, and not the same");
    }
    for reader in readers {
        let (digests, shown) = (reader.digests(), reader.shows(space));
        assert_sound(reader);
        reader.restart();
        assert_eq!((reader.digests(), reader.shows(space)), (digests, shown), "after a restart");
    }
}

/// Readers that hold the keys of the space, and nothing that the member wrote.
fn readers(circle: &mut Circle) -> Vec<Node> {
    let mut second = second_machine(circle);
    let mut third = third_reader(circle);
    agree(&mut circle.owner, &mut third);
    agree(&mut circle.owner, &mut circle.colleague);
    agree(&mut circle.owner, &mut circle.member);
    agree(&mut circle.owner, &mut second);
    vec![copy_of(&circle.colleague, circle), third, second]
}

/// The owner names a place of each of two versions. Who had met the one kept it, who had met the
/// other kept that, and each told the other that they were in sync.
#[test]
fn threat_24_an_owner_that_names_two_versions_of_a_log_does_not_part_its_members() {
    // Of two names for one place the first stands, and nothing is named beyond.
    for (first, second, counted) in [(2, 4, 2), (4, 2, 2), (3, 3, 5)] {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let mut readers = readers(&mut circle);
        let mut versions = Versions::begin(&circle);
        for _ in 0..5 {
            versions.extend(&circle, 0);
        }
        versions.branch(&circle, 0, 1, 4);
        for (version, reader) in readers.iter_mut().enumerate().take(2) {
            let run = versions.piece(&space, version, 0, usize::MAX).expect("entries");
            hand(reader, &run).expect("a sound run");
        }
        let places = [versions.place(&space, 0, first), versions.place(&space, 1, second)];
        let log = named(&mut circle, &places.map(|place| vec![place]));
        for reader in &mut readers {
            hear(reader, &space, &log);
        }
        assert_agreed(&mut readers, &space);
        assert_eq!(readers[0].shows(&space).len(), counted, "as far as one goes");
        let aside = readers[0].replica.quarantine(&readers[0].disk).expect("a sound disk");
        assert_eq!(aside.len(), 5 - counted, "and who has the rest sees that it does not count");
    }
}

/// One thing that a reader may take before the others, in whatever order.
#[derive(Clone)]
enum Happening {
    Takes(Run),
    Hears(Vec<AccessEntry>),
    Meets,
}

/// A version that goes as another up to some entry, and then on by itself for so many.
fn any_branch() -> impl Strategy<Value = (Index, Index, usize)> {
    (any::<Index>(), any::<Index>(), 1..6_usize)
}

/// Places of versions that one entry of the access log names.
fn any_names() -> impl Strategy<Value = Vec<(Index, Index)>> {
    prop::collection::vec((any::<Index>(), any::<Index>()), 1..4)
}

proptest! {
    #![proptest_config(cases(60))]

    /// Whatever versions there are, whichever places of them are named, and whatever a reader meets
    /// of all that in whatever order: in the end all of them show the same.
    #[test]
    fn members_agree_whichever_places_of_whichever_versions_are_named(
        trunk in 2..8_usize,
        branches in prop::collection::vec(any_branch(), 1..4),
        names in prop::collection::vec(any_names(), 1..4),
        orders in prop::array::uniform3(prop::collection::vec(any::<Index>(), 0..14)),
    ) {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let mut readers = readers(&mut circle);
        let mut versions = Versions::begin(&circle);
        for _ in 0..trunk {
            versions.extend(&circle, 0);
        }
        for (version, length, entries) in branches {
            let version = version.index(versions.copies.len());
            let length = length.index(versions.copies[version].len());
            versions.branch(&circle, version, length, entries);
        }
        let places: Vec<_> =
            names.iter().map(|names| versions.places(&space, names)).collect();
        let log = named(&mut circle, &places);
        let before = log.len() - places.len();
        let mut happenings: Vec<_> = (0..=places.len())
            .map(|count| Happening::Hears(log[..before + count].to_vec()))
            .collect();
        happenings.push(Happening::Meets);
        happenings.extend(versions.pieces(&space).into_iter().map(Happening::Takes));
        for turn in 0..14 {
            for (number, order) in orders.iter().enumerate() {
                let Some(index) = order.get(turn) else { continue };
                match index.get(&happenings) {
                    Happening::Takes(run) => drop(hand(&mut readers[number], run)),
                    Happening::Hears(log) => hear(&mut readers[number], &space, log),
                    Happening::Meets => {
                        let (one, others) = readers.split_at_mut(1);
                        Line::open(&mut one[0], &mut others[turn % 2]).run_for(3);
                    }
                }
                assert_sound(&mut readers[number]);
            }
        }
        for reader in &mut readers {
            hear(reader, &space, &log);
        }
        assert_agreed(&mut readers, &space);
    }
}
