//! What a node can read, as its public API tells.

use super::DemoError;
use super::expectation::Reading;
use super::network::{Network, Node};
use super::patience::Found;
use crate::api::Client;
use serde_json::Value as Json;
use sincronia_node::api::{RecordView, RecordsQuery, Status};
use std::collections::BTreeMap;

/// Nodes named in one message.
const BEHIND_MAX: usize = 5;

/// Everything that a node shows.
pub(super) fn read(node: &Node) -> Result<Reading, DemoError> {
    let spaces = node.ask("list its spaces", Client::spaces)?;
    let query = RecordsQuery::default();
    let records = node.ask("list its records", |client| client.records(&query))?;
    let mut of_space: BTreeMap<&str, Vec<&RecordView>> =
        spaces.iter().map(|space| (space.id.as_str(), Vec::new())).collect();
    for record in &records {
        of_space.entry(&record.space).or_default().push(record);
    }
    let mut reading = Reading::default();
    for (id, records) in of_space {
        let counts = reading.spaces.entry(name(id, &records)).or_default();
        for record in records {
            *counts.entry(record.kind.clone()).or_default() += 1;
        }
    }
    Ok(reading)
}

/// The name that the data file gives to a space, from what stands in it.
fn name(id: &str, records: &[&RecordView]) -> String {
    let key = |kind: &str| {
        let record = records.iter().find(|record| record.kind == kind)?;
        record.fields.get("key").and_then(Json::as_str)
    };
    match (key("convention"), key("organisation")) {
        (Some(key), _) => format!("convention/{key}"),
        (_, Some(key)) => format!("directory/{key}"),
        _ => format!("unknown/{id}"),
    }
}

impl Network<'_> {
    /// Waits until every node is in sync with every partner and shows as many records of each kind
    /// as it should.
    pub(super) fn converge(&self, expected: &BTreeMap<String, Reading>) -> Result<(), DemoError> {
        self.until("every organisation is in sync", || {
            let mut behind = Vec::new();
            for (key, reading) in expected {
                let node = self.node(key)?;
                let status = node.ask("tell its status", Client::status)?;
                behind.extend(self.lacks(node, &status, reading));
            }
            self.tell("demo-converging", expected.len() - behind.len(), expected.len());
            Ok(if behind.is_empty() { Found::Done(()) } else { Found::Behind(named(&behind)) })
        })
    }

    /// By what a node is behind.
    fn lacks(&self, node: &Node, status: &Status, wanted: &Reading) -> Option<String> {
        let partners = self.pairs.partners(&node.key);
        let partners = partners.iter().filter(|key| self.nodes.contains_key(**key)).count() as u64;
        let in_sync = agreed(status);
        let counts = &status.counts;
        let records = wanted.totals();
        let mut lacks = Vec::new();
        if in_sync != partners || counts.partners != partners {
            lacks.push(format!("in sync with {in_sync} of {partners} partners"));
        }
        let found: BTreeMap<_, _> =
            counts.records.iter().filter(|(_, count)| **count > 0).collect();
        if found != records.iter().collect() {
            lacks.push(format!("has {found:?} of {records:?}"));
        }
        if status.projecting {
            lacks.push("is still reading what arrived".to_owned());
        }
        (!lacks.is_empty()).then(|| format!("{} {}", node.key, lacks.join(", ")))
    }
}

/// Partners that have everything: in sync over a line, or by their own word in a file.
pub(super) fn agreed(status: &Status) -> u64 {
    let by_files = status.partners.iter().filter(|partner| {
        let bundles = partner.bundles.as_ref().filter(|_| !partner.sync.connected);
        bundles.is_some_and(|bundles| bundles.unacknowledged == 0)
    });
    status.counts.in_sync + by_files.count() as u64
}

fn named(behind: &[String]) -> String {
    let mut named = behind.iter().take(BEHIND_MAX).cloned().collect::<Vec<_>>().join("; ");
    if behind.len() > BEHIND_MAX {
        named.push_str("; and others");
    }
    named
}
