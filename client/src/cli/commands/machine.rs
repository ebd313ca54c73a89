//! `sincronia node`: the machines of this organisation.
//!
//! What only the root key may do asks for the recovery words, signs in this process, and hands the
//! signed entries to the node.

use super::Outcome;
use crate::cli::arguments::{Machine, Recovery, Unlocking};
use crate::cli::context::Context;
use crate::cli::entering;
use crate::cli::failure::{Exit, Failure};
use crate::cli::starting::unusable;
use crate::cli::{node, secret};
use crate::output::table::Rows;
use crate::output::value::{short, time};
use crate::root::{RootError, Signing};
use sincronia_node::api::{ExposedSpaceView, ExposureView, IdentityView, NodeView, Status};
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::identity::{Admission, IdentityOperation, MachineError, NodeRequest};
use sincronia_protocol::ids::NodeId;
use std::fmt::Write;
use std::path::Path;

/// Beginnings of identifiers are taken from this length on.
const BEGINNING_MIN: usize = 8;

pub(super) fn run(context: &Context, action: Machine) -> Outcome {
    match action {
        Machine::List => list(context),
        Machine::Add { request, recovery, output } => {
            add(context, &request, &recovery, output.as_deref())
        }
        Machine::Admit { admission, unlocking } => admit(context, &admission, &unlocking),
        Machine::Revoke { machine, recovery } => revoke(context, &machine, &recovery),
        Machine::Report { machine } => report(context, &find(context, &machine)?.node),
        Machine::Primary { machine, recovery } => primary(context, &machine, &recovery),
        Machine::RotateSealing { recovery, unlocking } => sealing(context, &recovery, &unlocking),
        Machine::RotateRoot { recovery } => rotate_root(context, &recovery),
        Machine::Unite { recovery } => unite(context, &recovery),
    }
}

fn list(context: &Context) -> Outcome {
    let nodes = context.client()?.nodes()?;
    context.output.show("nodes", &nodes, || table(context, &nodes));
    Ok(Exit::Done)
}

fn table(context: &Context, nodes: &[NodeView]) -> String {
    let texts = &context.texts;
    let headings = ["node", "state", "last-seen"].map(|key| texts.text(key));
    let mut rows = Rows::new(context.output, &headings);
    for node in nodes {
        let marks = [
            (node.primary && !node.revoked, "node-primary"),
            (node.this, "node-this"),
            (node.connected, "node-connected"),
            (node.revoked, "node-revoked"),
        ];
        let marks = marks.into_iter().filter(|(holds, _)| *holds);
        let state: Vec<_> = marks.map(|(_, key)| texts.text(key)).collect();
        let seen = match (node.this || node.connected, node.last_seen) {
            (true, _) => texts.text("now"),
            (false, Some(at)) => time(at),
            (false, None) => texts.text("never"),
        };
        rows.row([node.node.clone(), state.join(" · "), seen]);
    }
    rows.to_string()
}

/// The node that `text` means: its identifier or the beginning of it.
fn find(context: &Context, text: &str) -> Result<NodeView, Failure> {
    let wanted = text.trim().trim_end_matches('…').to_lowercase();
    let mut nodes = context.client()?.nodes()?;
    nodes.retain(|one| one.node.starts_with(&wanted));
    let ids: Vec<_> = nodes.iter().map(|one| one.node.clone()).collect();
    let is_short = wanted.len() < BEGINNING_MIN && !ids.contains(&wanted);
    match (nodes.pop(), nodes.len()) {
        (Some(_), _) if is_short => {
            Err(context.fail(Exit::NotFound, "machine_short", &ids.join(", ")))
        }
        (Some(node), 0) => Ok(node),
        (None, _) => Err(context.fail(Exit::NotFound, "no_machine", text)),
        _ => Err(context.fail(Exit::NotFound, "ambiguous", &ids.join(", "))),
    }
}

/// Begins to sign, once it is as sure as can be that nobody else signed meanwhile.
pub(super) fn begin(context: &Context, recovery: &Recovery) -> Result<Signing, Failure> {
    let client = context.client()?;
    let view = client.identity()?;
    if view.known_length > view.length {
        return Err(context.fail(Exit::Network, "identity_behind", ""));
    }
    if view.witnesses == 0 && !is_alone(context)? {
        context.confirm(&context.texts.text("confirm-unwitnessed"))?;
        if context.global.yes {
            // Whoever agreed beforehand did not know that nobody would be heard.
            context.say("unwitnessed");
        }
    }
    signing(context, &view, recovery)
}

/// Checks that the words are those of the node's organisation.
pub(super) fn check_words(context: &Context, entropy: Secret<32>) -> Result<(), Failure> {
    let view = context.client()?.identity()?;
    Signing::begin(&view, entropy).map(drop).map_err(|error| not_signed(context, error))
}

