//! Invitations and the exchange by which organisations join.

use super::restraint::{Restraint, tell_within};
use super::{Core, Handle, now};
use crate::api::hexadecimal::hex;
use crate::api::{
    ApiError, ApiEvent, ErrorCode, GrantRequest, InvitationView, InviteRequest, JoinRequest,
    NewInvitation, PartnerView,
};
use crate::limits;
use crate::network::{DialFailure, Purpose, SessionId};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::invitation::Invitation;
use sincronia_protocol::joining::{
    Acquaintance, Invited, InvitedStep, Inviting, InvitingStep, JoinMessage, Refusal,
};
use sincronia_protocol::replica::{GrantOnArrival, InvitationRecord, InvitationState};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tracing::{info, warn};

/// How long an invitation works unless asked otherwise.
const VALID_HOURS: u64 = 7 * 24;

type Answer = oneshot::Sender<Result<OrganisationId, ApiError>>;

enum Exchange {
    Invited {
        machine: Box<Invited>,
        answer: Answer,
    },
    Inviting(Box<Inviting>),
    /// The other node opened it; this organisation cannot introduce itself in one message.
    Unpresentable(NodeId),
    Returning(NodeId),
}

/// Exchanges under way.
#[derive(Default)]
pub struct Joinings {
    exchanges: HashMap<SessionId, Exchange>,
    wanted: HashMap<NodeId, (Invitation, Answer)>,
    /// Partners' nodes that do not know this one, to which it presents itself.
    returning: HashSet<NodeId>,
    failures: Vec<Instant>,
    /// Lines of the log about what others did in exchanges that they opened.
    pub(super) lines: Restraint,
}

impl Joinings {
    pub fn contains(&self, session: SessionId) -> bool {
        self.exchanges.contains_key(&session)
    }

    pub fn close(&mut self, session: SessionId) {
        if let Some(Exchange::Invited { answer, .. }) = self.exchanges.remove(&session) {
            let _ = answer.send(Err(partner_error(
                "the inviting node ended the exchange".into(),
                "try again; if it stays so, ask for a new invitation",
            )));
        }
    }

    /// Notes that this node is to present itself to another.
    pub fn wish_to_return(&mut self, node: NodeId) {
        self.returning.insert(node);
    }

    pub fn fail(&mut self, node: &NodeId, failure: &DialFailure) {
        self.returning.remove(node);
        if let Some((_, answer)) = self.wanted.remove(node) {
            let _ = answer.send(Err(partner_error(
                failure.to_string(),
                "check that the inviting node runs and is reachable; try again, or give its address with --address",
            )));
        }
    }

    /// Whether too many attempts failed within the last minute.
    fn is_exhausted(&mut self) -> bool {
        let minute = Duration::from_mins(1);
        self.failures.retain(|at| at.elapsed() < minute);
        self.failures.len() >= usize::try_from(limits::JOIN_FAILURES_PER_MINUTE_MAX).unwrap_or(5)
    }
}

fn partner_error(message: String, remedy: &str) -> ApiError {
    ApiError::new(ErrorCode::Partner, message, remedy)
}

fn refused(refusal: Refusal) -> ApiError {
    let message = refusal.to_string();
    if refusal == Refusal::TooLong {
        return ApiError::new(ErrorCode::TooLarge, message, super::partners::BY_FILES);
    }
    ApiError::new(ErrorCode::Invitation, message, "ask whoever invited you for a new invitation")
}

impl Handle {
    /// Uses an invitation: reaches the inviting node and exchanges identities.
    ///
    /// # Errors
    /// [`ErrorCode::Invitation`] when it cannot be used, [`ErrorCode::Partner`] when the node is
    /// not reached.
    pub async fn join(&self, request: JoinRequest) -> Result<PartnerView, ApiError> {
        let (answer, joined) = oneshot::channel();
        self.run(move |core| core.want_joining(request, answer)).await?;
        let outcome = tokio::time::timeout(limits::JOIN_TIMEOUT, joined).await;
        let organisation = match outcome {
            Ok(Ok(outcome)) => outcome?,
            _ => {
                return Err(partner_error(
                    "the inviting node did not answer in time".into(),
                    "check that it runs and is reachable, then try again",
                ));
            }
        };
        self.run(move |core| core.partner_view(&organisation)).await
    }
}

