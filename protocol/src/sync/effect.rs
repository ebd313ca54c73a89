//! What goes into a session and what comes out.

use super::message::Message;
use crate::ids::OrganisationId;
use crate::replica::Growth;

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Input {
    /// The stream stands.
    Opened,
    /// A frame arrived.
    Frame(Vec<u8>),
    /// Logs grew here, from whatever source.
    Grown(Vec<Growth>),
    /// Time passed.
    Tick,
}

/// Why a session ends. The variant says who must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The organisation is not a partner, or is blocked.
    #[error("the organisation is not a partner here")]
    NotPartner,
    /// The node that the transport authenticated is not certified by the organisation it claims.
    #[error("the node is not certified by the organisation it speaks for")]
    NotCertified,
    /// This node was revoked by its organisation.
    #[error("this node was revoked by its organisation")]
    Revoked,
    /// No common protocol version.
    #[error("the partner speaks protocol versions {min} to {max}; one of the two must be updated")]
    Version {
        /// Its oldest.
        min: u32,
        /// Its newest.
        max: u32,
    },
    /// The partner broke the protocol.
    #[error("the partner broke the protocol: {0}")]
    Misbehaved(&'static str),
    /// The partner does not acknowledge.
    #[error("the partner stopped answering")]
    Stalled,
    /// The partner ended the session, in its words.
    #[error("the partner ended the session: {0}")]
    Goodbye(String),
    /// This node's store failed.
    #[error("this node's store failed")]
    Store,
}

/// What the driver does for a session, in order, once the replica's batch is durable.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Sends a frame.
    Send(Message),
    /// Ends the session.
    Close(CloseReason),
    /// Something of the partner was refused, and why; for the log.
    Refused(String),
}

/// Effects in the order in which they are performed.
pub type Effects = Vec<Effect>;

/// Where a session stands, in words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncPhase {
    /// Versions and identities.
    Greeting,
    /// Finding out what differs.
    Comparing,
    /// Sending and receiving.
    Exchanging,
    /// The last comparison found nothing and nothing has changed since.
    InSync,
    /// The last exchange moved nothing and a difference remains.
    Outstanding,
    /// Ended.
    Closed,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncStatus {
    /// The partner, once it is known.
    pub partner: Option<OrganisationId>,
    /// The phase.
    pub phase: SyncPhase,
    /// Messages queued or not acknowledged.
    pub outgoing: u64,
    /// Differences of the last comparison.
    pub differences: u64,
}
