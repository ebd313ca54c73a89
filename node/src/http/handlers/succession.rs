//! Endpoints: successions, and spaces that change their owner. Each hands its input to the engine
//! and its answer back.

use crate::api::{ApiError, OfferRequest, Service, SpaceView, SuccessionView, TakeRequest};
use crate::http::extract::{Body, Path};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// Organisations that take the place of others.
#[utoipa::path(
    get,
    path = "/api/v1/successions",
    tag = "succession",
    responses(
        (status = 200, description = "The answer", body = Vec<SuccessionView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn successions<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<SuccessionView>>, ApiError> {
    service.successions().await.map(Json)
}

/// Offers a space of ours to another organisation.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/offer",
    tag = "succession",
    params(("space" = String, Path, description = "The space.")),
    request_body = OfferRequest,
    responses(
        (status = 200, description = "The answer", body = SpaceView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn offer_space<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
    Body(request): Body<OfferRequest>,
) -> Result<Json<SpaceView>, ApiError> {
    service.offer_space(space, request).await.map(Json)
}

/// Puts successors where their predecessors stood, in the conventions of a space of ours.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/follow",
    tag = "succession",
    params(("space" = String, Path, description = "The space.")),
    request_body = TakeRequest,
    responses(
        (status = 200, description = "The answer", body = SpaceView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn follow_successions<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
    Body(request): Body<TakeRequest>,
) -> Result<Json<SpaceView>, ApiError> {
    service.follow_successions(space, request).await.map(Json)
}

/// Takes over a space that was offered to this organisation.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/take",
    tag = "succession",
    params(("space" = String, Path, description = "The space.")),
    request_body = TakeRequest,
    responses(
        (status = 200, description = "The answer", body = SpaceView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn take_space<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
    Body(request): Body<TakeRequest>,
) -> Result<Json<SpaceView>, ApiError> {
    service.take_space(space, request).await.map(Json)
}
