//! Step (b): two parties of one convention go offline, edit different fields and the same legal
//! field, and come back. Everything is merged, the conflict is shown on every party, and goes
//! everywhere when a person has chosen.

use crate::api::Client;
use crate::demo::DemoError;
use crate::demo::data::Convention;
use crate::demo::network::{Network, Node};
use crate::demo::patience::Found;
use crate::demo::report::{Report, Verdict};
use crate::demo::writing::OPERATOR;
use serde_json::{Map, Value as Json, json};
use sincronia_node::api::{EditRequest, NetworkRequest, RecordView, ResolveRequest};

/// The legal field that both sides write.
const CONTESTED: &str = "end_date";

/// One side: who it is, what it writes alone, and what it writes against the other.
struct Side {
    key: String,
    field: &'static str,
    value: i64,
    date: &'static str,
}

pub(super) fn play(network: &Network<'_>, report: &mut Report) -> Result<(), DemoError> {
    let three = super::conventions(network, 3).next();
    let Some(convention) = three.or_else(|| super::conventions(network, 2).next()) else {
        return Ok(());
    };
    let space = network.space(&super::space_name(convention))?.to_owned();
    let parties = convention.parties.iter().map(|party| network.node(&party.org));
    let parties: Vec<&Node> = parties.collect::<Result<_, _>>()?;
    let sides = sides(convention);
    let merged = report.check("offline-edits-merge", || {
        edit_apart(network, &space, &sides)?;
        network.until("the edits of both sides are merged everywhere", || {
            behind(&parties, &space, |view| merged(view, &sides))
        })?;
        Ok(Verdict::held(format!("{}: {}", convention.key, both(&sides))))
    })?;
    if !merged {
        return Ok(());
    }
    let shown = report.check("conflict-on-every-party", || {
        network.until("every party shows the conflict", || {
            behind(&parties, &space, |view| contested(view, &sides))
        })?;
        let keys: Vec<_> = parties.iter().map(|node| node.key.as_str()).collect();
        Ok(Verdict::held(keys.join(", ")))
    })?;
    if !shown {
        return Ok(());
    }
    report.check("conflict-resolved-everywhere", || {
        let stands = resolve(&parties, &space, &sides)?;
        network.until("the conflict is gone everywhere", || {
            behind(&parties, &space, |view| {
                let chosen = view.fields.get(CONTESTED).and_then(Json::as_str) == Some(stands);
                (!chosen || !view.conflicts.is_empty()).then(|| "still shows it".to_owned())
            })
        })?;
        Ok(Verdict::held(format!("{CONTESTED} {stands}")))
    })?;
    Ok(())
}

/// Two parties, if possible neither the owner: it has no part in how changes merge.
fn sides(convention: &Convention) -> [Side; 2] {
    let mut keys = convention.parties.iter().rev().map(|party| party.org.clone());
    let mut side = |field, value, date| {
        let key = keys.next().unwrap_or_default();
        Side { key, field, value, date }
    };
    [
        side("withdrawal_notice_days", 45, "2027-06-30"),
        side("verification_interval_months", 4, "2028-01-31"),
    ]
}

fn both(sides: &[Side; 2]) -> String {
    sides.iter().map(|side| side.key.as_str()).collect::<Vec<_>>().join(" + ")
}

fn edit_apart(network: &Network<'_>, space: &str, sides: &[Side; 2]) -> Result<(), DemoError> {
    for side in sides {
        switch(network, &side.key, false)?;
    }
    for side in sides {
        let node = network.node(&side.key)?;
        let mut fields = Map::new();
        fields.insert(side.field.to_owned(), side.value.into());
        fields.insert(CONTESTED.to_owned(), json!(side.date));
        let request =
            EditRequest { fields, seen: None, operator: Some(OPERATOR.to_owned()), comment: None };
        let view = node
            .ask("edit a convention offline", |client| client.edit_convention(space, &request))?;
        // Each side sees its own edit at once, and nothing of the other.
        let own = view.convention.fields.get(CONTESTED).and_then(Json::as_str) == Some(side.date);
        if !own || !view.convention.conflicts.is_empty() {
            let message = format!("{} does not show its own edit while offline", side.key);
            return Err(DemoError::Missing(message));
        }
    }
    sides.iter().try_for_each(|side| switch(network, &side.key, true))
}

/// Who has no line is apart until somebody carries files.
pub(super) fn switch(network: &Network<'_>, key: &str, online: bool) -> Result<(), DemoError> {
    if network.has_no_line(key, key) {
        return Ok(());
    }
    let node = network.node(key)?;
    let what = if online { "go online" } else { "go offline" };
    node.ask(what, |client| client.network(&NetworkRequest { online }))?;
    network.patience.until(&format!("{key} is to {what}"), || {
        let status = node.ask("tell its status", Client::status)?;
        let done = status.online == online && (online || status.counts.connected == 0);
        let connected = status.counts.connected;
        let behind = || Found::Behind(format!("{key} has {connected} connections"));
        Ok(if done { Found::Done(()) } else { behind() })
    })
}

/// Whether all parties show what they should; `lacks` says what one view has not.
fn behind(
    parties: &[&Node],
    space: &str,
    lacks: impl Fn(&RecordView) -> Option<String>,
) -> Result<Found<()>, DemoError> {
    let mut behind = Vec::new();
    for node in parties {
        let view = node.ask("show a convention", |client| client.convention(space))?;
        let lack = lacks(&view.convention);
        behind.extend(lack.map(|lack| format!("{} {lack}", node.key)));
    }
    Ok(if behind.is_empty() { Found::Done(()) } else { Found::Behind(behind.join("; ")) })
}

fn merged(view: &RecordView, sides: &[Side; 2]) -> Option<String> {
    let missing = sides
        .iter()
        .find(|side| view.fields.get(side.field).and_then(Json::as_i64) != Some(side.value));
    missing.map(|side| format!("has not the {} of {}", side.field, side.key))
}

/// Both values stand side by side, and nothing else is contested.
fn contested(view: &RecordView, sides: &[Side; 2]) -> Option<String> {
    let [conflict] = view.conflicts.as_slice() else {
        return Some(format!("shows {} conflicts", view.conflicts.len()));
    };
    let stands = |side: &Side| conflict.values.iter().any(|value| value.value == side.date);
    let complete = conflict.field == CONTESTED
        && conflict.values.len() == sides.len()
        && sides.iter().all(stands);
    (!complete).then(|| format!("shows another conflict, in {}", conflict.field))
}

/// A person at the first party chooses the value of the first side, which is returned.
fn resolve(parties: &[&Node], space: &str, sides: &[Side; 2]) -> Result<&'static str, DemoError> {
    let missing = || DemoError::Missing("there is no conflict to resolve".to_owned());
    let node = parties.first().ok_or_else(missing)?;
    let view = node.ask("show a convention", |client| client.convention(space))?;
    let [chosen, _] = sides;
    let mut values = view.convention.conflicts.iter().flat_map(|conflict| &conflict.values);
    let value = values.find(|value| value.value == chosen.date).ok_or_else(missing)?;
    let request = ResolveRequest {
        field: CONTESTED.to_owned(),
        value: None,
        entry: Some(value.origin.entry.clone()),
        operator: Some(OPERATOR.to_owned()),
        comment: Some("Data concordata per telefono.".to_owned()),
    };
    let id = view.convention.id.as_str();
    node.ask("resolve a conflict", |client| client.resolve(space, id, &request))?;
    Ok(chosen.date)
}
