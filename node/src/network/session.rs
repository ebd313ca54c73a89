//! One stream: frames in, frames out.

use super::shared::{Begun, Counters, Shared};
use super::{CloseCause, NetworkEvent, Purpose, SessionId};
use crate::limits;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::limits::FRAME_BYTES_MAX;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// What a queued frame costs beside its bytes, so that small ones are bounded too.
const FRAME_OVERHEAD: usize = 64;

/// The sending side of a session, bounded in bytes.
#[derive(Clone)]
pub struct Outgoing {
    frames: mpsc::UnboundedSender<Option<Vec<u8>>>,
    queued: Arc<AtomicUsize>,
    overflow: Arc<Notify>,
    abandoned: Arc<AtomicBool>,
}

impl Outgoing {
    /// Queues a frame; beyond the bound the session ends.
    pub fn push(&self, frame: Vec<u8>) {
        let size = frame.len() + FRAME_OVERHEAD;
        let before = self.queued.fetch_add(size, Ordering::AcqRel);
        if before + size > limits::SESSION_QUEUE_BYTES_MAX {
            self.queued.fetch_sub(size, Ordering::AcqRel);
            self.overflow.notify_one();
        } else {
            let _ = self.frames.send(Some(frame));
        }
    }

    /// Ends the session at once: it makes room for another.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.overflow.notify_one();
    }

    /// Whether it is ended so.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Ends the session after what is queued.
    pub fn finish(&self) {
        let _ = self.frames.send(None);
    }
}

/// The receiving end of [`Outgoing`], for the task that writes.
pub struct Queue {
    frames: mpsc::UnboundedReceiver<Option<Vec<u8>>>,
    queued: Arc<AtomicUsize>,
    overflow: Arc<Notify>,
}

/// A bounded queue of frames.
pub fn queue() -> (Outgoing, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let overflow = Arc::new(Notify::new());
    let outgoing = Outgoing {
        frames: sender,
        queued: Arc::clone(&queued),
        overflow: Arc::clone(&overflow),
        abandoned: Arc::default(),
    };
    (outgoing, Queue { frames: receiver, queued, overflow })
}

/// A stream and all that belongs to it.
pub struct Session {
    pub begun: Begun,
    pub node: NodeId,
    pub purpose: Purpose,
    pub outbound: bool,
    pub shared: Arc<Shared>,
    pub events: mpsc::Sender<NetworkEvent>,
}

impl Session {
    /// Tells that it opened, reads and writes until either ends, and tells why. Whoever hears of it
    /// can send at once, and hears of it before its first frame.
    pub async fn run(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Self { begun: Begun { id: session, queue, counters }, node, purpose, .. } = self;
        let (shared, events, outbound) = (self.shared, self.events, self.outbound);
        let opened = NetworkEvent::Opened { session, node, purpose, outbound };
        if events.send(opened).await.is_err() {
            return shared.end(session, &node, purpose);
        }
        let (reader, writer) = stream.split();
        let count = Count { counters, shared: Arc::clone(&shared) };
        let inbox = Inbox { session, events: &events, shared: &shared };
        let incoming = read(reader, &count, &inbox);
        let cause = tokio::select! {
            cause = incoming => cause,
            cause = write(writer, queue.frames, &queue.queued, &count) => cause,
            () = queue.overflow.notified() => CloseCause::NotReading,
            () = deadline(purpose) => CloseCause::Timeout,
        };
        shared.end(session, &node, purpose);
        let _ = events.send(NetworkEvent::Closed { session, cause }).await;
    }
}

/// A joining must come to its end; a sync session lasts.
async fn deadline(purpose: Purpose) {
    match purpose {
        Purpose::Join => tokio::time::sleep(limits::JOIN_TIMEOUT).await,
        Purpose::Sync => std::future::pending().await,
    }
}

/// Where frames wait for the engine.
struct Inbox<'a> {
    session: SessionId,
    events: &'a mpsc::Sender<NetworkEvent>,
    shared: &'a Shared,
}

