//! `sincronia record late`: what is kept and does not count, for a person to write again.

use super::super::Outcome;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::naming::title;
use crate::output::table::Rows;
use crate::output::value::short;
use sincronia_node::api::QuarantineView;

pub(super) fn run(context: &Context) -> Outcome {
    let entries = context.client()?.quarantine()?;
    context.output.show("quarantine", &entries, || {
        if entries.is_empty() {
            return context.texts.text("nothing-late");
        }
        let headings = ["record", "organisation", "reason"].map(|key| context.texts.text(key));
        let mut rows = Rows::within(context.output, &headings);
        for entry in &entries {
            let reason = context.texts.find(&format!("late-{}", entry.reason), &[]);
            let reason = reason.unwrap_or_else(|| entry.reason.clone());
            rows.row([called(context, entry), entry.organisation_name.clone(), reason]);
        }
        format!("{rows}{}", context.texts.text("late-ask"))
    });
    Ok(Exit::Done)
}

/// The title of the record as it is now; of one that shows nothing, its identifier.
fn called(context: &Context, entry: &QuarantineView) -> String {
    let record = context.client().and_then(|one| Ok(one.record(&entry.space, &entry.record)?));
    match record {
        Ok(record) => format!("{} ({})", title(&record), short(&entry.record)),
        Err(_) => entry.record.clone(),
    }
}
