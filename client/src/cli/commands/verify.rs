//! `sincronia verify`: whether everything stored is what its authors signed.
//!
//! A node that runs is asked. Of one that is stopped the files are read, and nothing is changed.

use super::Outcome;
use crate::cli::arguments::Verify;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::secret;
use crate::cli::starting::{node_in, not_restored};
use crate::output::progress::Progress;
use serde_json::json;
use sincronia_node::api::{ErrorCode, VerifyReport, VerifyStoreRequest};
use sincronia_node::repair::{Examined, examine};

pub(super) fn run(context: &Context, arguments: &Verify) -> Outcome {
    let client = match context.client() {
        Err(failure) if is_stopped(&failure) => return stopped(context, arguments),
        client => client?,
    };
    let progress = Progress::waiting(context.texts.text("verifying"));
    let report = match client.verify(&VerifyStoreRequest { deep: arguments.deep }) {
        // What it left when it was killed looks as if it ran.
        Err(error) if error.code == ErrorCode::NodeNotRunning => {
            drop(progress);
            return stopped(context, arguments);
        }
        report => report?,
    };
    drop(progress);
    context.output.show("verify", &report, || text(context, &report, arguments.deep));
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Error })
}

fn is_stopped(failure: &Failure) -> bool {
    failure.exit == Exit::NotRunning && failure.code == "node_not_running"
}

fn stopped(context: &Context, arguments: &Verify) -> Outcome {
    let directory = context.directory()?;
    node_in(context, &directory)?;
    let unlock = secret::unlock(context, &arguments.unlocking)?;
    let progress = Progress::waiting(context.texts.text("verifying"));
    let examined = examine(&directory, &unlock, arguments.deep);
    let examined = examined.map_err(|error| not_restored(context, &error))?;
    drop(progress);
    let found = &examined.content;
    let problems: Vec<_> = examined.file.iter().chain(&found.problems).collect();
    let report = json!({
        "identity_entries": found.identity_entries,
        "access_entries": found.access_entries,
        "author_entries": found.author_entries,
        "records": found.records,
        "problems": problems,
        "stopped": true,
        "file": examined.file,
        "may_be_cut_off": examined.may_be_cut_off,
    });
    context
        .output
        .show("verify", &report, || stopped_text(context, &examined, arguments.deep).join("\n"));
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Error })
}

/// What was looked at, then what is damaged: the file, or what can be read of it. Of a node that
/// was not stopped in order that comes first: what looks like damage may be no more than its trace.
fn stopped_text(context: &Context, examined: &Examined, deep: bool) -> Vec<String> {
    let (texts, found) = (&context.texts, &examined.content);
    let is_cut_off = examined.may_be_cut_off && !examined.is_ruined;
    let mut lines = Vec::new();
    if is_cut_off {
        lines.push(texts.text("verified-cut-off"));
    }
    lines.push(texts.text("verified-stopped"));
    if examined.is_ruined {
        lines.push(texts.text("verified-ruined"));
    } else {
        let counts = (found.identity_entries, found.access_entries, found.author_entries);
        lines.extend(looked_at(context, counts, found.records, deep));
    }
    let file = if is_cut_off { "verified-file-cut-off" } else { "verified-file" };
    for (heading, problems) in [(file, &examined.file), ("verified-content", &found.problems)] {
        if !problems.is_empty() {
            lines.push(texts.text(heading));
            lines.extend(problems.iter().map(|problem| format!("  · {}", texts.told(problem))));
        }
    }
    let is_sound = examined.file.is_empty() && found.problems.is_empty();
    lines.push(texts.text(match (is_sound, is_cut_off) {
        (true, _) => "verified-sound",
        (false, true) => "verified-remedy-cut-off",
        (false, false) => "verified-remedy",
    }));
    lines
}

fn looked_at(
    context: &Context,
    (identity, access, author): (u64, u64, u64),
    records: u64,
    deep: bool,
) -> [String; 2] {
    let texts = &context.texts;
    let counts =
        [("identity", identity.into()), ("access", access.into()), ("author", author.into())];
    let records = [("records", records.into())];
    let rebuilt = if deep {
        texts.with("verified-records", &records)
    } else {
        texts.text("verified-no-records")
    };
    [texts.with("verified", &counts), rebuilt]
}

/// What was looked at, then the verdict and what it rests on.
fn text(context: &Context, report: &VerifyReport, deep: bool) -> String {
    let texts = &context.texts;
    let counts = (report.identity_entries, report.access_entries, report.author_entries);
    let problems = [("problems", report.problems.len().into())];
    let mut lines = looked_at(context, counts, report.records, deep).to_vec();
    lines.push(if report.problems.is_empty() {
        texts.text("verified-sound")
    } else {
        texts.with("verified-unsound", &problems)
    });
    lines.extend(report.problems.iter().map(|one| format!("  · {}", texts.told(one))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};

    #[test]
    fn a_write_that_was_cut_off_is_told_before_what_it_left_behind() {
        let context = Context::new(Catalogue::new(Language::En), Global::default());
        let file = vec!["the list of its tables does not hold".to_owned()];
        let mut examined = Examined { file, may_be_cut_off: true, ..Examined::default() };
        let told = stopped_text(&context, &examined, false);
        assert!(told.first().is_some_and(|first| first.contains("cut off")), "{told:?}");
        assert!(!told.iter().any(|line| line.contains("is damaged")), "{told:?}");
        let last = told.last().unwrap();
        assert!(last.starts_with("Start the node") && last.contains("sincronia repair"), "{last}");
        examined.may_be_cut_off = false;
        let told = stopped_text(&context, &examined, false);
        assert!(told.iter().any(|line| line.contains("is damaged")), "{told:?}");
    }
}
