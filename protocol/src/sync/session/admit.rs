//! Messages that bring entries: admitted by the replica, then acknowledged.
//!
//! What does not hold cryptographically ends the session. What merely does not fit (a space that
//! was left meanwhile, an identity that comes later) is refused with its reason, and the next
//! comparison tells whether it still matters.

use super::{PASSED_OVER_MAX, Phase, REFUSED_LOGS_MAX, Session};
use crate::access::AccessError;
use crate::identity::{Identity, IdentityEntry, IdentityError, IdentityOperation};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::log::{LogPosition, RunError};
use crate::replica::{ItemRef, Presentation, Replica, ReplicaError, decode_proof};
use crate::storage::Storage;
use crate::sync::effect::{CloseReason, Effect, Effects};
use crate::sync::exchange::Task;
use crate::sync::message::Message;
use crate::sync::{Beacons, Handover};

/// What a partner brings that is not its own writing.
#[derive(Clone, Copy)]
struct Brought {
    by: OrganisationId,
    strangers: u64,
    bytes: u64,
}

impl Session {
    pub(super) fn admit(
        &mut self,
        message: Message,
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let before = replica.growth_count();
        let brought = self.brought(&message, replica);
        let log = match &message {
            Message::Run(run) => Some((run.space, run.author)),
            _ => None,
        };
        let outcome = match message {
            _ if brought.is_some_and(|one| !replica.may_bring(one.by, self.last_heard)) => {
                Err(ReplicaError::Limit("what one partner brings within a day"))
            }
            Message::Identities(entries) => {
                let organisation = entries.first().map(|entry| entry.statement.organisation);
                let organisation = organisation.ok_or(CloseReason::Misbehaved("no entries"))?;
                self.check_expected(&organisation, replica)?;
                self.admit_identity(&organisation, &entries, replica, disk)
            }
            Message::Access { .. } if self.partner.is_none() => Err(ReplicaError::NotPermitted),
            Message::Receipts { space, .. } if !self.accepts(&space, None, replica) => {
                Err(ReplicaError::NotPermitted)
            }
            Message::Sealed { space, .. } if !self.accepts(&space, None, replica) => {
                Err(ReplicaError::NotPermitted)
            }
            Message::Run(run) if !self.accepts(&run.space, Some(&run.author), replica) => {
                Err(ReplicaError::NotPermitted)
            }
            Message::Access { space, entries, is_complete } => {
                replica.admit_access(disk, &space, &entries, is_complete).map(drop)
            }
            Message::Sealed { space, keyrings } => {
                let keyrings = keyrings.into_iter().map(Into::into);
                replica.admit_sealed(disk, &space, keyrings).map(drop)
            }
            Message::Receipts { space, receipts } => {
                replica.admit_receipts(disk, &space, &receipts).map(drop)
            }
            Message::Run(run) => replica.admit_run_of_today(disk, run, self.last_heard).map(drop),
            Message::Introductions(told) => self.admit_introductions(told, replica),
            Message::Beacons(Beacons::Records(_)) if self.partner.is_none() => {
                Err(ReplicaError::NotPermitted)
            }
            Message::Beacons(Beacons::Records(records)) => {
                replica.admit_beacons(records, self.last_heard)
            }
            Message::Handover(handover) => self.admit_handover(handover, replica, disk),
            _ => Ok(()),
        };
        self.received += 1;
        // What came before the part that was refused counts as progress.
        let has_grown = replica.growth_count() > before;
        self.moved |= has_grown;
        if let Some(Brought { by, strangers, bytes }) = brought.filter(|_| has_grown) {
            replica.count_brought(by, strangers, bytes, self.last_heard);
        }
        if outcome.is_err()
            && let Phase::Greeting(greeting) = &mut self.phase
        {
            // What the partner says of itself does not hold here: it is judged by what is known.
            greeting.awaits = None;
        }
        if let Err(error) = outcome {
            let is_excused = self.follows_on_refused(log, &error);
            let reason = if is_excused { error.to_string() } else { severity(&error)? };
            effects.push(Effect::Refused(reason));
        }
        Ok(())
    }

