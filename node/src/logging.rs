//! Logs: how they are written, and how foreign text enters them.
//!
//! # Contract
//! Lines go to standard error, as text for people or as JSON for machines. No secret and no
//! personal data is ever given to a log: ids, counts and causes only. Text that others chose (an
//! address, an error of a peer) goes through `foreign::escape`; as a second line of defence each
//! line is written with what could end it, command a terminal or reorder its text as codes.
//!
//! # Deliberately absent
//! Files and their rotation: journald or the shell keep what standard error says.

use crate::config::LogFormat;
use crate::foreign::is_hostile;
use std::fmt::Write as _;
use std::io::{self, Write};
use tracing::Level;
use tracing_subscriber::Registry;
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
    let lines = layer(format, std::io::stderr).with_filter(targets(level));
    tracing_subscriber::registry().with(lines).try_init().map_err(|_| LoggingError)
}

type Lines = Box<dyn Layer<Registry> + Send + Sync>;

fn layer<W: Write + 'static>(
    format: LogFormat,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> Lines {
    let writer = move || OneLine { writer: writer(), format };
    match format {
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(writer).boxed(),
        LogFormat::Json => fmt::layer().json().with_writer(writer).boxed(),
    }
}

/// Writes what is one line as one line: it is given each as a whole, with its end.
struct OneLine<W> {
    writer: W,
    format: LogFormat,
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let mut written = String::with_capacity(text.len());
        for character in line.chars() {
            push(&mut written, character, self.format);
        }
        written.push('\n');
        self.writer.write_all(written.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A character, or its code: in JSON as JSON writes it.
fn push(line: &mut String, character: char, format: LogFormat) {
    // Writing to a string cannot fail.
    match format {
        _ if !is_hostile(character) => line.push(character),
        LogFormat::Text => {
            let _ = write!(line, "\\u{{{:x}}}", u32::from(character));
        }
        LogFormat::Json => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        }
    }
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
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat) -> String {
        let kept = Kept::default();
        let lines = kept.clone();
        let layer = layer(format, move || lines.clone()).with_filter(targets(Level::INFO));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let foreign = "a\u{1b}[2J\nforged \u{202e}line\r";
            tracing::info!(target: "sincronia_node", address = foreign, cause = %foreign, "seen");
            tracing::debug!(target: "sincronia_node", "too fine");
            tracing::info!(target: "libp2p_swarm", "not ours");
        });
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn threat_41_a_line_stays_one_line_in_both_formats() {
        let [text, json] = [LogFormat::Text, LogFormat::Json].map(logged);
        let event: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(event.to_string().contains("forged"), "still JSON");
        for log in [text, json] {
            assert_eq!(log.lines().count(), 1, "{log}");
            assert!(!log.contains(['\u{1b}', '\r', '\u{202e}']), "{log}");
            assert!(log.contains("seen"), "{log}");
        }
    }
}
