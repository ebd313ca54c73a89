//! Whom a convention reaches, and what somebody has to do for it.

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::naming::Organisations;
use crate::language::suggestion::each;
use sincronia_node::api::{ConventionView, MemberView, PartnerState, PartnerView};

/// Tells who has the convention now and had it not before, who is reached by files only, and
/// whose words nobody compared.
pub(super) fn tell(
    context: &Context,
    view: &ConventionView,
    before: &[MemberView],
) -> Result<(), Failure> {
    let is_new = |one: &&MemberView| {
        one.organisation != view.space.owner
            && !before.iter().any(|other| other.organisation == one.organisation)
    };
    let others: Vec<_> = view.space.members.iter().filter(is_new).collect();
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

/// Who is no party any more, and has the convention all the same: taken off the list is not taken
/// out of the space, and whoever reads the list would think so.
pub(super) fn tell_of_left(
    context: &Context,
    view: &ConventionView,
    before: &[&str],
) -> Result<(), Failure> {
    let now: Vec<_> = super::writing::parties(&view.convention.fields).collect();
    let left = |one: &&MemberView| {
        let id = one.organisation.as_str();
        before.contains(&id) && !now.contains(&id) && id != view.space.owner
    };
    let left: Vec<_> = view.space.members.iter().filter(left).collect();
    if context.output.json || left.is_empty() {
        return Ok(());
    }
    let is_own = view.space.owner == context.client()?.status()?.organisation;
    let command = format!("convention revoke {}", view.convention.id);
    let each =
        each(&command, left.iter().map(|one| (one.name.as_str(), one.organisation.as_str())));
    let names: Vec<_> = left.iter().map(|one| one.name.as_str()).collect();
    let arguments = [
        ("names", names.join("; ").into()),
        ("commands", each.into()),
        ("owner", view.space.owner_name.clone().into()),
    ];
    let key = if is_own { "party-left" } else { "party-left-by-owner" };
    context.output.message(&context.texts.with(key, &arguments));
    Ok(())
}

/// Which of its parties do not receive it, and what to do: a partner is not to be invited, and who
/// does not own it can share it with nobody.
pub(in crate::cli::commands) fn not_shared_yet(
    context: &Context,
    known: &Organisations,
    view: &ConventionView,
) -> Result<Vec<String>, Failure> {
    if view.not_shared_yet.is_empty() {
        return Ok(Vec::new());
    }
    let names = known.names();
    let id = view.convention.id.as_str();
    let parties: Vec<_> = view.not_shared_yet.iter().map(|one| (names.of(one), one)).collect();
    let told = |key: &str, command: &str, of: &[&(String, &String)]| {
        let each = each(command, of.iter().map(|(name, one)| (name.as_str(), one.as_str())));
        let listed: Vec<_> = of.iter().map(|(name, _)| name.as_str()).collect();
        let arguments = [
            ("parties", listed.join(", ").into()),
            ("id", id.into()),
            ("owner", names.of(&view.space.owner).into()),
            ("commands", each.into()),
        ];
        (!of.is_empty()).then(|| context.texts.with(key, &arguments))
    };
    if view.space.owner != known.own() {
        let all: Vec<_> = parties.iter().collect();
        return Ok(told("not-shared-by-owner", "", &all).into_iter().collect());
    }
    let client = context.client()?;
    let (partners, presented) = (client.partners()?, client.introductions()?);
    let standing = |one: &str| {
        let partner = partners.iter().find(|partner| partner.organisation == one);
        match partner.map(|partner| partner.state) {
            Some(PartnerState::Blocked) => "not-shared-with-blocked",
            Some(_) => "not-shared-with-partners",
            None if presented.iter().any(|known| known.organisation == one) => {
                "not-shared-with-presented"
            }
            None => "not-shared-yet",
        }
    };
    let share = format!("convention share {id}");
    let kinds = [
        ("not-shared-with-partners", share.as_str()),
        ("not-shared-with-blocked", "partner unblock"),
        ("not-shared-with-presented", "introduction accept"),
        ("not-shared-yet", ""),
    ];
    let told = kinds.map(|(key, command)| {
        let of: Vec<_> = parties.iter().filter(|(_, one)| standing(one) == key).collect();
        told(key, command, &of)
    });
    Ok(told.into_iter().flatten().collect())
}
