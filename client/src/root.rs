//! Signing with the root key of an organisation, from its recovery words.
//!
//! The words and the key stay in this process and are wiped when it is done: the node gets signed
//! entries and nothing else, and signs nothing with the root itself.

use sincronia_node::api::hexadecimal::{hex, unhex};
use sincronia_node::api::{IdentityRequest, IdentityView};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{RootKey, Secret};
use sincronia_protocol::identity::{Identity, IdentityEntry, IdentityError, IdentityOperation};
use sincronia_protocol::limits::{IDENTITY_BRANCHES_MAX, IDENTITY_ENTRIES_ALL_MAX};

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// The node's identity log does not parse or hold.
    #[error("the node's identity log does not hold")]
    Log,
    /// The words are words, but of another organisation.
    #[error("these are the recovery words of another organisation")]
    OtherWords,
    /// The operation is not possible.
    #[error(transparent)]
    Operation(#[from] IdentityError),
}

/// The next entries of an identity log, signed one after another.
#[derive(Debug)]
pub struct Signing {
    entropy: Secret<32>,
    identity: Identity,
    signed: Vec<IdentityEntry>,
}

impl Signing {
    /// Begins where the log of `view` ends, with the root key of `entropy`.
    ///
    /// # Errors
    /// [`RootError::OtherWords`] when that is not the key in force.
    pub fn begin(view: &IdentityView, entropy: Secret<32>) -> Result<Self, RootError> {
        let entries = view.entries.iter().take(IDENTITY_ENTRIES_ALL_MAX).map(|text| parse(text));
        let entries = entries.collect::<Option<Vec<_>>>().ok_or(RootError::Log)?;
        Self::after(&entries, entropy)
    }

    /// As [`Self::begin`], where the log ends with `entries`.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn after(entries: &[IdentityEntry], entropy: Secret<32>) -> Result<Self, RootError> {
        let identity = Identity::read(entries).map_err(|_| RootError::Log)?;
        let root = RootKey::derive(&entropy, identity.generation());
        if root.public() != *identity.root() {
            return Err(RootError::OtherWords);
        }
        Ok(Self { entropy, identity, signed: Vec::new() })
    }

    /// The organisation as it will be once the entries are taken.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Signs that everything counts which was signed apart, at machines that had not heard of each
    /// other, if anything was.
    ///
    /// # Errors
    /// [`RootError::Operation`] when the log does not let it.
    pub fn unite(&mut self) -> Result<(), RootError> {
        let heads: Vec<_> = self.identity.divided().take(IDENTITY_BRANCHES_MAX).collect();
        if heads.is_empty() {
            return Ok(());
        }
        let entry = self.identity.draft(IdentityOperation::Unite { heads }).sign(&self.key(0));
        self.keep(entry)
    }

    /// As [`Self::unite`]; nothing where the log has no room for it: a revocation and a change of
    /// the root key must always be possible.
    fn unite_if_possible(&mut self) -> Result<(), RootError> {
        if self.identity.has_room_to_unite() { self.unite() } else { Ok(()) }
    }

    /// Signs an operation, after everything that was signed apart.
    ///
    /// # Errors
    /// [`RootError::Operation`] when it makes no sense.
    pub fn say(&mut self, operation: IdentityOperation) -> Result<(), RootError> {
        self.unite_if_possible()?;
        let entry = self.identity.draft(operation).sign(&self.key(0));
        self.keep(entry)
    }

    /// Signs the change to the next root key of the same words.
    ///
    /// # Errors
    /// [`RootError::Operation`] when the log does not let it.
    pub fn rotate(&mut self) -> Result<(), RootError> {
        self.unite_if_possible()?;
        let (old, new, next) = (self.key(0), self.key(1), self.key(2));
        let entry = self.identity.draft_rotation(&new, &next.public()).sign(&old);
        self.keep(entry)
    }

    /// What was signed.
    #[must_use]
    pub fn signed(&self) -> &[IdentityEntry] {
        &self.signed
    }

    /// What the node is handed.
    #[must_use]
    pub fn request(&self) -> IdentityRequest {
        let entries = self.signed.iter().map(|entry| hex(&codec::encode(entry))).collect();
        IdentityRequest { entries }
    }

    fn key(&self, ahead: u64) -> RootKey {
        RootKey::derive(&self.entropy, self.identity.generation().saturating_add(ahead))
    }

    fn keep(&mut self, entry: IdentityEntry) -> Result<(), RootError> {
        self.identity.apply(&entry)?;
        self.signed.push(entry);
        Ok(())
    }
}

