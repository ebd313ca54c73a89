//! `sincronia succession follow`: in this organisation's own conventions the successor stands where
//! a body stood that is no more. What nobody can know is told, and waits for a person.

use super::{chosen, parties, to_invite};
use crate::cli::arguments::{Authoring, Handing};
use crate::cli::commands::{Outcome, operator};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations, Standing};
use crate::output::table::Rows;
use serde::Serialize;
use sincronia_node::api::{ConventionView, RecordView, SpaceView, TakeRequest};

/// A party whose place was taken, and why it still stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Nobody put the successor there yet.
    Open(String),
    /// A body that was divided: its identifier.
    Divided(String),
    /// Each takes the other's place.
    Circle,
    /// The successor is a party itself.
    Both,
}

/// A convention in which somebody stands whose place was taken.
#[derive(Serialize)]
struct Left {
    convention: String,
    title: String,
    /// `divided`, `circle` or `both_parties`.
    reason: &'static str,
    /// What a person does about it.
    remedy: String,
}

/// What was followed, and what waits for a person.
#[derive(Serialize)]
struct Followed<'a> {
    spaces: Vec<&'a SpaceView>,
    left: &'a [Left],
}

/// The parties whose place was taken, in the order in which they stand there, and what is to be
/// done about each; those alone that lead to the successor that is meant, if one is.
fn places(
    known: &Organisations,
    convention: &RecordView,
    meant: Option<&str>,
) -> Vec<(String, Place)> {
    let standing: Vec<_> = parties(convention).collect();
    let place = |one: &String| {
        let current = match meant {
            Some(meant) if one == meant || !known.leads_to(one, meant) => Standing::Itself,
            Some(meant) => Standing::Other(meant.to_owned()),
            None => known.standing(one),
        };
        match current {
            Standing::Itself => None,
            Standing::Other(now) if standing.contains(&now) => Some(Place::Both),
            Standing::Other(now) => Some(Place::Open(now)),
            Standing::Divided(body) => Some(Place::Divided(body)),
            Standing::Circle => Some(Place::Circle),
        }
    };
    standing.iter().filter_map(|one| Some((one.clone(), place(one)?))).collect()
}

fn left(
    context: &Context,
    known: &Organisations,
    convention: &RecordView,
    (one, place): &(String, Place),
) -> Option<Left> {
    let (reason, key, names) = match place {
        Place::Open(_) => return None,
        Place::Divided(body) => {
            let names = known.named_by(context, body).into_iter().map(|(_, name)| name);
            ("divided", "left-divided", names.collect::<Vec<_>>().join("; "))
        }
        Place::Circle => ("circle", "left-circle", String::new()),
        Place::Both => ("both_parties", "both-are-parties", String::new()),
    };
    let title = naming::title(convention);
    let arguments = [
        ("title", title.clone().into()),
        ("id", convention.id.clone().into()),
        ("name", known.names().of(one).into()),
        ("names", names.into()),
    ];
    let remedy = context.texts.with(key, &arguments);
    Some(Left { convention: convention.id.clone(), title, reason, remedy })
}

/// What a person has to decide in a convention about parties whose place was taken.
fn undecided(context: &Context, known: &Organisations, convention: &RecordView) -> Vec<Left> {
    let places = places(known, convention, None);
    places.iter().filter_map(|one| left(context, known, convention, one)).collect()
}

/// Tells in which conventions somebody whose place was taken still stands as a party, and why no
/// program can say who stands there now.
pub(super) fn tell_left(context: &Context, conventions: &[ConventionView]) -> Result<(), Failure> {
    let client = context.client()?;
    let known = Organisations::known(context)?;
    for view in conventions {
        let now = client.convention(&view.convention.id)?;
        if now.space.owner == known.own() {
            for left in undecided(context, &known, &now.convention) {
                context.output.message(&left.remedy);
            }
        }
    }
    Ok(())
}

