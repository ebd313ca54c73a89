//! `sincronia join`: one action on the other side.

use super::Outcome;
use crate::cli::arguments::Join;
use crate::cli::context::Context;
use crate::cli::entering::read;
use crate::cli::failure::{Exit, Failure};
use crate::output::progress::Progress;
use sincronia_node::api::JoinRequest;

pub(super) fn run(context: &Context, arguments: Join) -> Outcome {
    let texts = &context.texts;
    let invitation = text(context, &arguments)?;
    let client = context.client()?;
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

/// An invitation is one word of text; mail programs break it into lines.
fn text(context: &Context, arguments: &Join) -> Result<String, Failure> {
    let given = match (&arguments.invitation, &arguments.invitation_file) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => {
            let bytes = read(path).map_err(|error| {
                context.fail(Exit::Usage, "file", &format!("{}: {error}", path.display()))
            })?;
            crate::import::decode(&bytes).into_owned()
        }
        (None, None) => String::new(),
    };
    Ok(given.split_whitespace().collect())
}
