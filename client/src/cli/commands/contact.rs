//! `sincronia contact`: who to call. Staff and mailboxes, never the people who are cared for.

use super::{Outcome, operator, record};
use crate::cli::arguments::{Contact, ContactFields};
use crate::cli::context::Context;
use crate::cli::entering;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations};
use crate::cli::sheet;
use serde_json::{Map, Value as Json};
use sincronia_node::api::{ContactsQuery, EditRequest};
use sincronia_protocol::record::Kind;

const COLUMNS: [&str; 6] = ["org", "name", "functions", "email", "phone", "verified_on"];

pub(super) fn run(context: &Context, action: Contact) -> Outcome {
    match action {
        Contact::Add(given) => {
            let fields = fields(context, &given)?;
            let authoring = &given.entering.authoring;
            let comment = authoring.comment.clone();
            let request =
                EditRequest { fields, seen: None, operator: operator(authoring), comment };
            record::show(context, &context.client()?.create_contact(&request)?)
        }
        Contact::List { function, organisation } => list(context, function.as_ref(), organisation),
        Contact::Show { contact } => {
            record::show(context, &naming::record(context, Some("contact"), &contact)?)
        }
        Contact::Edit { contact, fields: given, seen } => {
            let contact = naming::record(context, Some("contact"), &contact)?;
            let fields = fields(context, &given)?;
            record::edit(context, &contact, fields, seen, &given.entering.authoring)
        }
    }
}

fn fields(context: &Context, given: &ContactFields) -> Result<Map<String, Json>, Failure> {
    let functions = given.functions.join("|");
    let named = [
        ("contact_kind", given.kind.as_deref()),
        ("name", given.name.as_deref()),
        ("functions", (!functions.is_empty()).then_some(functions.as_str())),
        ("email", given.email.as_deref()),
        ("pec", given.pec.as_deref()),
        ("phone", given.phone.as_deref()),
        ("verified_on", given.verified_on.as_deref()),
    ];
    entering::fields(context, Kind::Contact, &given.entering, &named)
}

fn list(context: &Context, function: Option<&String>, organisation: Option<String>) -> Outcome {
    let known = Organisations::known(context)?;
    let mut contacts = Vec::new();
    for wanted in known.wanted(context, organisation)? {
        let organisation = wanted.organisation;
        let query = ContactsQuery { function: function.cloned(), organisation };
        contacts.extend(context.client()?.contacts(&query)?);
    }
    context.output.show("contacts", &contacts, || {
        sheet::list(context, &known.names(), Kind::Contact, &COLUMNS, &contacts)
    });
    Ok(Exit::Done)
}