/// What the owner of a convention is told who looks at it, of parties whose place was taken.
pub(in crate::cli::commands) fn due(
    context: &Context,
    known: &Organisations,
    view: &ConventionView,
) -> Vec<String> {
    if view.space.owner != known.own() {
        return Vec::new();
    }
    let names = known.names();
    let told = places(known, &view.convention, None).into_iter().filter_map(|place| {
        if let (one, Place::Open(now)) = &place {
            let arguments = [
                ("name", names.of(one).into()),
                ("successor", names.of(now).into()),
                ("id", view.convention.id.clone().into()),
            ];
            return Some(context.texts.with("follow-due", &arguments));
        }
        left(context, known, &view.convention, &place).map(|left| left.remedy)
    });
    told.collect()
}

/// All that is clear is done, and what is not is told: one body that was divided keeps no other
/// convention from being followed.
pub(super) fn follow(
    context: &Context,
    handing: &Handing,
    to: Option<&str>,
    authoring: &Authoring,
) -> Outcome {
    let client = context.client()?;
    let known = Organisations::known(context)?;
    let meant = to.map(|to| known.find(context, to)).transpose()?;
    let conventions = chosen(context, handing, |space| space.owner == known.own())?;
    let (mut done, mut waiting, mut is_any) = (Vec::new(), Vec::new(), false);
    for view in conventions {
        let places = places(&known, &view.convention, meant.as_deref());
        is_any |= !places.is_empty();
        let is_clear = |one: &(String, Place)| !matches!(one.1, Place::Divided(_) | Place::Circle);
        let is_open = places.iter().any(|(_, place)| matches!(place, Place::Open(_)));
        if !(is_open && places.iter().all(is_clear)) {
            let all = places.iter();
            waiting.extend(all.filter_map(|one| left(context, &known, &view.convention, one)));
            continue;
        }
        let title = naming::title(&view.convention);
        let asked = context.texts.with("confirm-follow", &[("title", title.as_str().into())]);
        match context.confirm(&asked) {
            Ok(()) => {}
            // Who says no to one may say yes to the next.
            Err(declined) if declined.code == "declined" => continue,
            Err(failure) => return Err(failure),
        }
        let successor = meant.clone();
        let request = TakeRequest { operator: operator(authoring), successor };
        let space = client.follow_successions(&view.space.id, &request)?;
        let now = client.convention(&view.convention.id)?.convention;
        if parties(&now).ne(parties(&view.convention)) {
            done.push((title, space));
        }
        waiting.extend(undecided(context, &known, &now));
    }
    tell(context, &done, &waiting, is_any)?;
    Ok(if waiting.is_empty() { Exit::Done } else { Exit::Conflict })
}

fn tell(
    context: &Context,
    done: &[(String, SpaceView)],
    waiting: &[Left],
    is_any: bool,
) -> Result<(), Failure> {
    let texts = &context.texts;
    if !is_any {
        context.say("nothing-to-follow");
    }
    let spaces: Vec<_> = done.iter().map(|(_, space)| space).collect();
    context.output.show("followed", &Followed { spaces: spaces.clone(), left: waiting }, || {
        let mut followed = Rows::new(context.output, &[texts.text("followed")]);
        done.iter().for_each(|(title, _)| followed.row([title.as_str()]));
        let mut left = Rows::new(context.output, &[texts.text("left-to-decide")]);
        waiting.iter().for_each(|one| left.row([one.title.as_str()]));
        let tables = [followed, left].into_iter().filter(|rows| !rows.is_empty());
        let tables: Vec<_> = tables.map(|rows| rows.to_string()).collect();
        if tables.is_empty() { texts.text("nothing-passed") } else { tables.join("\n") }
    });
    for left in waiting {
        context.output.message(&left.remedy);
    }
    for told in to_invite(context, spaces)? {
        context.output.message(&told);
    }
    Ok(())
}
