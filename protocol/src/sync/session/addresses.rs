//! Where nodes are: compared once after the greeting, told while live. It is no part of what two
//! nodes must have alike to be in sync: who blocked somebody takes no addresses of theirs.

use super::Session;
use super::portions::portions;
use super::send::MESSAGE_BYTES;
use crate::codec;
use crate::identity::AddressRecord;
use crate::ids::{NodeId, OrganisationId};
use crate::limits;
use crate::replica::Replica;
use crate::sync::Addresses;
use crate::sync::effect::{CloseReason, Effect, Effects};
use crate::sync::exchange::Task;
use crate::sync::message::Message;
use std::collections::{BTreeMap, BTreeSet};

impl Session {
    /// Tells the digest of the records that the partner may have.
    pub(super) fn offer_addresses(
        partner: &OrganisationId,
        replica: &Replica,
        effects: &mut Effects,
    ) {
        let digest = replica.address_digest(partner).map(Addresses::Digest);
        effects.extend(digest.map(Message::Addresses).map(Effect::Send));
    }

    /// A digest that differs is answered with numbers, numbers with what they lack.
    pub(super) fn handle_addresses(
        &mut self,
        said: Addresses,
        replica: &Replica,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let partner = self.partner()?;
        match said {
            Addresses::Digest(theirs) => {
                if replica.address_digest(&partner) != Some(theirs) {
                    let numbers = Addresses::Numbers(replica.address_numbers(&partner));
                    effects.push(Effect::Send(Message::Addresses(numbers)));
                }
            }
            Addresses::Numbers(theirs) => {
                if theirs.len() > limits::ADDRESS_RECORDS_MAX {
                    return Err(CloseReason::Misbehaved("too many address records named"));
                }
                let theirs: BTreeMap<_, _> = theirs.into_iter().collect();
                let lacks = |(node, number): &(NodeId, u64)| {
                    *node != self.node && theirs.get(node).is_none_or(|known| known < number)
                };
                let ours = replica.address_numbers(&partner).into_iter().filter(lacks);
                let nodes: BTreeSet<_> = ours.map(|(node, _)| node).collect();
                if !nodes.is_empty() {
                    self.exchange.push(Task::Addresses { nodes });
                }
            }
            Addresses::Records(_) => {}
        }
        Ok(())
    }

    /// Tells where a node is that just said so.
    pub(super) fn push_addresses(
        &mut self,
        node: NodeId,
        partner: &OrganisationId,
        replica: &Replica,
    ) {
        let nodes = BTreeSet::from([node]);
        if node != self.node && !replica.address_records(partner, &nodes).is_empty() {
            self.exchange.push(Task::Addresses { nodes });
        }
    }
}

/// Records in as many messages as they need.
pub(super) fn address_messages(records: Vec<AddressRecord>) -> Vec<Message> {
    let size = |record: &AddressRecord| codec::encode(record).len();
    portions(records, limits::ADDRESS_RECORDS_MAX, MESSAGE_BYTES, size)
        .into_iter()
        .map(|records| Message::Addresses(Addresses::Records(records)))
        .collect()
}
