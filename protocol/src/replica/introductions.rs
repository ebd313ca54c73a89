//! A partner presents another: both are told of each other, and become partners when a person on
//! each side accepts.
//!
//! Who presents gives its word for nothing but the acquaintance: the identity log that it hands on
//! is signed by whom it presents, and the six words are still to be compared. Each side is told by
//! its own node's session with the presenter, so the two need not be there at the same time. What
//! nobody accepts ends by itself.

use super::{Growth, Partner, Replica, ReplicaError, Trust};
use crate::codec;
use crate::identity::{Identity, IdentityEntry, IdentityError};
use crate::ids::{NodeId, OrganisationId};
use crate::limits;
use crate::storage::{Storage, Table};
use crate::time::Timestamp;
use minicbor::{Decode, Encode};

const SETTING: &str = "introductions";

/// An organisation as a partner of it presents it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Presentation {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Its identity log, whole.
    #[n(1)]
    pub identity: Vec<IdentityEntry>,
    /// Where its nodes can be reached.
    #[n(2)]
    pub addresses: Vec<(NodeId, Vec<String>)>,
}

impl std::fmt::Debug for Presentation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Presentation(…)")
    }
}

impl Presentation {
    /// Whose it is, when the log holds and all is within limits.
    fn organisation(&self) -> Option<OrganisationId> {
        let is_address = |one: &String| one.len() <= limits::ADDRESS_BYTES_MAX;
        let sound = self.name.len() <= limits::NAME_BYTES_MAX
            && crate::text::is_line(&self.name)
            && self.identity.len() <= limits::IDENTITY_ENTRIES_MAX
            && self.addresses.len() <= limits::IDENTITY_NODES_MAX
            && self.addresses.iter().all(|(_, addresses)| {
                addresses.len() <= limits::ADDRESSES_MAX && addresses.iter().all(is_address)
            });
        let (first, rest) = self.identity.split_first().filter(|_| sound)?;
        let mut identity = Identity::begin(first).ok()?;
        rest.iter().try_for_each(|entry| identity.apply(entry)).ok()?;
        Some(identity.organisation())
    }
}

/// A presentation that waits for a person here.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Introduced {
    /// Who is presented.
    #[n(0)]
    pub organisation: OrganisationId,
    /// Who presents it.
    #[n(1)]
    pub by: OrganisationId,
    /// When this node heard of it.
    #[n(2)]
    pub at: Timestamp,
    /// Whether a person refused it; it is kept so that it is not shown again.
    #[n(3)]
    pub refused: bool,
    /// What is told of it.
    #[n(4)]
    pub presentation: Presentation,
}

/// One partner is to be told of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Promised {
    #[n(0)]
    to: OrganisationId,
    #[n(1)]
    presented: OrganisationId,
    #[n(2)]
    at: Timestamp,
}

/// Everything that is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Introductions {
    #[n(0)]
    promised: Vec<Promised>,
    #[n(1)]
    waiting: Vec<Introduced>,
}

/// Whether something of `at` has not ended yet. A clock that went back ends nothing.
fn lasts(at: Timestamp, now: Timestamp) -> bool {
    now.milliseconds().saturating_sub(at.milliseconds()) < limits::INTRODUCTION_VALID_MS
}

impl Replica {
    pub(super) fn load_introductions(&mut self, disk: &dyn Storage) -> Result<(), ReplicaError> {
        let damaged = |_| ReplicaError::Damaged(Table::Settings.name());
        let stored = self.setting(disk, SETTING)?;
        let read = stored.map(|bytes| minicbor::decode(&bytes).map_err(damaged)).transpose()?;
        self.introductions = read.unwrap_or_default();
        Ok(())
    }

    fn keep_introductions(&mut self) -> Result<(), ReplicaError> {
        let bytes = codec::encode(&self.introductions);
        self.put_setting(SETTING, &bytes)
    }

    /// Presents two partners to each other; each is told in its next session.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when one is no partner, [`ReplicaError::NotPermitted`] when they
    /// are the same, [`ReplicaError::Limit`] when too much is under way.
    pub fn introduce(
        &mut self,
        one: OrganisationId,
        other: OrganisationId,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let own = self.organisation();
        if one == other || one == own || other == own {
            return Err(ReplicaError::NotPermitted);
        }
        for organisation in [one, other] {
            if !self.is_partner(&organisation) || !self.identities.contains_key(&organisation) {
                return Err(ReplicaError::Unknown("partner"));
            }
        }
        let promised = &mut self.introductions.promised;
        promised.retain(|known| lasts(known.at, now));
        let pairs = [(one, other), (other, one)];
        promised.retain(|known| !pairs.contains(&(known.to, known.presented)));
        if promised.len() + pairs.len() > limits::INTRODUCTIONS_MAX {
            return Err(ReplicaError::Limit("introductions under way"));
        }
        promised.extend(pairs.map(|(to, presented)| Promised { to, presented, at: now }));
        self.keep_introductions()?;
        for (organisation, _) in pairs {
            self.growth.push(Growth::Presented { organisation });
        }
        Ok(())
    }

