//! Calls: erased records.

use super::Client;
use super::path::path;
use sincronia_node::api::{ApiError, ErasureView};
use ureq::http::Method;

impl Client {
    /// Erases a record for every member of its space, for ever.
    pub fn erase_record(&self, space: &str, record: &str) -> Result<ErasureView, ApiError> {
        self.transport.act(&Method::POST, &path(&["spaces", space, "records", record, "erase"])?)
    }

    /// Erased records, with who confirmed and who has not yet.
    pub fn erasures(&self) -> Result<Vec<ErasureView>, ApiError> {
        self.transport.read(&path(&["erasures"])?)
    }
}
