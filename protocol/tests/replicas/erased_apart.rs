//! What a machine erased that only a stolen root key had named primary: the root key is rotated,
//! the erasure counts for nothing, and what it erased is gone where it was heard.

use super::adversary::new_practice;
use super::circle::Circle;
use super::forging::{forger, take};
use super::line::Line;
use super::organisation::{Node, Organisation};
use super::origin::agree;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::{EntryHash, RecordId, SpaceId};
use sincronia_protocol::log::{AccessPoint, RunError};
use sincronia_protocol::replica::{QuarantineReason, ReplicaError};
use sincronia_protocol::storage::{Batch, Table};
use sincronia_protocol::sync::SyncPhase;

/// A circle in which everybody had what all wrote, when a thief erased a record of each.
struct Theft {
    circle: Circle,
    thief: Node,
    stolen: Organisation,
    /// Of the owner, the member and the colleague.
    records: [RecordId; 3],
}

const TITLES: [&str; 3] = ["Dell'ente", "Del membro", "Del collega"];

fn theft() -> Theft {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let records = [
        circle.owner.note(&space, TITLES[0]),
        circle.member.note(&space, TITLES[1]),
        circle.colleague.note(&space, TITLES[2]),
    ];
    circle.settle();
    circle.member.rename(&space, records[0], "Corretta").unwrap();
    circle.member.rename(&space, records[0], TITLES[0]).unwrap();
    circle.settle();
    let (mut thief, stolen) = circle.thief();
    circle.member.learn(&stolen);
    agree(&mut circle.member, &mut thief);
    Theft { circle, thief, stolen, records }
}

impl Theft {
    /// The thief erases all records but the last `kept`, and the member hears of it.
    fn erase(&mut self, kept: usize) {
        let space = self.circle.space;
        for record in &self.records[..self.records.len() - kept] {
            self.thief.erase(&space, record).unwrap();
        }
        agree(&mut self.circle.member, &mut self.thief);
    }

    fn rotate(&mut self) {
        self.circle.organisations[0].rotate_root();
        let Circle { organisations: [first, ..], owner, member, colleague, .. } = &mut self.circle;
        for node in [owner, member, colleague] {
            node.learn(first);
        }
    }
}

/// What is gone at a node, as it tells its partners and its people.
fn gone(node: &mut Node, space: &SpaceId) -> u64 {
    let own = node.organisation();
    let heads = node.replica.heads_for(&node.disk, &own, space).unwrap().unwrap();
    let told: u64 = heads.missing.iter().map(|(_, from, to)| to - from).sum();
    let shown = node.replica.missing_bodies();
    assert_eq!(shown.get(space).map_or(0, |one| one.bodies), told);
    told
}

fn titles(node: &Node, theft: &[RecordId; 3], space: &SpaceId) -> [Option<String>; 3] {
    theft.each_ref().map(|record| node.title(space, record))
}

fn all_titles() -> [Option<String>; 3] {
    TITLES.map(|one| Some(one.to_owned()))
}

fn problems(node: &mut Node) -> Vec<String> {
    node.replica.verify(&node.disk, true).unwrap().problems
}

/// The member, of which the thief erased something too, had called itself in sync, and nobody gave
/// it back what it had lost.
#[test]
fn what_a_thief_erased_comes_back_from_those_who_did_not_hear_of_it() {
    for (restarts, kept) in [(false, 0), (true, 0), (false, 1), (true, 2)] {
        let mut theft = theft();
        theft.erase(kept);
        let (space, records) = (theft.circle.space, theft.records);
        let erased = records.len() - kept;
        let shown = titles(&theft.circle.member, &records, &space);
        assert!(shown[..erased].iter().all(Option::is_none), "{shown:?}");
        theft.rotate();
        if restarts {
            theft.circle.member.restart();
        }
        let Circle { owner, member, colleague, .. } = &mut theft.circle;
        assert!(gone(member, &space) >= erased as u64);
        assert!(!problems(member).is_empty());
        assert_ne!(member.digests(), colleague.digests(), "nobody calls it in sync");
        // What is written meanwhile arrives all the same.
        let later = member.note(&space, "Dopo il furto");
        agree(member, colleague);
        assert_eq!(gone(member, &space), 0);
        agree(owner, colleague);
        for node in [owner, member, colleague] {
            assert_eq!(titles(node, &records, &space), all_titles());
            assert_eq!(node.title(&space, &later).as_deref(), Some("Dopo il furto"));
            assert_eq!(problems(node), Vec::<String>::new());
            node.restart();
            assert_eq!(titles(node, &records, &space), all_titles());
            assert_eq!(gone(node, &space), 0);
        }
    }
}

