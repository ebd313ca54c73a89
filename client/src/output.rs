//! What commands print: data on stdout, everything else on stderr.
//!
//! With `--json` the data is one document, `{"schema": "sincronia/1/<name>", "data": …}`; without,
//! tables and sentences. A reader that closes the pipe early (`head`) is not an error.

pub mod foreign;
pub mod path;
pub mod progress;
pub mod table;
pub mod value;

use crate::language::Language;
use foreign::{escaped, safe, safe_in_colour};
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// For programs.
    pub json: bool,
    /// With colours.
    pub colour: bool,
    /// For whom.
    pub language: Language,
}

impl Output {
    /// As asked for, and as the terminal can.
    #[must_use]
    pub fn new(json: bool, language: Language) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { json, language, colour: wanted && !dumb && !json && std::io::stdout().is_terminal() }
    }

    /// One document for programs, or text for people.
    pub fn show<T: Serialize>(self, name: &str, data: &T, text: impl FnOnce() -> String) {
        if self.json {
            self.document(name, data);
        } else {
            self.text(&text());
        }
    }

    /// Text for people.
    pub fn text(self, text: &str) {
        let text = self.language.called(text.trim_end_matches('\n'));
        print(&if self.colour { safe_in_colour(&text) } else { safe(&text) });
    }

    /// One document for programs.
    pub fn document<T: Serialize>(self, name: &str, data: &T) {
        let schema = format!("sincronia/1/{name}");
        print(&escaped(&serde_json::json!({"schema": schema, "data": data}).to_string()));
    }

    /// A message for the person at the keyboard; a program that reads the errors as JSON gets no
    /// words between them.
    pub fn message(self, text: &str) {
        if self.json && !std::io::stderr().is_terminal() {
            return;
        }
        tell(&safe(&self.language.called(text)));
    }
}

/// A line of data.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        tell(&error.to_string());
    }
}

/// A line of messages. There is nowhere to report that it could not be written.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
