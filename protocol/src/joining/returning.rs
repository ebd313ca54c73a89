//! A node that its organisation certified after its partners last heard of it: one that was
//! restored from a backup, or added.
//!
//! To a partner that does not know it, it *returns*: it presents its identity log, which the root
//! key signed and which certifies the node that the transport authenticated. Nothing else is
//! needed, and whoever repeats it on another node is not certified.
//!
//! Before a restored node is certified, whoever holds the root key *recalls* the organisation's own
//! identity log from a partner: an entry signed at a place that was taken after the backup would
//! fork it. The log is given only for a signature of the first root key, which the organisation's
//! id is made of, over both nodes: which key is in force now is what the asking side cannot know.

use super::{JoinMessage, VERSION};
use crate::codec;
use crate::crypto::{Domain, RootKey, RootPublic, Signature};
use crate::identity::Identity;
use crate::ids::{NodeId, OrganisationId};

/// Asks the node `partner` for the identity log of the organisation that `root`, its first root
/// key, founded; `next` is the one after it.
#[must_use]
pub fn recall(root: &RootKey, next: &RootPublic, own: &NodeId, partner: &NodeId) -> JoinMessage {
    let (public, next_root) = (root.public(), next.commitment());
    let organisation = Identity::organisation_id(&public, &next_root);
    let proof = root.sign(Domain::RECALL, &message(&organisation, own, partner));
    JoinMessage::Recall { version: VERSION, root: public, proof, next_root }
}

/// Whose identity log `asking`, as the transport authenticated it, may have of the node `own`.
#[must_use]
pub fn may_recall(
    (root, next_root): (&RootPublic, &[u8; 32]),
    asking: &NodeId,
    own: &NodeId,
    proof: &Signature,
) -> Option<OrganisationId> {
    let organisation = Identity::organisation_id(root, next_root);
    let message = message(&organisation, asking, own);
    root.verify(Domain::RECALL, &message, proof).is_ok().then_some(organisation)
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
        let next = RootKey::derive(&Secret::from_bytes([1; 32]), 1).public();
        let other = RootKey::derive(&Secret::from_bytes([2; 32]), 0);
        let organisation = Identity::organisation_id(&root.public(), &next.commitment());
        let node = |number| NodeId::from_bytes([number; 32]);
        let JoinMessage::Recall { proof, .. } = recall(&root, &next, &node(4), &node(5)) else {
            panic!("a recall");
        };
        let whose = |root: &RootKey, asking, asked| {
            let named = (&root.public(), &next.commitment());
            may_recall(named, &node(asking), &node(asked), &proof)
        };
        assert_eq!(whose(&root, 4, 5), Some(organisation));
        assert_eq!(whose(&other, 4, 5), None, "another root key");
        assert_eq!(whose(&root, 6, 5), None, "overheard and repeated by another node");
        assert_eq!(whose(&root, 4, 6), None, "passed on by the partner");
    }
}
