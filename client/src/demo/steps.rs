//! The steps of the demonstration, each with its checks.

mod carrier;
mod laptop;
mod newcomers;
mod offline;
mod revocation;
mod succession;

use super::DemoError;
use super::data::Convention;
use super::expectation::{Reading, expected};
use super::network::Network;
use super::patience::Found;
use super::reading::{agreed, read};
use super::report::{Report, Verdict};
use crate::api::Client;
use std::collections::BTreeMap;

/// What every organisation should be able to read now.
type Expected = BTreeMap<String, Reading>;

/// Plays all steps; with `seed` only those that change nothing.
pub(super) fn play(
    network: &mut Network<'_>,
    seed: bool,
    report: &mut Report,
) -> Result<(), DemoError> {
    let wanted = expected(&network.data, &network.present());
    converged(network, &wanted, "converged", report)?;
    if seed {
        everybody_reads(network, &wanted, report)?;
        return network.closed_by_files(report);
    }
    offline::play(network, report)?;
    newcomers::play(network, report)?;
    let mut wanted = expected(&network.data, &network.present());
    revocation::play(network, &mut wanted, report)?;
    everybody_reads(network, &wanted, report)?;
    network.closed_by_files(report)?;
    carrier::play(network, report)?;
    succession::play(network, report)?;
    laptop::play(network, report)?;
    in_sync_at_last(network, report)
}

/// After all that, every node has agreed with every partner of its own.
fn in_sync_at_last(network: &Network<'_>, report: &mut Report) -> Result<(), DemoError> {
    report.check("in-sync-at-last", || {
        network.until("everybody is in sync at last", || {
            let mut behind = Vec::new();
            for (key, node) in &network.nodes {
                let status = node.ask("tell its status", Client::status)?;
                let (found, all) = (agreed(&status), status.counts.partners);
                if found != all {
                    behind.push(format!("{key}: {found} of {all}"));
                }
            }
            Ok(if behind.is_empty() { Found::Done(()) } else { Found::Behind(behind.join("; ")) })
        })?;
        Ok(Verdict::held(format!("{} organisations", network.nodes.len())))
    })?;
    Ok(())
}

fn converged(
    network: &Network<'_>,
    wanted: &Expected,
    name: &str,
    report: &mut Report,
) -> Result<bool, DemoError> {
    report.check(name, || {
        network.converge(wanted)?;
        Ok(Verdict::held(format!("{} organisations", wanted.len())))
    })
}

/// Step (e): every node is asked what it can read, and that is exactly what it should be.
fn everybody_reads(
    network: &Network<'_>,
    wanted: &Expected,
    report: &mut Report,
) -> Result<(), DemoError> {
    report.check("reads-exactly", || {
        network.converge(wanted)?;
        let (mut objections, mut spaces, mut records) = (Vec::new(), 0, 0);
        for (at, (key, wanted)) in wanted.iter().enumerate() {
            network.tell("demo-reading", at, network.nodes.len());
            let found = read(network.node(key)?)?;
            let differences = wanted.differences(&found);
            objections.extend(differences.iter().map(|text| format!("{key}: {text}")));
            spaces += found.spaces.len();
            records += found.totals().values().sum::<u64>();
        }
        let detail = format!("{spaces} spaces, {records} records");
        Ok(Verdict::unless(&objections, detail))
    })?;
    Ok(())
}

/// Conventions whose parties all run, with at least so many of them.
fn conventions<'a>(
    network: &'a Network<'_>,
    parties: usize,
) -> impl Iterator<Item = &'a Convention> {
    let running = move |convention: &&Convention| {
        convention.parties.len() >= parties
            && convention.parties.iter().all(|party| network.nodes.contains_key(&party.org))
    };
    network.data.conventions.iter().filter(running)
}

fn space_name(convention: &Convention) -> String {
    format!("convention/{}", convention.key)
}
