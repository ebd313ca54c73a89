//! `sincronia bundle import`: files as they come, in any order and again.

use super::Outcome;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::output::progress::Progress;
use crate::output::table::Rows;
use crate::output::value::{short, time};
use serde::Serialize;
use sincronia_node::api::{ApiError, BundleView, ReadBundle};
use sincronia_protocol::bundle::read_parts;
use sincronia_protocol::limits;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A whole bundle in one file.
const FILE_BYTES_MAX: u64 =
    limits::BUNDLE_BYTES_MAX + (limits::BUNDLE_PARTS_MAX * limits::PART_HEADER_BYTES_MAX) as u64;

/// What came of one file.
#[derive(Debug, Serialize)]
struct Taken {
    /// The file.
    file: PathBuf,
    /// The bundles that parts of it belong to.
    bundles: Vec<BundleView>,
}

pub(super) fn run(context: &Context, files: &[PathBuf]) -> Outcome {
    let progress = Progress::counting(context.texts.text("bundle-reading"), files.len() as u64);
    let (mut taken, mut failure) = (Vec::with_capacity(files.len()), None);
    for file in files {
        match import(context, file) {
            Ok(bundles) => taken.push(Taken { file: file.clone(), bundles }),
            Err(error) => {
                failure = Some((file, error));
                break;
            }
        }
        progress.step();
    }
    drop(progress);
    if !taken.is_empty() {
        let text = taken.iter().map(|one| describe(context, one)).collect::<Result<Vec<_>, _>>()?;
        context.output.show("bundle_import", &taken, || text.join("\n"));
    }
    let Some((file, mut failure)) = failure else { return Ok(Exit::Done) };
    // For people on a line of its own, so that the sentence stays one that the catalogue knows.
    let file = file.display().to_string();
    if context.output.json {
        failure.message = format!("{file}: {}", failure.message);
    } else {
        context.output.message(&file);
    }
    Err(failure)
}

/// Hands the parts of a file in one by one; of each bundle, what its last part came to counts.
fn import(context: &Context, file: &Path) -> Result<Vec<BundleView>, Failure> {
    let bytes = read(context, file)?;
    let mut bundles: Vec<([u8; 32], BundleView)> = Vec::new();
    for part in read_parts(&bytes).map_err(ApiError::from)? {
        for view in context.client()?.import_bundle(part.bytes)? {
            let is_repeated =
                view.state == "known" && bundles.iter().any(|(bundle, _)| *bundle == part.bundle);
            if !is_repeated {
                bundles.retain(|(bundle, _)| *bundle != part.bundle);
                bundles.push((part.bundle, view));
            }
        }
    }
    Ok(bundles.into_iter().map(|(_, view)| view).collect())
}

fn read(context: &Context, path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        context.fail(Exit::Usage, "file", &format!("{}: {error}", path.display()))
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(failed(&context.texts.text("too-long")));
    }
    Ok(bytes)
}

fn describe(context: &Context, taken: &Taken) -> Result<String, Failure> {
    let mut lines = vec![taken.file.display().to_string()];
    for bundle in &taken.bundles {
        lines.push(match &bundle.read {
            Some(read) => describe_read(context, read)?,
            None if bundle.state == "waiting" => {
                let missing: Vec<_> = bundle.missing.iter().map(ToString::to_string).collect();
                let arguments =
                    [("missing", missing.join(", ").into()), ("parts", bundle.parts.into())];
                context.texts.with("bundle-waiting", &arguments)
            }
            None => context.texts.text("bundle-known"),
        });
    }
    Ok(lines.join("\n"))
}

fn describe_read(context: &Context, read: &ReadBundle) -> Result<String, Failure> {
    let texts = &context.texts;
    let entries: u64 = read.spaces.iter().map(|space| space.entries).sum();
    let arguments = [
        ("name", read.name.clone().into()),
        ("number", read.number.into()),
        ("made", time(read.made_at).into()),
        ("entries", entries.into()),
        ("spaces", read.spaces.len().into()),
    ];
    let key = if read.number == 0 { "bundle-read-answer" } else { "bundle-read" };
    let mut lines = vec![texts.with(key, &arguments)];
    if !read.spaces.is_empty() {
        let headings = ["space", "space-owner", "entries", "membership"];
        let mut rows = Rows::new(context.output, &headings.map(|key| texts.text(key)));
        for space in &read.spaces {
            let access =
                if space.access { texts.text("membership-changed") } else { String::new() };
            let entries = space.entries.to_string();
            rows.row([short(&space.space), space.owner_name.clone(), entries, access]);
        }
        lines.push(rows.to_string());
    }
    if !read.refused.is_empty() {
        lines.push(texts.text("bundle-refused"));
        let said = |one: &String| texts.said(one).unwrap_or_else(|| one.clone());
        lines.extend(read.refused.iter().map(|one| format!("  · {}", said(one))));
    }
    if read.joined {
        let partner = context.client()?.partner(&read.organisation)?;
        let phrase = partner.verification_phrase.join(" ");
        let arguments = [("name", partner.name.into()), ("phrase", phrase.into())];
        lines.push(texts.with("joined", &arguments));
    }
    let again = if read.complete { "bundle-answer" } else { "bundle-answer-for-more" };
    lines.push(texts.with(again, &[("name", read.name.clone().into())]));
    Ok(lines.join("\n"))
}
