//! The engine: the one owner of the replica and of the store's write side.
//!
//! One thread takes requests and network events, in that order of preference, lets the replica and
//! its sessions act, and commits what they wrote together. **Only after the commit** are answers
//! given, frames sent and events told. When a commit fails, the replica goes back to what is on
//! disk, and whoever waited is told that nothing was written.
//!
//! Handlers of the HTTP API do not touch tables: they hand a closure over [`Core`] to
//! [`Handle::run`].
//!
//! # Deliberately absent
//! Merge and access rules (protocol), bytes on the wire (network), HTML.

mod awaited;
mod backup;
mod bundles;
mod conventions;
mod core;
mod decisions;
mod dialing;
mod directory;
mod doctor;
mod editing;
mod erasure;
mod former;
mod introductions;
mod joining;
mod late;
mod leading;
mod links;
mod machines;
mod members;
mod names;
mod partners;
mod passing;
mod records;
mod refusal;
mod restraint;
mod returning;
mod room;
mod service;
mod status;
mod succession;
mod verification;

use crate::api::{ApiError, ApiEvent, ErrorCode};
use crate::limits;
use crate::network::{Network, NetworkEvent};
use crate::store::StoreError;
use sincronia_protocol::time::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{broadcast, mpsc, oneshot};
use tracing::error;

pub use self::core::{Core, CoreConfig};

/// Gives an answer, once what it depends on is durable; else why it is not.
type Release = Box<dyn FnOnce(Result<(), ApiError>) + Send>;
/// Something to do in the engine's thread.
type Job = Box<dyn FnOnce(&mut Core) -> Release + Send>;

/// How to reach the engine from anywhere.
#[derive(Clone)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    events: broadcast::Sender<ApiEvent>,
    network: Network,
    stop: Arc<tokio::sync::Notify>,
    failure: Failed,
}

/// Why the engine ended, if it did not end as asked: the first failure of its store.
type Failed = Arc<Mutex<Option<StoreError>>>;

impl Handle {
    /// Runs `job` in the engine's thread and gives its answer once everything it wrote is durable.
    ///
    /// # Errors
    /// The job's own error; [`ErrorCode::Busy`] when too much waits; [`ErrorCode::DiskFull`] or
    /// [`ErrorCode::Internal`] when the store failed: whether anything was written is not known.
    pub async fn run<T, F>(&self, job: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Core) -> Result<T, ApiError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |core| {
            // What was found out for one request may have changed before the next.
            core.found = names::Found::default();
            let answer = job(core);
            Box::new(move |kept: Result<(), ApiError>| {
                let _ = sender.send(kept.and(answer));
            })
        });
        self.jobs.try_send(job).map_err(|_| {
            ApiError::new(ErrorCode::Busy, "the node is busy", "try again in a moment")
        })?;
        receiver.await.unwrap_or_else(|_| {
            let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            Err(failure.as_ref().map_or_else(store_failed, not_kept))
        })
    }

    /// Events from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ApiEvent> {
        self.events.subscribe()
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// Asks the node to stop.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Resolves when the node was asked to stop, or its engine ended.
    pub async fn stopped(&self) {
        self.stop.notified().await;
    }

    /// What made the engine end by itself, once.
    #[must_use]
    pub fn take_failure(&self) -> Option<StoreError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The engine's thread, for whoever ends it.
pub struct Running {
    over: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Running {
    /// Ends the engine, and waits until its store is closed: a process that ends before leaves a
    /// file that looks as after a crash.
    pub async fn end(self) {
        let Self { over, thread } = self;
        drop(over);
        // What it died of, if it did, was told when it did.
        let _ = tokio::task::spawn_blocking(|| thread.join()).await;
    }
}

/// Starts the engine's thread. It ends when all handles are gone, or when it is told to.
///
/// # Errors
/// When the thread cannot start or the store cannot be read.
pub fn start(
    config: CoreConfig,
    network: Network,
    network_events: mpsc::Receiver<NetworkEvent>,
) -> Result<(Handle, Running), ApiError> {
    let (over, is_over) = oneshot::channel();
    let (jobs, queue) = mpsc::channel(limits::REQUESTS_MAX);
    let (events, _) = broadcast::channel(limits::EVENTS_MAX);
    let failure = Failed::default();
    let mut core = Core::open(config, network.clone(), events.clone(), Arc::clone(&failure))?;
    let runtime = tokio::runtime::Handle::current();
    let stop = Arc::new(tokio::sync::Notify::new());
    let ended = Arc::clone(&stop);
    let thread = std::thread::Builder::new()
        .name("engine".into())
        .stack_size(16 * 1024 * 1024)
        .spawn(move || {
            runtime.block_on(run(&mut core, queue, network_events, is_over));
            // Without its engine a node is of no use; whoever supervises it starts it again.
            ended.notify_one();
        })
        .map_err(|_| store_failed())?;
    Ok((Handle { jobs, events, network, stop, failure }, Running { over, thread }))
}

/// What woke the engine.
enum Wake {
    Job(Job),
    Network(NetworkEvent),
    Time,
    Stop,
}

/// What one commit covers.
struct Group {
    begun: Instant,
    inputs: usize,
    bytes: usize,
}

impl Group {
    fn begin() -> Self {
        Self { begun: Instant::now(), inputs: 0, bytes: 0 }
    }

