//! `sincronia status` and `doctor`: do my partners have my changes, and do I have theirs?

use super::standing::{looked_up, partners, said};
use super::{Outcome, succession};
use crate::cli::arguments::Checking;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::output::table::Rows;
use crate::output::value::Names;
use sincronia_node::api::{AwaitedKeysView, DecisionsView, Status};
use std::fmt::Write;

/// Addresses shown, one a line; all of them are in the JSON.
const ADDRESSES_MAX: usize = 4;

pub(super) fn run(context: &Context, arguments: &Checking) -> Outcome {
    let status = context.client()?.status()?;
    let names = if context.output.json { Names::default() } else { looked_up(context)? };
    context.output.show("status", &status, || text(context, &names, &status));
    let conflict = arguments.check && status.counts.conflicts > 0;
    Ok(if conflict { Exit::Conflict } else { Exit::Done })
}

fn text(context: &Context, names: &Names, status: &Status) -> String {
    let texts = &context.texts;
    let mut text = format!("{} · {}\n", status.name, status.organisation);
    let online = texts.text(match (status.closed, status.online) {
        (true, _) => "network-closed",
        (false, true) => "online",
        (false, false) => "offline",
    });
    let _ = writeln!(text, "{online}");
    for address in status.addresses.iter().take(ADDRESSES_MAX) {
        let _ = writeln!(text, "  {address}");
    }
    if let Some(more) = status.addresses.len().checked_sub(ADDRESSES_MAX).filter(|more| *more > 0) {
        let _ = writeln!(text, "  {}", texts.with("more-addresses", &[("count", more.into())]));
    }
    let counts = &status.counts;
    let arguments = [
        ("partners", counts.partners.into()),
        ("connected", counts.connected.into()),
        ("in_sync", counts.in_sync.into()),
        ("spaces", counts.spaces.into()),
    ];
    let _ = writeln!(text, "{}", texts.with("status-counts", &arguments));
    if counts.carried > 0 {
        let carried = [("count", counts.carried.into())];
        let _ = writeln!(text, "{}", texts.with("status-carried", &carried));
    }
    let records: u64 = counts.records.values().sum();
    let arguments = [
        ("records", records.into()),
        ("conflicts", counts.conflicts.into()),
        ("quarantined", counts.quarantined.into()),
    ];
    let _ = writeln!(text, "{}", texts.with("status-records", &arguments));
    if status.cloned {
        let _ = writeln!(text, "{}", texts.text("status-cloned"));
    }
    if status.revoked {
        let _ = writeln!(text, "{}", texts.text("status-revoked"));
    }
    if status.divided {
        let _ = writeln!(text, "{}", texts.text("status-divided"));
    }
    if status.short_of_room {
        let _ = writeln!(text, "{}", texts.text("status-short-of-room"));
    }
    if let Some(waiting) = &status.catching_up {
        let names = [("names", waiting.awaited.join("; ").into())];
        if waiting.blind {
            let _ = writeln!(text, "{}", texts.text("status-blind"));
        }
        if !waiting.awaited.is_empty() {
            let _ = writeln!(text, "{}", texts.with("status-catching-up", &names));
        }
    }
    if status.projecting {
        let _ = writeln!(text, "{}", texts.text("status-projecting"));
    }
    for line in decisions(context, &status.decisions) {
        let _ = writeln!(text, "{line}");
    }
    for awaited in &status.awaited_keys {
        let _ = writeln!(text, "{}", keys_awaited(context, status, awaited));
    }
    for passed in &status.passed {
        let _ = writeln!(text, "{}", succession::passed(context, "passed-from-here", passed));
    }
    if !status.partners.is_empty() {
        text.push_str(&partners(context, names, &status.partners));
    }
    text
}

/// What waits for a person, each with the command that shows it or does it.
fn decisions(context: &Context, waiting: &DecisionsView) -> Vec<String> {
    let texts = &context.texts;
    let counts = [
        ("waits-introductions", waiting.introductions),
        ("waits-offers", waiting.offers),
        ("waits-late", waiting.late),
    ];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let counts = counts.map(|(key, count)| texts.with(key, &[("count", count.into())]));
    let named = [
        ("waits-to-accept", &waiting.to_accept),
        ("waits-to-declare", &waiting.to_declare),
        ("successors-apart", &waiting.successors_apart),
    ];
    let named = named.into_iter().filter(|(_, names)| !names.is_empty());
    let named = named.map(|(key, names)| texts.with(key, &[("names", names.join("; ").into())]));
    counts.chain(named).collect()
}

/// Whose keys are missing, and through whom they can come.
fn keys_awaited(context: &Context, status: &Status, awaited: &AwaitedKeysView) -> String {
    let texts = &context.texts;
    let arguments = [("name", awaited.name.clone().into()), ("spaces", awaited.spaces.into())];
    let way = match awaited.reachable {
        _ if awaited.owner == status.organisation => "keys-from-machine",
        true => "keys-from-partner",
        false => "keys-from-stranger",
    };
    let mut text = texts.with("keys-awaited", &arguments);
    text.push(' ');
    text.push_str(&texts.with(way, &arguments[..1]));
    if !awaited.carriers.is_empty() {
        let names = [("names", awaited.carriers.join("; ").into())];
        text.push(' ');
        text.push_str(&texts.with("keys-from-carriers", &names));
    }
    text
}

pub(super) fn doctor(context: &Context) -> Outcome {
    let texts = &context.texts;
    let checks = context.client()?.doctor()?;
    context.output.show("doctor", &checks, || {
        let headings = ["check", "state", "found"].map(|key| texts.text(key));
        let mut rows = Rows::within(context.output, &headings);
        for check in &checks {
            let name = texts.find(&format!("check-{}", check.name.replace('_', "-")), &[]);
            let name = name.unwrap_or_else(|| check.name.clone());
            if check.ok {
                rows.row([name, texts.text("ok"), said(context, &check.detail)]);
            } else {
                let remedy = said(context, check.remedy.as_deref().unwrap_or_default());
                let found = format!("{}\n{remedy}", said(context, &check.detail));
                let state = if check.warning { "warning" } else { "not-ok" };
                rows.urgent([name, texts.text(state), found]);
            }
        }
        rows.to_string()
    });
    let is_well = checks.iter().all(|check| check.ok || check.warning);
    Ok(if is_well { Exit::Done } else { Exit::Error })
}
