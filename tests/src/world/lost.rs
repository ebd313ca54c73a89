//! Keys that died with the only machine that held them, and that the owner could not give up:
//! whoever lacks one says so for ever, and is right. Nothing else is expected of it than what does
//! not need them.

use super::{PeerIndex, World};
use sincronia_protocol::access::Role;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::replica::SpaceHeads;
use sincronia_protocol::storage::{Storage, Table};

impl World {
    /// What a node tells of a space, and whether it lacks keys that nobody has who might give them.
    pub(super) fn heads_at(&mut self, peer: PeerIndex, space: &SpaceId) -> SpaceHeads {
        let one = &mut self.peers[peer];
        let organisation = one.replica.organisation();
        let heads = one.replica.heads_for(&one.disk, &organisation, space);
        heads.expect("a sound disk").unwrap_or_else(|| SpaceHeads::absent(*space))
    }

    /// Whether everything that a node waits for in a space is lost: some, and all of it. What it
    /// asks for besides, without waiting, keeps it apart from nobody and is no excuse; what was
    /// given up is not to be waited for.
    pub(super) fn lacks_only_what_is_lost(&self, peer: PeerIndex, heads: &SpaceHeads) -> bool {
        let space = &heads.space;
        let replica = &self.peers[peer].replica;
        let Some(summary) = replica.summary(space) else { return false };
        let own = replica.organisation();
        let waits_for = usize::try_from(summary.lacking).expect("names in one message");
        let mut waits_for = heads.lacking.iter().take(waits_for).peekable();
        let carries = summary.role(&own) == Some(Role::Carrier);
        let givers: Vec<_> = self
            .members(peer, space)
            .into_iter()
            // A member keeps the keyrings of its own nodes alone, and gives them to whom it meets.
            .filter(|other| *other != peer && self.are_partners(peer, *other))
            .filter(|other| {
                let theirs = self.organisation(*other);
                carries || theirs == own || theirs == summary.owner || own == summary.owner
            })
            .collect();
        let Some(holding) = self.ledger(space).at(&summary.access.head) else { return false };
        let is_lost = |name: &[u8; 32]| {
            let place = [space.as_bytes().as_slice(), name].concat();
            !holding.gave_up(name)
                && givers.iter().all(|giver| {
                    let disk = &self.peers[*giver].disk;
                    let is_absent =
                        |table| disk.read(table, &place).expect("a disk in memory").is_none();
                    // Keys are handed over on lines only; a bundle is for all nodes of its
                    // recipient.
                    let is_out_of_reach = is_absent(Table::Keys) || !self.has_line(peer, *giver);
                    is_out_of_reach && is_absent(Table::Sealed)
                })
        };
        // A bundle hands no keys over to a single node.
        waits_for.peek().is_some()
            && (self.has_island_in(peer, space) || waits_for.all(|name| is_lost(name)))
    }

    /// Whether a member of a space, or the one that asks, has no line.
    fn has_island_in(&self, peer: PeerIndex, space: &SpaceId) -> bool {
        let members = self.members(peer, space);
        members.into_iter().any(|member| !self.is_on_line(member))
    }
}
