//! Logs: how they are written, and how foreign text enters them.
//!
//! # Contract
//! Lines go to standard error, as text for people or as JSON for machines. No secret and no
//! personal data is ever given to a log: ids, counts and causes only. Text that others chose (an
//! address, an error of a peer) goes through `foreign::escape`; as a second line of defence the
//! text format escapes what it prints.
//!
//! # Deliberately absent
//! Files and their rotation: journald or the shell keep what standard error says.

use crate::config::LogFormat;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// The logs are set up already; there is one set-up per process.
#[derive(Debug, thiserror::Error)]
#[error("the logs of this process are set up already")]
pub struct LoggingError;

/// Sets up the logs of this process.
///
/// # Errors
/// [`LoggingError`] when it was done before.
pub fn start(level: Level, format: LogFormat) -> Result<(), LoggingError> {
    let lines = match format {
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(std::io::stderr).boxed(),
        LogFormat::Json => fmt::layer().json().with_writer(std::io::stderr).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(targets(level)));
    registry.try_init().map_err(|_| LoggingError)
}

/// Our own crates at the level asked for, the libraries beneath at warnings: their finer lines hold
/// addresses of strangers and drown ours.
fn targets(level: Level) -> Targets {
    let libraries = if level == Level::TRACE { Level::DEBUG } else { level.min(Level::WARN) };
    Targets::new()
        .with_default(libraries)
        .with_target("sincronia_node", level)
        .with_target("sincronia_protocol", level)
        .with_target("sincronia_client", level)
        .with_target("sincronia", level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    type Log = Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync>;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(layer: impl FnOnce(Lines) -> Log) -> String {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry();
        let subscriber = subscriber.with(layer(lines.clone()).with_filter(targets(Level::INFO)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "sincronia_node", address = "a\u{1b}[2J\nforged line", "seen");
            tracing::debug!(target: "sincronia_node", "too fine");
            tracing::info!(target: "libp2p_swarm", "not ours");
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn threat_41_a_line_stays_one_line_in_both_formats() {
        let text = logged(|lines| {
            fmt::layer().with_ansi(false).with_writer(move || lines.clone()).boxed()
        });
        let json = logged(|lines| fmt::layer().json().with_writer(move || lines.clone()).boxed());
        for log in [text, json] {
            assert_eq!(log.lines().count(), 1, "{log}");
            assert!(!log.contains('\u{1b}'), "{log}");
            assert!(log.contains("seen"), "{log}");
        }
    }
}
