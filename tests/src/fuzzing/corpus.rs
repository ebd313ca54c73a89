//! The committed inputs of every target: valid ones, and those of findings.

use std::fs;
use std::path::PathBuf;

/// Where the inputs of a target stand.
#[must_use]
pub fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs of a target, by file name.
#[must_use]
pub fn read(target: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder(target)) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a readable file"))
        })
        .collect();
    found.sort();
    found
}

/// Writes valid inputs of a target, beside those that are there.
pub fn write(target: &str, samples: &[Vec<u8>]) {
    let folder = folder(target);
    fs::create_dir_all(&folder).expect("a folder for the corpus");
    for (number, sample) in samples.iter().enumerate() {
        fs::write(folder.join(format!("sample-{number:02}")), sample).expect("a sample");
    }
}
