//! `sincronia bundle`: files in place of a line.

mod reading;
mod telling;
mod writing;

use super::Outcome;
use crate::cli::arguments::Bundle;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::secret::create_private;
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) fn run(context: &Context, action: Bundle) -> Outcome {
    match action {
        Bundle::Export(arguments) => writing::export(context, &arguments),
        Bundle::Import { files, check } => reading::run(context, &files, check),
    }
}

/// What stands for a name of which nothing is left.
const NAMELESS: &str = "ente";

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
    match plain.trim_matches('-') {
        // In letters of another script: a file without a name is none.
        "" => NAMELESS.to_owned(),
        plain => plain.to_owned(),
    }
}

/// What a file is called while it is written: what an earlier attempt left is in nobody's way.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    path.with_extension(format!("{}.partial", std::process::id()))
}

/// Whole or not at all, and never in place of another: a file that is half there would be carried.
pub(super) fn write(context: &Context, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        context.fail(Exit::Error, "file", &format!("{}: {}", path.display(), context.cause(&error)))
    };
    if path.exists() {
        return Err(context.fail(Exit::Usage, "exists", &path.display().to_string()));
    }
    let partial = unfinished(path);
    let written = create_private(&partial).and_then(|mut file| {
        let kept = file.write_all(bytes).and_then(|()| file.sync_all());
        kept.and_then(|()| std::fs::rename(&partial, path)).inspect_err(|_| {
            // What is left of it is of no use to anybody.
            let _ = std::fs::remove_file(&partial);
        })
    });
    written.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};

    /// An organisation that writes its name in Cyrillic letters could make no backup.
    #[test]
    fn every_name_leaves_one_for_a_file() {
        let plain = ["Općina Đakovo", "Община", "«»", ""].map(plain_name);
        assert_eq!(plain, ["op-ina-akovo", "ente", "ente", "ente"]);
    }

    /// Every later file of that name failed until somebody deleted it.
    #[test]
    fn what_an_interrupted_attempt_left_is_in_nobodys_way() {
        let context = Context::new(Catalogue::new(Language::En), Global::default());
        let place = tempfile::tempdir().unwrap();
        let (left, path) = (place.path().join("a.partial"), place.path().join("a.sincronia"));
        std::fs::write(&left, "half").unwrap();
        assert!(write(&context, &path, b"whole").is_ok());
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert!(write(&context, &path, b"another").is_err(), "never in place of another");
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }
}
