//! Calls: partners.

use super::Client;
use super::path::path;
use super::transport::ORDINARY;
use sincronia_node::api::{ApiError, PartnerView, VerifyRequest};
use ureq::http::Method;

impl Client {
    /// Every partner.
    pub fn partners(&self) -> Result<Vec<PartnerView>, ApiError> {
        self.transport.read(&path(&["partners"])?)
    }

    /// One partner.
    pub fn partner(&self, organisation: &str) -> Result<PartnerView, ApiError> {
        self.transport.read(&path(&["partners", organisation])?)
    }

    /// Confirms that a person compared the phrase.
    pub fn verify_partner(
        &self,
        organisation: &str,
        request: &VerifyRequest,
    ) -> Result<PartnerView, ApiError> {
        self.transport.write(
            &Method::POST,
            &path(&["partners", organisation, "verify"])?,
            request,
            ORDINARY,
        )
    }

    /// Gives nothing to a partner and takes nothing from it.
    pub fn block_partner(&self, organisation: &str) -> Result<PartnerView, ApiError> {
        self.transport.act(&Method::POST, &path(&["partners", organisation, "block"])?)
    }

    /// Ends a block.
    pub fn unblock_partner(&self, organisation: &str) -> Result<PartnerView, ApiError> {
        self.transport.act(&Method::POST, &path(&["partners", organisation, "unblock"])?)
    }
}
