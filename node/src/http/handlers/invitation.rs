//! Endpoints: invitations and joining. Each hands its input to the engine and its answer back.

use crate::api::{
    ApiError, InvitationView, InviteRequest, JoinRequest, NewInvitation, PartnerView, Service,
};
use crate::http::extract::{Body, NoBody, Path};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// Makes an invitation. Its text is shown once and kept nowhere.
#[utoipa::path(
    post,
    path = "/api/v1/invitations",
    tag = "invitation",
    request_body = InviteRequest,
    responses(
        (status = 201, description = "Created", body = NewInvitation),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn invite<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<InviteRequest>,
) -> Result<(StatusCode, Json<NewInvitation>), ApiError> {
    let created = service.invite(request).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Invitations made here.
#[utoipa::path(
    get,
    path = "/api/v1/invitations",
    tag = "invitation",
    responses(
        (status = 200, description = "The answer", body = Vec<InvitationView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn invitations<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<InvitationView>>, ApiError> {
    service.invitations().await.map(Json)
}

/// Makes an invitation unusable.
#[utoipa::path(
    delete,
    path = "/api/v1/invitations/{id}",
    tag = "invitation",
    params(("id" = String, Path, description = "The invitation.")),
    responses(
        (status = 200, description = "The answer", body = InvitationView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn revoke_invitation<S: Service>(
    State(service): State<Arc<S>>,
    Path(id): Path<String>,
    _: NoBody,
) -> Result<Json<InvitationView>, ApiError> {
    service.revoke_invitation(id).await.map(Json)
}

/// Uses an invitation; answers when both sides have joined.
#[utoipa::path(
    post,
    path = "/api/v1/join",
    tag = "invitation",
    request_body = JoinRequest,
    responses(
        (status = 200, description = "The answer", body = PartnerView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn join<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<JoinRequest>,
) -> Result<Json<PartnerView>, ApiError> {
    service.join(request).await.map(Json)
}
