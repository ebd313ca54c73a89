//! One node in the world: a replica, a disk, sessions, and an outbox, put together as the real
//! node puts them.

use super::PeerIndex;
use sincronia_protocol::identity::IdentityEntry;
use sincronia_protocol::ids::{NodeId, RecordId, SpaceId};
use sincronia_protocol::joining::Acquaintance;
use sincronia_protocol::replica::{Credentials, Event, QuarantineReason, Replica};
use sincronia_protocol::storage::{Batch, MemoryStorage};
use sincronia_protocol::sync::{CloseReason, Effect, Input, Session, Side, SyncPhase};
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// A clock that runs well and is wrong: milliseconds ahead of the world, or behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    pub(super) ahead_ms: i64,
}

impl Clock {
    pub(super) const fn read(self, now: Timestamp) -> Timestamp {
        Timestamp::from_milliseconds(now.milliseconds().saturating_add_signed(self.ahead_ms))
    }

    /// When it is `at` on this clock.
    pub(super) const fn when(self, at: Timestamp) -> Timestamp {
        Timestamp::from_milliseconds(at.milliseconds().saturating_sub_signed(self.ahead_ms))
    }
}

/// How a node stands with its organisation and the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repute {
    /// It speaks for its organisation.
    Good,
    /// Its organisation took its word back.
    Revoked,
    /// It runs twice, or from an old copy of its disk, and contradicts itself.
    Copied,
    /// It wrote what it may not: from then on nobody expects anything of it.
    Rogue,
}

/// What becomes of pending writes.
pub(super) enum Durable {
    /// There were none.
    Nothing,
    /// They are on the disk.
    Kept(Batch),
    /// The disk took none of them.
    Failed,
}

/// One node.
pub struct Peer {
    pub(super) credentials: Credentials,
    /// How it stands with its organisation and the rules.
    pub(super) repute: Repute,
    /// Index of its organisation.
    pub(super) house: usize,
    pub(super) clock: Clock,
    /// Commits to come that fail.
    pub(super) failing_commits: usize,
    /// Whether the process ends between the next commit and what it would have let out.
    pub(super) dies_after_commit: bool,
    pub(super) owes_maintenance: bool,
    /// What it knows.
    pub replica: Replica,
    /// What survives a crash.
    pub disk: MemoryStorage,
    /// What happened, for assertions.
    pub events: Vec<Event>,
    /// Sessions that ended, and why.
    pub closed: Vec<(PeerIndex, CloseReason)>,
    /// What was refused of others.
    pub refused: Vec<String>,
    pub(super) sessions: BTreeMap<u64, (PeerIndex, Session)>,
    pub(super) outbox: Vec<(u64, Effect)>,
}

impl Peer {
    pub(super) fn start(
        credentials: Credentials,
        house: usize,
        identity: &[IdentityEntry],
    ) -> Self {
        let mut disk = MemoryStorage::default();
        let mut replica = Replica::open(credentials.clone(), &disk).expect("an empty disk");
        replica.admit_identity(&disk, identity).expect("its own identity");
        disk.commit(&replica.take_batch());
        replica.take_growth();
        Self {
            credentials,
            repute: Repute::Good,
            house,
            clock: Clock::default(),
            failing_commits: 0,
            dies_after_commit: false,
            owes_maintenance: true,
            replica,
            disk,
            events: Vec::new(),
            closed: Vec::new(),
            refused: Vec::new(),
            sessions: BTreeMap::new(),
            outbox: Vec::new(),
        }
    }

    pub(super) fn acquaintance(&self) -> Acquaintance {
        let introduction =
            self.replica.introduction(&self.disk, String::new(), Vec::new()).expect("readable");
        Acquaintance {
            organisation: self.replica.organisation(),
            node: self.replica.node(),
            introduction,
        }
    }

    pub(super) fn befriend(&mut self, acquaintance: &Acquaintance, now: Timestamp) {
        self.replica.befriend(&self.disk, acquaintance, now).expect("a sound identity");
        let batch = self.replica.take_batch();
        self.disk.commit(&batch);
        self.replica.take_growth();
    }

    /// What the process finds after being killed now.
    pub(super) fn restart(&mut self) {
        self.sessions.clear();
        self.outbox.clear();
        self.failing_commits = 0;
        self.dies_after_commit = false;
        self.owes_maintenance = true;
        self.replica = Replica::open(self.credentials.clone(), &self.disk).expect("a sound disk");
    }

