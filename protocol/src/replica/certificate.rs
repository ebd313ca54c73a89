//! What an erasure came to: which nodes said that they carried it out, which have not said so yet,
//! and which hear nothing of the space any more.
//!
//! Who may have held the record follows from the space alone. A machine that wrote there, that a
//! key was sealed to or whose log was cut had the space; and it was told nothing any more once its
//! log was cut or its organisation removed, so it never had what was written by authors who knew of
//! that. No key is sealed to carriers: of one that was removed all machines count that it has.

use super::receipts::covers;
use super::space::SpaceState;
use super::stored::StoredEntry;
use super::{Replica, ReplicaError, keys};
use crate::access::{Confirmation, Role};
use crate::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet};

/// A machine of an organisation, for which it says something.
type Seat = (OrganisationId, NodeId);

/// An erased record, and what its members' nodes said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The record.
    pub record: RecordId,
    /// Entries whose bodies were erased.
    pub entries: u64,
    /// Entries that came too late and are still to be named.
    pub late: u64,
    /// Nodes that carried the erasure out, those of former members among them.
    pub confirmed: Vec<(OrganisationId, NodeId)>,
    /// Nodes of members that have not said so yet.
    pub missing: Vec<(OrganisationId, NodeId)>,
    /// Nodes that may hold the record, never said so and hear nothing of the space any more: those
    /// of former members, and of members those that were revoked or cut. Of a former member, or a
    /// member without a machine, of which no node is known that may hold it, only the organisation.
    pub out_of_reach: Vec<(OrganisationId, Option<NodeId>)>,
    /// Where in the access log it was erased first; nothing while that stands on a branch that does
    /// not hold.
    pub since: Option<u64>,
}

impl Replica {
    /// What was erased in a space, with who said so.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when the space is not here.
    pub fn certificates(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
    ) -> Result<Vec<Certificate>, ReplicaError> {
        if !self.summaries.contains_key(space) {
            return Err(ReplicaError::Unknown("space"));
        }
        let mut late: BTreeMap<RecordId, u64> = BTreeMap::new();
        for one in self.unnamed(disk, space)? {
            *late.entry(one.record).or_default() += 1;
        }
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let branches = state.access.all();
        let records: BTreeSet<_> =
            branches.flat_map(|branch| branch.erasures().records().keys().copied()).collect();
        let certificate = |record: RecordId| {
            let late = late.get(&record).copied().unwrap_or(0);
            self.certificate(disk, state, record, late)
        };
        records.into_iter().map(certificate).collect()
    }

    fn certificate(
        &self,
        disk: &dyn Storage,
        state: &SpaceState,
        record: RecordId,
        late: u64,
    ) -> Result<Certificate, ReplicaError> {
        let SpaceState { access, receipts, .. } = state;
        let erased = access.erasures().records().get(&record);
        // Somebody else may have the key of a machine that was cut before: its word is nobody's.
        let done = |confirmation: &&Confirmation| {
            let cut_at = access.cut_at(&confirmation.node);
            erased.is_some_and(|erased| {
                let was_cut = cut_at.is_some_and(|at| at < erased.position);
                !was_cut && covers(access, confirmation, erased.position)
            })
        };
        let confirmed: Vec<_> =
            receipts.values().filter(done).flat_map(|one| self.seats(state, one.node)).collect();
        let reached: Vec<_> = access
            .current_members()
            .flat_map(|(organisation, _)| self.nodes_of(organisation))
            .filter(|seat| !access.cut_nodes().contains_key(&seat.1))
            .collect();
        let known: BTreeSet<_> = reached.iter().chain(&confirmed).copied().collect();
        let begun = self.begun(disk, state, &record)?;
        let missing = reached.iter().filter(|seat| !confirmed.contains(seat)).copied().collect();
        Ok(Certificate {
            record,
            entries: access.bodies_of(&record),
            late,
            missing,
            out_of_reach: self.out_of_reach(state, &known, begun),
            since: erased.map(|erased| erased.since),
            confirmed,
        })
    }