fn parse(text: &str) -> Option<IdentityEntry> {
    codec::decode(&unhex(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(entropy: &Secret<32>) -> IdentityView {
        let next = RootKey::derive(entropy, 1).public();
        let genesis = Identity::found(&RootKey::derive(entropy, 0), &next);
        IdentityView {
            organisation: genesis.statement.organisation.to_string(),
            length: 1,
            known_length: 1,
            witnesses: 0,
            entries: vec![hex(&codec::encode(&genesis))],
            admission: String::new(),
        }
    }

    #[test]
    fn words_of_another_organisation_sign_nothing() {
        let entropy = Secret::from_bytes([1; 32]);
        let other = Secret::from_bytes([2; 32]);
        assert_eq!(Signing::begin(&view(&entropy), other).unwrap_err(), RootError::OtherWords);
        let broken = IdentityView { entries: vec!["zz".into()], ..view(&entropy) };
        assert_eq!(Signing::begin(&broken, entropy).unwrap_err(), RootError::Log);
    }

    #[test]
    fn whatever_is_signed_next_unites_what_was_signed_apart() {
        let entropy = Secret::from_bytes([1; 32]);
        let successor = |byte| IdentityOperation::SucceededBy {
            organisation: sincronia_protocol::ids::OrganisationId::from_bytes([byte; 32]),
        };
        let mut known = view(&entropy);
        for byte in [3, 4] {
            let mut apart = Signing::begin(&view(&entropy), entropy.clone()).unwrap();
            apart.say(successor(byte)).unwrap();
            known.entries.extend(apart.request().entries);
        }
        let mut signing = Signing::begin(&known, entropy).unwrap();
        assert!(signing.identity().is_divided());
        signing.rotate().unwrap();
        let identity = signing.identity();
        assert!(!identity.is_divided() && identity.generation() == 1);
        assert_eq!(identity.successors().len(), 2, "what both said outlasts the rotation");
    }

    /// After the eighth time nothing could be signed any more, not even another root key.
    #[test]
    fn words_that_were_used_apart_again_and_again_still_sign() {
        let entropy = Secret::from_bytes([1; 32]);
        let successor = |byte| IdentityOperation::SucceededBy {
            organisation: sincronia_protocol::ids::OrganisationId::from_bytes([byte; 32]),
        };
        let mut known = view(&entropy);
        for round in 1..=20 {
            let mut said = Vec::new();
            for byte in [round, 100 + round] {
                let mut apart = Signing::begin(&known, entropy.clone()).unwrap();
                apart.say(successor(byte)).unwrap();
                said.extend(apart.request().entries);
            }
            known.entries.extend(said);
        }
        let mut signing = Signing::begin(&known, entropy).unwrap();
        assert_eq!(signing.identity().successors().len(), 40);
        signing.rotate().unwrap();
        assert_eq!(signing.identity().generation(), 1);
    }

    #[test]
    fn the_same_words_sign_after_a_rotation_and_the_old_key_does_not() {
        let entropy = Secret::from_bytes([1; 32]);
        let mut signing = Signing::begin(&view(&entropy), entropy.clone()).unwrap();
        signing.rotate().unwrap();
        let mut rotated = view(&entropy);
        rotated.entries.extend(signing.request().entries);
        let mut again = Signing::begin(&rotated, entropy.clone()).unwrap();
        assert_eq!(again.identity().generation(), 1);
        again.rotate().unwrap();
        let late = again.identity().draft(IdentityOperation::SucceededBy {
            organisation: sincronia_protocol::ids::OrganisationId::from_bytes([3; 32]),
        });
        let forged = late.sign(&RootKey::derive(&entropy, 0));
        assert_eq!(again.identity().clone().apply(&forged), Err(IdentityError::Signature));
    }
}
