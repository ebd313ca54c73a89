//! Nodes that a partner does not know yet: this one presents itself to partners that refuse it, and
//! hears those of partners; and whoever holds a partner's root key is given its identity log.

use super::dialing::{NOT_TAKEN, REFUSED};
use super::restraint::tell_within;
use super::{Core, now};
use crate::network::SessionId;
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::joining::{Introduction, JoinMessage, Refusal, VERSION};
use sincronia_protocol::limits::FRAME_BYTES_MAX;
use sincronia_protocol::replica::ReplicaError;
use std::time::Instant;
use tracing::{info, warn};

impl Core {
    /// Presents this node in an exchange that it opened.
    pub(super) fn present(&self, session: SessionId, introduction: Introduction) {
        let message = JoinMessage::Return { version: VERSION, introduction };
        self.send_or_close(session, &message);
    }

    fn send_or_close(&self, session: SessionId, message: &JoinMessage) {
        let frame = message.encode();
        if frame.len() <= FRAME_BYTES_MAX {
            self.network.send(session, frame);
        } else {
            warn!("an identity log is too long for one frame");
            self.network.send(session, JoinMessage::Refused(Refusal::TooLong).encode());
            self.network.close(session);
        }
    }

    /// What came of it: the partner is called again at once, or it is left to its pauses.
    pub(super) fn finish_return(
        &mut self,
        session: SessionId,
        node: &NodeId,
        message: &JoinMessage,
    ) {
        match message {
            JoinMessage::Returned => {
                info!(%node, "a partner's node knows this one now");
                self.dialing.hurry(node, Instant::now());
                self.dial_due(Instant::now());
            }
            JoinMessage::Refused(refusal) => {
                warn!(%node, %refusal, "a partner's node does not take this one");
                let why = match refusal {
                    Refusal::Unknown => Some(REFUSED),
                    Refusal::Identity => Some(NOT_TAKEN),
                    _ => None,
                };
                if let Some(why) = why {
                    self.dialing.refuse(node, why);
                    self.tell_partner_of(node);
                }
            }
            _ => warn!(%node, "a partner's node does not answer as it should"),
        }
        self.leave_to_its_pauses(*node, "it has not presented itself yet".into());
        self.network.close(session);
    }

    /// Answers a node that presents itself, or recalls an identity log.
    pub(super) fn answer_returning(
        &mut self,
        session: SessionId,
        node: &NodeId,
        message: JoinMessage,
    ) {
        let answer = self.answer_to(node, message).and_then(|answer| {
            // Said only when it will be known after a crash, too.
            self.commit().map_err(|_| ReplicaError::Damaged("store"))?;
            Ok(answer)
        });
        match answer {
            Ok(answer) => {
                if let JoinMessage::Refused(refusal) = &answer {
                    tell_within(&mut self.joinings.lines, || {
                        info!(%node, %refusal, "a node that wished to return was refused");
                    });
                }
                self.admit_partners();
                self.send_or_close(session, &answer);
            }
            Err(error) => tell_within(&mut self.joinings.lines, || {
                warn!(%error, "a node that wished to return was not heard");
            }),
        }
        self.network.close(session);
    }

    fn answer_to(
        &mut self,
        node: &NodeId,
        message: JoinMessage,
    ) -> Result<JoinMessage, ReplicaError> {
        // Not kept out by the failures of others, as joinings are: whoever is no partner is refused
        // before anything is verified.
        match message {
            JoinMessage::Return { version: VERSION, introduction } => {
                let at = now();
                let outcome = self.replica.admit_return(&self.disk, node, &introduction, at)?;
                Ok(outcome.map_or_else(JoinMessage::Refused, |_| JoinMessage::Returned))
            }
            JoinMessage::Recall { version: VERSION, root, proof, next_root } => {
                let named = (&root, &next_root);
                let outcome = self.replica.recalled(&self.disk, named, node, &proof)?;
                let recalled = |identity| JoinMessage::Recalled { identity };
                Ok(outcome.map_or_else(JoinMessage::Refused, recalled))
            }
            _ => Ok(JoinMessage::Refused(Refusal::Version)),
        }
    }
}
