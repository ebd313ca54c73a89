//! One link with a partner's node.

mod admit;
mod answer;
mod beacons;
mod courier;
mod portions;
mod send;
mod shown;

use super::comparison::{Comparison, Differences};
use super::effect::{CloseReason, Effect, Effects, Input, SyncPhase, SyncStatus};
use super::exchange::{Exchange, Task};
use super::message::{Hello, Message, VERSION_MAX, VERSION_MIN};
use crate::identity::{Identity, IdentityEntry};
use crate::ids::{NodeId, OrganisationId, SpaceId};
use crate::limits;
use crate::log::LogPosition;
use crate::replica::{Growth, Replica};
use crate::storage::Storage;
use crate::time::Timestamp;
use std::collections::BTreeSet;

pub use courier::Courier;

/// Quiet time after a push before the two compare again.
const RECOMPARE_MS: u64 = 1_000;
/// How often an unresolved difference is looked at again.
const OUTSTANDING_MS: u64 = 60_000;
/// How long a partner may leave a message unacknowledged, or a question unanswered.
const STALL_MS: u64 = 120_000;

/// Logs of which it is remembered that a run of them was refused: all of one space, and more.
const REFUSED_LOGS_MAX: usize = 4_096;

/// Entries of an identity log that were not taken and are kept until another unites them: two
/// branches of the greatest length, under 3 MB.
const PASSED_OVER_MAX: usize = 2 * limits::IDENTITY_ENTRIES_MAX;

/// Who compares: the side that opened the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Opened the stream; compares.
    Initiator,
    /// Accepted the stream; answers.
    Responder,
}

/// The greeting.
#[derive(Debug, Default)]
struct Greeting {
    partner: Option<OrganisationId>,
    /// Where the partner says that its own identity log stands, until that is here.
    awaits: Option<LogPosition>,
    addresses: Vec<String>,
    at: Timestamp,
}

/// An exchange under way. The initiator says that it is done first, so that every answer it owes
/// was heard before the responder says so too.
#[derive(Debug, Default)]
struct Exchanging {
    heard_asked: bool,
    said_done: bool,
    heard_done: bool,
}

/// What the session is doing, each phase with only its own data.
enum Phase {
    Greeting(Greeting),
    Comparing(Box<Comparison>),
    Exchanging(Exchanging),
    Live { compared: bool, recompare_at: Option<Timestamp> },
    Closed,
}

/// One link with a partner's node.
pub struct Session {
    side: Side,
    node: NodeId,
    partner: Option<OrganisationId>,
    phase: Phase,
    addresses: Vec<String>,
    snapshot: Option<Box<Comparison>>,
    exchange: Exchange,
    received: u64,
    acknowledged: u64,
    differences: u64,
    moved: bool,
    stuck: bool,
    /// What the comparison before the last exchange found.
    found: BTreeSet<[u8; 32]>,
    grown: bool,
    /// Logs of which a run was refused that may hold elsewhere: whether one that follows on it is
    /// forged cannot be told either.
    refused: BTreeSet<(SpaceId, NodeId)>,
    asking: Asking,
    /// Entries of one identity log that were not taken.
    passed_over: Vec<IdentityEntry>,
    /// Length of this organisation's identity log as the other end knew it.
    own_identity_known: u64,
    last_heard: Timestamp,
    /// Since when something is owed by the partner without a pause.
    awaits_since: Timestamp,
}

/// What is asked for and no comparison asks for.
#[derive(Default)]
struct Asking {
    /// Spaces of which keys were asked for.
    about: BTreeSet<SpaceId>,
    /// Whether nothing grew since.
    is_over: bool,
}

