//! Invitations made by this node.

use super::{Replica, ReplicaError, keys};
use crate::access::{History, Role};
use crate::codec;
use crate::crypto::Secret;
use crate::ids::{OrganisationId, SpaceId};
use crate::invitation::Invitation;
use crate::joining::{Acquaintance, Introduction, Refusal};
use crate::replica::{Partner, Trust};
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use std::ops::ControlFlow;

/// A space that the invited organisation becomes a member of when it joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GrantOnArrival {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The role.
    #[n(1)]
    pub role: Role,
    /// How much of the past.
    #[n(2)]
    pub history: History,
}

/// What becomes of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum InvitationState {
    /// It can be used.
    #[n(0)]
    Open,
    /// It was.
    #[n(1)]
    Used {
        /// By whom.
        #[n(0)]
        organisation: OrganisationId,
    },
    /// It was withdrawn.
    #[n(2)]
    Revoked,
}

/// An invitation as its maker keeps it: not the secret, only what it derives to.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct InvitationRecord {
    /// Its id.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub id: [u8; 32],
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    proof: [u8; 32],
    /// When it was made.
    #[n(2)]
    pub created_at: Timestamp,
    /// Until when it works.
    #[n(3)]
    pub expires_at: Timestamp,
    /// For whom, in the inviter's words.
    #[n(4)]
    pub note: Option<String>,
    /// What the invited organisation gets at once.
    #[n(5)]
    pub grants: Vec<GrantOnArrival>,
    /// What became of it.
    #[n(6)]
    pub state: InvitationState,
}

impl InvitationRecord {
    /// Whether it can be used at `now`.
    ///
    /// # Errors
    /// The [`Refusal`] that says why not.
    pub const fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.state {
            InvitationState::Used { .. } => Err(Refusal::Used),
            InvitationState::Revoked => Err(Refusal::Revoked),
            InvitationState::Open if now.milliseconds() > self.expires_at.milliseconds() => {
                Err(Refusal::Expired)
            }
            InvitationState::Open => Ok(()),
        }
    }
}

/// What addresses and a name take of a message at most.
const ADDRESSES_BYTES_MAX: usize =
    crate::limits::ADDRESSES_MAX * (crate::limits::ADDRESS_BYTES_MAX + 8) + 4 * 1024;

impl Replica {
    /// Makes an invitation.
    ///
    /// # Errors
    /// [`ReplicaError::Limit`] when it would last too long; [`ReplicaError::NotPermitted`] when it
    /// promises a space that this organisation does not own.
    pub fn invite(
        &mut self,
        addresses: Vec<String>,
        valid_ms: u64,
        note: Option<String>,
        grants: Vec<GrantOnArrival>,
        now: Timestamp,
        random: &mut dyn CryptoRng,
    ) -> Result<(Invitation, InvitationRecord), ReplicaError> {
        if valid_ms > crate::limits::INVITATION_VALID_MS_MAX {
            return Err(ReplicaError::Limit("how long an invitation is valid"));
        }
        if valid_ms == 0 {
            return Err(ReplicaError::Limit("an invitation is valid for an hour at least"));
        }
        if note.as_ref().is_some_and(|note| note.len() > crate::limits::COMMENT_BYTES_MAX) {
            return Err(ReplicaError::Limit("length of the note"));
        }
        if !note.as_deref().is_none_or(crate::text::is_line) {
            return Err(ReplicaError::Text("the note"));
        }
        let own = self.organisation();
        let owns = |space| self.summaries.get(space).is_some_and(|one| one.is_of(&own));
        if !grants.iter().all(|grant| owns(&grant.space)) {
            return Err(ReplicaError::NotPermitted);
        }
        let invitation = Invitation {
            organisation: own,
            node: self.node(),
            addresses,
            expires_at: now.plus(valid_ms),
            secret: Secret::random(random),
        };
        let key = invitation.key();
        let record = InvitationRecord {
            id: key.id,
            proof: *key.proof.expose(),
            created_at: now,
            expires_at: invitation.expires_at,
            note,
            grants,
            state: InvitationState::Open,
        };
        self.put_invitation(&record)?;
        Ok((invitation, record))
    }

