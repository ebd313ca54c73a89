//! Spaces.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A member of a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// The organisation.
    pub organisation: String,
    /// Its name, as far as it is known here.
    pub name: String,
    /// `reader`, `contributor` or `carrier`.
    pub role: String,
}

/// A space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpaceView {
    /// The space.
    pub id: String,
    /// The owner.
    pub owner: String,
    /// The owner's name.
    pub owner_name: String,
    /// Whether it is this organisation's directory.
    pub directory: bool,
    /// This organisation's role; absent when it is a member no more.
    pub role: Option<String>,
    /// Its members.
    pub members: Vec<MemberView>,
    /// Number of the key epoch.
    pub epoch: u64,
    /// Whether this node holds the current key.
    pub has_key: bool,
    /// Entries that are here, whether this node can read them or not.
    #[serde(default)]
    pub entries: u64,
    /// Records shown.
    pub records: u64,
    /// Records in conflict.
    pub conflicts: u64,
    /// Entries that do not count.
    pub quarantined: u64,
    /// Entries that cannot be read yet.
    pub waiting: u64,
    /// Entries that cannot be read although the key is here.
    pub unreadable: u64,
    /// The organisation that may take the space over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_to: Option<String>,
    /// Members that are, as far as this node can tell, no partners of the organisation that takes
    /// the space over, or took it: they need an invitation from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_invite: Vec<MemberView>,
    /// What was written into the access log and does not hold, for the owner to do again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAsideView>,
}

/// Something that was validly written into an access log beside what holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetAsideView {
    /// `grant`, `revoke`, `cut_node`, `rotate`, `offer`, `take` or `create`.
    pub what: String,
    /// The organisation concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Its name, as far as it is known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it contradicts what holds: the owner's primary node runs twice.
    pub contradicts: bool,
}

/// Offers a space to another organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferRequest {
    /// The organisation, a contributor of the space.
    pub organisation: String,
}

/// Makes an organisation a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRequest {
    /// The organisation.
    pub organisation: String,
    /// `reader`, `contributor` or `carrier`.
    pub role: String,
    /// `start` or `now`; `start` when absent.
    #[serde(default)]
    pub history: Option<String>,
}

/// What a removal did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevocationView {
    /// The epoch that the removed organisation does not get.
    pub epoch: u64,
    /// Entries of it that still count, by node.
    pub kept: Vec<(String, u64)>,
    /// Who remains.
    pub members: Vec<MemberView>,
}

/// Author entries as they travel: signed, chained, encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RawEntries {
    /// Runs in hexadecimal CBOR.
    pub runs: Vec<String>,
    /// There are more: ask again with this as `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Asks what this node can do with raw entries that somebody handed to it.
pub type ExamineRequest = RawEntries;

/// What this node can do with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExamineReport {
    /// How many there are.
    pub entries: u64,
    /// How many are authentic: chain and signature hold.
    pub authentic: u64,
    /// How many open with a key that this node holds.
    pub opened: u64,
}
