//! Two nodes that wrote apart, what honest ones make of it, and what a hostile one may hold.

use super::line::Line;
use crate::fuzzing::cast::{Node, Organisation};
use sincronia_protocol::access::{AccessEntry, Role};
use sincronia_protocol::identity::IdentityEntry;
use sincronia_protocol::ids::{NodeId, SpaceId};
use sincronia_protocol::log::RunEntry;
use sincronia_protocol::replica::{Credentials, WriteTarget};
use sincronia_protocol::storage::MemoryStorage;
use sincronia_protocol::sync::SyncPhase;
use std::collections::BTreeMap;

/// What the two nodes begin with, and what must come of it.
pub struct Scene {
    secrets: [Credentials; 2],
    disks: [MemoryStorage; 2],
    /// Frames of honest sessions: of these two, and of others about the same space.
    pub frames: Vec<Vec<u8>>,
    /// The spaces: one of both, one of the first alone.
    pub spaces: [SpaceId; 2],
    /// Every identity log.
    pub identities: Vec<Vec<IdentityEntry>>,
    /// Every access log.
    pub access: BTreeMap<SpaceId, Vec<AccessEntry>>,
    /// Everybody's entries.
    pub entries: BTreeMap<(SpaceId, NodeId), Vec<RunEntry>>,
    shows: [BTreeMap<String, String>; 2],
    /// The secrets of a node that has nothing to say in the space.
    pub stranger: Credentials,
    /// Those of the second node, a reader in the second space.
    pub reader: Credentials,
}

impl Scene {
    /// The owner, a member that may write in one space and read in another, and a third.
    pub fn new() -> Self {
        let organisations: Vec<_> = (1..=4).map(Organisation::found).collect();
        let known: Vec<_> = organisations.iter().collect();
        let start = |at: usize| Node::start(&organisations[at], &known);
        let mut nodes = [start(0), start(1)];
        let third = start(2);
        let spaces = [(); 2]
            .map(|()| nodes[0].act(|replica, disk, random| replica.create_space(disk, random)));
        nodes[0].grant(&spaces[0], organisations[1].id(), Role::Contributor);
        nodes[0].grant(&spaces[0], organisations[2].id(), Role::Contributor);
        nodes[0].grant(&spaces[1], organisations[1].id(), Role::Reader);
        let record = nodes[0].note(&spaces[0], "Della titolare");
        let gone = nodes[0].note(&spaces[0], "Da cancellare");
        nodes[0].note(&spaces[1], "Da leggere");
        let mut frames = Vec::new();
        let [owner, member] = nodes;
        let (owner, mut member) = meet(owner, member, &mut frames);
        let (mut owner, mut third) = meet(owner, third, &mut frames);
        owner.write(&spaces[0], WriteTarget::Existing(record), "Cambiata qui");
        member.write(&spaces[0], WriteTarget::Existing(record), "Cambiata là");
        member.note(&spaces[0], "Nuova del membro");
        third.note(&spaces[0], "Nuova di un terzo");
        let (mut owner, _) = meet(owner, third, &mut frames);
        owner.act(|replica, disk, _| replica.erase(disk, &spaces[0], &gone));
        owner.act(|replica, disk, random| replica.rotate(disk, &spaces[0], random));
        owner.note(&spaces[0], "Sotto nuova chiave");
        Self::settled([owner, member], frames, spaces, &organisations)
    }

    fn settled(
        nodes: [Node; 2],
        frames: Vec<Vec<u8>>,
        spaces: [SpaceId; 2],
        organisations: &[Organisation],
    ) -> Self {
        let secrets = nodes.each_ref().map(|node| node.credentials.clone());
        let disks = nodes.each_ref().map(|node| node.disk.clone());
        let identities = organisations.iter().map(|one| one.entries.clone()).collect();
        let mut scene = Self {
            stranger: organisations[3].credentials.clone(),
            reader: secrets[1].clone(),
            secrets,
            disks,
            frames,
            spaces,
            identities,
            access: BTreeMap::new(),
            entries: BTreeMap::new(),
            shows: [BTreeMap::new(), BTreeMap::new()],
        };
        let mut nodes = scene.nodes();
        let mut noted = Vec::new();
        let mut line = Line::open(&mut nodes, &mut noted);
        assert!(line.run_sound(), "the exchange does not end");
        assert_eq!(line.phases(), [SyncPhase::InSync; 2], "the honest session");
        drop(line);
        scene.frames.extend(super::line::read(&noted).into_iter().map(|(_, frame)| frame));
        scene.frames.sort();
        scene.frames.dedup();
        scene.shows = nodes.each_ref().map(Node::shows);
        assert!(scene.shows[0].len() >= 4, "{:?}", scene.shows);
        for space in spaces {
            let log = access_log(&nodes[0], &space);
            scene.access.insert(space, log);
            for node in authors(organisations) {
                let found = entries(&mut nodes[0], &space, &node);
                scene.entries.insert((space, node), found);
            }
        }
        scene
    }

