//! How a file looks.

use super::none;
use super::source::{Source, names, root, sources, sources_of};
use std::fs;

const FILE_LINES_MAX: usize = 600;
const LINE_COLUMNS_MAX: usize = 100;

/// Words that say nothing about what a thing is.
const EMPTY_NAMES: [&str; 6] = ["Manager", "Helper", "Util", "Utils", "helpers", "utils"];

fn check(rule: &str, finds: impl Fn(&Source) -> Vec<String>) {
    let findings: Vec<String> = sources().iter().flat_map(finds).collect();
    none(&findings, rule);
}

#[test]
fn files_are_short() {
    check("split these by phase or by noun:", |source| {
        let lines = source.numbered().count();
        let long = lines > FILE_LINES_MAX;
        long.then(|| format!("{}: {lines} lines", source.path)).into_iter().collect()
    });
}

/// Tables of the documentation and texts for people cannot be broken where the code can.
#[test]
fn lines_are_short() {
    check("these lines are too long:", |source| {
        let unbreakable = |line: &str| {
            let line = line.trim_start();
            ["//! |", "/// |", "\"", "#[error(\"", "(\"", "b\""]
                .iter()
                .any(|start| line.starts_with(start))
        };
        let long = source.numbered().filter(|(_, line)| line.chars().count() > LINE_COLUMNS_MAX);
        let long = long.filter(|(_, line)| !unbreakable(line));
        long.map(|(number, _)| format!("{}:{number}", source.path)).collect()
    });
}

#[test]
fn modules_are_named_by_their_file() {
    check("write `noun.rs` beside `noun/`:", |source| {
        source.path.ends_with("/mod.rs").then(|| source.path.clone()).into_iter().collect()
    });
}

#[test]
fn names_say_what_a_thing_is() {
    check("name these by what they are or do:", |source| {
        let empty = |line: &str| {
            let declares = ["struct ", "enum ", "trait ", "mod ", "type "]
                .iter()
                .filter_map(|kind| line.split(kind).nth(1))
                .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())
                .any(|name| EMPTY_NAMES.iter().any(|empty| name.ends_with(empty)));
            declares || line.contains("fn get_") || line.contains("fn do_")
        };
        let lines = source.code().into_iter().chain(source.test_code());
        let found = lines.filter(|(_, line)| empty(line));
        found.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())).collect()
    });
}

#[test]
fn nothing_is_left_for_later() {
    check("finish these, or open an issue:", |source| {
        let left = |line: &str| {
            ["todo!", "unimplemented!", "dbg!", "FIXME", "TODO", "XXX", "HACK"]
                .iter()
                .any(|word| names(line, word))
        };
        let found = source.numbered().filter(|(_, line)| left(line));
        found.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())).collect()
    });
}

#[test]
fn tests_wait_for_events_and_never_for_time() {
    check("wait for what must happen, not for a while:", |source| {
        let found = source.test_code().into_iter().filter(|(_, line)| names(line, "sleep"));
        found.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())).collect()
    });
}

#[test]
fn every_file_says_what_it_is_for() {
    check("begin with `//!`: purpose, contract, what is absent:", |source| {
        let told = source.text.starts_with("//!");
        (!told && !source.is_test()).then(|| source.path.clone()).into_iter().collect()
    });
}

/// Personal data and secrets reach a log through `Debug` or not at all; printing has one place.
#[test]
fn only_the_command_prints() {
    check("return it, or trace it:", |source| {
        let may = ["client/src/output", "client/src/cli", "client/src/main.rs", "tests/"];
        if may.iter().any(|place| source.path.starts_with(place)) {
            return Vec::new();
        }
        let prints =
            |line: &str| ["println!(", "eprintln!(", "print!("].iter().any(|p| line.contains(p));
        let found = source.code().into_iter().filter(|(_, line)| prints(line));
        found.map(|(number, _)| format!("{}:{number}", source.path)).collect()
    });
}

/// Links of the documents lead to a file that exists.
#[test]
fn documents_link_to_what_is_there() {
    let mut findings = Vec::new();
    let mut documents = vec![root().join("README.md")];
    let folder = fs::read_dir(root().join("docs")).expect("the folder of the documents");
    documents.extend(folder.map(|entry| entry.expect("a document").path()));
    documents.retain(|path| path.extension().is_some_and(|end| end == "md"));
    for path in documents {
        let document = path.display();
        let text = fs::read_to_string(&path).expect("a document");
        let folder = path.parent().expect("a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or(target);
            if !target.contains("://") && !file.is_empty() && !folder.join(file).exists() {
                findings.push(format!("{document}: {target}"));
            }
        }
    }
    none(&findings, "these links lead nowhere:");
}

/// Names on the wire carry a version of the protocol, never one of a program: mixed fleets of
/// programs would fail without a word.
#[test]
fn names_on_the_wire_carry_the_version_of_the_protocol_alone() {
    let mut findings = Vec::new();
    let mut found = 0;
    for source in sources().iter().filter(|source| !source.path.starts_with("tests/")) {
        for (number, line) in source.numbered() {
            for name in
                line.split("\"/sincronia/").skip(1).filter_map(|rest| rest.split('"').next())
            {
                found += 1;
                let parts: Vec<_> = name.split('/').collect();
                let is_sound =
                    matches!(parts.as_slice(), [_, version] if version.parse::<u32>().is_ok());
                if !is_sound || name.contains('{') {
                    findings.push(format!("{}:{number}: {name}", source.path));
                }
            }
        }
    }
    assert!(found >= 2, "the names of the two protocols");
    none(&findings, "these names are not a purpose and a number:");
}

/// What the list of traps names as a test is one.
#[test]
fn every_trap_names_tests_that_exist() {
    let text = fs::read_to_string(root().join("docs/traps.md")).expect("the list of traps");
    let house = "tests/tests/house/tidy.rs";
    let tests: String = ["protocol", "node", "tests"]
        .into_iter()
        .flat_map(sources_of)
        .map(
            |source| {
                if source.path == house { source.text.replace("trap_", "") } else { source.text }
            },
        )
        .collect();
    let named: Vec<_> = text.split('`').skip(1).step_by(2).collect();
    let is_test = |name: &&&str| name.contains('_') && !name.contains('/');
    let findings: Vec<_> = named
        .iter()
        .filter(is_test)
        .filter(|name| !tests.contains(&format!("fn {name}(")))
        .map(ToString::to_string)
        .collect();
    let written = tests.split("fn trap_").skip(1).filter_map(|rest| rest.split_once("()"));
    let unlisted = |name: &&str| !named.contains(&format!("trap_{name}").as_str());
    let unlisted: Vec<_> = written.map(|(name, _)| name).filter(unlisted).collect();
    assert!(unlisted.is_empty(), "traps that docs/traps.md does not list: {unlisted:?}");
    none(&findings, "these tests do not exist:");
}
