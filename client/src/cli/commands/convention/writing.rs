//! New conventions and changes of old ones.

use super::reaching;
use crate::cli::arguments::{ConventionFields, NewConvention};
use crate::cli::commands::{Outcome, operator, succession};
use crate::cli::context::Context;
use crate::cli::entering::{self, fields, inline, resolve};
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations};
use crate::cli::sheet;
use crate::language::suggestion::quoted;
use crate::output::value::Names;
use serde_json::{Map, Value as Json, json};
use sincronia_node::api::{
    ConventionRequest, ConventionView, ConventionsQuery, EditRequest, PassedView, RecordView,
};
use sincronia_protocol::record::Kind;

type Fields = Map<String, Json>;

pub(super) fn new(context: &Context, arguments: &NewConvention) -> Outcome {
    let (mut asked, belongings) = asked(context, &arguments.fields)?;
    asked.extend(belongings);
    let mut take = |name: &str, kind: Kind, typed: &[String]| {
        let mut records = listed(context, &mut asked, name)?;
        for record in &mut records {
            resolve(context, kind, record)?;
        }
        for text in typed {
            records.push(inline(context, kind, text)?);
        }
        Ok::<_, Failure>(records)
    };
    let covers = take("covers", Kind::Cover, &arguments.covers)?;
    let duties = take("responsibilities", Kind::Responsibility, &arguments.responsibilities)?;
    let objectives = take("objectives", Kind::Objective, &arguments.objectives)?;
    let mut seats = take("seats", Kind::Seats, &arguments.seats)?;
    let own = context.client()?.status()?.organisation;
    // As `seats set` does: nobody could tell whose free places they are.
    for record in &mut seats {
        record.entry("org").or_insert_with(|| own.clone().into());
    }
    let authoring = &arguments.fields.entering.authoring;
    let request = ConventionRequest {
        fields: asked,
        covers,
        responsibilities: duties,
        objectives,
        seats,
        share: Some(!arguments.private),
        operator: operator(authoring),
        comment: authoring.comment.clone(),
    };
    ask_first(context, &request, &own)?;
    let made = context.client()?.create_convention(&request)?;
    let outcome = written(context, &made)?;
    reaching::tell(context, &made, &[])?;
    Ok(outcome)
}

/// A convention in which its own body is no party is shared all the same; and of two with one title
/// each has to be named by its identifier from then on.
fn ask_first(context: &Context, request: &ConventionRequest, own: &str) -> Result<(), Failure> {
    let client = context.client()?;
    let title = request.fields.get("title").and_then(Json::as_str).unwrap_or_default();
    let same = |one: &RecordView| one.fields.get("title").and_then(Json::as_str) == Some(title);
    if let Some(other) =
        client.conventions(&ConventionsQuery::default())?.iter().find(|one| same(one))
    {
        let told = [("title", title.to_owned().into()), ("id", other.id.clone().into())];
        context.output.message(&context.texts.with("title-twice", &told));
    }
    let mut parties = parties(&request.fields).peekable();
    if parties.peek().is_some() && request.share != Some(false) && !parties.any(|one| one == own) {
        context.confirm(&context.texts.text("confirm-no-party"))?;
    }
    Ok(())
}

/// The organisations that a convention names as parties.
pub(super) fn parties(fields: &Fields) -> impl Iterator<Item = &str> {
    let list = fields.get("parties").and_then(Json::as_array);
    list.into_iter().flatten().filter_map(|party| party.get("org")?.as_str())
}

/// Who is named as a party, and only reads here or carries, goes on doing so until somebody says
/// otherwise.
fn party_as(role: &str, names: &Names, view: &ConventionView) -> Option<String> {
    let all: Vec<_> = parties(&view.convention.fields).collect();
    let reads = view.space.members.iter().filter(|one| one.role == role);
    let reads = reads.filter(|one| all.contains(&one.organisation.as_str()));
    let reads: Vec<_> = reads.map(|one| names.of(&one.organisation)).collect();
    (!reads.is_empty()).then(|| reads.join(", "))
}

