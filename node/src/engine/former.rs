//! Old names that find the bodies of today, and conventions in which an organisation stood before.

use super::Core;
use super::conventions::parties;
use super::leading::{Steps, reached};
use crate::api::{ApiError, HistoryView};
use crate::limits::{FORMER_LOOKED_AT_MAX, PREDECESSORS_NAMED_MAX};
use serde_json::Value;
use sincronia_protocol::ids::{OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::RecordRow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// One whose place was taken.
struct Former {
    organisation: OrganisationId,
    name: String,
    /// Whether it was divided on the way: what its successors have besides was never its own.
    divided: bool,
}

/// The old names, as one search needs them.
#[derive(Default)]
pub(super) struct FormerNames {
    /// By organisation, those whose place it took, directly or by way of others.
    behind: BTreeMap<OrganisationId, Vec<Former>>,
    /// By convention, the names of divided bodies that stood there before.
    stood: BTreeMap<RecordId, Vec<String>>,
}

impl Core {
    /// The old names in which one of these words stands may find conventions by what they were
    /// before.
    pub(super) fn former_names(&mut self, words: &[String]) -> Result<FormerNames, ApiError> {
        let steps = self.mutual_steps();
        let successors: BTreeSet<_> = steps.values().flatten().copied().collect();
        let behind = successors.into_iter().map(|one| (one, self.behind(&steps, one)));
        let mut names = FormerNames { behind: behind.collect(), stood: BTreeMap::new() };
        let is_meant = |one: &&Former| {
            let name = one.name.to_lowercase();
            one.divided && words.iter().any(|word| name.contains(word))
        };
        let mut meant: BTreeMap<OrganisationId, (String, BTreeSet<OrganisationId>)> =
            BTreeMap::new();
        for (successor, all) in &names.behind {
            for one in all.iter().filter(is_meant) {
                let known = meant.entry(one.organisation);
                known.or_insert_with(|| (one.name.clone(), BTreeSet::new())).1.insert(*successor);
            }
        }
        for (predecessor, (name, successors)) in meant {
            for record in self.stood_in(&predecessor, &successors)? {
                names.stood.entry(record).or_default().push(name.clone());
            }
        }
        Ok(names)
    }

    /// Those whose place one took, directly or by way of others. In a circle nobody is another one
    /// under an old name.
    fn behind(&self, steps: &Steps, successor: OrganisationId) -> Vec<Former> {
        let after = reached(steps, &successor);
        let mut found: Vec<Former> = Vec::new();
        let mut open = vec![(successor, false)];
        while let Some((here, was_divided)) = open.pop() {
            for (organisation, _) in steps.iter().filter(|(_, all)| all.contains(&here)) {
                let is_new = found.iter().all(|one| one.organisation != *organisation);
                let leads_here = *organisation != successor && !after.contains(organisation);
                if is_new && leads_here && found.len() < PREDECESSORS_NAMED_MAX {
                    let organisation = *organisation;
                    let divided = was_divided || self.is_divided(&organisation);
                    let name = self.name_of(&organisation);
                    found.push(Former { organisation, name, divided });
                    open.push((organisation, divided));
                }
            }
        }
        found
    }

    /// The conventions in which one of `successors` stands, and before it the body whose place they
    /// took. Beyond the limit nobody looks, and a name finds rather too much than too little.
    fn stood_in(
        &mut self,
        predecessor: &OrganisationId,
        successors: &BTreeSet<OrganisationId>,
    ) -> Result<Vec<RecordId>, ApiError> {
        let named: BTreeSet<_> = successors.iter().map(ToString::to_string).collect();
        let mut standing = Vec::new();
        self.visit(None, Some(Kind::Convention), &mut |row| {
            if parties(&row.view.fields).any(|party| named.contains(party)) {
                standing.push((row.space, row.record));
            }
            ControlFlow::Continue(())
        })?;
        let mut found = Vec::new();
        for (number, (space, record)) in standing.into_iter().enumerate() {
            if number >= FORMER_LOOKED_AT_MAX || self.stood(&space, &record, predecessor)? {
                found.push(record);
            }
        }
        Ok(found)
    }

    /// Whether an organisation stood in a convention as a party, or owned it, as far as what was
    /// before can be read here.
    pub(super) fn stood(
        &mut self,
        space: &SpaceId,
        record: &RecordId,
        organisation: &OrganisationId,
    ) -> Result<bool, ApiError> {
        let now = self.replica.summary(space).map(|one| one.owner);
        let had_it = now.is_some_and(|one| self.owners_before(space, &one).contains(organisation));
        Ok(had_it || self.history(space, record)?.iter().any(|step| names(step, organisation)))
    }

    /// The names, of today and before, by which a search finds a record that holds identifiers.
    pub(super) fn named_in(
        &self,
        row: &RecordRow,
        former: &FormerNames,
    ) -> Vec<(&'static str, String)> {
        let behind = |one: &OrganisationId| former.behind.get(one).into_iter().flatten();
        match row.kind {
            Kind::Organisation => {
                let creator = row.view.creation.as_ref().map(|origin| origin.organisation);
                // Of a divided body each has a part: none of them is it under another name.
                let named = |one: &Former| {
                    (if one.divided { "succession" } else { "formerly" }, one.name.clone())
                };
                creator.iter().flat_map(behind).map(named).collect()
            }
            Kind::Convention => {
                let parties = parties(&row.view.fields).filter_map(|party| party.parse().ok());
                let names = parties.flat_map(|party: OrganisationId| {
                    let before = behind(&party).filter(|one| !one.divided);
                    let before = before.map(|one| one.name.clone());
                    std::iter::once(self.name_of(&party)).chain(before).collect::<Vec<_>>()
                });
                let stood = former.stood.get(&row.record).into_iter().flatten().cloned();
                // A party that took the place of another party has that one's name, too.
                let mut seen = BTreeSet::new();
                let names = names.chain(stood).filter(|name| seen.insert(name.clone()));
                let names: Vec<_> = names.collect();
                vec![("parties", names.join("; "))]
            }
            _ => Vec::new(),
        }
    }
}

/// Whether a change has an organisation among the parties, before or after it.
fn names(step: &HistoryView, organisation: &OrganisationId) -> bool {
    let wanted = organisation.to_string();
    let is_in = |list: &Value| {
        let mut all = list.as_array().into_iter().flatten();
        all.any(|party| party.get("org").and_then(Value::as_str) == Some(&wanted))
    };
    step.changes.iter().any(|(field, from, to)| field == "parties" && (is_in(from) || is_in(to)))
}
