//! Calls: conventions and contacts, the records people ask for by name.

use super::Client;
use super::path::{narrowed, path};
use super::transport::ORDINARY;
use sincronia_node::api::{
    ApiError, ContactsQuery, ConventionRequest, ConventionView, ConventionsQuery, EditRequest,
    RecordView,
};
use ureq::http::Method;

impl Client {
    /// Conventions.
    pub fn conventions(&self, query: &ConventionsQuery) -> Result<Vec<RecordView>, ApiError> {
        self.transport.read(&narrowed(&["conventions"], query)?)
    }

    /// A convention with everything in its space.
    pub fn convention(&self, id: &str) -> Result<ConventionView, ApiError> {
        self.transport.read(&path(&["conventions", id])?)
    }

    /// Creates a convention in a space of its own and shares it with its parties.
    pub fn create_convention(
        &self,
        request: &ConventionRequest,
    ) -> Result<ConventionView, ApiError> {
        self.transport.write(&Method::POST, &path(&["conventions"])?, request, ORDINARY)
    }

    /// Changes fields of a convention.
    pub fn edit_convention(
        &self,
        id: &str,
        request: &EditRequest,
    ) -> Result<ConventionView, ApiError> {
        self.transport.write(&Method::PATCH, &path(&["conventions", id])?, request, ORDINARY)
    }

    /// Contacts, ours and those of partners.
    pub fn contacts(&self, query: &ContactsQuery) -> Result<Vec<RecordView>, ApiError> {
        self.transport.read(&narrowed(&["contacts"], query)?)
    }

    /// One contact.
    pub fn contact(&self, id: &str) -> Result<RecordView, ApiError> {
        self.transport.read(&path(&["contacts", id])?)
    }

    /// Creates a contact in this organisation's directory.
    pub fn create_contact(&self, request: &EditRequest) -> Result<RecordView, ApiError> {
        self.transport.write(&Method::POST, &path(&["contacts"])?, request, ORDINARY)
    }

    /// Changes fields of a contact.
    pub fn edit_contact(&self, id: &str, request: &EditRequest) -> Result<RecordView, ApiError> {
        self.transport.write(&Method::PATCH, &path(&["contacts", id])?, request, ORDINARY)
    }
}
