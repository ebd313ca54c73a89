//! What people are told of conventions that pass from one organisation to another: who stood there
//! before, who still needs an invitation, and what the new body is called.

use super::conventions::parties;
use super::leading::reached;
use super::{Core, now};
use crate::api::{ApiError, ErrorCode, HistoryView, MemberView, PassedView, RecordView};
use crate::foreign::one_line;
use crate::limits;
use serde_json::{Map, Value, json};
use sincronia_protocol::access::Role;
use sincronia_protocol::identity::{IdentityEntry, IdentityOperation, Succession};
use sincronia_protocol::ids::{OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::{Summary, WriteTarget};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use tracing::warn;

impl Core {
    /// Members of a space that are no partners of whoever takes it, or took it, as far as this
    /// node can tell: without an invitation they are sent nothing more.
    pub(super) fn to_invite(
        &self,
        summary: &Summary,
        offered: Option<OrganisationId>,
    ) -> Vec<(OrganisationId, Role)> {
        let own = self.replica.organisation();
        let taking = offered.unwrap_or(summary.owner);
        let is_strange: Box<dyn Fn(&OrganisationId) -> bool> = if taking == own {
            Box::new(|one| !self.replica.is_partner(one))
        } else if summary.owner == own {
            let known = self.acquaintances(&taking);
            Box::new(move |one| !known.contains(one))
        } else {
            // Of others it knows nothing, of itself it does.
            Box::new(|one| *one == own && !self.replica.is_partner(&taking))
        };
        let others =
            summary.members.iter().filter(|(one, _)| ![taking, summary.owner].contains(one));
        others.filter(|(one, _)| is_strange(one)).copied().collect()
    }

    /// Whom a partner shares spaces of its own making with: of its directory, every partner of it
    /// is a member.
    fn acquaintances(&self, partner: &OrganisationId) -> BTreeSet<OrganisationId> {
        let spaces = self.replica.summaries().filter(|(_, one)| one.owner == *partner);
        let made = spaces.filter(|(space, one)| self.owners_before(space, &one.owner).is_empty());
        made.flat_map(|(_, one)| one.members.iter().map(|(member, _)| *member)).collect()
    }

    /// The owners that a space had before the one of now, as its access log says.
    pub(super) fn owners_before(
        &self,
        space: &SpaceId,
        owner: &OrganisationId,
    ) -> Vec<OrganisationId> {
        let owners = self.replica.owners(&self.disk, space).unwrap_or_else(|error| {
            warn!(%error, "an access log cannot be read");
            BTreeSet::new()
        });
        owners.into_iter().filter(|one| one != owner).collect()
    }

    /// Presents the successor and the parties that do not know it yet to each other: who has a line
    /// needs no invitation then, and each learns what the other is called.
    pub(super) fn present_successor(
        &mut self,
        successor: &OrganisationId,
        strangers: &[MemberView],
    ) -> Result<(), ApiError> {
        for one in strangers {
            let party: OrganisationId = super::members::parse(&one.organisation)?;
            let (successor, at) = (*successor, now());
            // Too many at once, or one that is no partner here: a person invites it.
            let presented =
                self.step(|replica, _, _| replica.introduce(party, successor, at)).err();
            if let Some(error) = presented {
                warn!(%error, "a party was not presented to the successor");
            }
        }
        Ok(())
    }

    /// Names in this organisation's own sheet whom these entries of its log declare to take its
    /// place. What is signed stands without it.
    pub(super) fn name_successors(&mut self, entries: &[IdentityEntry]) {
        for entry in entries {
            if let IdentityOperation::SucceededBy { organisation } = &entry.statement.operation
                && self.replica.is_partner(organisation)
                && let Err(error) = self.announce_successor(organisation)
            {
                warn!(%error, "the own sheet does not tell who takes this organisation's place");
            }
        }
    }

    /// Writes into this organisation's own sheet who takes its place and what it is called, unless
    /// the sheet says so already: partners that never met the successor read its name there.
    pub(super) fn announce_successor(
        &mut self,
        successor: &OrganisationId,
    ) -> Result<(), ApiError> {
        let own = self.replica.organisation();
        let Some(directory) = self.directory()? else { return Ok(()) };
        let mut sheet: Option<(RecordId, bool)> = None;
        self.visit(Some(&directory), Some(Kind::Organisation), &mut |row| {
            if row.view.creation.as_ref().map(|origin| origin.organisation) != Some(own) {
                return ControlFlow::Continue(());
            }
            sheet = Some((row.record, row.view.fields.contains_key("succession")));
            ControlFlow::Break(())
        })?;
        let into = successor.to_string();
        let name = self.name_of(successor);
        let succession = json!({"kind": "sostituzione", "into": into, "note": name});
        let mut fields = Map::from_iter([("succession".to_owned(), succession)]);
        let target = match sheet {
            Some((_, true)) => return Ok(()),
            Some((record, false)) => WriteTarget::Existing(record),
            None => {
                fields.insert("name".to_owned(), Value::from(self.name.clone()));
                fields.insert("org_kind".to_owned(), Value::from("altro"));
                WriteTarget::New(Kind::Organisation)
            }
        };
        let act = super::records::Act { operator: None, comment: None };
        self.write(directory, target, fields, act).map(drop)
    }

    /// That the key of a space is missing, with whom to ask for it.
    pub(super) fn key_missing(&self, space: &SpaceId, error: ApiError) -> ApiError {
        let Some(summary) = self.replica.summary(space) else { return error };
        let owner = summary.owner;
        if owner == self.replica.organisation() || self.replica.is_partner(&owner) {
            return error;
        }
        let name = self.name_of(&owner);
        ApiError::new(
            ErrorCode::KeyMissing,
            format!("this space now belongs to an organisation that is no partner here: {name}"),
            format!(
                "ask {name} for an invitation, then `sincronia join INVITATION` (without a line \
                 with `--bundle FILE`, too); the new key comes then"
            ),
        )
    }

    /// That this organisation may not write in a space, with whose it is.
    pub(super) fn not_contributor(&self, space: &SpaceId, error: ApiError) -> ApiError {
        let Some(summary) = self.replica.summary(space) else { return error };
        let (own, name) = (self.replica.organisation(), self.name_of(&summary.owner));
        if summary.owner == own || summary.role(&own) == Some(Role::Contributor) {
            return error;
        }
        let code = ErrorCode::NotPermitted;
        let remedy = format!("only its owner lets others write in this space: ask {name}");
        ApiError::new(code, error.message, remedy)
    }

    /// Whether, to whom and when a convention passed from an organisation to its successor.
    pub(super) fn passing(
        &mut self,
        space: &SpaceId,
        convention: &RecordView,
    ) -> Result<Option<PassedView>, ApiError> {
        let mut successions = self.replica.successions();
        successions.retain(Succession::is_mutual);
        self.passing_by(&successions, space, convention)
    }

    /// As [`Self::passing`], of the successions given, which both sides signed.
    fn passing_by(
        &mut self,
        successions: &[Succession],
        space: &SpaceId,
        convention: &RecordView,
    ) -> Result<Option<PassedView>, ApiError> {
        let Some(owner) = self.replica.summary(space).map(|one| one.owner) else { return Ok(None) };
        let standing: Vec<_> =
            successions.iter().filter(|one| stands(one, &owner, &convention.fields)).collect();
        if standing.is_empty() {
            return Ok(None);
        }
        // Once for all of them: whoever signs many successions makes nothing slow.
        let record: RecordId = super::members::parse(&convention.id)?;
        let history = self.history(space, &record)?;
        let before = self.owners_before(space, &owner);
        let put_in = standing
            .iter()
            .filter_map(|one| Some((*one, put_in_place(&history, one, Stood::Nowhere)?)));
        if let Some((one, at)) = put_in.max_by_key(|(_, at)| *at) {
            return Ok(Some(self.passed_view(convention, one, Some(at))));
        }
        let found = standing.into_iter().find_map(|one| {
            let at = put_in_place(&history, one, Stood::Anywhere);
            let took = one.successor == owner && before.contains(&one.predecessor);
            // Where a divided body went, a successor that stood there anyway does not say.
            let is_clear = at.is_some() && !self.is_divided(&one.predecessor);
            (took || is_clear).then(|| self.passed_view(convention, one, at))
        });
        Ok(found)
    }

    fn passed_view(
        &self,
        convention: &RecordView,
        succession: &Succession,
        at: Option<u64>,
    ) -> PassedView {
        let title = convention.fields.get("title").and_then(Value::as_str);
        PassedView {
            convention: convention.id.clone(),
            title: one_line(title.unwrap_or_default()),
            predecessor: succession.predecessor.to_string(),
            predecessor_name: self.name_of(&succession.predecessor),
            successor: succession.successor.to_string(),
            successor_name: self.name_of(&succession.successor),
            at,
        }
    }

    /// Conventions that passed from this organisation to the one that took its place. Of those in
    /// which the successor stands now so many are looked at as the limit allows: whether one passed
    /// is in its history, and the state of the node is asked for often.
    pub(super) fn passed_from_here(&mut self) -> Result<Vec<PassedView>, ApiError> {
        let own = self.replica.organisation();
        let identity = self.replica.identity(&own);
        if identity.is_none_or(|identity| identity.successors().is_empty()) {
            return Ok(Vec::new());
        }
        let mut after = reached(&self.mutual_steps(), &own);
        after.insert(own);
        let mut successions = self.replica.successions();
        successions.retain(|one| one.is_mutual() && after.contains(&one.predecessor));
        let mut passed = Vec::new();
        for (space, convention) in self.standing_in(&successions)? {
            let record: RecordId = super::members::parse(&convention.id)?;
            let found = self.passing_by(&successions, &space, &convention)?;
            // What the successor handed on in turn may never have been this organisation's.
            let is_own = |one: &PassedView| one.predecessor == own.to_string();
            if found.as_ref().is_some_and(is_own) || self.stood(&space, &record, &own)? {
                passed.extend(found);
            }
            if passed.len() >= limits::PASSED_SHOWN_MAX {
                break;
            }
        }
        Ok(passed)
    }

    /// Conventions of others in which the successor of one of these successions stands.
    fn standing_in(
        &self,
        successions: &[Succession],
    ) -> Result<Vec<(SpaceId, RecordView)>, ApiError> {
        let own = self.replica.organisation();
        let mut conventions = Vec::new();
        self.visit(None, Some(Kind::Convention), &mut |row| {
            let owner = self.replica.summary(&row.space).map(|summary| summary.owner);
            let owner = owner.filter(|owner| *owner != own);
            let is_concerned = owner.is_some_and(|owner| {
                successions.iter().any(|one| stands(one, &owner, &row.view.fields))
            });
            if is_concerned {
                conventions.push((row.space, self.record_view(row)));
            }
            if conventions.len() < limits::PASSED_LOOKED_AT_MAX {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(conventions)
    }
}

/// Whether the successor owns the space of a convention, or is a party of it.
fn stands(succession: &Succession, owner: &OrganisationId, fields: &Map<String, Value>) -> bool {
    let successor = succession.successor.to_string();
    succession.successor == *owner || parties(fields).any(|party| party == successor)
}

/// Where a successor stood before its predecessor went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stood {
    /// It was no party: it came as the other one went.
    Nowhere,
    /// It may have been a party itself, and a person took the other one out.
    Anywhere,
}

/// When the successor was put in the place of its predecessor among the parties.
fn put_in_place(history: &[HistoryView], succession: &Succession, stood: Stood) -> Option<u64> {
    let (old, new) = (succession.predecessor.to_string(), succession.successor.to_string());
    let names = |list: &Value, wanted: &str| {
        let mut all = list.as_array().into_iter().flatten();
        all.any(|party| party.get("org").and_then(Value::as_str) == Some(wanted))
    };
    let passes = |(field, from, to): &(String, Value, Value)| {
        let is_passing = field == "parties" && names(from, &old) && !names(to, &old);
        is_passing && names(to, &new) && (stood == Stood::Anywhere || !names(from, &new))
    };
    let mut latest = history.iter().rev();
    latest.find(|step| step.changes.iter().any(passes)).map(|step| step.origin.written_at)
}