    /// Who may hold what was written from when `begun` entries of the access log were known, and is
    /// not among those who are `known` to be reached or to have confirmed.
    fn out_of_reach(
        &self,
        state: &SpaceState,
        known: &BTreeSet<Seat>,
        begun: u64,
    ) -> Vec<(OrganisationId, Option<NodeId>)> {
        let access = &state.access;
        let is_told = |organisation: &OrganisationId| {
            access.farewell(organisation).is_none_or(|end| begun < end.length)
        };
        let may_hold = |(organisation, node): &Seat| {
            is_told(organisation) && access.cut_at(node).is_none_or(|at| begun <= at)
        };
        let keyed = access.keyrings().into_iter().map(|(node, ..)| node);
        let had: BTreeSet<_> =
            keyed.chain(state.heads.keys().chain(access.cut_nodes().keys()).copied()).collect();
        let members = access.members();
        let carriers = members.iter().filter(|(_, member)| {
            member.intervals.last().is_some_and(|last| last.role == Role::Carrier)
        });
        let carried = carriers.flat_map(|(carrier, _)| self.nodes_of(*carrier));
        let seats = had.into_iter().flat_map(|node| self.seats(state, node)).chain(carried);
        let silent = seats.filter(|seat| !known.contains(seat) && may_hold(seat));
        let mut found: BTreeSet<_> = silent.map(|(one, node)| (one, Some(node))).collect();
        let named: BTreeSet<_> = known
            .iter()
            .map(|(organisation, _)| *organisation)
            .chain(found.iter().map(|(organisation, _)| *organisation))
            .collect();
        let unnamed = members.keys().filter(|one| !named.contains(one) && is_told(one));
        found.extend(unnamed.map(|organisation| (*organisation, None)));
        found.into_iter().collect()
    }

    /// How much of the access log was known where the first entries of an erased record were
    /// written, as far as they are here. Where its log was forked either entry of a place may be
    /// the one: what a proof begins with was written no later than what follows.
    fn begun(
        &self,
        disk: &dyn Storage,
        state: &SpaceState,
        record: &RecordId,
    ) -> Result<u64, ReplicaError> {
        let space = state.access.space();
        let erased =
            state.access.all().filter_map(|branch| branch.erasures().records().get(record));
        let mut places = BTreeSet::new();
        for one in erased {
            places.extend(one.places().map(|(author, from, _)| (author, from)));
        }
        let mut known = Vec::new();
        for (author, from) in &places {
            let key = keys::entry(&space, author, *from);
            let stored = self.read(disk, Table::Entries, &key)?;
            let stored = stored.and_then(|bytes| StoredEntry::decode(&bytes));
            known.extend(stored.map(|stored| stored.access.length));
        }
        for (_, run) in self.proofs(disk, &space)? {
            let is_of_it =
                |(author, from): &(NodeId, u64)| *author == run.author && *from >= run.start;
            let first = run.entries.first().and_then(|entry| entry.access);
            known.extend(first.filter(|_| places.iter().any(is_of_it)).map(|at| at.length));
        }
        Ok(known.into_iter().min().unwrap_or(0))
    }

    /// For whom a node confirms: as it writes here, else for each that certified it. A receipt is
    /// the word of a machine.
    fn seats(&self, state: &SpaceState, node: NodeId) -> Vec<Seat> {
        let holders = || self.certified.members(&state.access, &node);
        let found = state.author(&node).map_or_else(holders, |author| vec![author]);
        found.into_iter().map(|organisation| (organisation, node)).collect()
    }

    fn nodes_of(&self, organisation: OrganisationId) -> Vec<Seat> {
        let identity = self.identities.get(&organisation);
        let nodes = identity.into_iter().flat_map(crate::identity::Identity::active_nodes);
        nodes.map(|(node, _)| (organisation, *node)).collect()
    }
}
