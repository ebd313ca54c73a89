//! New conventions and changes of old ones.

use crate::cli::arguments::{ConventionFields, NewConvention};
use crate::cli::commands::{Outcome, operator, succession};
use crate::cli::context::Context;
use crate::cli::entering::{self, fields, inline, resolve};
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations};
use crate::cli::sheet;
use serde_json::{Map, Value as Json, json};
use sincronia_node::api::{ConventionRequest, ConventionView, EditRequest};
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
    let seats = take("seats", Kind::Seats, &arguments.seats)?;
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
    written(context, &context.client()?.create_convention(&request)?)
}

pub(super) fn edit(
    context: &Context,
    convention: &str,
    given: &ConventionFields,
    seen: Option<String>,
) -> Outcome {
    let (fields, belongings) = asked(context, given)?;
    if let Some(name) = belongings.keys().next() {
        return Err(context.fail(Exit::Usage, "only_when_new", name));
    }
    if fields.is_empty() {
        return Err(context.fail(Exit::Usage, "nothing_to_change", ""));
    }
    let authoring = &given.entering.authoring;
    let comment = authoring.comment.clone();
    let request = EditRequest { fields, seen, operator: operator(authoring), comment };
    let convention = naming::convention(context, convention)?.convention.id;
    written(context, &context.client()?.edit_convention(&convention, &request)?)
}

fn written(context: &Context, view: &ConventionView) -> Outcome {
    let known = Organisations::known(context)?;
    let names = known.names();
    let text = || sheet::record(context, &names, &view.convention);
    context.output.show("convention", view, text);
    if let Some(told) = super::not_shared_yet(context, &names, view) {
        context.output.message(&told);
    }
    // It may still write, until the new owner removes it; but it writes where another stands now.
    if let Some(passed) = view.passed.as_ref().filter(|one| one.predecessor == known.own()) {
        context.output.message(&succession::passed(context, "passed-and-edited", passed));
    }
    Ok(Exit::Done)
}

/// The fields of the convention, and the records that a file gives with it.
fn asked(context: &Context, given: &ConventionFields) -> Result<(Fields, Fields), Failure> {
    let (placements, joined) = (&given.placements, given.placements.join("|"));
    let named = [
        ("title", given.title.as_deref()),
        ("subject", given.subject.as_deref()),
        ("instrument_kind", given.kind.as_deref()),
        ("placement_kinds", (!placements.is_empty()).then_some(joined.as_str())),
        ("effective_from", given.from.as_deref()),
        ("end_date", given.until.as_deref()),
        ("seats_total", given.seats_total.as_deref()),
        ("seats_reserved", given.seats_reserved.as_deref()),
        ("renewal_mode", given.renewal.as_deref()),
        ("withdrawal_notice_days", given.withdrawal_notice.as_deref()),
        ("verification_interval_months", given.verification_every.as_deref()),
    ];
    let mut all = fields(context, Kind::Convention, &given.entering, &named)?;
    if !given.parties.is_empty() {
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