    /// The two nodes as they are before they meet.
    pub fn nodes(&self) -> [Node; 2] {
        [0, 1].map(|at| Node::wake(&self.secrets[at], &self.disks[at]))
    }

    /// Panics if something stands on a disk that nobody with the right to it signed.
    pub fn check(&self, nodes: &mut [Node; 2], deep: bool) {
        for node in nodes {
            for (space, honest) in &self.access {
                let log = access_log(node, space);
                assert!(honest.starts_with(&log), "an access entry that nobody signed");
            }
            for ((space, author), honest) in &self.entries {
                if (*space, *author) == (self.spaces[1], self.reader.node_key.id()) {
                    // What a member signs without the right to is kept, set aside.
                    self.check_shows_nothing_else(node, space);
                    continue;
                }
                let found = entries(node, space, author);
                let is_honest = found.len() <= honest.len()
                    && found.iter().zip(honest).all(|(one, other)| is_same(one, other));
                assert!(is_honest, "an entry that nobody signed");
            }
            let known = node.replica.summaries().map(|(space, _)| *space);
            assert!(known.into_iter().all(|space| self.access.contains_key(&space)));
            if deep {
                let findings = node.replica.verify(&node.disk, true).expect("a sound disk");
                assert!(findings.problems.is_empty(), "{:?}", findings.problems);
            }
        }
    }

    /// Panics if a node shows another record of a space than honest nodes do.
    fn check_shows_nothing_else(&self, node: &Node, space: &SpaceId) {
        let shown = node.shows();
        let mut records = shown.keys().filter(|name| name.starts_with(&space.to_string()));
        let is_honest = |name: &String| self.shows.iter().any(|shows| shows.contains_key(name));
        assert!(records.all(is_honest), "a record that a reader made");
    }

    /// Panics unless a sound line brings the two nodes to what honest ones show.
    pub fn check_agreement(&self, nodes: &mut [Node; 2]) {
        let mut noted = Vec::new();
        let mut line = Line::open(nodes, &mut noted);
        let (is_quiet, phases) = (line.run_sound(), line.phases());
        drop(line);
        if nodes[1].replica.is_cloned() {
            // Somebody else signed with the reader's key: its own node stops, and says so. The two
            // agree again when its organisation has revoked it.
            return;
        }
        assert!(is_quiet, "the exchange does not end");
        assert_eq!(phases, [SyncPhase::InSync; 2], "no agreement after an attack");
        for (node, shows) in nodes.iter().zip(&self.shows) {
            assert_eq!(node.shows(), *shows, "an attack left something behind");
        }
    }
}

/// A body may be there or, erased, only its hash.
fn is_same(one: &RunEntry, other: &RunEntry) -> bool {
    one.body.hash_and_length() == other.body.hash_and_length()
}

fn authors(organisations: &[Organisation]) -> Vec<NodeId> {
    organisations.iter().map(|one| one.credentials.node_key.id()).collect()
}

fn access_log(node: &Node, space: &SpaceId) -> Vec<AccessEntry> {
    let entries = node.replica.access_entries(&node.disk, space, 0, u64::MAX, usize::MAX);
    entries.expect("a sound disk")
}

fn entries(node: &mut Node, space: &SpaceId, author: &NodeId) -> Vec<RunEntry> {
    if node.replica.summary(space).is_none() {
        return Vec::new();
    }
    let run = node.replica.read_run(&node.disk, space, author, 0, usize::MAX);
    run.expect("a sound disk").map_or_else(Vec::new, |run| run.entries)
}

/// The two meet over a sound line; what was said is kept.
fn meet(one: Node, other: Node, frames: &mut Vec<Vec<u8>>) -> (Node, Node) {
    let (mut nodes, mut noted) = ([one, other], Vec::new());
    assert!(Line::open(&mut nodes, &mut noted).run_sound(), "the exchange does not end");
    frames.extend(super::line::read(&noted).into_iter().map(|(_, frame)| frame));
    let [one, other] = nodes;
    (one, other)
}
