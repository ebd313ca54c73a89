//! `sincronia search`: one box over all fields.

use super::{Outcome, record};
use crate::cli::arguments::Search;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::naming::Organisations;
use crate::output::table::Rows;
use crate::output::value::short;
use sincronia_node::api::SearchQuery;

pub(super) fn run(context: &Context, arguments: Search) -> Outcome {
    let texts = &context.texts;
    if let Some(kind) = &arguments.kind {
        record::parsed(context, kind)?;
    }
    let query =
        SearchQuery { q: arguments.words.join(" "), kind: arguments.kind, limit: arguments.limit };
    let hits = context.client()?.search(&query)?;
    Organisations::known(context)?.tell_former(context, &query.q);
    context.output.show("search", &hits, || {
        let headings = ["kind", "title", "partner", "field", "text", "id"];
        let mut rows = Rows::new(context.output, &headings.map(|key| texts.text(key)));
        for hit in &hits {
            let kind = hit.kind.parse();
            let field =
                kind.map_or_else(|_| hit.field.clone(), |kind| texts.field(kind, &hit.field));
            rows.row([
                kind.map_or_else(|_| hit.kind.clone(), |kind| texts.kind(kind)),
                hit.title.clone(),
                hit.organisation_name.clone(),
                field,
                hit.text.clone(),
                short(&hit.record),
            ]);
        }
        if rows.is_empty() { texts.text("nothing-found") } else { rows.to_string() }
    });
    Ok(if hits.is_empty() { Exit::NotFound } else { Exit::Done })
}
