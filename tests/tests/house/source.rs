//! The Rust sources of the workspace, as text.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub struct Source {
    /// From the root of the workspace, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    /// Whether the whole file is test code. The benchmarks are not: they measure over time.
    pub fn is_test(&self) -> bool {
        let harness =
            self.path.starts_with("tests/") && !self.path.starts_with("tests/src/benchmark");
        harness || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// Lines that run in production, numbered from 1: neither comments nor the tests at the end.
    pub fn code(&self) -> Vec<(usize, &str)> {
        if self.is_test() {
            return Vec::new();
        }
        self.numbered()
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .collect()
    }

    /// Lines of test code, without comments.
    pub fn test_code(&self) -> Vec<(usize, &str)> {
        let whole = self.is_test();
        self.numbered()
            .skip_while(|(_, line)| !whole && line.trim() != "#[cfg(test)]")
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .collect()
    }

    pub fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// Every Rust file of one crate.
pub fn sources_of(krate: &str) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(krate)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("a file below the root");
                let text = fs::read_to_string(&path).expect("a text file");
                found.push(Source { path: name.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    assert!(!found.is_empty(), "no sources of {krate}");
    found.sort_by(|left, right| left.path.cmp(&right.path));
    found
}

/// Every Rust file of the workspace but this test, which has to name what it forbids.
pub fn sources() -> Vec<Source> {
    let all = ["protocol", "node", "client", "tests"].into_iter().flat_map(sources_of);
    all.filter(|source| !source.path.starts_with("tests/tests/house")).collect()
}

/// Whether `word` stands in `line` as a word of its own.
pub fn names(line: &str, word: &str) -> bool {
    let of_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(of_word) && !after.is_some_and(of_word)
    })
}

#[test]
fn words_are_told_from_parts_of_words() {
    assert!(names("use redb::Database;", "redb"));
    assert!(!names("credbility redb_like", "redb"));
}
