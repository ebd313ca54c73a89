//! `sincronia contact`: who to call. Staff and mailboxes, never the people who are cared for.

use super::{Outcome, operator, record};
use crate::cli::arguments::{Contact, ContactFields};
use crate::cli::context::Context;
use crate::cli::entering;
use crate::cli::failure::{Exit, Failure};
use crate::cli::naming::{self, Organisations};
use crate::cli::sheet;
use serde_json::{Map, Value as Json};
use sincronia_node::api::{ContactsQuery, EditRequest, RecordView};
use sincronia_protocol::record::Kind;
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: [&str; 7] = ["org", "name", "functions", "email", "pec", "phone", "verified_on"];

pub(super) fn run(context: &Context, action: Contact) -> Outcome {
    match action {
        Contact::Add(given) => {
            let fields = fields(context, &given)?;
            let namesake = namesake(context, &fields)?;
            let authoring = &given.entering.authoring;
            let comment = authoring.comment.clone();
            let request =
                EditRequest { fields, seen: None, operator: operator(authoring), comment };
            let made = context.client()?.create_contact(&request)?;
            // Where nothing was written there are not two.
            if let Some(told) = namesake {
                context.output.message(&told);
            }
            record::show(context, &made)
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
    let options = [
        ("--kind", "contact_kind", given.kind.as_deref()),
        ("--name", "name", given.name.as_deref()),
        ("--function", "functions", (!functions.is_empty()).then_some(functions.as_str())),
        ("--email", "email", given.email.as_deref()),
        ("--pec", "pec", given.pec.as_deref()),
        ("--phone", "phone", given.phone.as_deref()),
        ("--verified-on", "verified_on", given.verified_on.as_deref()),
    ];
    entering::fields(context, Kind::Contact, &given.entering, &options)
}

/// Two contacts that are called the same have to be named by their identifiers from then on.
fn namesake(context: &Context, fields: &Map<String, Json>) -> Result<Option<String>, Failure> {
    let called = |fields: &Map<String, Json>| {
        let text = |name: &&str| fields.get(*name).and_then(Json::as_str).map(str::to_lowercase);
        ["name", "family_name", "given_name"].iter().map(text).collect::<Vec<_>>()
    };
    let new = called(fields);
    let known = context.client()?.contacts(&ContactsQuery::default())?;
    let same = |one: &&RecordView| new.iter().any(Option::is_some) && called(&one.fields) == new;
    Ok(known.iter().find(same).map(|other| {
        let told = [("title", naming::title(other).into()), ("id", other.id.clone().into())];
        context.texts.with("contact-twice", &told)
    }))
}

fn list(context: &Context, function: Option<&String>, organisation: Option<String>) -> Outcome {
    let is_narrowed = function.is_some() || organisation.is_some();
    if let Some(code) = function {
        entering::code(context, (Kind::Contact, "functions", "--function"), code)?;
    }
    let known = Organisations::known(context)?;
    let mut contacts = Vec::new();
    for wanted in known.wanted(context, organisation)? {
        let organisation = wanted.organisation;
        let query = ContactsQuery { function: function.cloned(), organisation };
        contacts.extend(context.client()?.contacts(&query)?);
    }
    let spaces = if context.output.json { Vec::new() } else { context.client()?.spaces()? };
    let owners = spaces.into_iter().map(|space| (space.id, space.owner)).collect();
    for contact in &mut contacts {
        if !context.output.json {
            complete(contact, &owners);
        }
    }
    context.output.show("contacts", &contacts, || {
        if contacts.is_empty() && is_narrowed {
            return context.texts.text("nothing-found");
        }
        let columns = (Kind::Contact, &COLUMNS[..]);
        sheet::list(context, &known.names(), columns, &BTreeSet::new(), &contacts)
    });
    Ok(Exit::Done)
}

/// For a list that people read: a person is called as it is called, and who names no body belongs
/// to the one in whose directory it stands.
fn complete(contact: &mut RecordView, owners: &BTreeMap<String, String>) {
    let text = |name: &str| contact.fields.get(name).and_then(Json::as_str).unwrap_or_default();
    let parts = ["family_name", "given_name"].map(text);
    let person: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let name = match (person.as_slice(), text("name")) {
        ([], name) => name.to_owned(),
        (_, "") => person.join(" "),
        (_, name) => format!("{} ({name})", person.join(" ")),
    };
    if !name.is_empty() {
        contact.fields.insert("name".to_owned(), name.into());
    }
    let is_named = contact.fields.get("org").is_some_and(Json::is_string);
    if let Some(owner) = owners.get(&contact.space).filter(|_| !is_named) {
        contact.fields.insert("org".to_owned(), owner.clone().into());
    }
}
