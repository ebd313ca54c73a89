//! What people call things, and what programs call them.
//!
//! Organisations and records may be given by identifier, by the beginning of one, or by name; what
//! fits several things is refused with the list of them, because a wrong guess shares a convention
//! with a stranger.

mod near;
mod standing;

use super::context::Context;
use super::failure::{Exit, Failure};
use crate::output::value::{Names, beginning};
use serde_json::Value as Json;
use sincronia_node::api::{ConventionView, ErasureView, RecordView, RecordsQuery, SpaceView};
use sincronia_node::foreign::one_line;
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::record::Kind;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use near::near;
pub use standing::Standing;

/// Beginnings of identifiers are taken from this length on: the prefix and a few characters.
const BEGINNING_MIN: usize = 6;

/// Of the things that a text may mean, how many are shown; then their number stands for the rest.
const SEVERAL_MAX: usize = 10;

/// Every organisation that this node knows by name.
#[derive(Clone, Debug, Default)]
pub struct Organisations {
    names: BTreeMap<String, String>,
    /// By identifier, who took its place: both said so. Of a divided body they are several.
    successors: BTreeMap<String, BTreeSet<String>>,
    /// By identifier, whom it declared to take its place, whether they said so or not yet.
    declared: BTreeMap<String, BTreeSet<String>>,
    /// Of whose successor a person said already that it is meant by the old name.
    confirmed: RefCell<BTreeSet<String>>,
    /// Between the name of today and the one before.
    formerly: String,
    /// This organisation.
    own: String,
}

impl Organisations {
    /// This one, its partners, and who else is a member of a space.
    pub fn known(context: &Context) -> Result<Self, Failure> {
        let client = context.client()?;
        let status = client.status()?;
        let mut known = BTreeMap::new();
        for space in client.spaces()? {
            known.extend(space.members.into_iter().map(|one| (one.organisation, one.name)));
            known.insert(space.owner, space.owner_name);
        }
        known.extend(status.partners.into_iter().map(|one| (one.organisation, one.name)));
        let own = status.organisation.clone();
        known.insert(status.organisation, status.name);
        let mut successors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut declared = successors.clone();
        for one in client.successions()?.into_iter().filter(|one| one.declared) {
            known.entry(one.predecessor.clone()).or_insert(one.predecessor_name);
            known.entry(one.successor.clone()).or_insert(one.successor_name);
            let said = declared.entry(one.predecessor.clone()).or_default();
            said.insert(one.successor.clone());
            if one.accepted {
                successors.entry(one.predecessor).or_default().insert(one.successor);
            }
        }
        let formerly = context.texts.text("formerly");
        let confirmed = RefCell::default();
        Ok(Self { names: known, successors, declared, confirmed, formerly, own })
    }

    /// This organisation's identifier.
    #[must_use]
    pub fn own(&self) -> &str {
        &self.own
    }

    fn name(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// The identifier of the organisation that `text` means.
    pub fn find(&self, context: &Context, text: &str) -> Result<String, Failure> {
        // Whose word a name is stands behind it, and is no part of it: who presented others would
        // be none of those that its name means.
        let every = self.names.iter().map(|(id, name)| (id.as_str(), plain(name, id)));
        match only(&every, text) {
            Ok(id) => Ok(id.to_owned()),
            Err(found) if found.is_empty() => {
                tell_if_presented(context, text)?;
                let names = self.names.iter().map(|(id, name)| plain(name, id));
                Err(unknown(context, "no_organisation", text, &near(names, text)))
            }
            Err(found) => Err(context.fail(Exit::NotFound, "ambiguous", &found.join(", "))),
        }
    }

    /// What each calls itself: one that took another's place signs in its own name, and what was
    /// signed before stays in the old one.
    #[must_use]
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        self.names.iter().for_each(|(id, name)| names.learn(id, name));
        names
    }
}

/// Fails with what makes a partner of it, if `text` means one that was presented here: it waits for
/// a person, and nobody has to look for an invitation.
fn tell_if_presented(context: &Context, text: &str) -> Result<(), Failure> {
    let presented = context.client()?.introductions()?;
    let every = presented.iter().map(|one| (one.organisation.as_str(), one.name.as_str()));
    let Ok(id) = only(&every, text) else { return Ok(()) };
    let arguments = [("detail", text.into()), ("whom", beginning(id).into())];
    Err(context.fail_with(Exit::NotFound, "presented", &arguments))
}

