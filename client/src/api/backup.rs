//! Calls: backups.

use super::Client;
use super::path::path;
use super::transport::ORDINARY;
use sincronia_node::api::{ApiError, CatchingUpView, RecipientRequest};
use std::io::Write;
use ureq::http::Method;

impl Client {
    /// Writes a backup of what the node stores now; its bytes.
    pub fn backup(&self, file: &mut impl Write) -> Result<u64, ApiError> {
        self.transport.download(&path(&["backup"])?, file)
    }

    /// Tells the node to which key its backups are sealed.
    pub fn put_backup_recipient(&self, request: &RecipientRequest) -> Result<(), ApiError> {
        self.transport.write(&Method::POST, &path(&["backup", "recipient"])?, request, ORDINARY)
    }

    /// Has a restored node wait no longer; for whom it did.
    pub fn finish_catching_up(&self) -> Result<CatchingUpView, ApiError> {
        self.transport.act(&Method::POST, &path(&["backup", "finish"])?)
    }
}
