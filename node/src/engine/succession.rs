//! Organisations that take the place of others, and the spaces that pass with it.

use super::Core;
use super::conventions::parties;
use super::members::parse;
use super::records::Act;
use crate::api::{ApiError, ErrorCode, OfferRequest, SpaceView, SuccessionView, TakeRequest};
use serde_json::{Map, Value};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::identity::Succession;
use sincronia_protocol::ids::{OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::WriteTarget;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use tracing::warn;

/// From a body that is no more to the one that stands there now.
struct Way {
    bodies: Vec<OrganisationId>,
    /// Others that are the same body today, or were on the way.
    same: BTreeSet<String>,
}

impl Way {
    /// Each with the others that end where it does.
    fn apart(all: &[Vec<OrganisationId>]) -> Vec<Self> {
        let same = |way: &[OrganisationId]| {
            let alike = all.iter().filter(|other| other.last() == way.last()).flatten();
            let others = alike.filter(|one| Some(*one) != way.first());
            others.map(ToString::to_string).collect()
        };
        all.iter().map(|way| Self { bodies: way.clone(), same: same(way) }).collect()
    }
}

impl Core {
    /// Every succession that is known here.
    pub fn successions(&self) -> Result<Vec<SuccessionView>, ApiError> {
        let found = self.replica.successions();
        found.iter().map(|succession| self.succession_view(succession)).collect()
    }

    fn succession_view(&self, succession: &Succession) -> Result<SuccessionView, ApiError> {
        let successor = succession.successor.to_string();
        // Of a body that was divided the sheet tells of one of those that take its place.
        let announced = self.told_by(&succession.predecessor)?.filter(|said| {
            said.get("into").and_then(Value::as_str).is_none_or(|into| into == successor)
        });
        let said = |name: &str| announced?.get(name)?.as_str().map(ToOwned::to_owned);
        Ok(SuccessionView {
            predecessor: succession.predecessor.to_string(),
            predecessor_name: self.name_of(&succession.predecessor),
            successor: succession.successor.to_string(),
            successor_name: self.name_of(&succession.successor),
            declared: succession.declared,
            accepted: succession.accepted,
            effective_on: said("effective_on"),
            legal_act: said("legal_act"),
        })
    }

    /// The organisations whose place `organisation` took, as both sides say.
    pub(super) fn predecessors(&self, organisation: &OrganisationId) -> Vec<OrganisationId> {
        let successions = self.replica.successions().into_iter();
        successions
            .filter(|one| one.is_mutual() && one.successor == *organisation)
            .map(|one| one.predecessor)
            .collect()
    }

    /// Offers a space of this organisation to another, which becomes a contributor if it is none.
    pub fn offer_space(
        &mut self,
        space: &SpaceId,
        request: &OfferRequest,
    ) -> Result<SpaceView, ApiError> {
        let organisation: OrganisationId = parse(&request.organisation)?;
        if self.directory()? == Some(*space) {
            return Err(ApiError::new(
                ErrorCode::NotPermitted,
                "the directory is this organisation's own and cannot be handed over",
                "hand over conventions; the successor has a directory of its own",
            ));
        }
        if !self.replica.is_partner(&organisation) {
            return Err(ApiError::new(
                ErrorCode::NotFound,
                "the organisation is not a partner",
                "invite it first: `sincronia invite`",
            ));
        }
        self.check_declared(&organisation)?;
        match self.step(|replica, disk, _| replica.offered(disk, space))? {
            Some(other) if other != organisation => return Err(self.offered_already(&other)),
            Some(_) => return self.space_view(space),
            None => {}
        }
        self.atomically(|core| {
            let summary = core.replica.summary(space);
            let held = summary.and_then(|summary| summary.role(&organisation));
            if held != Some(Role::Contributor) {
                core.check_nothing_private(space, None)?;
                let (role, history) = (Role::Contributor, History::Start);
                core.step(|replica, disk, random| {
                    replica.grant(disk, space, organisation, role, history, random)
                })?;
            }
            core.step(|replica, disk, _| replica.offer(disk, space, organisation))?;
            if let Err(error) = core.announce_successor(&organisation) {
                warn!(%error, "the own sheet does not tell who takes this organisation's place");
            }
            let view = core.space_view(space)?;
            core.present_successor(&organisation, &view.to_invite)?;
            Ok(view)
        })
    }

    /// Both could take the space over if a second offer replaced the first: whoever had not heard
    /// of it goes by the first one.
    fn offered_already(&self, other: &OrganisationId) -> ApiError {
        ApiError::new(
            ErrorCode::NotPermitted,
            format!(
                "an offer cannot be taken back, and this was offered already to: {}",
                self.name_of(other)
            ),
            "have it taken over there: “sincronia succession take CONVENTION”; what was meant for \
             another one is made again for it: `sincronia convention new`",
        )
    }

    /// An offer cannot be taken back, and without both declarations nobody is put in the place of
    /// the other: so the own one comes first.
    fn check_declared(&self, successor: &OrganisationId) -> Result<(), ApiError> {
        let own = self.replica.organisation();
        let known = self.replica.identity(&own);
        if known.is_some_and(|known| known.successors().contains_key(successor)) {
            return self.check_passes_on(&own, successor);
        }
        let name = self.name_of(successor);
        Err(ApiError::new(
            ErrorCode::NotPermitted,
            format!("this organisation has not declared who takes its place: {name}"),
            format!(
                "declare it first: `sincronia succession declare {successor}`; on the other node \
                 `succession accept` follows"
            ),
        ))
    }

    /// Who owns a space that this organisation may take over.
    fn offered_by(&mut self, space: &SpaceId) -> Result<OrganisationId, ApiError> {
        let own = self.replica.organisation();
        let view = self.step(|replica, disk, _| replica.space_view(disk, space))?;
        let owner = view.summary.owner;
        let name = self.name_of(&owner);
        if view.offered != Some(own) {
            return Err(ApiError::new(
                ErrorCode::NotPermitted,
                format!("this space was not offered to this organisation by its owner: {name}"),
                "have it offered there: “sincronia succession offer --to ORGANISATION CONVENTION”",
            ));
        }
        if self.predecessors(&own).contains(&owner) {
            self.check_passes_on(&owner, &own)?;
            return Ok(owner);
        }
        Err(ApiError::new(
            ErrorCode::NotPermitted,
            format!("not both have signed that this organisation takes the place of: {name}"),
            format!(
                "sign it here: `sincronia succession accept {owner}`; `sincronia succession list` \
                 shows what is missing"
            ),
        ))
    }

    /// Takes over a space that was offered to this organisation. In its conventions this
    /// organisation stands from here on where the one stood whose place it took; the history keeps
    /// who stood there before.
    pub fn take_space(
        &mut self,
        space: &SpaceId,
        request: &TakeRequest,
    ) -> Result<SpaceView, ApiError> {
        let own = self.replica.organisation();
        let owner = self.offered_by(space)?;
        let mut before = self.predecessors(&own);
        // Whoever was divided said with the offer which of its successors stands there; of another
        // party that was, a person here says it.
        before.retain(|one| *one == owner || !(self.is_divided(one) || self.leads_back(one, &own)));
        let (owners, others): (Vec<_>, Vec<_>) = before.into_iter().partition(|one| *one == owner);
        let ways = |all: Vec<OrganisationId>| {
            Way::apart(&all.into_iter().map(|one| vec![one, own]).collect::<Vec<_>>())
        };
        self.atomically(|core| {
            core.step(|replica, disk, _| replica.take_over(disk, space))?;
            for way in ways(owners).iter().chain(&ways(others)) {
                core.substitute(space, way, request)?;
            }
            core.space_view(space)
        })
    }

    /// In the conventions of a space of this organisation, puts successors where their predecessors
    /// stood, and gives them the space. The predecessor stays a member until it is removed.
    pub fn follow_successions(
        &mut self,
        space: &SpaceId,
        request: &TakeRequest,
    ) -> Result<SpaceView, ApiError> {
        let own = self.replica.organisation();
        if self.replica.summary(space).is_none_or(|summary| summary.owner != own) {
            return Err(ApiError::new(
                ErrorCode::NotPermitted,
                "only the owner of a convention puts a successor in the place of a party",
                "ask the owner; what this organisation is offered it takes: `sincronia succession \
                 take --all`",
            ));
        }
        let ways = self.to_follow(space, request)?;
        self.atomically(|core| {
            for way in &ways {
                for fields in core.substitute(space, way, request)? {
                    core.share_with_parties(space, &fields)?;
                }
            }
            core.space_view(space)
        })
    }

    /// From each body that stands in a space and is no more to the one that stands there now. Of a
    /// body that was divided nobody can know which successor that is, and of those that take each
    /// other's place none: the request has to say it.
    fn to_follow(&self, space: &SpaceId, request: &TakeRequest) -> Result<Vec<Way>, ApiError> {
        let meant = request.successor.as_deref().map(parse::<OrganisationId>).transpose()?;
        let steps = self.mutual_steps();
        let standing = self.standing_there(space)?.into_iter();
        let ways = standing.map(|one| self.way_on(&steps, one, meant));
        let mut ways: Vec<_> = ways.collect::<Result<_, _>>()?;
        ways.retain(|way| !way.is_empty());
        Ok(Way::apart(&ways))
    }

    /// The parties of a space's conventions.
    fn standing_there(&self, space: &SpaceId) -> Result<BTreeSet<OrganisationId>, ApiError> {
        let mut found = BTreeSet::new();
        self.visit(Some(space), Some(Kind::Convention), &mut |row| {
            let standing = parties(&row.view.fields).filter_map(|party| party.parse().ok());
            found.extend(standing.collect::<Vec<OrganisationId>>());
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Goes the way from a body that is no more to the one that stands there now, step by step,
    /// among the parties of a space's conventions; the conventions that changed, as they are now.
    fn substitute(
        &mut self,
        space: &SpaceId,
        way: &Way,
        request: &TakeRequest,
    ) -> Result<Vec<Map<String, Value>>, ApiError> {
        let Some(old) = way.bodies.first().map(ToString::to_string) else { return Ok(Vec::new()) };
        let mut conventions: Vec<(RecordId, Map<String, Value>)> = Vec::new();
        self.visit(Some(space), Some(Kind::Convention), &mut |row| {
            // Who stands where there is a conflict is for a person to say; and if several parties
            // are one body today, which of their roles remains: nobody stands there twice.
            let is_open = row.view.conflicts.iter().all(|one| one.field != "parties")
                && parties(&row.view.fields).all(|party| !way.same.contains(party));
            if is_open && parties(&row.view.fields).any(|party| party == old) {
                conventions.push((row.record, row.view.fields));
            }
            ControlFlow::Continue(())
        })?;
        let mut changed = Vec::new();
        for (record, mut fields) in conventions {
            for step in way.bodies.windows(2) {
                if let [old, new] = step {
                    fields = self.put_in(space, record, &fields, (old, new), request)?;
                }
            }
            changed.push(fields);
        }
        Ok(changed)
    }

    /// Writes that one stands where another stood; the fields as they are now.
    fn put_in(
        &mut self,
        space: &SpaceId,
        record: RecordId,
        fields: &Map<String, Value>,
        (old, new): (&OrganisationId, &OrganisationId),
        request: &TakeRequest,
    ) -> Result<Map<String, Value>, ApiError> {
        let (before, now) = (old.to_string(), new.to_string());
        let mut list = fields.get("parties").cloned().unwrap_or_default();
        for party in list.as_array_mut().into_iter().flatten() {
            if party.get("org").and_then(Value::as_str) == Some(&before)
                && let Some(party) = party.as_object_mut()
            {
                party.insert("org".to_owned(), Value::from(now.clone()));
            }
        }
        let comment = format!("subentro: {} → {}", self.name_of(old), self.name_of(new));
        let act = Act { operator: request.operator.clone(), comment: Some(comment) };
        let fields = Map::from_iter([("parties".to_owned(), list)]);
        Ok(self.write(*space, WriteTarget::Existing(record), fields, act)?.fields)
    }
}
