//! Which epochs an organisation may read: what may be handed to a node of it that has no keys yet.

use super::branches::Branches;
use super::operation::{AccessOperation, History};
use super::state::{Access, Epoch};
use crate::crypto::KeyCommitment;
use crate::ids::{NodeId, OrganisationId};
use std::collections::{BTreeMap, BTreeSet};

/// Consecutive epochs that an organisation may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub from: u64,
    /// The last; `None` while it reads.
    pub to: Option<u64>,
}

/// Consecutive epochs that an organisation may read, of which each key but the first opens the one
/// before: the last key opens them all, and whoever has any of them has the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
    /// Position of the entry by which the owner went on without these keys, when it lacked the last
    /// of them and nobody else read: that one may be lost, and is not waited for.
    pub given_up_at: Option<u64>,
}

/// Node and hash of keyrings, by node and then position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastKeyrings {
    /// Those that a carrier is to hold.
    pub due: Vec<(NodeId, [u8; 32])>,
    /// Those of chains that were given up.
    pub given_up: Vec<(NodeId, [u8; 32])>,
}

impl Access {
    /// Notes who began and who ceased to read with `operation`, which has been performed.
    pub(super) fn note_readers(&mut self, operation: &AccessOperation) {
        // Nobody's role changes with these, and they are most of a log.
        if matches!(operation, AccessOperation::Rotate { .. } | AccessOperation::CutNode { .. }) {
            return;
        }
        let now = self.epoch();
        let before = if operation.rotation().is_some() { now.saturating_sub(1) } else { now };
        let from = match operation {
            AccessOperation::Grant { history: History::Now, .. } => now,
            _ => 0,
        };
        let roles: Vec<_> = self.members().iter().map(|(id, one)| (*id, one.role())).collect();
        for (organisation, role) in roles {
            let stretches = self.reading.entry(organisation).or_default();
            let open = stretches.last_mut().filter(|last| last.to.is_none());
            match (open, role.is_some_and(super::Role::reads)) {
                (None, true) => stretches.push(Stretch { from, to: None }),
                (Some(open), false) => open.to = Some(before),
                _ => {}
            }
        }
        if let AccessOperation::Take { organisation } = operation {
            self.open_past(organisation);
        }
    }

    /// A new owner reads from the start, however it was admitted: whoever answers for a space, and
    /// erases in it, must be able to tell what is in it.
    fn open_past(&mut self, owner: &OrganisationId) {
        let stretches = self.reading.entry(*owner).or_default();
        if let Some(open) = stretches.last_mut().filter(|last| last.to.is_none()) {
            open.from = 0;
        }
    }

    /// The epochs that `organisation` may read, in the order of its memberships.
    #[must_use]
    pub fn reading(&self, organisation: &OrganisationId) -> &[Stretch] {
        self.reading.get(organisation).map_or(&[], Vec::as_slice)
    }

    /// The chains of keys that open everything that `organisation` may read, oldest first.
    #[must_use]
    pub fn chains_for(&self, organisation: &OrganisationId) -> Vec<Chain> {
        self.chains_in(self.reading(organisation).iter().copied())
    }

    /// All chains of keys, oldest first.
    #[must_use]
    pub fn chains(&self) -> Vec<Chain> {
        self.chains_in([Stretch { from: 0, to: None }])
    }

    fn chains_in(&self, stretches: impl IntoIterator<Item = Stretch>) -> Vec<Chain> {
        let unwraps = |epoch| self.epoch_at(epoch).is_some_and(|one| one.previous.is_some());
        let begun = self.begun();
        let chain = |(from, to): (u64, u64)| {
            let next = begun.get(begun.partition_point(|(epoch, _)| *epoch <= to));
            let given_up_at = next.filter(|(_, one)| one.follows_loss).map(|(_, one)| one.position);
            Chain { from, to, given_up_at }
        };
        linked(stretches, self.epoch(), unwraps).into_iter().map(chain).collect()
    }

    /// The epochs whose keys wrap nothing: each begins a chain.
    fn begun(&self) -> Vec<(u64, &Epoch)> {
        (0..).zip(self.epochs()).filter(|(_, epoch)| epoch.previous.is_none()).collect()
    }

    /// The keyrings that lead the nodes which were given the key of now to everything that was ever
    /// sealed to them: of every chain of wrapped keys the last one. Node and hash, by node and then
    /// position. Those of a chain that was given up stand apart: they may have died with the
    /// machine that made them.
    #[must_use]
    pub fn last_keyrings(&self) -> LastKeyrings {
        let begun = self.begun();
        let mut last = BTreeMap::new();
        let holders: BTreeSet<_> = self.holders().collect();
        for (node, position, hash) in self.keyrings().filter(|(node, ..)| holders.contains(node)) {
            let chain = begun.partition_point(|(_, epoch)| epoch.position <= position);
            last.insert((node, chain), hash);
        }
        let mut found = LastKeyrings::default();
        for ((node, chain), hash) in last {
            let is_given_up = begun.get(chain).is_some_and(|(_, next)| next.follows_loss);
            let kind = if is_given_up { &mut found.given_up } else { &mut found.due };
            kind.push((node, hash));
        }
        found
    }

