//! What two nodes say of where nodes are: first a digest, then, if it differs, the numbers of the
//! records each has, then the records that the other lacks.

use crate::identity::Beacon;
use crate::ids::NodeId;
use minicbor::{Decode, Encode};

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Beacons {
    /// Digest of the numbers of all that the sender may tell the receiver.
    #[n(0)]
    Digest(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        [u8; 32],
    ),
    /// Numbers of the records that the sender has; the receiver sends what is newer or missing.
    #[n(1)]
    Numbers(#[n(0)] Vec<(NodeId, u64)>),
    /// Records.
    #[n(2)]
    Records(#[n(0)] Vec<Beacon>),
}
