//! The description of the API for other programs, and the two endpoints that need no token.

use super::router::Routes;
use crate::api::{ApiError, Health};
use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use std::sync::OnceLock;
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The OpenAPI document.
#[must_use]
pub fn document() -> Description {
    Routes::openapi()
}

/// Whether the node answers.
#[utoipa::path(
    get,
    path = "/api/v1/health",
    tag = "node",
    security(()),
    responses((status = 200, description = "It does", body = Health)),
)]
pub async fn health() -> Json<Health> {
    Json(Health { ok: true, version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// This description.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "node",
    security(()),
    responses(
        (status = 200, description = "The description", content_type = "application/json"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn openapi() -> impl IntoResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str())
}

/// Says that a token is needed.
pub struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut Description) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("token", scheme);
    }
}
