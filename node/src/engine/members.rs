//! Spaces and their members.

use super::Core;
use crate::api::hexadecimal::{hex, unhex};
use crate::api::{
    ApiError, ErrorCode, ExamineReport, MemberRequest, MemberView, RawEntries, RawQuery,
    RevocationView, SetAsideView, SpaceView,
};
use crate::limits;
use sincronia_protocol::access::{AccessOperation, History, Role};
use sincronia_protocol::ids::{IdError, NodeId, OrganisationId, SpaceId};
use sincronia_protocol::replica::{RawWanted, SetAside, Summary};
use std::str::FromStr;

/// Parses an identifier.
pub(super) fn parse<T: FromStr<Err = IdError>>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: IdError| {
        let remedy = "copy the identifier again, or list what there is";
        ApiError::new(ErrorCode::Invalid, error.to_string(), remedy)
    })
}

/// Parses a role.
pub(super) fn role(text: &str) -> Result<Role, ApiError> {
    match text {
        "reader" => Ok(Role::Reader),
        "contributor" => Ok(Role::Contributor),
        "carrier" => Ok(Role::Carrier),
        _ => Err(ApiError::new(
            ErrorCode::Invalid,
            format!("“{text}” is not a role"),
            "a role is reader, contributor or carrier",
        )),
    }
}

/// Parses how much of the past a member reads.
pub(super) fn history(text: Option<&str>) -> Result<History, ApiError> {
    match text {
        None | Some("start") => Ok(History::Start),
        Some("now") => Ok(History::Now),
        Some(text) => Err(ApiError::new(
            ErrorCode::Invalid,
            format!("“{text}” is not how much of the past is read"),
            "write start for everything, now for what is written from now on",
        )),
    }
}

const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Carrier => "carrier",
        Role::Reader => "reader",
        Role::Contributor => "contributor",
    }
}

impl Core {
    /// Founds a space and returns it.
    pub fn create_space(&mut self) -> Result<SpaceView, ApiError> {
        let space = self.step(|replica, disk, random| replica.create_space(disk, random))?;
        self.space_view(&space)
    }

    /// Every space here.
    pub fn spaces(&mut self) -> Result<Vec<SpaceView>, ApiError> {
        let spaces: Vec<_> = self.replica.summaries().map(|(space, _)| *space).collect();
        spaces.iter().map(|space| self.space_view(space)).collect()
    }

    /// A space.
    pub fn space_view(&mut self, space: &SpaceId) -> Result<SpaceView, ApiError> {
        let view = self.step(|replica, disk, _| replica.space_view(disk, space))?;
        let to_invite = self.to_invite(&view.summary, view.offered);
        let Summary { owner, members, records, conflicts, quarantined, .. } = view.summary;
        let quarantined = self.late_undecided_in(space, quarantined)?;
        Ok(SpaceView {
            id: space.to_string(),
            owner: owner.to_string(),
            owner_name: self.name_of(&owner),
            directory: self.directory()? == Some(*space),
            role: self.replica.own_role(space).map(|role| role_text(role).to_owned()),
            members: self.member_views(&members),
            epoch: view.epoch,
            has_key: view.has_key,
            entries: view.entries,
            records,
            conflicts,
            quarantined,
            waiting: view.waiting,
            unreadable: view.unreadable,
            offered_to: view.offered.map(|organisation| organisation.to_string()),
            to_invite: self.member_views(&to_invite),
            set_aside: view.aside.iter().map(|one| self.set_aside_view(one)).collect(),
        })
    }

    fn set_aside_view(&self, aside: &SetAside) -> SetAsideView {
        let (what, organisation) = match &aside.operation {
            AccessOperation::Create { owner, .. } => ("create", Some(owner)),
            AccessOperation::Grant { organisation, .. } => ("grant", Some(organisation)),
            AccessOperation::Revoke { organisation, .. } => ("revoke", Some(organisation)),
            AccessOperation::CutNode { .. } => ("cut_node", None),
            AccessOperation::Rotate { .. } => ("rotate", None),
            AccessOperation::Erase { .. } => ("erase", None),
            AccessOperation::Settle { .. } => ("settle", None),
            AccessOperation::Offer { organisation } => ("offer", Some(organisation)),
            AccessOperation::Take { organisation } => ("take", Some(organisation)),
        };
        SetAsideView {
            what: what.to_owned(),
            organisation: organisation.map(ToString::to_string),
            name: organisation.map(|organisation| self.name_of(organisation)),
            contradicts: aside.contradicts,
        }
    }

