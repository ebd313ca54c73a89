//! An organisation that takes the place of another: it counts when both said so.

use super::Identities;
use crate::ids::OrganisationId;
use std::collections::BTreeMap;

/// What two organisations say of one taking the other's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succession {
    /// Whose place is taken.
    pub predecessor: OrganisationId,
    /// Who takes it.
    pub successor: OrganisationId,
    /// Whether the predecessor says so.
    pub declared: bool,
    /// Whether the successor says so.
    pub accepted: bool,
}

impl Succession {
    /// Whether both said so.
    #[must_use]
    pub const fn is_mutual(&self) -> bool {
        self.declared && self.accepted
    }

    /// Every succession that somebody among `identities` speaks of, by predecessor and successor.
    #[must_use]
    pub fn all(identities: &Identities) -> Vec<Self> {
        let mut found: BTreeMap<_, (bool, bool)> = BTreeMap::new();
        for (organisation, identity) in identities {
            for successor in identity.successors() {
                found.entry((*organisation, *successor)).or_default().0 = true;
            }
            for predecessor in identity.predecessors() {
                found.entry((*predecessor, *organisation)).or_default().1 = true;
            }
        }
        let succession = |((predecessor, successor), (declared, accepted))| Self {
            predecessor,
            successor,
            declared,
            accepted,
        };
        found.into_iter().map(succession).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{RootKey, Secret};
    use crate::identity::{Identity, IdentityOperation};

    struct Body {
        root: RootKey,
        identity: Identity,
    }

    impl Body {
        fn found(seed: u8) -> Self {
            let entropy = Secret::from_bytes([seed; 32]);
            let root = RootKey::derive(&entropy, 0);
            let genesis = Identity::found(&root, &RootKey::derive(&entropy, 1).public());
            Self { root, identity: Identity::begin(&genesis).unwrap() }
        }

        fn say(&mut self, operation: IdentityOperation) {
            let entry = self.identity.draft(operation).sign(&self.root);
            self.identity.apply(&entry).unwrap();
        }
    }

    fn known(bodies: [&Body; 2]) -> Vec<Succession> {
        let pair = |body: &Body| (body.identity.organisation(), body.identity.clone());
        Succession::all(&bodies.map(pair).into())
    }

    #[test]
    fn a_succession_counts_when_both_sides_signed_it() {
        let (mut old, mut new) = (Body::found(1), Body::found(2));
        let (old_id, new_id) = (old.identity.organisation(), new.identity.organisation());
        assert!(known([&old, &new]).is_empty());
        new.say(IdentityOperation::Succeeds { organisation: old_id });
        let [claimed] = known([&old, &new]).try_into().unwrap();
        assert_eq!((claimed.declared, claimed.accepted), (false, true), "nobody inherits alone");
        old.say(IdentityOperation::SucceededBy { organisation: new_id });
        let [mutual] = known([&old, &new]).try_into().unwrap();
        assert!(mutual.is_mutual());
        assert_eq!((mutual.predecessor, mutual.successor), (old_id, new_id));
    }
}
