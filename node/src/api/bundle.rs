//! Bundles: synchronisation by files.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Asks for a bundle for a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportBundleRequest {
    /// The partner.
    pub organisation: String,
    /// How large a part may be, in bytes; 20,000,000 when absent.
    #[serde(default)]
    pub part_bytes: Option<u64>,
    /// Everything, as for a partner that has nothing.
    #[serde(default)]
    pub all: bool,
}

/// Takes back that a bundle was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBundleRequest {
    /// The partner.
    pub organisation: String,
    /// The number of the last bundle made for it.
    pub number: u64,
}

/// Answers an invitation by a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinByBundleRequest {
    /// The invitation's text.
    pub invitation: String,
}

impl std::fmt::Debug for JoinByBundleRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JoinByBundleRequest(…)")
    }
}

/// A bundle that was made: its parts, one after another, and what stands in the headers of the
/// answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleFile {
    /// The how many-th for this partner; 0 for the answer to an invitation.
    pub number: u64,
    /// Whether it holds everything that the partner lacks.
    pub is_complete: bool,
    /// The parts.
    pub bytes: Vec<u8>,
}

/// What a bundle brought to one space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BroughtView {
    /// The space.
    pub space: String,
    /// Its owner's name.
    pub owner_name: String,
    /// New entries.
    pub entries: u64,
    /// Whether members or keys changed.
    pub access: bool,
    /// Whether this organisation was let in by it.
    #[serde(default)]
    pub admitted: bool,
    /// Whether this organisation was removed by it.
    #[serde(default)]
    pub removed: bool,
    /// Records that were erased by it.
    #[serde(default)]
    pub erased: u64,
}

/// What a bundle brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadBundle {
    /// Who made it.
    pub organisation: String,
    /// Its name.
    pub name: String,
    /// The how many-th for this organisation; 0 for the answer to an invitation.
    pub number: u64,
    /// When it was made, by its maker's clock.
    pub made_at: u64,
    /// Whether its maker became a partner with it.
    pub joined: bool,
    /// Whether it holds everything; otherwise more comes with the next one.
    pub complete: bool,
    /// What it brought, by space.
    pub spaces: Vec<BroughtView>,
    /// Why something of it was not taken.
    pub refused: Vec<String>,
}

/// What became of the parts of one bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleView {
    /// `read`; `known` when it was imported before; `waiting` while parts are missing.
    pub state: String,
    /// How many parts it has, while some are missing.
    #[serde(default)]
    pub parts: u32,
    /// Those that are missing, counted from 1.
    #[serde(default)]
    pub missing: Vec<u32>,
    /// What it brought, once it was read.
    #[serde(default)]
    pub read: Option<ReadBundle>,
}

/// What was exchanged with a partner by bundles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartnerBundles {
    /// When the last one was made for it.
    pub last_out: Option<u64>,
    /// Its number.
    pub last_out_number: Option<u64>,
    /// When its newest one was imported.
    pub last_in: Option<u64>,
    /// Its number.
    pub last_in_number: Option<u64>,
    /// Entries that the partner has not acknowledged yet.
    pub unacknowledged: u64,
    /// Whether the partner, by its newest bundle, knows no machine of this organisation that is in
    /// service: what it makes opens nowhere here until it has read a newer bundle from here.
    #[serde(default)]
    pub unknown_there: bool,
}
