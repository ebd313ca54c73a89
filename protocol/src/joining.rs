//! Joining: four messages by which an invited organisation becomes a partner.
//!
//! ```text
//! invited                                   inviting
//!   Open { invitation id, nonce }      →
//!                                      ←      Challenge { nonce }
//!   Proof { mac, identity, name, … }   →
//!                                      ←      Welcome { mac, identity, name, … }  or  Refused
//! ```
//! Both macs are keyed by what the secret derives to, and cover both nodes as the transport
//! authenticated them, both nonces and the sender's introduction: a proof that was overheard, is
//! relayed or was altered proves nothing.
//! Each side checks that the other's identity log certifies the node it is talking to.
//!
//! Deliberately absent: sockets, the list of invitations (`replica`), and trust: both sides are
//! *joined* afterwards, and *verified* only when people have compared the phrase.

mod invited;
mod inviting;
mod returning;

use crate::codec::{self, CodecError};
use crate::crypto::{Domain, RootPublic, Secret, Signature};
use crate::identity::{Identity, IdentityEntry};
use crate::ids::{NodeId, OrganisationId};
use crate::limits;
use crate::text;
use minicbor::{Decode, Encode};

pub use invited::{Invited, InvitedStep};
pub use inviting::{Inviting, InvitingStep};
pub use returning::{may_recall, recall};

/// The version of the exchange.
pub const VERSION: u32 = 1;

/// Why an invitation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum Refusal {
    /// No such invitation, or a wrong proof.
    #[n(0)]
    #[error("the inviting node does not know this invitation; ask for a new one")]
    Unknown,
    /// Its time is over.
    #[n(1)]
    #[error("the invitation has expired; ask for a new one")]
    Expired,
    /// Another organisation used it.
    #[n(2)]
    #[error("the invitation was used already; ask for a new one, and tell who invited you")]
    Used,
    /// It was withdrawn.
    #[n(3)]
    #[error("the invitation was withdrawn; ask for a new one")]
    Revoked,
    /// Too many attempts.
    #[n(4)]
    #[error("too many attempts; try again in a minute")]
    TooMany,
    /// The versions of the programs do not fit.
    #[n(5)]
    #[error("the versions of the two programs do not fit; update the older one")]
    Version,
    /// The identity log sent does not hold or does not certify the node.
    #[n(6)]
    #[error("the identity sent does not hold")]
    Identity,
    /// The answering side's own identity log does not fit into one message.
    #[n(7)]
    #[error("the inviting organisation's identity log is too long for one message of a line")]
    TooLong,
}

/// An organisation introducing itself.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Introduction {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Where its node is.
    #[n(1)]
    pub addresses: Vec<String>,
    /// Its identity log.
    #[n(2)]
    pub identity: Vec<IdentityEntry>,
}

impl std::fmt::Debug for Introduction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Introduction(…)")
    }
}

impl Introduction {
    /// The identity, when the log holds and certifies `node`.
    #[must_use]
    pub fn certified(&self, node: &NodeId) -> Option<Identity> {
        let sound = self.name.len() <= limits::NAME_BYTES_MAX
            && text::is_line(&self.name)
            && self.addresses.len() <= limits::ADDRESSES_MAX
            && self.addresses.iter().all(|one| one.len() <= limits::ADDRESS_BYTES_MAX);
        let identity = Identity::read(&self.identity).ok().filter(|_| sound)?;
        identity.is_active(node).then_some(identity)
    }
}

/// A message of the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum JoinMessage {
    /// The invited side names the invitation.
    #[n(0)]
    Open {
        /// Version of the exchange.
        #[n(0)]
        version: u32,
        /// Which invitation.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        invitation: [u8; 32],
        /// Fresh randomness.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        nonce: [u8; 32],
    },
    /// The inviting side asks for a proof.
    #[n(1)]
    Challenge {
        /// Fresh randomness.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        nonce: [u8; 32],
    },
    /// The invited side proves that it holds the secret, and introduces itself.
    #[n(2)]
    Proof {
        /// Keyed hash over both nodes, both nonces and the introduction.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        mac: [u8; 32],
        /// Who it is.
        #[n(1)]
        introduction: Introduction,
    },
    /// The inviting side accepts, proves the same, and introduces itself.
    #[n(3)]
    Welcome {
        /// Keyed hash over both nodes, both nonces and the introduction.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        mac: [u8; 32],
        /// Who it is.
        #[n(1)]
        introduction: Introduction,
    },
    /// The inviting side refuses.
    #[n(4)]
    Refused(#[n(0)] Refusal),
    /// Whoever holds the root key of an organisation asks for its identity log.
    #[n(5)]
    Recall {
        /// Version of the exchange.
        #[n(0)]
        version: u32,
        /// The first root key, which the organisation's id is made of.
        #[n(1)]
        root: RootPublic,
        /// Its signature over the organisation and both nodes.
        #[n(2)]
        proof: Signature,
        /// The commitment to the root key after it, of which the id is made, too.
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        next_root: [u8; 32],
    },
    /// The identity log, as far as it is known.
    #[n(6)]
    Recalled {
        /// The entries, oldest first.
        #[n(0)]
        identity: Vec<IdentityEntry>,
    },
    /// A node of a partner that is not known yet presents its identity log.
    #[n(7)]
    Return {
        /// Version of the exchange.
        #[n(0)]
        version: u32,
        /// Who it is.
        #[n(1)]
        introduction: Introduction,
    },
    /// It is known now.
    #[n(8)]
    Returned,
}

impl JoinMessage {
    /// The frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Parses a frame.
    ///
    /// # Errors
    /// As [`codec::decode_bounded`].
    pub fn decode(frame: &[u8]) -> Result<Self, CodecError> {
        codec::decode_bounded(frame, limits::FRAME_BYTES_MAX)
    }
}

/// What both macs cover.
#[derive(Clone)]
struct Transcript {
    invited: NodeId,
    inviting: NodeId,
    invited_nonce: [u8; 32],
    inviting_nonce: [u8; 32],
}

impl Transcript {
    fn mac(&self, domain: Domain, key: &Secret<32>, introduction: &Introduction) -> [u8; 32] {
        domain.keyed_hash(
            key.expose(),
            &[
                self.invited.as_bytes(),
                self.inviting.as_bytes(),
                &self.invited_nonce,
                &self.inviting_nonce,
                &codec::encode(introduction),
            ],
        )
    }
}

/// A partner as the exchange leaves it.
#[derive(Clone, Debug)]
pub struct Acquaintance {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The node it was met at.
    pub node: NodeId,
    /// What it said of itself.
    pub introduction: Introduction,
}
