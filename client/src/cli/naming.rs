//! What people call things, and what programs call them.
//!
//! Organisations and records may be given by identifier, by the beginning of one, or by name; what
//! fits several things is refused with the list of them, because a wrong guess shares a convention
//! with a stranger.

use super::context::Context;
use super::failure::{Exit, Failure};
use crate::output::value::Names;
use sincronia_node::api::{ConventionView, ErasureView, RecordView, RecordsQuery, SpaceView};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::record::Kind;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

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

    /// Who stands today where an organisation stood: several where it was divided, nobody where
    /// nobody took its place. One in a circle stands where it stood.
    fn current(&self, id: &str) -> BTreeSet<&String> {
        let (mut seen, mut standing) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<_> = self.successors.get(id).into_iter().flatten().collect();
        while let Some(one) = open.pop() {
            if one == id {
                return BTreeSet::new();
            }
            if seen.insert(one) {
                let next = self.successors.get(one);
                match next {
                    Some(next) => open.extend(next),
                    None => {
                        standing.insert(one);
                    }
                }
            }
        }
        standing
    }

    /// The identifier of the organisation that the name `text` means now: of one whose place was
    /// taken, its successor, when the person says so, since it is given what the other was meant to
    /// have. Where several were to take it, also if not all have said so yet, the person says which
    /// one is meant. Whoever writes an identifier means it.
    pub fn find_current(&self, context: &Context, text: &str) -> Result<String, Failure> {
        let found = self.find(context, text)?;
        let current = if found == text { BTreeSet::new() } else { self.current(&found) };
        let declared = self.declared.get(&found).filter(|all| all.len() > 1 && !current.is_empty());
        if let Some(all) = declared {
            return Err(self.divided(context, &found, &all.iter().collect()));
        }
        let mut successors = current.iter();
        match (successors.next(), successors.next()) {
            (None, _) => Ok(found),
            (Some(successor), None) => {
                // A table may name it in each row.
                if self.confirmed.borrow_mut().insert(found.clone()) {
                    self.tell_current(context, &found, &current);
                    let named = [("name", self.name(successor).into())];
                    context.confirm(&context.texts.with("confirm-successor", &named))?;
                }
                Ok((*successor).clone())
            }
            _ => Err(self.divided(context, &found, &current)),
        }
    }

    fn divided(&self, context: &Context, found: &str, current: &BTreeSet<&String>) -> Failure {
        let named = current.iter().map(|one| format!("{} ({one})", self.name(one)));
        let named: Vec<_> = named.collect();
        let arguments = [
            ("detail", format!("{}: {}", self.name(found), named.join(", ")).into()),
            ("id", found.to_owned().into()),
        ];
        Failure::known(context, Exit::NotFound, "divided", &arguments)
    }

    /// The organisations that the name `text` means, yesterday or today: of one whose place was
    /// taken, all who took it as well. Whoever writes an identifier means it alone.
    fn find_through_time(&self, context: &Context, text: &str) -> Result<Vec<String>, Failure> {
        let found = self.find(context, text)?;
        let current = if found == text { BTreeSet::new() } else { self.current(&found) };
        if !current.is_empty() {
            self.tell_current(context, &found, &current);
        }
        let current: Vec<_> = current.into_iter().cloned().collect();
        Ok(std::iter::once(found).chain(current).collect())
    }

    /// What a list is narrowed to, one query each: everybody, or whom a name means through time.
    pub fn wanted(
        &self,
        context: &Context,
        text: Option<String>,
    ) -> Result<Vec<Option<String>>, Failure> {
        let Some(text) = text else { return Ok(vec![None]) };
        Ok(self.find_through_time(context, &text)?.into_iter().map(Some).collect())
    }

    /// Tells whoever looks for an old name what the body is called today.
    pub fn tell_former(&self, context: &Context, text: &str) {
        let wanted = text.trim().to_lowercase();
        for predecessor in self.successors.keys().filter(|_| !wanted.is_empty()) {
            let name = self.names.get(predecessor).map(|name| name.to_lowercase());
            let current = self.current(predecessor);
            if !current.is_empty() && name.is_some_and(|name| name.contains(&wanted)) {
                self.tell_current(context, predecessor, &current);
            }
        }
    }

    fn name(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    fn tell_current(&self, context: &Context, predecessor: &str, current: &BTreeSet<&String>) {
        let names: Vec<_> = current.iter().map(|one| self.name(one)).collect();
        let key = if names.len() > 1 { "now-divided" } else { "now-called" };
        let arguments = [
            ("predecessor", self.name(predecessor).into()),
            ("successor", names.join("; ").into()),
        ];
        context.output.message(&context.texts.with(key, &arguments));
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

    /// What each calls itself: one that took another's place signs in its own name, and what was
    /// signed before stays in the old one.
    #[must_use]
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        self.names.iter().for_each(|(id, name)| names.learn(id, name));
        names
    }

    /// What each is called where people look somebody up: whoever took another's place, with the
    /// names before.
    #[must_use]
    pub fn names_with_former(&self) -> Names {
        let (mut both, plain) = (self.names(), self.names());
        for successor in self.successors.values().flatten().collect::<BTreeSet<_>>() {
            let before = self.successors.iter().filter(|(_, all)| all.contains(successor));
            let before: Vec<_> = before.map(|(one, _)| plain.of(one)).collect();
            let name = plain.of(successor);
            both.learn(successor, &format!("{name} ({} {})", self.formerly, before.join(", ")));
        }
        both
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
    use super::{Organisations, only};
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    fn successors(pairs: &[(&str, &str)]) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (predecessor, successor) in pairs {
            found.entry((*predecessor).to_owned()).or_default().insert((*successor).to_owned());
        }
        found
    }

    fn merged() -> Organisations {
        let owned = |pairs: &[(&str, &str)]| {
            let owned = |(one, other): &(&str, &str)| ((*one).to_owned(), (*other).to_owned());
            pairs.iter().map(owned).collect()
        };
        Organisations {
            names: owned(&[("ente1old", "CSSA"), ("ente1mid", "UEPE"), ("ente1new", "ULEPE")]),
            successors: successors(&[("ente1old", "ente1mid"), ("ente1mid", "ente1new")]),
            declared: BTreeMap::new(),
            confirmed: RefCell::default(),
            formerly: "già".to_owned(),
            own: "ente1own".to_owned(),
        }
    }

    #[test]
    fn each_signs_in_its_own_name_and_is_looked_up_by_the_one_before() {
        let known = merged();
        let (signed, listed) = (known.names(), known.names_with_former());
        assert_eq!([signed.of("ente1old"), signed.of("ente1new")], ["CSSA", "ULEPE"]);
        assert_eq!(listed.of("ente1mid"), "UEPE (già CSSA)");
        assert_eq!(listed.of("ente1new"), "ULEPE (già UEPE)");
        assert_eq!(listed.of("ente1old"), "CSSA");
    }

    #[test]
    fn who_succeeded_a_successor_stands_there_today() {
        let mut known = merged();
        let current = |known: &Organisations, id: &str| {
            known.current(id).into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(current(&known, "ente1old"), ["ente1new"]);
        assert!(current(&known, "ente1new").is_empty());
        let divided = successors(&[
            ("ente1old", "ente1mid"),
            ("ente1mid", "ente1new"),
            ("ente1old", "ente1two"),
        ]);
        known.successors = divided;
        assert_eq!(current(&known, "ente1old"), ["ente1new", "ente1two"], "it was divided");
        known.successors = successors(&[("ente1old", "ente1new"), ("ente1new", "ente1old")]);
        for id in ["ente1old", "ente1new"] {
            assert!(current(&known, id).is_empty(), "in a circle each is called what it is called");
        }
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
