//! The side that received the invitation.

use super::{Acquaintance, Introduction, JoinMessage, Refusal, Transcript, VERSION};
use crate::crypto::{Domain, Secret};
use crate::ids::NodeId;
use crate::invitation::Invitation;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

/// The exchange as the invited side runs it.
pub struct Invited {
    invitation: Invitation,
    introduction: Introduction,
    transcript: Transcript,
    proved: bool,
}

/// What follows from a message.
#[derive(Debug)]
pub enum InvitedStep {
    /// Send this.
    Send(JoinMessage),
    /// Joined.
    Joined(Box<Acquaintance>),
    /// The inviting side refused.
    Refused(Refusal),
    /// The other side is not who the invitation names, or broke the exchange.
    Misbehaved,
}

impl Invited {
    /// Begins the exchange with the node `inviting`, as the transport authenticated it.
    pub fn begin<R: CryptoRng + ?Sized>(
        invitation: Invitation,
        own: NodeId,
        inviting: NodeId,
        introduction: Introduction,
        random: &mut R,
    ) -> (Self, JoinMessage) {
        let mut nonce = [0; 32];
        random.fill_bytes(&mut nonce);
        let transcript =
            Transcript { invited: own, inviting, invited_nonce: nonce, inviting_nonce: [0; 32] };
        let open = JoinMessage::Open { version: VERSION, invitation: invitation.key().id, nonce };
        (Self { invitation, introduction, transcript, proved: false }, open)
    }

    /// Handles a message of the inviting side.
    pub fn handle(&mut self, message: JoinMessage) -> InvitedStep {
        let key: Secret<32> = self.invitation.key().proof;
        match message {
            JoinMessage::Challenge { nonce } if !self.proved => {
                self.proved = true;
                self.transcript.inviting_nonce = nonce;
                let introduction = self.introduction.clone();
                let mac = self.transcript.mac(Domain::INVITATION_PROOF, &key, &introduction);
                InvitedStep::Send(JoinMessage::Proof { mac, introduction })
            }
            JoinMessage::Welcome { mac, introduction } if self.proved => {
                let expected = self.transcript.mac(Domain::INVITATION_ANSWER, &key, &introduction);
                let identity = introduction.certified(&self.transcript.inviting);
                let is_sound: bool = mac.ct_eq(&expected).into();
                match identity {
                    Some(identity)
                        if is_sound && identity.organisation() == self.invitation.organisation =>
                    {
                        InvitedStep::Joined(Box::new(Acquaintance {
                            organisation: identity.organisation(),
                            node: self.transcript.inviting,
                            introduction,
                        }))
                    }
                    _ => InvitedStep::Misbehaved,
                }
            }
            JoinMessage::Refused(refusal) => InvitedStep::Refused(refusal),
            _ => InvitedStep::Misbehaved,
        }
    }
}
