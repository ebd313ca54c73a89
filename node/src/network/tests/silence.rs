//! Peers that send rubbish, or stop in the middle: over a pipe, with virtual time.

use super::super::session::Session;
use super::*;
use futures::io::{AsyncRead, AsyncWrite};
use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A peer that sends these bytes, then nothing, and reads so many.
struct Peer {
    sends: Vec<u8>,
    ends: bool,
    reads: usize,
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<Result<usize>> {
        if self.sends.is_empty() {
            return if self.ends { Poll::Ready(Ok(0)) } else { Poll::Pending };
        }
        let size = out.len().min(self.sends.len());
        out[..size].copy_from_slice(&self.sends[..size]);
        self.sends.drain(..size);
        Poll::Ready(Ok(size))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        if self.reads == 0 {
            return Poll::Pending;
        }
        let size = bytes.len().min(self.reads);
        self.reads -= size;
        Poll::Ready(Ok(size))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs a session with the peer; `queue` is what is sent to it.
async fn meet(peer: Peer, purpose: Purpose, queue: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, CloseCause) {
    let shared = Arc::new(Shared::default());
    let (events, mut told) = mpsc::channel(64);
    let begun = shared.begin(id(1), purpose, true).unwrap();
    if let Some(standing) = shared.lock_sessions().get(&begun.id) {
        for frame in queue {
            standing.outgoing.push(frame);
        }
    }
    let session = Session {
        begun,
        node: id(1),
        purpose,
        outbound: true,
        shared: Arc::clone(&shared),
        events,
    };
    tokio::spawn(session.run(peer));
    let mut frames = Vec::new();
    loop {
        match told.recv().await.unwrap() {
            NetworkEvent::Frame { bytes, .. } => frames.push(bytes),
            NetworkEvent::Closed { cause, .. } => {
                assert!(shared.lock_sessions().is_empty());
                return (frames, cause);
            }
            _ => {}
        }
    }
}

fn sending(sends: &[u8], ends: bool) -> Peer {
    Peer { sends: sends.to_vec(), ends, reads: usize::MAX }
}

#[tokio::test(start_paused = true)]
async fn threat_31_empty_and_oversized_frames_end_the_session() {
    let beyond = u32::try_from(FRAME_BYTES_MAX + 1).unwrap();
    for length in [0, beyond, u32::MAX] {
        let bytes = [&[0, 0, 0, 1, 7], length.to_be_bytes().as_slice()].concat();
        let (frames, cause) = meet(sending(&bytes, false), Purpose::Sync, vec![]).await;
        assert_eq!(frames, [[7]]);
        assert_eq!(cause, CloseCause::Malformed, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_at_the_limit_arrives() {
    let length = u32::try_from(FRAME_BYTES_MAX).unwrap().to_be_bytes();
    let bytes = [length.as_slice(), &vec![3; FRAME_BYTES_MAX]].concat();
    let (frames, cause) = meet(sending(&bytes, true), Purpose::Sync, vec![]).await;
    assert_eq!(frames, [vec![3; FRAME_BYTES_MAX]]);
    assert_eq!(cause, CloseCause::Line);
}

#[tokio::test(start_paused = true)]
async fn threat_31_who_stops_within_a_frame_is_not_waited_for_whatever_was_announced() {
    for bytes in [&[0][..], &[0, 0], &[0, 16, 0, 0], &[0, 0, 0, 9, 1, 2, 3]] {
        let (frames, cause) = meet(sending(bytes, false), Purpose::Sync, vec![]).await;
        assert!(frames.is_empty());
        assert_eq!(cause, CloseCause::Timeout, "{bytes:?}");
        let (_, cause) = meet(sending(bytes, true), Purpose::Sync, vec![]).await;
        assert_eq!(cause, CloseCause::Line, "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_joining_that_does_not_end_is_ended() {
    let (_, cause) = meet(sending(&[], false), Purpose::Join, vec![]).await;
    assert_eq!(cause, CloseCause::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_sync_session_may_be_silent_for_a_day() {
    let silent = meet(sending(&[], false), Purpose::Sync, vec![]);
    assert!(tokio::time::timeout(Duration::from_hours(24), silent).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn threat_31_who_does_not_read_is_left_after_a_while_or_when_the_queue_is_full() {
    let deaf = || Peer { sends: vec![], ends: false, reads: 100 };
    let (_, cause) = meet(deaf(), Purpose::Sync, vec![vec![1; 1_000]]).await;
    assert_eq!(cause, CloseCause::NotReading);
    let before = tokio::time::Instant::now();
    let many = vec![vec![1]; crate::limits::SESSION_QUEUE_BYTES_MAX / 64];
    let (_, cause) = meet(deaf(), Purpose::Sync, many).await;
    assert_eq!(cause, CloseCause::NotReading);
    assert_eq!(before.elapsed(), Duration::ZERO, "small frames are bounded too");
}
