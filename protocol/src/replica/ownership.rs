//! A space passes from one organisation to another.
//!
//! Both sides sign: the owner offers it in the access log, the other takes it in the next entry
//! that it knows. What the owner before it wrote meanwhile does not hold any more and is listed for
//! the new one. Records keep their authors; the owner before remains a contributor.

use super::{Growth, Replica, ReplicaError};
use crate::access::AccessOperation;
use crate::ids::{OrganisationId, SpaceId};
use crate::storage::Storage;

impl Replica {
    /// Offers a space of this organisation to a contributor. An offer cannot be taken back.
    ///
    /// # Errors
    /// [`ReplicaError::NotPermitted`] when this node does not write the space's access log,
    /// [`crate::access::AccessError::Operation`] when the organisation is no contributor.
    pub fn offer(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        organisation: OrganisationId,
    ) -> Result<(), ReplicaError> {
        let summary = self.summaries.get(space).ok_or(ReplicaError::Unknown("space"))?;
        if !summary.is_of(&self.organisation()) {
            return Err(ReplicaError::NotPermitted);
        }
        self.hand_over(disk, space, AccessOperation::Offer { organisation })
    }

    /// Takes a space that was offered to this organisation.
    ///
    /// # Errors
    /// [`ReplicaError::NotPermitted`] when it was not offered, or this node is not the primary.
    pub fn take_over(&mut self, disk: &dyn Storage, space: &SpaceId) -> Result<(), ReplicaError> {
        let organisation = self.organisation();
        let summary = self.summaries.get(space).ok_or(ReplicaError::Unknown("space"))?;
        if summary.is_aside {
            return Err(ReplicaError::NotPermitted);
        }
        let state = self.space(disk, space)?;
        if state.access.offered() != Some(organisation) {
            return Err(ReplicaError::NotPermitted);
        }
        if state.key_at(state.access.epoch()).is_none() {
            // Without the key of now the new owner could never give the space another.
            return Err(ReplicaError::KeyMissing);
        }
        self.hand_over(disk, space, AccessOperation::Take { organisation })?;
        self.owe_readers(disk, space)
    }

    fn hand_over(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        operation: AccessOperation,
    ) -> Result<(), ReplicaError> {
        let from = self.say_access(disk, space, operation)?;
        self.refresh_summary(disk, space)?;
        self.growth.push(Growth::Access { space: *space, from });
        Ok(())
    }
}
