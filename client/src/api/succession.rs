//! Calls: successions, and spaces that change their owner.

use super::Client;
use super::path::path;
use super::transport::ORDINARY;
use sincronia_node::api::{ApiError, OfferRequest, SpaceView, SuccessionView, TakeRequest};
use ureq::http::Method;

impl Client {
    /// Organisations that take the place of others.
    pub fn successions(&self) -> Result<Vec<SuccessionView>, ApiError> {
        self.transport.read(&path(&["successions"])?)
    }

    /// Offers a space of ours to another organisation.
    pub fn offer_space(&self, space: &str, request: &OfferRequest) -> Result<SpaceView, ApiError> {
        let path = path(&["spaces", space, "offer"])?;
        self.transport.write(&Method::POST, &path, request, ORDINARY)
    }

    /// Puts successors where their predecessors stood, in the conventions of a space of ours.
    pub fn follow_successions(
        &self,
        space: &str,
        request: &TakeRequest,
    ) -> Result<SpaceView, ApiError> {
        let path = path(&["spaces", space, "follow"])?;
        self.transport.write(&Method::POST, &path, request, ORDINARY)
    }

    /// Takes over a space that was offered to this organisation.
    pub fn take_space(&self, space: &str, request: &TakeRequest) -> Result<SpaceView, ApiError> {
        let path = path(&["spaces", space, "take"])?;
        self.transport.write(&Method::POST, &path, request, ORDINARY)
    }
}