impl Core {
    fn want_joining(&mut self, request: JoinRequest, answer: Answer) -> Result<(), ApiError> {
        self.check_may_invite(false)?;
        let invitation = self.usable_invitation(&request.invitation)?;
        if self.closed {
            return Err(super::partners::network_closed());
        }
        if !self.online {
            return Err(partner_error(
                "this node is offline".into(),
                "run `sincronia online` first",
            ));
        }
        let mut addresses = request.addresses;
        if addresses.is_empty() {
            addresses.clone_from(&invitation.addresses);
        }
        // Later nobody would be told why it cannot be done.
        let name = self.name.clone();
        let introduction = self.replica.introduction_by_line(&self.disk, name, self.announced());
        if let Err(error @ sincronia_protocol::replica::ReplicaError::Limit(_)) = introduction {
            let remedy = super::partners::BY_FILES;
            return Err(ApiError::new(ErrorCode::TooLarge, error.to_string(), remedy));
        }
        let node = invitation.node;
        self.joinings.wanted.insert(node, (invitation, answer));
        self.network.open(node, addresses, Purpose::Join);
        Ok(())
    }

    /// Whether this organisation can introduce itself in one message of a line.
    pub(super) fn fits_a_line(&self) -> bool {
        let (name, addresses) = (self.name.clone(), self.announced());
        self.replica.introduction_by_line(&self.disk, name, addresses).is_ok()
    }

    /// The invitation of a text, unless it is our own or has expired.
    pub(super) fn usable_invitation(&self, text: &str) -> Result<Invitation, ApiError> {
        let invitation = Invitation::from_text(text).map_err(|error| {
            let remedy = "copy the whole invitation again, from “invito1” to its end";
            ApiError::new(ErrorCode::Invalid, error.to_string(), remedy)
        })?;
        if invitation.organisation == self.replica.organisation() {
            return Err(ApiError::new(
                ErrorCode::Invitation,
                "this is an invitation of your own organisation",
                "hand it to the organisation you want to invite",
            ));
        }
        if now() > invitation.expires_at {
            return Err(refused(Refusal::Expired));
        }
        Ok(invitation)
    }

    pub(super) fn begin_joining(&mut self, session: SessionId, node: NodeId, outbound: bool) {
        if self.replica.is_revoked() {
            return self.network.close(session);
        }
        let addresses = self.announced();
        let name = self.name.clone();
        let introduction = self.replica.introduction_by_line(&self.disk, name, addresses);
        let Ok(introduction) = introduction else {
            tell_within(&mut self.joinings.lines, || {
                warn!("the identity log of this organisation is too long to join by line");
            });
            if outbound {
                return self.network.close(session);
            }
            self.joinings.exchanges.insert(session, Exchange::Unpresentable(node));
            return;
        };
        let own = self.replica.node();
        if !outbound {
            let machine = Inviting::new(own, node, introduction, &mut self.random);
            self.joinings.exchanges.insert(session, Exchange::Inviting(Box::new(machine)));
            return;
        }
        let Some((invitation, answer)) = self.joinings.wanted.remove(&node) else {
            if self.joinings.returning.remove(&node) {
                self.joinings.exchanges.insert(session, Exchange::Returning(node));
                return self.present(session, introduction);
            }
            return self.network.close(session);
        };
        let (machine, open) = Invited::begin(invitation, own, node, introduction, &mut self.random);
        let machine = Box::new(machine);
        self.joinings.exchanges.insert(session, Exchange::Invited { machine, answer });
        self.network.send(session, open.encode());
    }

