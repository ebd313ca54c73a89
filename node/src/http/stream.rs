//! Server-sent events: what happens from the moment of asking.
//!
//! A listener that is too slow loses the oldest events and is told how many, so that it can read
//! anew; it never holds up the node. There is no replay: who was away reads the state instead.

use super::router::Shared;
use crate::api::{ApiError, ApiEvent, ErrorCode, Service};
use crate::limits;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use std::convert::Infallible;
use tokio::sync::broadcast::Receiver;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

/// What happens, as it happens, as server-sent events named like the field `event`.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "node",
    responses(
        (status = 200, description = "Events", body = ApiEvent, content_type = "text/event-stream"),
        (status = "default", description = "Why not", body = ApiError),
    ),
)]
pub async fn events<S: Service>(
    State(shared): State<Shared<S>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let place = shared.listeners.clone().try_acquire_owned().map_err(|_| too_many())?;
    let stream = frames(shared.service.events(), place).take_until(ended(shared.closing.clone()));
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(limits::EVENTS_KEEP_ALIVE)))
}

/// Holds `place` for as long as the stream lives.
fn frames(
    events: Receiver<ApiEvent>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    BroadcastStream::new(events).map(move |received| {
        let _ = &place;
        let event = received
            .unwrap_or_else(|BroadcastStreamRecvError::Lagged(missed)| ApiEvent::Lagged { missed });
        Ok(frame(&event))
    })
}

fn frame(event: &ApiEvent) -> Event {
    // The types of events are plain enough to serialise always; a comment keeps the stream alive.
    Event::default()
        .event(event.name())
        .json_data(event)
        .unwrap_or_else(|_| Event::default().comment("unprintable"))
}

async fn ended(mut closing: watch::Receiver<bool>) {
    // An error means that the server is gone, which ends the stream as well.
    let _ = closing.wait_for(|closing| *closing).await;
}

fn too_many() -> ApiError {
    let message = format!("{} listeners follow events already", limits::EVENT_LISTENERS_MAX);
    ApiError::new(ErrorCode::Busy, message, "close one of them, and try again")
}
