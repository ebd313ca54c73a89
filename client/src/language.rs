//! Every text that people read, in Italian and English.
//!
//! The texts are in `languages/it.ftl` and `languages/en.ftl`; a test compares their keys and their
//! arguments. A text that is missing shows its key: that is ugly, and never wrong.
//!
//! Deliberately absent: texts for programs. JSON and exit codes are the same in every language.

mod choice;
mod sentence;
pub mod suggestion;
#[cfg(test)]
mod tests;

pub use choice::Language;

use crate::output::foreign::safe;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use sincronia_protocol::record::Kind;

/// What others wrote does not command the terminal from within a sentence.
fn harmless<'a>(value: &FluentValue<'a>) -> FluentValue<'a> {
    match value {
        FluentValue::String(text) => safe(text).into(),
        other => other.clone(),
    }
}

/// The texts of one language.
pub struct Catalogue {
    language: Language,
    /// What suggested commands say of the node.
    node: suggestion::Node,
    bundle: FluentBundle<FluentResource>,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Catalogue({:?})", self.language)
    }
}

/// A value that a text names.
pub type Argument<'a> = (&'static str, FluentValue<'a>);

impl Catalogue {
    /// The texts of `language`.
    #[must_use]
    pub fn new(language: Language) -> Self {
        let locales = language.code().parse().into_iter().collect();
        let mut bundle = FluentBundle::new_concurrent(locales);
        // Marks that isolate text of another direction show as boxes in old terminals.
        bundle.set_use_isolating(false);
        let resource = match FluentResource::try_new(language.source().to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        // A text that is there twice keeps its first form; a test refuses such catalogues.
        let _ = bundle.add_resource(resource);
        Self { language, node: suggestion::Node::default(), bundle }
    }

    /// The same texts, whose suggested commands name and open a node with these words.
    #[must_use]
    pub fn addressing(self, node: suggestion::Node) -> Self {
        Self { node, ..self }
    }

    /// The text with the node in each command that it suggests.
    #[must_use]
    pub fn addressed(&self, text: &str) -> String {
        suggestion::addressed(text, &self.node)
    }

    /// The language of the texts.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// A text without arguments.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.find(key, &[]).unwrap_or_else(|| key.to_owned())
    }

    /// A text with arguments.
    #[must_use]
    pub fn with(&self, key: &str, arguments: &[Argument<'_>]) -> String {
        self.find(key, arguments).unwrap_or_else(|| key.to_owned())
    }

    /// A text, if there is one.
    #[must_use]
    pub fn find(&self, key: &str, arguments: &[Argument<'_>]) -> Option<String> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let arguments: FluentArgs<'_> =
            arguments.iter().map(|(name, value)| (*name, harmless(value))).collect();
        let mut faults = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&arguments), &mut faults);
        Some(self.addressed(&text))
    }

    /// What a kind of record is called.
    #[must_use]
    pub fn kind(&self, kind: Kind) -> String {
        self.text(&format!("kind-{kind}"))
    }

    /// What a field of a kind is called.
    #[must_use]
    pub fn field(&self, kind: Kind, name: &str) -> String {
        self.find(&format!("field-{kind}-{name}"), &[])
            .or_else(|| self.find(&format!("field-{name}"), &[]))
            .unwrap_or_else(|| name.to_owned())
    }

    /// What a code of a vocabulary is called.
    #[must_use]
    pub fn code(&self, code: &str) -> String {
        self.find(&format!("code-{code}"), &[]).unwrap_or_else(|| code.to_owned())
    }

    /// What went wrong and what to do, by the code of the error; else the message that came with
    /// it.
    #[must_use]
    pub fn error(&self, code: &str, message: &str) -> String {
        self.find(&format!("error-{}", code.replace('_', "-")), &[("detail", message.into())])
            .unwrap_or_else(|| message.to_owned())
    }

    /// What is wrong with a field, with the codes that would be right: the node's own sentence,
    /// which is the more exact one, if this language knows it; else what its code says.
    #[must_use]
    pub fn problem(&self, code: &str, message: &str, allowed: &[String]) -> String {
        let general = || self.find(&format!("problem-{}", code.replace('_', "-")), &[]);
        let told = || Some(self.told(message)).filter(|told| told != message);
        let text = self.said(message).or_else(told).or_else(general);
        let text = text.unwrap_or_else(|| message.to_owned());
        if allowed.is_empty() { text } else { format!("{text}: {}", allowed.join(", ")) }
    }
}