/// As [`agree`], of two that stay apart.
fn differ(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_for(20);
    assert_eq!(line.closed, Vec::new());
    assert!(!line.phases().contains(&SyncPhase::InSync));
    assert_ne!(one.digests(), other.digests());
}

/// Everybody heard of the thief. What they write goes on to all of them, and whoever comes later
/// gets it once the owner has erased, by its own word, what nobody has any more.
#[test]
fn where_nobody_has_it_any_more_all_go_on_and_the_owner_erases_it() {
    let mut theft = theft();
    let (space, records) = (theft.circle.space, theft.records);
    for node in [&mut theft.circle.owner, &mut theft.circle.colleague] {
        node.learn(&theft.stolen);
    }
    theft.erase(0);
    agree(&mut theft.circle.owner, &mut theft.circle.member);
    agree(&mut theft.circle.colleague, &mut theft.circle.member);
    theft.rotate();
    let Circle { owner, member, colleague, outsider, organisations, .. } = &mut theft.circle;
    for _ in 0..2 {
        let later = member.note(&space, "Dopo il furto");
        agree(member, colleague);
        agree(colleague, owner);
        assert_eq!(gone(owner, &space), gone(member, &space));
        assert_eq!(owner.title(&space, &later).as_deref(), Some("Dopo il furto"));
        for node in [&mut *owner, member, colleague] {
            node.restart();
        }
    }
    let named = owner.replica.missing_bodies().remove(&space).unwrap().records;
    assert!(records.iter().all(|record| named.contains(record)));
    // Nobody hands on what leaves out bodies without a word of it.
    outsider.learn(&organisations[0]);
    owner.grant(&space, outsider.organisation(), Role::Reader, History::Start).unwrap();
    differ(owner, outsider);
    assert!(outsider.shows(&space).is_empty());
    for record in &records {
        owner.erase(&space, record).unwrap();
        assert_eq!(owner.erase(&space, record), Err(ReplicaError::Erased));
    }
    for node in [outsider, member, colleague] {
        agree(owner, node);
        assert_eq!(gone(node, &space), 0);
        assert_eq!(problems(node), Vec::<String>::new());
        assert_eq!(node.shows(&space), owner.shows(&space));
        assert_eq!(node.shows(&space).len(), 2, "what was written since");
    }
}

/// One heard of one erasure and the other of another: each has what the other lacks.
#[test]
fn those_who_lack_different_bodies_give_them_to_each_other() {
    for first in [0, 1, 2] {
        let mut theft = theft();
        let (space, records) = (theft.circle.space, theft.records);
        let known: Vec<_> = theft.circle.organisations.iter().collect();
        let mut other = Node::start(&theft.thief.credentials, &known);
        other.disk = theft.thief.disk.clone();
        other.restart();
        theft.circle.colleague.learn(&theft.stolen);
        theft.thief.erase(&space, &records[first]).unwrap();
        other.erase(&space, &records[(first + 1) % 3]).unwrap();
        agree(&mut theft.circle.member, &mut theft.thief);
        agree(&mut theft.circle.colleague, &mut other);
        theft.rotate();
        let Circle { member, colleague, .. } = &mut theft.circle;
        assert!(gone(member, &space) > 0 && gone(colleague, &space) > 0);
        agree(member, colleague);
        for node in [member, colleague] {
            assert_eq!(titles(node, &records, &space), all_titles());
            assert_eq!(gone(node, &space), 0);
            assert_eq!(problems(node), Vec::<String>::new());
        }
    }
}

