//! A node that its organisation certified after its partners last heard of it: one that was
//! restored from a backup, or added.
//!
//! To a partner that does not know it, it *returns*: it presents its identity log, which the root
//! key signed and which certifies the node that the transport authenticated. Nothing else is
//! needed, and whoever repeats it on another node is not certified.
//!
//! Before a restored node is certified, whoever holds the root key *recalls* the organisation's own
//! identity log from a partner: an entry signed at a place that was taken after the backup would
//! fork it. The log is given only for a signature of the root key over both nodes.

use super::{JoinMessage, VERSION};
use crate::codec;
use crate::crypto::{Domain, RootKey, RootPublic, Signature};
use crate::ids::{NodeId, OrganisationId};

/// Asks the node `partner` for the identity log of the root key's organisation.
#[must_use]
pub fn recall(
    organisation: OrganisationId,
    root: &RootKey,
    own: &NodeId,
    partner: &NodeId,
) -> JoinMessage {
    let proof = root.sign(Domain::RECALL, &message(&organisation, own, partner));
    JoinMessage::Recall { version: VERSION, organisation, proof }
}

/// Whether `asking`, as the transport authenticated it, holds the root key.
#[must_use]
pub fn may_recall(
    organisation: &OrganisationId,
    root: &RootPublic,
    asking: &NodeId,
    own: &NodeId,
    proof: &Signature,
) -> bool {
    root.verify(Domain::RECALL, &message(organisation, asking, own), proof).is_ok()
}

fn message(organisation: &OrganisationId, asking: &NodeId, asked: &NodeId) -> Vec<u8> {
    codec::encode(&(organisation, asking, asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;

    #[test]
    fn only_the_root_key_recalls_and_only_between_these_two_nodes() {
        let root = RootKey::derive(&Secret::from_bytes([1; 32]), 0);
        let other = RootKey::derive(&Secret::from_bytes([2; 32]), 0);
        let organisation = OrganisationId::from_bytes([3; 32]);
        let node = |number| NodeId::from_bytes([number; 32]);
        let JoinMessage::Recall { proof, .. } = recall(organisation, &root, &node(4), &node(5))
        else {
            panic!("a recall");
        };
        let holds = |root: &RootKey, asking, asked| {
            may_recall(&organisation, &root.public(), &node(asking), &node(asked), &proof)
        };
        assert!(holds(&root, 4, 5));
        assert!(!holds(&other, 4, 5), "another root key");
        assert!(!holds(&root, 6, 5), "overheard and repeated by another node");
        assert!(!holds(&root, 4, 6), "passed on by the partner");
    }
}
