//! Calls: the node itself.

use super::Client;
use super::path::path;
use super::transport::{LONG, ORDINARY};
use sincronia_node::api::{
    ApiError, Check, NetworkRequest, Status, VerifyReport, VerifyStoreRequest,
};
use ureq::http::Method;

impl Client {
    /// The state of the node, with its partners.
    pub fn status(&self) -> Result<Status, ApiError> {
        self.transport.read(&path(&["status"])?)
    }

    /// What is well and what is not, each with what to do.
    pub fn doctor(&self) -> Result<Vec<Check>, ApiError> {
        self.transport.read(&path(&["doctor"])?)
    }

    /// Checks everything stored: chains, signatures, keys, rows.
    pub fn verify(&self, request: &VerifyStoreRequest) -> Result<VerifyReport, ApiError> {
        self.transport.write(&Method::POST, &path(&["verify"])?, request, LONG)
    }

    /// Goes offline or online.
    pub fn network(&self, request: &NetworkRequest) -> Result<(), ApiError> {
        self.transport.write(&Method::POST, &path(&["network"])?, request, ORDINARY)
    }

    /// Tries to reach every partner now.
    pub fn sync(&self) -> Result<(), ApiError> {
        self.transport.act(&Method::POST, &path(&["sync"])?)
    }

    /// Stops the node.
    pub fn shutdown(&self) -> Result<(), ApiError> {
        self.transport.act(&Method::POST, &path(&["shutdown"])?)
    }
}
