//! Names of organisations, as far as they are known here.

use super::{Core, now};
use crate::api::ApiError;
use crate::limits::PREDECESSORS_NAMED_MAX;
use serde_json::{Map, Value};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::record::Kind;
use sincronia_protocol::text::is_line;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// By organisation, what its own sheet says of who takes its place.
pub(super) type Announced = BTreeMap<OrganisationId, Map<String, Value>>;

/// What was found out of names while one request is answered: the sheets are read once, and each
/// organisation that is no partner is named once, however often it stands in conventions.
#[derive(Default)]
pub(super) struct Found {
    announced: OnceCell<Announced>,
    strangers: RefCell<BTreeMap<OrganisationId, String>>,
}

impl Found {
    fn announced(
        &self,
        read: impl FnOnce() -> Result<Announced, ApiError>,
    ) -> Result<&Announced, ApiError> {
        if let Some(known) = self.announced.get() {
            return Ok(known);
        }
        let read = read()?;
        Ok(self.announced.get_or_init(|| read))
    }

    fn stranger(&self, organisation: &OrganisationId, name: impl FnOnce() -> String) -> String {
        if let Some(known) = self.strangers.borrow().get(organisation) {
            return known.clone();
        }
        let name = name();
        self.strangers.borrow_mut().insert(*organisation, name.clone());
        name
    }
}

/// What others call an organisation, and whose word that is, if it does not count by itself.
struct Called {
    name: String,
    by: Option<String>,
}

/// A name that nobody here accepted: with whose word it is, and the beginning of the identifier.
fn as_called(name: &str, by: &str, organisation: &OrganisationId) -> String {
    format!("{name} (as {by} calls it, {organisation:?}…)")
}

/// What a sheet calls the organisation that takes its body's place, if it is this one.
fn named_there<'a>(said: &'a Map<String, Value>, successor: &str) -> Option<&'a str> {
    let is_it = said.get("into")?.as_str()? == successor;
    let name = said.get("note")?.as_str().filter(|_| is_it)?;
    let is_sound = is_line(name) && name.len() <= sincronia_protocol::limits::NAME_BYTES_MAX;
    is_sound.then_some(name)
}

/// What people read of a name: the case, spaces and marks of a look-alike do not count.
fn letters(name: &str) -> String {
    name.chars().filter(|one| one.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Core {
    /// The name by which a person here accepted an organisation; else what others call it, never
    /// without whose word that is; else the beginning of its id.
    pub(super) fn name_of(&self, organisation: &OrganisationId) -> String {
        if *organisation == self.replica.organisation() {
            return self.name.clone();
        }
        self.partner_name(organisation)
            .unwrap_or_else(|| self.found.stranger(organisation, || self.name_told(organisation)))
    }

    fn partner_name(&self, organisation: &OrganisationId) -> Option<String> {
        let known = self.replica.partner(organisation).map(|partner| partner.name.clone());
        known.filter(|name| !name.is_empty())
    }

    fn name_told(&self, organisation: &OrganisationId) -> String {
        let called = self.name_by_predecessor(organisation);
        let called = called.or_else(|| self.name_presented(organisation));
        let called = called.or_else(|| self.name_by_declaration(organisation));
        match called {
            Some(Called { name, by }) if !self.is_taken(&name) => match by {
                Some(by) => as_called(&name, &by, organisation),
                None => name,
            },
            _ => format!("{organisation:?}…"),
        }
    }

    /// Whether this organisation or a partner bears the name: nobody else is shown by it.
    fn is_taken(&self, name: &str) -> bool {
        let letters = letters(name);
        let known = self.replica.partners().map(|(_, partner)| &partner.name);
        let mut known = known.chain([&self.name]);
        letters.is_empty() || known.any(|one| self::letters(one) == letters)
    }

    /// Whose word a name is: a partner's name, or the beginning of an id.
    fn source(&self, organisation: &OrganisationId) -> String {
        self.partner_name(organisation).unwrap_or_else(|| format!("{organisation:?}…"))
    }

    fn name_presented(&self, organisation: &OrganisationId) -> Option<Called> {
        let mut waiting = self.replica.introduced(now());
        let found = waiting.find(|one| one.organisation == *organisation);
        let found = found.filter(|one| !one.presentation.name.is_empty())?;
        let by = Some(self.source(&found.by));
        Some(Called { name: found.presentation.name.clone(), by })
    }

    /// The name by which an organisation that this one took the place of calls its successor: of a
    /// partner, it counts as the partner's own, whose place it is.
    fn name_by_predecessor(&self, successor: &OrganisationId) -> Option<Called> {
        let text = successor.to_string();
        let behind = self.replica.behind(successor, PREDECESSORS_NAMED_MAX);
        behind.iter().find_map(|predecessor| {
            let name = named_there(self.told_by(predecessor).ok()??, &text)?;
            let is_partner = self.replica.is_partner(predecessor);
            let by = (!is_partner).then(|| self.source(predecessor));
            Some(Called { name: name.to_owned(), by })
        })
    }

    /// The name by which an organisation calls the one that it declared to take its place, while
    /// that one has not accepted, or that it did has not come here: no more than its word.
    fn name_by_declaration(&self, successor: &OrganisationId) -> Option<Called> {
        let text = successor.to_string();
        let all = self.found.announced(|| self.read_announced()).ok()?;
        all.iter().find_map(|(predecessor, said)| {
            let name = named_there(said, &text)?;
            let declares = self.replica.identity(predecessor)?.successors().contains_key(successor);
            let by = Some(self.source(predecessor));
            declares.then(|| Called { name: name.to_owned(), by })
        })
    }

    /// What an organisation says in its directory of who takes its place.
    pub(super) fn told_by(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Option<&Map<String, Value>>, ApiError> {
        let all = self.found.announced(|| self.read_announced())?;
        Ok(all.get(organisation))
    }

    fn read_announced(&self) -> Result<Announced, ApiError> {
        let mut found = Announced::new();
        self.visit(None, Some(Kind::Organisation), &mut |mut row| {
            let creator = row.view.creation.as_ref().map(|origin| origin.organisation);
            if let Some(creator) = creator
                && let Some(Value::Object(said)) = row.view.fields.remove("succession")
            {
                found.entry(creator).or_insert(said);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use super::*;
    use std::cell::Cell;

    #[test]
    fn look_alikes_of_a_name_are_that_name() {
        for other in ["COMUNE DI AULLA", " Comune  di\u{a0}Aulla.", "«Comune di Aulla»"] {
            assert_eq!(letters(other), letters("Comune di Aulla"));
        }
        assert_ne!(letters("Comune di Aulla 2"), letters("Comune di Aulla"));
    }

    #[test]
    fn names_of_many_strangers_cost_one_reading_of_the_sheets() {
        let (found, scans, named) = (Found::default(), Cell::new(0), Cell::new(0));
        for _ in 0..10 {
            for number in 0..60 {
                let stranger = OrganisationId::from_bytes([number; 32]);
                found.stranger(&stranger, || {
                    named.set(named.get() + 1);
                    let read = || {
                        scans.set(scans.get() + 1);
                        Ok(Announced::new())
                    };
                    assert!(found.announced(read).unwrap().is_empty());
                    format!("{stranger:?}…")
                });
            }
        }
        assert_eq!((scans.get(), named.get()), (1, 60));
    }
}
