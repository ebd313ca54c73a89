//! Step (f): two parties are never online together. A partner of both keeps what each writes until
//! the other comes, and reads nothing of it.

use super::offline::switch;
use crate::demo::DemoError;
use crate::demo::network::{Network, Node};
use crate::demo::patience::Found;
use crate::demo::report::{Report, Verdict};
use crate::demo::writing::OPERATOR;
use serde_json::{Map, Value as Json};
use sincronia_node::api::{EditRequest, ExamineReport, MemberRequest, RawQuery};

/// Who takes part.
struct Parts<'a> {
    space: String,
    owner: &'a Node,
    /// The one that is to hear of it through the carrier.
    other: &'a Node,
    /// Further parties, who stay away.
    away: Vec<&'a Node>,
    carrier: &'a Node,
}

pub(super) fn play(network: &Network<'_>, report: &mut Report) -> Result<(), DemoError> {
    let Some(parts) = parts(network)? else { return Ok(()) };
    let carried = report.check("carrier-between-two", || {
        admit(network, &parts)?;
        for node in parts.away.iter().chain([&parts.other]) {
            switch(network, &node.key, false)?;
        }
        pass(network, &parts, (parts.owner, parts.other), ("withdrawal_notice_days", 75))?;
        pass(network, &parts, (parts.other, parts.owner), ("verification_interval_months", 7))?;
        let (owner, carrier, other) = (&parts.owner.key, &parts.carrier.key, &parts.other.key);
        Ok(Verdict::held(format!("{owner} → {carrier} → {other} → {carrier} → {owner}")))
    })?;
    for node in parts.away.iter().chain([&parts.owner, &parts.other]) {
        switch(network, &node.key, true)?;
    }
    if carried {
        report.check("carrier-reads-nothing", || reads_nothing(&parts))?;
    }
    Ok(())
}

/// The first convention of three with a common partner that is no party of it.
fn parts<'a>(network: &'a Network<'_>) -> Result<Option<Parts<'a>>, DemoError> {
    for convention in super::conventions(network, 2) {
        let keys: Vec<_> = convention.parties.iter().map(|party| party.org.as_str()).collect();
        let [owner, other, away @ ..] = keys.as_slice() else { continue };
        let partners = network.pairs.partners(owner);
        let is_common = |key: &&&str| {
            !keys.contains(*key)
                && network.pairs.partners(other).contains(*key)
                && keys.iter().chain([*key]).all(|key| !network.has_no_line(key, key))
                && network.nodes.contains_key(**key)
        };
        if let Some(carrier) = partners.iter().find(is_common) {
            let away = away.iter().map(|key| network.node(key)).collect::<Result<_, _>>()?;
            let space = network.space(&super::space_name(convention))?.to_owned();
            let (owner, other) = (network.node(owner)?, network.node(other)?);
            return Ok(Some(Parts { space, owner, other, away, carrier: network.node(carrier)? }));
        }
    }
    Ok(None)
}

/// The owner names the carrier, which then holds the space.
fn admit(network: &Network<'_>, parts: &Parts<'_>) -> Result<(), DemoError> {
    let request = MemberRequest {
        organisation: parts.carrier.organisation.clone(),
        role: "carrier".to_owned(),
        history: Some("start".to_owned()),
    };
    parts.owner.ask("name a carrier", |client| client.add_member(&parts.space, &request))?;
    network.until("the carrier holds the space", || {
        let held = entries(parts.carrier, &parts.space).unwrap_or_default();
        let all = entries(parts.owner, &parts.space)?;
        let behind = || Found::Behind(format!("{held} of {all} entries"));
        Ok(if held == all { Found::Done(()) } else { behind() })
    })
}

/// How many entries of a space a node holds, whether it opens them or not.
fn entries(node: &Node, space: &str) -> Result<u64, DemoError> {
    Ok(held(node, space)?.entries)
}

/// What a node can do with all that it holds of a space.
fn held(node: &Node, space: &str) -> Result<ExamineReport, DemoError> {
    let raw = node.ask("give raw entries", |client| client.raw(space, &RawQuery::default()))?;
    node.ask("examine raw entries", |client| client.examine(space, &raw))
}

/// One writes while the other is away, and goes; the other comes and reads it.
fn pass(
    network: &Network<'_>,
    parts: &Parts<'_>,
    (from, to): (&Node, &Node),
    (field, value): (&str, i64),
) -> Result<(), DemoError> {
    let mut fields = Map::new();
    fields.insert(field.to_owned(), value.into());
    let operator = Some(OPERATOR.to_owned());
    let request = EditRequest { fields, seen: None, operator, comment: None };
    from.ask("edit a convention", |client| client.edit_convention(&parts.space, &request))?;
    network.until("the carrier has what was written", || {
        let (held, all) = (entries(parts.carrier, &parts.space)?, entries(from, &parts.space)?);
        let behind = || Found::Behind(format!("{held} of {all} entries"));
        Ok(if held == all { Found::Done(()) } else { behind() })
    })?;
    switch(network, &from.key, false)?;
    switch(network, &to.key, true)?;
    network.until("the other reads it through the carrier", || {
        let view = to.ask("show a convention", |client| client.convention(&parts.space))?;
        let shown = view.convention.fields.get(field).and_then(Json::as_i64);
        let behind = || Found::Behind(format!("{} shows {field} {shown:?}", to.key));
        Ok(if shown == Some(value) { Found::Done(()) } else { behind() })
    })
}

fn reads_nothing(parts: &Parts<'_>) -> Result<Verdict, DemoError> {
    let carrier = parts.carrier;
    let mut objections = Vec::new();
    let view = carrier.ask("show a space", |client| client.space(&parts.space))?;
    if view.has_key {
        objections.push(format!("{} has the key", carrier.key));
    }
    let ExamineReport { entries, authentic, opened } = held(carrier, &parts.space)?;
    if opened > 0 || authentic != entries || entries == 0 {
        objections.push(format!("{} opens {opened} of {entries} entries", carrier.key));
    }
    let detail = format!("{} keeps {entries} entries and opens none", carrier.key);
    Ok(Verdict::unless(&objections, detail))
}
