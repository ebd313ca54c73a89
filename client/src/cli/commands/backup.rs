//! `sincronia backup`: everything a node knows in one file that only the recovery words open.

pub(super) mod restoring;

use super::bundle::plain_name;
use super::{Outcome, bundle, machine};
use crate::cli::arguments::{Backup, Recovery};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::secret::{self, create_private};
use crate::cli::starting::{disk_full, not_restored};
use crate::output::path::shown;
use crate::output::progress::Progress;
use crate::output::value::time;
use serde::Serialize;
use sincronia_node::api::hexadecimal::hex;
use sincronia_node::api::{CatchingUpView, RecipientRequest};
use sincronia_node::backup::{Inspected, Reading};
use sincronia_protocol::codec;
use sincronia_protocol::recovery::recovery_sealing;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// How the files of backups end.
const SUFFIX: &str = "backup";

/// What a backup is.
#[derive(Debug, Serialize)]
struct Report {
    /// The file.
    #[serde(serialize_with = "shown")]
    file: PathBuf,
    /// Whose it is.
    organisation: String,
    /// The node that made it.
    node: String,
    /// When, in milliseconds since 1970.
    made_at: u64,
    /// Bytes of the file.
    bytes: u64,
    /// Its sealed parts.
    parts: u64,
    /// Pairs in it, when it was opened.
    pairs: Option<u64>,
}

pub(super) fn run(context: &Context, action: Backup) -> Outcome {
    match action {
        Backup::Create { file } => create(context, file),
        Backup::Verify { file, open, recovery } => verify(context, &file, open, &recovery),
        Backup::Restore(arguments) => restoring::run(context, &arguments),
        Backup::Finish => finish(context),
        Backup::Enable { recovery } => enable(context, &recovery),
    }
}

fn create(context: &Context, file: Option<PathBuf>) -> Outcome {
    free(context, file.as_deref())?;
    // Its temporary name is none that a person chose.
    let directory = file.as_deref().and_then(Path::parent);
    let directory = directory.filter(|one| !one.as_os_str().is_empty());
    if let Some(absent) = directory.filter(|one| !one.exists()) {
        return Err(context.fail(
            Exit::NotFound,
            "no_directory_there",
            &absent.display().to_string(),
        ));
    }
    let progress = Progress::waiting(context.texts.text("backup-making"));
    let partial = match &file {
        Some(file) => bundle::unfinished(file),
        None => bundle::unfinished(Path::new(&plain_name(&context.client()?.status()?.name))),
    };
    fetch(context, &partial)?;
    let (file, made) = keep(context, &partial, file).inspect_err(|_| {
        // What is left of it is of no use to anybody.
        let _ = std::fs::remove_file(&partial);
    })?;
    drop(progress);
    let report = report(file, &made);
    context.output.show("backup", &report, || {
        let arguments =
            [("file", report.file.display().to_string().into()), ("bytes", report.bytes.into())];
        context.texts.with("backup-made", &arguments)
    });
    Ok(Exit::Done)
}

fn free(context: &Context, file: Option<&Path>) -> Result<(), Failure> {
    match file.filter(|file| file.exists()) {
        Some(file) => Err(context.fail(Exit::Usage, "exists", &file.display().to_string())),
        None => Ok(()),
    }
}

/// Writes what the node gives into a new file; nothing is left of it when that fails.
fn fetch(context: &Context, partial: &Path) -> Result<(), Failure> {
    let failed = |error| unusable(context, partial, &error);
    let client = context.client()?;
    let mut writer = BufWriter::new(create_private(partial).map_err(failed)?);
    let fetched = client.backup(&mut writer).map_err(Failure::from).and_then(|_| {
        let kept = writer.flush().and_then(|()| writer.get_ref().sync_all());
        kept.map_err(failed)
    });
    fetched.inspect_err(|_| drop(std::fs::remove_file(partial)))
}

