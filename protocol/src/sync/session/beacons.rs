//! Where nodes are: compared once after the greeting, told while live. It is no part of what two
//! nodes must have alike to be in sync: who blocked somebody takes no addresses of theirs.

use super::Session;
use super::portions::portions;
use super::send::MESSAGE_BYTES;
use crate::codec;
use crate::identity::Beacon;
use crate::ids::{NodeId, OrganisationId};
use crate::limits;
use crate::replica::Replica;
use crate::sync::Beacons;
use crate::sync::effect::{CloseReason, Effect, Effects};
use crate::sync::exchange::Task;
use crate::sync::message::Message;
use std::collections::{BTreeMap, BTreeSet};

impl Session {
    /// Tells the digest of the records that the partner may have.
    pub(super) fn offer_beacons(
        partner: &OrganisationId,
        replica: &Replica,
        effects: &mut Effects,
    ) {
        let digest = replica.beacon_digest(partner).map(Beacons::Digest);
        effects.extend(digest.map(Message::Beacons).map(Effect::Send));
    }

    /// A digest that differs is answered with numbers, numbers with what they lack.
    pub(super) fn handle_beacons(
        &mut self,
        said: Beacons,
        replica: &Replica,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let partner = self.partner()?;
        match said {
            Beacons::Digest(theirs) => {
                if replica.beacon_digest(&partner) != Some(theirs) {
                    let numbers = Beacons::Numbers(replica.beacon_numbers(&partner));
                    effects.push(Effect::Send(Message::Beacons(numbers)));
                }
            }
            Beacons::Numbers(theirs) => {
                if theirs.len() > limits::BEACONS_MAX {
                    return Err(CloseReason::Misbehaved("too many beacons named"));
                }
                let theirs: BTreeMap<_, _> = theirs.into_iter().collect();
                // The other node's own too: of one that it does not know, it learns that it runs
                // twice.
                let lacks = |(node, number): &(NodeId, u64)| {
                    theirs.get(node).is_none_or(|known| known < number)
                };
                let ours = replica.beacon_numbers(&partner).into_iter().filter(lacks);
                let nodes: BTreeSet<_> = ours.map(|(node, _)| node).collect();
                if !nodes.is_empty() {
                    self.exchange.push(Task::Beacons { nodes });
                }
            }
            Beacons::Records(_) => {}
        }
        Ok(())
    }

    /// Tells where a node is that just said so.
    pub(super) fn push_beacon(
        &mut self,
        node: NodeId,
        partner: &OrganisationId,
        replica: &Replica,
    ) {
        let nodes = BTreeSet::from([node]);
        if node != self.node && !replica.beacons(partner, &nodes).is_empty() {
            self.exchange.push(Task::Beacons { nodes });
        }
    }
}

/// Records in as many messages as they need.
pub(super) fn beacon_messages(records: Vec<Beacon>) -> Vec<Message> {
    let size = |record: &Beacon| codec::encode(record).len();
    portions(records, limits::BEACONS_MAX, MESSAGE_BYTES, size)
        .into_iter()
        .map(|records| Message::Beacons(Beacons::Records(records)))
        .collect()
}
