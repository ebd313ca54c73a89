//! `sincronia convention`: what the network is for.

pub(super) mod reaching;
mod writing;

use super::{Outcome, succession};
use crate::cli::arguments::Convention;
use crate::cli::context::Context;
use crate::cli::entering;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations};
use crate::cli::sheet;
use crate::language::suggestion::quoted;
use crate::output::table::Rows;
use sincronia_node::api::{
    ConventionView, ConventionsQuery, MemberRequest, RecordView, SetAsideView, SpaceView,
};
use sincronia_protocol::record::Kind;
use std::collections::BTreeSet;
use std::fmt::Write;

const COLUMNS: [&str; 5] = ["title", "instrument_kind", "parties", "effective_from", "end_date"];

pub(super) fn run(context: &Context, action: Convention) -> Outcome {
    match action {
        Convention::New(arguments) => writing::new(context, &arguments),
        Convention::Edit { convention, fields, seen } => {
            writing::edit(context, &convention, &fields, seen)
        }
        Convention::List { organisation, placement } => {
            list(context, organisation, placement.as_ref())
        }
        Convention::Show { convention, check } => show(context, &convention, check),
        Convention::Share { convention, organisation, role, history } => {
            share(context, &convention, &organisation, role, history)
        }
        Convention::Revoke { convention, organisation } => {
            revoke(context, &convention, &organisation)
        }
    }
}

fn list(context: &Context, organisation: Option<String>, placement: Option<&String>) -> Outcome {
    let is_narrowed = organisation.is_some() || placement.is_some();
    if let Some(code) = placement {
        entering::code(context, (Kind::Convention, "placement_kinds", "--placement"), code)?;
    }
    let client = context.client()?;
    let known = Organisations::known(context)?;
    let mut conventions: Vec<RecordView> = Vec::new();
    for wanted in known.wanted(context, organisation)? {
        let query = ConventionsQuery {
            organisation: wanted.organisation,
            formerly: wanted.formerly,
            placement_kind: placement.cloned(),
            changed_since: None,
        };
        let found = client.conventions(&query)?;
        let is_new = |one: &RecordView| !conventions.iter().any(|shown| shown.id == one.id);
        let found: Vec<_> = found.into_iter().filter(is_new).collect();
        conventions.extend(found);
    }
    let former: BTreeSet<_> = if context.output.json {
        BTreeSet::new()
    } else {
        let spaces = client.spaces()?.into_iter().filter(|space| space.role.is_none());
        spaces.map(|space| space.id).collect()
    };
    context.output.show("conventions", &conventions, || {
        if conventions.is_empty() && is_narrowed {
            return context.texts.text("nothing-found");
        }
        sheet::list(context, &known.names(), (Kind::Convention, &COLUMNS), &former, &conventions)
    });
    Ok(Exit::Done)
}

fn show(context: &Context, convention: &str, check: bool) -> Outcome {
    let view = naming::convention(context, convention)?;
    let known = Organisations::known(context)?;
    let mut names = known.names();
    let records: Vec<_> = view.records.iter().chain([&view.convention]).collect();
    naming::learn_titles(context, &mut names, &records)?;
    let mut hints = reaching::not_shared_yet(context, &known, &view)?;
    hints.extend(succession::due(context, &known, &view));
    hints.extend(succession::to_invite(context, [&view.space])?);
    context.output.show("convention", &view, || {
        let mut text = sheet::record(context, &names, &view.convention);
        for record in &view.records {
            let _ = write!(text, "\n{}", sheet::record(context, &names, record));
        }
        let _ = write!(text, "\n{}", shared_with(context, &view));
        for hint in &hints {
            let _ = writeln!(text, "{hint}");
        }
        text
    });
    let mut records = view.records.iter().chain([&view.convention]);
    let conflict = check && records.any(|record| !record.conflicts.is_empty());
    Ok(if conflict { Exit::Conflict } else { Exit::Done })
}

/// Who sees it: always on screen.
fn shared_with(context: &Context, view: &ConventionView) -> String {
    let texts = &context.texts;
    let headings = ["shared-with", "role"].map(|key| texts.text(key));
    let mut rows = Rows::new(context.output, &headings);
    rows.row([view.space.owner_name.clone(), texts.text("role-owner")]);
    for member in view.space.members.iter().filter(|one| one.organisation != view.space.owner) {
        rows.row([member.name.clone(), texts.text(&format!("role-{}", member.role))]);
    }
    let mut text = rows.to_string();
    if let Some(organisation) = &view.space.offered_to {
        let member = view.space.members.iter().find(|one| one.organisation == *organisation);
        let name = member.map_or(organisation, |member| &member.name);
        let _ = writeln!(text, "{}", texts.with("offered-to", &[("name", name.into())]));
    }
    for aside in &view.space.set_aside {
        let _ = writeln!(text, "{}", set_aside(context, aside));
    }
    if view.space.directory {
        let id = [("id", view.convention.id.as_str().into())];
        let _ = writeln!(text, "{}", texts.with("lies-in-directory", &id));
    }
    if view.space.role.is_none() {
        let _ = writeln!(text, "{}", texts.text("no-longer-shared"));
    }
    if let Some(passed) = &view.passed {
        let _ = writeln!(text, "{}", succession::passed(context, "passed", passed));
    }
    text
}

