//! Endpoints: the node itself. Each hands its input to the engine and its answer back.

use crate::api::{
    ApiError, Check, NetworkRequest, Service, Status, VerifyReport, VerifyStoreRequest,
};
use crate::http::extract::Body;
use crate::http::extract::NoBody;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// The state of the node, with its partners.
#[utoipa::path(
    get,
    path = "/api/v1/status",
    tag = "node",
    responses(
        (status = 200, description = "The answer", body = Status),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn status<S: Service>(State(service): State<Arc<S>>) -> Result<Json<Status>, ApiError> {
    service.status().await.map(Json)
}

/// What is well and what is not, each with what to do.
#[utoipa::path(
    get,
    path = "/api/v1/doctor",
    tag = "node",
    responses(
        (status = 200, description = "The answer", body = Vec<Check>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn doctor<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<Check>>, ApiError> {
    service.doctor().await.map(Json)
}

/// Checks everything stored: chains, signatures, keys, rows.
#[utoipa::path(
    post,
    path = "/api/v1/verify",
    tag = "node",
    request_body = VerifyStoreRequest,
    responses(
        (status = 200, description = "The answer", body = VerifyReport),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn verify<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<VerifyStoreRequest>,
) -> Result<Json<VerifyReport>, ApiError> {
    service.verify(request).await.map(Json)
}

/// Goes offline or online.
#[utoipa::path(
    post,
    path = "/api/v1/network",
    tag = "node",
    request_body = NetworkRequest,
    responses(
        (status = 204, description = "Done"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn network<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<NetworkRequest>,
) -> Result<StatusCode, ApiError> {
    service.network(request).await.map(|()| StatusCode::NO_CONTENT)
}

/// Tries to reach every partner now.
#[utoipa::path(
    post,
    path = "/api/v1/sync",
    tag = "node",
    responses(
        (status = 204, description = "Done"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn sync<S: Service>(
    State(service): State<Arc<S>>,
    _: NoBody,
) -> Result<StatusCode, ApiError> {
    service.sync().await.map(|()| StatusCode::NO_CONTENT)
}

/// Stops the node.
#[utoipa::path(
    post,
    path = "/api/v1/shutdown",
    tag = "node",
    responses(
        (status = 204, description = "Done"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn shutdown<S: Service>(
    State(service): State<Arc<S>>,
    _: NoBody,
) -> Result<StatusCode, ApiError> {
    service.shutdown().await.map(|()| StatusCode::NO_CONTENT)
}
