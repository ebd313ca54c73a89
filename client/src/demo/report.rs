//! What the demonstration found, for people and for programs.

use super::DemoError;
use super::network::{Network, Node};
use super::reading::agreed;
use crate::api::Client;
use crate::language::Catalogue;
use crate::output::Output;
use crate::output::table::Rows;
use serde::Serialize;
use sincronia_protocol::record::Kind;
use std::collections::BTreeMap;
use std::time::Instant;

/// One thing that should hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckResult {
    /// Its name; `check-<name>` in the catalogue.
    pub name: String,
    /// Whether it held.
    pub held: bool,
    /// What was seen.
    pub detail: String,
    /// How long it took.
    pub seconds: f64,
}

/// One node at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeRow {
    /// Its key: `--node KEY` drives it.
    pub key: String,
    /// Its organisation.
    pub name: String,
    /// Its directory, with the address and the token of its API.
    pub directory: String,
    /// Where its API listens.
    pub api: String,
    /// Its partners.
    pub partners: u64,
    /// Conventions it can read.
    pub conventions: u64,
    /// Contacts it can read.
    pub contacts: u64,
    /// Partners it is in sync with.
    pub in_sync: u64,
    /// Bytes sent and received.
    pub bytes: u64,
    /// Bytes on the disk.
    pub bytes_stored: u64,
}

/// The whole demonstration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// How many organisations.
    pub organisations: usize,
    /// How many pairs of partners.
    pub partnerships: usize,
    /// How many conventions.
    pub conventions: usize,
    /// How many contacts.
    pub contacts: usize,
    /// What should hold, in the order in which it was tried.
    pub checks: Vec<CheckResult>,
    /// How long each part took.
    pub seconds: BTreeMap<String, f64>,
    /// Every node.
    pub nodes: Vec<NodeRow>,
}

impl Report {
    /// Whether every check held, and there was at least one.
    #[must_use]
    pub fn held(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.held)
    }

    pub(super) fn timed<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<T, DemoError>,
    ) -> Result<T, DemoError> {
        let started = Instant::now();
        let result = work();
        let seconds = self.seconds.entry(name.to_owned()).or_default();
        *seconds += started.elapsed().as_secs_f64();
        result
    }

    /// Tries something that should hold. What goes wrong is its detail; only an interruption ends
    /// the demonstration.
    pub(super) fn check(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<Verdict, DemoError>,
    ) -> Result<bool, DemoError> {
        let started = Instant::now();
        let verdict = match work() {
            Err(DemoError::Interrupted) => return Err(DemoError::Interrupted),
            Err(error) => Verdict { held: false, detail: error.to_string() },
            Ok(verdict) => verdict,
        };
        let seconds = started.elapsed().as_secs_f64();
        let Verdict { held, detail } = verdict;
        self.checks.push(CheckResult { name: name.to_owned(), held, detail, seconds });
        Ok(held)
    }

    pub(super) fn describe(&mut self, network: &Network<'_>) -> Result<(), DemoError> {
        self.organisations = network.nodes.len();
        let present = |key: &str| network.nodes.contains_key(key);
        let pairs = network.pairs.iter().filter(|(one, other)| present(one) && present(other));
        self.partnerships = pairs.count();
        self.conventions = network.data.conventions.len();
        self.contacts = network.data.contacts.len();
        let bodies = network.data.organisations.iter();
        let nodes = bodies.filter_map(|body| network.nodes.get(&body.key));
        self.nodes = nodes.map(row).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The tables for people.
    #[must_use]
    pub fn text(&self, texts: &Catalogue, output: Output) -> String {
        let headings = ["organisation", "partners", "conventions", "contacts", "in-sync", "bytes"];
        let headings = headings.iter().copied().chain(["key"]).map(|key| texts.text(key));
        let mut nodes = Rows::new(output, &headings.collect::<Vec<_>>());
        for node in &self.nodes {
            let in_sync = format!("{}/{}", node.in_sync, node.partners);
            let cells = [
                node.name.clone(),
                node.partners.to_string(),
                node.conventions.to_string(),
                node.contacts.to_string(),
                in_sync,
                size(node.bytes),
                node.key.clone(),
            ];
            if node.in_sync == node.partners { nodes.row(cells) } else { nodes.urgent(cells) }
        }
        let headings = ["check", "state", "seconds", "found"].map(|key| texts.text(key));
        let mut checks = Rows::new(output, &headings);
        for check in &self.checks {
            let name = texts.text(&format!("demo-check-{}", check.name));
            let seconds = format!("{:.1}", check.seconds);
            let state = texts.text(if check.held { "held" } else { "not-held" });
            let cells = [name, state, seconds, check.detail.clone()];
            if check.held { checks.row(cells) } else { checks.urgent(cells) }
        }
        format!("{nodes}\n{checks}")
    }
}

/// Whether something held, and what was seen.
pub(super) struct Verdict {
    held: bool,
    detail: String,
}

impl Verdict {
    pub(super) fn held(detail: impl Into<String>) -> Self {
        Self { held: true, detail: detail.into() }
    }

    /// Held unless something speaks against it.
    pub(super) fn unless(objections: &[String], detail: impl Into<String>) -> Self {
        if objections.is_empty() {
            return Self::held(detail);
        }
        Self { held: false, detail: objections.join("; ") }
    }
}

fn row(node: &Node) -> Result<NodeRow, DemoError> {
    let status = node.ask("tell its status", Client::status)?;
    let count = |kind: Kind| status.counts.records.get(kind.name()).copied().unwrap_or_default();
    // What the node publishes for programs of this machine; it answers, so the file is there.
    let api = std::fs::read_to_string(node.directory.join("api-address")).unwrap_or_default();
    Ok(NodeRow {
        key: node.key.clone(),
        name: node.name.clone(),
        directory: node.directory.display().to_string(),
        api: format!("http://{}", api.trim()),
        partners: status.counts.partners,
        conventions: count(Kind::Convention),
        contacts: count(Kind::Contact),
        in_sync: agreed(&status),
        bytes: status.bytes_sent.saturating_add(status.bytes_received),
        bytes_stored: status.bytes_stored,
    })
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        0..KIB => format!("{bytes} B"),
        bytes if bytes < KIB * KIB => format!("{} KiB", bytes / KIB),
        bytes => format!("{}.{} MiB", bytes / KIB / KIB, bytes / KIB % KIB * 10 / KIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_only_if_something_was_checked_and_all_of_it_held() {
        let mut report = Report::default();
        assert!(!report.held());
        report.check("one", || Ok(Verdict::held("seen"))).unwrap();
        assert!(report.held());
        let refused = || Err(DemoError::Missing("nothing there".into()));
        assert!(!report.check("two", refused).unwrap());
        assert!(!report.held());
        assert_eq!(report.checks[1].detail, "nothing there");
        assert!(report.check("three", || Err(DemoError::Interrupted)).is_err());
    }
}
