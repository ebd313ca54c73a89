//! What a machine erased that only a stolen root key had named primary: the root key is rotated, the
//! erasure counts for nothing, and what it erased is gone where it was heard.

use super::circle::Circle;
use super::organisation::{Node, Organisation};
use super::origin::agree;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{RecordId, SpaceId};

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
    let mut stolen = circle.organisations[0].elsewhere();
    let credentials = stolen.add_node(61);
    stolen.say(IdentityOperation::SetPrimary { node: credentials.node_key.id() });
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut thief = Node::start(&credentials, &known);
    thief.learn(&stolen);
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
