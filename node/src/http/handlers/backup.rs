//! Endpoints: backups. A backup goes out as it is made, so that none is ever held whole.

use crate::api::{ApiError, CatchingUpView, ErrorCode, RecipientRequest, Service};
use crate::http::extract::{Body, NoBody};
use crate::http::router::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;

/// Makes a backup of what is stored now. An answer that breaks off is no backup.
#[utoipa::path(
    post,
    path = "/api/v1/backup",
    tag = "backup",
    responses(
        (
            status = 200,
            description = "The file",
            body = Vec<u8>,
            content_type = "application/octet-stream",
        ),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn backup<S: Service>(
    State(shared): State<Shared<S>>,
    _: NoBody,
) -> Result<Response, ApiError> {
    let place = shared.backups.clone().try_acquire_owned().map_err(|_| too_many())?;
    let parts = ReceiverStream::new(shared.service.backup().await?.0);
    // Bytes are on their way when something fails: the connection breaks, and the client knows.
    let bytes = parts.map(move |part| {
        let _ = &place;
        part.map_err(std::io::Error::other)
    });
    let body = axum::body::Body::from_stream(bytes);
    Ok(([(CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

fn too_many() -> ApiError {
    let message = "other backups are being made already";
    ApiError::new(ErrorCode::Busy, message, "wait until one is done, and try again")
}

/// Tells the node to which key its backups are sealed.
#[utoipa::path(
    post,
    path = "/api/v1/backup/recipient",
    tag = "backup",
    request_body = RecipientRequest,
    responses(
        (status = 200, description = "The answer"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn put_backup_recipient<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<RecipientRequest>,
) -> Result<Json<()>, ApiError> {
    service.put_backup_recipient(request).await.map(Json)
}

/// Waits no longer for partners that a restored node has not heard yet.
#[utoipa::path(
    post,
    path = "/api/v1/backup/finish",
    tag = "backup",
    responses(
        (status = 200, description = "For whom it waited", body = CatchingUpView),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn finish_catching_up<S: Service>(
    State(service): State<Arc<S>>,
    _: NoBody,
) -> Result<Json<CatchingUpView>, ApiError> {
    service.finish_catching_up().await.map(Json)
}
