//! Random histories: what organisations do, while things go wrong, all from one seed.

use super::{PeerIndex, World, practice};
use serde_json::json;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::WriteTarget;
use std::collections::BTreeMap;
use std::ops::Range;

const MOVES: usize = 100;
const NODES_MAX: usize = 8;
/// The organisations that may own spaces.
const OWNERS: usize = 2;

/// Which seeds to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Range<u64>);

impl Seeds {
    /// From `start..end` or a count.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let Some((start, end)) = text.split_once("..") else {
            return Some(Self(0..text.trim().parse().ok()?));
        };
        Some(Self(start.trim().parse().ok()?..end.trim().parse().ok()?))
    }
}

/// What a history has made so far.
struct Made {
    spaces: Vec<SpaceId>,
    records: BTreeMap<SpaceId, Vec<RecordId>>,
}

/// Plays the history of the world's seed to its end, and checks what must hold.
///
/// # Panics
/// When something does not hold.
pub fn play(world: &mut World) {
    let count = 2 + world.below(3);
    for _ in 0..count {
        world.add();
    }
    befriend(world, count);
    let mut made = Made { spaces: Vec::new(), records: BTreeMap::new() };
    for _ in 0..=world.below(2) {
        let owner = world.below(OWNERS);
        let space = world.create_space(owner);
        made.spaces.push(space);
        let title = world.promises.mark();
        let record = world.new_practice(owner, space, &title);
        made.records.insert(space, vec![record]);
    }
    if world.below(4) == 0 {
        let house = world.below(count);
        world.take_line_away(house);
    }
    world.be_lazy();
    world.bears_grudges = world.below(8) == 0;
    let calm = world.below(6);
    for _ in 0..MOVES {
        if world.below(6) > calm {
            world.go_wrong();
        } else {
            made.go_on(world);
        }
    }
    world.rest();
    world.check_rest(&made.spaces);
}

/// Owners are partners of everyone; the others of some.
fn befriend(world: &mut World, count: usize) {
    let are_all = world.below(2) == 0;
    for one in 0..count {
        for other in one + 1..count {
            if one < OWNERS || are_all || world.below(2) == 0 {
                world.befriend(one, other);
                world.connect(one, other);
            }
        }
    }
}

impl Made {
    fn go_on(&mut self, world: &mut World) {
        match world.below(15) {
            0..=2 => self.change_access(world),
            3..=7 => self.write(world),
            8 => change_nodes(world),
            9 if world.below(12) == 0 => self.break_the_rules(world),
            10 if world.below(3) == 0 => self.erase(world),
            11 => self.hand_over(world),
            12 if world.below(2) == 0 => self.meet(world),
            13 if world.below(2) == 0 => copy_nodes(world),
            14 if world.has_islands() => world.use_post(),
            _ => {
                for _ in 0..world.below(60) {
                    world.step();
                }
            }
        }
    }

    /// A space, and a node that believes it writes its access log, or any.
    fn space(&self, world: &mut World) -> (PeerIndex, SpaceId) {
        let space = self.spaces[world.below(self.spaces.len())];
        let writers = world.writers_of(&space);
        let one = world.below(writers.len());
        (writers.get(one).copied().unwrap_or(one), space)
    }

    fn change_access(&self, world: &mut World) {
        let (owner, space) = self.space(world);
        let member = world.below(world.len());
        let roles = [Role::Carrier, Role::Reader, Role::Contributor, Role::Contributor];
        let role = roles[world.below(roles.len())];
        let history = history(world);
        match world.below(19) {
            0..=11 => drop(world.grant(owner, space, member, role, history)),
            12..=15 => drop(world.revoke(owner, space, member)),
            16 if member != owner => drop(world.cut_node(owner, space, member)),
            _ => drop(world.rotate(owner, space)),
        }
    }

