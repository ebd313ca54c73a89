//! What a node of this organisation could have read: the report after a machine was lost.
//!
//! When a revocation of an own node arrives, every other node of the organisation writes down which
//! spaces the organisation reads at that moment; the rest of the report follows from the logs each
//! time it is asked for, so that it tells what happened since.

use super::{Replica, ReplicaError, keys};
use crate::access::{AccessEntry, AccessOperation, Role};
use crate::codec;
use crate::identity::{IdentityEntry, IdentityOperation};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::storage::{Storage, Table};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// How far a space is safe from a node that was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// The node was cut and the key replaced: it reads nothing newer.
    Rotated,
    /// This organisation reads the space no more, or nobody does, and so the node reads nothing
    /// newer.
    Ended,
    /// The owner has not replaced the key yet, as far as is known here.
    Waiting,
}

/// A space that a node could have read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The space.
    pub space: SpaceId,
    /// Its owner.
    pub owner: OrganisationId,
    /// The first epoch that the node could have read.
    pub from_epoch: u64,
    /// The last.
    pub to_epoch: u64,
    /// Records in it.
    pub records: u64,
    /// Entries that the node wrote in it, as far as they are here.
    pub written: u64,
    /// How far the space is safe now.
    pub safety: Safety,
}

impl Replica {
    /// Writes down what the nodes of this organisation read that `entries` revoke.
    pub(super) fn note_exposure(
        &mut self,
        disk: &dyn Storage,
        entries: &[&IdentityEntry],
    ) -> Result<(), ReplicaError> {
        let own = self.organisation();
        for entry in entries.iter().filter(|entry| entry.statement.organisation == own) {
            let IdentityOperation::RevokeNode { node } = &entry.statement.operation else {
                continue;
            };
            let spaces: Vec<_> = self.summaries.keys().copied().collect();
            let mut readable = Vec::new();
            for space in spaces {
                if !self.space(disk, &space)?.access.reading(&own).is_empty() {
                    readable.push(space);
                }
            }
            self.put_setting(&setting(node), &codec::encode(&readable))?;
        }
        Ok(())
    }

    /// Every space that `node` of this organisation could have read.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn exposure(
        &mut self,
        disk: &dyn Storage,
        node: &NodeId,
    ) -> Result<Vec<Exposure>, ReplicaError> {
        let noted = self.setting(disk, &setting(node))?;
        let damaged = |_| ReplicaError::Damaged(Table::Settings.name());
        let noted: Option<Vec<SpaceId>> =
            noted.map(|bytes| minicbor::decode(&bytes).map_err(damaged)).transpose()?;
        let noted: Option<BTreeSet<_>> = noted.map(|spaces| spaces.into_iter().collect());
        let spaces: Vec<_> = self.summaries.keys().copied().collect();
        let mut found = Vec::new();
        for space in spaces {
            let listed = noted.as_ref().is_none_or(|noted| noted.contains(&space));
            found.extend(self.exposure_in(disk, node, space, listed)?);
        }
        Ok(found)
    }

    fn exposure_in(
        &mut self,
        disk: &dyn Storage,
        node: &NodeId,
        space: SpaceId,
        listed: bool,
    ) -> Result<Option<Exposure>, ReplicaError> {
        let own = self.organisation();
        let cut_at = self.cut_epoch(disk, &space, node)?;
        // What it founded or made keys in it read, though nobody sealed it any.
        let has_ruled = self.has_signed_access(disk, &space, node)?;
        let is_aside = self.summaries.get(&space).is_some_and(|summary| summary.is_aside);
        let state = self.space(disk, &space)?;
        let access = &state.access;
        let written = state.heads.get(node).map_or(0, |head| head.position.length);
        let concerned = listed || has_ruled || written > 0 || !access.keyrings_of(node).is_empty();
        let stretches = access.reading(&own);
        let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else {
            return Ok(None);
        };
        if !concerned {
            return Ok(None);
        }
        let reads = access.role(&own).is_some_and(Role::reads);
        let (to_epoch, safety) = match (cut_at, last.to) {
            (Some(epoch), _) => (epoch.saturating_sub(1), Safety::Rotated),
            // It has no members any more, and nobody makes a key for it.
            _ if is_aside => (access.epoch(), Safety::Ended),
            (None, Some(epoch)) if !reads => (epoch, Safety::Ended),
            _ => (access.epoch(), Safety::Waiting),
        };
        let (owner, from_epoch) = (access.owner(), first.from);
        let records = self.summaries.get(&space).map_or(0, |summary| summary.records);
        Ok(Some(Exposure { space, owner, from_epoch, to_epoch, records, written, safety }))
    }

    /// Whether `node` signed anything in the access log.
    fn has_signed_access(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        node: &NodeId,
    ) -> Result<bool, ReplicaError> {
        let mut is_found = false;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Access, &from, &to, &mut |_, value| {
            let entry = minicbor::decode::<AccessEntry>(value);
            is_found = entry.is_ok_and(|one| one.statement.author == *node);
            if is_found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(is_found)
    }

    /// The epoch that began when `node` was cut.
    fn cut_epoch(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        node: &NodeId,
    ) -> Result<Option<u64>, ReplicaError> {
        if !self.space(disk, space)?.access.cut_nodes().contains_key(node) {
            return Ok(None);
        }
        let mut epoch = None;
        let (from, to) = keys::all(space.as_bytes());
        self.scan(disk, Table::Access, &from, &to, &mut |_, value| {
            let entry = minicbor::decode::<AccessEntry>(value).map(|one| one.statement.operation);
            match entry {
                Ok(AccessOperation::CutNode { cut, rotation }) if cut.node == *node => {
                    epoch = Some(rotation.epoch);
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        })?;
        Ok(epoch)
    }
}

fn setting(node: &NodeId) -> String {
    format!("exposed to {node}")
}
