//! Bundles: files in place of a line.

use super::{Core, now};
use crate::api::{
    ApiError, BroughtView, BundleFile, BundleView, ErrorCode, ExportBundleRequest,
    JoinByBundleRequest, PartnerBundles, ReadBundle, WithdrawBundleRequest,
};
use sincronia_protocol::bundle::{
    self, BundleError, ExportRequest, Imported, Outcome, answer_invitation,
};
use sincronia_protocol::ids::{OrganisationId, SpaceId};
use sincronia_protocol::joining::Refusal;
use sincronia_protocol::limits;
use sincronia_protocol::replica::Brought;
use std::collections::BTreeMap;

/// How this organisation stands in a space.
#[derive(Clone, Copy, Default)]
struct Standing {
    is_member: bool,
    /// Records of it that were erased.
    erased: u64,
}

/// Before a bundle was read, and after.
type Standings<'a> = (&'a BTreeMap<SpaceId, Standing>, &'a BTreeMap<SpaceId, Standing>);

impl Core {
    /// Makes the next bundle for a partner.
    pub fn export_bundle(&mut self, request: &ExportBundleRequest) -> Result<BundleFile, ApiError> {
        let part_bytes = request.part_bytes.map_or(Ok(limits::PART_BYTES_DEFAULT), usize::try_from);
        let request = ExportRequest {
            recipient: super::members::parse(&request.organisation)?,
            name: self.name.clone(),
            all: request.all,
            part_bytes: part_bytes.unwrap_or(usize::MAX),
            content_bytes: limits::BUNDLE_CONTENT_BYTES_MAX,
        };
        self.sign_beacon();
        let made = self.atomically(|core| {
            let (replica, disk, random) = (&mut core.replica, &core.disk, &mut core.random);
            let made = bundle::export(&request, replica, disk, now(), random);
            made.map_err(|error| core.refused(error))
        })?;
        self.tell_partner(&request.recipient);
        let bytes = made.parts.concat();
        Ok(BundleFile { number: made.number, is_complete: made.is_complete, bytes })
    }

    /// Takes back that the last bundle for a partner was made.
    pub fn withdraw_bundle(&mut self, request: &WithdrawBundleRequest) -> Result<(), ApiError> {
        let partner = super::members::parse(&request.organisation)?;
        let number = request.number;
        self.step(|replica, disk, _| replica.withdraw_bundle(disk, &partner, number))?;
        self.tell_partner(&partner);
        Ok(())
    }

    /// Imports a file of one or more parts: all that is in it, or nothing.
    pub fn import_bundle(&mut self, bytes: &[u8]) -> Result<Vec<BundleView>, ApiError> {
        let before = self.standings()?;
        let outcomes = self.atomically(|core| {
            let (replica, disk, random) = (&mut core.replica, &core.disk, &mut core.random);
            let read = bundle::import(bytes, replica, disk, now(), random);
            read.map_err(|error| core.refused(error))
        })?;
        for outcome in &outcomes {
            if let Outcome::Imported(imported) = outcome
                && self.is_heard_by(imported)?
            {
                self.note_heard(&imported.sender);
            }
        }
        self.commit().map_err(|error| super::not_kept(&error))?;
        for outcome in &outcomes {
            if let Outcome::Imported(imported) = outcome {
                if imported.has_joined {
                    self.greet_partner(imported.sender)?;
                }
                self.tell_partner(&imported.sender);
            }
        }
        let after = self.standings()?;
        let view = |outcome| self.view_outcome(outcome, (&before, &after));
        Ok(outcomes.into_iter().map(view).collect())
    }

    /// Why nothing is exchanged; of whoever was presented, that a person here is to accept it.
    fn refused(&self, error: BundleError) -> ApiError {
        let presented = match &error {
            BundleError::NotPartner(one) => self.only_presented(one, ErrorCode::Bundle),
            _ => None,
        };
        presented.unwrap_or_else(|| error.into())
    }

