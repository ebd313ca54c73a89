//! What two nodes say to each other on a sync stream. One message is one frame.

use super::beacons::Beacons;
use super::handover::Handover;
use crate::access::{AccessEntry, Receipt};
use crate::codec::{self, CodecError};
use crate::identity::IdentityEntry;
use crate::ids::{OrganisationId, SpaceId};
use crate::limits;
use crate::log::{LogPosition, Run};
use crate::replica::{Presentation, SpaceHeads};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

/// The oldest protocol version spoken here.
pub const VERSION_MIN: u32 = 1;
/// The newest protocol version spoken here.
pub const VERSION_MAX: u32 = 1;

/// The first message of either side.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// Oldest version the sender speaks.
    #[n(0)]
    pub version_min: u32,
    /// Newest version the sender speaks.
    #[n(1)]
    pub version_max: u32,
    /// The sender's organisation; must have certified the node that the transport authenticated.
    #[n(2)]
    pub organisation: OrganisationId,
    /// Where the sender's own identity log stands.
    #[n(3)]
    pub own_identity: LogPosition,
    /// Where the receiver's identity log stands as the sender knows it.
    #[n(4)]
    pub known_identity: LogPosition,
    /// Where the sender's node can be reached now.
    #[n(5)]
    pub addresses: Vec<String>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// Greeting.
    #[n(0)]
    Hello(#[n(0)] Hello),
    /// Entries of one identity log, each after the one it follows. Acknowledged.
    #[n(1)]
    Identities(#[n(0)] Vec<IdentityEntry>),
    /// A step of set reconciliation; the first of a comparison has `first` set.
    #[n(2)]
    Reconcile {
        /// Whether a comparison begins.
        #[n(0)]
        first: bool,
        /// What `negentropy` says.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    /// Items the sender lacks and asks to be told about.
    #[n(3)]
    Resolve(#[n(0)] Vec<ByteArray<32>>),
    /// Where the sender's logs of some spaces stand. A receiver that lacks something answers with
    /// its own; an answer is never answered.
    #[n(4)]
    Heads {
        /// Whether this answers heads of the receiver.
        #[n(0)]
        is_answer: bool,
        /// The heads.
        #[n(1)]
        heads: Vec<SpaceHeads>,
    },
    /// Where identity logs stand at the sender; answered like heads.
    #[n(5)]
    IdentityHeads {
        /// Whether this answers heads of the receiver.
        #[n(0)]
        is_answer: bool,
        /// Where each stands.
        #[n(1)]
        heads: Vec<(OrganisationId, LogPosition)>,
    },
    /// The sender has asked everything it wants to know in this exchange.
    #[n(6)]
    Asked,
    /// Consecutive entries of an access log. Acknowledged.
    #[n(7)]
    Access {
        /// The space.
        #[n(0)]
        space: SpaceId,
        /// The entries.
        #[n(1)]
        entries: Vec<AccessEntry>,
        /// Whether the log ends here, as far as the receiver may know.
        #[n(2)]
        is_complete: bool,
    },
    /// Sealed keyrings. Acknowledged.
    #[n(8)]
    Sealed {
        /// The space.
        #[n(0)]
        space: SpaceId,
        /// The keyrings.
        #[n(1)]
        keyrings: Vec<ByteVec>,
    },
    /// Entries of one author. Acknowledged.
    #[n(9)]
    Run(#[n(0)] Run),
    /// So many acknowledged messages of the receiver are durable here.
    #[n(10)]
    Acknowledge(#[n(0)] u64),
    /// Everything of this exchange was sent and acknowledged.
    #[n(11)]
    Done,
    /// The comparison found so many differences; none means in sync.
    #[n(12)]
    Compared(#[n(0)] u64),
    /// The sender ends the session, and why in words.
    #[n(13)]
    Goodbye(#[n(0)] String),
    /// What one node hands to another beside the logs. Acknowledged.
    #[n(16)]
    Handover(#[n(0)] Handover),
    /// Other partners that the sender presents. Acknowledged.
    #[n(18)]
    Introductions(#[n(0)] Vec<Presentation>),
    /// Where nodes are. Records are acknowledged.
    #[n(17)]
    Beacons(#[n(0)] Beacons),
    /// Receipts for erasures. Acknowledged.
    #[n(14)]
    Receipts {
        /// The space.
        #[n(0)]
        space: SpaceId,
        /// The receipts.
        #[n(1)]
        receipts: Vec<Receipt>,
    },
}

impl Message {
    /// The frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Parses a frame.
    ///
    /// # Errors
    /// As [`codec::decode_bounded`] with the frame limit.
    pub fn decode(frame: &[u8]) -> Result<Self, CodecError> {
        codec::decode_bounded(frame, limits::FRAME_BYTES_MAX)
    }

    /// About how many bytes it has on the wire: what the window of unacknowledged entries counts.
    #[must_use]
    pub fn weight(&self) -> usize {
        const ENTRY: usize = 64;
        match self {
            Self::Run(run) => run.entries.iter().map(|entry| entry.body.weight() + ENTRY).sum(),
            Self::Sealed { keyrings, .. } => keyrings.iter().map(|one| one.len() + ENTRY).sum(),
            other => other.encode().len(),
        }
    }

    /// Whether the receiver acknowledges it once it is durable.
    #[must_use]
    pub const fn is_acknowledged(&self) -> bool {
        matches!(
            self,
            Self::Identities(_)
                | Self::Access { .. }
                | Self::Sealed { .. }
                | Self::Run(_)
                | Self::Handover(_)
                | Self::Receipts { .. }
                | Self::Introductions(_)
                | Self::Beacons(Beacons::Records(_))
        )
    }
}
