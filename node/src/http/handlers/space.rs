//! Endpoints: spaces, their members and their raw entries. Each hands its input to the engine and
//! its answer back.

use crate::api::{
    ApiError, ExamineReport, ExamineRequest, MemberRequest, QuarantineView, RawEntries, RawQuery,
    RevocationView, Service, SpaceView,
};
use crate::http::extract::{Body, ImportBody, NoBody, Path, Query};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// Every space this node stores.
#[utoipa::path(
    get,
    path = "/api/v1/spaces",
    tag = "space",
    responses(
        (status = 200, description = "The answer", body = Vec<SpaceView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn spaces<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<SpaceView>>, ApiError> {
    service.spaces().await.map(Json)
}

/// Founds a space of this organisation, without members yet.
#[utoipa::path(
    post,
    path = "/api/v1/spaces",
    tag = "space",
    responses(
        (status = 201, description = "Created", body = SpaceView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn create_space<S: Service>(
    State(service): State<Arc<S>>,
    _: NoBody,
) -> Result<(StatusCode, Json<SpaceView>), ApiError> {
    let created = service.create_space().await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// One space.
#[utoipa::path(
    get,
    path = "/api/v1/spaces/{space}",
    tag = "space",
    params(("space" = String, Path, description = "The space.")),
    responses(
        (status = 200, description = "The answer", body = SpaceView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn space<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
) -> Result<Json<SpaceView>, ApiError> {
    service.space(space).await.map(Json)
}

/// Makes an organisation a member.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/members",
    tag = "space",
    params(("space" = String, Path, description = "The space.")),
    request_body = MemberRequest,
    responses(
        (status = 200, description = "The answer", body = SpaceView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn add_member<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
    Body(request): Body<MemberRequest>,
) -> Result<Json<SpaceView>, ApiError> {
    service.add_member(space, request).await.map(Json)
}

/// Removes a member; the space gets a key that the member does not get.
#[utoipa::path(
    delete,
    path = "/api/v1/spaces/{space}/members/{organisation}",
    tag = "space",
    params(
        ("space" = String, Path, description = "The space."),
        ("organisation" = String, Path, description = "The member."),
    ),
    responses(
        (status = 200, description = "The answer", body = RevocationView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn remove_member<S: Service>(
    State(service): State<Arc<S>>,
    Path((space, organisation)): Path<(String, String)>,
    _: NoBody,
) -> Result<Json<RevocationView>, ApiError> {
    service.remove_member(space, organisation).await.map(Json)
}

/// Gives a space a new key.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/rotate",
    tag = "space",
    params(("space" = String, Path, description = "The space.")),
    responses(
        (status = 200, description = "The answer", body = SpaceView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn rotate<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
    _: NoBody,
) -> Result<Json<SpaceView>, ApiError> {
    service.rotate(space).await.map(Json)
}

/// Entries of a space as they travel.
#[utoipa::path(
    get,
    path = "/api/v1/spaces/{space}/raw",
    tag = "space",
    params(("space" = String, Path, description = "The space."), RawQuery),
    responses(
        (status = 200, description = "The answer", body = RawEntries),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn raw<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
    Query(query): Query<RawQuery>,
) -> Result<Json<RawEntries>, ApiError> {
    service.raw(space, query).await.map(Json)
}

/// What this node can do with raw entries that somebody handed to it.
#[utoipa::path(
    post,
    path = "/api/v1/spaces/{space}/examine",
    tag = "space",
    params(("space" = String, Path, description = "The space.")),
    request_body = ExamineRequest,
    responses(
        (status = 200, description = "The answer", body = ExamineReport),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn examine<S: Service>(
    State(service): State<Arc<S>>,
    Path(space): Path<String>,
    Body(request): ImportBody<ExamineRequest>,
) -> Result<Json<ExamineReport>, ApiError> {
    service.examine(space, request).await.map(Json)
}

/// Entries that are kept and do not count.
#[utoipa::path(
    get,
    path = "/api/v1/quarantine",
    tag = "space",
    responses(
        (status = 200, description = "The answer", body = Vec<QuarantineView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn quarantine<S: Service>(
    State(service): State<Arc<S>>,
) -> Result<Json<Vec<QuarantineView>>, ApiError> {
    service.quarantine().await.map(Json)
}

/// Notes that a person decided of an entry that does not count.
#[utoipa::path(
    post,
    path = "/api/v1/quarantine/{entry}/dismiss",
    tag = "space",
    params(("entry" = String, Path, description = "The entry.")),
    responses(
        (status = 200, description = "The answer", body = QuarantineView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn dismiss_late<S: Service>(
    State(service): State<Arc<S>>,
    Path(entry): Path<String>,
    _: NoBody,
) -> Result<Json<QuarantineView>, ApiError> {
    service.dismiss_late(entry).await.map(Json)
}