/// What was done at a machine that was not the primary any more and does not hold, in the words of
/// what it means now.
fn set_aside(context: &Context, aside: &SetAsideView) -> String {
    let texts = &context.texts;
    let what = aside.what.replace('_', "-");
    let name = aside.name.clone().unwrap_or_default();
    if aside.contradicts {
        let what = texts.text(&format!("set-aside-{what}"));
        return texts.with("contradicts", &[("what", what.into()), ("name", name.into())]);
    }
    let does_not_hold = format!("aside-{what}");
    texts.with(&does_not_hold, &[("name", name.into())])
}

/// Whether a convention has a space of its own: one that an older import put into the
/// directory cannot be shared without all that the directory holds.
fn apart(context: &Context, convention: &str, space: &SpaceView) -> Result<(), Failure> {
    if space.directory {
        let named = [("detail", convention.into()), ("record", quoted(convention).into())];
        return Err(context.fail_with(Exit::NotPermitted, "in_directory", &named));
    }
    Ok(())
}

/// What a member may do changes only when it is asked for: said twice, a carrier, which reads
/// nothing, would come to read and write everything.
fn share(
    context: &Context,
    convention: &str,
    organisation: &str,
    role: Option<String>,
    history: String,
) -> Outcome {
    let client = context.client()?;
    let space = naming::space_of_convention(context, convention)?;
    apart(context, convention, &space)?;
    let known = Organisations::known(context)?;
    let typed = [convention, organisation];
    let organisation = known.find_current(context, organisation)?;
    if organisation == known.own() {
        let named = [("detail", convention.into()), ("convention", quoted(convention).into())];
        return Err(context.fail_with(Exit::Usage, "share_self", &named));
    }
    let member = space.members.iter().find(|one| one.organisation == organisation);
    let held = member.map(|member| member.role.clone());
    if let (Some(held), Some(role)) = (&held, &role) {
        change_role(context, typed, &known.names().of(&organisation), (held, role))?;
    }
    let kept = held.is_some() && role.is_none();
    let is_from_now = held.is_none() && history == "now" && role.as_deref() != Some("carrier");
    let role = role.or(held).unwrap_or_else(|| "contributor".to_owned());
    let is_carrier = role == "carrier";
    let told = [("role", context.texts.text(&format!("role-{role}")).into())];
    let request = MemberRequest { organisation, role, history: Some(history) };
    let space = client.add_member(&space.id, &request)?;
    context.output.show("space", &space, || {
        if kept {
            context.texts.with("shared-already", &told)
        } else {
            context.texts.text("shared")
        }
    });
    if is_from_now {
        context.say("shared-from-now");
    }
    if is_carrier {
        context.say("shared-with-carrier");
    }
    Ok(Exit::Done)
}

fn change_role(
    context: &Context,
    [convention, whom]: [&str; 2],
    name: &str,
    (held, role): (&str, &str),
) -> Result<(), Failure> {
    let rank =
        |role: &str| ["carrier", "reader", "contributor"].iter().position(|one| *one == role);
    if rank(role) < rank(held) {
        let typed = [("convention", quoted(convention).into()), ("whom", quoted(whom).into())];
        let named = [&[("detail", name.into())], &typed[..]].concat();
        return Err(context.fail_with(Exit::Usage, "role_less", &named));
    }
    if role == held {
        return Ok(());
    }
    let shown = |role: &str| context.texts.text(&format!("role-{role}")).into();
    let arguments = [("name", name.into()), ("held", shown(held)), ("role", shown(role))];
    context.confirm(&context.texts.with("confirm-role", &arguments))
}

fn revoke(context: &Context, convention: &str, organisation: &str) -> Outcome {
    let client = context.client()?;
    let space = naming::space_of_convention(context, convention)?;
    apart(context, convention, &space)?;
    let known = Organisations::known(context)?;
    let id = known.find(context, organisation)?;
    let name = known.names().of(&id);
    if id == known.own() {
        return Err(context.fail(Exit::Usage, "revoke_self", convention));
    }
    let Some(member) = space.members.iter().find(|one| one.organisation == id) else {
        let named = [("detail", name.into()), ("convention", quoted(convention).into())];
        return Err(context.fail_with(Exit::NotFound, "not_shared_with", &named));
    };
    context.confirm(&context.texts.with("confirm-revoke", &[("name", name.clone().into())]))?;
    let revoked = client.remove_member(&space.id, &id)?;
    context.output.show("revocation", &revoked, || {
        let arguments = [("name", name.clone().into()), ("epoch", revoked.epoch.into())];
        context.texts.with("revoked", &arguments)
    });
    if member.role == "carrier" {
        let others = space
            .members
            .iter()
            .filter(|one| one.organisation != id && one.organisation != known.own());
        let names: Vec<_> = others.map(|one| one.name.as_str()).collect();
        let arguments = [("name", name.into()), ("names", names.join("; ").into())];
        context.output.message(&context.texts.with("carrier-revoked", &arguments));
    }
    Ok(Exit::Done)
}
