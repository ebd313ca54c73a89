//! Author logs: what one node wrote in one space, hash-chained and signed.
//!
//! A [`Header`] names space, author, position, predecessor, how much of the access log the author
//! had seen, epoch and the hash of the sealed body. Since headers are chained, one signature covers
//! everything before it: a [`Run`] of consecutive entries carries the signature of its last one,
//! and whatever a receiver can compute (sequence, predecessor, body hash) is left out.
//! [`Run::verify_after`] is the only way to a [`VerifiedRun`], and storage takes nothing else.
//!
//! The first entry of a log follows on its *origin* ([`LogPosition::origin`]), a hash of space,
//! node and the organisation for which the node writes there. So nobody else's word, and nothing
//! that becomes known later, can tell whose an entry is.
//!
//! Of an erased entry hash and length of the [`Body`] remain, so that its chain still holds.
//!
//! Deliberately absent: what a body means, who may write, and where entries are kept.

mod body;
mod header;
mod payload;
mod run;

pub use body::Body;
pub use header::{AccessPoint, Header, LogPosition};
pub use payload::{OPERATION_CHANGE, Payload};
pub use run::{Run, RunEntry, RunError, VerifiedEntry, VerifiedRun};
