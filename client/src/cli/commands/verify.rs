//! `sincronia verify`: whether everything stored is what its authors signed.

use super::Outcome;
use crate::cli::arguments::Verify;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::output::progress::Progress;
use sincronia_node::api::{VerifyReport, VerifyStoreRequest};

pub(super) fn run(context: &Context, arguments: &Verify) -> Outcome {
    let texts = &context.texts;
    let progress = Progress::waiting(texts.text("verifying"));
    let report = context.client()?.verify(&VerifyStoreRequest { deep: arguments.deep })?;
    drop(progress);
    context.output.show("verify", &report, || text(context, &report, arguments.deep));
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Error })
}

/// What was looked at, then the verdict and what it rests on.
fn text(context: &Context, report: &VerifyReport, deep: bool) -> String {
    let texts = &context.texts;
    let looked_at = [
        ("identity", report.identity_entries.into()),
        ("access", report.access_entries.into()),
        ("author", report.author_entries.into()),
    ];
    let records = [("records", report.records.into())];
    let problems = [("problems", report.problems.len().into())];
    let mut lines = vec![texts.with("verified", &looked_at)];
    lines.push(if deep {
        texts.with("verified-records", &records)
    } else {
        texts.text("verified-no-records")
    });
    lines.push(if report.problems.is_empty() {
        texts.text("verified-sound")
    } else {
        texts.with("verified-unsound", &problems)
    });
    lines.extend(report.problems.iter().map(|problem| format!("  · {problem}")));
    lines.join("\n")
}
