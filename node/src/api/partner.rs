//! Partners.

use super::bundle::PartnerBundles;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a partner is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartnerState {
    /// Joined by invitation; the phrase has not been compared.
    Joined,
    /// A person compared the phrase.
    Verified,
    /// Nothing is given to it or taken from it.
    Blocked,
}

/// Where synchronisation with a partner stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncView {
    /// Whether a session stands.
    pub connected: bool,
    /// `greeting`, `comparing`, `exchanging`, `in_sync`, `outstanding`, `offline`, or
    /// `refused`: its node answers and does not take this organisation for a partner.
    pub phase: String,
    /// Messages not acknowledged yet. Without a session nobody knows, and it is 0.
    pub outgoing: u64,
    /// Differences of the last comparison. Without a session nobody knows, and it is 0.
    pub differences: u64,
    /// Why the last attempt to reach it failed.
    pub last_failure: Option<String>,
}

/// A partner of both that carries what this organisation shares with another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CarrierView {
    /// The carrier.
    pub organisation: String,
    /// Its name.
    pub name: String,
    /// How many of the spaces shared with the partner it carries.
    pub spaces: u64,
    /// When it last was known to have what this node has; now, while both are in sync. Whether the
    /// partner fetched it there, the carrier does not say.
    pub in_sync_at: Option<u64>,
}

/// A partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartnerView {
    /// The organisation.
    pub organisation: String,
    /// The name it gave.
    pub name: String,
    /// How far it is trusted.
    pub state: PartnerState,
    /// Six words to compare by telephone.
    pub verification_phrase: Vec<String>,
    /// Its nodes and where they were last reached.
    pub addresses: Vec<(String, Vec<String>)>,
    /// Those of them that it revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<String>,
    /// When it joined.
    pub joined_at: u64,
    /// When both last were known to have the same; at first, when they met.
    pub last_exchange: Option<u64>,
    /// When a node of it last said that it lives, by its own signed word, whoever brought that, or
    /// both last were known to have the same.
    #[serde(default)]
    pub confirmed: Option<u64>,
    /// Whether that is more than two days ago: what stands here of it may be old. Never of one
    /// that is reached by files.
    #[serde(default)]
    pub silent: bool,
    /// In how many spaces it wrote, by its own word of an hour ago or more, what has not come here.
    #[serde(default)]
    pub held_back: u64,
    /// By how many milliseconds its clock and that of this machine are apart, at least, where that
    /// is more than some minutes: positive when its own is ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_apart: Option<i64>,
    /// Whether its identity log was signed in two versions that it did not unite yet.
    #[serde(default)]
    pub divided: bool,
    /// Names of the owners whose keys have not come here of spaces shared with it: so long both
    /// differ, whatever they exchange.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited_keys: Vec<String>,
    /// Spaces shared with it.
    pub spaces: u64,
    /// Where synchronisation stands.
    pub sync: SyncView,
    /// Whether no line to it is known: this node's network is closed, or no node of it ever said
    /// where it is. It is reached by files, by a carrier, or when it calls.
    #[serde(default)]
    pub no_line: bool,
    /// Who carries what is shared with it, when no session with it stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carriers: Vec<CarrierView>,
    /// What was exchanged by files, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundles: Option<PartnerBundles>,
}

/// Confirms that the phrase was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// The words as the other side read them; compared when given.
    #[serde(default)]
    pub phrase: Option<String>,
}