    /// The first epochs of the chains of which a key was sealed to another node than `node`, which
    /// was given the key of now, too, and is not cut; each with that node.
    #[must_use]
    pub fn chains_sealed_beside(&self, node: &NodeId) -> BTreeSet<(u64, NodeId)> {
        let begun = self.begun();
        let counts = |one: &NodeId| one != node && !self.cut_nodes().contains_key(one);
        let holders: BTreeSet<_> = self.holders().filter(counts).collect();
        let chain_at = |position| {
            let next = begun.partition_point(|(_, epoch)| epoch.position <= position);
            begun.get(next.checked_sub(1)?).map(|(epoch, _)| *epoch)
        };
        self.keyrings()
            .filter(|(node, ..)| holders.contains(node))
            .filter_map(|(node, position, _)| Some((chain_at(position)?, node)))
            .collect()
    }
}

/// The epochs up to `last` that lie within stretches, as first and last of those that are linked:
/// each but the first unwraps the one before. Each stretch and each epoch is looked at once: an
/// owner can begin and end tens of thousands of both.
fn linked(
    stretches: impl IntoIterator<Item = Stretch>,
    last: u64,
    unwraps: impl Fn(u64) -> bool,
) -> Vec<(u64, u64)> {
    let closed = stretches.into_iter().map(|one| (one.from, one.to.unwrap_or(last).min(last)));
    let mut closed: Vec<_> = closed.filter(|(from, to)| from <= to).collect();
    closed.sort_unstable();
    let mut chains = Vec::new();
    let mut stretches = closed.into_iter().peekable();
    while let Some((mut from, mut to)) = stretches.next() {
        while let Some((_, end)) = stretches.next_if(|(from, _)| *from <= to.saturating_add(1)) {
            to = to.max(end);
        }
        for end in (from..to).filter(|epoch| !unwraps(epoch + 1)) {
            chains.push((from, end));
            from = end + 1;
        }
        chains.push((from, to));
    }
    chains
}

impl Branches {
    /// The epochs of branches that do not hold whose keys open what `organisation` may read there,
    /// each with what the branch says of its key: what was written under them goes on counting, as
    /// of where the branch parts, so who may read the key of that place, and reads now, may have
    /// them, whatever the branch says. That is also who was admitted from the start since, or took
    /// the space over.
    #[must_use]
    pub fn keys_beside_for(&self, organisation: &OrganisationId) -> Vec<(u64, KeyCommitment)> {
        let mut found = Vec::new();
        let reads_now = self.role(organisation).is_some_and(super::Role::reads);
        for branch in self.others().iter().filter(|_| reads_now) {
            let parted = self.common(branch);
            let mut readable = self.reading(organisation).iter().filter_map(|stretch| {
                let begun = self.epoch_at(stretch.from)?.position;
                let next = stretch.to.and_then(|last| self.epoch_at(last.saturating_add(1)));
                Some((begun, next.map(|next| next.position)))
            });
            let may_read = readable
                .any(|(begun, next)| begun < parted && next.is_none_or(|next| next >= parted));
            if !may_read {
                continue;
            }
            for (epoch, described) in (0..).zip(branch.epochs()) {
                let next = branch.epoch_at(epoch + 1);
                let is_end = next.is_none_or(|next| next.previous.is_none());
                if described.position >= parted && is_end {
                    found.push((epoch, described.commitment));
                }
            }
        }
        found
    }

    /// Whether a branch commits to this key for an epoch of this number.
    #[must_use]
    pub fn commits_to(&self, epoch: u64, commitment: &KeyCommitment) -> bool {
        let described = self.all().filter_map(|branch| branch.epoch_at(epoch));
        described.into_iter().any(|one| one.commitment == *commitment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    /// As it is said: every epoch that may be read and does not follow from the next one, with the
    /// first that is reached from it.
    fn said(stretches: &[Stretch], last: u64, unwraps: impl Fn(u64) -> bool) -> Vec<(u64, u64)> {
        let may = |epoch: u64| {
            stretches.iter().any(|one| one.from <= epoch && epoch <= one.to.unwrap_or(last))
        };
        let first = |end: u64| {
            let leads_on = |epoch: &u64| *epoch > 0 && unwraps(*epoch) && may(epoch - 1);
            (0..=end).rev().find(|epoch| !leads_on(epoch)).expect("nothing comes before the first")
        };
        (0..=last)
            .filter(|epoch| may(*epoch) && !(epoch < &last && may(epoch + 1) && unwraps(epoch + 1)))
            .map(|end| (first(end), end))
            .collect()
    }

    fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
        let one = (0..20_u64, proptest::option::of(0..20_u64));
        proptest::collection::vec(one.prop_map(|(from, to)| Stretch { from, to }), 0..8)
    }

    proptest! {
        #[test]
        fn chains_end_with_what_no_later_key_opens(
            stretches in stretches(), last in 0..24_u64, fresh in any::<u32>()
        ) {
            let unwraps = |epoch: u64| fresh >> (epoch % 32) & 1 == 0;
            let found = linked(stretches.iter().copied(), last, unwraps);
            prop_assert_eq!(found, said(&stretches, last, unwraps));
        }
    }

    /// Every epoch was compared with every stretch: five thousand million steps for an owner that
    /// admits and removes somebody as often as its log can say.
    #[test]
    fn every_stretch_and_every_epoch_is_looked_at_once() {
        let (looked, asked) = (Cell::new(0_u64), Cell::new(0_u64));
        let count = 50_000_u64;
        let stretches = (0..count).map(|number| Stretch { from: 0, to: Some(number) });
        let counted = stretches.inspect(|_| looked.set(looked.get() + 1));
        let chains = linked(counted, count, |_| {
            asked.set(asked.get() + 1);
            true
        });
        assert_eq!((chains, looked.get()), (vec![(0, count - 1)], count));
        assert!(asked.get() <= count, "{} epochs", asked.get());
    }
}
