//! This organisation's identity log, and organisations that take the place of others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The identity log of this organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityView {
    /// The organisation.
    pub organisation: String,
    /// The entries in hexadecimal CBOR, oldest first.
    pub entries: Vec<String>,
}

/// The next entry of this organisation's identity log, signed with its root key. Whoever holds the
/// recovery words signs it; they never reach the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityRequest {
    /// The entry in hexadecimal CBOR.
    pub entry: String,
}

/// An organisation that takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuccessionView {
    /// Whose place is taken.
    pub predecessor: String,
    /// Its name, as far as it is known here.
    pub predecessor_name: String,
    /// Who takes it.
    pub successor: String,
    /// Its name, as far as it is known here.
    pub successor_name: String,
    /// Whether the predecessor says so.
    pub declared: bool,
    /// Whether the successor says so. It counts when both do.
    pub accepted: bool,
    /// Since when, as the predecessor's sheet says: a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<String>,
    /// The act, as the predecessor's sheet says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_act: Option<String>,
}

/// Takes over a space that was offered to this organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeRequest {
    /// Who acts.
    #[serde(default)]
    pub operator: Option<String>,
}
