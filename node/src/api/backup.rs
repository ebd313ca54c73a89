//! Backups.

use super::ApiError;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::ToSchema;

/// The bytes of a backup as they are made; the last item says whether it is whole.
pub struct BackupStream(pub mpsc::Receiver<Result<Vec<u8>, ApiError>>);

impl std::fmt::Debug for BackupStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("BackupStream")
    }
}

/// Tells the node to which key its backups are sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientRequest {
    /// The public half of the recovery sealing key, hexadecimal.
    pub key: String,
}

/// What a restored node waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatchingUpView {
    /// When it was restored; nothing when it was not, or has caught up.
    pub since: Option<u64>,
    /// Names of organisations that it has not been in sync with since.
    pub awaited: Vec<String>,
    /// Whether it lost the list of its partners, and has heard nobody who knows any since.
    #[serde(default)]
    pub blind: bool,
}
