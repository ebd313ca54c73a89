//! `sincronia introduction`: a partner presents another, and people accept.

use super::{Outcome, standing};
use crate::cli::arguments::Introduction;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::Organisations;
use crate::output::table::Rows;
use crate::output::value::{beginning, short, time};
use sincronia_node::api::{IntroduceRequest, IntroductionView};

pub(super) fn run(context: &Context, action: Introduction) -> Outcome {
    let client = context.client()?;
    match action {
        Introduction::Make { one, other } => {
            let known = Organisations::known(context)?;
            let request = IntroduceRequest {
                one: known.find(context, &one)?,
                other: known.find(context, &other)?,
            };
            if request.one == request.other {
                return Err(context.fail(Exit::Usage, "same_body", &one));
            }
            if [&request.one, &request.other].iter().any(|body| body.as_str() == known.own()) {
                return Err(context.fail(Exit::Usage, "introduce_self", ""));
            }
            client.introduce(&request)?;
            let arguments = [("one", one.into()), ("other", other.into())];
            let said = || context.texts.with("introduced", &arguments);
            context.output.show("introduction_made", &request, said);
        }
        Introduction::List => {
            let found = client.introductions()?;
            context.output.show("introductions", &found, || table(context, &found));
        }
        Introduction::Accept { organisation } => {
            let found = find(context, &organisation)?;
            let question = [("name", found.name.into()), ("by", found.by_name.into())];
            context.confirm(&context.texts.with("confirm-introduction", &question))?;
            let partner = client.accept_introduction(&found.organisation)?;
            let names = standing::looked_up(context)?;
            let list = || standing::partners(context, &names, std::slice::from_ref(&partner));
            context.output.show("partner", &partner, list);
        }
        Introduction::Refuse { organisation } => {
            let found = find(context, &organisation)?;
            client.refuse_introduction(&found.organisation)?;
            let name = [("name", found.name.as_str().into())];
            let said = || context.texts.with("introduction-refused", &name);
            context.output.show("introduction_refused", &found, said);
        }
    }
    Ok(Exit::Done)
}

/// The one that was presented with this name or identifier, or a part of it.
fn find(context: &Context, text: &str) -> Result<IntroductionView, Failure> {
    let wanted = text.trim().to_lowercase();
    let wanted = wanted.trim_end_matches('…');
    let mut found = context.client()?.introductions()?;
    found.retain(|one| {
        one.name.to_lowercase().contains(wanted) || one.organisation.starts_with(wanted)
    });
    let names: Vec<_> = found.iter().map(|one| named(context, one)).collect();
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (None, _) => Err(context.fail(Exit::NotFound, "no_introduction", text)),
        _ => Err(context.fail(Exit::NotFound, "ambiguous", &names.join(", "))),
    }
}

/// The name of one that was presented: nobody here accepted it, so it is never shown without whose
/// word it is.
fn named(context: &Context, one: &IntroductionView) -> String {
    let (name, by) = (one.name.as_str(), one.by_name.as_str());
    let id = short(&one.organisation);
    let arguments = [("name", name.into()), ("by", by.into()), ("id", id.into())];
    context.texts.with("as-presented", &arguments)
}

fn table(context: &Context, found: &[IntroductionView]) -> String {
    let texts = &context.texts;
    let headings = ["organisation", "presented-by", "until", "state"].map(|key| texts.text(key));
    let mut rows = Rows::within(context.output, &headings);
    for one in found {
        let state = if one.refused { "introduction-was-refused" } else { "introduction-waits" };
        let until = time(one.expires_at);
        rows.row([named(context, one), one.by_name.clone(), until, texts.text(state)]);
    }
    if rows.is_empty() {
        return texts.text("no-introductions");
    }
    // Under the table, where no column breaks a command that is copied.
    let waiting = found.iter().filter(|one| !one.refused).map(|one| {
        let id = beginning(&one.organisation);
        texts.with("introduction-how", &[("id", id.into())])
    });
    std::iter::once(rows.to_string()).chain(waiting).collect::<Vec<_>>().join("\n")
}
