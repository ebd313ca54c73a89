//! Invitations and joining.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A space that the invited organisation becomes a member of at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantRequest {
    /// The space.
    pub space: String,
    /// `reader`, `contributor` or `carrier`.
    pub role: String,
    /// `start` or `now`.
    #[serde(default = "start")]
    pub history: String,
}

fn start() -> String {
    "start".into()
}

/// Asks for an invitation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// How long it works; seven days when absent.
    #[serde(default)]
    pub valid_hours: Option<u64>,
    /// For whom, in the inviter's words.
    #[serde(default)]
    pub note: Option<String>,
    /// What the invited organisation gets at once.
    #[serde(default)]
    pub spaces: Vec<GrantRequest>,
}

/// A fresh invitation. Its text is shown once and kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewInvitation {
    /// Its id.
    pub id: String,
    /// What to hand over.
    pub text: String,
    /// Until when it works.
    pub expires_at: u64,
    /// Where this node says it is.
    pub addresses: Vec<String>,
}

impl std::fmt::Debug for NewInvitation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "NewInvitation({})", self.id)
    }
}

/// An invitation made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    /// Its id.
    pub id: String,
    /// `open`, `used`, `revoked` or `expired`.
    pub state: String,
    /// For whom, in the inviter's words.
    pub note: Option<String>,
    /// When it was made.
    pub created_at: u64,
    /// Until when it works.
    pub expires_at: u64,
    /// Who used it.
    pub used_by: Option<String>,
}

/// Uses an invitation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// Its text.
    pub invitation: String,
    /// Addresses to try instead of those in it.
    #[serde(default)]
    pub addresses: Vec<String>,
}

impl std::fmt::Debug for JoinRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JoinRequest(…)")
    }
}
