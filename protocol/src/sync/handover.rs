//! What one node hands to another beside the logs.
//!
//! Keys go to a node that its organisation certified after they were made; everything else passes
//! only between nodes of one organisation.

use crate::ids::SpaceId;
use crate::replica::PartnerRecord;
use minicbor::{Decode, Encode};

/// What is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Handover {
    /// Keys of a space, sealed to the receiver.
    #[n(0)]
    Keys {
        /// The space.
        #[n(0)]
        space: SpaceId,
        /// The newest of the epochs; the seal is bound to it.
        #[n(1)]
        epoch: u64,
        /// The sealed keyring.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
    /// Partners of the organisation, and the addresses of its own nodes.
    #[n(1)]
    Partners(#[n(0)] Vec<PartnerRecord>),
    /// Which space is the organisation's directory.
    #[n(2)]
    Directory(#[n(0)] SpaceId),
}
