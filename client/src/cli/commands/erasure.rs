//! `sincronia erase` and `sincronia erasures`: a record is forgotten, and who says so.

use super::Outcome;
use crate::cli::arguments::Target;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming;
use crate::language::suggestion::each;
use crate::output::table::Rows;
use crate::output::value::{short, time};
use sincronia_node::api::{ErasureSeat, ErasureView, RecordView};
use sincronia_protocol::record::Kind;
use std::collections::BTreeSet;
use std::fmt::Write;

pub(super) fn erase(context: &Context, target: &Target) -> Outcome {
    let client = context.client()?;
    // What somebody wrote into it since can be erased too, of a record that nobody shows any more.
    let before = client.erasures()?.into_iter().find(|one| one.record == target.record);
    let (space, record) = match before.filter(|one| one.late > 0) {
        Some(one) => (one.space, one.record),
        None => match missing(context, &target.record)? {
            Some(gone) => gone,
            None => chosen(context, &target.record)?,
        },
    };
    let erased = client.erase_record(&space, &record)?;
    context.output.show("erasure", &erased, || {
        let mut text = certificate(context, &erased);
        let _ = write!(text, "{}", context.texts.text("erased"));
        text
    });
    tell_by_files(context, &[erased])?;
    Ok(Exit::Done)
}

/// Who is still to hear of it and has no line: without a bundle it goes on showing the record.
fn tell_by_files(context: &Context, erasures: &[ErasureView]) -> Result<(), Failure> {
    let missing = erasures.iter().flat_map(|one| &one.missing);
    let missing: BTreeSet<_> = missing.map(|seat| seat.organisation.as_str()).collect();
    if context.output.json || missing.is_empty() {
        return Ok(());
    }
    let mut partners = context.client()?.partners()?;
    partners.retain(|one| one.bundles.is_some() && !one.sync.connected);
    partners.retain(|one| missing.contains(one.organisation.as_str()));
    if !partners.is_empty() {
        let names: Vec<_> = partners.iter().map(|one| one.name.as_str()).collect();
        let of = partners.iter().map(|one| (one.name.as_str(), one.organisation.as_str()));
        let arguments = [
            ("names", names.join("; ").into()),
            ("commands", each("bundle export --for", of).into()),
        ];
        context.output.message(&context.texts.with("erasure-by-bundle", &arguments));
    }
    Ok(())
}

/// Space and id of a record of which nothing is left here, where `text` is its whole id: whoever
/// had not the right to erased it.
fn missing(context: &Context, text: &str) -> Result<Option<(String, String)>, Failure> {
    let record = text.trim().to_lowercase();
    let spaces = context.client()?.status()?.missing;
    let Some(space) = spaces.into_iter().find(|one| one.records.contains(&record)) else {
        return Ok(None);
    };
    let arguments = [("id", record.as_str().into()), ("space", space.title.into())];
    context.confirm(&context.texts.with("confirm-erase-missing", &arguments))?;
    Ok(Some((space.space, record)))
}

/// Space and id of the record that is meant, after saying what erasure does and asking.
fn chosen(context: &Context, text: &str) -> Result<(String, String), Failure> {
    let record = naming::record(context, None, text)?;
    let title = naming::title(&record);
    // Where nobody is asked, nobody sees which record a title or the beginning of an id means.
    if context.global.yes && text.trim().to_lowercase() != record.id {
        let kind = kind(context, &record.kind);
        let meant = format!("{kind}, {title}, {}", record.id);
        return Err(context.fail(Exit::Usage, "erase_unseen", &meant));
    }
    context.say("erase-does");
    context.say("erase-does-not");
    if record.kind == Kind::Convention.name() {
        remaining(context, &record)?;
    }
    let arguments = [
        ("title", title.into()),
        ("id", record.id.as_str().into()),
        ("kind", kind(context, &record.kind).into()),
    ];
    context.confirm(&context.texts.with("confirm-erase", &arguments))?;
    Ok((record.space, record.id))
}

/// What a convention leaves behind: the rest of its space, for whoever shares it.
fn remaining(context: &Context, convention: &RecordView) -> Result<(), Failure> {
    let space = context.client()?.space(&convention.space)?;
    let others = space.members.iter().filter(|one| one.organisation != space.owner);
    let others: Vec<_> = others.map(|one| one.name.as_str()).collect();
    if space.records > 1 && !others.is_empty() {
        let arguments = [
            ("count", (space.records - 1).into()),
            ("names", others.join("; ").into()),
            ("space", space.id.as_str().into()),
        ];
        context.output.message(&context.texts.with("erase-leaves", &arguments));
    }
    Ok(())
}

pub(super) fn list(context: &Context) -> Outcome {
    let erasures = context.client()?.erasures()?;
    context.output.show("erasures", &erasures, || {
        if erasures.is_empty() {
            return context.texts.text("no-erasures");
        }
        let certificates: Vec<_> = erasures.iter().map(|one| certificate(context, one)).collect();
        certificates.join("\n")
    });
    tell_by_files(context, &erasures)?;
    Ok(Exit::Done)
}

fn kind(context: &Context, name: &str) -> String {
    name.parse().map_or_else(|_| name.to_owned(), |kind| context.texts.kind(kind))
}

/// What was erased, and who confirmed and who has not yet.
fn certificate(context: &Context, erasure: &ErasureView) -> String {
    let texts = &context.texts;
    let named = erasure.kind.as_deref().map(|name| kind(context, name)).unwrap_or_default();
    let state = match (erasure.complete, erasure.missing.is_empty()) {
        (true, _) if !erasure.out_of_reach.is_empty() => "erasure-in-reach",
        (true, _) => "erasure-complete",
        (false, true) => "erasure-come-late",
        (false, false) => "erasure-open",
    };
    let title = match erasure.title.as_str() {
        "" => texts.text("erasure-untitled"),
        "directory" => texts.text("own-directory"),
        title => texts.with("erasure-title", &[("title", title.into())]),
    };
    let arguments = [
        ("kind", named.into()),
        ("title", title.into()),
        ("id", erasure.record.as_str().into()),
        ("by", erasure.by_name.clone().unwrap_or_else(|| texts.text("erasure-unheld")).into()),
        ("date", erasure.at.map_or_else(|| texts.text("date-unknown"), time).into()),
        ("entries", erasure.entries.into()),
        ("state", texts.text(state).into()),
    ];
    let mut text = texts.with("erasure", &arguments) + "\n";
    let headings = ["organisation", "node", "state"].map(|key| texts.text(key));
    let mut rows = Rows::new(context.output, &headings);
    let row =
        |seat: &ErasureSeat, state: &str| [seat.name.clone(), short(&seat.node), texts.text(state)];
    for seat in &erasure.confirmed {
        rows.row(row(seat, "erasure-confirmed"));
    }
    for seat in &erasure.missing {
        rows.urgent(row(seat, "erasure-missing"));
    }
    for one in &erasure.out_of_reach {
        let node = one.node.as_deref().map(short).unwrap_or_default();
        rows.urgent([one.name.clone(), node, texts.text("erasure-out-of-reach")]);
    }
    let _ = writeln!(text, "{}", rows.to_string().trim_end());
    if erasure.late > 0 {
        let arguments = [("count", erasure.late.into())];
        let _ = writeln!(text, "{}", texts.with("erasure-late", &arguments));
    }
    text
}
