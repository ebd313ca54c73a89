//! `sincronia bundle`: files in place of a line.

mod reading;

use super::Outcome;
use crate::cli::arguments::{Bundle, ExportBundle};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::Organisations;
use crate::cli::secret::create_private;
use crate::output::progress::Progress;
use serde::Serialize;
use sincronia_node::api::{ApiError, ExportBundleRequest};
use sincronia_protocol::bundle::read_parts;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How the files of bundles end.
const SUFFIX: &str = "sincronia";

/// What was written.
#[derive(Debug, Serialize)]
struct Report {
    /// For whom.
    organisation: String,
    /// The how many-th for it.
    number: u64,
    /// Whether it holds everything that the partner lacks.
    complete: bool,
    /// The files, one for each part.
    files: Vec<PathBuf>,
    /// Bytes of all.
    bytes: usize,
}

pub(super) fn run(context: &Context, action: Bundle) -> Outcome {
    match action {
        Bundle::Export(arguments) => export(context, &arguments),
        Bundle::Import { files } => reading::run(context, &files),
    }
}

fn export(context: &Context, arguments: &ExportBundle) -> Outcome {
    let known = Organisations::known(context)?;
    let organisation = known.find(context, &arguments.organisation)?;
    let name = known.names().of(&organisation);
    let progress = Progress::waiting(context.texts.text("bundle-making"));
    let request = ExportBundleRequest {
        organisation: organisation.clone(),
        part_bytes: arguments.size,
        all: arguments.all,
    };
    let made = context.client()?.export_bundle(&request)?;
    let parts = read_parts(&made.bytes).map_err(ApiError::from)?;
    let mut files = Vec::with_capacity(parts.len());
    for part in &parts {
        let place = u64::from(part.number) + 1;
        let name = file_name(&name, made.number, place, u64::from(part.count));
        let path = arguments.output.join(name);
        write(context, &path, part.bytes)?;
        files.push(path);
    }
    drop(progress);
    let bytes = made.bytes.len();
    let (number, complete) = (made.number, made.is_complete);
    let report = Report { organisation, number, complete, files, bytes };
    context.output.show("bundle_export", &report, || text(context, &name, &report));
    Ok(Exit::Done)
}

/// Of a name only what every file system takes.
pub(super) fn plain_name(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.chars().flat_map(char::to_lowercase).take(60) {
        if letter.is_ascii_alphanumeric() {
            plain.push(letter);
        } else if !plain.ends_with('-') {
            plain.push('-');
        }
    }
    plain.trim_matches('-').to_owned()
}

fn file_name(name: &str, number: u64, part: u64, count: u64) -> String {
    let plain = plain_name(name);
    match count {
        1 => format!("{plain}-{number}.{SUFFIX}"),
        _ => format!("{plain}-{number}-{part}of{count}.{SUFFIX}"),
    }
}

/// Whole or not at all, and never in place of another: a file that is half there would be carried.
pub(super) fn write(context: &Context, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        context.fail(Exit::Error, "file", &format!("{}: {error}", path.display()))
    };
    if path.exists() {
        return Err(context.fail(Exit::Usage, "exists", &path.display().to_string()));
    }
    let partial = path.with_extension("partial");
    let written = create_private(&partial).and_then(|mut file| {
        let kept = file.write_all(bytes).and_then(|()| file.sync_all());
        kept.and_then(|()| std::fs::rename(&partial, path)).inspect_err(|_| {
            // What is left of it is of no use to anybody.
            let _ = std::fs::remove_file(&partial);
        })
    });
    written.map_err(failed)
}

fn text(context: &Context, name: &str, report: &Report) -> String {
    let texts = &context.texts;
    let arguments = [
        ("name", name.to_owned().into()),
        ("number", report.number.into()),
        ("files", report.files.len().into()),
    ];
    let mut lines = vec![texts.with("bundle-made", &arguments)];
    lines.extend(report.files.iter().map(|file| file.display().to_string()));
    lines.push(texts.text("bundle-advice"));
    if !report.complete {
        lines.push(texts.text("bundle-more-later"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_bear_names_that_every_stick_takes() {
        let name = "Casa di reclusione “L'Isola” / Massa";
        assert_eq!(file_name(name, 3, 1, 1), "casa-di-reclusione-l-isola-massa-3.sincronia");
        assert_eq!(file_name("ASL", 3, 2, 4), "asl-3-2of4.sincronia");
    }
}