/// A name without whose word it is, which the node puts behind it with the beginning of the
/// identifier.
fn plain<'a>(name: &'a str, id: &str) -> &'a str {
    let said = name.strip_suffix("…)").and_then(|said| said.rsplit_once(", "));
    let is_marked = said.is_some_and(|(_, beginning)| {
        beginning.len() >= BEGINNING_MIN && id.starts_with(beginning)
    });
    let called = name.rsplit_once(" (as ").filter(|(called, _)| is_marked && !called.is_empty());
    called.map_or(name, |(called, _)| called)
}

/// What the records are called that stand in the fields of others: an identifier tells nobody which
/// convention has a free place.
pub fn learn_titles(
    context: &Context,
    names: &mut Names,
    records: &[&RecordView],
) -> Result<(), Failure> {
    let mut wanted = BTreeSet::new();
    for field in records.iter().flat_map(|record| record.fields.values()) {
        referred(field, &mut wanted);
    }
    if context.output.json || wanted.is_empty() {
        return Ok(());
    }
    for record in context.client()?.records(&RecordsQuery::default())? {
        if wanted.contains(record.id.as_str()) {
            names.learn(&record.id, &title(&record));
        }
    }
    Ok(())
}

/// The identifiers of records that stand in a value.
fn referred<'a>(value: &'a Json, found: &mut BTreeSet<&'a str>) {
    match value {
        Json::String(text) if text.parse::<RecordId>().is_ok() => {
            found.insert(text);
        }
        Json::Array(values) => values.iter().for_each(|value| referred(value, found)),
        Json::Object(parts) => parts.values().for_each(|value| referred(value, found)),
        _ => {}
    }
}

/// The record that `text` means, of one kind if that is known.
pub fn record(context: &Context, kind: Option<&str>, text: &str) -> Result<RecordView, Failure> {
    let query = RecordsQuery { kind: kind.map(str::to_owned), ..RecordsQuery::default() };
    let records = context.client()?.records(&query)?;
    among(context, &records, text).cloned()
}

/// The one of these records that `text` means.
pub fn among<'a>(
    context: &Context,
    records: &'a [RecordView],
    text: &str,
) -> Result<&'a RecordView, Failure> {
    let titles: Vec<_> = records.iter().map(title).collect();
    let every =
        records.iter().map(|record| record.id.as_str()).zip(titles.iter().map(String::as_str));
    match only(&every, text) {
        Ok(id) => {
            let record = records.iter().find(|record| record.id == id);
            record.ok_or_else(|| context.fail(Exit::NotFound, "no_record", text))
        }
        Err(found) if found.is_empty() => {
            tell_if_erased(context, text)?;
            let names = titles.iter().map(String::as_str);
            Err(unknown(context, "no_record", text, &near(names, text)))
        }
        Err(found) => Err(context.fail(Exit::NotFound, "ambiguous", &found.join(", "))),
    }
}

/// That nothing is called so, and what may have been meant.
fn unknown(context: &Context, code: &str, text: &str, near: &[&str]) -> Failure {
    let failure = context.fail(Exit::NotFound, code, text);
    if near.is_empty() {
        return failure;
    }
    let names = near.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", ");
    let arguments = [("names", names.into()), ("remedy", failure.remedy.clone().into())];
    Failure { remedy: context.texts.with("or-meant", &arguments), ..failure }
}

/// Fails as the node does for an erased record, if `text` is the identifier of one, or the
/// beginning of only one's.
fn tell_if_erased(context: &Context, text: &str) -> Result<(), Failure> {
    let wanted = text.trim().trim_end_matches('…').to_lowercase();
    if wanted.len() < BEGINNING_MIN {
        return Ok(());
    }
    let client = context.client()?;
    let mut erased = client.erasures()?;
    erased.retain(|one| one.record.starts_with(&wanted));
    let [one] = erased.as_slice() else { return Ok(()) };
    client.record(&one.space, &one.record).map(drop).map_err(Failure::from)
}

/// The convention that `text` means; the identifier of its space is one of its names.
pub fn convention(context: &Context, text: &str) -> Result<ConventionView, Failure> {
    let client = context.client()?;
    if text.parse::<SpaceId>().is_ok() {
        return Ok(client.convention(text)?);
    }
    let record = record(context, Some(Kind::Convention.name()), text)?;
    Ok(client.convention(&record.id)?)
}

