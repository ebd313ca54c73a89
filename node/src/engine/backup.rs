//! Backups: what is on disk now, sealed to the recovery words, while the node goes on; and what a
//! restored node waits for.

use super::{Core, now};
use crate::api::hexadecimal::unhex;
use crate::api::{ApiError, CatchingUpView, ErrorCode, RecipientRequest};
use crate::backup::BackupSource;
use sincronia_protocol::codec;
use sincronia_protocol::crypto::SealingPublic;
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::limits::IDENTITY_ENTRY_BYTES_MAX;
use tracing::{info, warn};

impl Core {
    /// What a backup is made from: the last commit, and the key it is sealed to.
    pub fn backup_source(&mut self) -> Result<BackupSource, ApiError> {
        if self.replica.is_revoked() {
            return Err(revoked());
        }
        let recipient = self.step(|replica, disk, _| replica.backup_recipient(disk))?;
        let recipient = recipient.ok_or_else(no_recipient)?;
        self.commit().map_err(|error| super::not_kept(&error))?;
        let disk = self.store.snapshot().map_err(|error| super::not_kept(&error))?;
        let settings = std::fs::read_to_string(&self.settings).unwrap_or_default();
        let credentials = self.replica.credentials().clone();
        Ok(BackupSource { credentials, recipient, settings, made_at: now(), disk })
    }

    /// Takes the key that backups are sealed to, as the holder of the recovery words derived it.
    pub fn put_backup_recipient(&mut self, request: &RecipientRequest) -> Result<(), ApiError> {
        let bytes = unhex(&request.key).filter(|one| one.len() <= IDENTITY_ENTRY_BYTES_MAX);
        let key = bytes.and_then(|bytes| codec::decode::<SealingPublic>(&bytes).ok());
        let key = key.ok_or_else(|| {
            let remedy = "use the command and the node of the same version";
            ApiError::new(ErrorCode::Invalid, "this is no sealing key", remedy)
        })?;
        self.step(|replica, _, random| {
            // A key that seals nothing would be noticed only when a backup is needed.
            key.seal(b"", &[], random)?;
            replica.put_backup_recipient(&key)
        })
    }

    /// Notes that this node and a partner have the same.
    pub(super) fn note_heard(&mut self, partner: &OrganisationId) {
        if let Err(error) = self.replica.note_heard(partner) {
            warn!(%error, "whom this node was in sync with was not kept");
        }
    }

    /// Does what waited for partners, once none of them is waited for any more: the last was heard,
    /// was blocked here or at another machine, or a person waits no longer.
    pub(super) fn go_on_when_heard(&mut self) {
        if self.replica.has_caught_up() {
            info!("this node has caught up with everyone");
            self.owes_maintenance = true;
            self.share_with_everyone();
            self.replica.go_on();
        }
    }

    /// Waits no longer for those not heard yet; the names of these.
    pub fn finish_catching_up(&mut self) -> Result<CatchingUpView, ApiError> {
        let view = self.catching_up_view().unwrap_or_default();
        self.step(|replica, _, _| replica.finish_catching_up())?;
        Ok(view)
    }

    /// Whom a restored node waits for.
    pub(super) fn catching_up_view(&self) -> Option<CatchingUpView> {
        let state = self.replica.catching_up()?;
        let awaited = state.awaited.iter().map(|one| self.name_of(one)).collect();
        let since = Some(state.since.milliseconds());
        Some(CatchingUpView { since, awaited, blind: state.is_blind })
    }
}

/// A backup of it would restore a node that knows nothing since, and be kept as if it were one.
fn revoked() -> ApiError {
    ApiError::new(
        ErrorCode::Revoked,
        "this node was revoked: it receives nothing any more, and a backup of it would lack that",
        "make the backup on another machine of the organisation; to keep what is here, stop the \
         node and copy its directory",
    )
}

fn no_recipient() -> ApiError {
    ApiError::new(
        ErrorCode::NoRecipient,
        "this node does not know the key to which backups are sealed",
        "run `sincronia backup enable` once, with the recovery words at hand",
    )
}
