//! The state of an organisation's keys after a prefix of its log.

use super::operation::{
    IdentityEntry, IdentityOperation, IdentityStatement, NodeAdmission, VERSION,
};
use crate::codec;
use crate::crypto::{Domain, RootKey, RootPublic, SealingPublic};
use crate::ids::{EntryHash, NodeId, OrganisationId};
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};

/// Why an entry does not extend an identity log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The entry is of a format this program does not know.
    #[error("the identity entry has an unknown version; update this program")]
    Version,
    /// The entry belongs to another log or place.
    #[error("the identity entry does not follow the log it is offered for")]
    Chain,
    /// A different, validly signed entry stands at this place already.
    #[error("the identity log was forked: two signed entries at one place")]
    Fork,
    /// A signature does not hold.
    #[error("a signature of the identity entry does not hold")]
    Signature,
    /// The operation makes no sense at its place.
    #[error("the identity operation is not possible at its place")]
    Operation,
    /// The log is longer than its limit.
    #[error("the identity log is longer than its limit")]
    TooLong,
}

/// What an organisation says of one of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStanding {
    /// Where space keys for it are sealed to.
    pub sealing: SealingPublic,
    /// Position of the revocation, when there is one.
    pub revoked_at: Option<u64>,
}

/// A node named primary, and the position at which it was: its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Primary {
    /// The node.
    pub node: NodeId,
    /// Position of its `SetPrimary`.
    pub term: u64,
}

/// An organisation as its identity log describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    organisation: OrganisationId,
    root: RootPublic,
    next_root: [u8; 32],
    generation: u64,
    nodes: BTreeMap<NodeId, NodeStanding>,
    primaries: Vec<Primary>,
    successors: BTreeSet<OrganisationId>,
    predecessors: BTreeSet<OrganisationId>,
    length: u64,
    head: EntryHash,
}

impl Identity {
    /// The id of the organisation whose first root key is `root`.
    #[must_use]
    pub fn organisation_id(root: &RootPublic) -> OrganisationId {
        OrganisationId::from_bytes(Domain::ORGANISATION_ID.hash(&[root.as_bytes()]))
    }

    /// The first entry of an organisation's log.
    #[must_use]
    pub fn found(root: &RootKey, next: &RootPublic) -> IdentityEntry {
        let public = root.public();
        IdentityStatement {
            version: VERSION,
            organisation: Self::organisation_id(&public),
            sequence: 0,
            previous: EntryHash::ZERO,
            operation: IdentityOperation::Genesis { root: public, next_root: next.commitment() },
        }
        .sign(root)
    }

    /// The state after the first entry.
    ///
    /// # Errors
    /// When the entry is not a well-signed genesis of the organisation it names.
    pub fn begin(entry: &IdentityEntry) -> Result<Self, IdentityError> {
        let statement = &entry.statement;
        let IdentityOperation::Genesis { root, next_root } = &statement.operation else {
            return Err(IdentityError::Operation);
        };
        if statement.version != VERSION {
            return Err(IdentityError::Version);
        }
        let organisation = Self::organisation_id(root);
        let place = (statement.organisation, statement.sequence, statement.previous);
        if place != (organisation, 0, EntryHash::ZERO) {
            return Err(IdentityError::Chain);
        }
        verify(root, entry)?;
        Ok(Self {
            organisation,
            root: *root,
            next_root: *next_root,
            generation: 0,
            nodes: BTreeMap::new(),
            primaries: Vec::new(),
            successors: BTreeSet::new(),
            predecessors: BTreeSet::new(),
            length: 1,
            head: statement.hash(),
        })
    }

    /// The statement that would come next with `operation`; the root key has still to sign it.
    #[must_use]
    pub fn draft(&self, operation: IdentityOperation) -> IdentityStatement {
        IdentityStatement {
            version: VERSION,
            organisation: self.organisation,
            sequence: self.length,
            previous: self.head,
            operation,
        }
    }

    /// A rotation to `root`, which must be the key committed to; `next` is the one after it.
    #[must_use]
    pub fn draft_rotation(&self, root: &RootKey, next: &RootPublic) -> IdentityStatement {
        let message =
            IdentityStatement::acceptance_message(&self.organisation, self.length, &self.head);
        self.draft(IdentityOperation::RotateRoot {
            root: root.public(),
            next_root: next.commitment(),
            acceptance: root.sign(Domain::ROOT_ACCEPTANCE, &message),
        })
    }

    /// Extends the log by one verified entry; on error nothing has changed.
    ///
    /// # Errors
    /// [`IdentityError`] says what does not hold.
    pub fn apply(&mut self, entry: &IdentityEntry) -> Result<(), IdentityError> {
        let statement = &entry.statement;
        if statement.version != VERSION {
            return Err(IdentityError::Version);
        }
        if usize::try_from(self.length).unwrap_or(usize::MAX) >= limits::IDENTITY_ENTRIES_MAX {
            return Err(IdentityError::TooLong);
        }
        let place = (statement.organisation, statement.sequence, statement.previous);
        if place != (self.organisation, self.length, self.head) {
            return Err(IdentityError::Chain);
        }
        verify(&self.root, entry)?;
        self.perform(statement)?;
        self.length += 1;
        self.head = statement.hash();
        Ok(())
    }

