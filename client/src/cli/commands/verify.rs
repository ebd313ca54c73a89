//! `sincronia verify`: whether everything stored is what its authors signed.

use super::Outcome;
use crate::cli::arguments::Verify;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::output::progress::Progress;
use sincronia_node::api::VerifyStoreRequest;

pub(super) fn run(context: &Context, arguments: &Verify) -> Outcome {
    let texts = &context.texts;
    let progress = Progress::waiting(texts.text("verifying"));
    let report = context.client()?.verify(&VerifyStoreRequest { deep: arguments.deep })?;
    drop(progress);
    context.output.show("verify", &report, || {
        let arguments = [
            ("identity", report.identity_entries.into()),
            ("access", report.access_entries.into()),
            ("author", report.author_entries.into()),
            ("records", report.records.into()),
        ];
        let mut lines = vec![texts.with("verified", &arguments)];
        lines.extend(report.problems.iter().map(|problem| format!("  · {problem}")));
        lines.join("\n")
    });
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Error })
}
