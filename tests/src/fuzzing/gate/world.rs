//! One record and what was written into it, as far as a hostile author knows it.

use crate::fuzzing::Dice;
use sincronia_protocol::ids::{EntryHash, NodeId, OrganisationId, RecordId};
use sincronia_protocol::record::{
    Author, Authored, Change, Dependency, Kind, Record, Verdict, derive_id,
};
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeMap;

/// The nonce of every record made here.
pub const NONCE: [u8; 8] = [42; 8];

/// Who may write: `n` and `n + 100` are nodes of one organisation.
pub const AUTHORS: [u8; 4] = [1, 2, 3, 101];

/// An author by its number.
pub fn author(number: u8) -> Author {
    Author {
        node: NodeId::from_bytes([number; 32]),
        organisation: OrganisationId::from_bytes([number % 100; 32]),
        grant: 1,
    }
}

/// A record and its entries, also the refused ones.
#[derive(Clone)]
pub struct World {
    pub kind: Kind,
    pub record: Record,
    /// The author and the bytes of every change.
    pub steps: Vec<(u8, Vec<u8>)>,
    /// The accepted entries, with their authors.
    pub applied: Vec<(u8, EntryHash)>,
    /// Those that no other builds on.
    pub heads: Vec<EntryHash>,
}

impl World {
    /// A record without entries.
    pub fn new(kind: Kind) -> Self {
        let id = derive_id(kind, &author(1).node, NONCE);
        let record = Record::new(id).expect("a known kind");
        Self { kind, record, steps: Vec::new(), applied: Vec::new(), heads: Vec::new() }
    }

    pub fn id(&self) -> RecordId {
        self.record.id()
    }

    /// Writes a change as it arrives; whether it counts.
    pub fn step(&mut self, number: u8, bytes: Vec<u8>) -> bool {
        let Ok(change) = Change::decode(&bytes) else { return false };
        let dependencies = change.dependencies.clone();
        let entry = entry(number, self.position(number), &bytes, change);
        let hash = entry.entry;
        self.steps.push((number, bytes));
        self.record.extend(vec![entry]);
        if self.record.verdict(&hash) != Some(Verdict::Applied) {
            return false;
        }
        let own = self.applied.iter().rev().find(|(by, _)| *by == number).map(|(_, own)| *own);
        let follows = |head: &EntryHash| {
            dependencies.contains(&Dependency::Entry(*head))
                || (own == Some(*head) && dependencies.contains(&Dependency::own(head)))
        };
        self.heads.retain(|head| !follows(head));
        self.heads.push(hash);
        self.heads.sort_unstable();
        self.applied.push((number, hash));
        true
    }

    fn position(&self, number: u8) -> u64 {
        self.steps.iter().filter(|(by, _)| *by == number).count() as u64
    }

    /// The last accepted entry of an author.
    pub fn last_of(&self, number: u8) -> Option<EntryHash> {
        self.applied.iter().rev().find(|(by, _)| *by == number).map(|(_, entry)| *entry)
    }

    /// Panics unless the record stands.
    pub fn check(&self) {
        assert_eq!(self.record.self_check(), Ok(()), "the document does not hold");
        let view = self.record.view();
        assert!(!view.damaged, "the record is damaged");
        assert_eq!(view.entries, self.applied.len(), "not every accepted change is shown");
    }

    /// Panics unless the history tells of every accepted change. It reads the document as it was
    /// at each of them, so it takes as long as everything else together.
    pub fn check_history(&self) {
        assert_eq!(self.record.history().len(), self.applied.len(), "the history is another");
    }

    /// Panics unless the same entries show the same in another order, in pieces.
    pub fn check_other_order(&self, dice: &mut Dice) {
        let mut entries = self.entries();
        dice.shuffle(&mut entries);
        let mut other = Record::new(self.id()).expect("a known kind");
        while !entries.is_empty() {
            let count = if dice.one_in(2) { entries.len() } else { dice.below(4) + 1 };
            other.extend(entries.split_off(entries.len().saturating_sub(count)));
        }
        let verdicts = |record: &Record| -> BTreeMap<EntryHash, Verdict> {
            record.verdicts().map(|(entry, verdict)| (*entry, *verdict)).collect()
        };
        assert_eq!(verdicts(&other), verdicts(&self.record), "the order decides what counts");
        assert_eq!(other.view(), self.record.view(), "the order decides what is shown");
        assert_eq!(other.history(), self.record.history(), "the order decides the history");
        assert_eq!(other.self_check(), Ok(()), "the document does not hold in another order");
    }

    fn entries(&self) -> Vec<Authored> {
        let mut written: BTreeMap<u8, u64> = BTreeMap::new();
        let entry_of = |(number, bytes): &(u8, Vec<u8>)| {
            let position = written.entry(*number).or_default();
            let change = Change::decode(bytes).expect("it was read before");
            let entry = entry(*number, *position, bytes, change);
            *position += 1;
            entry
        };
        self.steps.iter().map(entry_of).collect()
    }

    /// The kind and every change, as an input.
    pub fn encode(&self) -> Vec<u8> {
        let mut input = vec![self.kind.code()];
        for (number, bytes) in &self.steps {
            input.push(*number);
            let length = u32::try_from(bytes.len()).expect("a change is short");
            input.extend_from_slice(&length.to_be_bytes());
            input.extend_from_slice(bytes);
        }
        input
    }

    /// The kind and the changes of an input.
    pub fn decode(input: &[u8]) -> Option<(Kind, Vec<Step>)> {
        let (kind, mut rest) = input.split_first()?;
        let mut steps = Vec::new();
        while let Some((number, after)) = rest.split_first() {
            let (length, after) = after.split_first_chunk()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (bytes, after) = after.split_at_checked(length)?;
            steps.push((*number, bytes.to_vec()));
            rest = after;
        }
        Some((Kind::from_code(*kind)?, steps))
    }
}

/// The number of an author, and a change as it travels.
type Step = (u8, Vec<u8>);

/// An entry with the hash that its content gives it.
fn entry(number: u8, position: u64, bytes: &[u8], change: Change) -> Authored {
    let author = author(number);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[number]).update(&position.to_be_bytes()).update(bytes);
    Authored {
        entry: EntryHash::from_bytes(*hasher.finalize().as_bytes()),
        node: author.node,
        organisation: author.organisation,
        grant: author.grant,
        position,
        operator: String::new(),
        comment: None,
        written_at: Timestamp::from_milliseconds(1_000 * position),
        change,
    }
}
