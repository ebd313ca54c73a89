//! One branch of an identity log: entries of which each follows the one before.

use super::IdentityError;
use super::facts::{Facts, NodeStanding, Primary};
use super::operation::{
    IdentityEntry, IdentityOperation, IdentityStatement, NodeAdmission, VERSION,
};
use crate::codec;
use crate::crypto::{Domain, RootPublic, SealingPublic, Signature};
use crate::ids::{EntryHash, NodeId, OrganisationId};
use crate::limits;
use crate::log::LogPosition;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Root keys before the one in force that are tried where nothing says which one signed.
const FORMER_ROOTS_TRIED_MAX: usize = 4;

/// A root key and the position from which it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Root {
    since: u64,
    key: RootPublic,
    /// Commitment to the key after it.
    next: [u8; 32],
}

/// A sealing key that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FormerSealing {
    node: NodeId,
    sealing: Arc<SealingPublic>,
    since: u64,
    /// Position of the entry that named another.
    until: u64,
}

/// Branches that were united with another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Union {
    at: u64,
    heads: Vec<EntryHash>,
    /// What that one said by itself.
    before: Arc<Facts>,
}

/// The state at the end of one branch of an identity log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    organisation: OrganisationId,
    hashes: Vec<EntryHash>,
    /// The root key of now.
    root: Root,
    /// Those before it, oldest first.
    former_roots: Vec<Root>,
    /// Oldest first.
    former_sealing: Vec<Arc<FormerSealing>>,
    /// Where other branches were united with it, oldest first.
    unions: Vec<Union>,
    /// Shared by copies: a log of many branches is copied with every message about it.
    facts: Arc<Facts>,
}

impl Branch {
    /// The state after the first entry, of the organisation that its root key names.
    pub fn begin(
        organisation: OrganisationId,
        entry: &IdentityEntry,
    ) -> Result<Self, IdentityError> {
        let statement = &entry.statement;
        let IdentityOperation::Genesis { root, next_root } = &statement.operation else {
            return Err(IdentityError::Operation);
        };
        if statement.version != VERSION {
            return Err(IdentityError::Version);
        }
        let place = (statement.organisation, statement.sequence, statement.previous);
        if place != (organisation, 0, EntryHash::ZERO) {
            return Err(IdentityError::Chain);
        }
        verify(root, entry)?;
        Ok(Self {
            organisation,
            hashes: vec![statement.hash()],
            root: Root { since: 0, key: *root, next: *next_root },
            former_roots: Vec::new(),
            former_sealing: Vec::new(),
            unions: Vec::new(),
            facts: Arc::default(),
        })
    }

    /// Extends the branch by one verified entry; on error nothing has changed. `others` is what the
    /// branches say that the entry unites with this one.
    pub fn apply(&mut self, entry: &IdentityEntry, others: &Facts) -> Result<(), IdentityError> {
        let statement = &entry.statement;
        if statement.version != VERSION {
            return Err(IdentityError::Version);
        }
        if self.hashes.len() >= limits::IDENTITY_ENTRIES_MAX {
            return Err(IdentityError::TooLong);
        }
        let rotates = matches!(statement.operation, IdentityOperation::RotateRoot { .. });
        if !rotates && !self.has_room_of_root() {
            return Err(IdentityError::RootSpent);
        }
        let LogPosition { length, head } = self.position();
        let place = (statement.organisation, statement.sequence, statement.previous);
        if place != (self.organisation, length, head) {
            return Err(IdentityError::Chain);
        }
        verify(&self.root.key, entry)?;
        match &statement.operation {
            IdentityOperation::Unite { heads } => self.unite(statement.sequence, heads, others)?,
            _ => self.perform(statement)?,
        }
        self.hashes.push(statement.hash());
        Ok(())
    }

