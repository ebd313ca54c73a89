//! Connections: accepted, bounded, answered, closed.
//!
//! A loop of our own, because `axum::serve` gives hyper no timer and without one a client may take
//! for ever to send its header.

use super::Patience;
use super::door::{Caller, Door};
use super::places::{Place, Places};
use super::reading::Reading;
use crate::api::{ApiError, ErrorCode};
use crate::limits;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

/// What every connection gets.
#[derive(Clone)]
pub struct Front {
    /// Who is let in.
    pub door: Arc<Door>,
    /// What there is.
    pub router: Router,
    /// Becomes true when the server stops.
    pub closing: watch::Receiver<bool>,
    /// How long a client may take.
    pub patience: Patience,
}

/// Accepts until `shutdown`, then sets `closing` and waits for what is under way.
pub async fn accept(
    listener: TcpListener,
    front: Front,
    closing: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Places::default());
    let mut waiting = None;
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            place = places.enter(), if waiting.is_some() => {
                if let Some(stream) = waiting.take() {
                    connections.spawn(answer_all(stream, place, front.clone()));
                }
            }
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok((stream, _)) => waiting = Some(stream),
                Err(cause) => pause(&cause).await,
            },
        }
    }
    drop(listener);
    closing.send_replace(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(limits::HTTP_CLOSING_TIMEOUT, finished).await;
}

/// Out of file handles, most likely: others must close before it makes sense to go on.
async fn pause(cause: &io::Error) {
    tracing::warn!(%cause, "no HTTP connection could be accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn answer_all(stream: TcpStream, place: Place, front: Front) {
    // Answers are small and written at once; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let place = Arc::new(place);
    let mut closing = front.closing.clone();
    let stream = Reading::new(stream, front.patience.reading);
    let service = service_fn(|request| {
        let (front, place) = (front.clone(), place.clone());
        async move { Ok::<_, Infallible>(answer(front, place, request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(front.patience.header)
            .max_header_size(limits::HTTP_HEADER_BYTES_MAX)
            .max_buf_size(limits::HTTP_HEADER_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = place.given_away() => return,
        _ = async { closing.wait_for(|closing| *closing).await.map(drop) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "an HTTP connection broke off");
    }
}

async fn answer(front: Front, place: Arc<Place>, request: Request<Incoming>) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let method = parts.method.clone();
    parts.extensions.insert(front.patience);
    let mut response = match front.door.admit(&parts) {
        Ok(caller) => {
            if caller == Caller::Known {
                place.keep();
            }
            to_the_end(front.router, place, Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    };
    harden(response.headers_mut());
    // Addresses may hold names; they are not logged.
    tracing::debug!(%method, status = response.status().as_u16(), "answered");
    response
}

/// In a task of its own, which neither a lost connection nor its own failure takes others with it;
/// it keeps the connection's place until it is done.
async fn to_the_end(
    router: Router,
    place: Arc<Place>,
    request: Request<Incoming>,
) -> Response<Body> {
    let task = tokio::spawn(async move {
        let response = router.oneshot(request).await;
        drop(place);
        response
    });
    match task.await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => {
            tracing::error!("a request failed inside the node");
            let remedy = "look at the node's log, and report what you did";
            ApiError::new(ErrorCode::Internal, "the node failed", remedy).into_response()
        }
    }
}

/// Even if a browser is made to show an answer, it runs nothing, keeps nothing, tells nobody.
fn harden(headers: &mut HeaderMap) {
    const HEADERS: [(HeaderName, &str); 6] = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
