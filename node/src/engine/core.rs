//! The state that the engine's thread owns.

use super::Failed;
use super::dialing::Dialing;
use super::joining::Joinings;
use super::links::Link;
use super::names::Found;
use super::restraint::{Restraint, tell_within};
use super::room::Room;
use crate::api::{ApiError, ApiEvent};
use crate::limits;
use crate::network::{CloseCause, Network, NetworkEvent, SessionId};
use crate::random;
use crate::store::{Snapshot, Store, StoreError};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use sincronia_protocol::identity::Running;
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::recovery::WordList;
use sincronia_protocol::replica::{Credentials, Event, Growth, Portion, Replica, ReplicaError};
use sincronia_protocol::sync::Effect;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use tracing::{debug, info, warn};

/// What the engine is given.
pub struct CoreConfig {
    /// The node's keys.
    pub credentials: Credentials,
    /// The open store.
    pub store: Store,
    /// The organisation's name.
    pub name: String,
    /// The list that verification phrases are taken from.
    pub words: WordList,
    /// First and longest pause between attempts to reach a partner.
    pub reconnect: (Duration, Duration),
    /// Whether partners are reached, and may reach it, from the start.
    pub online: bool,
    /// Whether it never is online.
    pub closed: bool,
    /// The file of settings, which backups hold.
    pub settings: PathBuf,
    /// Bytes of the disk that nothing of partners may take.
    pub reserve: u64,
    /// Where partners reach the node, if that is not where it listens.
    pub announce: Vec<String>,
}

/// The state that the engine's thread owns.
pub struct Core {
    pub(super) replica: Replica,
    pub(super) store: Store,
    pub(super) disk: Snapshot,
    pub(super) name: String,
    pub(super) found: Found,
    pub(super) words: WordList,
    pub(super) random: ChaCha20Rng,
    pub(super) network: Network,
    pub(super) links: HashMap<SessionId, Link>,
    pub(super) by_node: HashMap<NodeId, SessionId>,
    pub(super) joinings: Joinings,
    pub(super) dialing: Dialing,
    pub(super) addresses: BTreeSet<String>,
    pub(super) online: bool,
    pub(super) closed: bool,
    pub(super) settings: PathBuf,
    pub(super) room: Room,
    announce: Vec<String>,
    pub(super) owes_maintenance: bool,
    bulk: Option<Bulk>,
    /// Lines of the log about sessions that ended.
    endings: Restraint,
    outbox: Vec<(SessionId, Effect)>,
    events: broadcast::Sender<ApiEvent>,
    /// Why the store stopped, if it did.
    failure: Failed,
}

/// Whole frames that came one after another.
struct Bulk {
    first: Instant,
    last: Instant,
}

impl Bulk {
    /// How long to wait for the next before rows are built; nothing when they have waited enough,
    /// so that no partner can hold up the others' records by sending on and on.
    fn pause(&self) -> Option<Duration> {
        let rest = limits::BULK_WAIT_MAX.checked_sub(self.first.elapsed())?;
        let pause = limits::BULK_PAUSE.checked_sub(self.last.elapsed())?;
        Some(pause.min(rest)).filter(|pause| !pause.is_zero())
    }
}

impl Core {
    /// Opens the replica on the store.
    pub(super) fn open(
        config: CoreConfig,
        network: Network,
        events: broadcast::Sender<ApiEvent>,
        failure: Failed,
    ) -> Result<Self, ApiError> {
        let failed = |error: StoreError| {
            ApiError::new(crate::api::ErrorCode::Internal, error.to_string(), "check the disk")
        };
        let disk = config.store.snapshot().map_err(failed)?;
        let mut replica = Replica::open(config.credentials, &disk)?;
        let identity = replica.identity(&replica.organisation());
        if !identity.is_some_and(|identity| identity.has_certified(&replica.node())) {
            return Err(ApiError::new(
                crate::api::ErrorCode::NotPermitted,
                "this node does not speak for its organisation yet",
                "hand its request to another node (“sincronia node add REQUEST”), then `sincronia \
                 node admit ADMISSION`",
            ));
        }
        let mut random = random::generator().map_err(|_| super::store_failed())?;
        let mut running = Running::default();
        random.fill_bytes(&mut running);
        replica.begin_running(running);
        let room = Room::new(config.store.path(), config.reserve);
        let mut core = Self {
            replica,
            room,
            announce: config.announce,
            store: config.store,
            disk,
            name: config.name,
            found: Found::default(),
            words: config.words,
            random,
            network,
            links: HashMap::new(),
            by_node: HashMap::new(),
            joinings: Joinings::default(),
            dialing: Dialing::new(config.reconnect),
            addresses: BTreeSet::new(),
            online: config.online && !config.closed,
            closed: config.closed,
            settings: config.settings,
            owes_maintenance: true,
            bulk: None,
            endings: Restraint::default(),
            outbox: Vec::new(),
            events,
            failure,
        };
        core.ensure_directory()?;
        core.commit().map_err(failed)?;
        core.admit_partners();
        Ok(core)
    }

