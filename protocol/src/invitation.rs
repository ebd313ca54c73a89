//! Invitations: what a new partner receives to join.
//!
//! One text (or file, or QR code) holds everything: who invites, where its node is, and a secret
//! that works once and for a limited time. The inviting node keeps only what the secret derives to.

use crate::codec;
use crate::crypto::{Domain, Secret};
use crate::ids::{IdError, NodeId, OrganisationId, encode_text};
use crate::limits;
use crate::time::Timestamp;
use minicbor::{Decode, Encode};

/// The prefix of an invitation's text.
pub const PREFIX: &str = "invito";
const VERSION: u8 = 1;

/// Why a text is not an invitation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// A typing error, or something else than an invitation.
    #[error(transparent)]
    Text(#[from] IdError),
    /// The checksum holds, but the content is of another version.
    #[error("the invitation was made by a newer version; update this program")]
    Version,
}

/// An invitation, as the invited organisation holds it.
#[derive(Clone)]
pub struct Invitation {
    /// Who invites.
    pub organisation: OrganisationId,
    /// Its node.
    pub node: NodeId,
    /// Where the node is.
    pub addresses: Vec<String>,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// What proves that it was received.
    pub secret: Secret<16>,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Invitation({:?}, …)", self.organisation)
    }
}

#[derive(Encode, Decode)]
struct Wire {
    #[n(0)]
    version: u8,
    #[n(1)]
    organisation: OrganisationId,
    #[n(2)]
    node: NodeId,
    #[n(3)]
    addresses: Vec<String>,
    #[n(4)]
    expires_at: Timestamp,
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    secret: [u8; 16],
}

/// What both sides derive from the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationKey {
    /// Names the invitation without giving it away.
    pub id: [u8; 32],
    /// Proves that one holds it.
    pub proof: Secret<32>,
}

impl Invitation {
    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let wire = Wire {
            version: VERSION,
            organisation: self.organisation,
            node: self.node,
            addresses: self.addresses.clone(),
            expires_at: self.expires_at,
            secret: *self.secret.expose(),
        };
        encode_text(PREFIX, &codec::encode(&wire))
    }

    /// Parses a text; spaces and line breaks inside do not matter, since mail programs add them.
    ///
    /// # Errors
    /// [`InvitationError`] says whether it was mistyped or is of another version.
    pub fn from_text(text: &str) -> Result<Self, InvitationError> {
        let compact: String = text.chars().filter(|one| !one.is_whitespace()).collect();
        let bytes = crate::ids::decode_bytes(PREFIX, &compact)?;
        let wire: Wire =
            codec::decode_bounded(&bytes, 8 * 1024).map_err(|_| InvitationError::Version)?;
        let sound = wire.addresses.len() <= limits::ADDRESSES_MAX
            && wire.addresses.iter().all(|one| one.len() <= limits::ADDRESS_BYTES_MAX);
        if wire.version != VERSION || !sound {
            return Err(InvitationError::Version);
        }
        Ok(Self {
            organisation: wire.organisation,
            node: wire.node,
            addresses: wire.addresses,
            expires_at: wire.expires_at,
            secret: Secret::from_bytes(wire.secret),
        })
    }

    /// What both sides derive from the secret.
    #[must_use]
    pub fn key(&self) -> InvitationKey {
        let secret = self.secret.expose();
        InvitationKey {
            id: Domain::INVITATION_ID.hash(&[secret]),
            proof: Secret::from_bytes(Domain::INVITATION_PROOF.hash(&[secret])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Invitation {
        Invitation {
            organisation: OrganisationId::from_bytes([1; 32]),
            node: NodeId::from_bytes([2; 32]),
            addresses: vec!["/ip4/127.0.0.1/tcp/4001".into()],
            expires_at: Timestamp::from_milliseconds(5),
            secret: Secret::from_bytes([3; 16]),
        }
    }

    #[test]
    fn the_text_holds_everything_and_survives_line_breaks() {
        let text = sample().to_text();
        let (first, second) = text.split_at(60);
        let parsed = Invitation::from_text(&format!(" {first}\n  {second}\n")).unwrap();
        assert_eq!((parsed.node, parsed.secret), (sample().node, sample().secret));
    }

    #[test]
    fn as_many_addresses_as_may_be_fit_into_one_text() {
        let addresses = vec!["a".repeat(limits::ADDRESS_BYTES_MAX); limits::ADDRESSES_MAX];
        let text = Invitation { addresses, ..sample() }.to_text();
        let parsed = Invitation::from_text(&text).unwrap();
        assert_eq!(parsed.addresses.len(), limits::ADDRESSES_MAX);
    }

    #[test]
    fn a_typing_error_is_noticed_and_the_secret_not_printed() {
        let text = sample().to_text();
        let wrong = text.replacen('q', "p", 1);
        assert!(matches!(Invitation::from_text(&wrong), Err(InvitationError::Text(_))));
        assert!(!format!("{:?}", sample()).contains("3, 3"));
    }
}
