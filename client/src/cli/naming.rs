//! What people call things, and what programs call them.
//!
//! Organisations and records may be given by identifier, by the beginning of one, or by name; what
//! fits several things is refused with the list of them, because a wrong guess shares a convention
//! with a stranger.

use super::context::Context;
use super::failure::{Exit, Failure};
use crate::output::value::Names;
use sincronia_node::api::{ConventionView, RecordView, RecordsQuery};
use sincronia_protocol::ids::{RecordId, SpaceId};
use sincronia_protocol::record::Kind;
use std::collections::BTreeMap;

/// Beginnings of identifiers are taken from this length on: the prefix and a few characters.
const BEGINNING_MIN: usize = 6;

/// Of the things that a text may mean, how many are shown; then their number stands for the rest.
const SEVERAL_MAX: usize = 10;

/// Every organisation that this node knows by name.
#[derive(Clone, Debug, Default)]
pub struct Organisations {
    names: BTreeMap<String, String>,
    /// By identifier, who took its place: both said so.
    successors: BTreeMap<String, String>,
    /// Between the name of today and the one before.
    formerly: String,
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
        known.insert(status.organisation, status.name);
        let mut successors = BTreeMap::new();
        for one in client.successions()?.into_iter().filter(|one| one.declared && one.accepted) {
            known.entry(one.predecessor.clone()).or_insert(one.predecessor_name);
            known.entry(one.successor.clone()).or_insert(one.successor_name);
            successors.insert(one.predecessor, one.successor);
        }
        Ok(Self { names: known, successors, formerly: context.texts.text("formerly") })
    }

    /// The identifier of the organisation that the name `text` means now: of one whose place was
    /// taken, its successor, and the person is told. Whoever writes an identifier means it.
    pub fn find_current(&self, context: &Context, text: &str) -> Result<String, Failure> {
        let found = self.find(context, text)?;
        let Some(successor) = self.successors.get(&found).filter(|_| found != text) else {
            return Ok(found);
        };
        let name = |id: &String| self.names.get(id).cloned().unwrap_or_else(|| id.clone());
        let arguments =
            [("predecessor", name(&found).into()), ("successor", name(successor).into())];
        context.output.message(&context.texts.with("now-called", &arguments));
        Ok(successor.clone())
    }

    /// The identifier of the organisation that `text` means.
    pub fn find(&self, context: &Context, text: &str) -> Result<String, Failure> {
        let every = self.names.iter().map(|(id, name)| (id.as_str(), name.as_str()));
        match only(&every, text) {
            Ok(id) => Ok(id.to_owned()),
            Err(found) if found.is_empty() => {
                Err(context.fail(Exit::NotFound, "no_organisation", text))
            }
            Err(found) => Err(context.fail(Exit::NotFound, "ambiguous", &found.join(", "))),
        }
    }

    /// What each is called; one that took another's place, with the name before.
    #[must_use]
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        self.names.iter().for_each(|(id, name)| names.learn(id, name));
        for (predecessor, successor) in &self.successors {
            let both = [names.of(successor), self.formerly.clone(), names.of(predecessor)];
            names.learn(successor, &both.join(" "));
        }
        names
    }
}

/// The record that `text` means, of one kind if that is known.
pub fn record(context: &Context, kind: Option<&str>, text: &str) -> Result<RecordView, Failure> {
    let query = RecordsQuery { kind: kind.map(str::to_owned), ..RecordsQuery::default() };
    let mut records = context.client()?.records(&query)?;
    let titles: Vec<_> = records.iter().map(title).collect();
    let every =
        records.iter().map(|record| record.id.as_str()).zip(titles.iter().map(String::as_str));
    match only(&every, text).map(str::to_owned) {
        Ok(id) => {
            records.retain(|record| record.id == id);
            let record = records.into_iter().next();
            record.ok_or_else(|| context.fail(Exit::NotFound, "no_record", text))
        }
        Err(found) if found.is_empty() => {
            tell_if_erased(context, text)?;
            Err(context.fail(Exit::NotFound, "no_record", text))
        }
        Err(found) => Err(context.fail(Exit::NotFound, "ambiguous", &found.join(", "))),
    }
}

/// Fails as the node does for an erased record, if `text` is the whole identifier of one.
fn tell_if_erased(context: &Context, text: &str) -> Result<(), Failure> {
    if text.parse::<RecordId>().is_err() {
        return Ok(());
    }
    let client = context.client()?;
    let erased = client.erasures()?.into_iter().find(|one| one.record == text);
    erased.map_or(Ok(()), |one| client.record(&one.space, text).map(drop).map_err(Failure::from))
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

/// What people call a record.
#[must_use]
pub fn title(record: &RecordView) -> String {
    const NAMING: [&str; 8] =
        ["title", "name", "policy_no", "family_name", "text", "duty_text", "topic", "month"];
    let named = NAMING.iter().find_map(|name| record.fields.get(*name)?.as_str());
    named.unwrap_or_default().to_owned()
}

/// A way in which a text can mean something with an identifier and a name.
type Way<'a> = &'a dyn Fn(&str, &str) -> bool;

/// The one identifier that `text` means, or what it could mean.
fn only<'a>(
    every: &(impl Iterator<Item = (&'a str, &'a str)> + Clone),
    text: &str,
) -> Result<&'a str, Vec<String>> {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() {
        return Err(Vec::new());
    }
    let beginning = wanted.len() >= BEGINNING_MIN;
    let ways: [Way<'_>; 4] = [
        &|id, _| id == wanted,
        &|_, name| name.to_lowercase() == wanted,
        &|id, _| beginning && id.starts_with(&wanted),
        &|_, name| name.to_lowercase().contains(&wanted),
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
    use super::only;

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