    /// Runs several writes that must all happen or none: what waited before them is committed, so
    /// that going back loses nothing of anybody else.
    pub(super) fn atomically<T>(
        &mut self,
        writes: impl FnOnce(&mut Self) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.commit().map_err(|error| super::not_kept(&error))?;
        let outcome = writes(self);
        if outcome.is_err() {
            self.replica.forget(&self.disk)?;
            self.outbox.clear();
        }
        outcome
    }

    /// Where partners are told that this node is: as its settings say, or where it listens.
    pub(super) fn announced(&self) -> Vec<String> {
        let most = sincronia_protocol::limits::ADDRESSES_MAX;
        if self.closed || self.announce.is_empty() {
            return self.addresses.iter().take(most).cloned().collect();
        }
        self.announce.iter().take(most).cloned().collect()
    }

    /// Signs what this node says of itself, when that is due, so that partners can pass it on.
    pub(super) fn sign_beacon(&mut self) {
        let addresses = self.announced();
        if let Err(error) = self.replica.sign_beacon(&self.disk, &addresses, super::now()) {
            warn!(%error, "this node's beacon was not written down");
        }
    }

    /// Tells it to those who are there; others hear it when they come. At its start a node learns
    /// its addresses one by one, when nobody is there.
    fn tell_beacon(&mut self) {
        if !self.links.is_empty() {
            self.sign_beacon();
        }
    }

    pub(super) fn queue(&mut self, session: SessionId, effects: Vec<Effect>) {
        self.outbox.extend(effects.into_iter().map(|effect| (session, effect)));
    }

