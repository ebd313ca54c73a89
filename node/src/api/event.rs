//! What happens, as it happens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An event of the stream `/api/v1/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ApiEvent {
    /// A record changed.
    RecordChanged {
        /// The space.
        space: String,
        /// The record.
        record: String,
        /// Whether it has a conflict now.
        conflict: bool,
    },
    /// A record was erased.
    Erased {
        /// The space.
        space: String,
        /// The record.
        record: String,
        /// Whether the owner did not know of an edit of this node when it erased the record: the
        /// edit is erased too.
        own_edit: bool,
    },
    /// Membership of a space changed, or the space is new here.
    SpaceChanged {
        /// The space.
        space: String,
    },
    /// A partner joined, was verified, or its connection changed.
    PartnerChanged {
        /// The organisation.
        organisation: String,
    },
    /// An author's log was found forked.
    Forked {
        /// The space.
        space: String,
        /// The node.
        author: String,
    },
    /// An organisation's identity log was signed in two versions, and both count.
    Divided {
        /// The organisation.
        organisation: String,
    },
    /// The owner's primary node wrote two different entries at one place of the access log.
    Contradicted {
        /// The space.
        space: String,
    },
    /// Another copy of this node was noticed: it signs nothing until that is settled.
    Cloned,
    /// The listener was too slow and missed events.
    Lagged {
        /// How many.
        missed: u64,
    },
}

impl ApiEvent {
    /// The name under which it is sent.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RecordChanged { .. } => "record_changed",
            Self::Erased { .. } => "erased",
            Self::SpaceChanged { .. } => "space_changed",
            Self::PartnerChanged { .. } => "partner_changed",
            Self::Forked { .. } => "forked",
            Self::Divided { .. } => "divided",
            Self::Contradicted { .. } => "contradicted",
            Self::Cloned => "cloned",
            Self::Lagged { .. } => "lagged",
        }
    }
}
