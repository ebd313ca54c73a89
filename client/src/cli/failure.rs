//! How a command ends: a code for programs, a cause and a remedy for people.

use super::context::Context;
use crate::language::{Argument, Language};
use crate::output::foreign::{escaped, safe};
use crate::output::tell;
use serde::{Serialize, Serializer};
use sincronia_node::api::{ApiError, FieldProblem};
use std::fmt::Write;

/// The exit codes, as documented in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// An error.
    Error,
    /// The command line, or what was asked for, is not possible.
    Usage,
    /// Not found, or several things fit.
    NotFound,
    /// The node does not run.
    NotRunning,
    /// A conflict needs a person.
    Conflict,
    /// The network, a partner or an invitation.
    Network,
    /// Not permitted.
    NotPermitted,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Done,
            2 => Self::Usage,
            3 => Self::NotFound,
            4 => Self::NotRunning,
            5 => Self::Conflict,
            6 => Self::Network,
            7 => Self::NotPermitted,
            _ => Self::Error,
        }
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// For programs. Stable.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub remedy: String,
    /// Field by field.
    pub problems: Vec<FieldProblem>,
    /// How the command ends.
    #[serde(serialize_with = "number")]
    pub exit: Exit,
    /// Whether the message comes from the node, the system or a library, in English.
    #[serde(skip)]
    pub foreign: bool,
}

/// A failure as it stands alone on stderr, for programs.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    failure: &'a Failure,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn number<S: Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(exit.code())
}

impl Failure {
    /// With the text of the catalogue under `error-<code>`, and its remedy under `remedy-<code>`.
    pub fn known(context: &Context, exit: Exit, code: &str, arguments: &[Argument<'_>]) -> Self {
        let key = code.replace('_', "-");
        Self {
            code: code.to_owned(),
            message: context.texts.with(&format!("error-{key}"), arguments),
            remedy: context.texts.find(&format!("remedy-{key}"), arguments).unwrap_or_default(),
            problems: Vec::new(),
            exit,
            foreign: false,
        }
    }

    /// An error of the system or of a library that explains itself.
    pub fn told(exit: Exit, code: &str, message: impl std::fmt::Display) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_string(),
            remedy: String::new(),
            problems: Vec::new(),
            exit,
            foreign: true,
        }
    }

    /// Says it on stderr: a document for programs, sentences for people.
    pub(super) fn report(&self, context: &Context) {
        if context.output.json {
            let document = Document { schema: "sincronia/1/error", failure: self };
            tell(&escaped(&serde_json::json!(document).to_string()));
        } else {
            tell(context.texts.language().called(self.text(context).trim_end()).as_str());
        }
    }

    /// What comes from the node is in English; where the catalogue has the code, its sentence leads
    /// and the node's own follows, because it is the more exact one, translated if it is known.
    pub(super) fn text(&self, context: &Context) -> String {
        let texts = &context.texts;
        let mut text = String::new();
        let general = texts.error(&self.code, &self.message);
        // Its message only lists the fields, which stand below one by one.
        let is_list = self.code == "invalid_fields" && !self.problems.is_empty();
        let translated = self.foreign && (is_list || texts.language() != Language::En);
        let lead = if translated { &general } else { &self.message };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {} [{}]", texts.text("error"), safe(lead), self.code);
        if !lead.contains(&self.message) && !is_list {
            let _ = writeln!(text, "  {}", safe(&self.translated(context, &self.message)));
        }
        for problem in &self.problems {
            let row = problem.row.map(|row| texts.with("row", &[("row", row.into())]));
            let place =
                row.into_iter().chain([context.as_typed(&problem.field)]).collect::<Vec<_>>();
            let message = texts.problem(&problem.code, &problem.message, &problem.allowed);
            let message = context.with_options(&message);
            let _ = writeln!(text, "  · {}: {}", safe(&place.join(", ")), safe(&message));
        }
        if !self.remedy.is_empty() {
            let _ = writeln!(text, "  → {}", safe(&self.translated(context, &self.remedy)));
        }
        text
    }

    fn translated(&self, context: &Context, sentence: &str) -> String {
        if !self.foreign {
            return sentence.to_owned();
        }
        context.texts.told(sentence)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let code = serde_json::to_value(error.code).ok();
        let code = code.and_then(|code| code.as_str().map(str::to_owned));
        let exit = Exit::from_code(error.exit_code());
        Self {
            code: code.unwrap_or_else(|| "internal".to_owned()),
            message: error.message,
            remedy: error.remedy,
            problems: error.problems,
            exit,
            foreign: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::Catalogue;
    use sincronia_node::api::ErrorCode;

    fn context(language: Language) -> Context {
        Context::new(Catalogue::new(language), Global::default())
    }

    #[test]
    fn what_was_typed_stands_in_the_sentence_in_every_language() {
        for language in Language::ALL {
            let context = context(language);
            let said = context.fail(Exit::NotFound, "no_organisation", "Aulla").text(&context);
            assert_eq!(said.matches("Aulla").count(), 1, "{said}");
            assert!(!said.contains('$'), "{said}");
        }
    }

    #[test]
    fn what_the_node_says_in_english_follows_the_italian_sentence() {
        let context = context(Language::It);
        let unknown = ApiError::new(ErrorCode::NotFound, "nowhere", "look elsewhere");
        let said = Failure::from(unknown).text(&context);
        let expected =
            "errore: Non c'è su questo nodo [not_found]\n  nowhere\n  → look elsewhere\n";
        assert_eq!(said, expected);
    }

    #[test]
    fn who_reads_italian_is_told_in_italian_what_to_do() {
        let context = context(Language::It);
        let said = Failure::from(ApiError::not_found("partner")).text(&context);
        assert!(said.ends_with("  → guarda l'elenco e controlla l'identificativo\n"), "{said}");
    }

    #[test]
    fn no_sentence_shows_the_place_of_what_is_missing() {
        for language in Language::ALL {
            let context = context(language);
            for line in language.source().lines().filter_map(|line| line.strip_prefix("error-")) {
                let code = line.split(" =").next().unwrap().replace('-', "_");
                let said = Failure::told(Exit::Error, &code, "the disk is full").text(&context);
                assert!(!said.contains('$'), "{said}");
                assert_eq!(said.matches("the disk is full").count(), 1, "{said}");
            }
        }
    }
}