    fn perform(&mut self, statement: &IdentityStatement) -> Result<(), IdentityError> {
        match &statement.operation {
            IdentityOperation::Genesis { .. } => Err(IdentityError::Operation),
            IdentityOperation::AddNode { admission } => self.add_node(admission),
            IdentityOperation::RevokeNode { node } => {
                let sequence = self.length;
                let standing = self.active_mut(node)?;
                standing.revoked_at = Some(sequence);
                Ok(())
            }
            IdentityOperation::SetPrimary { node } => {
                self.active_mut(node)?;
                self.primaries.push(Primary { node: *node, term: self.length });
                Ok(())
            }
            IdentityOperation::RotateRoot { root, next_root, acceptance } => {
                let message = IdentityStatement::acceptance_message(
                    &self.organisation,
                    self.length,
                    &self.head,
                );
                if root.commitment() != self.next_root {
                    return Err(IdentityError::Operation);
                }
                root.verify(Domain::ROOT_ACCEPTANCE, &message, acceptance)
                    .map_err(|_| IdentityError::Signature)?;
                (self.root, self.next_root) = (*root, *next_root);
                self.generation += 1;
                Ok(())
            }
            IdentityOperation::RotateSealing { node, sealing } => {
                if !sealing.is_valid() {
                    return Err(IdentityError::Operation);
                }
                self.active_mut(node)?.sealing = sealing.clone();
                Ok(())
            }
            IdentityOperation::SucceededBy { organisation } => {
                insert_other(&mut self.successors, self.organisation, *organisation)
            }
            IdentityOperation::Succeeds { organisation } => {
                insert_other(&mut self.predecessors, self.organisation, *organisation)
            }
        }
    }

    fn add_node(&mut self, admission: &NodeAdmission) -> Result<(), IdentityError> {
        if !admission.holds(&self.organisation) {
            return Err(IdentityError::Signature);
        }
        let active = self.active_nodes().count();
        // A revoked node never returns: its key may be in other hands.
        if active >= limits::IDENTITY_NODES_MAX || self.nodes.contains_key(&admission.node) {
            return Err(IdentityError::Operation);
        }
        let standing = NodeStanding { sealing: admission.sealing.clone(), revoked_at: None };
        self.nodes.insert(admission.node, standing);
        Ok(())
    }

    fn active_mut(&mut self, node: &NodeId) -> Result<&mut NodeStanding, IdentityError> {
        self.nodes
            .get_mut(node)
            .filter(|standing| standing.revoked_at.is_none())
            .ok_or(IdentityError::Operation)
    }

    /// The organisation.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// How many entries the log has.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Hash of the last entry.
    #[must_use]
    pub const fn head(&self) -> EntryHash {
        self.head
    }

    /// How often the root key was rotated: which key of the recovery words is in force.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The root key in force.
    #[must_use]
    pub const fn root(&self) -> &RootPublic {
        &self.root
    }

    /// Whether the organisation ever certified `node`, revoked or not.
    #[must_use]
    pub fn has_certified(&self, node: &NodeId) -> bool {
        self.nodes.contains_key(node)
    }

    /// Whether `node` speaks for the organisation now.
    #[must_use]
    pub fn is_active(&self, node: &NodeId) -> bool {
        self.nodes.get(node).is_some_and(|standing| standing.revoked_at.is_none())
    }

    /// The nodes that speak for the organisation now, with their sealing keys.
    pub fn active_nodes(&self) -> impl Iterator<Item = (&NodeId, &SealingPublic)> {
        self.nodes
            .iter()
            .filter(|(_, standing)| standing.revoked_at.is_none())
            .map(|(node, standing)| (node, &standing.sealing))
    }

    /// Every node ever certified.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeId, &NodeStanding)> {
        self.nodes.iter()
    }

    /// The node that writes the organisation's access logs now.
    #[must_use]
    pub fn primary(&self) -> Option<Primary> {
        self.primaries.last().copied()
    }

    /// The node that was named primary at position `term`.
    #[must_use]
    pub fn primary_of_term(&self, term: u64) -> Option<NodeId> {
        self.primaries.iter().find(|primary| primary.term == term).map(|primary| primary.node)
    }

    /// The organisations this one says take its place.
    #[must_use]
    pub const fn successors(&self) -> &BTreeSet<OrganisationId> {
        &self.successors
    }

    /// The organisations this one says it takes the place of.
    #[must_use]
    pub const fn predecessors(&self) -> &BTreeSet<OrganisationId> {
        &self.predecessors
    }
}

