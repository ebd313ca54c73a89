//! Endpoints: conventions and contacts, the records people ask for by name. Each hands its input to
//! the engine and its answer back.

use crate::api::{
    ApiError, ContactsQuery, ConventionRequest, ConventionView, ConventionsQuery, EditRequest,
    RecordView, Service,
};
use crate::http::extract::{Body, Path, Query};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// Conventions.
#[utoipa::path(
    get,
    path = "/api/v1/conventions",
    tag = "convention",
    params(ConventionsQuery),
    responses(
        (status = 200, description = "The answer", body = Vec<RecordView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn conventions<S: Service>(
    State(service): State<Arc<S>>,
    Query(query): Query<ConventionsQuery>,
) -> Result<Json<Vec<RecordView>>, ApiError> {
    service.conventions(query).await.map(Json)
}

/// A convention with everything in its space.
#[utoipa::path(
    get,
    path = "/api/v1/conventions/{id}",
    tag = "convention",
    params(
        ("id" = String, Path, description = "Space, record, unique beginning of either, or exact title."),
    ),
    responses(
        (status = 200, description = "The answer", body = ConventionView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn convention<S: Service>(
    State(service): State<Arc<S>>,
    Path(id): Path<String>,
) -> Result<Json<ConventionView>, ApiError> {
    service.convention(id).await.map(Json)
}

/// Creates a convention in a space of its own and shares it with its parties.
#[utoipa::path(
    post,
    path = "/api/v1/conventions",
    tag = "convention",
    request_body = ConventionRequest,
    responses(
        (status = 201, description = "Created", body = ConventionView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn create_convention<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<ConventionRequest>,
) -> Result<(StatusCode, Json<ConventionView>), ApiError> {
    let created = service.create_convention(request).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Changes fields of a convention.
#[utoipa::path(
    patch,
    path = "/api/v1/conventions/{id}",
    tag = "convention",
    params(
        ("id" = String, Path, description = "Space, record, unique beginning of either, or exact title."),
    ),
    request_body = EditRequest,
    responses(
        (status = 200, description = "The answer", body = ConventionView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn edit_convention<S: Service>(
    State(service): State<Arc<S>>,
    Path(id): Path<String>,
    Body(request): Body<EditRequest>,
) -> Result<Json<ConventionView>, ApiError> {
    service.edit_convention(id, request).await.map(Json)
}

/// Contacts, ours and those of partners.
#[utoipa::path(
    get,
    path = "/api/v1/contacts",
    tag = "convention",
    params(ContactsQuery),
    responses(
        (status = 200, description = "The answer", body = Vec<RecordView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn contacts<S: Service>(
    State(service): State<Arc<S>>,
    Query(query): Query<ContactsQuery>,
) -> Result<Json<Vec<RecordView>>, ApiError> {
    service.contacts(query).await.map(Json)
}

/// One contact.
#[utoipa::path(
    get,
    path = "/api/v1/contacts/{id}",
    tag = "convention",
    params(("id" = String, Path, description = "Record, or unique beginning of it.")),
    responses(
        (status = 200, description = "The answer", body = RecordView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn contact<S: Service>(
    State(service): State<Arc<S>>,
    Path(id): Path<String>,
) -> Result<Json<RecordView>, ApiError> {
    service.contact(id).await.map(Json)
}

/// Creates a contact in this organisation's directory.
#[utoipa::path(
    post,
    path = "/api/v1/contacts",
    tag = "convention",
    request_body = EditRequest,
    responses(
        (status = 201, description = "Created", body = RecordView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn create_contact<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<EditRequest>,
) -> Result<(StatusCode, Json<RecordView>), ApiError> {
    let created = service.create_contact(request).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Changes fields of a contact.
#[utoipa::path(
    patch,
    path = "/api/v1/contacts/{id}",
    tag = "convention",
    params(("id" = String, Path, description = "Record, or unique beginning of it.")),
    request_body = EditRequest,
    responses(
        (status = 200, description = "The answer", body = RecordView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn edit_contact<S: Service>(
    State(service): State<Arc<S>>,
    Path(id): Path<String>,
    Body(request): Body<EditRequest>,
) -> Result<Json<RecordView>, ApiError> {
    service.edit_contact(id, request).await.map(Json)
}