    /// Makes everything durable, then lets it out: frames, events, and to the sessions what grew.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        self.found = Found::default();
        loop {
            if let Err(error) = self.make_durable() {
                self.outbox.clear();
                self.owes_maintenance = true;
                self.end_links("the store failed");
                if let Err(error) = self.replica.forget(&self.disk) {
                    warn!(%error, "the store cannot be read");
                }
                // Every later call says only that the store stopped, and whoever waits is told why.
                let mut first = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                return Err(first.get_or_insert(error).clone());
            }
            self.release();
            let growth = self.replica.take_growth();
            if !growth.is_empty() {
                self.spread(&growth);
            }
            self.go_on_when_heard();
            self.maintain();
            self.settle_erasures();
            if growth.is_empty() && !self.replica.has_pending() {
                return Ok(());
            }
        }
    }

    /// As [`Self::commit`] at the end of a step; a failure within the step counts, too.
    pub(super) fn end_step(&mut self) -> Result<(), StoreError> {
        self.commit()?;
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().map_or(Ok(()), Err)
    }

    /// Ends every session: what they believe they said was never said.
    pub(super) fn end_links(&mut self, reason: &str) {
        let sessions: Vec<_> = self.links.keys().copied().collect();
        for session in sessions {
            self.drop_link(session, Some(reason.into()));
            self.network.close(session);
        }
    }

    fn make_durable(&mut self) -> Result<(), StoreError> {
        if self.replica.has_pending() {
            let batch = self.replica.take_batch();
            self.store.commit(&batch)?;
            self.disk = self.store.snapshot()?;
        } else {
            self.replica.trim();
        }
        Ok(())
    }

    fn release(&mut self) {
        for (session, effect) in std::mem::take(&mut self.outbox) {
            match effect {
                Effect::Send(message) => self.network.send(session, message.encode()),
                Effect::Refused(reason) => debug!(%reason, "refused"),
                Effect::Close(reason) => {
                    let node = self.links.get(&session).map(|link| link.session.node());
                    let node = node.map(|node| node.to_string()).unwrap_or_default();
                    tell_within(&mut self.endings, || info!(node, %reason, "session ended"));
                    self.drop_link(session, Some(reason.to_string()));
                    self.network.close(session);
                }
            }
        }
        for event in self.replica.take_events() {
            self.note_erased(&event);
            self.tell(&event);
        }
    }

    fn tell(&self, event: &Event) {
        let event = match event {
            Event::Record { space, record, conflict } => ApiEvent::RecordChanged {
                space: space.to_string(),
                record: record.to_string(),
                conflict: *conflict,
            },
            Event::Erased { space, record, own_edit } => ApiEvent::Erased {
                space: space.to_string(),
                record: record.to_string(),
                own_edit: *own_edit,
            },
            Event::Space { space } => ApiEvent::SpaceChanged { space: space.to_string() },
            Event::Contradicted { space } => ApiEvent::Contradicted { space: space.to_string() },
            Event::Cloned => ApiEvent::Cloned,
            Event::Divided { organisation } => {
                ApiEvent::Divided { organisation: organisation.to_string() }
            }
            Event::Forked { space, author } => {
                ApiEvent::Forked { space: space.to_string(), author: author.to_string() }
            }
        };
        self.announce(event);
    }

    pub(super) fn announce(&self, event: ApiEvent) {
        // Nobody listening is not an error.
        let _ = self.events.send(event);
    }

    fn spread(&mut self, growth: &[Growth]) {
        self.pass_growth(growth);
        for grown in growth {
            if let Growth::Presented { organisation } = grown {
                self.announce(ApiEvent::PartnerChanged { organisation: organisation.to_string() });
            }
        }
        let is_identity = |grown: &Growth| matches!(grown, Growth::Identity { .. });
        let is_partner = |grown: &Growth| matches!(grown, Growth::Partner { .. });
        if growth.iter().any(|grown| is_identity(grown) || is_partner(grown)) {
            self.admit_partners();
        }
        // Keys may have come that a debt waits for.
        self.owes_maintenance |= !self.replica.maintenance_due().is_empty();
        self.attend_to_nodes(growth);
    }

    /// Pays what this organisation owes its spaces: after a start, after a failed commit, and when
    /// an identity log grew.
    fn maintain(&mut self) {
        if !std::mem::take(&mut self.owes_maintenance) {
            return;
        }
        for organisation in self.replica.maintenance_due() {
            let (disk, random) = (&self.disk, &mut self.random);
            if let Err(error) = self.replica.maintain(disk, &organisation, random) {
                warn!(%error, "maintenance of spaces failed");
            }
        }
    }

    /// Brings rows up to date: a little while other work waits, everything when it is quiet. Rows
    /// wait while whole frames keep coming: a record is built once from all its entries, not again
    /// for each frame that brings some. It ends early when `is_waited_for`, and when it takes long:
    /// a partner can bring in a second what takes a minute to read.
    pub(super) fn project(&mut self, is_quiet: bool, is_waited_for: &dyn Fn() -> bool) {
        let entries = if is_quiet { 16 * limits::PROJECTION_ENTRIES } else { 256 };
        let is_due = is_quiet || !self.has_backlog();
        if is_due && self.bulk.as_ref().and_then(Bulk::pause).is_none() {
            self.bulk = None;
            let begun = Instant::now();
            let is_over = || is_waited_for() || begun.elapsed() >= limits::PROJECTION_TIME_MAX;
            let portion = Portion::until(entries, &is_over);
            if let Err(error) = self.replica.project(&self.disk, portion) {
                warn!(%error, "rows could not be brought up to date");
            }
        }
    }

    /// Whether a first synchronisation is under way: then entries go before rows.
    fn has_backlog(&self) -> bool {
        self.replica.lags() && !self.links.is_empty()
    }

    pub(super) fn handle_network(&mut self, event: NetworkEvent) {
        match event {
            NetworkEvent::Listening(address) => {
                self.addresses.insert(address);
                self.tell_beacon();
            }
            NetworkEvent::NotListening(address) => {
                self.addresses.remove(&address);
                self.tell_beacon();
            }
            NetworkEvent::Opened { session, node, purpose, outbound } => {
                self.handle_opened(session, node, purpose, outbound);
            }
            NetworkEvent::Frame { session, bytes, room } => {
                if bytes.len() >= limits::BULK_FRAME_BYTES_MIN {
                    let now = Instant::now();
                    self.bulk.get_or_insert(Bulk { first: now, last: now }).last = now;
                }
                self.look_at_room();
                self.handle_frame(session, bytes);
                drop(room);
            }
            NetworkEvent::Closed { session, cause } => {
                let stranger = self.not_greeted(session);
                self.drop_link(session, Some(cause.to_string()));
                self.joinings.close(session);
                if let Some(node) = stranger.filter(|_| cause == CloseCause::Line) {
                    self.present_to(node);
                }
            }
            NetworkEvent::DialFailed { node, purpose, failure } => {
                self.handle_dial_failure(node, purpose, &failure);
            }
        }
    }

    pub(super) fn handle_time(&mut self) {
        self.look_at_room();
        self.tell_beacon();
        self.tick_links();
        self.dial_due(Instant::now());
    }

    /// How long the engine may sleep.
    pub(super) fn next_wake(&self) -> Duration {
        if self.replica.lags() {
            return self.bulk.as_ref().and_then(Bulk::pause).unwrap_or(Duration::ZERO);
        }
        let now = super::now();
        let links = self.links.values().filter_map(|link| link.session.next_deadline(now));
        let links = links
            .map(|at| Duration::from_millis(at.milliseconds().saturating_sub(now.milliseconds())));
        let dialing = self.dialing.next(Instant::now());
        let room = self.room.is_short().then_some(limits::ROOM_INTERVAL);
        links.chain(dialing).chain(room).min().unwrap_or(Duration::from_mins(1))
    }

    /// Lets a failure of the replica's state through as one of the API.
    pub(super) fn step<T>(
        &mut self,
        step: impl FnOnce(&mut Replica, &Snapshot, &mut ChaCha20Rng) -> Result<T, ReplicaError>,
    ) -> Result<T, ApiError> {
        Ok(step(&mut self.replica, &self.disk, &mut self.random)?)
    }
}