    fn perform(&mut self, statement: &IdentityStatement) -> Result<(), IdentityError> {
        let at = statement.sequence;
        match &statement.operation {
            IdentityOperation::Genesis { .. } | IdentityOperation::Unite { .. } => {
                Err(IdentityError::Operation)
            }
            IdentityOperation::AddNode { admission } => self.add_node(admission, at),
            IdentityOperation::RevokeNode { node } => {
                self.active_mut(node)?.revoked_at = Some(at);
                Ok(())
            }
            IdentityOperation::SetPrimary { node } => {
                self.active_mut(node)?;
                Arc::make_mut(&mut self.facts).primaries.push(Primary { node: *node, term: at });
                Ok(())
            }
            IdentityOperation::RotateRoot { root, next_root, acceptance } => {
                let next = Root { since: at, key: *root, next: *next_root };
                self.rotate_root(next, &statement.previous, acceptance)
            }
            IdentityOperation::RotateSealing { node, sealing } => {
                self.rotate_sealing(node, sealing, at)
            }
            IdentityOperation::SucceededBy { organisation } => {
                let facts = Arc::make_mut(&mut self.facts);
                insert_other(&mut facts.successors, self.organisation, *organisation, at)
            }
            IdentityOperation::Succeeds { organisation } => {
                let facts = Arc::make_mut(&mut self.facts);
                insert_other(&mut facts.predecessors, self.organisation, *organisation, at)
            }
        }
    }

    fn unite(&mut self, at: u64, heads: &[EntryHash], others: &Facts) -> Result<(), IdentityError> {
        // Each keeps what was said before it.
        if !self.has_room_to_unite() {
            return Err(IdentityError::Operation);
        }
        self.unions.push(Union { at, heads: heads.to_vec(), before: Arc::clone(&self.facts) });
        Arc::make_mut(&mut self.facts).unite(others);
        Ok(())
    }

    fn rotate_root(
        &mut self,
        next: Root,
        previous: &EntryHash,
        acceptance: &Signature,
    ) -> Result<(), IdentityError> {
        let message =
            IdentityStatement::acceptance_message(&self.organisation, next.since, previous);
        if next.key.commitment() != self.root.next {
            return Err(IdentityError::Operation);
        }
        next.key
            .verify(Domain::ROOT_ACCEPTANCE, &message, acceptance)
            .map_err(|_| IdentityError::Signature)?;
        self.former_roots.push(std::mem::replace(&mut self.root, next));
        Ok(())
    }

    fn add_node(&mut self, admission: &NodeAdmission, at: u64) -> Result<(), IdentityError> {
        if !admission.holds(&self.organisation) {
            return Err(IdentityError::Signature);
        }
        let nodes = &mut Arc::make_mut(&mut self.facts).nodes;
        let active = nodes.values().filter(|standing| standing.revoked_at.is_none()).count();
        // A revoked node never returns: its key may be in other hands.
        if active >= limits::IDENTITY_NODES_MAX || nodes.contains_key(&admission.node) {
            return Err(IdentityError::Operation);
        }
        let sealing = Arc::new(admission.sealing.clone());
        let standing =
            NodeStanding { admitted_at: at, sealing, sealing_since: at, revoked_at: None };
        nodes.insert(admission.node, standing);
        Ok(())
    }

    fn rotate_sealing(
        &mut self,
        node: &NodeId,
        sealing: &SealingPublic,
        at: u64,
    ) -> Result<(), IdentityError> {
        if !sealing.is_valid() {
            return Err(IdentityError::Operation);
        }
        let standing = self.active_mut(node)?;
        let before = std::mem::replace(&mut standing.sealing, Arc::new(sealing.clone()));
        let since = std::mem::replace(&mut standing.sealing_since, at);
        let node = *node;
        let former = FormerSealing { node, sealing: before, since, until: at };
        self.former_sealing.push(Arc::new(former));
        Ok(())
    }

    fn active_mut(&mut self, node: &NodeId) -> Result<&mut NodeStanding, IdentityError> {
        Arc::make_mut(&mut self.facts)
            .nodes
            .get_mut(node)
            .filter(|standing| standing.revoked_at.is_none())
            .ok_or(IdentityError::Operation)
    }

