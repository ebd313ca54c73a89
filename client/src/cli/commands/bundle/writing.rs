//! `sincronia bundle export`: files for a partner, all of them or none.
//!
//! What cannot be written was not made: the files, the directories and the number of the bundle are
//! taken back, so that nobody waits for a bundle that never was.

use super::{plain_name, unfinished, write};
use crate::cli::arguments::ExportBundle;
use crate::cli::commands::Outcome;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::Organisations;
use crate::output::path::all_shown;
use crate::output::progress::Progress;
use serde::Serialize;
use sincronia_node::api::{ApiError, BundleFile, ExportBundleRequest, WithdrawBundleRequest};
use sincronia_protocol::bundle::read_parts;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How the files of bundles end.
const SUFFIX: &str = "sincronia";

/// Letters of a machine's id, of 32 kinds: of an organisation's 32 machines no two begin alike.
const MACHINE_LETTERS: usize = 8;

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
    #[serde(serialize_with = "all_shown")]
    files: Vec<PathBuf>,
    /// Bytes of all.
    bytes: usize,
}

/// What the names of a bundle's files are made of.
struct Named<'a> {
    sender: &'a str,
    /// The id of the sender's machine: each machine counts its own bundles.
    machine: &'a str,
    recipient: &'a str,
    number: u64,
}

/// What stands on the disk because of this command, and goes again if the command fails.
#[derive(Default)]
struct Traces {
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// The bundle's number, once the node made it.
    number: Option<u64>,
}

impl Traces {
    /// Makes a directory, and those that it is in, unless they are there.
    fn directory(&mut self, context: &Context, path: &Path) -> Result<(), Failure> {
        if path.exists() && !path.is_dir() {
            return Err(context.fail(Exit::Usage, "not_a_directory", &path.display().to_string()));
        }
        let absent = path.ancestors().filter(|one| !one.as_os_str().is_empty());
        let absent: Vec<_> = absent.take_while(|one| !one.exists()).collect();
        for one in absent.into_iter().rev() {
            std::fs::create_dir(one).map_err(|error| {
                context.fail(
                    Exit::Error,
                    "file",
                    &format!("{}: {}", one.display(), context.cause(&error)),
                )
            })?;
            self.directories.push(one.to_path_buf());
        }
        Ok(())
    }

    fn files(
        &mut self,
        context: &Context,
        directory: &Path,
        named: &Named<'_>,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        for part in read_parts(bytes).map_err(ApiError::from)? {
            let place = u64::from(part.number) + 1;
            let path = directory.join(named.file(place, u64::from(part.count)));
            let partial = unfinished(&path);
            let is_other = partial.exists();
            write(context, &path, part.bytes).inspect_err(|_| {
                if !is_other && partial.exists() {
                    self.files.push(partial);
                }
            })?;
            self.files.push(path);
        }
        Ok(())
    }

    /// Erases what was written, and only then gives the number back: two different bundles must
    /// never carry one. The files that could not be erased; of these the number stays used.
    fn take_back(&self, withdraw: impl FnOnce(u64)) -> Vec<PathBuf> {
        let stays = |file: &&PathBuf| {
            let erased = std::fs::remove_file(file);
            erased.is_err_and(|error| error.kind() != ErrorKind::NotFound)
        };
        let left: Vec<_> = self.files.iter().filter(stays).cloned().collect();
        // A directory that stays is in nobody's way: the failure that is told is the one before.
        for directory in self.directories.iter().rev() {
            let _ = std::fs::remove_dir(directory);
        }
        if let Some(number) = self.number.filter(|_| left.is_empty()) {
            withdraw(number);
        }
        left
    }
}

impl Named<'_> {
    /// Both names, since bundles of several senders meet in one folder, and of the sender's machine
    /// as much as tells it from the others.
    fn file(&self, part: u64, count: u64) -> String {
        let (sender, recipient) = (plain_name(self.sender), plain_name(self.recipient));
        let (machine, number) = (self.machine(), self.number);
        match count {
            1 => format!("{sender}-{machine}_{recipient}_{number}.{SUFFIX}"),
            _ => format!("{sender}-{machine}_{recipient}_{number}-{part}of{count}.{SUFFIX}"),
        }
    }

    /// The first letters of the machine's id that are not the same in all.
    fn machine(&self) -> String {
        let id = self.machine.split_once('1').map_or(self.machine, |(_, id)| id);
        plain_name(id).chars().take(MACHINE_LETTERS).collect()
    }
}

pub(super) fn export(context: &Context, arguments: &ExportBundle) -> Outcome {
    let known = Organisations::known(context)?;
    let organisation = known.find(context, &arguments.organisation)?;
    let name = known.names().of(&organisation);
    let progress = Progress::waiting(context.texts.text("bundle-making"));
    let mut traces = Traces::default();
    let made = make(context, arguments, (&organisation, &name), &mut traces);
    let made = made.inspect_err(|_| take_back(context, &organisation, &traces))?;
    drop(progress);
    let bytes = made.bytes.len();
    let (number, complete, files) = (made.number, made.is_complete, traces.files);
    let report = Report { organisation, number, complete, files, bytes };
    context.output.show("bundle_export", &report, || text(context, &name, &report));
    warn_of_new_machines(context, (&report.organisation, &name));
    Ok(Exit::Done)
}

