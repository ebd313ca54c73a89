//! Nodes that return: those that a partner certified and this node has not heard of, and those of
//! whoever holds the root key of a partner and asks for its identity log.

use super::{Replica, ReplicaError};
use crate::crypto::{RootPublic, Signature};
use crate::identity::{Identity, IdentityEntry};
use crate::ids::{NodeId, OrganisationId};
use crate::joining::{Introduction, Refusal, may_recall};
use crate::storage::Storage;
use crate::time::Timestamp;

impl Replica {
    /// Takes the identity log with which a node of a partner, or of this organisation, returns;
    /// whose node it is.
    ///
    /// # Errors
    /// A [`Refusal`] within when the log does not hold, contradicts the one that is here, does not
    /// certify `node`, or is that of no partner.
    pub fn admit_return(
        &mut self,
        disk: &dyn Storage,
        node: &NodeId,
        introduction: &Introduction,
        now: Timestamp,
    ) -> Result<Result<OrganisationId, Refusal>, ReplicaError> {
        // Before any signature is verified: strangers are not listened to.
        let named = introduction.identity.first().map(|first| first.statement.organisation);
        if !named.is_some_and(|one| self.is_partner(&one)) || self.is_revoked() {
            return Ok(Err(Refusal::Unknown));
        }
        let Some(identity) = introduction.certified(node) else {
            return Ok(Err(Refusal::Identity));
        };
        let organisation = identity.organisation();
        match self.admit_identity(disk, &introduction.identity) {
            Ok(_) => {}
            Err(ReplicaError::Identity(_)) => return Ok(Err(Refusal::Identity)),
            Err(error) => return Err(error),
        }
        // What is known here may go on and revoke it.
        if !self.is_certified(&organisation, node) {
            return Ok(Err(Refusal::Identity));
        }
        self.note_reached(&organisation, node, introduction.addresses.clone(), now)?;
        Ok(Ok(organisation))
    }

    /// The identity log that the holder of a partner's root key asks for.
    ///
    /// # Errors
    /// A [`Refusal`] within when the proof does not hold or the organisation is no partner.
    pub fn recalled(
        &self,
        disk: &dyn Storage,
        (root, next_root): (&RootPublic, &[u8; 32]),
        asking: &NodeId,
        proof: &Signature,
    ) -> Result<Result<Vec<IdentityEntry>, Refusal>, ReplicaError> {
        let named = Identity::organisation_id(root, next_root);
        if !self.is_partner(&named) || !self.identities.contains_key(&named) {
            return Ok(Err(Refusal::Unknown));
        }
        match may_recall((root, next_root), asking, &self.node(), proof) {
            Some(organisation) => self.identity_in_force(disk, &organisation).map(Ok),
            None => Ok(Err(Refusal::Unknown)),
        }
    }
}
