//! What the handle, the task and the sessions share: who is admitted, which sessions stand, and
//! what the engine wishes for. Locks are held for moments, never across a wait.

use super::door::Connection;
use super::rate::Limiter;
use super::session::{self, Outgoing, Queue};
use super::{Purpose, SessionId, Traffic};
use crate::limits;
use libp2p::swarm::ConnectionId;
use sincronia_protocol::ids::NodeId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;
use tokio::sync::{Notify, Semaphore};

/// A session that stands.
pub struct Standing {
    pub node: NodeId,
    pub purpose: Purpose,
    /// Where the node was connected from.
    place: Option<IpAddr>,
    /// Whether it is a joining that the other side opened and that may make room for another.
    yields: bool,
    pub outgoing: Outgoing,
    pub counters: Arc<Counters>,
}

/// Bytes of one session, or of all.
#[derive(Debug, Default)]
pub struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    pub fn add_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn add_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn traffic(&self) -> Traffic {
        let (sent, received) = (&self.sent, &self.received);
        Traffic { sent: sent.load(Ordering::Relaxed), received: received.load(Ordering::Relaxed) }
    }
}

/// What the engine wants of the task; bounded by the partners' nodes, since a wish repeated is one.
#[derive(Debug, Default)]
pub struct Wishes {
    pub open: BTreeMap<(NodeId, Purpose), Vec<String>>,
    pub expel: BTreeSet<NodeId>,
}

/// See the module.
pub struct Shared {
    admitted: RwLock<HashSet<NodeId>>,
    sessions: Mutex<HashMap<SessionId, Standing>>,
    connections: Mutex<HashMap<ConnectionId, Connection>>,
    joining: Mutex<Limiter>,
    wishes: Mutex<Wishes>,
    wished: Notify,
    paused: AtomicBool,
    next: AtomicU64,
    pub totals: Counters,
    /// Room for frames that wait for the engine, in bytes.
    pub room: Arc<Semaphore>,
}

impl Default for Shared {
    fn default() -> Self {
        let (each, all) = (limits::JOINING_RATE_EACH, limits::JOINING_RATE_ALL);
        Self {
            admitted: RwLock::default(),
            sessions: Mutex::default(),
            connections: Mutex::default(),
            joining: Mutex::new(Limiter::new(each, all, Instant::now())),
            wishes: Mutex::default(),
            wished: Notify::new(),
            paused: AtomicBool::new(false),
            next: AtomicU64::new(0),
            totals: Counters::default(),
            room: Arc::new(Semaphore::new(limits::NETWORK_BYTES_MAX)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds a lock; if it did, the maps would still be whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn lock_sessions(&self) -> MutexGuard<'_, HashMap<SessionId, Standing>> {
        lock(&self.sessions)
    }

    pub fn lock_connections(&self) -> MutexGuard<'_, HashMap<ConnectionId, Connection>> {
        lock(&self.connections)
    }

    pub fn is_admitted(&self, node: &NodeId) -> bool {
        self.admitted.read().unwrap_or_else(PoisonError::into_inner).contains(node)
    }

    /// Replaces the admitted nodes and returns those that are no longer.
    pub fn replace_admitted(&self, nodes: HashSet<NodeId>) -> Vec<NodeId> {
        let mut admitted = self.admitted.write().unwrap_or_else(PoisonError::into_inner);
        let gone = admitted.difference(&nodes).copied().collect();
        *admitted = nodes;
        gone
    }

    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    pub fn set_paused(&self, paused: bool) -> bool {
        self.paused.swap(paused, Ordering::AcqRel)
    }

    /// Makes a session, unless limits or admission forbid it.
    pub fn begin(&self, node: NodeId, purpose: Purpose, outbound: bool) -> Option<Begun> {
        if self.is_paused() || (!outbound && !self.may_open(&node, purpose)) {
            return None;
        }
        let place = self.place_of(&node);
        let mut sessions = self.lock_sessions();
        if !outbound && !has_room(&mut sessions, &node, purpose, place) {
            return None;
        }
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed));
        let (outgoing, queue) = session::queue();
        let counters = Arc::new(Counters::default());
        let yields = purpose == Purpose::Join && !outbound;
        let counting = Arc::clone(&counters);
        let standing = Standing { node, purpose, place, yields, outgoing, counters: counting };
        sessions.insert(id, standing);
        Some(Begun { id, queue, counters })
    }

    /// Whether a node may open a stream for a purpose.
    fn may_open(&self, node: &NodeId, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Sync => self.is_admitted(node),
            Purpose::Join => {
                let place = self.place_of(node);
                lock(&self.joining).admit(place, Instant::now())
            }
        }
    }

    /// Where a node is connected from.
    fn place_of(&self, node: &NodeId) -> Option<IpAddr> {
        let connections = self.lock_connections();
        connections.values().find(|one| one.node == *node)?.place
    }

    /// A session is over. A node that is no longer admitted then has no reason to be connected.
    pub fn end(&self, id: SessionId, node: &NodeId, purpose: Purpose) {
        let mut sessions = self.lock_sessions();
        sessions.remove(&id);
        let is_last = !sessions.values().any(|one| one.node == *node);
        drop(sessions);
        if purpose == Purpose::Sync && is_last && !self.is_admitted(node) {
            self.wish(|wishes| wishes.expel.extend([*node]));
        }
    }

    pub fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut lock(&self.wishes));
        self.wished.notify_one();
    }

    /// Waits for wishes and takes them.
    pub async fn wishes(&self) -> Wishes {
        self.wished.notified().await;
        std::mem::take(&mut lock(&self.wishes))
    }
}

/// Whether a session that a node opened has room; of joinings, if need be, it is made.
fn has_room(
    sessions: &mut HashMap<SessionId, Standing>,
    node: &NodeId,
    purpose: Purpose,
    place: Option<IpAddr>,
) -> bool {
    let of_peer = sessions.values().filter(|one| one.node == *node).count();
    let is_joining = |one: &&Standing| one.purpose == Purpose::Join && !one.outgoing.is_abandoned();
    let joining = sessions.values().filter(is_joining).count();
    of_peer < limits::SESSIONS_PER_PEER_MAX
        && (purpose == Purpose::Sync || joining < limits::JOINING_MAX || make_room(sessions, place))
}

/// Ends the oldest joining of the place that has most of them, if `place` has fewer. One that is
/// meant takes a second; who leaves them open is of few places.
fn make_room(sessions: &mut HashMap<SessionId, Standing>, place: Option<IpAddr>) -> bool {
    let mut by_place: HashMap<Option<IpAddr>, Vec<SessionId>> = HashMap::new();
    for (id, standing) in sessions.iter().filter(|(_, standing)| standing.yields) {
        by_place.entry(standing.place).or_default().push(*id);
    }
    let own = by_place.get(&place).map_or(0, Vec::len);
    let most = by_place.into_values().filter(|all| all.len() > own).max_by_key(Vec::len);
    let oldest = most.and_then(|all| all.into_iter().min());
    let Some(standing) = oldest.and_then(|id| sessions.get_mut(&id)) else { return false };
    standing.yields = false;
    standing.outgoing.abandon();
    true
}

/// A session that has just been made.
pub struct Begun {
    pub id: SessionId,
    pub queue: Queue,
    pub counters: Arc<Counters>,
}
