//! A command line that is not understood, in the words of the catalogue, and as a document for
//! programs.
//!
//! In English, for people, the parser's own explanation is the best there is.

use super::arguments::Global;
use super::context::Context;
use super::failure::{Exit, Failure};
use crate::language::{Catalogue, Language};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// Prints what the parser has to say: help and version, or what is wrong. Returns the exit code.
pub fn answer(texts: Catalogue, words: &[OsString], error: &clap::Error) -> u8 {
    let json = words.iter().skip(1).any(|word| word == "--json");
    let shown = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || (!json && (shown || texts.language() == Language::En)) {
        // Nothing is left to say if the terminal is gone.
        let _ = error.print();
        return if error.use_stderr() { Exit::Usage.code() } else { Exit::Done.code() };
    }
    let context = Context::new(texts, Global { json, ..Global::default() });
    let failure = failure(&context, error);
    failure.report(&context);
    failure.exit.code()
}

fn failure(context: &Context, error: &clap::Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::UnknownArgument if is_number(error) => "usage_negative",
        ErrorKind::UnknownArgument => "usage_unknown_argument",
        ErrorKind::InvalidSubcommand => "usage_unknown_command",
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "usage_no_command"
        }
        ErrorKind::MissingRequiredArgument => "usage_missing",
        ErrorKind::ArgumentConflict => "usage_conflict",
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => "usage_value",
        _ => "usage",
    };
    context.fail(Exit::Usage, code, &detail(error))
}

/// Whether what looks like an option is a number below zero, which no option takes.
fn is_number(error: &clap::Error) -> bool {
    let typed = error.get(ContextKind::InvalidArg).map(words).unwrap_or_default();
    typed.strip_prefix('-').is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_digit()))
}

/// What was typed, or is missing, and what would be possible.
fn detail(error: &clap::Error) -> String {
    let said = |kind| error.get(kind).map(words).filter(|text| !text.is_empty());
    let place = said(ContextKind::InvalidArg).or_else(|| said(ContextKind::InvalidSubcommand));
    let value = said(ContextKind::InvalidValue).map(|text| format!("“{text}”"));
    let other = said(ContextKind::PriorArg);
    let valid = said(ContextKind::ValidValue).map(|text| format!("({text})"));
    let near = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    let near = near.into_iter().find_map(said).map(|text| format!("({text}?)"));
    let parts: Vec<_> = [place, value, other, valid, near].into_iter().flatten().collect();
    parts.join(" · ")
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(several) => several.join(", "),
        ContextValue::StyledStrs(several) => {
            several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        ContextValue::None => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn said(language: Language, line: &str) -> Failure {
        let context = Context::new(Catalogue::new(language), Global::default());
        let error = command(&context.texts).try_get_matches_from(line.split(' ')).unwrap_err();
        failure(&context, &error)
    }

    #[test]
    fn a_wrong_command_line_is_explained_in_both_languages() {
        let wrong = [
            ("sincronia join", "usage_missing", "INVIT"),
            ("sincronia pippo", "usage_unknown_command", "pippo"),
            ("sincronia status --pippo", "usage_unknown_argument", "--pippo"),
            ("sincronia conventio list", "usage_unknown_command", "convention"),
            ("sincronia status --jso", "usage_unknown_argument", "--json"),
            ("sincronia partner", "usage_no_command", ""),
            ("sincronia invite --role capo", "usage_value", "carrier"),
            ("sincronia invite --valid-hours molte", "usage_value", "molte"),
            ("sincronia seats set a --month 2026-11 --kind b --free -4", "usage_negative", "-4"),
            ("sincronia join a --invitation-file b", "usage_conflict", "--invitation-file"),
        ];
        for (language, (line, code, named)) in
            Language::ALL.iter().flat_map(|one| wrong.map(|line| (*one, line)))
        {
            let failure = said(language, line);
            assert_eq!((failure.code.as_str(), failure.exit), (code, Exit::Usage), "{line}");
            assert!(failure.message.contains(named), "{line}: {}", failure.message);
            assert!(failure.remedy.contains("--help"), "{line}: {}", failure.remedy);
        }
    }
}
