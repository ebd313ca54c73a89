//! Calls: records of any kind.

use super::Client;
use super::path::{narrowed, path};
use super::transport::{LONG, ORDINARY};
use sincronia_node::api::{
    ApiError, BatchRequest, BatchResult, EditRequest, HistoryView, NewRecordRequest, RecordView,
    RecordsQuery, ResolveRequest, SearchHit, SearchQuery,
};
use ureq::http::Method;

impl Client {
    /// Records of any kind.
    pub fn records(&self, query: &RecordsQuery) -> Result<Vec<RecordView>, ApiError> {
        self.transport.read(&narrowed(&["records"], query)?)
    }

    /// One record.
    pub fn record(&self, space: &str, record: &str) -> Result<RecordView, ApiError> {
        self.transport.read(&path(&["spaces", space, "records", record])?)
    }

    /// Creates a record.
    pub fn create_record(
        &self,
        space: &str,
        request: &NewRecordRequest,
    ) -> Result<RecordView, ApiError> {
        self.transport.write(
            &Method::POST,
            &path(&["spaces", space, "records"])?,
            request,
            ORDINARY,
        )
    }

    /// Changes fields of a record.
    pub fn edit_record(
        &self,
        space: &str,
        record: &str,
        request: &EditRequest,
    ) -> Result<RecordView, ApiError> {
        self.transport.write(
            &Method::PATCH,
            &path(&["spaces", space, "records", record])?,
            request,
            ORDINARY,
        )
    }

    /// Every change of a record, oldest first.
    pub fn history(&self, space: &str, record: &str) -> Result<Vec<HistoryView>, ApiError> {
        self.transport.read(&path(&["spaces", space, "records", record, "history"])?)
    }

    /// Records in conflict.
    pub fn conflicts(&self) -> Result<Vec<RecordView>, ApiError> {
        self.transport.read(&path(&["conflicts"])?)
    }

    /// Ends a conflict.
    pub fn resolve(
        &self,
        space: &str,
        record: &str,
        request: &ResolveRequest,
    ) -> Result<RecordView, ApiError> {
        self.transport.write(
            &Method::POST,
            &path(&["spaces", space, "records", record, "resolve"])?,
            request,
            ORDINARY,
        )
    }

    /// Writes many records: all, or with `partial` the good ones.
    pub fn batch(&self, request: &BatchRequest) -> Result<BatchResult, ApiError> {
        self.transport.write(&Method::POST, &path(&["records", "batch"])?, request, LONG)
    }

    /// Finds records by words.
    pub fn search(&self, query: &SearchQuery) -> Result<Vec<SearchHit>, ApiError> {
        self.transport.read(&narrowed(&["search"], query)?)
    }
}