/// Whether there is nobody who could know more: no partner, no other machine.
fn is_alone(context: &Context) -> Result<bool, Failure> {
    let client = context.client()?;
    let others = client.nodes()?.into_iter().filter(|one| !one.this && !one.revoked).count();
    Ok(others == 0 && client.status()?.counts.partners == 0)
}

fn signing(
    context: &Context,
    view: &IdentityView,
    recovery: &Recovery,
) -> Result<Signing, Failure> {
    let entropy = secret::recovery(context, recovery.recovery_file.as_deref())?;
    Signing::begin(view, entropy).map_err(|error| not_signed(context, error))
}

pub(super) fn not_signed(context: &Context, error: RootError) -> Failure {
    match error {
        RootError::OtherWords => context.fail(Exit::NotPermitted, "recovery_other", ""),
        RootError::Log => context.fail(Exit::Error, "identity_log", ""),
        error => context.fail(Exit::Usage, "identity_operation", &error.to_string()),
    }
}

pub(super) fn say(
    context: &Context,
    signing: &mut Signing,
    operations: Vec<IdentityOperation>,
) -> Result<Vec<NodeView>, Failure> {
    for operation in operations {
        signing.say(operation).map_err(|error| not_signed(context, error))?;
    }
    Ok(context.client()?.extend_identity(&signing.request())?)
}

fn add(context: &Context, request: &Path, recovery: &Recovery, output: Option<&Path>) -> Outcome {
    free(context, output)?;
    let request = read(context, request, NodeRequest::BEGINNING)?;
    let request = NodeRequest::from_text(&request).map_err(|error| unusable(context, &error))?;
    let client = context.client()?;
    if request.organisation.to_string() != client.status()?.organisation {
        return Err(unusable(context, &MachineError::Organisation));
    }
    let node = request.admission.node;
    let nodes = client.nodes()?;
    let known = nodes.iter().find(|one| one.node == node.to_string());
    if known.is_some_and(|one| one.revoked) {
        return Err(context.fail(Exit::NotPermitted, "machine_never_returns", &node.to_string()));
    }
    let is_new = known.is_none();
    // Asked again, because the first admission was lost, it is only given again.
    if is_new {
        let question = [("node", node.to_string().into())];
        context.confirm(&context.texts.with("confirm-add-node", &question))?;
        let mut signing = begin(context, recovery)?;
        let operation = IdentityOperation::AddNode { admission: request.admission };
        say(context, &mut signing, vec![operation])?;
    } else {
        let node = [("node", node.to_string().into())];
        context.output.message(&context.texts.with("added-before", &node));
    }
    let admission = client.identity()?.admission;
    hand_out(context, "admission", &node, &admission, output)?;
    context.say("admission-advice");
    Ok(Exit::Done)
}

fn admit(context: &Context, admission: &Path, unlocking: &Unlocking) -> Outcome {
    let text = read(context, admission, Admission::BEGINNING)?;
    let admission = Admission::from_text(&text).map_err(|error| unusable(context, &error))?;
    let directory = context.directory()?;
    let unlock = secret::unlock(context, unlocking)?;
    let admitted = node::admit(context, &directory, &unlock, &admission)?;
    let made = serde_json::json!({
        "organisation": admitted.organisation.to_string(),
        "name": admitted.name,
        "node": admitted.node.to_string(),
        "already": admitted.already,
    });
    let key = if admitted.already { "machine-admitted-before" } else { "machine-admitted" };
    context
        .output
        .show("admitted", &made, || context.texts.with(key, &[("name", admitted.name.into())]));
    Ok(Exit::Done)
}

/// The lost machine, in one command.
fn revoke(context: &Context, machine: &str, recovery: &Recovery) -> Outcome {
    let lost = find(context, machine)?;
    if lost.this {
        return Err(context.fail(Exit::Usage, "revoke_this", ""));
    }
    if !lost.revoked {
        let question = [("node", lost.node.clone().into())];
        context.confirm(&context.texts.with("confirm-revoke-node", &question))?;
        let mut signing = begin(context, recovery)?;
        let mut operations = Vec::new();
        if lost.primary {
            operations.push(IdentityOperation::SetPrimary { node: this(context)? });
        }
        operations.push(IdentityOperation::RevokeNode { node: id(context, &lost.node)? });
        say(context, &mut signing, operations)?;
    }
    report(context, &lost.node)
}

fn this(context: &Context) -> Result<NodeId, Failure> {
    id(context, &context.client()?.status()?.node)
}

