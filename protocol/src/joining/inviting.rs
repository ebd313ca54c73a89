//! The side that made the invitation.

use super::{Acquaintance, Introduction, JoinMessage, Refusal, Transcript, VERSION};
use crate::crypto::{Domain, Secret};
use crate::ids::NodeId;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

/// The exchange as the inviting side runs it, with one peer.
pub struct Inviting {
    transcript: Transcript,
    introduction: Introduction,
    invitation: [u8; 32],
    opened: bool,
    proved: bool,
}

/// What follows from a message.
#[derive(Debug)]
pub enum InvitingStep {
    /// Send this.
    Send(JoinMessage),
    /// The peer proved that it holds the invitation with this id. The caller makes it a partner,
    /// marks the invitation used, and sends the message once that is durable.
    Joined {
        /// Which invitation.
        invitation: [u8; 32],
        /// The new partner.
        acquaintance: Box<Acquaintance>,
        /// The answer.
        welcome: JoinMessage,
    },
    /// Send this refusal and end.
    Refuse(Refusal),
}

impl Inviting {
    /// Waits for the node `invited`, as the transport authenticated it.
    pub fn new<R: CryptoRng + ?Sized>(
        own: NodeId,
        invited: NodeId,
        introduction: Introduction,
        random: &mut R,
    ) -> Self {
        let mut nonce = [0; 32];
        random.fill_bytes(&mut nonce);
        let transcript =
            Transcript { invited, inviting: own, invited_nonce: [0; 32], inviting_nonce: nonce };
        let (invitation, opened, proved) = ([0; 32], false, false);
        Self { transcript, introduction, invitation, opened, proved }
    }

    /// The node at the other end.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        self.transcript.invited
    }

    /// Handles a message. `lookup` gives the proof key of an open invitation, or why it is not
    /// open.
    pub fn handle(
        &mut self,
        message: JoinMessage,
        lookup: impl Fn(&[u8; 32]) -> Result<Secret<32>, Refusal>,
    ) -> InvitingStep {
        match message {
            JoinMessage::Open { version, .. } if version != VERSION => {
                InvitingStep::Refuse(Refusal::Version)
            }
            JoinMessage::Open { invitation, nonce, .. } if !self.opened => {
                self.opened = true;
                self.invitation = invitation;
                self.transcript.invited_nonce = nonce;
                match lookup(&invitation) {
                    Ok(_) => InvitingStep::Send(JoinMessage::Challenge {
                        nonce: self.transcript.inviting_nonce,
                    }),
                    Err(refusal) => InvitingStep::Refuse(refusal),
                }
            }
            JoinMessage::Proof { mac, introduction } if self.opened && !self.proved => {
                self.proved = true;
                match lookup(&self.invitation) {
                    Ok(key) => self.judge(&mac, introduction, &key),
                    Err(refusal) => InvitingStep::Refuse(refusal),
                }
            }
            _ => InvitingStep::Refuse(Refusal::Unknown),
        }
    }

    fn judge(&self, mac: &[u8; 32], introduction: Introduction, key: &Secret<32>) -> InvitingStep {
        let expected = self.transcript.mac(Domain::INVITATION_PROOF, key, &introduction);
        if !bool::from(mac.ct_eq(&expected)) {
            return InvitingStep::Refuse(Refusal::Unknown);
        }
        let Some(identity) = introduction.certified(&self.transcript.invited) else {
            return InvitingStep::Refuse(Refusal::Identity);
        };
        let mac = self.transcript.mac(Domain::INVITATION_ANSWER, key, &self.introduction);
        InvitingStep::Joined {
            invitation: self.invitation,
            acquaintance: Box::new(Acquaintance {
                organisation: identity.organisation(),
                node: self.transcript.invited,
                introduction,
            }),
            welcome: JoinMessage::Welcome { mac, introduction: self.introduction.clone() },
        }
    }
}
