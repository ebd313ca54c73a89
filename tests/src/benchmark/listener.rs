//! The events of a node, each with the moment at which it was heard.

use super::Failure;
use super::api::Api;
use sincronia_node::api::ApiEvent;
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How long something that must happen may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// The events of a node from one moment on.
pub struct Listener {
    heard: Receiver<(Instant, ApiEvent)>,
}

impl Listener {
    /// Follows a node until it stops or the listener is gone.
    pub fn follow(api: &Api) -> Result<Self, Failure> {
        let lines = BufReader::new(api.events()?).lines();
        let (sender, heard) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = line.strip_prefix("data: ").map(serde_json::from_str);
                if let Some(Ok(event)) = event
                    && sender.send((Instant::now(), event)).is_err()
                {
                    return;
                }
            }
        });
        Ok(Self { heard })
    }

    /// Waits for an event that `wanted` says something of.
    pub fn wait<T>(
        &self,
        mut wanted: impl FnMut(&ApiEvent) -> Result<Option<T>, Failure>,
    ) -> Result<(Instant, T), Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            let (at, event) = self.heard.recv_timeout(rest)?;
            if let Some(found) = wanted(&event)? {
                return Ok((at, found));
            }
        }
    }

    /// Waits until each of `records` changed; returns when the last did.
    pub fn wait_for_records(&self, records: &[String]) -> Result<Instant, Failure> {
        let mut open: Vec<&String> = records.iter().collect();
        let (at, ()) = self.wait(|event| {
            if let ApiEvent::RecordChanged { record, .. } = event {
                open.retain(|one| *one != record);
            }
            Ok(open.is_empty().then_some(()))
        })?;
        Ok(at)
    }
}
