//! Sending: what is queued, as far as the window has room, and what grows while live.

use super::admit::proof_message;
use super::answer::{announce, store};
use super::beacons::beacon_messages;
use super::portions::portions;
use super::shown::still_shown;
use super::{Exchanging, Phase, Session, Side};
use crate::access::{AccessEntry, Receipt};
use crate::codec;
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::replica::{Growth, ItemRef, PartnerRecord, Presentation, Replica};
use crate::storage::Storage;
use crate::sync::Handover;
use crate::sync::effect::{CloseReason, Effect, Effects};
use crate::sync::exchange::Task;
use crate::sync::message::Message;
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// One message of entries: small enough that verifying, committing and sending overlap.
pub(super) const MESSAGE_BYTES: usize = 256 * 1024;
/// Sealed keyrings in one message, at most.
const SEALED_PER_MESSAGE: usize = 128;

impl Session {
    /// Sends what the window has room for, acknowledges, and moves an exchange to its end.
    pub(super) fn pump(
        &mut self,
        now: Timestamp,
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        if matches!(self.phase, Phase::Closed) {
            return Ok(());
        }
        self.acknowledge(effects);
        // Whatever it was asked by: heads, lengths, beacons.
        if self.exchange.is_overfull() {
            return Err(CloseReason::Misbehaved("more is asked for than can be kept in mind"));
        }
        if let Some(partner) = self.partner_so_far() {
            self.announcements(replica, disk, &partner, effects)?;
            while let Some(task) = self.exchange.next() {
                for message in self.perform(task, &partner, replica, disk)? {
                    self.moved = true;
                    self.exchange.note_sent(message.weight());
                    effects.push(Effect::Send(message));
                }
            }
        }
        self.end_exchange(now, replica, effects)
    }

    pub(super) fn partner_so_far(&self) -> Option<OrganisationId> {
        match &self.phase {
            Phase::Greeting(greeting) => greeting.partner,
            _ => self.partner,
        }
    }

    fn end_exchange(
        &mut self,
        now: Timestamp,
        replica: &Replica,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let is_idle = self.exchange.is_idle();
        let side = self.side;
        let Phase::Exchanging(exchanging) = &mut self.phase else { return Ok(()) };
        let Exchanging { heard_asked, said_done, heard_done } = exchanging;
        let may_say = match side {
            Side::Initiator => *heard_asked,
            Side::Responder => *heard_done,
        };
        if is_idle && may_say && !*said_done {
            *said_done = true;
            effects.push(Effect::Send(Message::Done));
        }
        if !(*said_done && *heard_done) {
            return Ok(());
        }
        self.stuck = !self.moved;
        self.phase = Phase::Live { compared: false, recompare_at: None };
        match side {
            Side::Initiator => self.compare(replica, effects),
            Side::Responder => {
                self.last_heard = now;
                Ok(())
            }
        }
    }

