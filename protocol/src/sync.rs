//! The sync machine: one [`Session`] per link with a partner's node, without I/O.
//!
//! # Contract
//! The driver calls [`Session::handle`] with an [`Input`] and performs the returned [`Effects`] in
//! order, **after** the replica's pending batch is durable. An acknowledgement is an ordinary
//! effect, so nothing is acknowledged before it is on disk. [`Session::next_deadline`] says when to
//! call with [`Input::Tick`] at the latest.
//!
//! # Course
//! 1. *Greeting*: versions, organisation, identity logs. The partner's node is the one that the
//!    transport authenticated; what the greeting claims must fit it.
//! 2. *Comparing*: range-based set reconciliation over one item per space and identity log,
//!    restricted to what the partner may hold.
//! 3. *Exchanging*: heads of what differs, then entries; identity and access logs before author
//!    logs; a bounded window of bytes that are not acknowledged.
//! 4. Comparing again. "In sync" is said only when a comparison found nothing; when an exchange
//!    moved nothing and a difference remains, the session says what is outstanding.
//! 5. *Live*: what grows is pushed at once; when it is quiet again, the two compare again.
//!
//! # Deliberately absent
//! Which partners to connect to and when, retries, addresses, and what entries mean.

mod beacons;
mod comparison;
mod effect;
mod exchange;
mod handover;
mod message;
mod session;

pub use beacons::Beacons;
pub use effect::{CloseReason, Effect, Effects, Input, SyncPhase, SyncStatus};
pub use handover::Handover;
pub use message::{Hello, Message, VERSION_MAX, VERSION_MIN};
pub use session::{Courier, Session, Side};
