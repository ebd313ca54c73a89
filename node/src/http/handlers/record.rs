//! Endpoints: records of any kind. Each hands its input to the engine and its answer back.

use crate::api::{
    ApiError, BatchRequest, BatchResult, EditRequest, ErrorCode, HistoryView, NewRecordRequest,
    RecordView, RecordsQuery, ResolveRequest, SearchHit, SearchQuery, Service,
};
use crate::http::extract::{Body, ImportBody, Path, Query};
use crate::limits;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// Records of any kind.
#[utoipa::path(
    get,
    path = "/api/v1/records",
    tag = "record",
    params(RecordsQuery),
    responses(
        (status = 200, description = "The answer", body = Vec<RecordView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn records<S: Service>(
    State(service): State<Arc<S>>,
    Query(query): Query<RecordsQuery>,
) -> Result<Json<Vec<RecordView>>, ApiError> {
    service.records(query).await.map(Json)
}

/// One record.
#[utoipa::path(
    get,
    path = "/api/v1/spaces/{space}/records/{record}",
    tag = "record",
    params(
        ("space" = String, Path, description = "The space."),
        ("record" = String, Path, description = "The record."),
    ),
    responses(
        (status = 200, description = "The answer", body = RecordView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn record<S: Service>(
    State(service): State<Arc<S>>,
    Path((space, record)): Path<(String, String)>,
) -> Result<Json<RecordView>, ApiError> {
    service.record(space, record).await.map(Json)
}

/// Creates a record.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/records",
    tag = "record",
    params(("space" = String, Path, description = "The space.")),
    request_body = NewRecordRequest,
    responses(
        (status = 201, description = "Created", body = RecordView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn create_record<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
    Body(request): Body<NewRecordRequest>,
) -> Result<(StatusCode, Json<RecordView>), ApiError> {
    let created = service.create_record(space, request).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Changes fields of a record.
#[utoipa::path(
    patch,
    path = "/api/v1/spaces/{space}/records/{record}",
    tag = "record",
    params(
        ("space" = String, Path, description = "The space."),
        ("record" = String, Path, description = "The record."),
    ),
    request_body = EditRequest,
    responses(
        (status = 200, description = "The answer", body = RecordView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn edit_record<S: Service>(
    State(service): State<Arc<S>>,
    Path((space, record)): Path<(String, String)>,
    Body(request): Body<EditRequest>,
) -> Result<Json<RecordView>, ApiError> {
    service.edit_record(space, record, request).await.map(Json)
}

/// Every change of a record, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/spaces/{space}/records/{record}/history",
    tag = "record",
    params(
        ("space" = String, Path, description = "The space."),
        ("record" = String, Path, description = "The record."),
    ),
    responses(
        (status = 200, description = "The answer", body = Vec<HistoryView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn history<S: Service>(
    State(service): State<Arc<S>>,
    Path((space, record)): Path<(String, String)>,
) -> Result<Json<Vec<HistoryView>>, ApiError> {
    service.history(space, record).await.map(Json)
}

/// Records in conflict.
#[utoipa::path(
    get,
    path = "/api/v1/conflicts",
    tag = "record",
    responses(
        (status = 200, description = "The answer", body = Vec<RecordView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn conflicts<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<RecordView>>, ApiError> {
    service.conflicts().await.map(Json)
}

/// Ends a conflict.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/records/{record}/resolve",
    tag = "record",
    params(
        ("space" = String, Path, description = "The space."),
        ("record" = String, Path, description = "The record."),
    ),
    request_body = ResolveRequest,
    responses(
        (status = 200, description = "The answer", body = RecordView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn resolve<S: Service>(
    State(service): State<Arc<S>>,
    Path((space, record)): Path<(String, String)>,
    Body(request): Body<ResolveRequest>,
) -> Result<Json<RecordView>, ApiError> {
    service.resolve(space, record, request).await.map(Json)
}

/// Writes many records: all, or with `partial` the good ones.
#[utoipa::path(
    post,
    path = "/api/v1/records/batch",
    tag = "record",
    request_body = BatchRequest,
    responses(
        (status = 200, description = "The answer", body = BatchResult),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn batch<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): ImportBody<BatchRequest>,
) -> Result<Json<BatchResult>, ApiError> {
    if request.rows.len() > limits::IMPORT_ROWS_MAX {
        return Err(too_many_rows());
    }
    service.batch(request).await.map(Json)
}

/// Finds records by words.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    tag = "record",
    params(SearchQuery),
    responses(
        (status = 200, description = "The answer", body = Vec<SearchHit>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn search<S: Service>(
    State(service): State<Arc<S>>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Vec<SearchHit>>, ApiError> {
    service.search(query).await.map(Json)
}

fn too_many_rows() -> ApiError {
    let message = format!("an import has at most {} rows", limits::IMPORT_ROWS_MAX);
    ApiError::new(ErrorCode::TooLarge, message, "divide it into several imports")
}
