//! Signed receipts for erasures: who carried them out, and who has not said so yet.
//!
//! Every node that holds a space says so once for all erasures that it knows, in the batch that
//! carries them out. Receipts travel to all members like entries, and are compared like them, so
//! any member can make the certificate (`certificate`).
//!
//! A receipt is a word, not a proof: nobody can see what another machine still holds.

use super::{Growth, Replica, ReplicaError, keys};
use crate::access::{AccessError, Branches, Confirmation, Receipt};
use crate::codec;
use crate::ids::{NodeId, SpaceId};
use crate::limits;
use crate::log::AccessPoint;
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

impl Replica {
    pub(super) fn load_receipts(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<BTreeMap<NodeId, Confirmation>, ReplicaError> {
        let mut receipts = BTreeMap::new();
        let mut damaged = false;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Receipts, &from, &to, &mut |_, value| {
            match minicbor::decode::<Receipt>(value) {
                Ok(receipt) => {
                    receipts.insert(receipt.confirmation.node, receipt.confirmation);
                }
                Err(_) => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged { Err(ReplicaError::Damaged(Table::Receipts.name())) } else { Ok(receipts) }
    }

    fn keep_receipt(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        receipt: &Receipt,
    ) -> Result<(), ReplicaError> {
        let confirmation = receipt.confirmation;
        self.space(disk, space)?.receipts.insert(confirmation.node, confirmation);
        let key = keys::author(space, &confirmation.node);
        self.pending.put(Table::Receipts, key, codec::encode(receipt));
        Ok(())
    }

    /// Signs that this node carried out the erasures that the access log names, unless it did.
    pub(super) fn confirm_erasures(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<(), ReplicaError> {
        let (node, own) = (self.node(), self.organisation());
        let is_cloned = self.cloned;
        let is_unfinished = self.unfinished.contains(space);
        let is_aside = self.summaries.get(space).is_some_and(|summary| summary.is_aside);
        let state = self.space(disk, space)?;
        let Some(last) = state.access.erasures().last() else { return Ok(()) };
        let known = state.receipts.get(&node);
        if is_cloned
            || is_unfinished
            || state.access.role(&own).is_none()
            || is_aside
            || known.is_some_and(|known| covers(&state.access, known, last))
        {
            return Ok(());
        }
        let number = known.map_or(0, |known| known.number.saturating_add(1));
        let access = state.access.position();
        let confirmation = Confirmation { node, number, access };
        let receipt = Receipt::sign(*space, confirmation, &self.credentials.node_key);
        self.keep_receipt(disk, space, &receipt)?;
        self.growth.push(Growth::Access { space: *space, from: access.length });
        Ok(())
    }

    /// Takes receipts of members' nodes; whether any was news.
    ///
    /// # Errors
    /// [`ReplicaError::Receipt`] when a signature does not hold; [`ReplicaError::NotPermitted`]
    /// when space or node are none of this node's business; [`AccessError::IdentityBehind`] when
    /// the node's identity log must come first. Those before it are kept.
    pub fn admit_receipts(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        receipts: &[Receipt],
    ) -> Result<bool, ReplicaError> {
        self.own_role(space).ok_or(ReplicaError::NotPermitted)?;
        let (mut outcome, mut grown) = (Ok(()), false);
        for receipt in receipts {
            match self.admit_receipt(disk, space, receipt) {
                Ok(is_news) => grown |= is_news,
                Err(error) => outcome = Err(error),
            }
        }
        if grown {
            self.refresh_summary(disk, space)?;
            self.announce(disk, space)?;
        }
        outcome.map(|()| grown)
    }

    fn admit_receipt(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        receipt: &Receipt,
    ) -> Result<bool, ReplicaError> {
        let node = receipt.confirmation.node;
        if !self.is_held_now(&node) {
            return Err(AccessError::IdentityBehind.into());
        }
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let is_known = state.receipts.contains_key(&node);
        let was_member = self.has_seat(state, &node);
        // What was set aside takes no room: others have none of it.
        let has_room = is_known
            || state.receipts.len() < limits::SPACE_RECEIPTS_MAX
            || self.shown_receipts(state).len() < limits::SPACE_RECEIPTS_MAX;
        if receipt.space != *space || !was_member || !has_room {
            return Err(ReplicaError::NotPermitted);
        }
        if state.receipts.get(&node).is_some_and(|known| *known >= receipt.confirmation) {
            return Ok(false);
        }
        receipt.verify().map_err(|_| ReplicaError::Receipt)?;
        self.keep_receipt(disk, space, receipt)?;
        Ok(true)
    }

    /// The receipts of these nodes, as they travel.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn receipts(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        nodes: &BTreeSet<NodeId>,
    ) -> Result<Vec<Receipt>, ReplicaError> {
        let mut receipts = Vec::with_capacity(nodes.len());
        for node in nodes {
            let stored = self.read(disk, Table::Receipts, &keys::author(space, node))?;
            receipts.extend(stored.and_then(|bytes| minicbor::decode::<Receipt>(&bytes).ok()));
        }
        Ok(receipts)
    }

    /// The spaces in which anything was erased, by their receipts: every node gives one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spaces_with_erasures(
        &self,
        disk: &dyn Storage,
    ) -> Result<BTreeSet<SpaceId>, ReplicaError> {
        let mut spaces = BTreeSet::new();
        self.scan(disk, Table::Receipts, &[], &[u8::MAX; 65], &mut |key, _| {
            spaces.extend(keys::part(key, 0).map(SpaceId::from_bytes));
            ControlFlow::Continue(())
        })?;
        Ok(spaces)
    }
}

/// Whether a node that confirmed this had seen the entry at `position` of the branch that holds.
pub(super) fn covers(access: &Branches, confirmation: &Confirmation, position: u64) -> bool {
    let point = AccessPoint { length: confirmation.access.length, head: confirmation.access.head };
    let Some(branch) = access.branch_of(&point) else { return false };
    let shared = if branch.position() == access.position() {
        point.length
    } else {
        point.length.min(access.common(branch))
    };
    position < shared
}