    /// What `partner` is to be told now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn presentations_for(
        &self,
        disk: &dyn Storage,
        partner: &OrganisationId,
        now: Timestamp,
    ) -> Result<Vec<Presentation>, ReplicaError> {
        let due = self.introductions.promised.iter();
        let due = due.filter(|one| one.to == *partner && lasts(one.at, now));
        let mut told = Vec::new();
        for promised in due {
            let Some(known) = self.partners.get(&promised.presented) else { continue };
            if self.is_partner(&promised.presented) {
                let identity = self.identity_in_force(disk, &promised.presented)?;
                let addresses = known.addresses.iter();
                let addresses = addresses
                    .filter(|(node, _)| self.is_certified(&promised.presented, node))
                    .cloned()
                    .collect();
                let presentation = Presentation { name: known.name.clone(), identity, addresses };
                // What fills no frame, or would be refused, can be told to nobody; it must not end
                // the session.
                if codec::encode(&presentation).len() <= limits::PRESENTATION_BYTES_MAX
                    && presentation.organisation().is_some()
                {
                    told.push(presentation);
                }
            }
        }
        Ok(told)
    }

    /// Takes what a partner says of another organisation.
    ///
    /// # Errors
    /// [`ReplicaError::Identity`] when it does not hold, [`ReplicaError::Limit`] when the partner,
    /// or all together, present too many.
    pub(crate) fn admit_presentation(
        &mut self,
        by: OrganisationId,
        presentation: Presentation,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let Some(organisation) = presentation.organisation() else {
            return Err(IdentityError::Chain.into());
        };
        if organisation == self.organisation() || self.partners.contains_key(&organisation) {
            return Ok(());
        }
        let waiting = &mut self.introductions.waiting;
        waiting.retain(|known| lasts(known.at, now));
        if let Some(known) = waiting.iter_mut().find(|one| one.organisation == organisation) {
            if known.by != by || known.presentation == presentation {
                return Ok(());
            }
            known.presentation = presentation;
            return self.keep_introductions();
        }
        let of_partner = waiting.iter().filter(|known| known.by == by).count();
        if of_partner >= limits::INTRODUCTIONS_OF_PARTNER_MAX
            || waiting.len() >= limits::INTRODUCTIONS_MAX
        {
            return Err(ReplicaError::Limit("introductions"));
        }
        waiting.push(Introduced { organisation, by, at: now, refused: false, presentation });
        self.growth.push(Growth::Presented { organisation });
        self.keep_introductions()
    }

    /// Presentations that wait for a person, and those refused.
    pub fn introduced(&self, now: Timestamp) -> impl Iterator<Item = &Introduced> {
        self.introductions.waiting.iter().filter(move |one| lasts(one.at, now))
    }

    /// A person accepts: the organisation becomes a partner whose words are to be compared.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when nobody presented it; [`ReplicaError::Identity`] when its log
    /// contradicts what is known.
    pub fn accept_introduction(
        &mut self,
        disk: &dyn Storage,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let found = self.introduced(now).find(|one| one.organisation == *organisation).cloned();
        let Introduced { presentation, .. } = found.ok_or(ReplicaError::Unknown("introduction"))?;
        self.admit_identity(disk, &presentation.identity)?;
        self.introductions.waiting.retain(|one| one.organisation != *organisation);
        self.keep_introductions()?;
        let Presentation { name, addresses, .. } = presentation;
        let (trust, joined_at, last_exchange) = (Trust::Joined, now, None);
        self.put_partner(
            *organisation,
            Partner { name, trust, joined_at, addresses, last_exchange },
        )
    }

    /// A person refuses; the same presentation is not shown again.
    ///
    /// # Errors
    /// [`ReplicaError::Unknown`] when nobody presented it.
    pub fn refuse_introduction(
        &mut self,
        organisation: &OrganisationId,
    ) -> Result<(), ReplicaError> {
        let mut waiting = self.introductions.waiting.iter_mut();
        let found = waiting.find(|one| one.organisation == *organisation);
        found.ok_or(ReplicaError::Unknown("introduction"))?.refused = true;
        self.keep_introductions()
    }
}
