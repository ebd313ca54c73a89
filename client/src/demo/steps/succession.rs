//! Step (g): bodies that are no more, and those that took their place. Both sign; conventions of
//! the old body pass to the new one, in those of others the new one stands where the old one stood,
//! and the old name finds the new body.

use crate::demo::DemoError;
use crate::demo::joining::invite;
use crate::demo::network::{Network, Node};
use crate::demo::patience::Found;
use crate::demo::process::Process;
use crate::demo::report::{Report, Verdict};
use crate::demo::writing::OPERATOR;
use serde_json::{Value as Json, json};
use sincronia_node::api::{
    ConventionRequest, ConventionsQuery, ErrorCode, OfferRequest, RecordView, SearchQuery,
    TakeRequest,
};

/// Who everybody works with, and whom every old body has an agreement with.
const HUB: &str = "comunita";

/// One body, and the one that took its place.
struct Pair<'a> {
    old: &'a Node,
    new: &'a Node,
}

impl Pair<'_> {
    fn told(&self) -> String {
        format!("{} → {}", self.old.key, self.new.key)
    }
}

pub(super) fn play(network: &Network<'_>, report: &mut Report) -> Result<(), DemoError> {
    let pairs = pairs(network);
    let Some(hub) = network.nodes.get(HUB).filter(|_| !pairs.is_empty()) else { return Ok(()) };
    let told = pairs.iter().map(Pair::told).collect::<Vec<_>>().join(", ");
    let mut titles = Vec::new();
    let signed = report.check("succession-signed", || {
        for pair in &pairs {
            titles.push(agreement(pair.old, hub)?);
            sign(network, pair)?;
        }
        network.until("everybody knows of the successions", || known(hub, pairs.len()))?;
        for node in pairs.iter().flat_map(|pair| [pair.old, pair.new]) {
            network.until("both bodies know of it", || known(node, 1))?;
        }
        Ok(Verdict::held(told.clone()))
    })?;
    if !signed {
        return Ok(());
    }
    report.check("succession-passes-conventions", || {
        for pair in &pairs {
            hand_over(network, pair)?;
        }
        network.until("the partner sees the new owners", || owned(hub, &pairs, &titles))?;
        Ok(Verdict::held(format!("{} conventions", titles.len())))
    })?;
    report.check("succession-in-conventions-of-others", || follow(network, &pairs))?;
    report.check("succession-old-name-finds-new", || {
        network.until("the old names find the new bodies", || finds(hub, &pairs))?;
        Ok(Verdict::held(told))
    })?;
    Ok(())
}

fn pairs<'a>(network: &'a Network<'_>) -> Vec<Pair<'a>> {
    let bodies = network.data.organisations.iter();
    let pair = |body: &crate::demo::data::Organisation| {
        let new = network.nodes.get(&body.succession.as_ref()?.into)?;
        Some(Pair { old: network.nodes.get(&body.key)?, new })
    };
    bodies.filter_map(pair).collect()
}

/// The old body has an agreement that is to outlive it; its title.
fn agreement(old: &Node, hub: &Node) -> Result<String, DemoError> {
    let title = format!("Accordo di {}", old.name);
    let request = json!({
        "fields": {
            "title": title,
            "instrument_kind": "protocollo_intesa",
            "parties": [
                {"org": old.organisation, "role": "inviante"},
                {"org": hub.organisation, "role": "gestore"},
            ],
        },
        "operator": OPERATOR,
    });
    let request: ConventionRequest = serde_json::from_value(request)
        .map_err(|error| DemoError::Missing(format!("an agreement: {error}")))?;
    old.ask("write an agreement", |client| client.create_convention(&request))?;
    Ok(title)
}

/// With the recovery words of each, by the same commands that people use.
fn sign(network: &Network<'_>, pair: &Pair<'_>) -> Result<(), DemoError> {
    for (node, verb, other) in [(pair.old, "declare", pair.new), (pair.new, "accept", pair.old)] {
        let words = network.stage.recovery_file(&node.key);
        let words = words.to_string_lossy();
        let command = ["succession", verb, other.organisation.as_str(), "--recovery-file", &words];
        Process::tell(&network.stage, &node.key, &command, false)?;
    }
    Ok(())
}

fn known(node: &Node, wanted: usize) -> Result<Found<()>, DemoError> {
    let found = node.ask("list successions", crate::api::Client::successions)?;
    let mutual = found.iter().filter(|one| one.declared && one.accepted).count();
    let behind = || Found::Behind(format!("{} knows {mutual} of {wanted}", node.key));
    Ok(if mutual >= wanted { Found::Done(()) } else { behind() })
}