    /// Takes a part of an identity log. Where it turns out to part from what was known here, the
    /// partner is told all of it, too: it may have less, and hear of no greater length.
    fn admit_identity(
        &mut self,
        organisation: &OrganisationId,
        entries: &[IdentityEntry],
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), ReplicaError> {
        let is_parted =
            |replica: &Replica| replica.identity(organisation).is_some_and(Identity::has_branches);
        let was_parted = is_parted(replica);
        self.admit_with_passed_over(organisation, entries, replica, disk)?;
        let item = ItemRef::Identity(*organisation);
        let is_shown = self.partner_so_far().is_some_and(|one| replica.may_show(&one, &item));
        if is_parted(replica) && !was_parted && is_shown {
            // The partner has what it sent, and what comes before that.
            let theirs = entries.last().map_or(LogPosition::START, |entry| LogPosition {
                length: entry.statement.sequence.saturating_add(1),
                head: entry.statement.hash(),
            });
            let from = replica.identity(organisation).map_or(0, |one| one.going_on_from(&theirs));
            let (organisation, to) = (*organisation, u64::MAX);
            self.exchange.push(Task::Identity { organisation, from, to });
        }
        if let Phase::Greeting(greeting) = &mut self.phase
            && let (Some(partner), Some(awaits)) = (greeting.partner, greeting.awaits)
            && partner == *organisation
            && entries.iter().any(|entry| entry.statement.hash() == awaits.head)
            && !replica.identity(organisation).is_some_and(|one| one.goes_through(&awaits))
        {
            // It came and was set aside: what the partner is, it learns from what is known here.
            greeting.awaits = None;
        }
        Ok(())
    }

    /// Whoever does not take a branch by itself takes it with the entry that unites it, which may
    /// come in a later message: what was passed over is kept until then, and offered once.
    fn admit_with_passed_over(
        &mut self,
        organisation: &OrganisationId,
        entries: &[IdentityEntry],
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), ReplicaError> {
        let mut offered = std::mem::take(&mut self.passed_over);
        offered.retain(|one| one.statement.organisation == *organisation);
        let known = replica.identity(organisation);
        let is_new = |one: &IdentityEntry| known.is_none_or(|log| !log.knows(&one.statement));
        let unites = |one: &&IdentityEntry| {
            matches!(one.statement.operation, IdentityOperation::Unite { .. }) && is_new(one)
        };
        if entries.iter().any(|entry| unites(&entry)) {
            offered.extend_from_slice(entries);
            return replica.admit_identity(disk, &offered).map(drop);
        }
        replica.admit_identity(disk, entries)?;
        let known = replica.identity(organisation);
        let is_new = |one: &IdentityEntry| known.is_none_or(|log| !log.knows(&one.statement));
        offered.extend(entries.iter().filter(|one| is_new(one)).cloned());
        offered.truncate(PASSED_OVER_MAX);
        self.passed_over = offered;
        Ok(())
    }

    /// Whether a run does not hold here because one before it was refused, which may hold once more
    /// is known: of two versions of a log honest nodes keep the one that they have. Remembers what
    /// is refused so.
    fn follows_on_refused(&mut self, log: Option<(SpaceId, NodeId)>, error: &ReplicaError) -> bool {
        let Some(log) = log else { return false };
        match error {
            ReplicaError::Run(RunError::Signature) => self.refused.contains(&log),
            ReplicaError::Run(RunError::Origin | RunError::BodyMissing)
                if self.refused.len() < REFUSED_LOGS_MAX =>
            {
                self.refused.insert(log);
                false
            }
            _ => false,
        }
    }

    /// What a message brings of that which anybody can make in any number. Runs are counted by
    /// their authors, and this organisation's own nodes not at all.
    fn brought(&self, message: &Message, replica: &Replica) -> Option<Brought> {
        let by = self.partner.filter(|partner| *partner != replica.organisation())?;
        let strangers = match message {
            Message::Identities(entries) => {
                let organisation = entries.first()?.statement.organisation;
                let is_stranger = replica.identity(&organisation).is_none();
                u64::from(is_stranger) * limits::SPACES_PER_STRANGER
            }
            Message::Access { space, .. } if replica.summary(space).is_some() => 0,
            Message::Access { is_complete: true, .. } => 1,
            Message::Access { .. } => limits::SPACES_PER_STRANGER,
            Message::Sealed { .. } => 0,
            _ => return None,
        };
        Some(Brought { by, strangers, bytes: message.weight() as u64 })
    }

