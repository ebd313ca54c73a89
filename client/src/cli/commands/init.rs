//! `sincronia init`: a node and the root key of its organisation.

use super::{Outcome, machine};
use crate::cli::arguments::Init;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::node;
use crate::cli::secret::{self, Words};
use sincronia_protocol::ids::OrganisationId;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Words of one line on the screen.
const COLUMNS: usize = 4;
/// Which words are asked back: one of each half, so that a page that was torn is noticed.
const ASKED: [usize; 2] = [6, 19];
/// How often a word may be mistyped.
const TRIES: usize = 3;

pub(super) fn run(context: &Context, arguments: &Init) -> Outcome {
    if let Some(organisation) = &arguments.additional {
        return additional(context, organisation, arguments);
    }
    let shown = context.interactive();
    if !shown && arguments.recovery_file.is_none() {
        return Err(context.fail(Exit::Usage, "no_recovery_file", ""));
    }
    let directory = context.directory()?;
    let language = arguments.words.unwrap_or_else(|| context.texts.language());
    let unlock = secret::choose(context, &arguments.unlocking)?;
    let paper = arguments.recovery_file.as_deref();
    let mut paper = paper.map(|path| RecoveryFile::reserve(context, path)).transpose()?;
    let key_file = secret::make_key_file(context, &unlock)?;
    let confirm = |words: &Words| match &mut paper {
        Some(paper) => paper.write(context, words),
        None => show(context, words),
    };
    let name = arguments.name.as_deref().unwrap_or_default();
    let created = node::initialise(context, &directory, name, language, unlock, confirm)?;
    key_file.keep();
    if let Some(paper) = paper {
        paper.keep(context);
    }
    let made = serde_json::json!({
        "organisation": created.organisation,
        "node": created.node,
        "name": name,
        "directory": directory.display().to_string(),
    });
    context.output.show("init", &made, || {
        let place = directory.display().to_string();
        let arguments = [
            ("name", name.to_owned().into()),
            ("organisation", created.organisation.clone().into()),
            ("directory", place.into()),
        ];
        context.texts.with("initialised", &arguments)
    });
    Ok(Exit::Done)
}

/// Another machine of an organisation that exists: keys, and the request to hand to its node.
fn additional(context: &Context, organisation: &str, arguments: &Init) -> Outcome {
    let parsed = organisation.trim().parse::<OrganisationId>();
    let organisation =
        parsed.map_err(|_| context.fail(Exit::Usage, "no_organisation_id", organisation.trim()))?;
    let output = arguments.output.as_deref();
    machine::free(context, output)?;
    let directory = context.directory()?;
    let unlock = secret::choose(context, &arguments.unlocking)?;
    let key_file = secret::make_key_file(context, &unlock)?;
    let request = node::request(context, &directory, organisation, unlock)?;
    key_file.keep();
    let node = request.admission.node;
    machine::hand_out(context, "node_request", &node, &request.to_text(), output)?;
    let node = [("node", node.to_string().into())];
    context.output.message(&context.texts.with("request-advice", &node));
    Ok(Exit::Done)
}

/// The file for the words, open before there is a node: words that found no place would be lost,
/// and with them the identity of the organisation. It is removed if no node comes to be.
struct RecoveryFile<'a> {
    path: &'a Path,
    file: File,
    is_kept: bool,
}

impl<'a> RecoveryFile<'a> {
    fn reserve(context: &Context, path: &'a Path) -> Result<Self, Failure> {
        match secret::create_private(path) {
            Ok(file) => Ok(Self { path, file, is_kept: false }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(context.fail(Exit::Usage, "exists", &path.display().to_string()))
            }
            Err(error) => Err(unusable(context, path, &error)),
        }
    }

    fn write(&mut self, context: &Context, words: &Words) -> Result<(), Failure> {
        let mut text = Zeroizing::new(words.expose().join(" "));
        text.push('\n');
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| unusable(context, self.path, &error))
    }

    /// There is a node whose words these are.
    fn keep(mut self, context: &Context) {
        self.is_kept = true;
        let path = [("path", self.path.display().to_string().into())];
        context.output.message(&context.texts.with("recovery-in-file", &path));
    }
}

impl Drop for RecoveryFile<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            // Its words restore nothing; should it stay, the next attempt says that it exists.
            let _ = std::fs::remove_file(self.path);
        }
    }
}

fn unusable(context: &Context, path: &Path, error: &std::io::Error) -> Failure {
    context.fail(Exit::Error, "file", &format!("{}: {}", path.display(), context.cause(error)))
}

/// On the screen, once; on stderr, so that no redirection keeps them by accident.
fn show(context: &Context, words: &Words) -> Result<(), Failure> {
    context.say("recovery-advice");
    context.output.message(&sheet(words.expose()));
    ASKED.into_iter().try_for_each(|at| ask_back(context, words, at))?;
    context.say("recovery-confirmed");
    Ok(())
}

/// The words in lines of their own, whatever the width of the terminal: a table that does not fit
/// would break them, and they are shown once.
fn sheet(words: &[String]) -> Zeroizing<String> {
    let mut sheet = Zeroizing::new(String::new());
    for (number, word) in (1..).zip(words) {
        let end = if number % COLUMNS == 0 { "\n" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(*sheet, "{number:>4}. {word:<9}{end}");
    }
    sheet
}

/// Asks for a word of the paper; a wrong one ends it.
fn ask_back(context: &Context, words: &Words, number: usize) -> Result<(), Failure> {
    let question = context.texts.with("recovery-ask", &[("number", number.into())]);
    let right = number.checked_sub(1).and_then(|at| words.expose().get(at));
    for _ in 0..TRIES {
        let answer = Zeroizing::new(context.ask(&question)?);
        if right.is_some_and(|word| word.eq_ignore_ascii_case(&answer)) {
            return Ok(());
        }
        context.say("recovery-wrong");
    }
    // Nothing has been made yet: the next attempt shows new words.
    Err(context.fail(Exit::Usage, "recovery_unconfirmed", ""))
}

#[cfg(test)]
mod tests {
    use super::sheet;

    #[test]
    fn no_word_of_the_sheet_is_broken() {
        let words: Vec<_> = (1..=24).map(|number| format!("parola{number}")).collect();
        let sheet = sheet(&words);
        assert_eq!(sheet.lines().count(), 6);
        for (at, word) in words.iter().enumerate() {
            assert!(sheet.contains(&format!("{}. {word} ", at + 1)), "{}", *sheet);
        }
    }
}