    /// How this organisation stands in each space, to tell what a bundle changes.
    fn standings(&mut self) -> Result<BTreeMap<SpaceId, Standing>, ApiError> {
        let own = self.replica.organisation();
        let roles = self.replica.summaries().map(|(space, one)| (*space, one.role(&own).is_some()));
        let roles = roles.map(|(space, is_member)| (space, Standing { is_member, erased: 0 }));
        let mut found: BTreeMap<_, _> = roles.collect();
        for space in self.replica.spaces_with_erasures(&self.disk)? {
            if let Some(standing) = found.get_mut(&space) {
                let all = self.replica.certificates(&self.disk, &space)?;
                standing.erased = all.len() as u64;
            }
        }
        Ok(found)
    }

    /// Whether a bundle counts as a session in which both came to have the same. One that opens
    /// under the keys of a new node was made after its maker knew of that node; under those of a
    /// node that went back to an older state one from before opens, too, and proves nothing.
    fn is_heard_by(&mut self, imported: &Imported) -> Result<bool, ApiError> {
        let waiting = self.replica.catching_up();
        let is_proof = waiting.is_some_and(|state| !state.has_gone_back);
        // An answer to an invitation tells of no space.
        let is_whole = imported.number > 0 && imported.is_complete && imported.refused.is_empty();
        if !is_proof || !is_whole {
            return Ok(false);
        }
        Ok(self.replica.is_level_with(&self.disk, &imported.sender)?)
    }

    /// Answers an invitation by a file.
    pub fn join_by_bundle(
        &mut self,
        request: &JoinByBundleRequest,
    ) -> Result<BundleFile, ApiError> {
        let invitation = self.usable_invitation(&request.invitation)?;
        let name = self.name.clone();
        let bytes = self.atomically(|core| {
            let (replica, disk, random) = (&mut core.replica, &core.disk, &mut core.random);
            Ok(answer_invitation(&invitation, name, replica, disk, now(), random)?)
        })?;
        Ok(BundleFile { number: 0, is_complete: true, bytes })
    }

    fn view_outcome(&self, outcome: Outcome, standings: Standings<'_>) -> BundleView {
        let view = |state: &str| BundleView {
            state: state.into(),
            parts: 0,
            missing: Vec::new(),
            read: None,
        };
        match outcome {
            Outcome::Known => view("known"),
            Outcome::Waiting { missing, count } => {
                BundleView { parts: count, missing, ..view("waiting") }
            }
            Outcome::Imported(imported) => {
                BundleView { read: Some(self.view_imported(*imported, standings)), ..view("read") }
            }
        }
    }

    fn view_brought(
        &self,
        (space, brought): (&SpaceId, &Brought),
        (before, after): Standings<'_>,
    ) -> BroughtView {
        let [before, after] =
            [before, after].map(|all| all.get(space).copied().unwrap_or_default());
        let owner = self.replica.summary(space).map(|summary| self.name_of(&summary.owner));
        BroughtView {
            space: space.to_string(),
            owner_name: owner.unwrap_or_default(),
            entries: brought.entries,
            access: brought.access,
            admitted: after.is_member && !before.is_member,
            removed: before.is_member && !after.is_member,
            erased: after.erased.saturating_sub(before.erased),
        }
    }

    fn view_imported(&self, imported: Imported, standings: Standings<'_>) -> ReadBundle {
        let spaces = imported.brought.iter().map(|one| self.view_brought(one, standings));
        ReadBundle {
            organisation: imported.sender.to_string(),
            name: self.name_of(&imported.sender),
            number: imported.number,
            made_at: imported.made_at.milliseconds(),
            joined: imported.has_joined,
            complete: imported.is_complete,
            spaces: spaces.collect(),
            refused: imported.refused.into_iter().collect(),
        }
    }

