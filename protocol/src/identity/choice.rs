//! Which branches of an identity log count, and which are kept beside them.
//!
//! Of branches under the root key in force so many count that nobody united yet, the longest; those
//! that were united count besides. Who has the root key can sign more: they are kept for as long as
//! there is room, so that one that grows in several messages can come to count, and say nothing. So
//! replicas that know the same branches have the same count, whatever came first.

use super::branch::Branch;
use crate::limits;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Puts branches into the order that all replicas know, those that count first; how many do.
pub fn order(branches: &mut Vec<Branch>) -> usize {
    branches.sort_by(rank);
    let generation = branches.first().map_or(0, Branch::generation);
    let (mut counting, mut beside) = (Vec::new(), Vec::new());
    let mut open = 0;
    for branch in branches.drain(..) {
        let is_united = counting.iter().any(|one| unites(one, &branch));
        if branch.generation() == generation && (is_united || open <= limits::IDENTITY_BRANCHES_MAX)
        {
            open += usize::from(!is_united);
            counting.push(branch);
        } else {
            beside.push(branch);
        }
    }
    let count = counting.len();
    branches.extend(counting);
    branches.extend(beside);
    count
}

/// Lets branches go that do not count until no more are left than are kept, the last in order first
/// and none that `stays`. Of what another branch unites none is let go. Returns whether the others
/// fit.
pub fn let_go(branches: &mut Vec<Branch>, count: usize, stays: impl Fn(&Branch) -> bool) -> bool {
    while branches.len() > limits::IDENTITY_BRANCHES_ALL_MAX {
        let beside = (count..branches.len()).rev();
        let mut free = beside.filter(|place| {
            branches.get(*place).is_some_and(|one| !stays(one) && !is_named(branches, one))
        });
        let Some(place) = free.next() else { return false };
        branches.remove(place);
    }
    true
}

/// The order of branches: the one that new entries go on with comes first.
fn rank(one: &Branch, other: &Branch) -> Ordering {
    let standing = |branch: &Branch| (branch.generation(), branch.length());
    standing(other).cmp(&standing(one)).then_with(|| one.hashes().cmp(other.hashes()))
}

fn unites(one: &Branch, other: &Branch) -> bool {
    let end = other.position().head;
    one.united().any(|head| *head == end)
}

/// Whether a union names a place of `branch` that no other branch has.
fn is_named(branches: &[Branch], branch: &Branch) -> bool {
    let others = || branches.iter().filter(|one| one.position() != branch.position());
    let common = others().map(|one| one.common(branch)).max().unwrap_or(0);
    let own = branch.hashes().iter().skip(usize::try_from(common).unwrap_or(usize::MAX));
    let own: BTreeSet<_> = own.collect();
    others().flat_map(Branch::united).any(|head| own.contains(head))
}