    fn member_views(&self, members: &[(OrganisationId, Role)]) -> Vec<MemberView> {
        let view = |(organisation, role): &(OrganisationId, Role)| MemberView {
            organisation: organisation.to_string(),
            name: self.name_of(organisation),
            role: role_text(*role).into(),
        };
        members.iter().map(view).collect()
    }

    /// Makes an organisation a member.
    pub fn add_member(
        &mut self,
        space: &SpaceId,
        request: &MemberRequest,
    ) -> Result<SpaceView, ApiError> {
        let organisation: OrganisationId = parse(&request.organisation)?;
        let (role, history) = (role(&request.role)?, history(request.history.as_deref())?);
        if !self.replica.is_partner(&organisation) {
            return Err(ApiError::new(
                ErrorCode::NotFound,
                "the organisation is not a partner",
                "invite it first: `sincronia invite`",
            ));
        }
        let held = self.replica.summary(space).and_then(|summary| summary.role(&organisation));
        if held != Some(role) {
            if role.reads() {
                self.check_nothing_private(space, None)?;
            }
            self.step(|replica, disk, random| {
                replica.grant(disk, space, organisation, role, history, random)
            })?;
        }
        self.space_view(space)
    }

    /// Ends a membership.
    pub fn remove_member(
        &mut self,
        space: &SpaceId,
        organisation: &OrganisationId,
    ) -> Result<RevocationView, ApiError> {
        let held = self.replica.summary(space).and_then(|summary| summary.role(organisation));
        if held.is_none() {
            return Err(ApiError::not_found("member"));
        }
        let report =
            self.step(|replica, disk, random| replica.revoke(disk, space, *organisation, random))?;
        Ok(RevocationView {
            epoch: report.epoch,
            kept: report.cuts.iter().map(|cut| (cut.node.to_string(), cut.length)).collect(),
            members: self.member_views(&report.members),
        })
    }

    /// Gives a space a fresh key.
    pub fn rotate(&mut self, space: &SpaceId) -> Result<SpaceView, ApiError> {
        self.step(|replica, disk, random| replica.rotate(disk, space, random))?;
        self.space_view(space)
    }

    /// The author entries of a space as they travel.
    pub fn raw_entries(
        &mut self,
        space: &SpaceId,
        query: &RawQuery,
    ) -> Result<RawEntries, ApiError> {
        let wanted = RawWanted {
            only: query.author.as_deref().map(parse::<NodeId>).transpose()?,
            from: query.from.unwrap_or(0),
            at: query.after.as_deref().map(place).transpose()?,
        };
        let (runs, next) = self.step(|replica, disk, _| {
            replica.raw_runs(disk, space, &wanted, limits::RAW_ANSWER_BYTES)
        })?;
        let next = next.map(|(author, from)| format!("{author}:{from}"));
        Ok(RawEntries { runs: runs.iter().map(|run| hex(run)).collect(), next })
    }

    /// What this node can do with raw entries that somebody handed to it.
    pub fn examine(
        &mut self,
        space: &SpaceId,
        entries: &RawEntries,
    ) -> Result<ExamineReport, ApiError> {
        let runs: Option<Vec<_>> = entries.runs.iter().map(|text| unhex(text)).collect();
        let runs = runs.ok_or_else(|| {
            ApiError::new(ErrorCode::Invalid, "these are not raw entries", "hand them in unchanged")
        })?;
        let found = self.step(|replica, disk, _| replica.examine(disk, space, &runs))?;
        let (entries, authentic, opened) = found;
        Ok(ExamineReport { entries, authentic, opened })
    }
}

/// Where an answer broke off, as it was told.
fn place(text: &str) -> Result<(NodeId, u64), ApiError> {
    let parts = text.split_once(':');
    let parts = parts.and_then(|(author, from)| Some((parse(author).ok()?, from.parse().ok()?)));
    parts.ok_or_else(|| {
        let message = format!("“{text}” is not a place in the entries");
        ApiError::new(ErrorCode::Invalid, message, "hand back `next` of the answer, unchanged")
    })
}
