//! `sincronia succession follow`: in this organisation's own conventions the successor stands where
//! a body stood that is no more. What nobody can know is told, and waits for a person.

use super::{chosen, parties};
use crate::cli::arguments::{Authoring, Handing};
use crate::cli::commands::convention::reaching::not_shared_yet;
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
    /// It is in conflict who stands there.
    Conflict,
    /// More than one party is this body today.
    Same(String),
}

/// A convention in which somebody stands whose place was taken.
#[derive(Serialize)]
struct Left {
    convention: String,
    title: String,
    /// `divided`, `circle`, `conflict` or `same_body`.
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
    let current = |one: &String| match meant {
        Some(meant) if one == meant || !known.leads_to(one, meant) => Standing::Itself,
        Some(meant) => Standing::Other(meant.to_owned()),
        None => known.standing(one),
    };
    let all: Vec<_> = standing.iter().map(|one| (one, current(one))).collect();
    let are = |body: &String| {
        let is_it = |(one, now): &&(_, Standing)| {
            *one == body || matches!(now, Standing::Other(now) if now == body)
        };
        all.iter().filter(is_it).count()
    };
    let is_in_conflict = convention.conflicts.iter().any(|one| one.field == "parties");
    let place = |current: &Standing| match current {
        Standing::Itself => None,
        _ if is_in_conflict => Some(Place::Conflict),
        Standing::Other(now) if are(now) > 1 => Some(Place::Same(now.clone())),
        Standing::Other(now) => Some(Place::Open(now.clone())),
        Standing::Divided(body) => Some(Place::Divided(body.clone())),
        Standing::Circle => Some(Place::Circle),
    };
    all.iter().filter_map(|(one, now)| Some(((*one).clone(), place(now)?))).collect()
}

/// What waits for a person in a convention: of parties that are one body today, once.
fn left(
    context: &Context,
    known: &Organisations,
    convention: &RecordView,
    places: &[(String, Place)],
) -> Vec<Left> {
    let mut told: Vec<&Place> = Vec::new();
    let mut found = Vec::new();
    for (one, place) in places {
        if matches!(place, Place::Same(_) | Place::Conflict) && told.contains(&place) {
            continue;
        }
        told.push(place);
        let same = places.iter().filter(|(_, other)| other == place).map(|(one, _)| one);
        found.extend(left_there(context, known, convention, (one, place), same));
    }
    found
}

fn left_there<'a>(
    context: &Context,
    known: &Organisations,
    convention: &RecordView,
    (one, place): (&String, &'a Place),
    same: impl Iterator<Item = &'a String>,
) -> Option<Left> {
    let names = known.names();
    let (reason, key, successor, all) = match place {
        Place::Open(_) => return None,
        Place::Divided(body) => {
            let all = known.named_by(context, body).into_iter().map(|(_, name)| name);
            ("divided", "left-divided", String::new(), all.collect::<Vec<_>>())
        }
        Place::Circle => ("circle", "left-circle", String::new(), Vec::new()),
        Place::Conflict => ("conflict", "left-conflict", String::new(), Vec::new()),
        Place::Same(now) => {
            let is_party = parties(convention).any(|party| party == *now);
            let same: Vec<_> = same.chain(is_party.then_some(now)).collect();
            // With one role left it would have one party, which no convention has.
            let is_alone = parties(convention).all(|party| same.contains(&&party));
            let key = if is_alone { "one-body-alone" } else { "one-body-today" };
            let all = same.into_iter().map(|one| names.of(one));
            ("same_body", key, names.of(now), all.collect())
        }
    };
    let title = naming::title(convention);
    let arguments = [
        ("title", title.clone().into()),
        ("id", convention.id.clone().into()),
        ("name", names.of(one).into()),
        ("successor", successor.into()),
        ("names", all.join("; ").into()),
    ];
    let remedy = context.texts.with(key, &arguments);
    Some(Left { convention: convention.id.clone(), title, reason, remedy })
}

/// What a person has to decide in a convention about parties whose place was taken.
fn undecided(context: &Context, known: &Organisations, convention: &RecordView) -> Vec<Left> {
    left(context, known, convention, &places(known, convention, None))
}

