//! From what is typed, or a file, to the fields of a record.

use super::arguments::Entering;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::naming::{self, Organisations};
use crate::import::{FILE_BYTES_MAX, value_of};
use serde_json::{Map, Value as Json};
use sincronia_node::api::{FieldProblem, RecordView, RecordsQuery, distinct};
use sincronia_protocol::ids::{OrganisationId, RecordId};
use sincronia_protocol::record::Kind;
use sincronia_protocol::record::schema::Type;
use std::collections::BTreeMap;
use std::path::Path;

/// References that name an organisation; the others name records.
const ORGANISATIONS: [&str; 17] = [
    "org",
    "responsible",
    "owner",
    "insured",
    "policyholder",
    "cost_bearer",
    "informed",
    "supporting",
    "organisers",
    "members",
    "proposed_by",
    "adopted_by",
    "controller",
    "processor",
    "joint",
    "owner_org",
    "into",
];

/// The kind of record that a reference names; none where it names something else: an organisation,
/// or a file, of which nothing is known here.
#[must_use]
pub fn referred(kind: Kind, name: &str) -> Option<Kind> {
    match name {
        "convention" | "conventions" | "parent" => Some(Kind::Convention),
        "supersedes" => Some(kind),
        "office" | "parent_office" | "author_office" => Some(Kind::Office),
        "representative_contact"
        | "referent_contact"
        | "substitute_contact"
        | "dpo_contact"
        | "replaced_by" => Some(Kind::Contact),
        _ => None,
    }
}

/// Whether a reference names an organisation.
#[must_use]
pub fn names_organisation(name: &str) -> bool {
    ORGANISATIONS.contains(&name)
}

/// An option of its own for a field, and what was typed after it.
pub type Given<'a> = (&'static str, &'static str, Option<&'a str>);

/// The fields that the file, the options of their own and `--field` give, the later over the
/// earlier, with organisations by identifier.
pub fn fields(
    context: &Context,
    kind: Kind,
    entering: &Entering,
    given: &[Given<'_>],
) -> Result<Map<String, Json>, Failure> {
    let mut fields = match &entering.file {
        Some(path) => object(context, path)?,
        None => Map::new(),
    };
    for (option, name, text) in given {
        if let Some(text) = text {
            context.note_option(name, option);
            put(context, kind, &mut fields, name, text)?;
        }
    }
    for text in &entering.fields {
        let (name, value) = assignment(context, text)?;
        put(context, kind, &mut fields, name, value)?;
    }
    resolve(context, kind, &mut fields)?;
    Ok(fields)
}

/// Asks before values that stand in a record are taken away, as an empty text does: a variable of a
/// script that holds nothing would do it unseen.
pub fn confirm_emptied(
    context: &Context,
    kind: Kind,
    record: &RecordView,
    fields: &Map<String, Json>,
) -> Result<(), Failure> {
    let stands = |name: &str| record.fields.get(name).is_some_and(|value| !value.is_null());
    let emptied = fields.iter().filter(|(name, value)| value.is_null() && stands(name));
    let labels: Vec<_> = emptied.map(|(name, _)| context.texts.field(kind, name)).collect();
    if labels.is_empty() {
        return Ok(());
    }
    context.confirm(&context.texts.with("confirm-emptied", &[("fields", labels.join(", ").into())]))
}

/// A record in one argument: `kind=lavorativo; text=…; target=60`.
pub fn inline(context: &Context, kind: Kind, text: &str) -> Result<Map<String, Json>, Failure> {
    let mut fields = Map::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = assignment(context, part)?;
        put(context, kind, &mut fields, name, value)?;
    }
    resolve(context, kind, &mut fields)?;
    Ok(fields)
}

/// Checks a code that narrows a list: one that no record can have is a mistake, and an empty list
/// would hide it.
pub fn code(
    context: &Context,
    (kind, name, option): (Kind, &str, &'static str),
    code: &str,
) -> Result<(), Failure> {
    let holds = match kind.schema().named(name).map(|field| &field.holds) {
        Some(Type::List { of, .. }) => *of,
        Some(holds) => holds,
        None => return Ok(()),
    };
    let Type::Enum { codes } = holds else { return Ok(()) };
    if codes.contains(&code) {
        return Ok(());
    }
    let problem = FieldProblem {
        row: None,
        field: option.to_owned(),
        code: "unknown_code".into(),
        message: String::new(),
        allowed: codes.iter().map(|code| (*code).to_owned()).collect(),
    };
    let failure = context.fail(Exit::Usage, "invalid_fields", option);
    Err(Failure { problems: vec![problem], ..failure })
}

/// A JSON object from a file, within the limits of an import.
pub fn object(context: &Context, path: &Path) -> Result<Map<String, Json>, Failure> {
    let unusable = |cause: &dyn std::fmt::Display| {
        context.fail(Exit::Usage, "file", &format!("{}: {cause}", path.display()))
    };
    let bytes = read(path).map_err(|error| context.unreadable(path, &error))?;
    match distinct::value(&crate::import::decode(&bytes)) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(unusable(&context.texts.text("not-an-object"))),
        Err(error) => Err(unusable(&error)),
    }
}

