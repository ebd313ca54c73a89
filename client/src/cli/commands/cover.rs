//! `sincronia cover`: the insurance covers of conventions.

use super::{Outcome, record};
use crate::cli::arguments::{Cover, CoverFields};
use crate::cli::context::Context;
use crate::cli::entering;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations};
use crate::cli::sheet;
use serde_json::{Map, Value as Json, json};
use sincronia_node::api::RecordsQuery;
use sincronia_protocol::record::Kind;
use std::collections::BTreeSet;

const COLUMNS: [&str; 7] =
    ["conventions", "cover_kind", "insured", "policy_no", "valid_from", "valid_to", "mandatory"];

pub(super) fn run(context: &Context, action: Cover) -> Outcome {
    match action {
        Cover::Add { convention, fields: given } => {
            let view = naming::convention(context, &convention)?;
            let mut fields = fields(context, &given)?;
            fields.entry("conventions").or_insert_with(|| json!([view.convention.id]));
            let authoring = &given.entering.authoring;
            record::create(context, &view.space.id, Kind::Cover, fields, authoring)
        }
        Cover::List { convention } => {
            list(context, Kind::Cover, &COLUMNS, "covers", convention.as_deref())
        }
        Cover::Edit { cover, fields: given, seen } => {
            let cover = naming::record(context, Some("cover"), &cover)?;
            let fields = fields(context, &given)?;
            record::edit(context, &cover, fields, seen, &given.entering.authoring)
        }
    }
}

fn fields(context: &Context, given: &CoverFields) -> Result<Map<String, Json>, Failure> {
    let options = [
        ("--kind", "cover_kind", given.kind.as_deref()),
        ("--insured", "insured", given.insured.as_deref()),
        ("--insurer", "insurer", given.insurer.as_deref()),
        ("--policy", "policy_no", given.policy.as_deref()),
        ("--from", "valid_from", given.from.as_deref()),
        ("--until", "valid_to", given.until.as_deref()),
    ];
    entering::fields(context, Kind::Cover, &given.entering, &options)
}

/// The records of one kind, of one convention or of all.
pub(super) fn list(
    context: &Context,
    kind: Kind,
    columns: &[&str],
    name: &str,
    convention: Option<&str>,
) -> Outcome {
    let client = context.client()?;
    let space = convention.map(|convention| naming::convention(context, convention)).transpose()?;
    let query = RecordsQuery {
        kind: Some(kind.name().to_owned()),
        space: space.map(|view| view.space.id),
        ..RecordsQuery::default()
    };
    let records = client.records(&query)?;
    let mut names = Organisations::known(context)?.names();
    naming::learn_titles(context, &mut names, &records.iter().collect::<Vec<_>>())?;
    context.output.show(name, &records, || {
        sheet::list(context, &names, (kind, columns), &BTreeSet::new(), &records)
    });
    Ok(Exit::Done)
}
