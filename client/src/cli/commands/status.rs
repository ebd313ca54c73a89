//! `sincronia status` and `doctor`: do my partners have my changes, and do I have theirs?

use super::Outcome;
use crate::cli::arguments::Checking;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::output::table::Rows;
use crate::output::value::time;
use sincronia_node::api::{PartnerBundles, PartnerState, PartnerView, Status};
use std::fmt::Write;

pub(super) fn run(context: &Context, arguments: &Checking) -> Outcome {
    let status = context.client()?.status()?;
    context.output.show("status", &status, || text(context, &status));
    let conflict = arguments.check && status.counts.conflicts > 0;
    Ok(if conflict { Exit::Conflict } else { Exit::Done })
}

fn text(context: &Context, status: &Status) -> String {
    let texts = &context.texts;
    let mut text = format!("{} · {}\n", status.name, status.organisation);
    let online = texts.text(match (status.closed, status.online) {
        (true, _) => "network-closed",
        (false, true) => "online",
        (false, false) => "offline",
    });
    let _ = writeln!(text, "{online} · {}", status.addresses.join(" "));
    let counts = &status.counts;
    let arguments = [
        ("partners", counts.partners.into()),
        ("connected", counts.connected.into()),
        ("in_sync", counts.in_sync.into()),
        ("spaces", counts.spaces.into()),
    ];
    let _ = writeln!(text, "{}", texts.with("status-counts", &arguments));
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
    if !status.partners.is_empty() {
        text.push_str(&partners(context, &status.partners));
    }
    text
}

/// Where synchronisation with each partner stands, in words.
pub(super) fn partners(context: &Context, partners: &[PartnerView]) -> String {
    let texts = &context.texts;
    let headings = ["partner", "trust", "sync", "outstanding", "last-exchange"];
    let mut rows = Rows::new(context.output, &headings.map(|key| texts.text(key)));
    for partner in partners {
        let trust = texts.text(match partner.state {
            PartnerState::Joined => "trust-joined",
            PartnerState::Verified => "trust-verified",
            PartnerState::Blocked => "trust-blocked",
        });
        let phase = format!("{}{}", phase(context, partner), warnings(context, partner));
        let last = partner.last_exchange.map_or_else(|| texts.text("never"), time);
        let outstanding = outstanding(context, partner);
        let cells = [partner.name.clone(), trust, phase, outstanding, last];
        if partner.state == PartnerState::Joined { rows.urgent(cells) } else { rows.row(cells) }
    }
    rows.to_string()
}

fn said(context: &Context, sentence: &str) -> String {
    context.texts.said(sentence).unwrap_or_else(|| sentence.to_owned())
}

/// Without a session nobody can count: 0 would say that the partner has everything.
fn outstanding(context: &Context, partner: &PartnerView) -> String {
    let sync = &partner.sync;
    if let Some(bundles) = partner.bundles.as_ref().filter(|_| !sync.connected) {
        let count = [("count", bundles.unacknowledged.into())];
        return context.texts.with("outstanding-bundles", &count);
    }
    if !sync.connected {
        return context.texts.text("outstanding-unknown");
    }
    let counts = [("outgoing", sync.outgoing.into()), ("differences", sync.differences.into())];
    context.texts.with("outstanding-counts", &counts)
}

fn phase(context: &Context, partner: &PartnerView) -> String {
    if let Some(bundles) = partner.bundles.as_ref().filter(|_| !partner.sync.connected) {
        return by_bundle(context, bundles);
    }
    let phase = partner.sync.phase.replace('_', "-");
    let words = context.texts.find(&format!("phase-{phase}"), &[]).unwrap_or(phase);
    match &partner.sync.last_failure {
        Some(failure) if !partner.sync.connected => {
            format!("{words} ({})", said(context, failure))
        }
        _ => words,
    }
}

/// What may be old, or missing, of a partner.
fn warnings(context: &Context, partner: &PartnerView) -> String {
    let texts = &context.texts;
    let since = partner.confirmed.unwrap_or(partner.joined_at);
    let silent = partner.silent.then(|| ("partner-silent", ("time", time(since).into())));
    let held_back = partner.held_back > 0;
    let lacking = held_back.then(|| ("partner-held-back", ("spaces", partner.held_back.into())));
    let told = [silent, lacking].into_iter().flatten();
    let told = told.map(|(key, argument)| texts.with(key, &[argument]));
    told.flat_map(|words| [" · ".to_owned(), words]).collect()
}

/// A partner that is reached by files: which was the last one each way, and when.
fn by_bundle(context: &Context, bundles: &PartnerBundles) -> String {
    let told = |number: Option<u64>, at: Option<u64>| match (number, at) {
        (Some(number), Some(at)) => format!("{number} · {}", time(at)),
        _ => context.texts.text("never"),
    };
    let arguments = [
        ("out", told(bundles.last_out_number, bundles.last_out).into()),
        ("in", told(bundles.last_in_number, bundles.last_in).into()),
    ];
    context.texts.with("phase-bundles", &arguments)
}

pub(super) fn doctor(context: &Context) -> Outcome {
    let texts = &context.texts;
    let checks = context.client()?.doctor()?;
    context.output.show("doctor", &checks, || {
        let headings = ["check", "state", "found"].map(|key| texts.text(key));
        let mut rows = Rows::new(context.output, &headings);
        for check in &checks {
            let name = texts.find(&format!("check-{}", check.name.replace('_', "-")), &[]);
            let name = name.unwrap_or_else(|| check.name.clone());
            if check.ok {
                rows.row([name, texts.text("ok"), said(context, &check.detail)]);
            } else {
                let remedy = said(context, check.remedy.as_deref().unwrap_or_default());
                let found = format!("{}\n{remedy}", said(context, &check.detail));
                rows.urgent([name, texts.text("not-ok"), found]);
            }
        }
        rows.to_string()
    });
    Ok(if checks.iter().all(|check| check.ok) { Exit::Done } else { Exit::Error })
}
