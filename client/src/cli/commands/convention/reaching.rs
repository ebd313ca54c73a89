//! Whom a new convention reaches, and what somebody has to do for it.

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use sincronia_node::api::{ConventionView, PartnerState, PartnerView};

/// Tells who has the convention now, who is reached by files only, and whose words nobody compared.
pub(super) fn tell(context: &Context, view: &ConventionView) -> Result<(), Failure> {
    let others = view.space.members.iter().filter(|one| one.organisation != view.space.owner);
    let others: Vec<_> = others.collect();
    if context.output.json || others.is_empty() {
        return Ok(());
    }
    let partners = context.client()?.partners()?;
    let named = |is_meant: &dyn Fn(&PartnerView) -> bool| {
        let meant = |organisation: &String| {
            partners.iter().any(|one| one.organisation == *organisation && is_meant(one))
        };
        let names = others.iter().filter(|one| meant(&one.organisation));
        names.map(|one| one.name.as_str()).collect::<Vec<_>>().join("; ")
    };
    let told = [
        ("new-shared", others.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join("; ")),
        ("new-by-bundle", named(&|one| one.bundles.is_some())),
        ("new-unverified", named(&|one| one.state == PartnerState::Joined)),
    ];
    for (key, names) in told.into_iter().filter(|(_, names)| !names.is_empty()) {
        context.output.message(&context.texts.with(key, &[("names", names.into())]));
    }
    if others.len() > 1 {
        context.say("new-introduce");
    }
    Ok(())
}