    pub(super) fn handle_joining_frame(&mut self, session: SessionId, bytes: &[u8]) {
        let Ok(message) = JoinMessage::decode(bytes) else {
            self.joinings.close(session);
            return self.network.close(session);
        };
        match self.joinings.exchanges.remove(&session) {
            Some(Exchange::Invited { machine, answer }) => {
                self.step_invited(session, machine, answer, message);
            }
            Some(Exchange::Inviting(machine)) => match message {
                JoinMessage::Recall { .. } | JoinMessage::Return { .. } => {
                    self.answer_returning(session, &machine.node(), message);
                }
                message => self.step_inviting(session, machine, message),
            },
            Some(Exchange::Unpresentable(node)) => match message {
                JoinMessage::Recall { .. } | JoinMessage::Return { .. } => {
                    self.answer_returning(session, &node, message);
                }
                _ => {
                    self.network.send(session, JoinMessage::Refused(Refusal::TooLong).encode());
                    self.network.close(session);
                }
            },
            Some(Exchange::Returning(node)) => self.finish_return(session, &node, &message),
            None => {}
        }
    }

    fn step_invited(
        &mut self,
        session: SessionId,
        mut machine: Box<Invited>,
        answer: Answer,
        message: JoinMessage,
    ) {
        let outcome = match machine.handle(message) {
            InvitedStep::Send(message) => {
                self.network.send(session, message.encode());
                self.joinings.exchanges.insert(session, Exchange::Invited { machine, answer });
                return;
            }
            InvitedStep::Joined(acquaintance) => self.befriend(&acquaintance),
            InvitedStep::Refused(refusal) => Err(refused(refusal)),
            InvitedStep::Misbehaved => Err(partner_error(
                "the node that answers is not the one that made the invitation".into(),
                "do not use this invitation; call whoever gave it to you",
            )),
        };
        let _ = answer.send(outcome);
        self.network.close(session);
    }

    fn befriend(&mut self, acquaintance: &Acquaintance) -> Result<OrganisationId, ApiError> {
        let at = now();
        self.step(|replica, disk, _| replica.befriend(disk, acquaintance, at))?;
        self.commit().map_err(|error| super::not_kept(&error))?;
        self.greet_partner(acquaintance.organisation)?;
        Ok(acquaintance.organisation)
    }

    /// What a new partner gets without asking: this organisation's directory, and the conventions
    /// that name it as a party.
    pub(super) fn greet_partner(&mut self, organisation: OrganisationId) -> Result<(), ApiError> {
        self.share_due(&organisation)?;
        self.commit().map_err(|error| super::not_kept(&error))?;
        self.admit_partners();
        self.announce(ApiEvent::PartnerChanged { organisation: organisation.to_string() });
        Ok(())
    }

    fn step_inviting(
        &mut self,
        session: SessionId,
        mut machine: Box<Inviting>,
        message: JoinMessage,
    ) {
        let exhausted = self.joinings.is_exhausted();
        let (replica, disk, at) = (&self.replica, &self.disk, now());
        // Whoever names an open invitation has it: nobody else's failures keep it out.
        let step = machine.handle(message, |id| match replica.invitation_proof(disk, id, at) {
            Err(_) if exhausted => Err(Refusal::TooMany),
            answer => answer,
        });
        match step {
            InvitingStep::Send(message) => {
                self.network.send(session, message.encode());
                self.joinings.exchanges.insert(session, Exchange::Inviting(machine));
            }
            InvitingStep::Refuse(refusal) => self.refuse_joining(session, refusal),
            InvitingStep::Joined { invitation, acquaintance, welcome } => {
                match self.welcome(&invitation, &acquaintance) {
                    Ok(()) => {
                        self.network.send(session, welcome.encode());
                        self.network.close(session);
                    }
                    Err(_) if exhausted => self.refuse_joining(session, Refusal::TooMany),
                    Err(refusal) => self.refuse_joining(session, refusal),
                }
            }
        }
    }

    fn refuse_joining(&mut self, session: SessionId, refusal: Refusal) {
        self.joinings.failures.push(Instant::now());
        tell_within(&mut self.joinings.lines, || info!(%refusal, "a joining was refused"));
        self.network.send(session, JoinMessage::Refused(refusal).encode());
        self.network.close(session);
    }

