//! `sincronia history`: who changed what, when, from what to what.

use super::{Outcome, record};
use crate::cli::arguments::Target;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::naming::{self, Organisations};
use crate::cli::sheet::origin;
use crate::output::foreign::safe_lines;
use crate::output::table::Rows;
use crate::output::value::shown;
use std::fmt::Write;

pub(super) fn run(context: &Context, target: &Target) -> Outcome {
    let texts = &context.texts;
    let found = naming::record(context, None, &target.record)?;
    let kind = record::parsed(context, &found.kind)?;
    let history = context.client()?.history(&found.space, &found.id)?;
    let names = Organisations::known(context)?.names();
    context.output.show("history", &history, || {
        let mut text = String::new();
        for step in &history {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", origin(&step.origin));
            if let Some(comment) = &step.comment {
                let _ = writeln!(text, "“{}”", safe_lines(comment, "  "));
            }
            let headings = ["field", "before", "after"].map(|key| texts.text(key));
            let mut rows = Rows::new(context.output, &headings);
            for (field, before, after) in &step.changes {
                let words = |json: &serde_json::Value| match kind.schema().named(field) {
                    Some(field) => shown(texts, &names, kind, &field.holds, json),
                    None => json.to_string(),
                };
                rows.row([texts.field(kind, field), words(before), words(after)]);
            }
            let _ = writeln!(text, "{rows}");
            for (field, values) in &step.settled {
                let words = |json: &serde_json::Value| match kind.schema().named(field) {
                    Some(field) => shown(texts, &names, kind, &field.holds, json),
                    None => json.to_string(),
                };
                let values: Vec<_> = values.iter().map(words).collect();
                let arguments = [
                    ("field", texts.field(kind, field).into()),
                    ("values", safe_lines(&values.join(" · "), "  ").into()),
                ];
                let _ = writeln!(text, "{}\n", texts.with("history-settled", &arguments));
            }
        }
        text
    });
    Ok(Exit::Done)
}
