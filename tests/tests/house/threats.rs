//! The table of threats is whole, and what it names as proof is there.

use super::none;
use super::source::{root, sources_of};
use std::collections::BTreeSet;
use std::fs;

const ROWS: usize = 44;

/// A row of the table: its number, and the tests it names.
fn rows() -> Vec<(usize, Vec<String>)> {
    let text = fs::read_to_string(root().join("docs/threats.md")).expect("the table of threats");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let row = |line: &str| {
        let cells = cells(line);
        let number = cells.get(1)?.parse().ok()?;
        assert_eq!(cells.len(), 6, "row {number}: number, attack, answer, tests");
        assert!(cells.iter().skip(1).take(4).all(|cell| !cell.is_empty()), "row {number}");
        let tests = cells.get(4)?.split('`').skip(1).step_by(2).map(str::to_owned);
        Some((number, tests.collect()))
    };
    text.lines().filter_map(row).collect()
}

/// The names of all tests and other functions of the workspace.
fn functions() -> BTreeSet<String> {
    let name = |line: &str| {
        let rest = line.split_once("fn ")?.1;
        Some(rest.split_once('(')?.0.to_owned())
    };
    let sources = ["protocol", "node", "client", "tests"].into_iter().flat_map(sources_of);
    let names = |text: String| text.lines().filter_map(name).collect::<Vec<_>>();
    sources.flat_map(|source| names(source.text)).collect()
}

#[test]
fn every_threat_stands_in_the_table_once() {
    let numbers: Vec<_> = rows().into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<_>>(), "one row for each threat, in order");
}

#[test]
fn every_threat_names_tests_that_exist() {
    let functions = functions();
    let mut findings = Vec::new();
    for (number, tests) in rows() {
        for test in tests.iter().filter(|test| !test.contains('/')) {
            let of_another =
                test.starts_with("threat_") && !test.starts_with(&format!("threat_{number:02}_"));
            if of_another || !functions.contains(test) {
                findings.push(format!("row {number}: {test}"));
            }
        }
    }
    none(&findings, "these tests do not exist, or prove another row:");
}

/// A row that no program can test says so in words.
#[test]
fn every_threat_has_a_proof_of_its_own() {
    let lacking: Vec<_> = rows()
        .into_iter()
        .filter(|(number, tests)| {
            let prefix = format!("threat_{number:02}_");
            !tests.is_empty() && !tests.iter().any(|test| test.starts_with(&prefix))
        })
        .map(|(number, _)| number.to_string())
        .collect();
    none(&lacking, "no test is named after these rows:");
    let in_words = rows().into_iter().filter(|(_, tests)| tests.is_empty());
    let in_words: Vec<_> = in_words.map(|(number, _)| number).collect();
    assert_eq!(in_words, [15, 40, 44], "rows answered in words");
}

#[test]
fn every_proof_of_a_threat_is_in_the_table() {
    let named: BTreeSet<_> = rows().into_iter().flat_map(|(_, tests)| tests).collect();
    let functions = functions();
    let proofs: Vec<_> = functions.iter().filter(|name| name.starts_with("threat_")).collect();
    assert!(proofs.len() > ROWS, "only {} proofs were found", proofs.len());
    let unlisted = proofs.into_iter().filter(|name| !named.contains(*name)).cloned();
    none(&unlisted.collect::<Vec<_>>(), "docs/threats.md does not name these tests:");
}
