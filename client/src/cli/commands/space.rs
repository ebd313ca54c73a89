//! `sincronia space`: what this node keeps, of its own and of others, also what it only carries.

use super::Outcome;
use crate::cli::arguments::Space;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::title;
use crate::output::table::Rows;
use crate::output::value::short;
use sincronia_node::api::{ConventionsQuery, SpaceView};
use std::collections::BTreeMap;

/// What people call a carrier's role.
const CARRIER: &str = "carrier";

pub(super) fn run(context: &Context, action: &Space) -> Outcome {
    let Space::List { carried } = action;
    let mut spaces = context.client()?.spaces()?;
    if *carried {
        spaces.retain(|space| space.role.as_deref() == Some(CARRIER));
    }
    let contents = Contents::known(context)?;
    context.output.show("spaces", &spaces, || contents.text(context, &spaces));
    Ok(Exit::Done)
}

/// What makes a list of spaces readable.
struct Contents {
    organisation: String,
    /// Titles of conventions, by space.
    titles: BTreeMap<String, String>,
}

impl Contents {
    fn known(context: &Context) -> Result<Self, Failure> {
        let client = context.client()?;
        let conventions = client.conventions(&ConventionsQuery::default())?;
        let titles = conventions.into_iter().map(|one| (one.space.clone(), title(&one)));
        Ok(Self { organisation: client.status()?.organisation, titles: titles.collect() })
    }

    fn text(&self, context: &Context, spaces: &[SpaceView]) -> String {
        let texts = &context.texts;
        let headings = ["space", "content", "space-owner", "role", "shared-with", "entries"];
        let mut rows = Rows::within(context.output, &headings.map(|key| texts.text(key)));
        for space in spaces {
            rows.row([
                short(&space.id),
                self.content(context, space),
                space.owner_name.clone(),
                self.role(context, space),
                shared_with(context, space),
                space.entries.to_string(),
            ]);
        }
        if rows.is_empty() { texts.text("nothing-here") } else { rows.to_string() }
    }

    /// Who carries does not read what it is.
    fn content(&self, context: &Context, space: &SpaceView) -> String {
        if space.directory {
            return context.texts.text("own-directory");
        }
        if space.role.as_deref() == Some(CARRIER) {
            return context.texts.text("not-readable");
        }
        self.titles.get(&space.id).cloned().unwrap_or_default()
    }

    fn role(&self, context: &Context, space: &SpaceView) -> String {
        let role = match space.role.as_deref() {
            _ if space.owner == self.organisation => "owner",
            Some(role) => role,
            None => "former",
        };
        context.texts.text(&format!("role-{role}"))
    }
}

fn shared_with(context: &Context, space: &SpaceView) -> String {
    let others = space.members.iter().filter(|member| member.organisation != space.owner);
    let others = others.map(|member| {
        let role = context.texts.text(&format!("role-{}", member.role));
        format!("{} ({role})", member.name)
    });
    others.collect::<Vec<_>>().join(", ")
}