/// What the owner erased, too, is gone for good.
#[test]
fn what_the_owner_erased_too_does_not_come_back() {
    let mut theft = theft();
    let (space, records) = (theft.circle.space, theft.records);
    theft.erase(0);
    theft.circle.owner.erase(&space, &records[1]).unwrap();
    theft.rotate();
    let Circle { owner, member, colleague, .. } = &mut theft.circle;
    agree(member, owner);
    agree(member, colleague);
    let [first, _, third] = all_titles();
    for node in [owner, member, colleague] {
        assert_eq!(titles(node, &records, &space), [first.clone(), None, third.clone()]);
        assert_eq!(gone(node, &space), 0);
        assert_eq!(problems(node), Vec::<String>::new());
    }
}

/// Where it had happened before anything was noted, it is found at the next start.
#[test]
fn what_was_lost_before_it_was_noted_is_found_once() {
    let mut theft = theft();
    let (space, records) = (theft.circle.space, theft.records);
    theft.erase(0);
    theft.rotate();
    let Circle { member, colleague, .. } = &mut theft.circle;
    let before = gone(member, &space);
    let settings = member.disk.values(Table::Settings);
    let noted = settings.filter(|(key, _)| key.starts_with(b"missing bodies "));
    let noted: Vec<_> = noted.map(|(key, _)| key.to_vec()).collect();
    assert_eq!(noted.len(), 3, "for each log");
    let mut batch = Batch::default();
    for key in noted {
        batch.delete(Table::Settings, key);
    }
    member.disk.commit(&batch);
    member.restart();
    assert_eq!(gone(member, &space), before);
    agree(member, colleague);
    assert_eq!(titles(member, &records, &space), all_titles());
}

/// Nobody can bring what is missing in another wording, and leaves out only what is missing.
#[test]
fn a_run_leaves_out_only_what_is_missing_here_too() {
    let mut theft = theft();
    let (space, records) = (theft.circle.space, theft.records);
    theft.erase(2);
    theft.rotate();
    let Circle { owner, member, colleague, .. } = &mut theft.circle;
    let node = member.id();
    let mut own = member.replica.read_run(&member.disk, &space, &node, 0, 9_999).unwrap().unwrap();
    assert!(own.entries.iter().any(|entry| entry.body.is_erased()));
    let refused = take(colleague, &own);
    assert_eq!(refused, Err(RunError::BodyMissing.into()));
    // It repeats what is here.
    take(member, &own).unwrap();
    own.entries[0].body = own.entries[0].body.erased();
    assert_eq!(take(member, &own), Err(RunError::BodyMissing.into()));
    let owner_log = owner.id();
    let mut forged =
        colleague.replica.read_run(&colleague.disk, &space, &owner_log, 0, 9_999).unwrap().unwrap();
    forged.entries[0].body = vec![7; 64].into();
    assert!(take(member, &forged).is_err());
    assert!(gone(member, &space) > 0);
    agree(member, colleague);
    assert_eq!(titles(member, &records, &space), all_titles());
}

/// Two that exchange files alone.
#[test]
fn what_a_thief_erased_comes_back_by_bundle() {
    let mut theft = theft();
    let (space, records) = (theft.circle.space, theft.records);
    let Circle { member, colleague, .. } = &mut theft.circle;
    let [one, other] = [member.organisation(), colleague.organisation()];
    for _ in 0..2 {
        let file = colleague.bundle(one);
        member.read(&file);
        let file = member.bundle(other);
        colleague.read(&file);
    }
    theft.erase(0);
    theft.rotate();
    let Circle { member, colleague, .. } = &mut theft.circle;
    let file = colleague.bundle(one);
    member.read(&file);
    // What the colleague made before it heard of the theft did not bring it.
    assert!(gone(member, &space) > 0);
    assert!(!member.replica.is_level_with(&member.disk, &other).unwrap());
    let file = member.bundle(other);
    colleague.read(&file);
    assert!(colleague.replica.unacknowledged(&colleague.disk, &one).unwrap() > 0);
    let file = colleague.bundle(one);
    member.read(&file);
    assert_eq!(titles(member, &records, &space), all_titles());
    assert_eq!(gone(member, &space), 0);
    assert_eq!(problems(member), Vec::<String>::new());
    assert_eq!(member.digests(), colleague.digests());
}

