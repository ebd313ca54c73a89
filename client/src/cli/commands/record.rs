//! `sincronia record`: records of any kind.

mod fields;
mod late;

use super::{Outcome, operator};
use crate::cli::arguments::{Authoring, Entering, Record};
use crate::cli::context::Context;
use crate::cli::entering;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations, title};
use crate::cli::sheet;
use crate::output::table::Rows;
use crate::output::value::short;
use serde_json::{Map, Value as Json};
use sincronia_node::api::{EditRequest, NewRecordRequest, RecordView, RecordsQuery};
use sincronia_protocol::record::Kind;

pub(super) fn run(context: &Context, action: Record) -> Outcome {
    match action {
        Record::New { kind, space, entering } => {
            let kind = parsed(context, &kind)?;
            let fields = entering::fields(context, kind, &entering, &[])?;
            let space = match space {
                Some(space) => naming::space_of_convention(context, &space)?.id,
                None => directory(context)?,
            };
            create(context, &space, kind, fields, &entering.authoring)
        }
        Record::List { kind, space } => list(context, kind, space),
        Record::Fields { kind } => fields::run(context, kind.as_deref()),
        Record::Late(arguments) => late::run(context, &arguments),
        Record::Show(target) => show(context, &naming::record(context, None, &target.record)?),
        Record::Edit { record, entering, seen } => {
            let record = naming::record(context, None, &record)?;
            let kind = parsed(context, &record.kind)?;
            let fields = fields(context, kind, &entering)?;
            edit(context, &record, fields, seen, &entering.authoring)
        }
    }
}

fn fields(
    context: &Context,
    kind: Kind,
    entering: &Entering,
) -> Result<Map<String, Json>, Failure> {
    entering::fields(context, kind, entering, &[])
}

pub(super) fn parsed(context: &Context, kind: &str) -> Result<Kind, Failure> {
    kind.parse().map_err(|_| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        context.fail(Exit::Usage, "unknown_kind", &known.join(", "))
    })
}

/// The space in which this organisation tells its partners about itself.
pub(super) fn directory(context: &Context) -> Result<String, Failure> {
    let own = context.client()?.spaces()?.into_iter().find(|space| space.directory);
    own.map(|space| space.id).ok_or_else(|| context.fail(Exit::NotFound, "no_own_space", ""))
}

pub(super) fn create(
    context: &Context,
    space: &str,
    kind: Kind,
    fields: Map<String, Json>,
    authoring: &Authoring,
) -> Outcome {
    let request = NewRecordRequest {
        kind: kind.name().to_owned(),
        fields,
        operator: operator(authoring),
        comment: authoring.comment.clone(),
    };
    show(context, &context.client()?.create_record(space, &request)?)
}

pub(super) fn edit(
    context: &Context,
    record: &RecordView,
    fields: Map<String, Json>,
    seen: Option<String>,
    authoring: &Authoring,
) -> Outcome {
    if fields.is_empty() {
        return Err(context.fail(Exit::Usage, "nothing_to_change", ""));
    }
    if let Ok(kind) = record.kind.parse() {
        entering::confirm_emptied(context, kind, record, &fields)?;
    }
    let comment = authoring.comment.clone();
    let request = EditRequest { fields, seen, operator: operator(authoring), comment };
    show(context, &context.client()?.edit_record(&record.space, &record.id, &request)?)
}

pub(super) fn show(context: &Context, record: &RecordView) -> Outcome {
    if context.output.json {
        context.output.document("record", record);
    } else {
        let known = Organisations::known(context)?;
        let mut names = known.names();
        naming::learn_titles(context, &mut names, &[record])?;
        let mut text = sheet::record(context, &names, record);
        text.extend(divided(context, &known, record));
        context.output.text(&text);
    }
    Ok(Exit::Done)
}

/// What the sheet of a divided body tells of one successor is true of several.
fn divided(context: &Context, known: &Organisations, record: &RecordView) -> Option<String> {
    let is_sheet = record.kind == Kind::Organisation.name();
    let body = record.created.as_ref().filter(|_| is_sheet)?;
    known.divided_among(context, &body.organisation)
}

fn list(context: &Context, kind: Option<String>, space: Option<String>) -> Outcome {
    let kind = kind.map(|kind| parsed(context, &kind)).transpose()?;
    let kind = kind.map(|kind| kind.name().to_owned());
    let query = RecordsQuery { kind, space, ..RecordsQuery::default() };
    let records = context.client()?.records(&query)?;
    let texts = &context.texts;
    context.output.show("records", &records, || {
        let headings = ["kind", "title", "state", "id"].map(|key| texts.text(key));
        let mut rows = Rows::new(context.output, &headings);
        for record in &records {
            let (title, id) = (title(record), short(&record.id));
            // A newer node may have kinds of which nothing is known here.
            let Ok(kind) = record.kind.parse::<Kind>() else {
                rows.row([record.kind.clone(), title, texts.text("ok"), id]);
                continue;
            };
            let (state, is_urgent) = sheet::standing::of_record(texts, kind, record);
            let cells = [texts.kind(kind), title, state, id];
            if is_urgent { rows.urgent(cells) } else { rows.row(cells) }
        }
        if rows.is_empty() { texts.text("nothing-here") } else { rows.to_string() }
    });
    Ok(Exit::Done)
}
