//! A session without a line: the same questions, answers and admission, with a bundle in place of
//! the stream.
//!
//! What goes into a bundle is what a session would send to a partner whose heads are known; what
//! comes out of one is admitted under the restrictions of a session with whoever made it. Nothing
//! is decided here that a session does not decide.

use super::answer::{heads_messages, store};
use super::{Greeting, Phase, Session, Side};
use crate::ids::{NodeId, OrganisationId};
use crate::log::LogPosition;
use crate::replica::{Replica, SpaceHeads};
use crate::storage::Storage;
use crate::sync::effect::{CloseReason, Effect, Effects};
use crate::sync::exchange::Task;
use crate::sync::handover::Handover;
use crate::sync::message::Message;
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Heads of identity logs that a session takes at once.
const IDENTITIES_PER_MESSAGE: usize = 4_096;

/// Is given each message; `Break` when no more fit.
type Packer<'a> = &'a mut dyn FnMut(&Message) -> ControlFlow<()>;

/// A session without a line, with one partner.
pub struct Courier {
    session: Session,
    partner: OrganisationId,
}

impl Courier {
    /// With the node of the partner that made the bundle, or, for one to be made, with this node;
    /// `now` is the time by which what it brings is judged.
    #[must_use]
    pub fn new(partner: OrganisationId, node: NodeId, now: Timestamp) -> Self {
        let mut session = Session::new(Side::Responder, node, Vec::new(), now);
        // As after a greeting whose identity log has not arrived: only that log is taken.
        session.phase = Phase::Greeting(Greeting { partner: Some(partner), ..Greeting::default() });
        Self { session, partner }
    }

    /// The partner's node is certified: from now on everything a partner may bring is taken.
    pub fn begin(&mut self) {
        self.session.partner = Some(self.partner);
        self.session.phase = Phase::Live { compared: true, recompare_at: None };
    }

    /// Where the logs stand here of what the partner may know: what it reads as acknowledgement.
    #[must_use]
    pub fn acknowledgements(heads: Vec<SpaceHeads>) -> Vec<Message> {
        heads_messages(true, heads)
    }

    /// Hands to `pack` everything that a partner with these identity logs and heads lacks and may
    /// have, identities and access logs first. Returns whether all of it was taken. The heads are
    /// the word of `reader`, a node of the partner, if of anybody: keys that they name as lacking
    /// are sealed to it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn pack(
        &mut self,
        reader: Option<NodeId>,
        identities: &[(OrganisationId, LogPosition)],
        heads: &[SpaceHeads],
        replica: &mut Replica,
        disk: &dyn Storage,
        pack: Packer<'_>,
    ) -> Result<bool, CloseReason> {
        self.begin();
        let mut effects = Effects::new();
        for heads in identities.chunks(IDENTITIES_PER_MESSAGE) {
            self.session.handle_identity_heads(true, heads, replica, &mut effects);
        }
        for theirs in heads {
            let theirs = std::slice::from_ref(theirs);
            self.session.handle_heads(true, theirs, replica, disk, &mut effects)?;
        }
        for theirs in heads {
            let logs = replica.parting_logs(disk, theirs).map_err(store)?;
            for (author, from) in logs {
                self.session.exchange.push(Task::Author { space: theirs.space, author, from });
            }
        }
        // Only now: what a node said that it lacks was noted when its own bundle was read.
        self.session.node = reader.unwrap_or(self.session.node);
        self.session.exchange.push(Task::Introductions);
        let beacons = replica.beacon_numbers(&self.partner);
        let nodes: BTreeSet<_> = beacons.into_iter().map(|(node, _)| node).collect();
        if !nodes.is_empty() {
            self.session.exchange.push(Task::Beacons { nodes });
        }
        let mut sent = 0;
        loop {
            self.session.pump(self.session.last_heard, replica, disk, &mut effects)?;
            let before = sent;
            for effect in effects.drain(..) {
                let Effect::Send(message) = effect else { continue };
                if message.is_acknowledged() {
                    sent += 1;
                }
                if pack(&message).is_break() {
                    return Ok(false);
                }
            }
            if sent == before {
                return Ok(true);
            }
            self.session.exchange.note_acknowledged(sent);
        }
    }

    /// Admits a message that brings entries, as the session would. A bundle is for every machine of
    /// its recipient, and the keys in it are for one: the others pass over them. Returns why it was
    /// refused, when the rest may still be good.
    ///
    /// # Errors
    /// [`CloseReason`] when the rest is worth nothing either.
    pub fn unpack(
        &mut self,
        message: Message,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<Option<String>, CloseReason> {
        if !message.is_acknowledged() {
            return Err(CloseReason::Misbehaved("a message that has no place in a bundle"));
        }
        if let Message::Handover(Handover::Keys { space, epoch, sealed }) = &message
            && !replica.is_handed_here(space, *epoch, sealed)
        {
            return Ok(None);
        }
        let mut effects = Effects::new();
        self.session.admit(message, replica, disk, &mut effects)?;
        Ok(effects.into_iter().find_map(|effect| match effect {
            Effect::Refused(reason) => Some(reason),
            Effect::Send(_) | Effect::Close(_) => None,
        }))
    }
}
