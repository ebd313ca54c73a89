//! Endpoints: the nodes of this organisation. Each hands its input to the engine and its answer
//! back.

use crate::api::{ApiError, ExposureView, IdentityRequest, IdentityView, NodeView, Service};
use crate::http::extract::{Body, Path};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// Every node of this organisation.
#[utoipa::path(
    get,
    path = "/api/v1/nodes",
    tag = "node",
    responses(
        (status = 200, description = "The answer", body = Vec<NodeView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn nodes<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<NodeView>>, ApiError> {
    service.nodes().await.map(Json)
}

/// What a node of this organisation could have read.
#[utoipa::path(
    get,
    path = "/api/v1/nodes/{node}/report",
    tag = "node",
    params(("node" = String, Path, description = "The node.")),
    responses(
        (status = 200, description = "The answer", body = ExposureView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn node_report<S: Service>(
    State(service): State<Arc<S>>,
    Path(node): Path<String>,
) -> Result<Json<ExposureView>, ApiError> {
    service.node_report(node).await.map(Json)
}

/// The identity log of this organisation, for whoever is to sign its next entry.
#[utoipa::path(
    get,
    path = "/api/v1/identity",
    tag = "node",
    responses(
        (status = 200, description = "The answer", body = IdentityView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn identity<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<IdentityView>, ApiError> {
    service.identity().await.map(Json)
}

/// Adds entries, signed by the root key, to the identity log of this organisation.
#[utoipa::path(
    post,
    path = "/api/v1/identity",
    tag = "node",
    request_body = IdentityRequest,
    responses(
        (status = 200, description = "The answer", body = Vec<NodeView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn extend_identity<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<IdentityRequest>,
) -> Result<Json<Vec<NodeView>>, ApiError> {
    service.extend_identity(request).await.map(Json)
}