/// Tells in which conventions somebody whose place was taken still stands as a party, and why no
/// program can say who stands there now; and which parties do not receive them, since the owner
/// before could not share them with those.
pub(super) fn tell_left(context: &Context, conventions: &[ConventionView]) -> Result<(), Failure> {
    let client = context.client()?;
    let known = Organisations::known(context)?;
    for view in conventions {
        let now = client.convention(&view.convention.id)?;
        if now.space.owner == known.own() {
            for left in undecided(context, &known, &now.convention) {
                context.output.message(&left.remedy);
            }
            for told in not_shared_yet(context, &known, &now)? {
                context.output.message(&told);
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
    let places = places(known, &view.convention, None);
    let open = places.iter().filter_map(|(one, place)| {
        let Place::Open(now) = place else { return None };
        let arguments = [
            ("name", names.of(one).into()),
            ("successor", names.of(now).into()),
            ("id", view.convention.id.clone().into()),
        ];
        Some(context.texts.with("follow-due", &arguments))
    });
    let left = left(context, known, &view.convention, &places);
    open.chain(left.into_iter().map(|left| left.remedy)).collect()
}

/// What was done, and what was not.
#[derive(Default)]
struct Outcomes {
    done: Vec<(String, SpaceView)>,
    waiting: Vec<Left>,
    /// Of those that stand somewhere now and read nothing.
    unreached: Vec<String>,
}

/// What one convention is followed with.
struct Following<'a> {
    context: &'a Context,
    known: &'a Organisations,
    request: TakeRequest,
}

/// All that is clear is done, and what is not is told: one body that was divided keeps no other
/// convention from being followed.
pub(super) fn follow(
    context: &Context,
    handing: &Handing,
    to: Option<&str>,
    authoring: &Authoring,
) -> Outcome {
    let known = Organisations::known(context)?;
    let successor = to.map(|to| known.find(context, to)).transpose()?;
    let request = TakeRequest { operator: operator(authoring), successor };
    let following = Following { context, known: &known, request };
    let mut conventions = chosen(context, handing, |space| space.owner == known.own())?;
    // Of others' conventions the node says who follows, before anything is done.
    if let Some(other) = conventions.iter().find(|view| view.space.owner != known.own()) {
        context.client()?.follow_successions(&other.space.id, &following.request)?;
    }
    conventions.retain(|view| !following.places(view).is_empty());
    if conventions.is_empty() {
        following.tell_nothing();
    }
    let mut outcomes = Outcomes::default();
    let all = conventions.iter();
    let failed = all.map(|view| following.one(view, &mut outcomes)).find_map(Result::err);
    let is_nothing = outcomes.done.is_empty() && outcomes.waiting.is_empty();
    match failed {
        Some(failure) if is_nothing => Err(failure),
        Some(failure) => {
            tell(context, &outcomes);
            Err(failure)
        }
        None => {
            tell(context, &outcomes);
            Ok(if outcomes.waiting.is_empty() { Exit::Done } else { Exit::Conflict })
        }
    }
}

impl Following<'_> {
    fn places(&self, view: &ConventionView) -> Vec<(String, Place)> {
        places(self.known, &view.convention, self.request.successor.as_deref())
    }

    fn one(&self, view: &ConventionView, outcomes: &mut Outcomes) -> Result<(), Failure> {
        let places = self.places(view);
        let is_open = |one: &(String, Place)| matches!(one.1, Place::Open(_));
        let is_clear = |one: &(String, Place)| is_open(one) || matches!(one.1, Place::Same(_));
        if !(places.iter().any(is_open) && places.iter().all(is_clear)) {
            outcomes.waiting.extend(left(self.context, self.known, &view.convention, &places));
            return Ok(());
        }
        let title = naming::title(&view.convention);
        let named = [("title", title.as_str().into())];
        match self.context.confirm(&self.context.texts.with("confirm-follow", &named)) {
            // Who says no to one may say yes to the next.
            Err(declined) if declined.code == "declined" => return Ok(()),
            answer => answer?,
        }
        let client = self.context.client()?;
        let space = client.follow_successions(&view.space.id, &self.request)?;
        let now = client.convention(&view.convention.id)?;
        if parties(&now.convention).ne(parties(&view.convention)) {
            outcomes.done.push((title, space));
            outcomes.unreached.extend(not_shared_yet(self.context, self.known, &now)?);
        }
        outcomes.waiting.extend(undecided(self.context, self.known, &now.convention));
        Ok(())
    }

    fn tell_nothing(&self) {
        let texts = &self.context.texts;
        let name = self.request.successor.as_deref().map(|one| self.known.names().of(one));
        self.context.output.message(&match name {
            Some(name) => texts.with("nothing-to-follow-to", &[("name", name.into())]),
            None => texts.text("nothing-to-follow"),
        });
    }
}

fn tell(context: &Context, outcomes: &Outcomes) {
    let texts = &context.texts;
    let Outcomes { done, waiting, unreached } = outcomes;
    let spaces: Vec<_> = done.iter().map(|(_, space)| space).collect();
    context.output.show("followed", &Followed { spaces, left: waiting }, || {
        let mut followed = Rows::new(context.output, &[texts.text("followed")]);
        for (title, _) in done {
            followed.row([title.as_str()]);
        }
        let mut left = Rows::new(context.output, &[texts.text("left-to-decide")]);
        for one in waiting {
            left.row([one.title.as_str()]);
        }
        let tables = [followed, left].into_iter().filter(|rows| !rows.is_empty());
        let tables: Vec<_> = tables.map(|rows| rows.to_string()).collect();
        if tables.is_empty() { texts.text("nothing-passed") } else { tables.join("\n") }
    });
    let remedies = waiting.iter().map(|left| &left.remedy);
    remedies.chain(unreached).for_each(|told| context.output.message(told));
}
