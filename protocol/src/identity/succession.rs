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
            for successor in identity.successors().keys() {
                found.entry((*organisation, *successor)).or_default().0 = true;
            }
            for predecessor in identity.predecessors().keys() {
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

    /// Whose place `organisation` took, as both sides say, at most so many: whom only its own log
    /// names costs one look-up each.
    #[must_use]
    pub fn behind(
        identities: &Identities,
        organisation: &OrganisationId,
        most: usize,
    ) -> Vec<OrganisationId> {
        let Some(identity) = identities.get(organisation) else { return Vec::new() };
        let declares = |one: &&OrganisationId| {
            let log = identities.get(*one);
            log.is_some_and(|log| log.successors().contains_key(organisation))
        };
        identity.predecessors().keys().filter(declares).take(most).copied().collect()
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

    #[test]
    fn a_log_that_names_many_strangers_has_nobody_behind_it() {
        let mut new = Body::found(1);
        let new_id = new.identity.organisation();
        let mut old: Vec<_> = (2..6).map(Body::found).collect();
        for number in 0..200_u8 {
            let organisation = OrganisationId::from_bytes([number; 32]);
            new.say(IdentityOperation::Succeeds { organisation });
        }
        for one in &mut old {
            new.say(IdentityOperation::Succeeds { organisation: one.identity.organisation() });
        }
        let behind = |old: &[Body], most| {
            let all = old.iter().chain([&new]);
            let all = all.map(|one| (one.identity.organisation(), one.identity.clone()));
            Succession::behind(&all.collect(), &new_id, most)
        };
        assert!(behind(&old, 9).is_empty(), "what one side says alone is not heard");
        for one in old.iter_mut().take(3) {
            one.say(IdentityOperation::SucceededBy { organisation: new_id });
        }
        assert_eq!((behind(&old, 9).len(), behind(&old, 2).len()), (3, 2));
    }
}
