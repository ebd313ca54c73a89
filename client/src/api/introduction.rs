//! Calls: introductions.

use super::Client;
use super::path::path;
use super::transport::ORDINARY;
use sincronia_node::api::{ApiError, IntroduceRequest, IntroductionView, PartnerView};
use ureq::http::Method;

impl Client {
    /// Presents two partners to each other.
    pub fn introduce(&self, request: &IntroduceRequest) -> Result<(), ApiError> {
        self.transport.write(&Method::POST, &path(&["introductions"])?, request, ORDINARY)
    }

    /// Who was presented here.
    pub fn introductions(&self) -> Result<Vec<IntroductionView>, ApiError> {
        self.transport.read(&path(&["introductions"])?)
    }

    /// Makes an organisation that was presented a partner.
    pub fn accept_introduction(&self, organisation: &str) -> Result<PartnerView, ApiError> {
        self.transport.act(&Method::POST, &path(&["introductions", organisation, "accept"])?)
    }

    /// Refuses an organisation that was presented.
    pub fn refuse_introduction(&self, organisation: &str) -> Result<(), ApiError> {
        self.transport.act(&Method::POST, &path(&["introductions", organisation, "refuse"])?)
    }
}
