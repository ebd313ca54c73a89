//! `sincronia seats`: who has a free place, month by month.

use super::{Outcome, cover, record};
use crate::cli::arguments::{Authoring, Seats};
use crate::cli::context::Context;
use crate::cli::entering::value;
use crate::cli::failure::Failure;
use crate::cli::naming;
use serde_json::{Map, Value as Json};
use sincronia_node::api::{ConventionView, RecordView};
use sincronia_protocol::record::Kind;

/// An option, the field that it gives, and what was typed after it.
type Typed = (&'static str, &'static str, Option<String>);

const COLUMNS: [&str; 7] =
    ["convention", "org", "office", "month", "kind", "seats_free", "seats_used"];

pub(super) fn run(context: &Context, action: Seats) -> Outcome {
    match action {
        Seats::Set { convention, month, kind, free, used, authoring } => {
            let typed = [
                ("--month", "month", Some(month)),
                ("--kind", "kind", Some(kind)),
                ("--free", "seats_free", Some(free)),
                ("--used", "seats_used", used),
            ];
            set(context, &convention, &typed, &authoring)
        }
        Seats::List { convention } => {
            cover::list(context, Kind::Seats, &COLUMNS, "seats", convention.as_deref())
        }
    }
}

/// One record for each convention, month and kind of this organisation: a later count replaces it.
fn set(context: &Context, convention: &str, typed: &[Typed; 4], authoring: &Authoring) -> Outcome {
    let client = context.client()?;
    let view = naming::convention(context, convention)?;
    let own = client.status()?.organisation;
    let fields = fields(context, typed)?;
    if let Some(existing) = counted(&view, &own, &fields) {
        return record::edit(context, existing, fields, None, authoring);
    }
    let mut fields = fields;
    fields.insert("convention".to_owned(), view.convention.id.clone().into());
    fields.insert("org".to_owned(), own.into());
    record::create(context, &view.space.id, Kind::Seats, fields, authoring)
}

fn fields(context: &Context, typed: &[Typed]) -> Result<Map<String, Json>, Failure> {
    let given =
        typed.iter().filter_map(|(option, name, text)| Some((*option, *name, text.as_deref()?)));
    let of = |(option, name, text): (&'static str, &'static str, &str)| {
        context.note_option(name, option);
        Ok((name.to_owned(), value(context, Kind::Seats, name, text)?))
    };
    given.map(of).collect()
}

fn counted<'a>(
    view: &'a ConventionView,
    own: &str,
    fields: &Map<String, Json>,
) -> Option<&'a RecordView> {
    let same = |record: &&RecordView| {
        let equal = |name: &str| record.fields.get(name) == fields.get(name);
        let ours = record.created.as_ref().is_some_and(|origin| origin.organisation == own);
        record.kind == Kind::Seats.name() && ours && equal("month") && equal("kind")
    };
    view.records.iter().find(same)
}
