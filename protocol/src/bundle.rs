//! Bundles: synchronisation where there is no line. What a session would send is written to files,
//! carried by hand or by certified mail, and read by the other side as a session would.
//!
//! # Course
//! 1. [`export`] writes what a partner lacks, by its own last word, with this side's word of what
//!    it has: one bundle, sealed to the partner's nodes, cut into parts of a size.
//! 2. [`import`] takes the parts in any order and any number of times, keeps them until the bundle
//!    is complete, and hands what is in it to the same admission as a session, under the same
//!    restrictions.
//! 3. An invitation is answered by [`answer_invitation`]; the inviting side's `import` redeems it,
//!    and its next `export` makes it a partner here.
//!
//! # Contract
//! As everywhere in `replica`: writes are pending until the driver commits them. A function that
//! fails may leave some behind; the driver then calls [`Replica::forget`], and nothing of the file
//! was taken.
//!
//! # Threats
//! Only the recipient's nodes open a bundle; who finds one learns for whom it is. Its maker signs
//! for whom it is and everything that is in it; nobody who is not a partner is heard. Sizes are
//! bounded before anything is allocated. Whoever can open a file here is an operator of this node.
//!
//! # Deliberately absent
//! Files, devices, mail.
//!
//! [`Replica::forget`]: crate::replica::Replica::forget

mod content;
#[cfg(test)]
mod crafted;
mod envelope;
mod exporting;
mod importing;
mod joining;
mod manifest;
mod part;
mod reading;

use crate::crypto::CryptoError;
use crate::ids::OrganisationId;
use crate::joining::Refusal;
use crate::replica::ReplicaError;
use crate::sync::CloseReason;

pub use exporting::{ExportRequest, Exported, export};
pub use importing::{Imported, Outcome, import};
pub use joining::answer_invitation;
pub use part::{Part, read_parts};

/// Why a bundle was not made or not taken. Each says who must act.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Bytes of it are not those it was made with.
    #[error("the file was damaged on its way, or changed by somebody")]
    Damaged,
    /// A joining request that is refused.
    #[error(transparent)]
    Invitation(#[from] Refusal),
    /// The partner broke the rules of a session.
    #[error("the bundle breaks the protocol: {0}")]
    Misbehaved(String),
    /// The recipient has no node that is certified.
    #[error("no node of that organisation is known to which a bundle could be sealed")]
    NoNode,
    /// Its node no longer speaks for its organisation.
    #[error("the node that made this bundle does not speak for its organisation (any more)")]
    NotCertified,
    /// Something else than a bundle, or the beginning of one.
    #[error("the file is not a bundle, or a part of it is cut off")]
    NotBundle,
    /// It was sealed before this node existed.
    #[error("the bundle is for this organisation and was sealed to other nodes of it")]
    NotForNode,
    /// Its maker is not a partner.
    #[error("the organisation is not a partner here")]
    NotPartner(OrganisationId),
    /// Parts of that size are not possible, or too many.
    #[error("parts of this size are not possible: too small, too large, or too many of them")]
    PartSize,
    /// It is for somebody else.
    #[error("the bundle is for another organisation")]
    Recipient(OrganisationId),
    /// The replica.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// A program of another version made it, newer or older.
    #[error("the bundle was made by another version of the program")]
    Version,
}

impl From<CryptoError> for BundleError {
    fn from(_: CryptoError) -> Self {
        Self::Damaged
    }
}

impl From<CloseReason> for BundleError {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Store => Self::Replica(ReplicaError::Damaged("bundle")),
            other => Self::Misbehaved(other.to_string()),
        }
    }
}