/// Where the partner knows only machines that are no more in service, nobody here can open what it
/// sends; and nobody can know whether the same holds of this bundle there.
fn warn_of_new_machines(context: &Context, (organisation, name): (&str, &str)) {
    let partner = context.client().ok().and_then(|client| client.partner(organisation).ok());
    if partner.and_then(|one| one.bundles).is_some_and(|one| one.unknown_there) {
        let name = [("name", name.to_owned().into())];
        context.output.message(&context.texts.with("bundle-unknown-there", &name));
    }
}

/// Asks for the bundle once there is a place for it, and writes it there.
fn make(
    context: &Context,
    arguments: &ExportBundle,
    (organisation, name): (&str, &str),
    traces: &mut Traces,
) -> Result<BundleFile, Failure> {
    traces.directory(context, &arguments.output)?;
    let status = context.client()?.status()?;
    let made = ask(context, arguments, organisation)?;
    traces.number = Some(made.number);
    let (sender, machine) = (&*status.name, &*status.node);
    let named = Named { sender, machine, recipient: name, number: made.number };
    traces.files(context, &arguments.output, &named, &made.bytes)?;
    Ok(made)
}

fn ask(
    context: &Context,
    arguments: &ExportBundle,
    organisation: &str,
) -> Result<BundleFile, Failure> {
    let request = ExportBundleRequest {
        organisation: organisation.to_owned(),
        part_bytes: arguments.size,
        all: arguments.all,
    };
    Ok(context.client()?.export_bundle(&request)?)
}

fn take_back(context: &Context, organisation: &str, traces: &Traces) {
    let left = traces.take_back(|number| withdraw(context, organisation, number));
    if left.is_empty() {
        return;
    }
    let files: Vec<_> = left.iter().map(|file| file.display().to_string()).collect();
    let arguments = [("files", files.join(", ").into())];
    context.output.message(&context.texts.with("bundle-files-left", &arguments));
}

/// The bundle is in nobody's hands: its number is the next one's.
fn withdraw(context: &Context, organisation: &str, number: u64) {
    let request = WithdrawBundleRequest { organisation: organisation.to_owned(), number };
    let withdrawn = context.client().map(|client| client.withdraw_bundle(&request));
    if !matches!(withdrawn, Ok(Ok(()))) {
        context.say("bundle-not-withdrawn");
    }
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
    use std::cell::Cell;

    const ONE: &str = "nodo1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0jqxuzx4s";
    const OTHER: &str = "nodo1m6nl0rhcq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0jqxuzx4s";

    #[test]
    fn a_number_is_given_back_only_once_no_file_bears_it() {
        let home = tempfile::tempdir().unwrap();
        let [first, second] = ["one", "two"].map(|name| home.path().join(name));
        let files = vec![first.clone(), second.clone()];
        let traces = Traces { directories: Vec::new(), files, number: Some(3) };
        let given_back = Cell::new(0);
        let withdraw = |number| {
            assert!(!first.exists() && !second.exists(), "erased first");
            given_back.set(number);
        };
        std::fs::write(&first, "part").unwrap();
        // What cannot be erased as a file.
        std::fs::create_dir(&second).unwrap();
        assert_eq!(traces.take_back(withdraw), std::slice::from_ref(&second));
        assert_eq!((given_back.get(), first.exists()), (0, false));
        std::fs::remove_dir(&second).unwrap();
        std::fs::write(&first, "part").unwrap();
        assert!(traces.take_back(withdraw).is_empty());
        assert_eq!(given_back.get(), 3);
    }

    #[test]
    fn files_bear_both_names_in_letters_that_every_stick_takes() {
        let named = |sender, recipient| Named { sender, machine: ONE, recipient, number: 3 };
        let prison = named("ASL", "Casa di reclusione “L'Isola” / Massa");
        let expected = "asl-qqqsyqcy_casa-di-reclusione-l-isola-massa_3.sincronia";
        assert_eq!(prison.file(1, 1), expected);
        assert_eq!(named("Zeri", "ASL").file(2, 4), "zeri-qqqsyqcy_asl_3-2of4.sincronia");
        assert_ne!(named("Zeri", "ASL").file(1, 1), named("Aulla", "ASL").file(1, 1));
    }

    /// Each machine counts its own bundles, so the second one that was asked for a first bundle was
    /// refused in a folder where the other's stood.
    #[test]
    fn the_first_bundles_of_two_machines_have_two_names() {
        let named = |machine| Named { sender: "Zeri", machine, recipient: "ASL", number: 1 };
        assert_ne!(named(ONE).file(1, 1), named(OTHER).file(1, 1));
    }
}