fn id(context: &Context, text: &str) -> Result<NodeId, Failure> {
    text.parse().map_err(|_| context.fail(Exit::NotFound, "no_machine", text))
}

fn report(context: &Context, node: &str) -> Outcome {
    let client = context.client()?;
    let report = client.node_report(node)?;
    let status = client.status()?;
    context.output.show("node_report", &report, || exposure(context, &report, &status));
    Ok(Exit::Done)
}

fn exposure(context: &Context, report: &ExposureView, status: &Status) -> String {
    let (texts, own) = (&context.texts, status.organisation.as_str());
    let is_here = status.primary.as_ref() == Some(&status.node);
    let headings = ["title", "owner-of-space", "count", "written-there", "keys", "state"];
    let mut rows = Rows::new(context.output, &headings.map(|key| texts.text(key)));
    for space in &report.spaces {
        let keys = [("from", space.from_epoch.into()), ("to", space.to_epoch.into())];
        let cells = [
            title(context, space, own),
            space.owner_name.clone(),
            space.records.to_string(),
            space.written.to_string(),
            texts.with("keys-from-to", &keys),
            texts.text(match (space.state.as_str(), space.owner == own) {
                ("rotated", _) => "exposed-rotated",
                ("ended", _) => "exposed-ended",
                (_, false) => "exposed-waiting",
                (_, true) if is_here => "exposed-waiting-here",
                (_, true) => "exposed-waiting-primary",
            }),
        ];
        if space.state == "waiting" { rows.urgent(cells) } else { rows.row(cells) }
    }
    let counts = [
        ("spaces", (report.spaces.len() as u64).into()),
        ("records", report.records.into()),
        ("safe", report.safe.into()),
        ("waiting", report.waiting.into()),
    ];
    let mut text = texts.with("exposure-heading", &[("node", report.node.clone().into())]);
    let _ = write!(text, "\n{rows}\n{}", texts.with("exposure-counts", &counts));
    let is_own = |one: &ExposedSpaceView| one.state == "waiting" && one.owner == own;
    if report.revoked && !is_here && report.spaces.iter().any(is_own) {
        let primary = status.primary.clone().unwrap_or_default();
        let arguments = [("primary", primary.into()), ("node", status.node.as_str().into())];
        let _ = write!(text, "\n{}", texts.with("exposure-own-waits", &arguments));
    }
    if !report.revoked {
        let _ = write!(text, "\n{}", texts.text("exposure-not-revoked"));
    }
    text
}

fn title(context: &Context, space: &ExposedSpaceView, own: &str) -> String {
    let texts = &context.texts;
    match space.title.as_str() {
        "" => texts.with("nothing-readable", &[("id", short(&space.space).into())]),
        "directory" if space.owner == own => texts.text("own-directory"),
        "directory" => texts.with("directory-of", &[("name", space.owner_name.as_str().into())]),
        title => texts.find(&format!("kind-{title}"), &[]).unwrap_or_else(|| title.to_owned()),
    }
}

fn primary(context: &Context, machine: &str, recovery: &Recovery) -> Outcome {
    let node = find(context, machine)?;
    if node.revoked {
        return Err(context.fail(Exit::Usage, "machine_revoked", &node.node));
    }
    let mut nodes = Vec::new();
    if !node.primary {
        let mut signing = begin(context, recovery)?;
        let operation = IdentityOperation::SetPrimary { node: id(context, &node.node)? };
        nodes = say(context, &mut signing, vec![operation])?;
    }
    context
        .output
        .show("nodes", &nodes, || context.texts.with("primary-is", &[("node", node.node.into())]));
    Ok(Exit::Done)
}

fn sealing(context: &Context, recovery: &Recovery, unlocking: &Unlocking) -> Outcome {
    let mut signing = begin(context, recovery)?;
    let node = this(context)?;
    let certified = signing.identity().active_nodes().find(|(one, _)| **one == node);
    let certified = certified.map(|(_, key)| key.clone());
    let certified =
        certified.ok_or_else(|| context.fail(Exit::Usage, "machine_revoked", &node.to_string()))?;
    let unlock = secret::unlock(context, unlocking)?;
    let sealing = node::rotate_sealing(context, &context.directory()?, &unlock, &certified)?;
    let nodes =
        say(context, &mut signing, vec![IdentityOperation::RotateSealing { node, sealing }])?;
    context.output.show("nodes", &nodes, || context.texts.text("sealing-rotated"));
    Ok(Exit::Done)
}

fn rotate_root(context: &Context, recovery: &Recovery) -> Outcome {
    context.confirm(&context.texts.text("confirm-rotate-root"))?;
    let mut signing = begin(context, recovery)?;
    signing.rotate().map_err(|error| not_signed(context, error))?;
    let nodes = context.client()?.extend_identity(&signing.request())?;
    context.output.show("nodes", &nodes, || context.texts.text("root-rotated"));
    Ok(Exit::Done)
}

