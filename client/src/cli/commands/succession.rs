//! `sincronia succession`: one organisation takes the place of another, and what passes with it.

mod following;

use super::{Outcome, machine, operator};
use crate::cli::arguments::{Authoring, Handing, Recovery, Succession};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations};
use crate::language::suggestion::named;
use crate::output::table::Rows;
use crate::output::value::time;
use sincronia_node::api::{
    ConventionView, ConventionsQuery, OfferRequest, PassedView, RecordView, SpaceView,
    SuccessionView, TakeRequest,
};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::OrganisationId;
use std::collections::BTreeSet;

pub(super) use following::due;

pub(super) fn run(context: &Context, action: Succession) -> Outcome {
    match action {
        Succession::List => list(context),
        Succession::Declare { successor, also, recovery } => {
            declare(context, &successor, also, &recovery)
        }
        Succession::Accept { predecessor, recovery } => {
            accept(context, predecessor.as_deref(), &recovery)
        }
        Succession::Offer { to, handing } => offer(context, &to, &handing),
        Succession::Follow { handing, to, authoring } => {
            following::follow(context, &handing, to.as_deref(), &authoring)
        }
        Succession::Take { handing, authoring } => take(context, &handing, &authoring),
    }
}

fn list(context: &Context) -> Outcome {
    let successions = context.client()?.successions()?;
    context.output.show("successions", &successions, || table(context, &successions));
    Ok(Exit::Done)
}

/// What the sheets tell of only some bodies has a column only where they do.
fn table(context: &Context, successions: &[SuccessionView]) -> String {
    let texts = &context.texts;
    let is_dated = successions.iter().any(|one| one.effective_on.is_some());
    let has_act = successions.iter().any(|one| one.legal_act.is_some());
    let mut headings = vec!["predecessor", "successor", "since", "legal-act", "state"];
    headings.retain(|one| match *one {
        "since" => is_dated,
        "legal-act" => has_act,
        _ => true,
    });
    let headings: Vec<_> = headings.into_iter().map(|key| texts.text(key)).collect();
    let mut rows = Rows::within(context.output, &headings);
    for one in successions {
        let state = texts.text(match (one.declared, one.accepted) {
            (true, true) => "succession-mutual",
            (true, false) => "succession-declared",
            _ => "succession-accepted",
        });
        let mut cells = vec![one.predecessor_name.clone(), one.successor_name.clone()];
        cells.extend(is_dated.then(|| one.effective_on.clone().unwrap_or_default()));
        cells.extend(has_act.then(|| one.legal_act.clone().unwrap_or_default()));
        cells.push(state);
        rows.row(cells);
    }
    if rows.is_empty() { texts.text("no-successions") } else { rows.to_string() }
}

fn accept(context: &Context, predecessor: Option<&str>, recovery: &Recovery) -> Outcome {
    let Some(predecessor) = predecessor else { return Err(nobody_named(context)?) };
    let (organisation, name) = other(context, predecessor)?;
    let said = said(context, |one| one.accepted && one.predecessor == organisation)?;
    if !said {
        let own = context.client()?.status()?.organisation;
        check_leads_on(context, &own, (&own, &organisation), &name)?;
    }
    let operation = IdentityOperation::Succeeds { organisation: id(&organisation)? };
    let question = context.texts.with("confirm-accept", &[("name", name.as_str().into())]);
    say(context, recovery, operation, said, (&question, &name))
}

/// That `accept` needs a name, with those that wait for this organisation.
fn nobody_named(context: &Context) -> Result<Failure, Failure> {
    let waiting = context.client()?.status()?.decisions.to_accept;
    Ok(if waiting.is_empty() {
        context.fail(Exit::Usage, "nobody_to_accept", "")
    } else {
        context.fail(Exit::Usage, "whom_to_accept", &waiting.join("; "))
    })
}

/// A body may be divided among several, but nobody declares the second by mistake: it asks for
/// `--also`, and the question names who was declared before.
fn declare(context: &Context, successor: &str, also: bool, recovery: &Recovery) -> Outcome {
    let (organisation, name) = other(context, successor)?;
    let is_said = said(context, |one| one.declared && one.successor == organisation)?;
    if !is_said {
        let own = context.client()?.status()?.organisation;
        check_leads_on(context, &own, (&organisation, &own), &name)?;
    }
    let others = if is_said { Vec::new() } else { declared_others(context, &organisation)? };
    let others = others.join("; ");
    if !others.is_empty() && !also {
        return Err(context.fail(Exit::Usage, "other_successor", &others));
    }
    let key = if others.is_empty() { "confirm-declare" } else { "confirm-declare-also" };
    let arguments = [("name", name.as_str().into()), ("others", others.into())];
    let question = context.texts.with(key, &arguments);
    let operation = IdentityOperation::SucceededBy { organisation: id(&organisation)? };
    say(context, recovery, operation, is_said, (&question, &name))
}

/// Nobody takes the place of a body that took its own: of two that do, nobody knows which goes on,
/// and what was signed is never unsaid.
fn check_leads_on(
    context: &Context,
    own: &str,
    (successor, predecessor): (&str, &str),
    name: &str,
) -> Result<(), Failure> {
    let mut steps = context.client()?.successions()?;
    // What one side says of another is its word alone.
    steps.retain(|one| {
        let by_own =
            (one.declared && one.predecessor == own) || (one.accepted && one.successor == own);
        by_own || (one.declared && one.accepted)
    });
    let (mut seen, mut open) = (BTreeSet::new(), vec![successor]);
    while let Some(one) = open.pop() {
        if one == predecessor {
            return Err(context.fail(Exit::NotPermitted, "succession_circle", name));
        }
        if seen.insert(one) {
            let next = steps.iter().filter(|step| step.predecessor == one);
            open.extend(next.map(|step| step.successor.as_str()));
        }
    }
    Ok(())
}