    /// Whether one more may be taken in. A partner can send without end, and answers to everybody
    /// wait for the commit.
    fn has_room(&self) -> bool {
        self.inputs <= limits::GROUP_INPUTS_MAX
            && self.bytes < limits::GROUP_BYTES_MAX
            && self.begun.elapsed() < limits::GROUP_TIME_MAX
    }

    fn take_job(&mut self, core: &mut Core, job: Job) -> Release {
        self.inputs += 1;
        job(core)
    }

    fn take_event(&mut self, core: &mut Core, event: NetworkEvent) {
        self.inputs += 1;
        if let NetworkEvent::Frame { bytes, .. } = &event {
            self.bytes += bytes.len();
        }
        core.handle_network(event);
    }
}

async fn run(
    core: &mut Core,
    mut jobs: mpsc::Receiver<Job>,
    mut network: mpsc::Receiver<NetworkEvent>,
    mut over: oneshot::Receiver<()>,
) {
    loop {
        let wake = wait(core, &mut jobs, &mut network, &mut over).await;
        let mut releases = Vec::new();
        let mut is_over = false;
        let mut group = Group::begin();
        match wake {
            Wake::Job(job) => releases.push(group.take_job(core, job)),
            Wake::Network(event) => group.take_event(core, event),
            Wake::Time => core.handle_time(),
            Wake::Stop => is_over = true,
        }
        // Whatever else waits shares this commit.
        while group.has_room() {
            if let Ok(job) = jobs.try_recv() {
                releases.push(group.take_job(core, job));
            } else if let Ok(event) = network.try_recv() {
                group.take_event(core, event);
            } else {
                break;
            }
        }
        let is_quiet = jobs.is_empty() && network.is_empty();
        core.project(is_quiet, &|| !jobs.is_empty());
        match core.end_step() {
            Ok(()) => releases.into_iter().for_each(|release| release(Ok(()))),
            Err(error) => {
                // After a failure of the disk the store takes nothing more until it is opened anew.
                error!(%error, "commit failed; nothing of this step was kept; the node stops");
                for release in releases {
                    release(Err(not_kept(&error)));
                }
                return;
            }
        }
        if is_over {
            return;
        }
    }
}

async fn wait(
    core: &Core,
    jobs: &mut mpsc::Receiver<Job>,
    network: &mut mpsc::Receiver<NetworkEvent>,
    over: &mut oneshot::Receiver<()>,
) -> Wake {
    let pause = core.next_wake();
    tokio::select! {
        biased;
        job = jobs.recv() => job.map_or(Wake::Stop, Wake::Job),
        _ = over => Wake::Stop,
        Some(event) = network.recv() => Wake::Network(event),
        () = tokio::time::sleep(pause) => Wake::Time,
    }
}

/// The wall clock, which decides nothing but what people see and when to try again.
pub(crate) fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_milliseconds(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// What whoever waited is told when a commit failed.
fn not_kept(error: &StoreError) -> ApiError {
    match error {
        StoreError::Full { .. } => ApiError::new(
            ErrorCode::DiskFull,
            "the disk is full: nothing of this request was written, and nothing before it is lost",
            "free some room on the disk, start the node again with `sincronia run`, and do it again",
        ),
        _ => store_failed(),
    }
}

fn store_failed() -> ApiError {
    ApiError::new(
        ErrorCode::Internal,
        // A commit that the disk did not confirm may be there all the same.
        "the store failed: it is not known whether this was written",
        "look at the node's log, check the disk, start the node again with `sincronia run`, and \
         look before you do it again",
    )
}