    /// Keys are taken from whoever has them, since the access log says which they are; the rest
    /// only from nodes of this organisation.
    fn admit_handover(
        &self,
        handover: Handover,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), ReplicaError> {
        let is_sibling = self.partner == Some(replica.organisation());
        match handover {
            Handover::Keys { space, epoch, sealed } if self.accepts(&space, None, replica) => {
                replica.admit_handover(disk, &space, epoch, &sealed).map(drop)
            }
            Handover::Partners(records) if is_sibling => {
                if records.len() > limits::PARTNER_RECORDS_MAX {
                    return Err(ReplicaError::Limit("partners in one message"));
                }
                // One that does not fit keeps no other out.
                let outcomes = records.into_iter().map(|one| replica.admit_partner_record(one));
                outcomes.fold(Ok(()), Result::and)
            }
            Handover::Directory(space) if is_sibling => replica.admit_directory(disk, &space),
            _ => Err(ReplicaError::NotPermitted),
        }
    }

    /// Partners present others; nodes of one organisation tell each other of partners otherwise.
    fn admit_introductions(
        &self,
        told: Vec<Presentation>,
        replica: &mut Replica,
    ) -> Result<(), ReplicaError> {
        let by = self.partner.filter(|partner| *partner != replica.organisation());
        let by = by.ok_or(ReplicaError::NotPermitted)?;
        if told.len() > limits::INTRODUCTIONS_OF_PARTNER_MAX {
            return Err(ReplicaError::Limit("introductions in one message"));
        }
        let taken =
            told.into_iter().map(|one| replica.admit_presentation(by, one, self.last_heard));
        taken.fold(Ok(()), Result::and)
    }

    /// Before the greeting is over, only the partner's own identity log is taken, and more of this
    /// organisation's: whoever was revoked while it was away learns it before anything else. Later
    /// every log is: it proves itself, it travels before the space that explains it, and a former
    /// member needs those of owners that it shares nothing with.
    fn check_expected(
        &self,
        organisation: &OrganisationId,
        replica: &Replica,
    ) -> Result<(), CloseReason> {
        let Phase::Greeting(greeting) = &self.phase else { return self.partner().map(drop) };
        match greeting.partner {
            None => Err(CloseReason::Misbehaved("entries before the greeting")),
            Some(claimed) if *organisation == claimed => Ok(()),
            Some(_) if *organisation == replica.organisation() => Ok(()),
            Some(_) => Err(CloseReason::Misbehaved("a stranger's identity log")),
        }
    }

    /// An access log is judged by its owner's signatures, whoever brings it: only it tells that the
    /// partner has become a member. The rest of a space is taken only from its members and
    /// carriers. A former member hands in what its own nodes wrote: it goes to quarantine, where
    /// the owner finds it.
    fn accepts(&self, space: &SpaceId, author: Option<&NodeId>, replica: &Replica) -> bool {
        let Some(partner) = self.partner else { return false };
        let Some(summary) = replica.summary(space) else { return true };
        summary.role(&partner).is_some()
            || author.is_some_and(|author| replica.holders(author).contains(&partner))
    }

    /// Acknowledges everything admitted since the last time; the driver sends it once it is
    /// durable.
    pub(super) fn acknowledge(&mut self, effects: &mut Effects) {
        if self.received > self.acknowledged {
            self.acknowledged = self.received;
            effects.push(Effect::Send(Message::Acknowledge(self.received)));
        }
    }
}

/// Whether a refusal ends the session; otherwise its text for the log.
fn severity(error: &ReplicaError) -> Result<String, CloseReason> {
    let misbehaved = |what| Err(CloseReason::Misbehaved(what));
    match error {
        ReplicaError::Run(RunError::Signature | RunError::Malformed) => {
            misbehaved("entries whose signature does not hold")
        }
        // By whom an entry had to be signed depends on the owner's identity log as it is known
        // here: an owner that tells two stories must not part those who hear them.
        ReplicaError::Access(AccessError::Signature) => {
            misbehaved("an access entry whose signature does not hold")
        }
        ReplicaError::Identity(IdentityError::Signature) => {
            misbehaved("an identity entry whose signature does not hold")
        }
        ReplicaError::Beacons => misbehaved("a beacon whose signature does not hold"),
        ReplicaError::Receipt => misbehaved("a receipt whose signature does not hold"),
        ReplicaError::Malformed(_) => misbehaved("malformed entries"),
        ReplicaError::Storage(_) | ReplicaError::Damaged(_) => Err(CloseReason::Store),
        _ => Ok(error.to_string()),
    }
}

/// A proof of a fork is a run like any other; it contradicts what is here.
pub(super) fn proof_message(bytes: &[u8]) -> Option<Message> {
    decode_proof(bytes).map(Message::Run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_that_tells_two_stories_parts_nobody_who_passes_one_on() {
        assert!(severity(&ReplicaError::Access(AccessError::Signer)).is_ok());
        assert!(severity(&ReplicaError::Access(AccessError::Signature)).is_err());
    }
}
