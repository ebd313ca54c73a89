//! `sincronia events`: what happens, as it happens; one JSON document a line with `--json`.

use super::Outcome;
use crate::cli::arguments::Events;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::output::value::short;
use sincronia_node::api::ApiEvent;

pub(super) fn run(context: &Context, arguments: &Events) -> Outcome {
    let events = context.client()?.events()?;
    context.say(if arguments.follow { "events-waiting" } else { "event-awaited" });
    // Without `--follow`, the first event is what somebody waits for.
    let most = if arguments.follow { usize::MAX } else { 1 };
    for event in events.take(most) {
        let event = event?;
        if context.output.json {
            context.output.document("event", &event);
        } else {
            context.output.text(&text(context, &event));
        }
    }
    Ok(Exit::Done)
}

fn text(context: &Context, event: &ApiEvent) -> String {
    let texts = &context.texts;
    let name = texts.text(&format!("event-{}", event.name().replace('_', "-")));
    match event {
        ApiEvent::RecordChanged { space, record, conflict } => {
            let conflict = if *conflict { texts.text("in-conflict") } else { String::new() };
            format!("{name} {} · {} {conflict}", short(record), short(space)).trim_end().to_owned()
        }
        ApiEvent::Erased { space, record, own_edit } => {
            let edit = if *own_edit { texts.text("erased-own-edit") } else { String::new() };
            format!("{name} {} · {} {edit}", short(record), short(space)).trim_end().to_owned()
        }
        ApiEvent::SpaceChanged { space } | ApiEvent::Contradicted { space } => {
            format!("{name} {}", short(space))
        }
        ApiEvent::PartnerChanged { organisation } | ApiEvent::Divided { organisation } => {
            format!("{name} {}", short(organisation))
        }
        ApiEvent::Forked { space, author } => {
            format!("{name} {} · {}", short(author), short(space))
        }
        ApiEvent::Cloned => name,
        ApiEvent::Lagged { missed } => format!("{name} {missed}"),
    }
}
