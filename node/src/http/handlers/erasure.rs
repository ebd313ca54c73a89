//! Endpoints: erased records. Each hands its input to the engine and its answer back.

use crate::api::{ApiError, ErasureView, Service};
use crate::http::extract::NoBody;
use crate::http::extract::Path;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// Erases a record for every member of its space, for ever.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/records/{record}/erase",
    tag = "erasure",
    params(
        ("space" = String, Path, description = "The space."),
        ("record" = String, Path, description = "The record."),
    ),
    responses(
        (status = 200, description = "The answer", body = ErasureView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn erase_record<S: Service>(
    State(service): State<Arc<S>>,
    Path((space, record)): Path<(String, String)>,
    _: NoBody,
) -> Result<Json<ErasureView>, ApiError> {
    service.erase_record(space, record).await.map(Json)
}

/// Erased records, with who confirmed and who has not yet.
#[utoipa::path(
    get,
    path = "/api/v1/erasures",
    tag = "erasure",
    responses(
        (status = 200, description = "The answer", body = Vec<ErasureView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn erasures<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<ErasureView>>, ApiError> {
    service.erasures().await.map(Json)
}
