//! What every organisation should be able to read, computed from the data file alone.
//!
//! This does not look at what the demonstration wrote or shared: a mistake there must show as a
//! difference here.

use super::data::{Convention, Data};
use super::pairs::Pairs;
use serde::Serialize;
use sincronia_protocol::record::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// How many records of each kind.
pub type Counts = BTreeMap<String, u64>;

/// What one organisation can read: its spaces by name, and the records of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Records by kind, in each space.
    pub spaces: BTreeMap<String, Counts>,
}

impl Reading {
    /// Records of one kind in all spaces.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.spaces.values().filter_map(|counts| counts.get(kind.name())).sum()
    }

    /// Records by kind in all spaces.
    #[must_use]
    pub fn totals(&self) -> Counts {
        let mut totals = Counts::new();
        for (kind, count) in self.spaces.values().flatten() {
            *totals.entry(kind.clone()).or_default() += count;
        }
        totals
    }

    /// One more record of a kind in a space.
    pub fn add(&mut self, space: &str, kind: Kind) {
        if let Some(counts) = self.spaces.get_mut(space) {
            *counts.entry(kind.name().to_owned()).or_default() += 1;
        }
    }

    /// In words, where another reading differs from this one; at most a few places.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let names: BTreeSet<_> = self.spaces.keys().chain(found.spaces.keys()).collect();
        let differs = |name: &&String| self.spaces.get(*name) != found.spaces.get(*name);
        let told = |name: &String| match (self.spaces.get(name), found.spaces.get(name)) {
            (Some(_), None) => format!("{name}: missing"),
            (None, _) => format!("{name}: should not be there"),
            (Some(wanted), Some(found)) => format!("{name}: {found:?} instead of {wanted:?}"),
        };
        names.into_iter().filter(differs).map(told).take(5).collect()
    }
}

/// What each organisation that is present should be able to read.
#[must_use]
pub fn expected(data: &Data, present: &BTreeSet<String>) -> BTreeMap<String, Reading> {
    let pairs = Pairs::of(data);
    let of = |key: &String| (key.clone(), reading(data, &pairs, present, key));
    present.iter().map(of).collect()
}

fn reading(data: &Data, pairs: &Pairs, present: &BTreeSet<String>, key: &str) -> Reading {
    let mut reading = Reading::default();
    let partners: BTreeSet<_> =
        pairs.partners(key).into_iter().filter(|partner| present.contains(*partner)).collect();
    for body in partners.iter().copied().chain([key]) {
        reading.spaces.insert(format!("directory/{body}"), directory(data, body));
    }
    for convention in &data.conventions {
        let owner = convention.parties.first().is_some_and(|party| present.contains(&party.org));
        if owner && convention.parties.iter().any(|party| party.org == key) {
            let name = format!("convention/{}", convention.key);
            reading.spaces.insert(name, belongings(data, convention, present));
        }
    }
    reading
}

fn directory(data: &Data, key: &str) -> Counts {
    let offices = data.organisation(key).map_or(0, |body| body.offices.len());
    let contacts = data.contacts.iter().filter(|contact| contact.org == key).count();
    let seats = data.seats.iter().filter(|seats| seats.org == key).count();
    let practices = data.good_practices.iter().filter(|practice| practice.proposed_by == key);
    let meetings = data.meetings.iter().filter(|meeting| {
        meeting.convention.is_none() && meeting.organisers.first().is_some_and(|one| one == key)
    });
    counted([
        (Kind::Organisation, 1),
        (Kind::Office, offices),
        (Kind::Contact, contacts),
        (Kind::Seats, seats),
        (Kind::Practice, practices.count()),
        (Kind::Meeting, meetings.count()),
    ])
}

fn belongings(data: &Data, convention: &Convention, present: &BTreeSet<String>) -> Counts {
    let covers = convention.covers.iter().filter(|cover| present.contains(&cover.insured));
    let sheets = convention
        .parties
        .iter()
        .filter(|party| party.protocol_no.is_some() && present.contains(&party.org));
    let about = |key: &Option<String>| key.as_deref() == Some(convention.key.as_str());
    counted([
        (Kind::Convention, 1),
        (Kind::Objective, convention.objectives.len()),
        (Kind::Responsibility, convention.responsibilities.len()),
        (Kind::Cover, covers.count()),
        (Kind::PartySheet, sheets.count()),
        (Kind::Meeting, data.meetings.iter().filter(|one| about(&one.convention)).count()),
    ])
}

fn counted<const N: usize>(counts: [(Kind, usize); N]) -> Counts {
    let filled = counts.into_iter().filter(|(_, count)| *count > 0);
    filled.map(|(kind, count)| (kind.name().to_owned(), count as u64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::plan::plan;

    fn everybody(data: &Data) -> BTreeSet<String> {
        data.organisations.iter().map(|body| body.key.clone()).collect()
    }

    #[test]
    fn newcomers_read_their_own_and_nothing_else() {
        let data = Data::lunigiana().unwrap();
        let expected = expected(&data, &everybody(&data));
        let names = |key: &str| expected[key].spaces.keys().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(names("torino"), ["directory/comunita", "directory/torino"]);
        let parma = ["convention/extra-parma", "directory/comunita", "directory/parma"];
        assert_eq!(names("parma"), parma);
    }

    /// The plan and the expectation are made apart from each other; here they meet.
    #[test]
    fn what_is_planned_is_what_is_expected() {
        let data = Data::lunigiana().unwrap();
        let expected = expected(&data, &everybody(&data));
        let mut planned: BTreeMap<String, Reading> = BTreeMap::new();
        for space in plan(&data, &Pairs::of(&data)) {
            let mut counts = Counts::new();
            for record in &space.records {
                *counts.entry(record.kind.name().to_owned()).or_default() += 1;
            }
            for key in space.members.keys().chain([&space.owner]) {
                let reading = planned.entry(key.clone()).or_default();
                reading.spaces.insert(space.name.clone(), counts.clone());
            }
        }
        for (key, reading) in &expected {
            assert_eq!(reading.differences(&planned[key]), Vec::<String>::new(), "{key}");
        }
    }
}
