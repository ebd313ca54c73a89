//! Calls: spaces, their members and their raw entries.

use super::Client;
use super::path::{narrowed, path};
use super::transport::{LONG, ORDINARY};
use sincronia_node::api::{
    ApiError, ExamineReport, ExamineRequest, MemberRequest, QuarantineView, RawEntries, RawQuery,
    RevocationView, SpaceView,
};
use ureq::http::Method;

impl Client {
    /// Every space this node stores.
    pub fn spaces(&self) -> Result<Vec<SpaceView>, ApiError> {
        self.transport.read(&path(&["spaces"])?)
    }

    /// Founds a space of ours, with nobody else in it.
    pub fn create_space(&self) -> Result<SpaceView, ApiError> {
        self.transport.act(&Method::POST, &path(&["spaces"])?)
    }

    /// One space.
    pub fn space(&self, space: &str) -> Result<SpaceView, ApiError> {
        self.transport.read(&path(&["spaces", space])?)
    }

    /// Makes an organisation a member.
    pub fn add_member(&self, space: &str, request: &MemberRequest) -> Result<SpaceView, ApiError> {
        self.transport.write(
            &Method::POST,
            &path(&["spaces", space, "members"])?,
            request,
            ORDINARY,
        )
    }

    /// Removes a member; the space gets a key that the member does not get.
    pub fn remove_member(
        &self,
        space: &str,
        organisation: &str,
    ) -> Result<RevocationView, ApiError> {
        self.transport.act(&Method::DELETE, &path(&["spaces", space, "members", organisation])?)
    }

    /// Gives a space a new key.
    pub fn rotate(&self, space: &str) -> Result<SpaceView, ApiError> {
        self.transport.act(&Method::POST, &path(&["spaces", space, "rotate"])?)
    }

    /// Entries of a space as they travel.
    pub fn raw(&self, space: &str, query: &RawQuery) -> Result<RawEntries, ApiError> {
        self.transport.read(&narrowed(&["spaces", space, "raw"], query)?)
    }

    /// What this node can do with raw entries that somebody handed to it.
    pub fn examine(
        &self,
        space: &str,
        request: &ExamineRequest,
    ) -> Result<ExamineReport, ApiError> {
        self.transport.write(&Method::POST, &path(&["spaces", space, "examine"])?, request, LONG)
    }

    /// Entries that are kept and do not count.
    pub fn quarantine(&self) -> Result<Vec<QuarantineView>, ApiError> {
        self.transport.read(&path(&["quarantine"])?)
    }

    /// Notes that a person decided of an entry that does not count.
    pub fn dismiss_late(&self, entry: &str) -> Result<QuarantineView, ApiError> {
        self.transport.act(&Method::POST, &path(&["quarantine", entry, "dismiss"])?)
    }
}
