//! `sincronia conflict`: two values stand side by side until a person chooses.

use super::{Outcome, operator, record};
use crate::cli::arguments::{Checking, Conflict};
use crate::cli::context::Context;
use crate::cli::entering::value;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations, title};
use crate::cli::sheet;
use crate::output::table::Rows;
use crate::output::value::short;
use serde_json::Value as Json;
use sincronia_node::api::{RecordView, ResolveRequest};
use sincronia_protocol::record::Kind;

pub(super) fn run(context: &Context, action: Conflict) -> Outcome {
    match action {
        Conflict::List(checking) => list(context, &checking),
        Conflict::Show(target) => show(context, &naming::record(context, None, &target.record)?),
        Conflict::Resolve { record, field, take, value: text, empty, authoring } => {
            let found = naming::record(context, None, &record)?;
            let kind = record::parsed(context, &found.kind)?;
            let field = named(context, kind, field);
            let (value, entry) = match (take, text) {
                (Some(number), _) => (None, Some(chosen(context, &found, &field, number)?)),
                (None, Some(text)) => (Some(value(context, kind, &field, &text)?), None),
                (None, None) if empty => (Some(Json::Null), None),
                (None, None) => return Err(context.fail(Exit::Usage, "no_choice", &found.id)),
            };
            let comment = authoring.comment.clone();
            let operator = operator(&authoring);
            let request = ResolveRequest { field, value, entry, operator, comment };
            let resolved = context.client()?.resolve(&found.space, &found.id, &request)?;
            record::show(context, &resolved)
        }
    }
}

fn list(context: &Context, checking: &Checking) -> Outcome {
    let texts = &context.texts;
    let records = context.client()?.conflicts()?;
    context.output.show("conflicts", &records, || {
        let headings = ["kind", "title", "fields", "id"].map(|key| texts.text(key));
        let mut rows = Rows::new(context.output, &headings);
        for record in &records {
            let kind = record.kind.parse();
            let label = |field: &str| {
                kind.map_or_else(|_| field.to_owned(), |kind| texts.field(kind, field))
            };
            let fields: Vec<_> =
                record.conflicts.iter().map(|conflict| label(&conflict.field)).collect();
            let kind = kind.map_or_else(|_| record.kind.clone(), |kind| texts.kind(kind));
            rows.urgent([kind, title(record), fields.join(", "), short(&record.id)]);
        }
        if rows.is_empty() { texts.text("no-conflicts") } else { rows.to_string() }
    });
    let open = checking.check && !records.is_empty();
    Ok(if open { Exit::Conflict } else { Exit::Done })
}

fn show(context: &Context, record: &RecordView) -> Outcome {
    let kind = record::parsed(context, &record.kind)?;
    let names = Organisations::known(context)?.names();
    context.output.show("conflict", &record.conflicts, || {
        if record.conflicts.is_empty() {
            return context.texts.text("no-conflicts");
        }
        let each = record.conflicts.iter();
        let mut text: String =
            each.map(|conflict| sheet::conflict(context, &names, kind, conflict)).collect();
        if let Some(first) = record.conflicts.first() {
            let example = [("id", record.id.clone().into()), ("field", first.field.clone().into())];
            text.push_str(&context.texts.with("conflict-how", &example));
        }
        text
    });
    Ok(Exit::Done)
}

/// The field that a person names as it is shown, or as it is called in files.
fn named(context: &Context, kind: Kind, text: String) -> String {
    let wanted = text.trim().to_lowercase();
    let is_meant = |name: &str| {
        let label = context.texts.field(kind, name).to_lowercase();
        let short = label.split(" (").next().map(str::to_owned);
        name == wanted || label == wanted || short.as_deref() == Some(wanted.as_str())
    };
    let mut names = kind.schema().fields().iter().map(|field| field.name);
    names.find(|name| is_meant(name)).map_or(text, str::to_owned)
}

/// The entry whose value has this number in `conflict show`.
fn chosen(
    context: &Context,
    record: &RecordView,
    field: &str,
    number: usize,
) -> Result<String, Failure> {
    let conflict = record.conflicts.iter().find(|conflict| conflict.field == field);
    let conflict = conflict.ok_or_else(|| context.fail(Exit::NotFound, "no_conflict", field))?;
    let value = number.checked_sub(1).and_then(|at| conflict.values.get(at));
    let value = value.ok_or_else(|| {
        let (count, id) = (conflict.values.len().to_string(), record.id.as_str());
        let arguments = [("detail", count.into()), ("id", id.into())];
        context.fail_with(Exit::Usage, "no_such_value", &arguments)
    })?;
    Ok(value.origin.entry.clone())
}
