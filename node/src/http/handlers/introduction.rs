//! Endpoints: introductions. Each hands its input to the engine and its answer back.

use crate::api::{ApiError, IntroduceRequest, IntroductionView, PartnerView, Service};
use crate::http::extract::{Body, NoBody, Path};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// Presents two partners to each other; each is told in its next session.
#[utoipa::path(
    post,
    path = "/api/v1/introductions",
    tag = "introduction",
    request_body = IntroduceRequest,
    responses(
        (status = 200, description = "The answer"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn introduce<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<IntroduceRequest>,
) -> Result<Json<()>, ApiError> {
    service.introduce(request).await.map(Json)
}

/// Who was presented here.
#[utoipa::path(
    get,
    path = "/api/v1/introductions",
    tag = "introduction",
    responses(
        (status = 200, description = "The answer", body = Vec<IntroductionView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn introductions<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<IntroductionView>>, ApiError> {
    service.introductions().await.map(Json)
}

/// Makes an organisation that was presented a partner.
#[utoipa::path(
    post,
    path = "/api/v1/introductions/{organisation}/accept",
    tag = "introduction",
    params(("organisation" = String, Path, description = "Who was presented.")),
    responses(
        (status = 200, description = "The answer", body = PartnerView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn accept<S: Service>(
    State(service): State<Arc<S>>,
    Path(organisation): Path<String>,
    _: NoBody,
) -> Result<Json<PartnerView>, ApiError> {
    service.accept_introduction(organisation).await.map(Json)
}

/// Refuses an organisation that was presented.
#[utoipa::path(
    post,
    path = "/api/v1/introductions/{organisation}/refuse",
    tag = "introduction",
    params(("organisation" = String, Path, description = "Who was presented.")),
    responses(
        (status = 200, description = "The answer"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn refuse<S: Service>(
    State(service): State<Arc<S>>,
    Path(organisation): Path<String>,
    _: NoBody,
) -> Result<Json<()>, ApiError> {
    service.refuse_introduction(organisation).await.map(Json)
}