impl Session {
    /// A session with the node that the transport authenticated. `addresses` is where this node can
    /// be reached now; of them the partner is told as many as it takes.
    #[must_use]
    pub fn new(side: Side, node: NodeId, mut addresses: Vec<String>, now: Timestamp) -> Self {
        addresses.retain(|one| one.len() <= limits::ADDRESS_BYTES_MAX);
        addresses.truncate(limits::ADDRESSES_MAX);
        Self {
            side,
            node,
            partner: None,
            phase: Phase::Greeting(Greeting::default()),
            addresses,
            snapshot: None,
            exchange: Exchange::default(),
            received: 0,
            acknowledged: 0,
            differences: 0,
            moved: false,
            stuck: false,
            found: BTreeSet::new(),
            grown: false,
            refused: BTreeSet::new(),
            asking: Asking::default(),
            passed_over: Vec::new(),
            own_identity_known: 0,
            last_heard: now,
            awaits_since: now,
        }
    }

    /// The node at the other end.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        self.node
    }

    /// Length of this organisation's identity log as the other end knew it when they greeted.
    #[must_use]
    pub const fn own_identity_known(&self) -> u64 {
        self.own_identity_known
    }

    /// Where the session stands.
    #[must_use]
    pub fn status(&self) -> SyncStatus {
        let phase = match &self.phase {
            Phase::Greeting(_) => SyncPhase::Greeting,
            Phase::Comparing(_) => SyncPhase::Comparing,
            Phase::Exchanging(_) | Phase::Live { compared: false, .. } => SyncPhase::Exchanging,
            Phase::Live { .. } if !self.exchange.is_idle() => SyncPhase::Exchanging,
            Phase::Live { .. } if self.differences > 0 => SyncPhase::Outstanding,
            Phase::Live { .. } => SyncPhase::InSync,
            Phase::Closed => SyncPhase::Closed,
        };
        SyncStatus {
            partner: self.partner,
            phase,
            outgoing: self.exchange.outstanding(),
            differences: self.differences,
        }
    }

    /// When to call with [`Input::Tick`] at the latest, by a clock that shows `now`: at once where
    /// it was set back, and what the session waits for is further away than it ever waits.
    #[must_use]
    pub fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let stall = self.awaits_partner().then(|| (self.stalls_at(), STALL_MS));
        let recompare = match &self.phase {
            Phase::Live { recompare_at, .. } => recompare_at.map(|at| (at, OUTSTANDING_MS)),
            _ => None,
        };
        let due = |(at, longest)| if at > now.plus(longest) { now } else { at };
        [stall, recompare].into_iter().flatten().map(due).min()
    }

    /// Waits from now on where it waited from a time that is still to come: the clock was set back.
    fn follow_clock(&mut self, now: Timestamp) {
        self.last_heard = self.last_heard.min(now);
        self.awaits_since = self.awaits_since.min(now);
        if let Phase::Live { recompare_at: Some(at), .. } = &mut self.phase {
            *at = now.plus(OUTSTANDING_MS).min(*at);
        }
    }

    /// Handles an input. The effects are performed in order once the replica's pending batch is
    /// durable.
    #[must_use = "effects must be performed"]
    pub fn handle(
        &mut self,
        now: Timestamp,
        input: Input,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Effects {
        let mut effects = Effects::new();
        if matches!(self.phase, Phase::Closed) {
            return effects;
        }
        self.follow_clock(now);
        let awaited = self.awaits_partner();
        let outcome = match input {
            Input::Opened => {
                self.greet(replica, &mut effects);
                Ok(())
            }
            Input::Frame(frame) => {
                self.last_heard = now;
                self.handle_frame(now, &frame, replica, disk, &mut effects)
            }
            Input::Grown(growth) => self.handle_growth(now, &growth, replica, disk, &mut effects),
            Input::Tick => self.handle_tick(now, replica, &mut effects),
        };
        let outcome = outcome.and_then(|()| self.pump(now, replica, disk, &mut effects));
        if let Err(reason) = outcome {
            self.close(reason, &mut effects);
        }
        if !awaited {
            self.awaits_since = now;
        }
        effects
    }

    /// A partner that has been quiet because nothing was asked of it has not stopped answering.
    fn stalls_at(&self) -> Timestamp {
        self.last_heard.max(self.awaits_since).plus(STALL_MS)
    }

    fn close(&mut self, reason: CloseReason, effects: &mut Effects) {
        if !matches!(self.phase, Phase::Closed) {
            if !matches!(reason, CloseReason::Goodbye(_)) {
                effects.push(Effect::Send(Message::Goodbye(reason.to_string())));
            }
            effects.push(Effect::Close(reason));
            self.phase = Phase::Closed;
        }
    }

    fn awaits_partner(&self) -> bool {
        match self.phase {
            Phase::Greeting(_) | Phase::Comparing(_) | Phase::Exchanging(_) => true,
            Phase::Live { .. } => self.exchange.is_waiting(),
            Phase::Closed => false,
        }
    }

    fn greet(&self, replica: &Replica, effects: &mut Effects) {
        // Which of several holders the node speaks for, it will say.
        let known_identity = match replica.holders(&self.node) {
            [only] => replica.identity_position(only),
            _ => LogPosition::START,
        };
        // A stranger's word that it is its own does not make up for its organisation's.
        let is_revoked =
            replica.organisation_of(&self.node).is_some_and(|one| self.was_revoked(&one, replica));
        effects.push(Effect::Send(Message::Hello(Hello {
            version_min: VERSION_MIN,
            version_max: VERSION_MAX,
            organisation: replica.organisation(),
            own_identity: replica.identity_position(&replica.organisation()),
            known_identity,
            addresses: if is_revoked { Vec::new() } else { self.addresses.clone() },
        })));
    }

    /// Whether `organisation` revoked the node at the other end, or set aside what certified it: it
    /// is told so, and nothing else.
    fn was_revoked(&self, organisation: &OrganisationId, replica: &Replica) -> bool {
        let (node, identity) = (&self.node, replica.identity(organisation));
        identity.is_some_and(|one| {
            one.has_certified(node) && !one.is_active(node) || one.is_certified_aside(node)
        })
    }

    fn handle_hello(
        &mut self,
        now: Timestamp,
        hello: &Hello,
        replica: &mut Replica,
    ) -> Result<(), CloseReason> {
        if !matches!(self.phase, Phase::Greeting(_)) {
            return Err(CloseReason::Misbehaved("a second greeting"));
        }
        if hello.version_min > VERSION_MAX || hello.version_max < VERSION_MIN {
            return Err(CloseReason::Version { min: hello.version_min, max: hello.version_max });
        }
        if replica.is_revoked() {
            return Err(CloseReason::Revoked);
        }
        if !replica.is_partner(&hello.organisation) {
            return Err(CloseReason::NotPartner);
        }
        let is_revoked = self.was_revoked(&hello.organisation, replica);
        // A node that is known to be another organisation's is told nothing for this one.
        let known = replica.holders(&self.node);
        if !known.is_empty() && !known.contains(&hello.organisation) {
            return Err(CloseReason::NotCertified);
        }
        let Phase::Greeting(greeting) = &mut self.phase else {
            return Err(CloseReason::Misbehaved("a second greeting"));
        };
        let sound = hello.addresses.len() <= limits::ADDRESSES_MAX
            && hello.addresses.iter().all(|one| one.len() <= limits::ADDRESS_BYTES_MAX);
        if !sound {
            return Err(CloseReason::Misbehaved("impossible addresses"));
        }
        greeting.partner = Some(hello.organisation);
        greeting.addresses.clone_from(&hello.addresses);
        greeting.at = now;
        greeting.awaits = Some(hello.own_identity);
        let own = replica.organisation();
        if is_revoked {
            // It learns that, whatever its own log says: the whole of it is told.
            let organisation = hello.organisation;
            self.exchange.push(Task::Identity { organisation, from: 0, to: u64::MAX });
        } else {
            self.greet_with(&hello.organisation, &hello.own_identity, replica);
        }
        self.own_identity_known = hello.known_identity.length;
        if !is_revoked && hello.organisation != own {
            self.greet_with(&own, &hello.known_identity, replica);
        }
        Ok(())
    }

    /// Queues what is lacking at the other end of a log that it awaits. A machine's own log that
    /// leads elsewhere than the longer one that others know is told whole, or it would be awaited
    /// without end.
    fn greet_with(
        &mut self,
        organisation: &OrganisationId,
        theirs: &LogPosition,
        replica: &Replica,
    ) {
        let is_own = *organisation == replica.organisation();
        let goes_through = |identity: &Identity| identity.goes_through(theirs);
        let leads_elsewhere = is_own && !replica.identity(organisation).is_some_and(goes_through);
        self.offer_identity(organisation, theirs, leads_elsewhere, replica);
    }

    /// Queues what is known of an identity log and is lacking at the other end, or all of it when
    /// `at_once`. Whoever has more is left to see whether it goes on from what is here.
    pub(super) fn offer_identity(
        &mut self,
        organisation: &OrganisationId,
        theirs: &LogPosition,
        at_once: bool,
        replica: &Replica,
    ) {
        let Some(identity) = replica.identity(organisation) else { return };
        let ours = identity.position();
        // Whoever has more may have it of a root key of before, and lack the rotation.
        let may_lead_elsewhere = identity.has_branches() || identity.generation() > 0;
        let is_further = may_lead_elsewhere || ours.length >= theirs.length;
        if at_once || ours != *theirs && is_further {
            let (organisation, to) = (*organisation, u64::MAX);
            let from = identity.going_on_from(theirs);
            self.exchange.push(Task::Identity { organisation, from, to });
        }
    }

    /// Ends the greeting once the partner's identity log is complete enough to certify its node.
    fn finish_greeting(
        &mut self,
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let Phase::Greeting(Greeting { partner: Some(partner), awaits, addresses, at }) =
            &self.phase
        else {
            return Ok(());
        };
        let (partner, awaits, at) = (*partner, *awaits, *at);
        let Some(identity) = replica.identity(&partner) else { return Ok(()) };
        if awaits.is_some_and(|awaits| !identity.goes_through(&awaits)) {
            return Ok(());
        }
        if !identity.is_active(&self.node) {
            return Err(CloseReason::NotCertified);
        }
        let addresses = addresses.clone();
        replica
            .note_reached(&partner, &self.node, addresses, at)
            .map_err(|_| CloseReason::Store)?;
        self.partner = Some(partner);
        if partner == replica.organisation() {
            self.exchange.push(Task::Acquaintances);
        } else {
            self.exchange.push(Task::Introductions);
        }
        let owed = replica.owed_to_asker(disk, &self.node).map_err(|_| CloseReason::Store)?;
        for (space, commitments) in owed {
            self.exchange.push(Task::Handover { space, commitments });
        }
        Self::offer_beacons(&partner, replica, effects);
        self.phase = Phase::Live { compared: false, recompare_at: None };
        if self.side == Side::Initiator { self.compare(replica, effects) } else { Ok(()) }
    }

    fn compare(&mut self, replica: &Replica, effects: &mut Effects) -> Result<(), CloseReason> {
        let partner = self.partner()?;
        let failed = |_| CloseReason::Misbehaved("a comparison that cannot begin");
        let mut comparison = Comparison::new(replica, &partner).map_err(failed)?;
        let bytes = comparison.initiate().map_err(failed)?;
        self.grown = false;
        effects.push(Effect::Send(Message::Reconcile { first: true, bytes }));
        self.phase = Phase::Comparing(Box::new(comparison));
        Ok(())
    }

    fn partner(&self) -> Result<OrganisationId, CloseReason> {
        self.partner.ok_or(CloseReason::Misbehaved("a message before the greeting"))
    }

    fn handle_growth(
        &mut self,
        now: Timestamp,
        growth: &[Growth],
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        (self.grown, self.asking.is_over) = (true, false);
        let Some(partner) = self.partner else { return Ok(()) };
        if replica.is_revoked() {
            return Err(CloseReason::Revoked);
        }
        if !replica.is_partner(&partner) {
            return Err(CloseReason::NotPartner);
        }
        if self.was_revoked(&partner, replica) {
            let entries = replica.identity_in_force(disk, &partner).map_err(answer::store)?;
            let parts = entries.chunks(100).map(|part| Message::Identities(part.to_vec()));
            effects.extend(parts.map(Effect::Send));
            return Err(CloseReason::NotCertified);
        }
        if matches!(self.phase, Phase::Live { .. }) {
            let mut concerns = false;
            for grown in growth {
                concerns |= self.push_growth(grown, replica, disk, &partner)?;
            }
            if concerns {
                self.postpone_comparison(now);
            }
        } else {
            // Nothing compares what is known of partners and where nodes are, so it is told
            // whatever else goes on.
            let is_told = |one: &&Growth| {
                matches!(
                    one,
                    Growth::Partner { .. } | Growth::Presented { .. } | Growth::Beacons { .. }
                )
            };
            for grown in growth.iter().filter(is_told) {
                self.push_growth(grown, replica, disk, &partner)?;
            }
        }
        Ok(())
    }

    /// The two compare again once it has been quiet for a moment.
    pub(super) fn postpone_comparison(&mut self, now: Timestamp) {
        if let Phase::Live { compared, recompare_at } = &mut self.phase {
            *compared = false;
            if self.side == Side::Initiator {
                *recompare_at = Some(now.plus(RECOMPARE_MS));
            }
        }
    }

    fn handle_tick(
        &mut self,
        now: Timestamp,
        replica: &Replica,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        if self.awaits_partner() && now >= self.stalls_at() {
            return Err(CloseReason::Stalled);
        }
        match &self.phase {
            Phase::Live { recompare_at: Some(at), .. } if now >= *at => {
                if self.exchange.is_idle() {
                    self.compare(replica, effects)?;
                } else {
                    self.postpone_comparison(now);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Asks once for keys that keep nobody apart, so that no comparison asks for them: what was
    /// written beside the branch that holds does not open without, and counts for the others.
    pub(super) fn ask_beside(
        &mut self,
        now: Timestamp,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), CloseReason> {
        let partner = self.partner()?;
        if std::mem::replace(&mut self.asking.is_over, true) {
            return Ok(());
        }
        let spaces = replica.spaces_to_ask_about(disk, &partner).map_err(answer::store)?;
        for space in spaces {
            if self.asking.about.insert(space) {
                self.exchange.announce(space);
                self.postpone_comparison(now);
            }
        }
        Ok(())
    }

    /// What a finished comparison leads to.
    fn conclude(
        &mut self,
        now: Timestamp,
        found: &Differences,
        replica: &mut Replica,
        disk: &dyn Storage,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        self.differences = found.count();
        effects.push(Effect::Send(Message::Compared(self.differences)));
        // When the last exchange moved nothing, or nothing that the other side would take, another
        // one now would not either.
        let is_same = self.found == found.ids;
        if self.differences == 0 || std::mem::take(&mut self.stuck) || is_same {
            // What differs now and did not before came meanwhile, here or there, and waits for it.
            let is_news = self.grown || !is_same;
            self.found.clear();
            let retry = now.plus(if is_news { RECOMPARE_MS } else { OUTSTANDING_MS });
            let again = self.grown || self.differences > 0;
            self.phase = Phase::Live { compared: true, recompare_at: again.then_some(retry) };
            return self.ask_beside(now, replica, disk);
        }
        self.moved = false;
        self.found.clone_from(&found.ids);
        self.phase = Phase::Exchanging(Exchanging::default());
        self.ask(found, replica, disk, effects)
    }
}
