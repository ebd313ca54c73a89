//! One stream: frames in, frames out.

use super::{CloseCause, NetworkEvent, SessionId, Shared};
use crate::limits;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use sincronia_protocol::limits::FRAME_BYTES_MAX;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc};

/// The sending side of a session, bounded in bytes.
#[derive(Clone)]
pub struct Outgoing {
    frames: mpsc::UnboundedSender<Option<Vec<u8>>>,
    queued: Arc<AtomicUsize>,
    overflow: Arc<Notify>,
}

impl Outgoing {
    /// Queues a frame; beyond the bound the session ends.
    pub fn push(&self, frame: Vec<u8>) {
        let size = frame.len();
        let before = self.queued.fetch_add(size, Ordering::AcqRel);
        if before + size > limits::SESSION_QUEUE_BYTES_MAX {
            self.overflow.notify_one();
        } else {
            let _ = self.frames.send(Some(frame));
        }
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
    let outgoing =
        Outgoing { frames: sender, queued: Arc::clone(&queued), overflow: Arc::clone(&overflow) };
    (outgoing, Queue { frames: receiver, queued, overflow })
}

/// Reads from and writes to a stream until either ends.
pub async fn run<S>(
    stream: S,
    queue: Queue,
    session: SessionId,
    shared: Arc<Shared>,
    events: mpsc::Sender<NetworkEvent>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Queue { frames, queued, overflow } = queue;
    let (reader, writer) = stream.split();
    let cause = tokio::select! {
        cause = read(reader, session, &shared, &events) => cause,
        cause = write(writer, frames, &queued) => cause,
        () = overflow.notified() => CloseCause::NotReading,
    };
    shared.lock_sessions().remove(&session);
    let _ = events.send(NetworkEvent::Closed { session, cause }).await;
}

async fn read(
    mut reader: impl AsyncRead + Unpin,
    session: SessionId,
    shared: &Shared,
    events: &mpsc::Sender<NetworkEvent>,
) -> CloseCause {
    loop {
        let mut length = [0; 4];
        if reader.read_exact(&mut length).await.is_err() {
            return CloseCause::Line;
        }
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length == 0 || length > FRAME_BYTES_MAX {
            return CloseCause::Malformed;
        }
        // Room grows with what arrives, not with what was announced.
        let mut bytes = Vec::with_capacity(length.min(64 * 1024));
        let mut limited = (&mut reader).take(length as u64);
        match limited.read_to_end(&mut bytes).await {
            Ok(read) if read == length => {}
            _ => return CloseCause::Line,
        }
        shared.received.fetch_add(length as u64 + 4, Ordering::Relaxed);
        if events.send(NetworkEvent::Frame { session, bytes }).await.is_err() {
            return CloseCause::Local;
        }
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut queue: mpsc::UnboundedReceiver<Option<Vec<u8>>>,
    queued: &AtomicUsize,
) -> CloseCause {
    while let Some(Some(frame)) = queue.recv().await {
        let sent = tokio::time::timeout(limits::WRITE_TIMEOUT, send(&mut writer, &frame)).await;
        queued.fetch_sub(frame.len(), Ordering::AcqRel);
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return CloseCause::Line,
            Err(_) => return CloseCause::NotReading,
        }
    }
    let _ = tokio::time::timeout(limits::WRITE_TIMEOUT, writer.close()).await;
    CloseCause::Local
}

async fn send(writer: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(std::io::Error::other)?;
    let mut bytes = Vec::with_capacity(frame.len() + 4);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(frame);
    writer.write_all(&bytes).await?;
    writer.flush().await
}
