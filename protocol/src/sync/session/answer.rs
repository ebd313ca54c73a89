//! Questions and answers: comparison steps, heads, and what follows from them.

use super::portions::portions;
use super::send::MESSAGE_BYTES;
use super::{Exchanging, Phase, Session, Side};
use crate::codec;
use crate::identity::Identity;
use crate::ids::{EntryHash, NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::log::LogPosition;
use crate::replica::{ItemRef, Replica, ReplicaError, SpaceHeads};
use crate::storage::Storage;
use crate::sync::comparison::{Comparison, Differences};
use crate::sync::effect::{CloseReason, Effect, Effects};
use crate::sync::exchange::Task;
use crate::sync::message::Message;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Heads of at most so many spaces in one message.
const HEADS_PER_MESSAGE: usize = 256;
/// Questions of at most so many items in one message.
const IDS_PER_MESSAGE: usize = 8_192;

impl Session {
    pub(super) fn handle_frame(
        &mut self,
        now: Timestamp,
        frame: &[u8],
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let message =
            Message::decode(frame).map_err(|_| CloseReason::Misbehaved("a malformed frame"))?;
        let is_news = (message.is_acknowledged() && !matches!(message, Message::Beacons(_)))
            || matches!(message, Message::Heads { .. } | Message::IdentityHeads { .. });
        if is_news {
            // Whoever is told something while live compares again, even if it knew already.
            self.postpone_comparison(now);
        }
        if message.is_acknowledged() {
            self.admit(message, replica, disk, effects)?;
            if replica.is_revoked() {
                return Err(CloseReason::Revoked);
            }
            if matches!(self.phase, Phase::Greeting(_)) {
                // As with the greeting: what the partner waits for comes before a comparison.
                self.pump(now, replica, disk, effects)?;
            }
            return self.finish_greeting(replica, disk, effects);
        }
        match message {
            Message::Hello(hello) => {
                self.handle_hello(now, &hello, replica)?;
                // The partner cannot end its own greeting before it has these, and until then
                // takes nothing else.
                self.pump(now, replica, disk, effects)?;
                self.finish_greeting(replica, disk, effects)
            }
            Message::Acknowledge(total) if self.exchange.note_acknowledged(total) => Ok(()),
            Message::Acknowledge(_) => {
                Err(CloseReason::Misbehaved("an impossible acknowledgement"))
            }
            Message::Goodbye(text) => {
                let words: String =
                    text.chars().filter(|one| !one.is_control()).take(200).collect();
                Err(CloseReason::Goodbye(words))
            }
            _ => self.handle_question(now, message, replica, disk, effects),
        }
    }

    fn handle_question(
        &mut self,
        now: Timestamp,
        message: Message,
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let partner = self.partner()?;
        match message {
            Message::Reconcile { first, bytes } => {
                self.handle_reconcile(now, first, &bytes, replica, disk, effects)
            }
            Message::Resolve(ids) if ids.len() > IDS_PER_MESSAGE => {
                Err(CloseReason::Misbehaved("too many questions in one message"))
            }
            Message::Resolve(ids) => {
                let snapshot = self.snapshot.as_ref();
                let items = ids.iter().filter_map(|id| snapshot.and_then(|one| one.resolve(id)));
                // Once each, however often it is asked.
                let items: BTreeSet<_> = items.collect();
                let items: Vec<_> = items.into_iter().collect();
                tell(&items, &partner, replica, disk, effects)
            }
            Message::Heads { is_answer, heads } => {
                self.handle_heads(is_answer, &heads, replica, disk, effects)
            }
            Message::IdentityHeads { is_answer, heads } => {
                self.handle_identity_heads(is_answer, &heads, replica, effects);
                Ok(())
            }
            Message::Beacons(said) => self.handle_beacons(said, replica, effects),
            Message::Asked => {
                self.handle_asked(effects);
                Ok(())
            }
            Message::Done => {
                if let Phase::Exchanging(exchanging) = &mut self.phase {
                    exchanging.heard_done = true;
                }
                Ok(())
            }
            Message::Compared(differences) if self.side == Side::Responder => {
                self.differences = differences;
                self.phase = Phase::Live { compared: true, recompare_at: None };
                self.ask_beside(now, replica, disk)
            }
            _ => Err(CloseReason::Misbehaved("a message out of turn")),
        }
    }

    fn handle_reconcile(
        &mut self,
        now: Timestamp,
        first: bool,
        bytes: &[u8],
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let failed = |_| CloseReason::Misbehaved("a malformed comparison");
        if self.side == Side::Responder {
            if first {
                let partner = self.partner()?;
                let snapshot = Comparison::new(replica, &partner).map_err(failed)?;
                self.snapshot = Some(Box::new(snapshot));
            }
            let snapshot = self.snapshot.as_mut();
            let snapshot = snapshot.ok_or(CloseReason::Misbehaved("a comparison without begin"))?;
            let bytes = snapshot.answer(bytes).map_err(failed)?;
            effects.push(Effect::Send(Message::Reconcile { first: false, bytes }));
            return Ok(());
        }
        let Phase::Comparing(comparison) = &mut self.phase else {
            return Err(CloseReason::Misbehaved("an answer without a question"));
        };
        if let Some(bytes) = comparison.advance(bytes).map_err(failed)? {
            effects.push(Effect::Send(Message::Reconcile { first: false, bytes }));
            return Ok(());
        }
        let found = comparison.differences();
        self.conclude(now, &found, replica, disk, effects)
    }

    /// Asks about everything that differs.
    pub(super) fn ask(
        &mut self,
        found: &Differences,
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let partner = self.partner()?;
        tell(&found.have, &partner, replica, disk, effects)?;
        for ids in found.need.chunks(IDS_PER_MESSAGE) {
            let ids = ids.iter().map(|id| (*id).into()).collect();
            effects.push(Effect::Send(Message::Resolve(ids)));
        }
        effects.push(Effect::Send(Message::Asked));
        Ok(())
    }

    fn handle_asked(&mut self, effects: &mut Effects) {
        if self.side == Side::Responder {
            self.moved = false;
            self.phase = Phase::Exchanging(Exchanging { heard_asked: true, ..Default::default() });
            effects.push(Effect::Send(Message::Asked));
        } else if let Phase::Exchanging(exchanging) = &mut self.phase {
            exchanging.heard_asked = true;
        }
    }

    pub(super) fn handle_heads(
        &mut self,
        is_answer: bool,
        heads: &[SpaceHeads],
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let partner = self.partner()?;
        if heads.len() > HEADS_PER_MESSAGE {
            return Err(CloseReason::Misbehaved("too many heads in one message"));
        }
        let spaces: BTreeSet<_> = heads.iter().map(|one| one.space).collect();
        if spaces.len() < heads.len() {
            return Err(CloseReason::Misbehaved("one space twice in one message"));
        }
        let mut answers = Vec::new();
        for theirs in heads {
            if theirs.authors.len() > limits::SPACE_AUTHORS_MAX {
                return Err(CloseReason::Misbehaved("too many authors in one space"));
            }
            if theirs.ends.len() > limits::ACCESS_ENDS_MAX {
                return Err(CloseReason::Misbehaved("too many branches of one access log"));
            }
            if theirs.receipts.len() > limits::SPACE_RECEIPTS_MAX {
                return Err(CloseReason::Misbehaved("too many receipts in one space"));
            }
            if theirs.missing.len() > limits::MISSING_NAMED_MAX {
                return Err(CloseReason::Misbehaved("too many missing bodies in one space"));
            }
            let ours = replica.heads_for(disk, &partner, &theirs.space).map_err(store)?;
            let ours = ours.unwrap_or_else(|| SpaceHeads::absent(theirs.space));
            self.plan(&partner, &ours, theirs, replica, disk)?;
            if !is_answer && lacks(&ours, theirs) {
                answers.push(ours);
            }
        }
        effects.extend(heads_messages(true, answers).into_iter().map(Effect::Send));
        Ok(())
    }

    /// Queues what the partner lacks of a space.
    fn plan(
        &mut self,
        partner: &OrganisationId,
        ours: &SpaceHeads,
        theirs: &SpaceHeads,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), CloseReason> {
        let space = ours.space;
        self.plan_access(partner, ours, theirs, replica, disk)?;
        if replica.may_show(partner, &ItemRef::Space(space)) {
            replica.note_asked(disk, &self.node, theirs).map_err(store)?;
            let named: BTreeSet<_> = theirs.lacking.iter().map(|name| **name).collect();
            let since = theirs.access.length;
            let mut hashes = named.clone();
            hashes.extend(replica.keyrings_since(disk, partner, &space, since).map_err(store)?);
            let mut commitments = named;
            let unnamed = replica.keys_given_up_since(disk, partner, &space, since);
            commitments.extend(unnamed.map_err(store)?);
            if !commitments.is_empty() {
                // Behind the access entries, which tell of these keys.
                self.exchange.push(Task::Handover { space, commitments });
            }
            if !hashes.is_empty() {
                self.exchange.push(Task::Sealed { space, hashes });
            }
        }
        let nodes: BTreeSet<_> = unknown_receipts(theirs, ours).collect();
        if !nodes.is_empty() {
            self.exchange.push(Task::Receipts { space, nodes });
        }
        let known: BTreeMap<_, _> = theirs.authors.iter().copied().collect();
        let own = replica.organisation();
        for (author, position) in &ours.authors {
            if theirs.is_farewell && !replica.holders(author).contains(&own) {
                continue;
            }
            let at = known.get(author).copied().unwrap_or(LogPosition::START);
            if at.length < position.length || (at.length == position.length && at != *position) {
                // What does not continue the other's log is sent from the start, so that the fork
                // is found; of two branches of equal length each side sends its own.
                let is_common = replica.goes_through(disk, &space, author, &at).map_err(store)?;
                let from = if is_common { at.length } else { 0 };
                self.exchange.push(Task::Author { space, author: *author, from });
            }
        }
        for (author, places) in bodies_lacked(theirs, ours) {
            self.exchange.push(Task::Bodies { space, author, places });
        }
        let forks: BTreeSet<_> = theirs.forks.iter().copied().collect();
        for (author, sequence) in ours.forks.iter().filter(|fork| !forks.contains(fork)) {
            let (author, sequence) = (*author, *sequence);
            self.exchange.push(Task::Proof { space, author, sequence });
        }
        Ok(())
    }

    /// Queues what the partner lacks of an access log: what follows on the last entry that both
    /// have on the branch that holds here, and then the branches beside it.
    fn plan_access(
        &mut self,
        partner: &OrganisationId,
        ours: &SpaceHeads,
        theirs: &SpaceHeads,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), CloseReason> {
        let (space, to) = (ours.space, ours.access.length);
        if to == 0 {
            return Ok(());
        }
        let shared = replica.shared_access(disk, &space, &theirs.access).map_err(store)?;
        // A longer log of which nothing is known here may continue ours: its entries will tell.
        let from = shared.unwrap_or(if theirs.access.length > to { to } else { 0 });
        if from < to {
            self.exchange.push(Task::Access { space, from, to });
            if ours.is_farewell {
                self.plan_signers(partner, &space, from..to, replica, disk)?;
            }
        }
        if shared.is_some() {
            for end in ours
                .ends
                .iter()
                .filter(|end| theirs.access.head != **end && !theirs.ends.contains(end))
            {
                self.exchange.push(Task::Branch { space, end: *end });
            }
        }
        Ok(())
    }

    /// Queues the identity logs without which a former member cannot judge these entries of an
    /// access log, as far as it needs them: no common space has the two compare those of an owner
    /// that it never had to do with.
    fn plan_signers(
        &mut self,
        partner: &OrganisationId,
        space: &SpaceId,
        places: Range<u64>,
        replica: &Replica,
        disk: &dyn Storage,
    ) -> Result<(), CloseReason> {
        for (organisation, to) in replica.signers(disk, space, places).map_err(store)? {
            if !replica.may_show(partner, &ItemRef::Identity(organisation)) {
                self.exchange.push(Task::Identity { organisation, from: 0, to });
            }
        }
        Ok(())
    }

    /// What is told of was found different. Of a log with branches they are sent from where the
    /// first of them leaves what the partner has, of any other what follows on it; whoever may
    /// lack something answers with its own.
    pub(super) fn handle_identity_heads(
        &mut self,
        is_answer: bool,
        heads: &[(OrganisationId, LogPosition)],
        replica: &Replica,
        effects: &mut Effects,
    ) {
        let Some(partner) = self.partner else { return };
        let mut answers = Vec::new();
        for (organisation, theirs) in heads.iter().take(limits::SPACE_MEMBERS_MAX * 8) {
            let ours = replica.identity_position(organisation);
            let identity = replica.identity(organisation);
            let is_forked = identity.is_some_and(Identity::has_branches);
            let is_known = identity.is_some_and(|one| one.goes_through(theirs));
            // Where it stands is not known here: its answer to what is told of here may say from
            // where on it lacks anything, if not all of it is sent then.
            let may_wait = is_forked && !is_known && !is_answer;
            if replica.may_show(&partner, &ItemRef::Identity(*organisation)) && !may_wait {
                self.offer_identity(organisation, theirs, is_forked, replica);
            }
            if !is_known {
                answers.push((*organisation, ours));
            }
        }
        if !is_answer && !answers.is_empty() {
            let heads = answers;
            effects.push(Effect::Send(Message::IdentityHeads { is_answer: true, heads }));
        }
    }
}

/// Tells the partner where the logs of these items stand here.
fn tell(
    items: &[ItemRef],
    partner: &OrganisationId,
    replica: &mut Replica,
    disk: &dyn Storage,
    effects: &mut Effects,
) -> Result<(), CloseReason> {
    let mut identities = Vec::new();
    let mut heads = Vec::new();
    for item in items {
        match item {
            ItemRef::Identity(organisation) => {
                identities.push((*organisation, replica.identity_position(organisation)));
            }
            ItemRef::Space(space) => {
                heads.extend(replica.heads_for(disk, partner, space).map_err(store)?);
            }
        }
    }
    for heads in identities.chunks(4_096) {
        let heads = heads.to_vec();
        effects.push(Effect::Send(Message::IdentityHeads { is_answer: false, heads }));
    }
    effects.extend(heads_messages(false, heads).into_iter().map(Effect::Send));
    Ok(())
}

/// Heads in as many messages as they need: about 80 bytes for each author.
pub(super) fn heads_messages(is_answer: bool, heads: Vec<SpaceHeads>) -> Vec<Message> {
    let size = |heads: &SpaceHeads| codec::encode(heads).len();
    portions(heads, HEADS_PER_MESSAGE, MESSAGE_BYTES, size)
        .into_iter()
        .map(|heads| Message::Heads { is_answer, heads })
        .collect()
}

/// Whether `theirs` shows something that is missing here.
pub(super) fn lacks(ours: &SpaceHeads, theirs: &SpaceHeads) -> bool {
    let known: BTreeMap<_, _> = ours.authors.iter().copied().collect();
    let forks: BTreeSet<_> = ours.forks.iter().collect();
    let has = |end: &EntryHash| *end == ours.access.head || ours.ends.contains(end);
    theirs.access.length > ours.access.length
        || (theirs.access.length == ours.access.length && !has(&theirs.access.head))
        || !theirs.ends.iter().all(has)
        || !ours.lacking.is_empty()
        || !bodies_lacked(ours, theirs).is_empty()
        || unknown_receipts(ours, theirs).next().is_some()
        || theirs.forks.iter().any(|fork| !forks.contains(fork))
        || theirs.authors.iter().any(|(author, position)| {
            let at = known.get(author).copied().unwrap_or(LogPosition::START);
            at.length < position.length
                || (at.length == position.length && at.head != position.head)
        })
}

/// Nodes of which `theirs` shows a receipt that `ours` does not, or a later one.
fn unknown_receipts(ours: &SpaceHeads, theirs: &SpaceHeads) -> impl Iterator<Item = NodeId> {
    let known: BTreeMap<_, _> = ours.receipts.iter().map(|one| (one.node, *one)).collect();
    let later = theirs
        .receipts
        .iter()
        .filter(move |one| known.get(&one.node).is_none_or(|known| *known < **one));
    later.map(|one| one.node)
}

/// Places of logs that `theirs` shows whose bodies are missing in `ours`, where not just the same
/// are missing in `theirs`.
fn bodies_lacked(ours: &SpaceHeads, theirs: &SpaceHeads) -> BTreeMap<NodeId, Vec<(u64, u64)>> {
    let by_author = |heads: &SpaceHeads| {
        let mut places: BTreeMap<NodeId, Vec<(u64, u64)>> = BTreeMap::new();
        for (author, from, to) in &heads.missing {
            places.entry(*author).or_default().push((*from, *to));
        }
        places
    };
    let also = by_author(theirs);
    let shown: BTreeSet<_> = theirs.authors.iter().map(|(author, _)| *author).collect();
    let mut lacked = by_author(ours);
    lacked.retain(|author, places| shown.contains(author) && also.get(author) != Some(places));
    lacked
}

/// A failure of this node's own store or state.
pub(super) fn store(_: ReplicaError) -> CloseReason {
    CloseReason::Store
}

/// The heads of one space, for a space that just grew.
pub(super) fn announce(
    space: &SpaceId,
    partner: &OrganisationId,
    replica: &mut Replica,
    disk: &dyn Storage,
) -> Result<Option<Message>, CloseReason> {
    let heads = replica.heads_for(disk, partner, space).map_err(store)?;
    Ok(heads.map(|heads| Message::Heads { is_answer: false, heads: vec![heads] }))
}
