//! Calls: bundles.

use super::Client;
use super::path::path;
use super::transport::ORDINARY;
use sincronia_node::api::{
    ApiError, BundleFile, BundleView, ExportBundleRequest, JoinByBundleRequest,
    WithdrawBundleRequest,
};
use sincronia_node::http::{COMPLETE_HEADER, NUMBER_HEADER};
use ureq::http::{HeaderMap, Method};

impl Client {
    /// Makes the next bundle for a partner: its parts, one after another.
    pub fn export_bundle(&self, request: &ExportBundleRequest) -> Result<BundleFile, ApiError> {
        self.transport.fetch(&path(&["bundles"])?, request).map(file)
    }

    /// Takes back that the last bundle for a partner was made: it was never handed out.
    pub fn withdraw_bundle(&self, request: &WithdrawBundleRequest) -> Result<(), ApiError> {
        let path = path(&["bundles", "withdraw"])?;
        self.transport.write(&Method::POST, &path, request, ORDINARY)
    }

    /// Imports one or more parts of bundles: all that is in them, or nothing.
    pub fn import_bundle(&self, bytes: &[u8]) -> Result<Vec<BundleView>, ApiError> {
        self.transport.hand_in(&path(&["bundles", "import"])?, bytes)
    }

    /// Answers an invitation by a file for the inviting organisation.
    pub fn join_by_bundle(&self, request: &JoinByBundleRequest) -> Result<BundleFile, ApiError> {
        self.transport.fetch(&path(&["join", "bundle"])?, request).map(file)
    }
}

fn file((headers, bytes): (HeaderMap, Vec<u8>)) -> BundleFile {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    BundleFile {
        number: text(NUMBER_HEADER).and_then(|text| text.parse().ok()).unwrap_or_default(),
        is_complete: text(COMPLETE_HEADER) == Some("true"),
        bytes,
    }
}