fn verify(root: &RootPublic, entry: &IdentityEntry) -> Result<(), IdentityError> {
    let message = codec::encode(&entry.statement);
    if message.len() > limits::IDENTITY_ENTRY_BYTES_MAX {
        return Err(IdentityError::TooLong);
    }
    root.verify(Domain::IDENTITY_SIGNATURE, &message, &entry.signature)
        .map_err(|_| IdentityError::Signature)
}

fn insert_other(
    set: &mut BTreeSet<OrganisationId>,
    own: OrganisationId,
    other: OrganisationId,
) -> Result<(), IdentityError> {
    if own != other && set.insert(other) { Ok(()) } else { Err(IdentityError::Operation) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{NodeKey, SealingSecret, Secret, Signature};

    struct Town {
        entropy: Secret<32>,
        identity: Identity,
    }

    impl Town {
        fn new(byte: u8) -> Self {
            let entropy = Secret::from_bytes([byte; 32]);
            let genesis = Identity::found(&root(&entropy, 0), &root(&entropy, 1).public());
            Self { identity: Identity::begin(&genesis).unwrap(), entropy }
        }

        fn say(&mut self, operation: IdentityOperation) -> Result<IdentityEntry, IdentityError> {
            let key = root(&self.entropy, self.identity.generation());
            let entry = self.identity.draft(operation).sign(&key);
            self.identity.apply(&entry).map(|()| entry)
        }

        fn admit(&self, byte: u8) -> IdentityOperation {
            let sealing = SealingSecret::from_seed(&Secret::from_bytes([byte; 32]));
            let admission = NodeAdmission::sign(
                &self.identity.organisation(),
                &node(byte),
                sealing.public().clone(),
            );
            IdentityOperation::AddNode { admission }
        }
    }

    fn root(entropy: &Secret<32>, generation: u64) -> RootKey {
        RootKey::derive(entropy, generation)
    }

    fn node(byte: u8) -> NodeKey {
        NodeKey::from_seed(&Secret::from_bytes([byte; 32]))
    }

    #[test]
    fn the_id_survives_a_rotation_of_the_root_key() {
        let mut town = Town::new(1);
        let id = town.identity.organisation();
        let rotation = town
            .identity
            .draft_rotation(&root(&town.entropy, 1), &root(&town.entropy, 2).public())
            .sign(&root(&town.entropy, 0));
        town.identity.apply(&rotation).unwrap();
        town.say(town.admit(5)).unwrap();
        assert_eq!((town.identity.organisation(), town.identity.generation()), (id, 1));
    }

    #[test]
    fn a_thief_of_the_root_key_cannot_rotate_it_to_his_own() {
        let mut town = Town::new(1);
        let thief = Secret::from_bytes([66; 32]);
        let rotation = town
            .identity
            .draft_rotation(&root(&thief, 0), &root(&thief, 1).public())
            .sign(&root(&town.entropy, 0));
        assert_eq!(town.identity.apply(&rotation), Err(IdentityError::Operation));
    }

    #[test]
    fn the_old_root_key_is_worthless_after_rotation() {
        let mut town = Town::new(1);
        let rotation = town
            .identity
            .draft_rotation(&root(&town.entropy, 1), &root(&town.entropy, 2).public())
            .sign(&root(&town.entropy, 0));
        town.identity.apply(&rotation).unwrap();
        let late = town.identity.draft(town.admit(5)).sign(&root(&town.entropy, 0));
        assert_eq!(town.identity.apply(&late), Err(IdentityError::Signature));
    }

    #[test]
    fn nobody_enlists_the_node_of_another() {
        let mut town = Town::new(1);
        let IdentityOperation::AddNode { admission } = Town::new(2).admit(5) else {
            panic!("an admission");
        };
        let stolen = town.say(IdentityOperation::AddNode { admission });
        assert_eq!(stolen, Err(IdentityError::Signature));
    }

    #[test]
    fn a_revoked_node_never_returns_and_is_never_primary() {
        let mut town = Town::new(1);
        town.say(town.admit(5)).unwrap();
        let five = node(5).id();
        town.say(IdentityOperation::RevokeNode { node: five }).unwrap();
        assert!(town.identity.has_certified(&five) && !town.identity.is_active(&five));
        assert_eq!(town.say(town.admit(5)), Err(IdentityError::Operation));
        let primary = town.say(IdentityOperation::SetPrimary { node: five });
        assert_eq!(primary, Err(IdentityError::Operation));
    }

    #[test]
    fn every_field_of_an_entry_is_authenticated() {
        let mut town = Town::new(1);
        let before = town.identity.clone();
        let entry = town.say(town.admit(5)).unwrap();
        let bytes = codec::encode(&entry);
        for position in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[position] ^= 1;
            let refused = match codec::decode::<IdentityEntry>(&tampered) {
                Err(_) => true,
                Ok(entry) => before.clone().apply(&entry).is_err(),
            };
            assert!(refused, "byte {position}");
        }
        let mut forged = entry;
        forged.signature = Signature::from_bytes([0; 64]);
        assert_eq!(before.clone().apply(&forged), Err(IdentityError::Signature));
    }
}
