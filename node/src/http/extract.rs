//! What handlers take from a request; whatever does not fit is an [`ApiError`], never plain text.

use crate::api::{ApiError, ErrorCode};
use crate::http::Patience;
use crate::limits;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The names in the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|_| {
            let remedy = "copy the identifier again, and encode what is not a letter or digit";
            ApiError::new(ErrorCode::Invalid, "the address cannot be read", remedy)
        })
    }
}

/// What stands after the question mark; unknown names are refused, not ignored.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|rejection| {
            let message = format!("the query does not fit: {}", shorten(&rejection.body_text()));
            ApiError::new(ErrorCode::Invalid, message, SEE_DOCUMENT)
        })
    }
}

/// A JSON body of at most `MAX` bytes.
pub struct Body<T, const MAX: usize = { limits::HTTP_BODY_BYTES_MAX }>(pub T);

/// The body of an import.
pub type ImportBody<T> = Body<T, { limits::HTTP_IMPORT_BYTES_MAX }>;

impl<T, S, const MAX: usize> FromRequest<S> for Body<T, MAX>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_plain(request.headers(), "application/json") {
            return Err(not_json());
        }
        let bytes = read(request, MAX).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|cause| {
            let message = format!("the body does not fit: {}", shorten(&cause.to_string()));
            ApiError::new(ErrorCode::Invalid, message, SEE_DOCUMENT)
        })
    }
}

/// A body of at most `MAX` bytes that is declared as bytes.
pub struct Bytes<const MAX: usize>(pub Vec<u8>);

/// Parts of bundles.
pub type BundleBody = Bytes<{ limits::HTTP_BUNDLE_BYTES_MAX }>;

impl<S: Send + Sync, const MAX: usize> FromRequest<S> for Bytes<MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_plain(request.headers(), "application/octet-stream") {
            return Err(not_bytes());
        }
        Ok(Self(read(request, MAX).await?.into()))
    }
}

/// No body, or an empty object of JSON: whoever sends something else means something that is not
/// done here, or sent half of it.
pub struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request, limits::HTTP_BODY_BYTES_MAX).await?;
        let is_nothing = matches!(bytes.trim_ascii(), b"" | b"{}" | b"null");
        is_nothing.then_some(Self).ok_or_else(|| {
            ApiError::new(ErrorCode::Invalid, "this address takes no body", SEE_DOCUMENT)
        })
    }
}

async fn read(request: Request, bytes_max: usize) -> Result<axum::body::Bytes, ApiError> {
    let Patience { body: patience, .. } = request.extensions().get().copied().unwrap_or_default();
    let body = Limited::new(request.into_body(), bytes_max).collect();
    let read = tokio::time::timeout(patience, body)
        .await
        .map_err(|_| too_slow(patience))?
        .map_err(|cause| unread(cause.is::<LengthLimitError>(), bytes_max))?;
    Ok(read.to_bytes())
}

const SEE_DOCUMENT: &str = "compare it with the description at /api/v1/openapi.json";

/// Declared once as `wanted` and not compressed.
fn is_plain(headers: &HeaderMap, wanted: &str) -> bool {
    let mut declared = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(declared), None) = (declared.next(), declared.next()) else { return false };
    let essence = declared.to_str().ok().and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
        && !headers.contains_key(header::CONTENT_ENCODING)
}

fn not_json() -> ApiError {
    let remedy = "send it with the header “Content-Type: application/json”, not compressed";
    ApiError::new(ErrorCode::MediaType, "the body is not declared as JSON", remedy)
}

fn not_bytes() -> ApiError {
    let remedy = "send it with the header “Content-Type: application/octet-stream”, not compressed";
    ApiError::new(ErrorCode::MediaType, "the body is not declared as bytes", remedy)
}

fn too_slow(patience: Duration) -> ApiError {
    let seconds = patience.as_secs();
    let message = format!("the body did not arrive within {seconds} seconds");
    ApiError::new(ErrorCode::Timeout, message, "send it again")
}

fn unread(too_large: bool, bytes_max: usize) -> ApiError {
    if too_large {
        let message = format!("the body is larger than {bytes_max} bytes");
        ApiError::new(ErrorCode::TooLarge, message, "divide it into several requests")
    } else {
        ApiError::new(ErrorCode::Invalid, "the body broke off", "send it again")
    }
}

/// Messages of the parser may quote what they refuse, which may be long.
fn shorten(text: &str) -> String {
    text.chars().take(300).collect()
}