    /// Of each bundle whose parts wait here for others: which are missing, from 1, of how many.
    pub(super) fn parts_missing(&self) -> Result<Vec<String>, ApiError> {
        let mut told = Vec::new();
        for (bundle, kept) in self.replica.bundles_waiting(&self.disk)? {
            let first = kept.first().copied().unwrap_or_default();
            let part = self.replica.kept_part(&self.disk, &bundle, first)?.unwrap_or_default();
            let Ok(parts) = bundle::read_parts(&part) else { continue };
            let Some(count) = parts.first().map(|part| part.count) else { continue };
            let missing = (0..count).filter(|one| !kept.contains(one));
            let missing: Vec<_> = missing.map(|one| one.saturating_add(1).to_string()).collect();
            told.push(format!("{} / {count}", missing.join(", ")));
        }
        Ok(told)
    }

    /// What was exchanged with a partner by bundles, if anything was.
    pub(super) fn partner_bundles(
        &mut self,
        partner: &OrganisationId,
    ) -> Result<Option<PartnerBundles>, ApiError> {
        let ledger = self.replica.ledger(&self.disk, partner)?;
        if ledger.out.is_none() && ledger.arrival.is_none() {
            return Ok(None);
        }
        let unacknowledged = self.replica.unacknowledged(&self.disk, partner)?;
        Ok(Some(PartnerBundles {
            last_out: ledger.out.map(|out| out.at.milliseconds()),
            last_out_number: ledger.out.map(|out| out.number),
            last_in: ledger.arrival.map(|arrival| arrival.at.milliseconds()),
            last_in_number: ledger.arrival.map(|arrival| arrival.number),
            unacknowledged,
            unknown_there: self.replica.is_unknown_to(&self.disk, partner)?,
        }))
    }
}

impl From<BundleError> for ApiError {
    fn from(error: BundleError) -> Self {
        let text = error.to_string();
        let told = |remedy: &str| Self::new(ErrorCode::Bundle, text.clone(), remedy);
        match error {
            BundleError::Replica(error) => error.into(),
            BundleError::Invitation(refusal) => not_redeemed(refusal),
            BundleError::PartSize => Self::new(
                ErrorCode::Invalid,
                text,
                "choose a size from 4096 to 67108864 bytes, larger if there are too many parts",
            ),
            BundleError::NotPartner(_) => told("join by invitation first, or unblock it"),
            BundleError::Recipient(_) => told("hand it to the organisation it is for"),
            BundleError::Version => told(
                "update the older of the two programs; if it is this one, import the bundle again, \
                 else ask for a new one",
            ),
            BundleError::NotForNode => told(
                "it was made before its maker knew of this machine: send it a bundle, then ask for a \
                 new one, with --all; if neither opens the other's, both have only new machines: \
                 `sincronia invite`, and it answers with a file",
            ),
            BundleError::NotCertified | BundleError::NoNode => {
                told("ask that organisation for a new bundle of a node in service")
            }
            BundleError::Misbehaved(_) => told("do not import it; call whoever made it"),
            _ => told("copy the file again from where it was made, or ask for a new one"),
        }
    }
}

/// Why an answer to an invitation is worth nothing. Whoever reads it made the invitation: what is
/// said to the invited would send them to themselves.
fn not_redeemed(refusal: Refusal) -> ApiError {
    let told = |message: &str, remedy: &str| ApiError::new(ErrorCode::Invitation, message, remedy);
    let again = "invite it again: `sincronia invite`";
    match refusal {
        Refusal::Unknown => told("this answers an invitation that this node did not make", again),
        Refusal::Expired => told("this answers an invitation that has expired", again),
        Refusal::Revoked => told("this answers an invitation that was withdrawn here", again),
        Refusal::Used => told(
            "this answers an invitation that another organisation used already",
            "see in `sincronia partner list` who did; if it is not whom you invited, block it, and \
             invite again: `sincronia invite`",
        ),
        other => told(&other.to_string(), "ask the invited organisation for a new answer"),
    }
}
