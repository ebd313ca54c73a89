//! Organisations that take the place of others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// Which successor of a body that was divided stands where it stood; not needed where there is
    /// only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
}

/// A convention in which one organisation stands where another stood before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PassedView {
    /// The convention.
    pub convention: String,
    /// Its title.
    pub title: String,
    /// Who stood there before.
    pub predecessor: String,
    /// Its name, as far as it is known here.
    pub predecessor_name: String,
    /// Who stands there now.
    pub successor: String,
    /// Its name, as far as it is known here.
    pub successor_name: String,
    /// When the successor was put in its place, as declared; absent when it cannot be read here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
}
