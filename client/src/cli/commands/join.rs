//! `sincronia join`: one action on the other side.

use super::{Outcome, bundle};
use crate::cli::arguments::Join;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::output::progress::Progress;
use sincronia_node::api::{JoinByBundleRequest, JoinRequest};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// An invitation with sixteen long addresses takes a tenth of this.
const TEXT_BYTES_MAX: u64 = 64 * 1024;

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
    let report = serde_json::json!({ "file": path, "bytes": made.bytes.len() });
    context.output.show("join_bundle", &report, || {
        let arguments = [("file", path.display().to_string().into())];
        context.texts.with("join-bundle-made", &arguments)
    });
    Ok(Exit::Done)
}

/// An invitation is one word of text; mail programs break it into lines.
fn text(context: &Context, arguments: &Join) -> Result<String, Failure> {
    let failed = |place: &str, error: &dyn std::fmt::Display| {
        context.fail(Exit::Usage, "file", &format!("{place}: {error}"))
    };
    let read = |place: &str, source: &mut dyn Read| {
        let mut bytes = Vec::new();
        let read = source.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes);
        match read.map_err(|error| failed(place, &error))? as u64 {
            0..=TEXT_BYTES_MAX => Ok(crate::import::decode(&bytes).into_owned()),
            _ => Err(failed(place, &context.texts.text("too-long"))),
        }
    };
    let given = match (arguments.invitation.as_deref(), &arguments.invitation_file) {
        // So that the invitation, which is a secret, stands in no list of processes.
        (Some("-"), _) => read("-", &mut std::io::stdin().lock())?,
        (Some(text), _) if Path::new(text).is_file() => {
            read(text, &mut File::open(text).map_err(|error| failed(text, &error))?)?
        }
        (Some(text), _) => text.to_owned(),
        (None, Some(path)) => {
            let place = path.display().to_string();
            read(&place, &mut File::open(path).map_err(|error| failed(&place, &error))?)?
        }
        (None, None) => String::new(),
    };
    Ok(given.split_whitespace().collect())
}
