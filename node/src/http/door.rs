//! Who is let in: checked for every request before any route is looked at.
//!
//! A page in a browser can make it send requests to loopback, and a hostile name server can make a
//! page's own name point there. The host name defeats the second, the origin the first; the token
//! is what neither has. All three are asked for, so that no single mistake opens the door.

use super::{Settings, Token};
use crate::api::{ApiError, ErrorCode};
use axum::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

/// What needs no token: neither says anything about anybody.
const FREE: [&str; 2] = ["/api/v1/health", "/api/v1/openapi.json"];
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody with the token.
    Known,
    /// Anybody, for what anybody may ask.
    Anybody,
}

/// The rules of admission.
pub struct Door {
    token: Token,
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Door {
    /// For a server on `port` of loopback and the names in `settings`.
    pub fn new(settings: &Settings, port: u16) -> Self {
        let names = ["127.0.0.1", "localhost", "[::1]"];
        let mut hosts: Vec<_> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            hosts.extend(names.map(str::to_owned));
        }
        hosts.extend(settings.hosts.iter().map(|host| host.to_ascii_lowercase()));
        Self { token: settings.token.clone(), hosts, origins: settings.origins.clone() }
    }

    /// Who sends a request, if it may come in.
    pub fn admit(&self, request: &Parts) -> Result<Caller, ApiError> {
        let host = self.host(request).ok_or_else(wrong_host)?;
        if !self.is_ours(&request.headers, &host) {
            return Err(foreign_page());
        }
        if self.knows(&request.headers) {
            return Ok(Caller::Known);
        }
        let is_free = FREE.contains(&request.uri.path());
        if is_free { Ok(Caller::Anybody) } else { Err(unauthorised()) }
    }

    /// The host name, if the request gives exactly one and it is one of ours. An address in
    /// absolute form outranks the header (RFC 9112 §3.2.2), so both must agree.
    fn host(&self, request: &Parts) -> Option<String> {
        let named = only(&request.headers, &HOST)?.to_str().ok()?.to_ascii_lowercase();
        if let Some(authority) = request.uri.authority()
            && !authority.as_str().eq_ignore_ascii_case(&named)
        {
            return None;
        }
        self.hosts.contains(&named).then_some(named)
    }

    /// Whether no browser says that a page of somebody else is behind it.
    fn is_ours(&self, headers: &HeaderMap, host: &str) -> bool {
        let own = format!("http://{host}");
        let mut listed = false;
        for origin in headers.get_all(ORIGIN) {
            listed = self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
            if !listed && origin.as_bytes() != own.as_bytes() {
                return false;
            }
        }
        headers
            .get_all(SEC_FETCH_SITE)
            .iter()
            .all(|site| listed || matches!(site.as_bytes(), b"same-origin" | b"none"))
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let Some(presented) = only(headers, &AUTHORIZATION) else { return false };
        let Some((scheme, token)) = presented.as_bytes().split_at_checked(7) else { return false };
        scheme.eq_ignore_ascii_case(b"Bearer ") && self.token.admits(token)
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn wrong_host() -> ApiError {
    let remedy = "use the address that the node wrote into the file api-address, or name this host \
                  in the configuration";
    ApiError::new(ErrorCode::WrongHost, "the node does not answer to that host name", remedy)
}

fn foreign_page() -> ApiError {
    let remedy = "call the node from a program, or name the page's origin in the configuration";
    ApiError::new(ErrorCode::ForeignPage, "a page of another site sent this request", remedy)
}

fn unauthorised() -> ApiError {
    let remedy = "send “Authorization: Bearer …” with the content of the file api-token, which is \
                  new at every start";
    ApiError::new(ErrorCode::Unauthorised, "the token is missing or wrong", remedy)
}
