//! Identity logs: which keys speak for an organisation.
//!
//! One log per organisation, in clear, hash-chained, every entry signed by the root key of its
//! moment. [`Identity`] is the state after the entries that are known; [`Identity::apply`] is the
//! only way to extend it, and it verifies everything: chain, signature, and that the operation
//! makes sense. Of a log that was forked every branch counts.
//!
//! The organisation's id is the hash of its first root public key and of its commitment to the
//! next, and never changes. Every root statement commits to the next root key, so the theft of a
//! root key alone cannot rotate it away. A node signs its own admission, so nobody can claim
//! another's node.
//!
//! Deliberately absent: names and any other description, which are ordinary records. Addresses
//! change too often for a log: a node signs them apart, see [`Beacon`].

mod aside;
mod beacon;
mod branch;
mod choice;
mod facts;
mod machine;
mod operation;
mod state;
mod succession;
#[cfg(test)]
mod tests;

pub use beacon::{Beacon, BeaconContent, Running, SpaceTag};
pub use facts::{NodeStanding, Primary};
pub use machine::{Admission, MachineError, NodeRequest};
pub use operation::{IdentityEntry, IdentityOperation, IdentityStatement, NodeAdmission};
pub use state::{Identity, IdentityError};
pub use succession::Succession;

use crate::ids::OrganisationId;
use std::collections::BTreeMap;

/// The organisations whose keys are known.
pub type Identities = BTreeMap<OrganisationId, Identity>;