/// Reads the file again from the disk, since a backup that cannot be read is worse than none, and
/// gives it its name: the one asked for, or one of organisation and time.
fn keep(
    context: &Context,
    partial: &Path,
    file: Option<PathBuf>,
) -> Result<(PathBuf, Inspected), Failure> {
    let made = begin(context, partial)?.inspect(None);
    let made = made.map_err(|error| not_restored(context, &error))?;
    let file = file.unwrap_or_else(|| {
        let digits = time(made.header.made_at.milliseconds());
        let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
        // Neither what says that it is not finished, nor by which process.
        let stem = partial.with_extension("").with_extension("");
        PathBuf::from(format!("{}-{digits}.{SUFFIX}", stem.display()))
    });
    free(context, Some(&file))?;
    std::fs::rename(partial, &file).map_err(|error| unusable(context, &file, &error))?;
    Ok((file, made))
}

/// Opens a file and reads what it says of itself: nobody takes the words out of the safe to hear
/// that a file is not there, or is no backup.
fn begin(context: &Context, file: &Path) -> Result<Reading<BufReader<File>>, Failure> {
    let opened = File::open(file).map_err(|error| context.unreadable(file, &error))?;
    // A directory opens, and is not read.
    if opened.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(context.unreadable(file, &ErrorKind::IsADirectory.into()));
    }
    Reading::begin(BufReader::new(opened)).map_err(|error| not_restored(context, &error))
}

fn verify(context: &Context, file: &Path, open: bool, recovery: &Recovery) -> Outcome {
    let reading = begin(context, file)?;
    let words = recovery.recovery_file.as_deref();
    let entropy =
        if open || words.is_some() { Some(secret::recovery(context, words)?) } else { None };
    let sealing = entropy.as_ref().map(recovery_sealing);
    let progress = Progress::waiting(context.texts.text("backup-reading"));
    let inspected = reading.inspect(sealing.as_ref());
    let inspected = inspected.map_err(|error| not_restored(context, &error))?;
    drop(progress);
    let report = report(file.to_path_buf(), &inspected);
    context.output.show("backup", &report, || {
        let arguments = [
            ("organisation", report.organisation.clone().into()),
            ("made", time(report.made_at).into()),
            ("bytes", report.bytes.into()),
            ("parts", report.parts.into()),
            ("pairs", report.pairs.unwrap_or_default().into()),
        ];
        let key = if report.pairs.is_some() { "backup-opens" } else { "backup-whole" };
        context.texts.with(key, &arguments)
    });
    Ok(Exit::Done)
}

fn report(file: PathBuf, found: &Inspected) -> Report {
    Report {
        file,
        organisation: found.header.organisation.to_string(),
        node: found.header.node.to_string(),
        made_at: found.header.made_at.milliseconds(),
        bytes: found.bytes,
        parts: found.parts,
        pairs: found.pairs,
    }
}

fn finish(context: &Context) -> Outcome {
    let client = context.client()?;
    let waited = client.status()?.catching_up.unwrap_or_default();
    if waited.blind {
        context.confirm(&context.texts.text("confirm-finish-blind"))?;
    }
    if !waited.awaited.is_empty() {
        let names = [("names", waited.awaited.join("; ").into())];
        context.confirm(&context.texts.with("confirm-finish", &names))?;
    }
    let waited = client.finish_catching_up()?;
    context.output.show("catching_up", &waited, || {
        let names = [("names", waited.awaited.join("; ").into())];
        let key = if waited == CatchingUpView::default() {
            "caught-up-before"
        } else {
            "caught-up-without"
        };
        context.texts.with(key, &names)
    });
    Ok(Exit::Done)
}

fn enable(context: &Context, recovery: &Recovery) -> Outcome {
    let client = context.client()?;
    let entropy = secret::recovery(context, recovery.recovery_file.as_deref())?;
    let key = hex(&codec::encode(recovery_sealing(&entropy).public()));
    // Words of somebody else would make backups that this organisation cannot open.
    machine::check_words(context, entropy)?;
    client.put_backup_recipient(&RecipientRequest { key })?;
    context.output.show("backup_enabled", &(), || context.texts.text("backup-enabled"));
    Ok(Exit::Done)
}

fn unusable(context: &Context, path: &Path, error: &std::io::Error) -> Failure {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return disk_full(context, path);
    }
    context.fail(Exit::Error, "file", &format!("{}: {}", path.display(), context.cause(error)))
}