    pub(super) fn forget(&mut self) {
        self.outbox.clear();
        self.replica.forget(&self.disk).expect("a sound disk");
    }

    pub(super) fn open(
        &mut self,
        link: u64,
        other: PeerIndex,
        side: Side,
        node: NodeId,
        now: Timestamp,
    ) {
        self.sessions.insert(link, (other, Session::new(side, node, Vec::new(), now)));
        self.handle(link, Input::Opened, now);
    }

    pub(super) fn close(&mut self, link: u64) {
        self.sessions.remove(&link);
        self.outbox.retain(|(queued, _)| *queued != link);
    }

    pub(super) fn handle(&mut self, link: u64, input: Input, now: Timestamp) {
        if let Some((_, session)) = self.sessions.get_mut(&link) {
            let effects = session.handle(now, input, &mut self.replica, &self.disk);
            self.outbox.extend(effects.into_iter().map(|effect| (link, effect)));
        }
    }

    pub(super) fn make_durable(&mut self) -> Durable {
        if !self.replica.has_pending() {
            return Durable::Nothing;
        }
        let batch = self.replica.take_batch();
        if self.failing_commits > 0 {
            self.failing_commits -= 1;
            self.owes_maintenance = true;
            self.forget();
            return Durable::Failed;
        }
        self.disk.commit(&batch);
        self.events.extend(self.replica.take_events());
        Durable::Kept(batch)
    }

    pub(super) fn next_deadline(&self, now: Timestamp) -> Option<(Timestamp, u64)> {
        let now = self.clock.read(now);
        let due = |(link, (_, session)): (&u64, &(PeerIndex, Session))| {
            session.next_deadline(now).map(|at| (self.clock.when(at), *link))
        };
        self.sessions.iter().filter_map(due).min()
    }

    /// Whether everything it had to do is done.
    pub(super) fn rests(&self) -> bool {
        let at_rest = |phase| matches!(phase, SyncPhase::InSync | SyncPhase::Outstanding);
        self.outbox.is_empty()
            && !self.replica.has_pending()
            && !self.replica.lags()
            && self.sessions.values().all(|(_, session)| at_rest(session.status().phase))
    }

    /// Whether it speaks for its organisation and keeps the rules.
    pub(super) fn is_good(&self) -> bool {
        self.repute == Repute::Good
    }

    /// Whether it knows that a space was offered to its organisation.
    pub(super) fn offered_to(&mut self, space: &SpaceId) -> bool {
        let own = self.replica.organisation();
        let view = self.replica.space_view(&self.disk, space);
        view.is_ok_and(|view| view.offered == Some(own))
    }

    /// The phase of its session with `other`.
    #[must_use]
    pub fn phase_with(&self, other: PeerIndex) -> Option<SyncPhase> {
        let mut sessions = self.sessions.values();
        sessions.find(|(one, _)| *one == other).map(|(_, session)| session.status().phase)
    }

    /// Entries of a space that it cannot read.
    pub fn unreadable(&mut self, space: &SpaceId) -> u64 {
        self.replica.space_view(&self.disk, space).map_or(0, |view| view.waiting)
    }

    /// Everything it shows of a space: records with fields and conflicts, as text to compare.
    #[must_use]
    pub fn shows(&self, space: &SpaceId) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        self.replica
            .rows(&self.disk, Some(space), None, &mut |row| {
                let view = serde_json::to_string(&row.view).expect("a view is JSON");
                shown.insert(row.record.to_string(), format!("{view} {:?}", row.entries));
                ControlFlow::Continue(())
            })
            .expect("a sound disk");
        shown
    }

    /// What does not count of a space: record, author, position, reason. Of a forked log each node
    /// keeps the branch that it heard first.
    pub(super) fn sets_aside(
        &self,
        space: &SpaceId,
    ) -> Vec<(RecordId, NodeId, u64, QuarantineReason)> {
        let found = self.replica.quarantine(&self.disk).expect("a sound disk");
        let is_common = |one: &QuarantineReason| *one != QuarantineReason::Forked;
        let of_space =
            found.into_iter().filter(|one| one.space == *space && is_common(&one.reason));
        of_space.map(|one| (one.record, one.author, one.sequence, one.reason)).collect()
    }
}
