//! Calls: invitations and joining.

use super::Client;
use super::path::path;
use super::transport::ORDINARY;
use sincronia_node::api::{
    ApiError, InvitationView, InviteRequest, JoinRequest, NewInvitation, PartnerView,
};
use ureq::http::Method;

impl Client {
    /// Makes an invitation. Its text is shown once and kept nowhere.
    pub fn invite(&self, request: &InviteRequest) -> Result<NewInvitation, ApiError> {
        self.transport.write(&Method::POST, &path(&["invitations"])?, request, ORDINARY)
    }

    /// Invitations made here.
    pub fn invitations(&self) -> Result<Vec<InvitationView>, ApiError> {
        self.transport.read(&path(&["invitations"])?)
    }

    /// Makes an invitation unusable.
    pub fn revoke_invitation(&self, id: &str) -> Result<InvitationView, ApiError> {
        self.transport.act(&Method::DELETE, &path(&["invitations", id])?)
    }

    /// Uses an invitation; answers when both sides have joined.
    pub fn join(&self, request: &JoinRequest) -> Result<PartnerView, ApiError> {
        self.transport.write(&Method::POST, &path(&["join"])?, request, ORDINARY)
    }
}
