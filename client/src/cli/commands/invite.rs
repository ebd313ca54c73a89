//! `sincronia invite`: one action on this side makes a partner.

use super::Outcome;
use crate::cli::arguments::{Invite, InviteAction, NewInvite};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming;
use crate::output::table::Rows;
use crate::output::value::{short, time};
use serde_json::json;
use sincronia_node::api::{GrantRequest, InviteRequest, NewInvitation};
use sincronia_node::limits::INVITATION_BEGINNING_MIN as BEGINNING_MIN;
use std::path::Path;

pub(super) fn run(context: &Context, arguments: Invite) -> Outcome {
    match arguments.action {
        None => new(context, arguments.new),
        Some(InviteAction::List) => list(context),
        Some(InviteAction::Revoke { invitation }) => revoke(context, &invitation),
    }
}

/// Takes an identifier as the list shows it, with or without the mark that it goes on. A beginning
/// that says nearly nothing names no invitation, even where there is only one.
fn revoke(context: &Context, invitation: &str) -> Outcome {
    let client = context.client()?;
    let beginning = invitation.trim().trim_end_matches('…').to_lowercase();
    let all = client.invitations()?;
    if beginning.len() < BEGINNING_MIN && all.iter().all(|one| one.id != beginning) {
        let open = all.iter().filter(|one| one.state == "open").map(|one| short(&one.id));
        let open = open.collect::<Vec<_>>();
        let open = if open.is_empty() { "—".to_owned() } else { open.join(", ") };
        return Err(context.fail(Exit::Usage, "invitation_short", &open));
    }
    let revoked = client.revoke_invitation(&beginning)?;
    context.output.show("invitation", &revoked, || context.texts.text("invitation-withdrawn"));
    Ok(Exit::Done)
}

fn new(context: &Context, arguments: NewInvite) -> Outcome {
    let existing = arguments.output.as_deref().filter(|path| path.exists());
    if let Some(path) = existing {
        return Err(context.fail(Exit::Usage, "exists", &path.display().to_string()));
    }
    let client = context.client()?;
    let mut spaces = Vec::new();
    for convention in &arguments.conventions {
        let space = naming::convention(context, convention)?.space.id;
        let role = arguments.role.clone();
        spaces.push(GrantRequest { space, role, history: "start".to_owned() });
    }
    let request =
        InviteRequest { valid_hours: arguments.valid_hours, note: arguments.note, spaces };
    let invitation = client.invite(&request)?;
    if let Some(path) = &arguments.output
        && let Err(failure) = write(context, path, &invitation)
    {
        // It is in nobody's hands: it must not stay open.
        client.revoke_invitation(&invitation.id)?;
        return Err(failure);
    }
    match &arguments.output {
        None => context.output.show("new_invitation", &invitation, || invitation.text.clone()),
        Some(path) => show_file(context, path, &invitation),
    }
    let until = [("until", time(invitation.expires_at).into())];
    let in_file = arguments.output.is_some();
    let advice = if in_file { "invitation-file-advice" } else { "invitation-advice" };
    context.output.message(&context.texts.with(advice, &until));
    if client.status()?.closed {
        context.say("invitation-by-bundle");
    } else if invitation.addresses.is_empty() {
        context.say("invitation-without-address");
    }
    Ok(Exit::Done)
}

/// Who asked for a file does not want the secret on the screen.
fn show_file(context: &Context, path: &Path, invitation: &NewInvitation) {
    let NewInvitation { id, expires_at, addresses, .. } = invitation;
    let file = path.display().to_string();
    let made = json!({ "id": id, "expires_at": expires_at, "addresses": addresses, "file": file });
    context.output.show("new_invitation", &made, || file);
}

/// The invitation opens the door once: the file is for its owner only, and never replaces another.
fn write(context: &Context, path: &Path, invitation: &NewInvitation) -> Result<(), Failure> {
    let text = format!("{}\n", invitation.text);
    crate::cli::secret::write_private(path, text.as_bytes()).map_err(|error| {
        context.fail(Exit::Error, "file", &format!("{}: {}", path.display(), context.cause(&error)))
    })
}

fn list(context: &Context) -> Outcome {
    let texts = &context.texts;
    let invitations = context.client()?.invitations()?;
    context.output.show("invitations", &invitations, || {
        let headings = ["id", "state", "note", "valid-until", "used-by"];
        let mut rows = Rows::within(context.output, &headings.map(|key| texts.text(key)));
        for invitation in &invitations {
            rows.row([
                short(&invitation.id),
                texts.text(&format!("invitation-{}", invitation.state)),
                invitation.note.clone().unwrap_or_default(),
                time(invitation.expires_at),
                invitation.used_by.as_deref().map(short).unwrap_or_default(),
            ]);
        }
        if rows.is_empty() { texts.text("nothing-here") } else { rows.to_string() }
    });
    Ok(Exit::Done)
}