pub(super) fn edit(
    context: &Context,
    convention: &str,
    given: &ConventionFields,
    seen: Option<String>,
) -> Outcome {
    let (fields, belongings) = asked(context, given)?;
    if let Some(name) = belongings.keys().next() {
        let named = [("detail", name.as_str().into()), ("convention", quoted(convention).into())];
        return Err(context.fail_with(Exit::Usage, "only_when_new", &named));
    }
    if fields.is_empty() {
        return Err(context.fail(Exit::Usage, "nothing_to_change", ""));
    }
    let before = naming::convention(context, convention)?;
    let found = &before.convention;
    entering::confirm_emptied(context, Kind::Convention, found, &fields)?;
    let authoring = &given.entering.authoring;
    let comment = authoring.comment.clone();
    let request = EditRequest { fields, seen, operator: operator(authoring), comment };
    let view = context.client()?.edit_convention(&found.id, &request)?;
    let outcome = written(context, &view)?;
    reaching::tell(context, &view, &before.space.members)?;
    let left: Vec<_> = parties(&found.fields).collect();
    reaching::tell_of_left(context, &view, &left)?;
    Ok(outcome)
}

fn written(context: &Context, view: &ConventionView) -> Outcome {
    let known = Organisations::known(context)?;
    let names = known.names();
    let text = || sheet::record(context, &names, &view.convention);
    context.output.show("convention", view, text);
    for told in reaching::not_shared_yet(context, &known, view)? {
        context.output.message(&told);
    }
    for (role, key) in [("reader", "party-reads-only"), ("carrier", "party-carries-only")] {
        if let Some(names) = party_as(role, &names, view) {
            let told = [("names", names.into()), ("id", view.convention.id.clone().into())];
            context.output.message(&context.texts.with(key, &told));
        }
    }
    // It may still write, until the new owner removes it; but it writes where another stands now.
    let own = known.own();
    let is_own = |one: &&PassedView| {
        one.predecessor == own || (one.successor != own && known.leads_to(own, &one.successor))
    };
    if let Some(passed) = view.passed.as_ref().filter(is_own) {
        context.output.message(&succession::passed(context, "passed-and-edited", passed));
    }
    Ok(Exit::Done)
}

/// The fields of the convention, and the records that a file gives with it.
fn asked(context: &Context, given: &ConventionFields) -> Result<(Fields, Fields), Failure> {
    let (placements, joined) = (&given.placements, given.placements.join("|"));
    let options = [
        ("--title", "title", given.title.as_deref()),
        ("--subject", "subject", given.subject.as_deref()),
        ("--kind", "instrument_kind", given.kind.as_deref()),
        ("--placement", "placement_kinds", (!placements.is_empty()).then_some(joined.as_str())),
        ("--from", "effective_from", given.from.as_deref()),
        ("--until", "end_date", given.until.as_deref()),
        ("--seats-total", "seats_total", given.seats_total.as_deref()),
        ("--seats-reserved", "seats_reserved", given.seats_reserved.as_deref()),
        ("--renewal", "renewal_mode", given.renewal.as_deref()),
        ("--withdrawal-notice", "withdrawal_notice_days", given.withdrawal_notice.as_deref()),
        (
            "--verification-every",
            "verification_interval_months",
            given.verification_every.as_deref(),
        ),
    ];
    let mut all = fields(context, Kind::Convention, &given.entering, &options)?;
    if !given.parties.is_empty() {
        context.note_option("parties", "--party");
        let parties = given.parties.iter().map(|text| party(context, text));
        all.insert("parties".to_owned(), Json::Array(parties.collect::<Result<_, _>>()?));
        entering::resolve(context, Kind::Convention, &mut all)?;
    }
    let belongings = ["covers", "responsibilities", "objectives", "seats"];
    let belongings = belongings.iter().filter_map(|name| all.remove_entry(*name)).collect();
    Ok((all, belongings))
}

/// `ORGANISATION:ROLE`; the name of an organisation may hold a colon, a role does not.
fn party(context: &Context, text: &str) -> Result<Json, Failure> {
    let parts = text.rsplit_once(':').map(|(name, role)| (name.trim(), role.trim()));
    let parts = parts.filter(|(name, role)| !name.is_empty() && !role.is_empty());
    let (name, role) = parts.ok_or_else(|| context.fail(Exit::Usage, "party", text))?;
    Ok(json!({"org": name, "role": role}))
}

fn listed(context: &Context, fields: &mut Fields, name: &str) -> Result<Vec<Fields>, Failure> {
    let Some(list) = fields.remove(name) else { return Ok(Vec::new()) };
    serde_json::from_value(list)
        .map_err(|error| context.fail(Exit::Usage, "file", &format!("{name}: {error}")))
}
