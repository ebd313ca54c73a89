//! Erased records, and who carried the erasure out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An erased record with the certificate of its erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureView {
    /// The space.
    pub space: String,
    /// The record. Of what it said nothing is left.
    pub record: String,
    /// Its kind, if this program knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The title of the convention that it belonged to, or `directory`; empty when neither can be
    /// read here, as of a convention that was itself erased.
    #[serde(default)]
    pub title: String,
    /// The owner that had it erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Its name, as far as it is known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_name: Option<String>,
    /// When this node carried the erasure out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// Entries whose content was erased.
    pub entries: u64,
    /// Entries that arrived after the erasure and whose content the owner is still to have erased:
    /// nobody shows them.
    pub late: u64,
    /// Nodes that signed that they carried it out.
    pub confirmed: Vec<ErasureSeat>,
    /// Nodes of members that have not done so yet.
    pub missing: Vec<ErasureSeat>,
    /// Who may hold the record, never confirmed and hears of the space no more: former members, and
    /// machines of members that were revoked.
    pub out_of_reach: Vec<OutOfReach>,
    /// Whether every member's nodes confirmed and nothing is late.
    pub complete: bool,
}

/// A node that holds a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureSeat {
    /// The organisation.
    pub organisation: String,
    /// Its name, as far as it is known here.
    pub name: String,
    /// The node.
    pub node: String,
}

/// A machine that hears of a space no more, or an organisation of which none does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutOfReach {
    /// The organisation.
    pub organisation: String,
    /// Its name, as far as it is known here.
    pub name: String,
    /// The node, where one is known that may hold the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}
