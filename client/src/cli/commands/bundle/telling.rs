//! What `sincronia bundle import` says to people: file by file, then how many of each.

use super::reading::Taken;
use crate::cli::commands::space::Contents;
use crate::cli::context::Context;
use crate::language::suggestion::named;
use crate::output::table::Rows;
use crate::output::value::time;
use sincronia_node::api::{BroughtView, BundleView, ReadBundle};

pub(super) fn text(context: &Context, taken: &[Taken]) -> String {
    let mut lines: Vec<_> = taken.iter().map(|one| described(context, taken, one)).collect();
    if taken.len() > 1 {
        lines.push(counts(context, taken));
    }
    lines.join("\n")
}

/// How many files were read, wait for other parts, were read before, and were not taken.
fn counts(context: &Context, taken: &[Taken]) -> String {
    let of = |state: &str| {
        let is = |one: &&Taken| one.ok && one.bundles.iter().any(|view| view.state == state);
        taken.iter().filter(is).count()
    };
    let arguments = [
        ("files", taken.len().into()),
        ("ok", taken.iter().filter(|one| one.ok).count().into()),
        ("known", of("known").into()),
        ("failed", taken.iter().filter(|one| !one.ok).count().into()),
    ];
    context.texts.with("bundle-counts", &arguments)
}

fn described(context: &Context, all: &[Taken], taken: &Taken) -> String {
    let mut lines = vec![taken.file.display().to_string()];
    for (id, bundle) in taken.ids.iter().zip(&taken.bundles) {
        lines.push(match &bundle.read {
            Some(read) => read_text(context, read),
            None if bundle.state == "waiting" => waiting(context, all, taken, id, bundle),
            None => context.texts.text("bundle-known"),
        });
    }
    if let Some(failure) = &taken.error {
        lines.push(failure.text(context).trim_end().to_owned());
    }
    lines.join("\n")
}

/// What is missing is said once, with the part that left least to be missing.
fn waiting(
    context: &Context,
    all: &[Taken],
    taken: &Taken,
    id: &[u8; 32],
    bundle: &BundleView,
) -> String {
    let others = all.iter().filter(|other| other.file != taken.file);
    let left = others.filter_map(|other| {
        let mut views = other.ids.iter().zip(&other.bundles);
        let (_, view) = views.find(|(other, _)| *other == id)?;
        Some((view.missing.len(), &other.file))
    });
    let least = left.min_by_key(|(left, _)| *left);
    if let Some((_, last)) = least.filter(|(left, _)| *left < bundle.missing.len()) {
        let arguments = [("file", last.display().to_string().into())];
        return context.texts.with("bundle-part", &arguments);
    }
    let missing: Vec<_> = bundle.missing.iter().map(ToString::to_string).collect();
    let arguments = [
        ("missing", missing.join(", ").into()),
        ("count", missing.len().into()),
        ("parts", bundle.parts.into()),
    ];
    context.texts.with("bundle-waiting", &arguments)
}

fn read_text(context: &Context, read: &ReadBundle) -> String {
    let texts = &context.texts;
    let entries: u64 = read.spaces.iter().map(|space| space.entries).sum();
    let arguments = [
        ("name", read.name.clone().into()),
        ("number", read.number.into()),
        ("made", time(read.made_at).into()),
        ("entries", entries.into()),
        ("spaces", read.spaces.len().into()),
    ];
    let key = if read.number == 0 { "bundle-read-answer" } else { "bundle-read" };
    let mut lines = vec![texts.with(key, &arguments)];
    // Without their names the identifiers stay; nothing of the rest is lost.
    let contents = Contents::known(context).unwrap_or_default();
    if !read.spaces.is_empty() {
        lines.push(brought(context, &contents, read));
    }
    if !read.refused.is_empty() {
        lines.push(texts.text("bundle-refused"));
        let said = |one: &String| contents.named(context, &texts.told(one));
        lines.extend(read.refused.iter().map(|one| format!("  · {}", said(one))));
    }
    lines.extend(joined(context, read));
    let again = if read.complete { "bundle-answer" } else { "bundle-answer-for-more" };
    let whom = named(&read.name, &read.organisation);
    lines.push(texts.with(again, &[("whom", whom.into())]));
    lines.join("\n")
}

fn brought(context: &Context, contents: &Contents, read: &ReadBundle) -> String {
    let texts = &context.texts;
    let headings = ["space", "space-owner", "entries", "membership"];
    let mut rows = Rows::new(context.output, &headings.map(|key| texts.text(key)));
    for space in &read.spaces {
        let access = membership(context, space);
        let entries = space.entries.to_string();
        let name = contents.name(context, &space.space);
        rows.row([name, space.owner_name.clone(), entries, access]);
    }
    rows.to_string()
}

/// What changed of who takes part: this organisation's own part, and what was erased, by name.
fn membership(context: &Context, space: &BroughtView) -> String {
    let texts = &context.texts;
    let own = match (space.admitted, space.removed) {
        (true, _) => Some("membership-admitted"),
        (_, true) => Some("membership-removed"),
        _ => None,
    };
    let erased = [("count", space.erased.into())];
    let erased = (space.erased > 0).then(|| texts.with("membership-erased", &erased));
    let told: Vec<_> = own.map(|key| texts.text(key)).into_iter().chain(erased).collect();
    if told.is_empty() && space.access {
        return texts.text("membership-changed");
    }
    told.join(" · ")
}

/// The words to compare with who became a partner; without them nothing of the rest is lost.
fn joined(context: &Context, read: &ReadBundle) -> Option<String> {
    let client = context.client().ok().filter(|_| read.joined)?;
    let partner = client.partner(&read.organisation).ok()?;
    let phrase = partner.verification_phrase.join(" ");
    let arguments = [("name", partner.name.into()), ("phrase", phrase.into())];
    Some(context.texts.with("joined", &arguments))
}