    /// The state after the first `length` entries; nothing when that is none, or more than there
    /// are.
    pub fn before(&self, length: u64) -> Option<Self> {
        if length == self.length() {
            return Some(self.clone());
        }
        let hashes = self.hashes.get(..usize::try_from(length).ok()?)?.to_vec();
        let mut former_roots = self.former_roots.clone();
        let mut root = self.root.clone();
        while root.since >= length {
            root = former_roots.pop()?;
        }
        let mut unions = self.unions.clone();
        let mut facts = Arc::clone(&self.facts);
        let mut former_sealing = self.former_sealing.clone();
        while let Some(last) = unions.pop_if(|one| one.at >= length) {
            // What was replaced after it may be what another branch said.
            while former_sealing.pop_if(|one| one.until > last.at).is_some() {}
            facts = last.before;
        }
        let mut facts = facts.before(length);
        while let Some(last) = former_sealing.pop_if(|one| one.until >= length) {
            if let Some(standing) = facts.nodes.get_mut(&last.node) {
                (standing.sealing, standing.sealing_since) =
                    (Arc::clone(&last.sealing), last.since);
            }
        }
        let (organisation, facts) = (self.organisation, Arc::new(facts));
        Some(Self { organisation, hashes, root, former_roots, former_sealing, unions, facts })
    }

    /// Where it ends.
    pub fn position(&self) -> LogPosition {
        let head = self.hashes.last().copied().unwrap_or(EntryHash::ZERO);
        LogPosition { length: self.hashes.len() as u64, head }
    }

    /// How many entries it has.
    pub fn length(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Whether the entry with this hash stands at this place of it.
    pub fn knows(&self, sequence: u64, hash: &EntryHash) -> bool {
        let index = usize::try_from(sequence).unwrap_or(usize::MAX);
        self.hashes.get(index) == Some(hash)
    }

    /// Whether others can be united with it.
    pub fn has_room_to_unite(&self) -> bool {
        self.unions.len() < limits::IDENTITY_UNIONS_MAX && self.has_room_of_root()
    }

    /// Whether the root key in force may say more than who follows it.
    fn has_room_of_root(&self) -> bool {
        let first = self.root.since.saturating_add(1);
        let left = (limits::IDENTITY_ENTRIES_MAX as u64).saturating_sub(first);
        self.length().saturating_sub(first) < left / limits::IDENTITY_SHARE_OF_ROOT as u64
    }

    /// How many entries two branches have in common.
    pub fn common(&self, other: &Self) -> u64 {
        let pairs = self.hashes.iter().zip(&other.hashes);
        pairs.take_while(|(first, second)| first == second).count() as u64
    }

    /// The ends of the branches that were united with it.
    pub fn united(&self) -> impl Iterator<Item = &EntryHash> {
        self.united_before(u64::MAX)
    }

    /// The ends of the branches that its first `length` entries unite with it.
    pub fn united_before(&self, length: u64) -> impl Iterator<Item = &EntryHash> {
        let before = self.unions.iter().take_while(move |union| union.at < length);
        before.flat_map(|union| &union.heads)
    }

    /// How many entries it has up to the one with this hash.
    pub fn length_up_to(&self, hash: &EntryHash) -> Option<u64> {
        let place = self.hashes.iter().position(|one| one == hash)?;
        Some(place as u64 + 1)
    }

    /// The hashes of its entries.
    pub fn hashes(&self) -> &[EntryHash] {
        &self.hashes
    }

    /// What it says.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How often the root key was rotated.
    pub fn generation(&self) -> u64 {
        self.former_roots.len() as u64
    }

    /// Whether the root key in force signed an entry, or one of the last before it.
    pub fn is_signed_lately(&self, entry: &IdentityEntry) -> bool {
        let former = self.former_roots.iter().rev().take(FORMER_ROOTS_TRIED_MAX);
        let mut keys = std::iter::once(&self.root).chain(former);
        keys.any(|root| verify(&root.key, entry).is_ok())
    }

    /// The root key in force.
    pub const fn root(&self) -> &RootPublic {
        &self.root.key
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
    known: &mut BTreeMap<OrganisationId, u64>,
    own: OrganisationId,
    other: OrganisationId,
    at: u64,
) -> Result<(), IdentityError> {
    if own == other || known.contains_key(&other) {
        return Err(IdentityError::Operation);
    }
    known.insert(other, at);
    Ok(())
}
