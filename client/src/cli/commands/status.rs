//! `sincronia status` and `doctor`: do my partners have my changes, and do I have theirs?

use super::standing::{looked_up, partners, said};
use super::{Outcome, succession};
use crate::cli::arguments::Checking;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::language::suggestion::{each, named};
use crate::output::value::{Names, time};
use sincronia_node::api::{
    AwaitedBundleView, AwaitedKeysView, Check, DecisionsView, MissingView, PartnerState,
    PartnerView, Status,
};
use std::fmt::Write;

/// Addresses shown, one a line; all of them are in the JSON.
const ADDRESSES_MAX: usize = 4;
/// The check for partners whose words were not compared yet.
const VERIFIED: &str = "partners_verified";

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
    if status.set_aside {
        let _ = writeln!(text, "{}", texts.text("status-set-aside"));
    } else if status.revoked {
        let _ = writeln!(text, "{}", texts.text("status-revoked"));
    }
    if status.divided {
        let _ = writeln!(text, "{}", texts.text("status-divided"));
    }
    if !status.spaces_aside.is_empty() {
        let names = [("names", status.spaces_aside.join("; ").into())];
        let _ = writeln!(text, "{}", texts.with("status-spaces-aside", &names));
    }
    if status.sealing_replaced {
        let _ = writeln!(text, "{}", texts.text("status-sealing-replaced"));
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
    for awaited in &status.awaited_bundles {
        let _ = writeln!(text, "{}", bundle_awaited(context, status, awaited));
    }
    // Nobody has to bring what is here already and opens after a start.
    for awaited in status.awaited_keys.iter().filter(|_| !status.sealing_replaced) {
        let _ = writeln!(text, "{}", keys_awaited(context, status, awaited));
    }
    for missing in &status.missing {
        let _ = writeln!(text, "{}", contents_missing(context, status, missing));
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
pub(super) fn decisions(context: &Context, waiting: &DecisionsView) -> Vec<String> {
    let texts = &context.texts;
    let counts = [
        ("waits-introductions", waiting.introductions),
        ("waits-offers", waiting.offers),
        ("waits-late", waiting.late),
    ];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let counts = counts.map(|(key, count)| texts.with(key, &[("count", count.into())]));
    let named = [
        ("waits-to-accept", "succession accept", &waiting.to_accept),
        ("waits-to-declare", "succession declare", &waiting.to_declare),
        ("successors-apart", "", &waiting.successors_apart),
    ];
    let named = named.into_iter().filter(|(_, _, names)| !names.is_empty());
    // Of a name that stands in no command as it is, the place of it does.
    let place = texts.text("place-organisation");
    let named = named.map(|(key, command, names)| {
        let commands = each(command, names.iter().map(|name| (name.as_str(), place.as_str())));
        let arguments = [("names", names.join("; ").into()), ("commands", commands.into())];
        texts.with(key, &arguments)
    });
    counts.chain(named).collect()
}

/// Whose bundle is still to come after an invitation was answered by a file, and how it comes.
pub(super) fn bundle_awaited(
    context: &Context,
    status: &Status,
    awaited: &AwaitedBundleView,
) -> String {
    let arguments = [
        ("name", awaited.name.clone().into()),
        ("date", time(awaited.answered_at).into()),
        ("own", named(&status.name, &status.organisation).into()),
    ];
    context.texts.with("bundle-awaited", &arguments)
}

/// Whose keys are missing, and through whom they can come.
fn keys_awaited(context: &Context, status: &Status, awaited: &AwaitedKeysView) -> String {
    let texts = &context.texts;
    let arguments = [
        ("name", awaited.name.clone().into()),
        ("whom", named(&awaited.name, &awaited.owner).into()),
        ("spaces", awaited.spaces.into()),
    ];
    let way = match awaited.reachable {
        _ if awaited.owner == status.organisation => "keys-from-machine",
        true => "keys-from-partner",
        false if was_introduced(context, status, &awaited.owner) => "keys-from-introduced",
        false => "keys-from-stranger",
    };
    let mut text = texts.with("keys-awaited", &arguments);
    text.push(' ');
    text.push_str(&texts.with(way, &arguments[..2]));
    if !awaited.carriers.is_empty() {
        let names = [("names", awaited.carriers.join("; ").into())];
        text.push(' ');
        text.push_str(&texts.with("keys-from-carriers", &names));
    }
    text
}

/// What is gone of a space, who brings it back, and what to do where nobody has it.
fn contents_missing(context: &Context, status: &Status, missing: &MissingView) -> String {
    let texts = &context.texts;
    let arguments = [("title", missing.title.clone().into()), ("count", missing.entries.into())];
    let mut text = texts.with("contents-missing", &arguments);
    if missing.records.is_empty() {
        return text;
    }
    let commands = missing.records.iter().map(|record| format!("“sincronia erase {record}”"));
    let arguments = [
        ("name", missing.owner_name.clone().into()),
        ("commands", commands.collect::<Vec<_>>().join("; ").into()),
    ];
    let is_own = missing.owner == status.organisation;
    let key = if is_own { "contents-to-erase" } else { "contents-to-be-erased" };
    text.push(' ');
    text.push_str(&texts.with(key, &arguments));
    text
}

/// Whether a partner presented an organisation, and a person has only to accept it.
fn was_introduced(context: &Context, status: &Status, organisation: &str) -> bool {
    let asked = context.client().ok().filter(|_| status.decisions.introductions > 0);
    let waiting = asked.and_then(|client| client.introductions().ok()).unwrap_or_default();
    waiting.iter().any(|one| one.organisation == organisation)
}

pub(super) fn doctor(context: &Context) -> Outcome {
    let checks = context.client()?.doctor()?;
    let to_verify = to_verify(context, &checks)?;
    context.output.show("doctor", &checks, || report(context, &checks, &to_verify));
    let is_well = checks.iter().all(|check| check.ok || check.warning);
    Ok(if is_well { Exit::Done } else { Exit::Error })
}

/// The commands that verify partners, for those that are still to be verified.
fn to_verify(context: &Context, checks: &[Check]) -> Result<Vec<String>, Failure> {
    if context.output.json || !checks.iter().any(|check| check.name == VERIFIED && !check.ok) {
        return Ok(Vec::new());
    }
    let partners = context.client()?.partners()?;
    let joined = partners.iter().filter(|one| one.state == PartnerState::Joined);
    let command = |one: &PartnerView| {
        let is_alone = partners.iter().filter(|other| other.name == one.name).count() == 1;
        let name = if is_alone { one.name.as_str() } else { "" };
        format!("`sincronia partner verify {}`", named(name, &one.organisation))
    };
    Ok(joined.map(command).collect())
}

/// A line for each check and for each thing that it found: identifiers and addresses stay whole, so
/// that they can be copied.
fn report(context: &Context, checks: &[Check], to_verify: &[String]) -> String {
    let texts = &context.texts;
    let mut lines = Vec::new();
    for check in checks {
        let name = texts.find(&format!("check-{}", check.name.replace('_', "-")), &[]);
        let name = name.unwrap_or_else(|| check.name.clone());
        let state = texts.text(match (check.ok, check.warning) {
            (true, _) => "ok",
            (false, true) => "warning",
            (false, false) => "not-ok",
        });
        let found = texts.told(&check.detail);
        match found.lines().collect::<Vec<_>>().as_slice() {
            [] => lines.push(format!("{name}: {state}")),
            [one] => lines.push(format!("{name}: {state} · {one}")),
            several => {
                lines.push(format!("{name}: {state}"));
                lines.extend(several.iter().map(|one| format!("  · {one}")));
            }
        }
        if check.name == VERIFIED && !to_verify.is_empty() {
            lines.push(format!("  → {}", texts.text("compare-words")));
            lines.extend(to_verify.iter().map(|one| format!("    {}", texts.addressed(one))));
        } else if let Some(remedy) = check.remedy.as_deref().filter(|_| !check.ok) {
            lines.push(format!("  → {}", said(context, remedy)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};

    /// A table broke identifiers across lines, and the command to verify a partner named nobody.
    #[test]
    fn what_the_doctor_names_can_be_copied() {
        let id = format!("nodo1{}", "q".repeat(60));
        let check = |name: &str, detail: String| Check {
            name: name.into(),
            ok: false,
            warning: false,
            detail,
            remedy: Some("run `sincronia online`".into()),
        };
        let address = format!("/ip4/192.0.2.1/tcp/4001/p2p/{}", "Q".repeat(52));
        let checks = [
            check("removals_hold", format!("{id}\n{id}")),
            check("addresses", address.clone()),
            check(VERIFIED, "Comune di Aulla".into()),
        ];
        let global = Global { directory: Some("/srv/nodo".into()), ..Global::default() };
        let context = Context::new(Catalogue::new(Language::It), global);
        let verify = "`sincronia partner verify \"Comune di Aulla\"`".to_owned();
        let text = report(&context, &checks, &[verify]);
        assert_eq!(text.lines().filter(|line| line.contains(&id)).count(), 2, "{text}");
        assert!(text.contains(&address), "{text}");
        let command = "`sincronia partner verify \"Comune di Aulla\" --directory /srv/nodo`";
        assert!(text.contains(command) && !text.contains("PARTNER"), "{text}");
        assert!(text.contains("esegui `sincronia online --directory /srv/nodo`"), "{text}");
    }
}
