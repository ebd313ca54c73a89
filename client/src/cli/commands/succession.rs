//! `sincronia succession`: one organisation takes the place of another, and what passes with it.

use super::{Outcome, machine, operator};
use crate::cli::arguments::{Authoring, Handing, Recovery, Succession};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations};
use crate::output::table::Rows;
use sincronia_node::api::{
    ConventionView, ConventionsQuery, OfferRequest, RecordView, SpaceView, SuccessionView,
    TakeRequest,
};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::OrganisationId;

pub(super) fn run(context: &Context, action: Succession) -> Outcome {
    match action {
        Succession::List => list(context),
        Succession::Declare { successor, recovery } => {
            let organisation = organisation(context, &successor)?;
            let operation = IdentityOperation::SucceededBy { organisation };
            say(context, &recovery, operation, ("confirm-declare", &successor))
        }
        Succession::Accept { predecessor, recovery } => {
            let organisation = organisation(context, &predecessor)?;
            let operation = IdentityOperation::Succeeds { organisation };
            say(context, &recovery, operation, ("confirm-accept", &predecessor))
        }
        Succession::Offer { to, handing } => offer(context, &to, &handing),
        Succession::Follow { handing, authoring } => follow(context, &handing, &authoring),
        Succession::Take { handing, authoring } => take(context, &handing, &authoring),
    }
}

fn list(context: &Context) -> Outcome {
    let successions = context.client()?.successions()?;
    context.output.show("successions", &successions, || table(context, &successions));
    Ok(Exit::Done)
}

fn table(context: &Context, successions: &[SuccessionView]) -> String {
    let texts = &context.texts;
    let headings = ["predecessor", "successor", "since", "legal-act", "state"];
    let mut rows = Rows::new(context.output, &headings.map(|key| texts.text(key)));
    for one in successions {
        let state = match (one.declared, one.accepted) {
            (true, true) => "succession-mutual",
            (true, false) => "succession-declared",
            _ => "succession-accepted",
        };
        rows.row([
            one.predecessor_name.clone(),
            one.successor_name.clone(),
            one.effective_on.clone().unwrap_or_default(),
            one.legal_act.clone().unwrap_or_default(),
            texts.text(state),
        ]);
    }
    if rows.is_empty() { texts.text("no-successions") } else { rows.to_string() }
}

fn organisation(context: &Context, text: &str) -> Result<OrganisationId, Failure> {
    let id = Organisations::known(context)?.find(context, text)?;
    id.parse().map_err(|error| Failure::told(Exit::Error, "identifier", error))
}

/// Signs with the root key, after asking: nobody unsays it.
fn say(
    context: &Context,
    recovery: &Recovery,
    operation: IdentityOperation,
    (question, name): (&str, &str),
) -> Outcome {
    context.confirm(&context.texts.with(question, &[("name", name.into())]))?;
    let mut signing = machine::begin(context, recovery)?;
    machine::say(context, &mut signing, vec![operation])?;
    list(context)
}

/// The conventions that were named, or all for which `fits`.
fn chosen(
    context: &Context,
    handing: &Handing,
    fits: impl Fn(&SpaceView) -> bool,
) -> Result<Vec<ConventionView>, Failure> {
    if !handing.all {
        let named = handing.conventions.iter();
        return named.map(|text| naming::convention(context, text)).collect();
    }
    let client = context.client()?;
    let mut found = Vec::new();
    for record in client.conventions(&ConventionsQuery::default())? {
        let view = client.convention(&record.id)?;
        if fits(&view.space) {
            found.push(view);
        }
    }
    Ok(found)
}

/// Asks for each convention by its title, unless `--yes` says it for all.
fn pass(
    context: &Context,
    conventions: &[ConventionView],
    question: &str,
    act: impl Fn(&str) -> Result<SpaceView, Failure>,
) -> Outcome {
    let mut passed = Vec::new();
    for view in conventions {
        let title = naming::title(&view.convention);
        let asked = context.texts.with(question, &[("title", title.as_str().into())]);
        match context.confirm(&asked) {
            Ok(()) => passed.push((title, act(&view.space.id)?)),
            // Who says no to one may say yes to the next.
            Err(declined) if declined.code == "declined" => {}
            Err(failure) => return Err(failure),
        }
    }
    let spaces: Vec<_> = passed.iter().map(|(_, space)| space).collect();
    context.output.show("spaces", &spaces, || {
        let mut rows = Rows::new(context.output, &[context.texts.text("title")]);
        for (title, _) in &passed {
            rows.row([title.as_str()]);
        }
        if rows.is_empty() { context.texts.text("nothing-passed") } else { rows.to_string() }
    });
    Ok(Exit::Done)
}

fn offer(context: &Context, to: &str, handing: &Handing) -> Outcome {
    let client = context.client()?;
    let organisation = Organisations::known(context)?.find(context, to)?;
    let own = client.status()?.organisation;
    let is_due = |space: &SpaceView| {
        space.owner == own && space.offered_to.as_deref() != Some(organisation.as_str())
    };
    let conventions = chosen(context, handing, is_due)?;
    pass(context, &conventions, "confirm-offer", |space| {
        let request = OfferRequest { organisation: organisation.clone() };
        Ok(client.offer_space(space, &request)?)
    })
}

/// Conventions of this organisation with a party whose place another one took.
fn follow(context: &Context, handing: &Handing, authoring: &Authoring) -> Outcome {
    let client = context.client()?;
    let own = client.status()?.organisation;
    let successions = client.successions()?.into_iter();
    let gone: Vec<_> =
        successions.filter(|one| one.declared && one.accepted).map(|one| one.predecessor).collect();
    let mut conventions = chosen(context, handing, |space| space.owner == own)?;
    conventions.retain(|view| parties(&view.convention).any(|one| gone.contains(&one)));
    pass(context, &conventions, "confirm-follow", |space| {
        Ok(client.follow_successions(space, &TakeRequest { operator: operator(authoring) })?)
    })
}

fn parties(convention: &RecordView) -> impl Iterator<Item = String> {
    let list = convention.fields.get("parties").and_then(|list| list.as_array());
    let organisation = |party: &serde_json::Value| Some(party.get("org")?.as_str()?.to_owned());
    list.into_iter().flatten().filter_map(organisation)
}

fn take(context: &Context, handing: &Handing, authoring: &Authoring) -> Outcome {
    let client = context.client()?;
    let own = client.status()?.organisation;
    let is_offered = |space: &SpaceView| space.offered_to.as_deref() == Some(own.as_str());
    let conventions = chosen(context, handing, is_offered)?;
    pass(context, &conventions, "confirm-take", |space| {
        Ok(client.take_space(space, &TakeRequest { operator: operator(authoring) })?)
    })
}
