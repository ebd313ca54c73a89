//! The nodes of an organisation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A node of this organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "each is a field of its own in the answer")]
pub struct NodeView {
    /// The node.
    pub node: String,
    /// Whether it is the one that answers.
    pub this: bool,
    /// Whether it writes the organisation's access logs.
    pub primary: bool,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether a session with it stands.
    pub connected: bool,
    /// When a session with it last stood, as far as is known here.
    pub last_seen: Option<u64>,
    /// Where it can be reached.
    pub addresses: Vec<String>,
}

/// This organisation's identity log, for whoever is to sign its next entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityView {
    /// The organisation.
    pub organisation: String,
    /// How many entries the log has here.
    pub length: u64,
    /// How many it has anywhere, as far as the nodes in session say.
    pub known_length: u64,
    /// How many nodes, of partners and of this organisation, are in session and in sync.
    pub witnesses: u64,
    /// The entries, in hexadecimal, as `docs/protocol.md` describes them.
    pub entries: Vec<String>,
    /// What a new machine of the organisation is given once the log certifies it.
    pub admission: String,
}

/// Entries to add to this organisation's identity log, signed by its root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityRequest {
    /// The entries in hexadecimal; the first continues the log as it stands here.
    pub entries: Vec<String>,
}

/// What a node of this organisation could have read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExposureView {
    /// The node.
    pub node: String,
    /// Whether it was revoked; until then the list grows.
    pub revoked: bool,
    /// Records in all those spaces.
    pub records: u64,
    /// Spaces whose key was replaced, or which this organisation reads no more.
    pub safe: u64,
    /// Spaces whose owner has still to replace the key.
    pub waiting: u64,
    /// The spaces.
    pub spaces: Vec<ExposedSpaceView>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExposedSpaceView {
    /// The space.
    pub space: String,
    /// Title of its convention, or the name of what it holds.
    pub title: String,
    /// Who replaces its key.
    pub owner: String,
    /// Its name.
    pub owner_name: String,
    /// The first key that the node could have had.
    pub from_epoch: u64,
    /// The last.
    pub to_epoch: u64,
    /// Records in it.
    pub records: u64,
    /// Entries that the node wrote in it.
    pub written: u64,
    /// `rotated`, `ended` or `waiting`.
    pub state: String,
}