/// Two versions that were signed apart become one; whatever is signed does that by the way.
fn unite(context: &Context, recovery: &Recovery) -> Outcome {
    let status = context.client()?.status()?;
    if !status.divided {
        let nodes = context.client()?.nodes()?;
        context.output.show("nodes", &nodes, || context.texts.text("not-divided"));
        return Ok(Exit::Done);
    }
    let mut signing = begin(context, recovery)?;
    signing.unite().map_err(|error| not_signed(context, error))?;
    let nodes = context.client()?.extend_identity(&signing.request())?;
    context.output.show("nodes", &nodes, || {
        format!("{}\n{}", context.texts.text("united"), table(context, &nodes))
    });
    let apart = status.decisions.successors_apart;
    if !apart.is_empty() {
        let names = [("names", apart.join("; ").into())];
        context.output.message(&context.texts.with("successors-united", &names));
    }
    Ok(Exit::Done)
}

/// Prints a text that goes to another machine, or writes it to a new file.
pub(super) fn hand_out(
    context: &Context,
    name: &str,
    node: &NodeId,
    text: &str,
    output: Option<&Path>,
) -> Result<(), Failure> {
    if let Some(path) = output {
        secret::write_private(path, format!("{text}\n").as_bytes()).map_err(|error| {
            let cause = context.cause(&error);
            context.fail(Exit::Error, "file", &format!("{}: {cause}", path.display()))
        })?;
    }
    let file = output.map(|path| path.display().to_string());
    let made = serde_json::json!({ "node": node.to_string(), "text": text, "file": file });
    context.output.show(name, &made, || file.unwrap_or_else(|| text.to_owned()));
    Ok(())
}

/// Says beforehand that a file exists, which is never replaced.
pub(super) fn free(context: &Context, output: Option<&Path>) -> Result<(), Failure> {
    match output.filter(|path| path.exists()) {
        Some(path) => Err(context.fail(Exit::Usage, "exists", &path.display().to_string())),
        None => Ok(()),
    }
}

/// The text in a file, if it begins as it must. Of what is something else nothing is repeated: it
/// may be a secret, named by mistake.
fn read(context: &Context, path: &Path, beginning: &str) -> Result<String, Failure> {
    let bytes = entering::read(path).map_err(|error| context.unreadable(path, &error))?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    let found = text.trim_start().get(..beginning.len());
    if found.is_some_and(|found| found.eq_ignore_ascii_case(beginning)) {
        return Ok(text);
    }
    let path = path.display().to_string();
    let arguments = [("detail", path.into()), ("beginning", beginning.into())];
    Err(context.fail_with(Exit::Usage, "machine_file", &arguments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};
    use serde_json::json;

    fn told(primary: &str) -> String {
        let space = json!({
            "space": "fascicolo1", "title": "Accoglienza", "owner": "ente1",
            "owner_name": "Comune di Aulla", "from_epoch": 0, "to_epoch": 1, "records": 1,
            "written": 2, "state": "waiting",
        });
        let report = json!({
            "node": "nodo3", "revoked": true, "records": 1, "safe": 0, "waiting": 1,
            "spaces": [space],
        });
        let counts = json!({
            "partners": 0, "connected": 0, "in_sync": 0, "spaces": 1, "records": {},
            "conflicts": 0, "quarantined": 0,
        });
        let status = json!({
            "organisation": "ente1", "name": "Comune di Aulla", "node": "nodo2", "version": "0",
            "addresses": [], "online": true, "cloned": false, "projecting": false,
            "counts": counts, "bytes_sent": 0, "bytes_received": 0, "bytes_stored": 0,
            "partners": [], "primary": primary,
        });
        let context = Context::new(Catalogue::new(Language::En), Global::default());
        let report = serde_json::from_value(report).unwrap();
        let text = exposure(&context, &report, &serde_json::from_value(status).unwrap());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A second machine said of spaces of its own organisation that they waited for their owner.
    #[test]
    fn own_spaces_wait_for_the_primary_and_not_for_somebody_else() {
        let elsewhere = told("nodo1");
        assert!(!elsewhere.contains("owner of"), "{elsewhere}");
        assert!(elsewhere.contains("waits for this organisation's primary"), "{elsewhere}");
        assert!(
            elsewhere.contains("nodo1") && elsewhere.contains("node primary nodo2"),
            "{elsewhere}"
        );
        let here = told("nodo2");
        assert!(here.contains("which this machine makes"), "{here}");
        assert!(!here.contains("node primary"), "{here}");
    }
}