/// The space of a convention, also of one that was erased: the rest there is shared as before.
pub fn space_of_convention(context: &Context, text: &str) -> Result<SpaceView, Failure> {
    let client = context.client()?;
    if text.parse::<SpaceId>().is_ok() {
        return Ok(client.space(text)?);
    }
    let is_it = |one: &ErasureView| {
        one.record == text.trim() && one.kind.as_deref() == Some(Kind::Convention.name())
    };
    match client.erasures()?.into_iter().find(is_it) {
        Some(erased) => Ok(client.space(&erased.space)?),
        None => Ok(convention(context, text)?.space),
    }
}

/// What people call a record.
#[must_use]
pub fn title(record: &RecordView) -> String {
    const NAMING: [&str; 8] =
        ["title", "name", "policy_no", "family_name", "text", "duty_text", "topic", "month"];
    let named = NAMING.iter().find_map(|name| record.fields.get(*name)?.as_str());
    // Its writer may have put line ends into it, and it stands within sentences.
    one_line(named.unwrap_or_default())
}

/// A way in which a text can mean something with an identifier and a name.
type Way<'a> = &'a dyn Fn(&str, &str) -> bool;

/// The one identifier that `text` means, or what it could mean.
fn only<'a>(
    every: &(impl Iterator<Item = (&'a str, &'a str)> + Clone),
    text: &str,
) -> Result<&'a str, Vec<String>> {
    let wanted = text.trim().to_lowercase();
    // As lists show a beginning.
    let wanted = wanted.trim_end_matches('…');
    if wanted.is_empty() {
        return Err(Vec::new());
    }
    let beginning = wanted.len() >= BEGINNING_MIN;
    let ways: [Way<'_>; 4] = [
        &|id, _| id == wanted,
        &|_, name| name.to_lowercase() == wanted,
        &|id, _| beginning && id.starts_with(wanted),
        &|_, name| name.to_lowercase().contains(wanted),
    ];
    for way in ways {
        let found: Vec<_> = every.clone().filter(|(id, name)| way(id, name)).collect();
        match found.as_slice() {
            [] => {}
            [(id, _)] => return Ok(id),
            several => {
                let shown = several.iter().take(SEVERAL_MAX);
                let mut shown: Vec<_> = shown.map(|(id, name)| format!("{name} ({id})")).collect();
                if several.len() > SEVERAL_MAX {
                    shown.push(format!("… {}", several.len()));
                }
                return Err(shown);
            }
        }
    }
    Err(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::{only, plain};

    /// Who had presented two others was three bodies for whoever wrote its name.
    #[test]
    fn whose_word_a_name_is_is_no_part_of_it() {
        let told = "ASL (as Comune di Aulla calls it, ente1abcdef…)";
        assert_eq!(plain(told, "ente1abcdefxyz"), "ASL");
        for own in
            [told, "Coop (as said, ente…)", "Casa (as Aulla calls it, ente1other…)", "(as …)"]
        {
            assert_eq!(plain(own, "ente1zzzzzz"), own);
        }
        let every =
            [("ente1abcdefxyz", plain(told, "ente1abcdefxyz")), ("ente1b", "Comune di Aulla")];
        assert_eq!(only(&every.into_iter(), "Comune"), Ok("ente1b"));
        assert_eq!(only(&every.into_iter(), "asl"), Ok("ente1abcdefxyz"));
    }

    #[test]
    fn one_meaning_is_found_and_two_are_refused() {
        let every = [("org1abcdef", "Comune di Aulla"), ("org1abcxyz", "CIM di Aulla")];
        let find = |text: &str| only(&every.into_iter(), text);
        assert_eq!(find("org1abcxyz"), Ok("org1abcxyz"));
        assert_eq!(find("org1abcd"), Ok("org1abcdef"));
        assert_eq!(find("cim"), Ok("org1abcxyz"));
        assert_eq!(find("comune di aulla"), Ok("org1abcdef"));
        assert_eq!(find("Aulla").unwrap_err().len(), 2);
        assert_eq!(find("org1").unwrap_err().len(), 0);
        assert!(find(" ").is_err());
        let many: Vec<_> = (0..2_000).map(|number| (format!("id{number}"), "Ufficio")).collect();
        let many = many.iter().map(|(id, name)| (id.as_str(), *name));
        let told = only(&many, "ufficio").unwrap_err();
        assert_eq!((told.len(), told.last().unwrap().as_str()), (11, "… 2000"));
    }
}
