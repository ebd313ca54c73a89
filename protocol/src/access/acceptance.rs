//! Which author entries count.

use super::member::Interval;
use super::operation::Role;
use super::state::Access;
use crate::ids::{NodeId, OrganisationId};
use crate::log::LogPosition;

/// The standing of an author entry under an access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Counts {
        /// Position of the grant under which it was written.
        grant: u64,
    },
    /// Written under a grant that has ended, beyond the cut: it counts only when an entry that
    /// counts depends on it.
    BeyondCut {
        /// Position of the grant under which it was written.
        grant: u64,
    },
    /// Its author was not a contributor at the point of the access log it names, or wrote under
    /// another key than the one of that point: a removed member may hold an older one.
    Unauthorised,
    /// The author had seen more of the access log than is known here, or another branch of it.
    Unknown,
}

impl Standing {
    /// Position of the grant under which the entry was written, when there is one.
    #[must_use]
    pub const fn grant(&self) -> Option<u64> {
        match self {
            Self::Counts { grant } | Self::BeyondCut { grant } => Some(*grant),
            Self::Unauthorised | Self::Unknown => None,
        }
    }
}

impl Access {
    /// The standing of an entry of `author`, written when it had seen `seen` entries of this log.
    pub(super) fn standing_at(
        &self,
        organisation: &OrganisationId,
        seen: u64,
        author: &NodeId,
        sequence: u64,
    ) -> Standing {
        let interval = self
            .members()
            .get(organisation)
            .and_then(|member| member.intervals.iter().find(|interval| contains(interval, seen)));
        match interval {
            Some(interval) if interval.role == Role::Contributor => {
                let grant = interval.from;
                if self.is_within_cuts(interval, author, sequence) {
                    Standing::Counts { grant }
                } else {
                    Standing::BeyondCut { grant }
                }
            }
            _ => Standing::Unauthorised,
        }
    }

    /// How far the owner named a version of the log of `node`, and through which entry it goes
    /// there; nothing where it named none.
    #[must_use]
    pub fn settled_at(&self, node: &NodeId) -> Option<LogPosition> {
        self.settled().last(node)
    }

    pub(super) fn is_within_cuts(&self, interval: &Interval, node: &NodeId, sequence: u64) -> bool {
        let within_interval = interval
            .ended
            .as_ref()
            .is_none_or(|(_, cuts)| cuts.get(node).is_some_and(|cut| sequence < cut.length));
        let within_node = self.cut_nodes().get(node).is_none_or(|cut| sequence < cut.length);
        within_interval && within_node
    }
}

/// Whether an author that had seen `seen` entries wrote during the interval: it knew the grant and
/// did not know the end.
fn contains(interval: &Interval, seen: u64) -> bool {
    let ended = interval.ended.as_ref().map(|(position, _)| *position);
    seen > interval.from && ended.is_none_or(|position| seen <= position)
}
