//! Endpoints: partners. Each hands its input to the engine and its answer back.

use crate::api::{ApiError, PartnerView, Service, VerifyRequest};
use crate::http::extract::{Body, NoBody, Path};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// Every partner.
#[utoipa::path(
    get,
    path = "/api/v1/partners",
    tag = "partner",
    responses(
        (status = 200, description = "The answer", body = Vec<PartnerView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn partners<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<PartnerView>>, ApiError> {
    service.partners().await.map(Json)
}

/// One partner.
#[utoipa::path(
    get,
    path = "/api/v1/partners/{organisation}",
    tag = "partner",
    params(("organisation" = String, Path, description = "The partner.")),
    responses(
        (status = 200, description = "The answer", body = PartnerView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn partner<S: Service>(
    State(service): State<Arc<S>>,
    Path(organisation): Path<String>,
) -> Result<Json<PartnerView>, ApiError> {
    service.partner(organisation).await.map(Json)
}

/// Confirms that a person compared the phrase.
#[utoipa::path(
    post,
    path = "/api/v1/partners/{organisation}/verify",
    tag = "partner",
    params(("organisation" = String, Path, description = "The partner.")),
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "The answer", body = PartnerView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn verify_partner<S: Service>(
    State(service): State<Arc<S>>,
    Path(organisation): Path<String>,
    Body(request): Body<VerifyRequest>,
) -> Result<Json<PartnerView>, ApiError> {
    service.verify_partner(organisation, request).await.map(Json)
}

/// Gives nothing to a partner and takes nothing from it.
#[utoipa::path(
    post,
    path = "/api/v1/partners/{organisation}/block",
    tag = "partner",
    params(("organisation" = String, Path, description = "The partner.")),
    responses(
        (status = 200, description = "The answer", body = PartnerView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn block_partner<S: Service>(
    State(service): State<Arc<S>>,
    Path(organisation): Path<String>,
    _: NoBody,
) -> Result<Json<PartnerView>, ApiError> {
    service.block_partner(organisation).await.map(Json)
}

/// Ends a block.
#[utoipa::path(
    post,
    path = "/api/v1/partners/{organisation}/unblock",
    tag = "partner",
    params(("organisation" = String, Path, description = "The partner.")),
    responses(
        (status = 200, description = "The answer", body = PartnerView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn unblock_partner<S: Service>(
    State(service): State<Arc<S>>,
    Path(organisation): Path<String>,
    _: NoBody,
) -> Result<Json<PartnerView>, ApiError> {
    service.unblock_partner(organisation).await.map(Json)
}
