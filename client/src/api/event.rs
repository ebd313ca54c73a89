//! What happens on the node, as it happens.

use super::path::path;
use super::{Client, not_running};
use sincronia_node::api::{ApiError, ApiEvent};
use std::io::{BufRead, BufReader, Read};
use ureq::BodyReader;

/// A line of the stream: an event holds a few identifiers.
const LINE_BYTES_MAX: u64 = 64 * 1024;

impl Client {
    /// What happens from now on. When this returns, nothing that follows is missed, except what an
    /// [`ApiEvent::Lagged`] speaks of.
    pub fn events(&self) -> Result<Events, ApiError> {
        let response = self.transport.follow(&path(&["events"])?)?;
        Ok(Events { lines: BufReader::new(response.into_body().into_reader()), over: false })
    }
}

/// Events one after the other; blocks until there is one, ends when the node stops.
pub struct Events {
    lines: BufReader<BodyReader<'static>>,
    over: bool,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Events(…)")
    }
}

impl Iterator for Events {
    type Item = Result<ApiEvent, ApiError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = next_event(&mut self.lines);
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// The next event that this version knows; comments and names of fields are skipped. The server
/// writes each event's data on one line.
fn next_event(lines: &mut impl BufRead) -> Option<Result<ApiEvent, ApiError>> {
    loop {
        let mut line = Vec::new();
        match lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) => return None,
            Ok(_) if line.ends_with(b"\n") => {}
            Ok(_) | Err(_) => return Some(Err(broken())),
        }
        if let Some(data) = line.strip_prefix(b"data:")
            && let Ok(event) = serde_json::from_slice(data)
        {
            return Some(Ok(event));
        }
    }
}

fn broken() -> ApiError {
    not_running("the stream of events broke off")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<ApiEvent, ApiError>> {
        let mut lines = text.as_bytes();
        std::iter::from_fn(|| next_event(&mut lines)).take(10).collect()
    }

    #[test]
    fn comments_and_events_of_newer_versions_are_skipped() {
        let text = ":\n\nevent: cloned\ndata: {\"event\":\"cloned\"}\n\nevent: new\n\
                    data: {\"event\":\"new\",\"a\":1}\n\n\
                    data:{\"event\":\"lagged\",\"missed\":3}\n\n";
        let events = read(text);
        assert_eq!(events, [Ok(ApiEvent::Cloned), Ok(ApiEvent::Lagged { missed: 3 })]);
    }

    #[test]
    fn half_a_line_is_an_error_and_not_an_event() {
        assert!(matches!(read("data: {\"event\":\"cloned\"}").first(), Some(Err(_))));
    }
}