    fn welcome(
        &mut self,
        invitation: &[u8; 32],
        acquaintance: &Acquaintance,
    ) -> Result<(), Refusal> {
        let (at, organisation) = (now(), acquaintance.organisation);
        self.replica.welcomes(&self.disk, invitation, &organisation, at)?;
        let mut welcomed = || {
            self.atomically(|core| {
                core.step(|replica, disk, random| {
                    replica.welcome(disk, invitation, acquaintance, at, random)
                })
            })?;
            self.commit().map_err(|error| super::not_kept(&error))?;
            self.greet_partner(organisation)
        };
        welcomed().map_err(|error| {
            tell_within(&mut self.joinings.lines, || {
                warn!(%error, "whoever was invited could not be welcomed");
            });
            Refusal::Identity
        })
    }

    /// Makes an invitation.
    pub fn invite(&mut self, request: InviteRequest) -> Result<NewInvitation, ApiError> {
        self.check_may_invite(!request.spaces.is_empty())?;
        let grants: Result<Vec<_>, _> = request.spaces.iter().map(Self::grant_on_arrival).collect();
        let (grants, at) = (grants?, now());
        let valid_ms = request.valid_hours.unwrap_or(VALID_HOURS).saturating_mul(3_600_000);
        let addresses = self.announced();
        let (invitation, record) = self.step(|replica, _, random| {
            replica.invite(addresses, valid_ms, request.note, grants, at, random)
        })?;
        Ok(NewInvitation {
            id: hex(&record.id),
            text: invitation.to_text(),
            expires_at: record.expires_at.milliseconds(),
            addresses: invitation.addresses,
        })
    }

    fn grant_on_arrival(grant: &GrantRequest) -> Result<GrantOnArrival, ApiError> {
        Ok(GrantOnArrival {
            space: super::members::parse(&grant.space)?,
            role: super::members::role(&grant.role)?,
            history: super::members::history(Some(&grant.history))?,
        })
    }

    /// The invitations made here.
    pub fn invitations(&mut self) -> Result<Vec<InvitationView>, ApiError> {
        let records = self.step(|replica, disk, _| replica.invitations(disk))?;
        Ok(records.iter().map(|record| self.invitation_view(record)).collect())
    }

    fn invitation_view(&self, record: &InvitationRecord) -> InvitationView {
        let (state, used_by) = match record.state {
            InvitationState::Used { organisation } => ("used", Some(self.name_of(&organisation))),
            InvitationState::Revoked => ("revoked", None),
            InvitationState::Open if now() > record.expires_at => ("expired", None),
            InvitationState::Open => ("open", None),
        };
        InvitationView {
            id: hex(&record.id),
            state: state.into(),
            note: record.note.clone(),
            created_at: record.created_at.milliseconds(),
            expires_at: record.expires_at.milliseconds(),
            used_by,
        }
    }

    /// Withdraws an invitation, named by its id or the beginning of it.
    pub fn revoke_invitation(&mut self, id: &str) -> Result<InvitationView, ApiError> {
        if id.len() < limits::INVITATION_BEGINNING_MIN {
            return Err(ApiError::new(
                ErrorCode::Invalid,
                "this is too little of an identifier to say which invitation is meant",
                "give more of the identifier",
            ));
        }
        let records = self.step(|replica, disk, _| replica.invitations(disk))?;
        let found: Vec<_> =
            records.iter().filter(|record| hex(&record.id).starts_with(id)).collect();
        let [record] = found.as_slice() else {
            return Err(ApiError::not_found("invitation"));
        };
        if let InvitationState::Used { organisation } = record.state {
            return Err(ApiError::new(
                ErrorCode::Invitation,
                format!("{} used this invitation already", self.name_of(&organisation)),
                format!("to end the partnership: `sincronia partner block {organisation}`"),
            ));
        }
        self.step(|replica, disk, _| replica.revoke_invitation(disk, &record.id))?;
        let mut view = self.invitation_view(record);
        view.state = "revoked".into();
        Ok(view)
    }
}
