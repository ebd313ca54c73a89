//! Calls: the nodes of this organisation and its identity log.

use super::Client;
use super::path::path;
use super::transport::LONG;
use sincronia_node::api::{ApiError, ExposureView, IdentityRequest, IdentityView, NodeView};
use ureq::http::Method;

impl Client {
    /// Every node of this organisation.
    pub fn nodes(&self) -> Result<Vec<NodeView>, ApiError> {
        self.transport.read(&path(&["nodes"])?)
    }

    /// What a node of this organisation could have read.
    pub fn node_report(&self, node: &str) -> Result<ExposureView, ApiError> {
        self.transport.read(&path(&["nodes", node, "report"])?)
    }

    /// The identity log of this organisation.
    pub fn identity(&self) -> Result<IdentityView, ApiError> {
        self.transport.read(&path(&["identity"])?)
    }

    /// Adds signed entries to it.
    pub fn extend_identity(&self, request: &IdentityRequest) -> Result<Vec<NodeView>, ApiError> {
        self.transport.write(&Method::POST, &path(&["identity"])?, request, LONG)
    }
}