/// Who had heard of the thief and wrote before the key was rotated went on showing that, and nobody
/// else ever did, though all called themselves in sync: its author had seen a branch of the access
/// log that was forgotten.
#[test]
fn what_was_written_by_who_had_heard_of_a_thief_is_shown_by_all_alike() {
    for restarts in [false, true] {
        let mut theft = theft();
        theft.erase(2);
        let (space, records) = (theft.circle.space, theft.records);
        let written = theft.circle.member.note(&space, "Prima del cambio");
        theft.circle.member.rename(&space, records[2], "Corretta allora").unwrap();
        theft.rotate();
        let Circle { owner, member, colleague, .. } = &mut theft.circle;
        if restarts {
            member.restart();
        }
        let after = member.note(&space, "Dopo il cambio");
        agree(member, colleague);
        agree(owner, colleague);
        let shown = member.shows(&space);
        for node in [owner, colleague] {
            assert_eq!(node.shows(&space), shown);
            assert_eq!(node.title(&space, &written).as_deref(), Some("Prima del cambio"));
            assert_eq!(node.title(&space, &records[2]).as_deref(), Some("Corretta allora"));
            assert_eq!(node.title(&space, &after).as_deref(), Some("Dopo il cambio"));
            assert_eq!(problems(node), Vec::<String>::new());
            node.restart();
            assert_eq!(node.shows(&space), shown);
        }
    }
}

/// The thief had given the space another key as well: what was written under that is shown by
/// nobody.
#[test]
fn what_was_written_under_a_key_of_a_thief_is_shown_by_nobody() {
    let mut theft = theft();
    let space = theft.circle.space;
    theft.thief.try_rotate(&space).unwrap();
    agree(&mut theft.circle.member, &mut theft.thief);
    let written = theft.circle.member.note(&space, "Con la chiave del ladro");
    theft.rotate();
    let Circle { owner, member, colleague, .. } = &mut theft.circle;
    let after = member.note(&space, "Dopo il cambio");
    agree(member, colleague);
    agree(owner, colleague);
    for node in [owner, member, colleague] {
        assert_eq!(node.title(&space, &written), None);
        assert_eq!(node.title(&space, &after).as_deref(), Some("Dopo il cambio"));
        assert_eq!(problems(node), Vec::<String>::new());
    }
}

/// Whoever was removed gains nothing by saying that it saw what nobody knows.
#[test]
fn threat_17_who_was_removed_writes_no_more_by_having_seen_what_nobody_knows() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.settle();
    circle.organisations[0].rotate_root();
    let member = circle.member.credentials.clone();
    let mut forger = forger(&mut circle, &member, 3, 0);
    circle.remove_member();
    let Circle { organisations: [first, ..], owner, colleague, .. } = &mut circle;
    for node in [owner, colleague] {
        node.learn(first);
    }
    for length in [3, 4, 1_000_000] {
        let head = EntryHash::from_bytes([7; 32]);
        forger.access = AccessPoint { length, head };
        let run = forger.sign(&new_practice(&member, 1, "altra storia"));
        take(&mut circle.owner, &run).unwrap();
    }
    circle.settle();
    assert!(circle.owner.shows(&space).is_empty());
    let reasons: Vec<_> = circle.quarantine().into_iter().map(|one| one.2).collect();
    assert_eq!(reasons, [QuarantineReason::Late; 3]);
}