/// The names of whom this organisation declared to take its place, but for one.
fn declared_others(context: &Context, but: &str) -> Result<Vec<String>, Failure> {
    let client = context.client()?;
    let own = client.status()?.organisation;
    let all = client.successions()?.into_iter();
    let others = all.filter(|one| one.declared && one.predecessor == own && one.successor != but);
    Ok(others.map(|one| one.successor_name).collect())
}

/// Identifier and name of the other side of a succession: nobody takes its own place.
fn other(context: &Context, text: &str) -> Result<(String, String), Failure> {
    let known = Organisations::known(context)?;
    let id = known.find(context, text)?;
    let name = known.names().of(&id);
    if id == known.own() {
        return Err(context.fail(Exit::Usage, "own_succession", &name));
    }
    Ok((id, name))
}

fn id(text: &str) -> Result<OrganisationId, Failure> {
    text.parse().map_err(|error| Failure::told(Exit::Error, "identifier", error))
}

/// Whether this organisation said so already.
fn said(context: &Context, is_it: impl Fn(&SuccessionView) -> bool) -> Result<bool, Failure> {
    let client = context.client()?;
    let own = client.status()?.organisation;
    let is_own = |one: &SuccessionView| [&one.predecessor, &one.successor].contains(&&own);
    Ok(client.successions()?.iter().any(|one| is_own(one) && is_it(one)))
}

/// Signs with the root key, after asking: nobody unsays it. What was said is not signed again.
fn say(
    context: &Context,
    recovery: &Recovery,
    operation: IdentityOperation,
    is_said: bool,
    (question, name): (&str, &str),
) -> Outcome {
    if is_said {
        context.output.message(&context.texts.with("signed-before", &[("name", name.into())]));
        return list(context);
    }
    context.confirm(question)?;
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
    (question, nothing): (&str, &str),
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
    if conventions.is_empty() {
        context.say(nothing);
    }
    let spaces: Vec<_> = passed.iter().map(|(_, space)| space).collect();
    context.output.show("spaces", &spaces, || {
        let mut rows = Rows::new(context.output, &[context.texts.text("title")]);
        for (title, _) in &passed {
            rows.row([title.as_str()]);
        }
        if rows.is_empty() { context.texts.text("nothing-passed") } else { rows.to_string() }
    });
    for told in to_invite(context, spaces)? {
        context.output.message(&told);
    }
    Ok(Exit::Done)
}

/// Who needs an invitation from the organisation that takes these spaces, or took them: others, and
/// this one.
pub(super) fn to_invite<'a>(
    context: &Context,
    spaces: impl IntoIterator<Item = &'a SpaceView>,
) -> Result<Vec<String>, Failure> {
    let members: Vec<_> = spaces.into_iter().flat_map(|space| &space.to_invite).collect();
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let own = context.client()?.status()?.organisation;
    let others = members.iter().filter(|member| member.organisation != own);
    let names: BTreeSet<_> = others.map(|member| member.name.as_str()).collect();
    let mut told = Vec::new();
    if !names.is_empty() {
        let names: Vec<_> = names.into_iter().collect();
        told.push(context.texts.with("to-invite", &[("names", names.join("; ").into())]));
    }
    if members.iter().any(|member| member.organisation == own) {
        told.push(context.texts.text("to-be-invited"));
    }
    Ok(told)
}

/// That a convention passed: from whom, to whom, and when if that can be read here.
pub(super) fn passed(context: &Context, key: &str, passed: &PassedView) -> String {
    let texts = &context.texts;
    let arguments = [
        ("title", passed.title.clone().into()),
        ("predecessor", passed.predecessor_name.clone().into()),
        ("successor", passed.successor_name.clone().into()),
        ("date", passed.at.map_or_else(|| texts.text("date-unknown"), time).into()),
    ];
    texts.with(key, &arguments)
}

fn offer(context: &Context, to: &str, handing: &Handing) -> Outcome {
    let client = context.client()?;
    let (organisation, name) = other(context, to)?;
    if !said(context, |one| one.declared && one.successor == organisation)? {
        let whom = named(&name, &organisation);
        let arguments = [("detail", name.into()), ("whom", whom.into())];
        return Err(context.fail_with(Exit::NotPermitted, "not_declared", &arguments));
    }
    let own = client.status()?.organisation;
    let mut conventions = chosen(context, handing, |space| space.owner == own)?;
    if handing.all {
        let offered = |view: &ConventionView| view.space.offered_to.clone();
        let (before, due): (Vec<_>, Vec<_>) =
            conventions.into_iter().partition(|view| offered(view).is_some());
        conventions = due;
        let elsewhere = before.iter().filter(|view| offered(view).as_ref() != Some(&organisation));
        for view in elsewhere {
            let title = naming::title(&view.convention);
            let said = context.texts.with("offered-elsewhere", &[("title", title.into())]);
            context.output.message(&said);
        }
    }
    conventions.retain(|view| !(handing.all && view.space.directory));
    pass(context, &conventions, ("confirm-offer", "nothing-to-offer"), |space| {
        let request = OfferRequest { organisation: organisation.clone() };
        Ok(client.offer_space(space, &request)?)
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
    let nothing = if client.successions()?.iter().any(|one| one.successor == own && one.accepted) {
        "nothing-to-take"
    } else {
        "nothing-accepted"
    };
    pass(context, &conventions, ("confirm-take", nothing), |space| {
        let request = TakeRequest { operator: operator(authoring), successor: None };
        Ok(client.take_space(space, &request)?)
    })?;
    following::tell_left(context, &conventions)?;
    Ok(Exit::Done)
}
