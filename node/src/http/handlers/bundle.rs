//! Endpoints: bundles. Each hands its input to the engine and its answer back; bundles travel as
//! bytes, what is said about them in headers.

use crate::api::{
    ApiError, BundleFile, BundleView, ErrorCode, ExportBundleRequest, JoinByBundleRequest, Service,
    WithdrawBundleRequest,
};
use crate::http::extract::{Body, BundleBody};
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The how many-th bundle for this partner.
pub const NUMBER_HEADER: &str = "sincronia-bundle-number";
/// Whether the bundle holds everything that the partner lacks: `true` or `false`.
pub const COMPLETE_HEADER: &str = "sincronia-bundle-complete";

/// Makes the next bundle for a partner: its parts, one after another.
#[utoipa::path(
    post,
    path = "/api/v1/bundles",
    tag = "bundle",
    request_body = ExportBundleRequest,
    responses(
        (
            status = 200,
            description = "The parts; `sincronia-bundle-number` and `sincronia-bundle-complete` \
                           in the header say which bundle it is and whether it holds everything",
            body = Vec<u8>,
            content_type = "application/octet-stream",
        ),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn export_bundle<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<ExportBundleRequest>,
) -> Result<Response, ApiError> {
    service.export_bundle(request).await.map(file)
}

/// Takes back that the last bundle for a partner was made: it was never handed out.
#[utoipa::path(
    post,
    path = "/api/v1/bundles/withdraw",
    tag = "bundle",
    request_body = WithdrawBundleRequest,
    responses(
        (status = 200, description = "It counts as never made"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn withdraw_bundle<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<WithdrawBundleRequest>,
) -> Result<Json<()>, ApiError> {
    service.withdraw_bundle(request).await.map(Json)
}

/// Imports one or more parts of bundles: all that is in them, or nothing.
#[utoipa::path(
    post,
    path = "/api/v1/bundles/import",
    tag = "bundle",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "What came of each bundle", body = Vec<BundleView>),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn import_bundle<S: Service>(
    State(service): State<Arc<S>>,
    body: Result<BundleBody, ApiError>,
) -> Result<Json<Vec<BundleView>>, ApiError> {
    let bytes = body?.0;
    if bytes.is_empty() {
        let remedy = "send the bytes of the file as the body";
        return Err(ApiError::new(ErrorCode::Invalid, "the file is empty", remedy));
    }
    service.import_bundle(bytes).await.map(Json)
}

/// Answers an invitation by a file for the inviting organisation.
#[utoipa::path(
    post,
    path = "/api/v1/join/bundle",
    tag = "bundle",
    request_body = JoinByBundleRequest,
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
pub async fn join_by_bundle<S: Service>(
    State(service): State<Arc<S>>,
    Body(request): Body<JoinByBundleRequest>,
) -> Result<Response, ApiError> {
    service.join_by_bundle(request).await.map(file)
}

fn file(made: BundleFile) -> Response {
    let headers = [
        (CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()),
        (NUMBER_HEADER, made.number.to_string()),
        (COMPLETE_HEADER, made.is_complete.to_string()),
    ];
    (headers, made.bytes).into_response()
}
