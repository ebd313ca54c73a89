//! When an organisation was a member of a space, and in what role.

use super::operation::{Cut, Role};
use crate::ids::NodeId;
use std::collections::BTreeMap;

/// A stretch of membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Position of the entry that granted it.
    pub from: u64,
    /// The role held.
    pub role: Role,
    /// Position of the entry that ended it, and what still counts; `None` while it lasts.
    pub ended: Option<(u64, BTreeMap<NodeId, Cut>)>,
}

/// An organisation's memberships, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// The stretches; at most the last one lasts.
    pub intervals: Vec<Interval>,
}

impl Member {
    /// The role held now.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.intervals.last().filter(|last| last.ended.is_none()).map(|last| last.role)
    }
}