    /// A space passes to another organisation, in two steps with much in between.
    fn hand_over(&self, world: &mut World) {
        let (owner, space) = self.space(world);
        let takers = pick(world, |world, peer| world.peer_mut(peer).offered_to(&space));
        if let Some(taker) = takers.filter(|_| world.below(3) > 0) {
            drop(world.take_over(taker, space));
            return;
        }
        let contributor = pick(world, |world, peer| {
            peer != owner && world.peers[peer].replica.own_role(&space) == Some(Role::Contributor)
        });
        let other = contributor.unwrap_or_else(|| world.below(world.len()));
        if world.below(4) > 0 {
            drop(world.offer(owner, space, other));
        } else {
            let is_successor = world.below(2) == 0;
            world.declare_succession(owner, other, is_successor);
        }
    }

    /// Somebody joins late, or a partner is removed, or taken back.
    fn meet(&self, world: &mut World) {
        let (owner, space) = self.space(world);
        if world.below(3) > 0 || world.len() >= NODES_MAX {
            let (one, other) = (world.below(world.len()), world.below(world.len()));
            if world.below(3) == 0 {
                world.block(one, other);
            } else {
                world.unblock(one, other);
            }
            return;
        }
        let roles = [Role::Reader, Role::Contributor];
        let role = roles[world.below(roles.len())];
        let history = history(world);
        world.join(owner, space, role, history);
    }

    fn erase(&self, world: &mut World) {
        let (owner, space) = self.space(world);
        let Some(records) = self.records.get(&space) else { return };
        let record = records[world.below(records.len())];
        drop(world.erase(owner, space, record));
    }

    fn break_the_rules(&self, world: &mut World) {
        let (_, space) = self.space(world);
        let (peer, other) = (world.below(world.len()), world.below(world.len()));
        world.write_anyway(peer, other, space);
    }

    fn write(&mut self, world: &mut World) {
        let (_, space) = self.space(world);
        let peer = world.below(world.len());
        let records = self.records.entry(space).or_default();
        let title = world.promises.mark();
        if records.is_empty() || world.below(4) == 0 {
            let target = WriteTarget::New(Kind::Practice);
            records.extend(world.write(peer, space, target, practice(&title)));
            return;
        }
        let target = WriteTarget::Existing(records[world.below(records.len())]);
        let fields = match world.below(3) {
            0 => json!({ "problem": format!("Il problema visto dal nodo {peer}: {title}") }),
            1 => json!({ "title": title, "maturity": "adottata" }),
            _ => json!({ "title": title }),
        };
        drop(world.write(peer, space, target, fields));
    }
}

fn history(world: &mut World) -> History {
    if world.below(3) == 0 { History::Now } else { History::Start }
}

/// One of the nodes of which something is true.
fn pick(world: &mut World, is_fit: impl Fn(&mut World, PeerIndex) -> bool) -> Option<PeerIndex> {
    let fit: Vec<_> = (0..world.len()).filter(|peer| is_fit(world, *peer)).collect();
    let one = world.below(fit.len());
    fit.get(one).copied()
}

fn change_nodes(world: &mut World) {
    let peer = world.below(world.len());
    match world.below(11) {
        0..=3 if world.len() < NODES_MAX && world.peers[peer].is_good() => {
            world.add_node(peer);
        }
        0..=4 => world.revoke_node(peer),
        5 | 6 => {
            let other = pick(world, |world, peer| {
                world.peers[peer].is_good()
                    && world.organisations[world.peers[peer].house].primary != peer
            });
            if let Some(peer) = other {
                world.name_primary(peer);
            }
        }
        7 => world.rotate_sealing(peer),
        8 | 9 => world.rotate_sealing_apart(peer),
        _ => world.rotate_root(peer),
    }
}

/// Disks are copied now and then; rarely a copy is started.
fn copy_nodes(world: &mut World) {
    let peer = world.below(world.len());
    match world.below(16) {
        0 | 1 => world.restore(peer),
        2 if world.len() < NODES_MAX && world.peers[peer].is_good() => {
            world.clone_node(peer);
        }
        _ => world.back_up(peer),
    }
}
