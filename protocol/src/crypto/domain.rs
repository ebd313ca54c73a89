//! One context string per use of a hash, signature or derivation.
//!
//! Two more, `sincronia/1/record-id` and `sincronia/1/actor`, stand in `record`, which knows no
//! cryptography.

/// What bytes are for. The string is part of what is hashed or signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain(&'static str);

macro_rules! domains {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl Domain {
            $($(#[$doc])* pub const $name: Self = Self(concat!("sincronia/1/", $text));)*
            /// Every domain: a test checks that no two are alike.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

domains! {
    /// Organisation id from the first root public key.
    ORGANISATION_ID = "organisation-id";
    /// Space id from owner and salt.
    SPACE_ID = "space-id";
    /// Root keys from the recovery entropy.
    ROOT_KEY = "root-key";
    /// Commitment to the next root public key.
    NEXT_ROOT = "next-root";
    /// Hash of an identity entry.
    IDENTITY_ENTRY = "identity-entry";
    /// Signature of an identity entry, and a node's consent to its admission; the two begin
    /// differently.
    IDENTITY_SIGNATURE = "identity-signature";
    /// Signature of the incoming root key over its own rotation.
    ROOT_ACCEPTANCE = "root-acceptance";
    /// Hash of an access entry.
    ACCESS_ENTRY = "access-entry";
    /// Signature of an access entry.
    ACCESS_SIGNATURE = "access-signature";
    /// Signature of a receipt for erasures.
    ERASURE_RECEIPT = "erasure-receipt";
    /// Where the author log of a node in a space begins, and for which organisation.
    AUTHOR_ORIGIN = "author-origin";
    /// Hash of an author entry: its header, body hash and body length.
    AUTHOR_ENTRY = "author-entry";
    /// Signature of an author entry's hash.
    AUTHOR_SIGNATURE = "author-signature";
    /// Hash of an entry's body.
    BODY = "body";
    /// Key of one entry's body.
    BODY_KEY = "body-key";
    /// Synthetic nonce of one entry's body.
    BODY_NONCE = "body-nonce";
    /// Commitment to an epoch key.
    KEY_COMMITMENT = "key-commitment";
    /// Wrapping of the previous epoch's key.
    KEY_WRAP = "key-wrap";
    /// HPKE info of a sealed keyring.
    KEYRING = "keyring";
    /// Hash of a sealed keyring.
    SEALED = "sealed";
    /// HPKE info of keys that one node hands to another.
    HANDOVER = "handover";
    /// Randomness of sealing a handover, from the keys that are sealed.
    HANDOVER_RANDOM = "handover-random";
    /// Hybrid key pair from its seed.
    SEALING_KEY = "sealing-key";
    /// Id of a sealing public key; it does not travel.
    SEALING_KEY_ID = "sealing-key-id";
    /// Values at rest.
    AT_REST = "at-rest";
    /// Key of the nonces of values at rest, and the nonces.
    AT_REST_NONCE = "at-rest-nonce";
    /// Digest of a space.
    SPACE_DIGEST = "space-digest";
    /// Item of the reconciliation set: a space with its digest, or an organisation with its head.
    SYNC_ITEM = "sync-item";
    /// Verification phrase of two organisations.
    PHRASE = "verification-phrase";
    /// Id of an invitation from its secret.
    INVITATION_ID = "invitation-id";
    /// Key of both proofs, from the secret of an invitation; and the proof of the joining side.
    INVITATION_PROOF = "invitation-proof";
    /// Answer of the inviting side.
    INVITATION_ANSWER = "invitation-answer";
    /// Id of a bundle from the clear beginning of its parts.
    BUNDLE_ID = "bundle-id";
    /// Hash of one part of a bundle.
    BUNDLE_PART = "bundle-part";
    /// HPKE info of a bundle's key sealed to a node.
    BUNDLE_KEY = "bundle-key";
    /// Key of a bundle's chunks.
    BUNDLE_CHUNKS = "bundle-chunks";
    /// Key of a joining request from the proof key of its invitation.
    BUNDLE_INVITATION = "bundle-invitation";
    /// Digest of what a bundle holds besides its manifest.
    BUNDLE_CONTENT = "bundle-content";
    /// Signature of a bundle's manifest.
    BUNDLE_SIGNATURE = "bundle-signature";
    /// Signature of a node over what it says of itself.
    BEACON = "beacon";
    /// Digest of which beacons are here.
    BEACON_DIGEST = "beacon-digest";
    /// How a space stands in the beacons of a node.
    BEACON_SPACE = "beacon-space";
    /// Record id from kind, creator and nonce: derive-key mode without lengths, in `record`.
    RECORD_ID = "record-id";
    /// Automerge actor from node, record and grant: derive-key mode without lengths, in `record`.
    ACTOR = "actor";
    /// Recovery sealing key from the recovery entropy.
    RECOVERY_SEALING = "recovery-sealing";
    /// Sealing of a backup's key.
    BACKUP_KEY = "backup-key";
    /// What the chunks of a backup are bound to: its beginning.
    BACKUP_HEADER = "backup-header";
    /// Checksum of a part of a backup.
    BACKUP_CHUNK = "backup-chunk";
    /// Hash of a backup, and the signature of the node that made it.
    BACKUP_SIGNATURE = "backup-signature";
    /// Signature of a root key that asks a partner for its own identity log.
    RECALL = "recall";
    /// What a record shows at a time, so that an edit can say what it was made upon.
    RECORD_VERSION = "record-version";
}

impl Domain {
    /// The context string.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.0
    }

    /// BLAKE3 of `parts` in this domain; each part is preceded by its length.
    #[must_use]
    pub fn hash(self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(self.0);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// BLAKE3 of `parts` in this domain, keyed.
    #[must_use]
    pub fn keyed_hash(self, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(&(self.0.len() as u64).to_le_bytes());
        hasher.update(self.0.as_bytes());
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_domains_are_alike() {
        let texts: BTreeSet<_> = Domain::ALL.iter().map(|domain| domain.text()).collect();
        assert_eq!(texts.len(), Domain::ALL.len());
    }

    #[test]
    fn parts_cannot_slide_into_each_other() {
        assert_ne!(Domain::BODY.hash(&[b"ab", b"c"]), Domain::BODY.hash(&[b"a", b"bc"]));
    }
}
