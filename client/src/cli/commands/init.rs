//! `sincronia init`: a node and the root key of its organisation.

use super::Outcome;
use crate::cli::arguments::Init;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::node;
use crate::cli::secret::{self, Words};
use crate::output::table::Rows;
use std::path::Path;
use zeroize::Zeroizing;

/// Words of one line on the screen.
const COLUMNS: usize = 4;
/// Which words are asked back: one of each half, so that a page that was torn is noticed.
const ASKED: [usize; 2] = [6, 19];
/// How often a word may be mistyped.
const TRIES: usize = 3;

pub(super) fn run(context: &Context, arguments: &Init) -> Outcome {
    let shown = context.interactive();
    if !shown && arguments.recovery_file.is_none() {
        return Err(context.fail(Exit::Usage, "no_recovery_file", ""));
    }
    let existing = arguments.recovery_file.as_deref().filter(|path| path.exists());
    if let Some(path) = existing {
        return Err(context.fail(Exit::Usage, "exists", &path.display().to_string()));
    }
    let directory = context.directory()?;
    let language = arguments.words.unwrap_or_else(|| context.texts.language());
    let unlock = secret::choose(context, &arguments.unlocking)?;
    secret::make_key_file(context, &unlock)?;
    let confirm = |words: &Words| match &arguments.recovery_file {
        Some(path) => keep(context, path, words),
        None => show(context, words),
    };
    let name = &arguments.name;
    let created = node::initialise(context, &directory, name, language, unlock, confirm)?;
    let made = serde_json::json!({
        "organisation": created.organisation,
        "node": created.node,
        "name": arguments.name,
        "directory": directory,
    });
    context.output.show("init", &made, || {
        let place = directory.display().to_string();
        let arguments = [
            ("name", arguments.name.clone().into()),
            ("organisation", created.organisation.clone().into()),
            ("directory", place.into()),
        ];
        context.texts.with("initialised", &arguments)
    });
    Ok(Exit::Done)
}

fn keep(context: &Context, path: &Path, words: &Words) -> Result<(), Failure> {
    let mut text = Zeroizing::new(words.expose().join(" "));
    text.push('\n');
    secret::write_private(path, text.as_bytes()).map_err(|error| {
        context.fail(Exit::Error, "file", &format!("{}: {error}", path.display()))
    })?;
    let path = [("path", path.display().to_string().into())];
    context.output.message(&context.texts.with("recovery-in-file", &path));
    Ok(())
}

/// On the screen, once; on stderr, so that no redirection keeps them by accident.
fn show(context: &Context, words: &Words) -> Result<(), Failure> {
    context.say("recovery-advice");
    let mut rows = Rows::new(context.output, &[]);
    let numbered: Vec<_> = words.expose().iter().enumerate().collect();
    for line in numbered.chunks(COLUMNS) {
        rows.row(line.iter().map(|(at, word)| format!("{:>2}. {word}", at + 1)));
    }
    context.output.message(&rows.to_string());
    ASKED.into_iter().try_for_each(|at| ask_back(context, words, at))?;
    context.say("recovery-confirmed");
    Ok(())
}

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