/// The old body offers all it owns, the new one takes all.
fn hand_over(network: &Network<'_>, pair: &Pair<'_>) -> Result<(), DemoError> {
    let request = OfferRequest { organisation: pair.new.organisation.clone() };
    let own = conventions(pair.old)?;
    let mut spaces = Vec::new();
    for record in own {
        let space = record.space.clone();
        let view = pair.old.ask("show a space", |client| client.space(&space))?;
        if view.owner == pair.old.organisation {
            pair.old.ask("offer a convention", |client| client.offer_space(&space, &request))?;
            spaces.push(space);
        }
    }
    for space in spaces {
        network.until("the successor hears of an offer", || {
            let view = pair.new.ask("show a space", |client| match client.space(&space) {
                Err(error) if error.code == ErrorCode::NotFound => Ok(None),
                answer => answer.map(Some),
            })?;
            let own = Some(pair.new.organisation.as_str());
            let offered =
                view.is_some_and(|view| view.offered_to.as_deref() == own && view.has_key);
            let behind = || Found::Behind(pair.told());
            Ok(if offered { Found::Done(()) } else { behind() })
        })?;
        let request = TakeRequest { operator: Some(OPERATOR.to_owned()), successor: None };
        pair.new.ask("take a convention", |client| client.take_space(&space, &request))?;
    }
    Ok(())
}

fn conventions(node: &Node) -> Result<Vec<RecordView>, DemoError> {
    let query = ConventionsQuery::default();
    node.ask("list its conventions", |client| client.conventions(&query))
}

/// Every agreement belongs to the new body, which stands as its party.
fn owned(hub: &Node, pairs: &[Pair<'_>], titles: &[String]) -> Result<Found<()>, DemoError> {
    let shown = conventions(hub)?;
    for (pair, title) in pairs.iter().zip(titles) {
        let found = shown.iter().find(|one| one.fields.get("title") == Some(&json!(title)));
        let Some(found) = found else { return Ok(Found::Behind(format!("{title} is missing"))) };
        let view = hub.ask("show a space", |client| client.space(&found.space))?;
        if view.owner != pair.new.organisation || !names(found, &pair.new.organisation) {
            return Ok(Found::Behind(format!("{title} is not yet of {}", pair.new.key)));
        }
    }
    Ok(Found::Done(()))
}

fn names(convention: &RecordView, organisation: &str) -> bool {
    let parties = convention.fields.get("parties").and_then(Json::as_array);
    let is_it = |party: &Json| party.get("org").and_then(Json::as_str) == Some(organisation);
    parties.is_some_and(|parties| parties.iter().any(is_it))
}

/// Owners of other conventions put the new body in the place of the old one, and share with it.
fn follow(network: &Network<'_>, pairs: &[Pair<'_>]) -> Result<Verdict, DemoError> {
    let mut done = Vec::new();
    for pair in pairs {
        for convention in super::conventions(network, 2) {
            let Some(owner) = convention.parties.first() else { continue };
            let owner = network.node(&owner.org)?;
            let is_party = convention.parties.iter().any(|party| party.org == pair.old.key);
            let removed = !names_on(pair.old, network.space(&super::space_name(convention))?)?;
            if !is_party || removed || network.has_no_line(&owner.key, &owner.key) {
                continue;
            }
            if !network.pairs.partners(&owner.key).contains(&pair.new.key.as_str())
                && owner.key != pair.new.key
            {
                invite(owner, pair.new)?;
            }
            network.until("the owner knows of the succession", || {
                let found = owner.ask("list successions", crate::api::Client::successions)?;
                let fits = |one: &sincronia_node::api::SuccessionView| {
                    one.predecessor == pair.old.organisation && one.declared && one.accepted
                };
                let behind = || Found::Behind(owner.key.clone());
                Ok(if found.iter().any(fits) { Found::Done(()) } else { behind() })
            })?;
            let space = network.space(&super::space_name(convention))?;
            let request = TakeRequest { operator: Some(OPERATOR.to_owned()), successor: None };
            owner
                .ask("follow a succession", |client| client.follow_successions(space, &request))?;
            network.until("the new body reads the convention it entered", || {
                let reads = names_on(pair.new, space)?;
                let behind = || Found::Behind(format!("{}: {}", pair.new.key, convention.key));
                Ok(if reads { Found::Done(()) } else { behind() })
            })?;
            done.push(format!("{} in {}", pair.new.key, convention.key));
        }
    }
    if done.is_empty() {
        return Ok(Verdict::unless(&["no convention of others".to_owned()], ""));
    }
    Ok(Verdict::held(done.join(", ")))
}

/// Whether a node reads a convention in which it stands as a party.
fn names_on(node: &Node, space: &str) -> Result<bool, DemoError> {
    let shown = conventions(node)?;
    Ok(shown.iter().any(|one| one.space == space && names(one, &node.organisation)))
}

/// A search for the old name shows the new body.
fn finds(hub: &Node, pairs: &[Pair<'_>]) -> Result<Found<()>, DemoError> {
    for pair in pairs {
        let query = SearchQuery { q: pair.old.name.clone(), ..SearchQuery::default() };
        let hits = hub.ask("search", |client| client.search(&query))?;
        let shown = serde_json::to_string(&hits).unwrap_or_default();
        if !shown.contains(&pair.new.organisation) && !shown.contains(&pair.new.name) {
            return Ok(Found::Behind(format!("“{}” finds {} things", pair.old.name, hits.len())));
        }
    }
    Ok(Found::Done(()))
}