impl Inbox<'_> {
    /// Waits until there is room for a frame; nothing when the node is stopping.
    async fn put(&self, bytes: Vec<u8>) -> Option<()> {
        let size = u32::try_from(bytes.len() + FRAME_OVERHEAD).ok()?;
        let room = Arc::clone(&self.shared.room).acquire_many_owned(size).await.ok()?;
        let frame = NetworkEvent::Frame { session: self.session, bytes, room };
        self.events.send(frame).await.ok()
    }
}

/// Bytes are counted for the session and for all.
struct Count {
    counters: Arc<Counters>,
    shared: Arc<Shared>,
}

async fn read(mut reader: impl AsyncRead + Unpin, count: &Count, inbox: &Inbox<'_>) -> CloseCause {
    loop {
        let mut first = [0; 1];
        // A partner may be silent for as long as it likes, but not within a frame.
        if reader.read_exact(&mut first).await.is_err() {
            return CloseCause::Line;
        }
        let bytes = match timeout(limits::READ_TIMEOUT, rest_of_frame(&mut reader, first)).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(cause)) => return cause,
            Err(_) => return CloseCause::Timeout,
        };
        count.counters.add_received(bytes.len() + 4);
        count.shared.totals.add_received(bytes.len() + 4);
        if inbox.put(bytes).await.is_none() {
            return CloseCause::Local;
        }
    }
}

/// The frame whose length begins with `first`.
async fn rest_of_frame(
    reader: &mut (impl AsyncRead + Unpin),
    first: [u8; 1],
) -> Result<Vec<u8>, CloseCause> {
    let mut rest = [0; 3];
    reader.read_exact(&mut rest).await.map_err(|_| CloseCause::Line)?;
    let ([a], [b, c, d]) = (first, rest);
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length == 0 || length > FRAME_BYTES_MAX {
        return Err(CloseCause::Malformed);
    }
    // Room grows with what arrives, not with what was announced.
    let mut bytes = Vec::with_capacity(length.min(64 * 1024));
    match reader.take(length as u64).read_to_end(&mut bytes).await {
        Ok(read) if read == length => Ok(bytes),
        _ => Err(CloseCause::Line),
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut frames: mpsc::UnboundedReceiver<Option<Vec<u8>>>,
    queued: &AtomicUsize,
    count: &Count,
) -> CloseCause {
    let mut batch = Batch::default();
    while let Some(Some(frame)) = frames.recv().await {
        batch.add(&frame);
        let mut is_over = false;
        // Whatever else waits goes out in the same packets.
        while !is_over && batch.bytes.len() < limits::WRITE_BATCH_BYTES {
            match frames.try_recv() {
                Ok(Some(frame)) => batch.add(&frame),
                Ok(None) => is_over = true,
                Err(_) => break,
            }
        }
        let sent = timeout(limits::WRITE_TIMEOUT, send(&mut writer, &batch.bytes)).await;
        queued.fetch_sub(batch.queued, Ordering::AcqRel);
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return CloseCause::Line,
            Err(_) => return CloseCause::NotReading,
        }
        count.counters.add_sent(batch.bytes.len());
        count.shared.totals.add_sent(batch.bytes.len());
        batch.clear();
        if is_over {
            break;
        }
    }
    let _ = timeout(limits::CLOSING_TIMEOUT, writer.close()).await;
    CloseCause::Local
}

/// Frames that go out together, each behind its length.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    queued: usize,
}

impl Batch {
    fn add(&mut self, frame: &[u8]) {
        // A frame beyond four gigabytes cannot be queued.
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(frame);
        self.queued += frame.len() + FRAME_OVERHEAD;
    }

    fn clear(&mut self) {
        // What one large batch needed is not kept by a session that is quiet for days.
        self.bytes = Vec::new();
        self.queued = 0;
    }
}

async fn send(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}
