//! `sincronia import`: a file of another program, checked whole before anything is written.

use super::{Outcome, operator, record};
use crate::cli::arguments::Import;
use crate::cli::context::Context;
use crate::cli::entering::{self, Lookup};
use crate::cli::failure::{Exit, Failure};
use crate::import::{self, AlreadyThere, Contents, ImportError, Mapping, Problem, Row};
use crate::language::{Catalogue, Language};
use crate::output::progress::Progress;
use crate::output::table::Rows;
use serde::Serialize;
use sincronia_node::api::{BatchRequest, BatchResult, RecordsQuery};
use sincronia_protocol::record::Kind;
use std::collections::BTreeSet;

/// Problems shown in a table; all of them are in the JSON.
const SHOWN_MAX: usize = 100;

/// What became of a file.
#[derive(Debug, Serialize)]
struct Report {
    /// Rows of the file.
    rows: usize,
    /// Rows that can be written.
    good: usize,
    /// Rows written.
    written: u64,
    /// Rows that a record says already: nothing was to be done.
    already_there: Vec<AlreadyThere>,
    /// Which row, which field, why.
    problems: Vec<Problem>,
}

pub(super) fn run(context: &Context, arguments: &Import) -> Outcome {
    let kind = record::parsed(context, &arguments.kind)?;
    let mut contents = read(context, kind, arguments)?;
    resolve(context, kind, &mut contents);
    let progress = Progress::waiting(context.texts.text("import-checking"));
    let already_there = set_repeated_aside(context, arguments, &mut contents)?;
    let checked = batch(context, arguments, &contents, true)?;
    let problems = problems(&contents, &checked);
    let bad: BTreeSet<_> = problems.iter().map(|problem| problem.row).collect();
    contents.rows.retain(|row| !bad.contains(&row.number));
    let (rows, good) = (contents.total, contents.rows.len());
    let mut report = Report { rows, good, written: 0, already_there, problems };
    let allowed = report.problems.is_empty() || arguments.partial;
    if allowed && !arguments.dry_run && !contents.rows.is_empty() {
        progress.say(context.texts.text("import-writing"));
        report.written = batch(context, arguments, &contents, false)?.written;
    }
    drop(progress);
    context.output.show("import", &report, || text(context, &report));
    if report.problems.is_empty() {
        return Ok(Exit::Done);
    }
    context.say(match (report.written, arguments.partial) {
        (0, false) => "import-nothing-written",
        // There was no valid row that is not there already.
        (0, true) => "import-nothing-valid",
        _ => "import-partial",
    });
    // With `--partial`, rows that stay out are what somebody asked for.
    Ok(if report.written > 0 { Exit::Done } else { Exit::Usage })
}

fn read(context: &Context, kind: Kind, arguments: &Import) -> Result<Contents, Failure> {
    let bytes = entering::read(&arguments.file)
        .map_err(|error| context.unreadable(&arguments.file, &error))?;
    let told = |error: ImportError| {
        let remedy = error.remedy();
        Failure { remedy, ..Failure::told(Exit::Usage, error.code(), error) }
    };
    let mapping = Mapping::parse(&arguments.mappings).map_err(told)?;
    let catalogues = Language::ALL.map(Catalogue::new);
    let catalogues: Vec<_> = catalogues.iter().collect();
    import::read(&bytes, kind, &mapping, &catalogues).map_err(told)
}

/// Organisations are named in files; a name that nobody has is a problem of its row.
fn resolve(context: &Context, kind: Kind, contents: &mut Contents) {
    let rows = std::mem::take(&mut contents.rows);
    let mut lookup = Lookup::new(context);
    for Row { number, line, mut fields } in rows {
        match lookup.resolve(kind, &mut fields) {
            Ok(()) => contents.rows.push(Row { number, line, fields }),
            Err(failure) => contents.problems.push(Problem {
                row: number,
                line,
                field: String::new(),
                code: failure.code,
                message: failure.message,
                allowed: Vec::new(),
            }),
        }
    }
}

/// Takes the rows out that would only say again what is there, and returns them.
fn set_repeated_aside(
    context: &Context,
    arguments: &Import,
    contents: &mut Contents,
) -> Result<Vec<AlreadyThere>, Failure> {
    let space = match &arguments.space {
        Some(space) => space.clone(),
        None => record::directory(context)?,
    };
    let query = RecordsQuery {
        kind: Some(arguments.kind.clone()),
        space: Some(space),
        ..RecordsQuery::default()
    };
    let known = context.client()?.records(&query)?;
    let known = known.iter().map(|record| (record.id.as_str(), &record.fields));
    let repeated = import::repeated(&contents.rows, known);
    let numbers = repeated.problems.iter().map(|problem| problem.row);
    let numbers: BTreeSet<_> = numbers.chain(repeated.there.iter().map(|one| one.row)).collect();
    contents.rows.retain(|row| !numbers.contains(&row.number));
    contents.problems.extend(repeated.problems);
    Ok(repeated.there)
}

fn batch(
    context: &Context,
    arguments: &Import,
    contents: &Contents,
    dry_run: bool,
) -> Result<BatchResult, Failure> {
    let request = BatchRequest {
        space: arguments.space.clone(),
        kind: arguments.kind.clone(),
        rows: contents.rows.iter().map(|row| row.fields.clone()).collect(),
        dry_run,
        // What is sent has been checked: if a row fails now, something changed in between.
        partial: false,
        operator: operator(&arguments.authoring),
    };
    Ok(context.client()?.batch(&request)?)
}

/// What the file and the node complain about, in the order of the rows. The node counts the rows
/// that were sent to it; people count those of the file.
fn problems(contents: &Contents, checked: &BatchResult) -> Vec<Problem> {
    let mut problems = contents.problems.clone();
    for found in &checked.rows {
        let at = usize::try_from(found.row).ok().and_then(|row| row.checked_sub(1));
        let Some(row) = at.and_then(|at| contents.rows.get(at)) else { continue };
        problems.extend(found.problems.iter().map(|problem| Problem {
            row: row.number,
            line: row.line,
            field: problem.field.clone(),
            code: problem.code.clone(),
            message: problem.message.clone(),
            allowed: problem.allowed.clone(),
        }));
    }
    problems.sort_by_key(|problem| problem.row);
    problems
}

fn text(context: &Context, report: &Report) -> String {
    let texts = &context.texts;
    let mut text = String::new();
    if !report.problems.is_empty() {
        let headings = ["row-number", "line", "field", "why"].map(|key| texts.text(key));
        let mut rows = Rows::within(context.output, &headings);
        for problem in report.problems.iter().take(SHOWN_MAX) {
            rows.urgent([
                problem.row.to_string(),
                problem.line.map(|line| line.to_string()).unwrap_or_default(),
                problem.field.clone(),
                texts.problem(&problem.code, &problem.message, &problem.allowed),
            ]);
        }
        text.push_str(&rows.to_string());
    }
    let arguments = [
        ("rows", report.rows.into()),
        ("good", report.good.into()),
        ("written", report.written.into()),
        ("there", report.already_there.len().into()),
        ("problems", report.problems.len().into()),
    ];
    text.push_str(&texts.with("import-summary", &arguments));
    text
}