    fn put_invitation(&mut self, record: &InvitationRecord) -> Result<(), ReplicaError> {
        let place = keys::place(Table::Invitations, &record.id);
        let sealed = self.credentials.storage.seal(&place, &codec::encode(record))?;
        self.pending.put(Table::Invitations, record.id.to_vec(), sealed);
        Ok(())
    }

    fn open_invitation(&self, key: &[u8], sealed: &[u8]) -> Result<InvitationRecord, ReplicaError> {
        let place = keys::place(Table::Invitations, key);
        let opened = self.credentials.storage.open(&place, sealed).ok();
        let record = opened.and_then(|bytes| minicbor::decode(&bytes).ok());
        record.ok_or(ReplicaError::Damaged(Table::Invitations.name()))
    }

    /// An invitation made here.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn invitation(
        &self,
        disk: &dyn Storage,
        id: &[u8; 32],
    ) -> Result<Option<InvitationRecord>, ReplicaError> {
        let sealed = self.read(disk, Table::Invitations, id)?;
        sealed.map(|sealed| self.open_invitation(id, &sealed)).transpose()
    }

    /// The key that proves an open invitation, or one that a partner used: its answer may have
    /// been lost on the way, so [`Replica::welcomes`] decides when it is known who asks.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with.
    pub fn invitation_proof(
        &self,
        disk: &dyn Storage,
        id: &[u8; 32],
        now: Timestamp,
    ) -> Result<Secret<32>, Refusal> {
        let record = self.invitation(disk, id).ok().flatten().ok_or(Refusal::Unknown)?;
        let of_partner = match &record.state {
            InvitationState::Used { organisation } => self.is_partner(organisation),
            InvitationState::Open | InvitationState::Revoked => false,
        };
        if !of_partner {
            record.check(now)?;
        }
        Ok(Secret::from_bytes(record.proof))
    }

    /// Whether an invitation makes this organisation a partner: an open one, or the one by which
    /// it became the partner that it is.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with.
    pub fn welcomes(
        &self,
        disk: &dyn Storage,
        id: &[u8; 32],
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let record = self.invitation(disk, id).ok().flatten().ok_or(Refusal::Unknown)?;
        let is_its_own = record.state == InvitationState::Used { organisation: *organisation };
        if is_its_own && self.is_partner(organisation) { Ok(()) } else { record.check(now) }
    }

    /// The key that an invitation made here proves, and what became of it.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn invitation_key(
        &self,
        disk: &dyn Storage,
        id: &[u8; 32],
    ) -> Result<Option<(Secret<32>, InvitationRecord)>, ReplicaError> {
        let record = self.invitation(disk, id)?;
        Ok(record.map(|record| (Secret::from_bytes(record.proof), record)))
    }

    /// All invitations made here.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn invitations(&self, disk: &dyn Storage) -> Result<Vec<InvitationRecord>, ReplicaError> {
        let mut found = Ok(Vec::new());
        self.scan(disk, Table::Invitations, &[], &[u8::MAX; 33], &mut |key, sealed| {
            match (self.open_invitation(key, sealed), found.as_mut()) {
                (Ok(record), Ok(list)) => list.push(record),
                (Err(error), _) => found = Err(error),
                (Ok(_), Err(_)) => return ControlFlow::Break(()),
            }
            ControlFlow::Continue(())
        })?;
        found
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when there is none, [`ReplicaError::NotPermitted`] when it was
    /// used.
    pub fn revoke_invitation(
        &mut self,
        disk: &dyn Storage,
        id: &[u8; 32],
    ) -> Result<(), ReplicaError> {
        let record = self.invitation(disk, id)?.ok_or(ReplicaError::Unknown("invitation"))?;
        if matches!(record.state, InvitationState::Used { .. }) {
            return Err(ReplicaError::NotPermitted);
        }
        self.put_invitation(&InvitationRecord { state: InvitationState::Revoked, ..record })
    }

    /// Makes whoever proved an invitation a partner, and gives it what was promised; whoever used
    /// it already is only welcomed again.
    ///
    /// # Errors
    /// [`ReplicaError::NotPermitted`] when another organisation used it; when its identity log
    /// contradicts what is known, or a grant is not possible.
    pub fn welcome(
        &mut self,
        disk: &dyn Storage,
        invitation: &[u8; 32],
        acquaintance: &Acquaintance,
        now: Timestamp,
        random: &mut dyn CryptoRng,
    ) -> Result<(), ReplicaError> {
        let record = self.invitation(disk, invitation)?;
        let record = record.ok_or(ReplicaError::Unknown("invitation"))?;
        let organisation = acquaintance.organisation;
        if let InvitationState::Used { organisation: known } = record.state {
            let is_its_own = known == organisation && self.is_partner(&known);
            let again = is_its_own.then(|| self.befriend(disk, acquaintance, now));
            return again.unwrap_or(Err(ReplicaError::NotPermitted));
        }
        self.befriend(disk, acquaintance, now)?;
        for grant in &record.grants {
            let (space, role, history) = (&grant.space, grant.role, grant.history);
            self.grant(disk, space, organisation, role, history, random)?;
        }
        let state = InvitationState::Used { organisation };
        self.put_invitation(&InvitationRecord { state, ..record })
    }

    /// Makes an organisation met by invitation a partner. One that is a partner already keeps its
    /// trust; one that was blocked stays blocked.
    ///
    /// # Errors
    /// When its identity log contradicts what is known.
    pub fn befriend(
        &mut self,
        disk: &dyn Storage,
        acquaintance: &Acquaintance,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let organisation = acquaintance.organisation;
        if organisation == self.organisation() {
            return Err(ReplicaError::NotPermitted);
        }
        self.admit_identity(disk, &acquaintance.introduction.identity)?;
        let known = self.partner(&organisation).cloned();
        let mut partner = known.unwrap_or_else(|| Partner {
            name: String::new(),
            trust: Trust::Joined,
            joined_at: now,
            addresses: Vec::new(),
            last_exchange: None,
        });
        partner.name.clone_from(&acquaintance.introduction.name);
        partner.addresses.retain(|(node, _)| *node != acquaintance.node);
        let addresses = acquaintance.introduction.addresses.clone();
        partner.addresses.push((acquaintance.node, addresses));
        self.put_partner(organisation, partner)
    }

    /// As [`Replica::introduction`], to travel in one message of a line; a bundle has room for
    /// more.
    ///
    /// # Errors
    /// [`ReplicaError::Limit`] when the identity log is too long for that.
    pub fn introduction_by_line(
        &self,
        disk: &dyn Storage,
        name: String,
        addresses: Vec<String>,
    ) -> Result<Introduction, ReplicaError> {
        let introduction = self.introduction(disk, name, addresses)?;
        let bytes: usize =
            introduction.identity.iter().map(|entry| codec::encode(entry).len()).sum();
        if bytes > crate::limits::PRESENTATION_BYTES_MAX - ADDRESSES_BYTES_MAX {
            let what = "bytes of an identity log in one message";
            return Err(ReplicaError::Limit(what));
        }
        Ok(introduction)
    }

    /// How this organisation introduces itself.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn introduction(
        &self,
        disk: &dyn Storage,
        name: String,
        addresses: Vec<String>,
    ) -> Result<Introduction, ReplicaError> {
        let identity = self.identity_in_force(disk, &self.organisation())?;
        Ok(Introduction { name, addresses, identity })
    }
}
