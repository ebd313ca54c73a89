//! The messages of a bundle, one after another.

use super::BundleError;
use super::manifest::Manifest;
use crate::identity::IdentityEntry;
use crate::ids::{OrganisationId, SpaceId};
use crate::joining::{Acquaintance, Introduction};
use crate::limits;
use crate::log::LogPosition;
use crate::replica::{ItemRef, Replica, SpaceHeads};
use crate::storage::Storage;
use crate::sync::{Courier, Message};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// What a bundle says its sender has.
#[derive(Default)]
pub struct Word {
    /// Heads of spaces.
    pub heads: Vec<SpaceHeads>,
    /// Lengths of identity logs.
    pub identities: Vec<(OrganisationId, LogPosition)>,
}

/// A bundle that is being read. Until something else than its sender's identity log comes, nothing
/// else is believed; then that log must certify the node that signed.
pub struct Reading<'a> {
    manifest: &'a Manifest,
    courier: Courier,
    has_begun: bool,
    is_awaited: bool,
    now: Timestamp,
    /// What the sender says it has.
    pub word: Word,
    /// Identity logs that may turn out to be the sender's business.
    postponed: Vec<Vec<IdentityEntry>>,
    /// Why something was not taken.
    pub refused: BTreeSet<String>,
}

impl<'a> Reading<'a> {
    /// A bundle of which only the manifest was read.
    pub fn new(manifest: &'a Manifest, is_awaited: bool, now: Timestamp) -> Self {
        let courier = Courier::new(manifest.sender, manifest.node, now);
        let (word, postponed, refused) = (Word::default(), Vec::new(), BTreeSet::new());
        let has_begun = false;
        Self { manifest, courier, has_begun, is_awaited, now, word, postponed, refused }
    }

    /// Takes the next frame.
    pub fn take(
        &mut self,
        frame: &[u8],
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), BundleError> {
        let message = Message::decode(frame).map_err(|_| BundleError::Damaged)?;
        match message {
            Message::Heads { heads, .. } => self.word.heads.extend(heads),
            Message::IdentityHeads { heads, .. } => self.word.identities.extend(heads),
            Message::Identities(entries) => self.take_identity(entries, replica, disk)?,
            message => {
                self.begin(replica, disk)?;
                if !matches!(message, Message::Access { .. } | Message::Sealed { .. }) {
                    self.take_postponed(replica, disk)?;
                }
                self.admit(message, replica, disk)?;
            }
        }
        Ok(())
    }

    fn admit(
        &mut self,
        message: Message,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), BundleError> {
        let space = space_of(&message);
        let refused = self.courier.unpack(message, replica, disk)?;
        if self.refused.len() < limits::BUNDLE_REFUSALS_MAX {
            self.refused.extend(refused.map(|reason| match space {
                Some(space) => format!("space {space}: {reason}"),
                None => reason,
            }));
        }
        Ok(())
    }

    /// The sender does not know which identity logs are here already. One that it would have no
    /// part in, as far as is known here, waits for the access logs, which may say otherwise.
    fn take_identity(
        &mut self,
        entries: Vec<IdentityEntry>,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), BundleError> {
        let first = entries.first().map(|one| &one.statement).ok_or(BundleError::Damaged)?;
        let organisation = first.organisation;
        if organisation != self.manifest.sender {
            self.begin(replica, disk)?;
            let known = replica.identity(&organisation);
            let is_known = |entry: &IdentityEntry| {
                known.is_some_and(|identity| identity.knows(&entry.statement))
            };
            if entries.iter().all(is_known) {
                return Ok(());
            }
            let item = ItemRef::Identity(organisation);
            if known.is_some() && !replica.may_show(&self.manifest.sender, &item) {
                self.postponed.push(entries);
                return Ok(());
            }
        }
        self.admit(Message::Identities(entries), replica, disk)
    }

    /// Admits identity logs that waited, as far as they are the sender's business by now.
    pub fn take_postponed(
        &mut self,
        replica: &mut Replica,
        disk: &dyn Storage,
    ) -> Result<(), BundleError> {
        for entries in std::mem::take(&mut self.postponed) {
            let organisation = entries.first().map(|one| one.statement.organisation);
            let organisation = organisation.ok_or(BundleError::Damaged)?;
            let item = ItemRef::Identity(organisation);
            if replica.may_show(&self.manifest.sender, &item) {
                self.admit(Message::Identities(entries), replica, disk)?;
            }
        }
        Ok(())
    }

    /// From here on the sender is believed, if its node may speak for it.
    pub fn begin(&mut self, replica: &mut Replica, disk: &dyn Storage) -> Result<(), BundleError> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        let (sender, node) = (self.manifest.sender, self.manifest.node);
        if !replica.identity(&sender).is_some_and(|identity| identity.is_active(&node)) {
            return Err(BundleError::NotCertified);
        }
        if self.is_awaited {
            let name = self.manifest.name.clone();
            let (addresses, identity) = (Vec::new(), Vec::new());
            let introduction = Introduction { name, addresses, identity };
            let acquaintance = Acquaintance { organisation: sender, node, introduction };
            replica.befriend(disk, &acquaintance, self.now)?;
        }
        self.courier.begin();
        Ok(())
    }
}

/// The space that a message is about, if it is about one.
const fn space_of(message: &Message) -> Option<SpaceId> {
    match message {
        Message::Access { space, .. }
        | Message::Sealed { space, .. }
        | Message::Receipts { space, .. } => Some(*space),
        Message::Run(run) => Some(run.space),
        _ => None,
    }
}
