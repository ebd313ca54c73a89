//! Step (h): an office has a second machine, loses the first, and one command on the second revokes
//! it, takes its place, replaces the keys everywhere and says what it could have read.

use crate::demo::DemoError;
use crate::demo::data::Convention;
use crate::demo::network::{Network, Node};
use crate::demo::patience::Found;
use crate::demo::process::Process;
use crate::demo::report::{Report, Verdict};
use crate::demo::writing::OPERATOR;
use serde_json::{Map, Value as Json};
use sincronia_node::api::{EditRequest, ExposureView};

/// The field that is written after the loss, and its value.
const AFTERWARDS: (&str, i64) = ("withdrawal_notice_days", 33);

pub(super) fn play(network: &mut Network<'_>, report: &mut Report) -> Result<(), DemoError> {
    let Some((key, party, space)) = who(network)? else { return Ok(()) };
    let second = format!("{key}-2");
    let mut lost = String::new();
    let shared = report.check("second-machine", || {
        let node = network.node(&key)?;
        lost = node.ask("tell its status", crate::api::Client::status)?.node;
        let node = add(network, &key, &second)?;
        await_all(network, &node)?;
        network.nodes.insert(second.clone(), node);
        Ok(Verdict::held(format!("{key}, {second}")))
    })?;
    if !shared {
        return Ok(());
    }
    let revoked = report.check("laptop-revoked", || {
        if let Some(first) = network.nodes.get_mut(&key) {
            first.process.kill();
        }
        revoke(network, &key, &second, &lost)
    })?;
    if revoked {
        let partner = network.node(&party)?;
        report.check("laptop-reads-nothing-more", || {
            write(network, network.node(&second)?, partner, &space)?;
            told(network, &key, &space)
        })?;
    }
    // From here on the second machine is the office's; the lost one stays where it is.
    if let Some(node) = network.nodes.remove(&second) {
        network.nodes.insert(key, node);
    }
    Ok(())
}

/// The owner of the first convention of parties with a line, another party, and the space.
fn who(network: &Network<'_>) -> Result<Option<(String, String, String)>, DemoError> {
    let with_line = |convention: &&Convention| {
        convention.parties.iter().all(|party| !network.has_no_line(&party.org, &party.org))
    };
    let Some(convention) = super::conventions(network, 2).find(with_line) else { return Ok(None) };
    let [owner, party, ..] = convention.parties.as_slice() else { return Ok(None) };
    let space = network.space(&super::space_name(convention))?.to_owned();
    Ok(Some((owner.org.clone(), party.org.clone(), space)))
}

/// A second machine: its request, its admission with the recovery words, and it runs.
fn add(network: &Network<'_>, key: &str, second: &str) -> Result<Node, DemoError> {
    let (stage, node) = (&network.stage, network.node(key)?);
    let file = |name: &str| stage.files().join(format!("{second}.{name}"));
    let (request, admission) = (file("request"), file("admission"));
    let (request, admission) = (request.to_string_lossy(), admission.to_string_lossy());
    let words = stage.recovery_file(key);
    let made = std::fs::create_dir_all(stage.files());
    made.map_err(|cause| DemoError::Disk { path: stage.files(), cause })?;
    let organisation = node.organisation.as_str();
    let init = ["init", "--additional", organisation, "--output", &request];
    Process::tell(stage, second, &init, true)?;
    let words = words.to_string_lossy();
    let add = ["node", "add", &request, "--recovery-file", &words, "--output", &admission];
    Process::tell(stage, key, &add, false)?;
    Process::tell(stage, second, &["node", "admit", &admission], true)?;
    network.awaited(second, &node.name, Process::start(stage, second, false)?)
}

/// The second machine has as many records as the first, and the keys.
fn await_all(network: &Network<'_>, second: &Node) -> Result<(), DemoError> {
    let key = second.key.trim_end_matches("-2");
    let first = network.node(key)?;
    network.until("the second machine has everything", || {
        let wanted = first.ask("tell its status", crate::api::Client::status)?.counts.records;
        let status = second.ask("tell its status", crate::api::Client::status)?;
        let spaces = second.ask("list its spaces", crate::api::Client::spaces)?;
        let keyless = spaces.iter().filter(|space| space.role.is_some() && !space.has_key);
        let keyless = keyless.filter(|space| space.role.as_deref() != Some("carrier")).count();
        if status.counts.records == wanted && keyless == 0 {
            return Ok(Found::Done(()));
        }
        let found = status.counts.records.values().sum::<u64>();
        let all = wanted.values().sum::<u64>();
        Ok(Found::Behind(format!("{found} of {all} records, {keyless} spaces without a key")))
    })
}

/// The one command, and its report until nothing is left to be done.
fn revoke(
    network: &Network<'_>,
    key: &str,
    second: &str,
    lost: &str,
) -> Result<Verdict, DemoError> {
    let words = network.stage.recovery_file(key);
    let words = words.to_string_lossy();
    let command = ["node", "revoke", lost, "--recovery-file", &words];
    Process::tell(&network.stage, second, &command, false)?;
    let node = network.node(second)?;
    let report: ExposureView = network.until("all keys are replaced", || {
        let report = node.ask("report on a node", |client| client.node_report(lost))?;
        let behind = |report: &ExposureView| {
            Found::Behind(format!("{} of {} spaces", report.safe, report.safe + report.waiting))
        };
        Ok(if report.waiting == 0 { Found::Done(report) } else { behind(&report) })
    })?;
    let (records, spaces) = (report.records, report.spaces.len());
    let detail = format!("{key}: {records} records in {spaces} spaces, all keys replaced");
    Ok(Verdict::unless(
        &if report.revoked { Vec::new() } else { vec!["not revoked".to_owned()] },
        detail,
    ))
}

/// The second machine writes, a partner reads it.
fn write(
    network: &Network<'_>,
    second: &Node,
    partner: &Node,
    space: &str,
) -> Result<(), DemoError> {
    let (field, value) = AFTERWARDS;
    let mut fields = Map::new();
    fields.insert(field.to_owned(), value.into());
    let operator = Some(OPERATOR.to_owned());
    let request = EditRequest { fields, seen: None, operator, comment: None };
    second.ask("edit a convention", |client| client.edit_convention(space, &request))?;
    network.until("a partner reads what the second machine wrote", || {
        let shown = shown(partner, space)?;
        let behind = || Found::Behind(format!("{} shows {shown:?}", partner.key));
        Ok(if shown == Some(value) { Found::Done(()) } else { behind() })
    })
}

fn shown(node: &Node, space: &str) -> Result<Option<i64>, DemoError> {
    let view = node.ask("show a convention", |client| client.convention(space))?;
    Ok(view.convention.fields.get(AFTERWARDS.0).and_then(Json::as_i64))
}

/// Somebody starts the lost machine: it is told that it was revoked, and gets nothing.
fn told(network: &Network<'_>, key: &str, space: &str) -> Result<Verdict, DemoError> {
    let name = network.node(key)?.name.clone();
    let lost = network.awaited(key, &name, Process::start(&network.stage, key, false)?)?;
    network.until("the lost machine knows that it was revoked", || {
        let revoked = lost.ask("tell its status", crate::api::Client::status)?.revoked;
        Ok(if revoked { Found::Done(()) } else { Found::Behind("not yet".to_owned()) })
    })?;
    let mut objections = Vec::new();
    if shown(&lost, space)? == Some(AFTERWARDS.1) {
        objections.push("it reads what was written afterwards".to_owned());
    }
    Ok(Verdict::unless(&objections, key.to_owned()))
}
