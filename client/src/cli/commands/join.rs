//! `sincronia join`: one action on the other side.

use super::{Outcome, bundle};
use crate::cli::arguments::Join;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::output::progress::Progress;
use crate::output::value::short;
use sincronia_node::api::{JoinByBundleRequest, JoinRequest};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// An invitation with sixteen long addresses takes a tenth of this.
const TEXT_BYTES_MAX: u64 = 64 * 1024;
/// No name of a file has as many letters and digits in a row, and every invitation has more.
const WORD_BYTES_MAX: usize = 60;
/// A name of a file has fewer words than a sheet of recovery words.
const WORDS_MAX: usize = 12;
/// How every invitation begins.
const BEGINNING: &str = "invito1";

pub(super) fn run(context: &Context, arguments: Join) -> Outcome {
    let texts = &context.texts;
    let invitation = text(context, &arguments)?;
    let client = context.client()?;
    if let Some(path) = &arguments.bundle {
        return answer(context, invitation, path);
    }
    let progress = Progress::waiting(texts.text("joining"));
    let partner = client.join(&JoinRequest { invitation, addresses: arguments.addresses })?;
    drop(progress);
    context.output.show("partner", &partner, || {
        let phrase = partner.verification_phrase.join(" ");
        let arguments = [("name", partner.name.clone().into()), ("phrase", phrase.into())];
        texts.with("joined", &arguments)
    });
    Ok(Exit::Done)
}

/// Without a line, the answer is a file for the inviting organisation.
fn answer(context: &Context, invitation: String, path: &Path) -> Outcome {
    let made = context.client()?.join_by_bundle(&JoinByBundleRequest { invitation })?;
    bundle::write(context, path, &made.bytes)?;
    let report =
        serde_json::json!({ "file": path.display().to_string(), "bytes": made.bytes.len() });
    context.output.show("join_bundle", &report, || {
        let arguments = [("file", path.display().to_string().into())];
        context.texts.with("join-bundle-made", &arguments)
    });
    Ok(Exit::Done)
}

/// An invitation is one word of text; mail programs break it into lines.
fn text(context: &Context, arguments: &Join) -> Result<String, Failure> {
    let given = match (arguments.invitation.as_deref(), &arguments.invitation_file) {
        // So that the invitation, which is a secret, stands in no list of processes.
        (Some("-"), _) => read(context, Path::new("-"), &mut std::io::stdin().lock())?,
        (Some(text), _) if is_path(text) => open(context, Path::new(text))?,
        (Some(text), _) => text.to_owned(),
        (None, Some(path)) => open(context, path)?,
        (None, None) => String::new(),
    };
    Ok(given.split_whitespace().collect())
}

/// Whether it names a file: one that is there, or what no invitation looks like.
fn is_path(text: &str) -> bool {
    !begins(text) || text.contains(['/', '.']) || Path::new(text).is_file()
}

fn begins(text: &str) -> bool {
    let beginning = text.trim_start().get(..BEGINNING.len());
    beginning.is_some_and(|found| found.eq_ignore_ascii_case(BEGINNING))
}

fn open(context: &Context, path: &Path) -> Result<String, Failure> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => context.fail(Exit::NotFound, "no_invitation", &named(path)),
        _ => context.fail(
            Exit::Usage,
            "file",
            &format!("{}: {}", named(path), context.cause(&error)),
        ),
    })?;
    read(context, path, &mut file)
}

/// A path as it was typed; of what may be an invitation with a letter too many or too few, or the
/// recovery words, only what is no secret.
fn named(path: &Path) -> String {
    let text = path.display().to_string();
    if text.split_whitespace().count() > WORDS_MAX {
        return "…".to_owned();
    }
    let mut words = text.split(|one: char| !one.is_ascii_alphanumeric());
    match words.find(|word| word.len() > WORD_BYTES_MAX) {
        Some(word) => short(word),
        None => text,
    }
}

fn read(context: &Context, path: &Path, source: &mut dyn Read) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = source.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes);
    let read = read.map_err(|error| {
        context.fail(Exit::Usage, "file", &format!("{}: {}", named(path), context.cause(&error)))
    })?;
    if read as u64 > TEXT_BYTES_MAX {
        let long = format!("{}: {}", named(path), context.texts.text("too-long"));
        return Err(context.fail(Exit::Usage, "file", &long));
    }
    let text = crate::import::decode(&bytes).into_owned();
    // Of what is something else nothing is repeated: it may be another secret, named by mistake.
    if !begins(&text) {
        return Err(context.fail(Exit::Usage, "invitation_file", &named(path)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{is_path, named};
    use std::path::Path;

    #[test]
    fn an_invitation_is_told_from_a_file_that_is_not_there() {
        for path in ["invito.txt", "./invito", "nowhere", "invito1.txt", "/tmp/invito1", ""] {
            assert!(is_path(path), "{path}");
        }
        for text in ["invito1qqpz", " INVITO1QQPZ", "invito1qq\npz"] {
            assert!(!is_path(text), "{text}");
        }
    }

    #[test]
    fn what_may_be_an_invitation_is_not_repeated() {
        let secret = "q".repeat(150);
        for pasted in ["invito1{}.", "<invito1{}>", "nvito1{}", "“invito1{}”", "a/invito1{}"] {
            let pasted = pasted.replace("{}", &secret);
            assert!(named(Path::new(&pasted)).chars().count() < 20, "{pasted}");
        }
        assert_eq!(named(Path::new(&"parola ".repeat(24))), "…");
        assert_eq!(named(Path::new("invito di Aulla.txt")), "invito di Aulla.txt");
        assert_eq!(named(Path::new("da/invito.txt")), "da/invito.txt");
        assert_eq!(named(Path::new("invito.txt")), "invito.txt");
    }
}
