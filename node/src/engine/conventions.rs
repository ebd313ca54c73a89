//! Conventions: a space each, with the convention and what belongs to it.

use super::Core;
use super::records::Act;
use crate::api::{
    ApiError, ConventionRequest, ConventionView, ConventionsQuery, EditRequest, ErrorCode,
    RecordView,
};
use crate::limits::FORMER_LOOKED_AT_MAX;
use serde_json::{Map, Value};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::{OrganisationId, SpaceId};
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::WriteTarget;
use std::ops::ControlFlow;

/// The organisations that a convention names as parties.
pub(super) fn parties(fields: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let list = fields.get("parties").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|party| party.get("org")?.as_str())
}

impl Core {
    /// Conventions, narrowed.
    pub fn conventions(&mut self, query: &ConventionsQuery) -> Result<Vec<RecordView>, ApiError> {
        let formerly = query.formerly.as_deref().map(super::members::parse).transpose()?;
        let mut found = Vec::new();
        self.visit(None, Some(Kind::Convention), &mut |row| {
            let fields = &row.view.fields;
            let kinds = fields.get("placement_kinds").and_then(Value::as_array);
            let is_for = |wanted: &String| {
                kinds.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(wanted)))
            };
            let changed = row.view.latest.as_ref().map_or(0, |one| one.written_at.milliseconds());
            if query.organisation.as_ref().is_none_or(|one| parties(fields).any(|id| id == one))
                && query.placement_kind.as_ref().is_none_or(is_for)
                && query.changed_since.is_none_or(|since| changed >= since)
            {
                found.push((row.space, row.record, self.record_view(row)));
            }
            ControlFlow::Continue(())
        })?;
        let mut kept = Vec::new();
        for (number, (space, record, view)) in found.into_iter().enumerate() {
            let is_meant = match &formerly {
                Some(one) if number < FORMER_LOOKED_AT_MAX => self.stood(&space, &record, one)?,
                _ => true,
            };
            if is_meant {
                kept.push(view);
            }
        }
        Ok(kept)
    }

    /// A convention with everything in its space.
    pub fn convention(&mut self, text: &str) -> Result<ConventionView, ApiError> {
        let (space, record) = self.find(Kind::Convention, text)?;
        self.convention_view(&space, &record)
    }

    fn convention_view(
        &mut self,
        space: &SpaceId,
        record: &sincronia_protocol::ids::RecordId,
    ) -> Result<ConventionView, ApiError> {
        let convention = self.record(space, record)?;
        let mut records = Vec::new();
        self.visit(Some(space), None, &mut |row| {
            if row.record != *record {
                records.push(self.record_view(row));
            }
            ControlFlow::Continue(())
        })?;
        let passed = self.passing(space, &convention)?;
        let view = self.space_view(space)?;
        let is_member = |party: &&str| view.members.iter().any(|one| one.organisation == **party);
        // Whom a person removed is not to be invited again by an answer of the program.
        let former = self.replica.summary(space).map(|one| one.former.as_slice());
        let is_former =
            |party: &&str| former.iter().copied().flatten().any(|one| one.to_string() == **party);
        // What is for its own body alone waits for nobody.
        let is_kept = is_private(&convention.fields);
        let not_shared_yet = parties(&convention.fields)
            .filter(|_| !is_kept)
            .filter(|party| !is_member(party) && !is_former(party))
            .map(ToOwned::to_owned)
            .collect();
        Ok(ConventionView { space: view, convention, records, not_shared_yet, passed })
    }

    /// Creates a convention and everything in it, or nothing.
    pub fn create_convention(
        &mut self,
        request: ConventionRequest,
    ) -> Result<ConventionView, ApiError> {
        self.atomically(|core| core.write_convention(request))
    }

    fn write_convention(
        &mut self,
        mut request: ConventionRequest,
    ) -> Result<ConventionView, ApiError> {
        if request.share == Some(false) {
            // It stays so, whatever is edited and whoever becomes a partner, until somebody says
            // otherwise.
            request.fields.entry("visibility").or_insert("private".into());
        }
        let space = self.step(|replica, disk, random| replica.create_space(disk, random))?;
        let act = || Act { operator: request.operator.clone(), comment: request.comment.clone() };
        let convention =
            self.write(space, WriteTarget::New(Kind::Convention), request.fields, act())?;
        let parts = [
            (Kind::Cover, "covers", request.covers),
            (Kind::Responsibility, "responsibilities", request.responsibilities),
            (Kind::Objective, "objectives", request.objectives),
            (Kind::Seats, "seats", request.seats),
        ];
        for (kind, name, rows) in parts {
            for (number, mut fields) in (1..).zip(rows) {
                refer(kind, &convention.id, &mut fields);
                let written = self.write(space, WriteTarget::New(kind), fields, act());
                written.map_err(|error| within(error, name, number))?;
            }
        }
        if request.share != Some(false) {
            self.share_with_parties(&space, &convention.fields)?;
        }
        self.convention_view(&space, &super::members::parse(&convention.id)?)
    }

    pub(super) fn share_with_parties(
        &mut self,
        space: &SpaceId,
        fields: &Map<String, Value>,
    ) -> Result<(), ApiError> {
        if is_private(fields) {
            return Ok(());
        }
        if self.directory()? == Some(*space) {
            // An older import could put a convention there: all contacts would be shared with it.
            return Ok(());
        }
        let own = self.replica.organisation();
        let named: Vec<OrganisationId> =
            parties(fields).filter_map(|party| party.parse().ok()).collect();
        for organisation in named {
            let held = self.replica.summary(space).and_then(|one| one.role(&organisation));
            let removed =
                self.step(|replica, disk, _| replica.was_removed(disk, space, &organisation))?;
            let is_partner = self.replica.is_partner(&organisation);
            if organisation != own && held.is_none() && !removed && is_partner {
                self.check_nothing_private(space, Some(Kind::Convention))?;
                self.step(|replica, disk, random| {
                    let (role, history) = (Role::Contributor, History::Start);
                    replica.grant(disk, space, organisation, role, history, random)
                })?;
            }
        }
        Ok(())
    }

    /// Changes a convention; parties that are new become members. Who was removed stays removed.
    pub fn edit_convention(
        &mut self,
        text: &str,
        request: EditRequest,
    ) -> Result<ConventionView, ApiError> {
        let (space, record) = self.find(Kind::Convention, text)?;
        self.atomically(|core| {
            let edited = core.edit_record(&space, &record, request)?;
            let own = core.replica.organisation();
            if core.replica.summary(&space).is_some_and(|summary| summary.is_of(&own)) {
                core.share_with_parties(&space, &edited.fields)?;
            }
            core.convention_view(&space, &record)
        })
    }
}

/// Whether a record says that only its own organisation reads it.
pub(super) fn is_private(fields: &Map<String, Value>) -> bool {
    fields.get("visibility").is_some_and(|said| said == "private")
}

/// Names the convention that a record belongs to, unless it does so itself.
fn refer(kind: Kind, convention: &str, fields: &mut Map<String, Value>) {
    let (name, value) = match kind {
        Kind::Cover => ("conventions", Value::from(vec![convention])),
        _ => ("convention", Value::from(convention)),
    };
    fields.entry(name).or_insert(value);
}

/// Says in which part of the request a field stands.
fn within(mut error: ApiError, part: &str, number: u64) -> ApiError {
    for problem in &mut error.problems {
        problem.field = format!("{part}[{number}].{}", problem.field);
        problem.row = Some(number);
    }
    if error.code == ErrorCode::InvalidFields {
        error.message = format!("{part}[{number}]: {}", error.message);
    }
    error
}
