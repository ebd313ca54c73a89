//! Introductions: a partner presents another.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Presents two partners to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntroduceRequest {
    /// One partner.
    pub one: String,
    /// The other.
    pub other: String,
}

/// An organisation that a partner presents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntroductionView {
    /// Who is presented.
    pub organisation: String,
    /// Its name, as the partner knows it.
    pub name: String,
    /// Who presents it.
    pub by: String,
    /// The presenter's name.
    pub by_name: String,
    /// When this node heard of it.
    pub at: u64,
    /// When it ends by itself.
    pub expires_at: u64,
    /// Whether a person here refused it.
    pub refused: bool,
}