    fn perform(
        &mut self,
        task: Task,
        partner: &OrganisationId,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<Vec<Message>, CloseReason> {
        let Some(task) = still_shown(task, partner, replica, disk)? else { return Ok(Vec::new()) };
        match task {
            Task::Identity { organisation, from, to } => {
                // What counts no more is taken by nobody who does not have it.
                let entries = replica.identity_in_force(disk, &organisation);
                let mut entries = entries.map_err(store)?;
                let is_wanted = |sequence| from <= sequence && sequence < to;
                entries.retain(|entry| is_wanted(entry.statement.sequence));
                Ok(entries.chunks(100).map(|part| Message::Identities(part.to_vec())).collect())
            }
            Task::Access { space, from, to } => self.access(space, from, to, replica, disk),
            Task::Branch { space, end } => {
                let entries = replica.branch_entries(disk, &space, &end).map_err(store)?;
                Ok(access_messages(space, entries))
            }
            Task::Sealed { space, hashes } => {
                let found = replica.sealed_for(disk, partner, &space, &hashes).map_err(store)?;
                Ok(sealed_messages(space, found))
            }
            Task::Handover { space, commitments } => {
                let keys = replica.handover(disk, (partner, &self.node), &space, &commitments);
                let message = |(epoch, sealed)| keys_message(space, epoch, sealed);
                Ok(keys.map_err(store)?.map(message).into_iter().collect())
            }
            Task::Acquaintances => acquaintances(replica, disk),
            Task::Introductions => {
                let told = replica.presentations_for(disk, partner, self.last_heard);
                // One by one: an identity log may fill a frame.
                Ok(told.map_err(store)?.into_iter().map(introduction).collect())
            }
            Task::Partner { organisation } => {
                let record = replica.partner_record(&organisation).into_iter().collect();
                Ok(partner_messages(record))
            }
            Task::Receipts { space, nodes } => {
                let found = replica.receipts(disk, &space, &nodes).map_err(store)?;
                Ok(receipt_messages(space, found))
            }
            Task::Beacons { nodes } => Ok(beacon_messages(replica.beacons(partner, &nodes))),
            Task::Author { space, author, from } => self.author(space, author, from, replica, disk),
            Task::Bodies { space, author, places } => {
                let log = (&space, &author);
                let found = replica.run_of_missing(disk, log, &places, MESSAGE_BYTES);
                let Some((run, places)) = found.map_err(store)? else { return Ok(Vec::new()) };
                if !places.is_empty() {
                    self.exchange.push_rest(Task::Bodies { space, author, places });
                }
                Ok(vec![Message::Run(run)])
            }
            Task::Proof { space, author, sequence } => {
                // Whoever knows neither branch would take the proof alone for what follows.
                let known = replica.forked_run(disk, &space, &author, sequence).map_err(store)?;
                let proof = replica.fork_proof(disk, &space, &author, sequence).map_err(store)?;
                let proof = proof.and_then(|bytes| proof_message(&bytes));
                Ok(known.map(Message::Run).into_iter().chain(proof).collect())
            }
        }
    }

    fn access(
        &mut self,
        space: SpaceId,
        from: u64,
        to: u64,
        replica: &Replica,
        disk: &dyn Storage,
    ) -> Result<Vec<Message>, CloseReason> {
        let entries = replica.access_entries(disk, &space, from, to, MESSAGE_BYTES);
        let entries = entries.map_err(store)?;
        let reached = from + entries.len() as u64;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        if reached < to {
            self.exchange.push_rest(Task::Access { space, from: reached, to });
        }
        Ok(vec![Message::Access { space, entries, is_complete: reached >= to }])
    }

    fn author(
        &mut self,
        space: SpaceId,
        author: NodeId,
        from: u64,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<Vec<Message>, CloseReason> {
        let run = replica.run_to_send(disk, &space, &author, from, MESSAGE_BYTES).map_err(store)?;
        let Some(run) = run else {
            self.exchange.note_end(space, author, from);
            return Ok(Vec::new());
        };
        let reached = from + run.entries.len() as u64;
        // Whether more follows is found out when its turn comes: the log may have grown meanwhile.
        self.exchange.push_rest(Task::Author { space, author, from: reached });
        Ok(vec![Message::Run(run)])
    }

    /// Passes on what grew: own entries at once, those of others as an announcement, since the
    /// partner may have them from their author already. Returns whether it concerns the partner.
    pub(super) fn push_growth(
        &mut self,
        grown: &Growth,
        replica: &mut Replica,
        disk: &dyn Storage,
        partner: &OrganisationId,
    ) -> Result<bool, CloseReason> {
        match grown {
            Growth::Entries { space, author, from } => {
                if !replica.may_show(partner, &ItemRef::Space(*space)) || *author == self.node {
                    return Ok(false);
                }
                if *author == replica.node() {
                    self.exchange.push_grown(*space, *author, *from);
                } else {
                    self.exchange.announce(*space);
                }
                Ok(true)
            }
            Growth::Access { space, from } => {
                self.push_access(*space, *from, replica, disk, partner)
            }
            Growth::Identity { organisation } => {
                let concerns = replica.may_show(partner, &ItemRef::Identity(*organisation));
                if concerns {
                    self.exchange.announce_identity(*organisation);
                }
                Ok(concerns)
            }
            Growth::Presented { organisation } => {
                if partner == organisation {
                    self.exchange.push(Task::Introductions);
                }
                Ok(false)
            }
            Growth::Beacons { node } => {
                self.push_beacon(*node, partner, replica);
                Ok(false)
            }
            Growth::Partner { organisation } => {
                let is_sibling = *partner == replica.organisation();
                if is_sibling {
                    self.exchange.push(Task::Partner { organisation: *organisation });
                }
                // The other side, which is told, waits for another comparison.
                Ok(is_sibling)
            }
        }
    }

    fn push_access(
        &mut self,
        space: SpaceId,
        from: u64,
        replica: &mut Replica,
        disk: &dyn Storage,
        partner: &OrganisationId,
    ) -> Result<bool, CloseReason> {
        let Some(heads) = replica.heads_for(disk, partner, &space).map_err(store)? else {
            return Ok(false);
        };
        self.exchange.announce(space);
        let own = replica.organisation();
        let is_own = replica.summary(&space).is_some_and(|summary| summary.owner == own);
        if is_own && from < heads.access.length {
            self.exchange.push(Task::Access { space, from, to: heads.access.length });
            let hashes: BTreeSet<_> =
                replica.keyrings_since(disk, partner, &space, from).map_err(store)?;
            if !hashes.is_empty() && replica.may_show(partner, &ItemRef::Space(space)) {
                self.exchange.push(Task::Sealed { space, hashes });
            }
        }
        Ok(true)
    }

    /// Announcements that are due, once each however often something grew.
    pub(super) fn announcements(
        &mut self,
        replica: &mut Replica,
        disk: &dyn Storage,
        partner: &OrganisationId,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let (spaces, identities) = self.exchange.take_announcements();
        for space in spaces {
            let message = announce(&space, partner, replica, disk)?;
            effects.extend(message.map(Effect::Send));
        }
        if !identities.is_empty() {
            let heads =
                identities.iter().map(|one| (*one, replica.identity_position(one))).collect();
            effects.push(Effect::Send(Message::IdentityHeads { is_answer: false, heads }));
        }
        Ok(())
    }
}

/// Entries of a branch in as many messages as they need.
fn access_messages(space: SpaceId, entries: Vec<AccessEntry>) -> Vec<Message> {
    let size = |entry: &AccessEntry| codec::encode(entry).len();
    portions(entries, limits::RUN_ENTRIES_MAX, MESSAGE_BYTES, size)
        .into_iter()
        .map(|entries| Message::Access { space, entries, is_complete: true })
        .collect()
}

/// Receipts in as many messages as they need.
fn receipt_messages(space: SpaceId, receipts: Vec<Receipt>) -> Vec<Message> {
    let size = |receipt: &Receipt| codec::encode(receipt).len();
    portions(receipts, limits::RUN_ENTRIES_MAX, MESSAGE_BYTES, size)
        .into_iter()
        .map(|receipts| Message::Receipts { space, receipts })
        .collect()
}

/// Keyrings in as many messages as they need.
pub(super) fn sealed_messages(space: SpaceId, keyrings: Vec<Vec<u8>>) -> Vec<Message> {
    portions(keyrings, SEALED_PER_MESSAGE, MESSAGE_BYTES, Vec::len)
        .into_iter()
        .map(|part| Message::Sealed { space, keyrings: part.into_iter().map(Into::into).collect() })
        .collect()
}

fn keys_message(space: SpaceId, epoch: u64, sealed: Vec<u8>) -> Message {
    Message::Handover(Handover::Keys { space, epoch, sealed })
}

/// Everything that nodes of one organisation tell each other when they meet.
fn acquaintances(replica: &Replica, disk: &dyn Storage) -> Result<Vec<Message>, CloseReason> {
    let directory = replica.directory(disk).map_err(store)?;
    let directory = directory.map(|space| Message::Handover(Handover::Directory(space)));
    let records = replica.partner_records(None, usize::MAX);
    Ok(directory.into_iter().chain(partner_messages(records)).collect())
}

fn introduction(one: Presentation) -> Message {
    Message::Introductions(vec![one])
}

fn partner_messages(records: Vec<PartnerRecord>) -> Vec<Message> {
    let size = |record: &PartnerRecord| codec::encode(record).len();
    portions(records, limits::PARTNER_RECORDS_MAX, MESSAGE_BYTES, size)
        .into_iter()
        .map(|part| Message::Handover(Handover::Partners(part)))
        .collect()
}
