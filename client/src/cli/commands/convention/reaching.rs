//! Whom a new convention reaches, and what somebody has to do for it.

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::language::suggestion::each;
use sincronia_node::api::{ConventionView, PartnerState, PartnerView};

/// Tells who has the convention now, who is reached by files only, and whose words nobody compared.
pub(super) fn tell(context: &Context, view: &ConventionView) -> Result<(), Failure> {
    let others = view.space.members.iter().filter(|one| one.organisation != view.space.owner);
    let others: Vec<_> = others.collect();
    if context.output.json || others.is_empty() {
        return Ok(());
    }
    let partners = context.client()?.partners()?;
    let are = |is_meant: &dyn Fn(&PartnerView) -> bool| {
        let meant = |organisation: &String| {
            partners.iter().any(|one| one.organisation == *organisation && is_meant(one))
        };
        let found = others.iter().filter(|one| meant(&one.organisation));
        found.copied().collect::<Vec<_>>()
    };
    let told = [
        ("new-shared", "", others.clone()),
        ("new-by-bundle", "bundle export --for", are(&|one| one.bundles.is_some())),
        ("new-unverified", "partner verify", are(&|one| one.state == PartnerState::Joined)),
    ];
    for (key, command, members) in told.into_iter().filter(|(_, _, members)| !members.is_empty()) {
        let names: Vec<_> = members.iter().map(|one| one.name.as_str()).collect();
        let commands = members.iter().map(|one| (one.name.as_str(), one.organisation.as_str()));
        let arguments =
            [("names", names.join("; ").into()), ("commands", each(command, commands).into())];
        context.output.message(&context.texts.with(key, &arguments));
    }
    if others.len() > 1 {
        context.say("new-introduce");
    }
    Ok(())
}
