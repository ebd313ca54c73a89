//! `sincronia bundle import`: files as they come, in any order and again.
//!
//! Each file is tried, whatever comes of the others: a bundle that is damaged or lost says nothing
//! about its neighbours on the stick. What is refused is tried again as long as others bring
//! something, since it may need them.

use super::telling;
use crate::cli::commands::Outcome;
use crate::cli::commands::status::decisions;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::output::path::shown;
use crate::output::progress::Progress;
use serde::Serialize;
use sincronia_node::api::{ApiError, BundleView, Status};
use sincronia_protocol::bundle::read_parts;
use sincronia_protocol::limits;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A whole bundle in one file.
const FILE_BYTES_MAX: u64 =
    limits::BUNDLE_BYTES_MAX + (limits::BUNDLE_PARTS_MAX * limits::PART_HEADER_BYTES_MAX) as u64;

/// How every invitation begins, which lies beside the bundles on a stick.
const INVITATION: &str = "invito1";

/// What came of one file.
#[derive(Debug, Serialize)]
pub(super) struct Taken {
    /// The file.
    #[serde(serialize_with = "shown")]
    pub file: PathBuf,
    /// Whether it was taken.
    pub ok: bool,
    /// The bundles that parts of it belong to.
    pub bundles: Vec<BundleView>,
    /// What is wrong, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Which bundles these are.
    #[serde(skip)]
    pub ids: Vec<[u8; 32]>,
}

impl Taken {
    fn of(file: &Path, outcome: Result<Vec<Brought>, Failure>) -> Self {
        let (found, error) = match outcome {
            Ok(found) => (found, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        let (ids, bundles) = found.into_iter().unzip();
        Self { file: file.to_path_buf(), ok: error.is_none(), bundles, error, ids }
    }

    /// Whether the node refused it, which it may not do once it knows more.
    fn may_come_later(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.exit == Exit::Network)
    }
}

/// A bundle, and what came of it.
type Brought = ([u8; 32], BundleView);

/// Whether parts of one of the bundles are still missing.
fn is_missing_some(taken: &[Taken]) -> bool {
    let all = || taken.iter().flat_map(|one| one.ids.iter().zip(&one.bundles));
    all().any(|(id, _)| all().filter(|(other, _)| *other == id).all(|(_, view)| is_waiting(view)))
}

fn is_waiting(view: &BundleView) -> bool {
    view.state == "waiting"
}

/// A part that was taken is kept, whatever is missing: parts come by several mails, and each is
/// imported for itself. Whoever gives all files at once asks with `check` whether they were all.
pub(super) fn run(context: &Context, files: &[PathBuf], check: bool) -> Outcome {
    // Without a node, there is one thing to say and not one for each file.
    let before = context.client()?.status()?;
    let progress = Progress::counting(context.texts.text("bundle-reading"), files.len() as u64);
    let mut taken = Vec::with_capacity(files.len());
    for file in files {
        taken.push(Taken::of(file, import(context, file)));
        progress.step();
    }
    while try_again(context, &mut taken) {}
    drop(progress);
    context.output.show("bundle_import", &taken, || telling::text(context, &taken));
    tell_waiting(context, &before);
    let failed = taken.iter().find_map(|one| one.error.as_ref());
    let waiting = if check && is_missing_some(&taken) { Exit::Network } else { Exit::Done };
    Ok(failed.map_or(waiting, |failure| failure.exit))
}

/// What came with the files and waits for a person, who looks nowhere else where no line is. What
/// was taken was taken, whatever keeps this from being known.
fn tell_waiting(context: &Context, before: &Status) {
    let Some(now) = context.client().ok().and_then(|client| client.status().ok()) else { return };
    if now.decisions != before.decisions {
        for line in decisions(context, &now.decisions) {
            context.output.message(&line);
        }
    }
    if now.counts.conflicts > before.counts.conflicts {
        let count = [("count", now.counts.conflicts.into())];
        context.output.message(&context.texts.with("waits-conflicts", &count));
    }
}

/// Tries what was refused once more; whether some of it was taken now, and some was not.
fn try_again(context: &Context, taken: &mut [Taken]) -> bool {
    let is_news = taken.iter().any(|one| one.bundles.iter().any(|view| view.read.is_some()));
    let mut is_progress = false;
    for one in taken.iter_mut().filter(|one| is_news && one.may_come_later()) {
        let again = Taken::of(&one.file, import(context, &one.file));
        if again.ok {
            is_progress = true;
            *one = again;
        }
    }
    is_progress && taken.iter().any(Taken::may_come_later)
}

/// Hands the parts of a file in one by one; of each bundle, what its last part came to counts.
fn import(context: &Context, file: &Path) -> Result<Vec<Brought>, Failure> {
    let bytes = read(context, file)?;
    if bytes.trim_ascii_start().starts_with(INVITATION.as_bytes()) {
        return Err(context.fail(Exit::Usage, "bundle_invitation", &file.display().to_string()));
    }
    let mut bundles: Vec<Brought> = Vec::new();
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
    Ok(bundles)
}

fn read(context: &Context, path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &std::io::Error| context.unreadable(path, error);
    // It would never come to an end, and the files behind it were never tried.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        let special = format!("{}: {}", path.display(), context.texts.text("system-special"));
        return Err(context.fail(Exit::Usage, "file", &special));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let long = format!("{}: {}", path.display(), context.texts.text("too-long"));
        return Err(context.fail(Exit::Usage, "file", &long));
    }
    Ok(bytes)
}
