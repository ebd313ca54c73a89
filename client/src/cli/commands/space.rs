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
/// The role of whom another's directory is shared with.
const READER: &str = "reader";

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
#[derive(Default)]
pub(super) struct Contents {
    organisation: String,
    /// Titles of conventions, by space.
    titles: BTreeMap<String, String>,
    /// Every space, by identifier.
    spaces: BTreeMap<String, SpaceView>,
}

impl Contents {
    pub(super) fn known(context: &Context) -> Result<Self, Failure> {
        let client = context.client()?;
        let conventions = client.conventions(&ConventionsQuery::default())?;
        let titles = conventions.into_iter().map(|one| (one.space.clone(), title(&one)));
        let spaces = client.spaces()?.into_iter().map(|one| (one.id.clone(), one));
        let organisation = client.status()?.organisation;
        Ok(Self { organisation, titles: titles.collect(), spaces: spaces.collect() })
    }

    /// What people call a space; the beginning of its identifier where nothing of it is readable.
    pub(super) fn name(&self, context: &Context, id: &str) -> String {
        let name = self.spaces.get(id).map(|space| self.content(context, space));
        name.unwrap_or_else(|| short(id))
    }

    /// A sentence with what people call the spaces whose identifiers stand in it.
    pub(super) fn named(&self, context: &Context, sentence: &str) -> String {
        let called = |id: &String| format!("“{}”", self.name(context, id));
        self.spaces.keys().fold(sentence.to_owned(), |told, id| {
            if told.contains(id) { told.replace(id, &called(id)) } else { told }
        })
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
        let (texts, owner) = (&context.texts, space.owner_name.as_str());
        if space.role.as_deref() == Some(CARRIER) {
            return texts.text("not-readable");
        }
        if space.directory && space.owner == self.organisation {
            return texts.text("own-directory");
        }
        let title = self.titles.get(&space.id).filter(|title| !title.is_empty());
        // What an organisation only reads, and is no convention, is the directory of a partner.
        let is_directory = space.role.as_deref() == Some(READER);
        match title {
            Some(title) => title.clone(),
            None if is_directory => texts.with("directory-of", &[("name", owner.into())]),
            None => texts.text("not-readable"),
        }
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