/// The bytes of a file that somebody named, as many as an import takes and one more.
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let most = FILE_BYTES_MAX as u64 + 1;
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts identifiers where organisations and records are named, at every depth of the fields.
pub fn resolve(
    context: &Context,
    kind: Kind,
    fields: &mut Map<String, Json>,
) -> Result<(), Failure> {
    Lookup::new(context).resolve(kind, fields)
}

/// A value typed for one field, such as the one that ends a conflict.
pub fn value(context: &Context, kind: Kind, name: &str, text: &str) -> Result<Json, Failure> {
    let mut fields = Map::new();
    put(context, kind, &mut fields, name, text)?;
    resolve(context, kind, &mut fields)?;
    Ok(fields.remove(name).unwrap_or(Json::Null))
}

fn assignment<'a>(context: &Context, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    let parts = text.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
    let parts = parts.filter(|(name, _)| !name.is_empty());
    parts.ok_or_else(|| context.fail(Exit::Usage, "assignment", text))
}

fn put(
    context: &Context,
    kind: Kind,
    fields: &mut Map<String, Json>,
    name: &str,
    text: &str,
) -> Result<(), Failure> {
    let Some(field) = kind.schema().named(name) else {
        let known: Vec<_> = kind.schema().fields().iter().map(|field| field.name).collect();
        let detail = format!("{name}: {}", known.join(", "));
        return Err(context.fail(Exit::Usage, "unknown_field", &detail));
    };
    let value = value_of(field, text).map_err(|message| {
        let problem = FieldProblem {
            row: None,
            field: name.to_owned(),
            code: "wrong_type".into(),
            message,
            allowed: Vec::new(),
        };
        let failure = context.fail(Exit::Usage, "invalid_fields", name);
        Failure { problems: vec![problem], ..failure }
    })?;
    fields.insert(name.to_owned(), value);
    Ok(())
}

/// Looks organisations and records up, and asks the node for them only if one is named, and only
/// once: a table may name one in each of its rows.
pub struct Lookup<'a> {
    context: &'a Context,
    known: Option<Organisations>,
    /// What each name was found to mean, or why it means nothing.
    found: BTreeMap<String, Result<String, Failure>>,
    /// Of each kind that was named, the records there are.
    records: BTreeMap<&'static str, Vec<RecordView>>,
}

impl<'a> Lookup<'a> {
    /// Has looked nothing up.
    #[must_use]
    pub const fn new(context: &'a Context) -> Self {
        Self { context, known: None, found: BTreeMap::new(), records: BTreeMap::new() }
    }

    /// Puts identifiers where organisations and records are named, at every depth of the fields.
    pub fn resolve(&mut self, kind: Kind, fields: &mut Map<String, Json>) -> Result<(), Failure> {
        for (name, value) in fields {
            if let Some(field) = kind.schema().named(name) {
                self.value((kind, field.name), &field.holds, value)?;
            }
        }
        Ok(())
    }

    fn value(
        &mut self,
        at: (Kind, &'static str),
        holds: &'static Type,
        value: &mut Json,
    ) -> Result<(), Failure> {
        match (holds, value) {
            (Type::Reference, Json::String(text)) => self.reference(at, text),
            (Type::Struct { fields }, Json::Object(parts)) => {
                for field in *fields {
                    if let Some(part) = parts.get_mut(field.name) {
                        self.value((at.0, field.name), &field.holds, part)?;
                    }
                }
                Ok(())
            }
            (Type::List { of, .. }, Json::Array(elements)) => {
                elements.iter_mut().try_for_each(|element| self.value(at, of, element))
            }
            // A set holds its elements without a list in the type; a change of it says which.
            (Type::Reference, Json::Array(elements)) => {
                elements.iter_mut().try_for_each(|element| self.value(at, holds, element))
            }
            (Type::Reference, Json::Object(change)) => {
                change.values_mut().try_for_each(|part| self.value(at, holds, part))
            }
            _ => Ok(()),
        }
    }

    /// A name of which nothing is known is refused: it would stand there as if it meant something.
    fn reference(
        &mut self,
        (kind, name): (Kind, &'static str),
        text: &mut String,
    ) -> Result<(), Failure> {
        if names_organisation(name) && text.parse::<OrganisationId>().is_err() {
            *text = self.find(text)?;
        }
        if let Some(of) = referred(kind, name).filter(|_| text.parse::<RecordId>().is_err()) {
            *text = self.record(of, text)?;
        }
        Ok(())
    }

    fn record(&mut self, kind: Kind, text: &str) -> Result<String, Failure> {
        if !self.records.contains_key(kind.name()) {
            let query =
                RecordsQuery { kind: Some(kind.name().to_owned()), ..RecordsQuery::default() };
            self.records.insert(kind.name(), self.context.client()?.records(&query)?);
        }
        let records = self.records.get(kind.name()).map(Vec::as_slice).unwrap_or_default();
        naming::among(self.context, records, text).map(|record| record.id.clone())
    }

    fn find(&mut self, text: &str) -> Result<String, Failure> {
        if let Some(found) = self.found.get(text) {
            return found.clone();
        }
        let known = match self.known.take() {
            Some(known) => known,
            None => Organisations::known(self.context)?,
        };
        let found = known.find_current(self.context, text);
        self.known = Some(known);
        self.found.insert(text.to_owned(), found.clone());
        found
    }
}
