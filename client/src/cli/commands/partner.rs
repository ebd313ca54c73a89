//! `sincronia partner`: whom this organisation exchanges with.

use super::{Outcome, standing, status};
use crate::cli::arguments::Partner;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::naming::Organisations;
use crate::language::suggestion::named;
use crate::output::foreign::safe_line;
use crate::output::value::{Names, time};
use sincronia_node::api::{PartnerState, PartnerView, VerifyRequest};
use sincronia_protocol::phrase::WORDS;
use std::fmt::Write;

pub(super) fn run(context: &Context, action: Partner) -> Outcome {
    let client = context.client()?;
    let find = |text: &str| Organisations::known(context)?.find(context, text);
    let names = standing::looked_up(context)?;
    match action {
        Partner::List => {
            let partners = client.partners()?;
            if !context.output.json {
                let now = client.status()?;
                for awaited in &now.awaited_bundles {
                    context.output.message(&status::bundle_awaited(context, &now, awaited));
                }
            }
            context.output.show("partners", &partners, || match partners.as_slice() {
                [] => context.texts.text("nobody-yet"),
                partners => standing::partners(context, &names, partners),
            });
        }
        Partner::Show { organisation } => {
            let partner = client.partner(&find(&organisation)?)?;
            context.output.show("partner", &partner, || sheet(context, &names, &partner));
        }
        Partner::Verify { organisation, phrase } => {
            let id = find(&organisation)?;
            if phrase.is_none() {
                let partner = client.partner(&id)?;
                let words = partner.verification_phrase.join(" ");
                let arguments = [("name", partner.name.into()), ("phrase", words.into())];
                context.output.message(&context.texts.with("compare-phrase", &arguments));
                context.confirm(&context.texts.text("phrase-is-the-same"))?;
            }
            let phrase = phrase.map(|phrase| words(context, &phrase)).transpose()?;
            let partner = client.verify_partner(&id, &VerifyRequest { phrase })?;
            context.output.show("partner", &partner, || sheet(context, &names, &partner));
        }
        Partner::Block { organisation } => {
            let id = find(&organisation)?;
            let was_verified = client.partner(&id)?.state == PartnerState::Verified;
            let question = [("name", organisation.into())];
            let key = if was_verified { "confirm-block-verified" } else { "confirm-block" };
            context.confirm(&context.texts.with(key, &question))?;
            let partner = client.block_partner(&id)?;
            context.output.show("partner", &partner, || sheet(context, &names, &partner));
            if was_verified {
                let name = [("name", partner.name.into())];
                context.output.message(&context.texts.with("blocked-verified", &name));
            }
        }
        Partner::Unblock { organisation } => {
            let id = find(&organisation)?;
            let was_blocked = client.partner(&id)?.state == PartnerState::Blocked;
            let partner = client.unblock_partner(&id)?;
            context.output.show("partner", &partner, || sheet(context, &names, &partner));
            let arguments = [
                ("whom", named(&partner.name, &partner.organisation).into()),
                ("name", partner.name.into()),
            ];
            let key = if was_blocked { "unblocked" } else { "was-not-blocked" };
            context.output.message(&context.texts.with(key, &arguments));
        }
    }
    Ok(Exit::Done)
}

/// The words of a phrase as they were typed, with commas or without. Fewer than were read are not
/// other words: nobody stands between two people of whom one did not finish typing.
fn words(context: &Context, phrase: &str) -> Result<String, Failure> {
    let words = phrase.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.collect();
    if words.len() != WORDS {
        let count = words.len().to_string();
        return Err(context.fail(Exit::Usage, "phrase_words", &count));
    }
    Ok(words.join(" "))
}

fn sheet(context: &Context, names: &Names, partner: &PartnerView) -> String {
    let texts = &context.texts;
    let mut text = standing::partners(context, names, std::slice::from_ref(partner));
    let revoked = format!(" · {}", texts.text("node-revoked"));
    let mut line = |key: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {}", texts.text(key), safe_line(value));
    };
    line("id", &partner.organisation);
    line("verification-phrase", &partner.verification_phrase.join(" "));
    line("joined-at", &time(partner.joined_at));
    line("shared-spaces", &partner.spaces.to_string());
    for (node, addresses) in &partner.addresses {
        let mark = if partner.revoked.contains(node) { &revoked } else { "" };
        line("node", &format!("{node}{mark}"));
        for address in addresses {
            line("address", address);
        }
    }
    if let Some(failure) = &partner.sync.last_failure {
        line("last-failure", &standing::said(context, failure));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};
    use serde_json::json;

    #[test]
    fn a_machine_that_the_partner_revoked_is_marked() {
        let partner: PartnerView = serde_json::from_value(json!({
            "organisation": "ente1", "name": "Comune di Aulla", "state": "joined",
            "verification_phrase": [], "addresses": [["nodo1old", []], ["nodo1new", []]],
            "revoked": ["nodo1old"], "joined_at": 1, "spaces": 1, "sync": {
                "connected": true, "phase": "in_sync", "outgoing": 0, "differences": 0,
            },
        }))
        .unwrap();
        let context = Context::new(Catalogue::new(Language::It), Global::default());
        let text = sheet(&context, &Names::default(), &partner);
        assert!(text.contains("nodo1old · revocato\n"), "{text}");
        assert!(text.contains("nodo1new\n"), "{text}");
    }

    /// An address is what the partner's node says. Another phrase to compare stood in it.
    #[test]
    fn threat_38_an_address_adds_no_line_to_what_is_known_of_a_partner() {
        let partner: PartnerView = serde_json::from_value(json!({
            "organisation": "ente1", "name": "Comune di Aulla", "state": "joined",
            "verification_phrase": ["uno"], "joined_at": 1, "spaces": 1,
            "addresses": [["nodo1", ["/dns4/x\nParole di verifica: due\u{1b}[8m/tcp/1"]]],
            "sync": {"connected": true, "phase": "in_sync", "outgoing": 0, "differences": 0},
        }))
        .unwrap();
        let context = Context::new(Catalogue::new(Language::It), Global::default());
        let text = sheet(&context, &Names::default(), &partner);
        let phrases = text.lines().filter(|line| line.starts_with("Parole di verifica"));
        assert_eq!(phrases.collect::<Vec<_>>(), ["Parole di verifica: uno"], "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
