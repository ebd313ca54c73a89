//! Step (d): a party is revoked. What is written afterwards does not reach it, and it cannot
//! decrypt it even when handed the raw entries.

use super::Expected;
use crate::api::Client;
use crate::demo::DemoError;
use crate::demo::network::{Network, Node};
use crate::demo::patience::Found;
use crate::demo::report::{Report, Verdict};
use crate::demo::writing::create;
use serde_json::{Value as Json, json};
use sincronia_node::api::{ExamineReport, RawQuery, RecordsQuery};
use sincronia_protocol::record::Kind;

/// What is written afterwards.
const AFTERWARDS: &str = "Obiettivo scritto dopo la revoca";

/// Who takes part.
struct Parts<'a> {
    name: String,
    space: String,
    owner: &'a Node,
    /// Who stays.
    others: Vec<&'a Node>,
    revoked: &'a Node,
}

pub(super) fn play(
    network: &Network<'_>,
    wanted: &mut Expected,
    report: &mut Report,
) -> Result<(), DemoError> {
    let Some(parts) = parts(network)? else { return Ok(()) };
    let mut before = 0;
    let removed = report.check("revoked", || {
        before = examine(parts.owner, parts.revoked, &parts.space)?.opened;
        let organisation = &parts.revoked.organisation;
        parts
            .owner
            .ask("revoke a party", |client| client.remove_member(&parts.space, organisation))?;
        write_afterwards(network, &parts)?;
        Ok(Verdict::held(format!("{} from {}", parts.revoked.key, parts.name)))
    })?;
    if !removed {
        return Ok(());
    }
    for node in parts.others.iter().chain([&parts.owner]) {
        if let Some(reading) = wanted.get_mut(&node.key) {
            reading.add(&parts.name, Kind::Objective);
        }
    }
    super::converged(network, wanted, "revocation-converges", report)?;
    report.check("nothing-reaches-the-revoked", || unreached(&parts))?;
    report.check("the-revoked-cannot-decrypt", || sealed(&parts, before))?;
    Ok(())
}

/// The last convention with at least three parties loses the last of them; the offline step takes
/// the first such convention.
fn parts<'a>(network: &'a Network<'_>) -> Result<Option<Parts<'a>>, DemoError> {
    let Some(convention) = super::conventions(network, 3).last() else { return Ok(None) };
    let name = super::space_name(convention);
    let parties = convention.parties.iter().map(|party| network.node(&party.org));
    let parties: Vec<&Node> = parties.collect::<Result<_, _>>()?;
    let [owner, others @ .., revoked] = parties.as_slice() else { return Ok(None) };
    let space = network.space(&name)?.to_owned();
    Ok(Some(Parts { name, space, owner, others: others.to_vec(), revoked }))
}

fn write_afterwards(network: &Network<'_>, parts: &Parts<'_>) -> Result<(), DemoError> {
    let convention = network.records.get(&parts.name).cloned();
    let fields = json!({
        "convention": convention,
        "kind": "educativo",
        "text": AFTERWARDS,
        "owner": parts.owner.organisation,
    });
    let Json::Object(fields) = fields else { return Ok(()) };
    create(parts.owner, &parts.space, Kind::Objective, fields)?;
    network.until("who stays reads what is written after a revocation", || {
        let mut behind = Vec::new();
        for node in &parts.others {
            if !reads(node, &parts.space)? {
                behind.push(node.key.as_str());
            }
        }
        Ok(if behind.is_empty() { Found::Done(()) } else { Found::Behind(behind.join(", ")) })
    })
}

fn reads(node: &Node, space: &str) -> Result<bool, DemoError> {
    let query = RecordsQuery {
        kind: Some(Kind::Objective.name().to_owned()),
        space: Some(space.to_owned()),
        ..RecordsQuery::default()
    };
    let records = node.ask("list its records", |client| client.records(&query))?;
    let text = |record: &sincronia_node::api::RecordView| {
        record.fields.get("text").and_then(Json::as_str) == Some(AFTERWARDS)
    };
    Ok(records.iter().any(text))
}

/// The revoked node is in sync with all its partners by now, and knows that it is a member no more.
fn unreached(parts: &Parts<'_>) -> Result<Verdict, DemoError> {
    let mut objections = Vec::new();
    if reads(parts.revoked, &parts.space)? {
        objections.push(format!("{} reads what was written afterwards", parts.revoked.key));
    }
    let spaces = parts.revoked.ask("list its spaces", Client::spaces)?;
    let space = spaces.iter().find(|space| space.id == parts.space);
    if let Some(role) = space.and_then(|space| space.role.as_ref()) {
        objections.push(format!("{} still takes itself for a {role}", parts.revoked.key));
    }
    Ok(Verdict::unless(&objections, parts.revoked.key.clone()))
}

/// Handed everything that a member holds, the revoked node opens what it could open before and no
/// entry more, though it sees that all are authentic. Who stays opens all of them.
fn sealed(parts: &Parts<'_>, before: u64) -> Result<Verdict, DemoError> {
    let revoked = examine(parts.owner, parts.revoked, &parts.space)?;
    let mut objections = Vec::new();
    if revoked.opened > before {
        objections.push(format!("it opens {} entries, {before} before", revoked.opened));
    }
    if revoked.entries <= before {
        objections.push(format!("only {} entries were handed to it", revoked.entries));
    }
    if revoked.authentic != revoked.entries {
        objections.push(format!("{} of {} are authentic", revoked.authentic, revoked.entries));
    }
    let staying = parts.others.first().unwrap_or(&parts.owner);
    let staying = examine(parts.owner, staying, &parts.space)?;
    if staying.opened != staying.entries {
        objections.push(format!("who stays opens {} of {}", staying.opened, staying.entries));
    }
    let detail = format!("{} of {} entries open", revoked.opened, revoked.entries);
    Ok(Verdict::unless(&objections, detail))
}

/// What `reader` can do with all raw entries of a space that `holder` has.
fn examine(holder: &Node, reader: &Node, space: &str) -> Result<ExamineReport, DemoError> {
    let query = RawQuery::default();
    let raw = holder.ask("give raw entries", |client| client.raw(space, &query))?;
    reader.ask("examine raw entries", |client| client.examine(space, &raw))
}
