//! Access logs: who may read and write a space, and under which keys.
//!
//! The owner's primary node writes the log, in clear, and every entry is signed. The state after a
//! prefix is [`Access`]; [`Access::apply`] is the only way to extend it by what comes from
//! elsewhere. A removal carries its cuts and its rotation in the same entry: a removal without a
//! rotation does not parse.
//!
//! The log is linear as long as one primary writes it. When the root key names another, or a
//! primary runs twice, or the space changes its owner, entries may stand side by side: they make
//! [`Branches`], of which one holds, the same on every node that knows the same entries.
//!
//! [`Branches::standing`] decides which author entries count. It is a pure function of the access
//! log and of the entry's header, so that nodes with the same logs agree whatever the order of
//! arrival.
//!
//! Deliberately absent: who is asked for entries (sync), what entries contain (records), and any
//! check of the recipients of a key beyond form. An owner can always tell others what it knows;
//! what counts is that its own node never seals to a revoked node, which `replica` sees to.

mod acceptance;
mod branches;
mod erasure;
mod error;
mod keyring;
mod member;
mod operation;
mod parting;
mod reading;
mod receipt;
mod settled;
mod state;

pub use acceptance::Standing;
pub use branches::Branches;
pub use erasure::{ErasedEntries, ErasedRecord, Erasures};
pub use error::AccessError;
pub use keyring::{Keyring, KeyringError, sealed_hash};
pub use member::{Interval, Member};
pub use operation::{
    AccessEntry, AccessOperation, AccessStatement, Cut, History, Recipient, Role, Rotation,
};
pub use parting::Parting;
pub use reading::{Chain, LastKeyrings, Stretch};
pub use receipt::{Confirmation, Receipt};
pub use settled::Settled;
pub use state::{Access, Epoch, Founder, Signatures};
