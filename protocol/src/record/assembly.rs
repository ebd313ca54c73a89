//! A record in memory: its entries, their verdicts, and the document of the accepted ones.
//!
//! Entries are judged as soon as everything they build on has been judged. Entries of one author
//! are judged in the order of its log. When an entry arrives out of that order (which the hash
//! chain of the log prevents in practice) all are judged again, so that the result never depends on
//! the order of arrival.

use crate::ids::{EntryHash, NodeId, OrganisationId, RecordId};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::record::document::{Changes, Document, DocumentError};
use crate::record::gate::{self, GateError, History};
use crate::record::{Author, Authored, Dependency, Kind, UnknownKind, kind_of};
use std::collections::{BTreeSet, HashMap};

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// It is part of the record.
    Applied,
    /// Something it builds on has not arrived.
    Waiting,
    /// It breaks a rule, on every node.
    Refused(GateError),
}

/// One record in memory.
#[derive(Clone, Debug)]
pub struct Record {
    pub(super) id: RecordId,
    pub(super) kind: Kind,
    pub(super) entries: HashMap<EntryHash, Authored>,
    verdicts: HashMap<EntryHash, Verdict>,
    /// By node and grant, the entries in the order of the log.
    logs: HashMap<(NodeId, u64), BTreeSet<(u64, EntryHash)>>,
    /// By entry, those that wait for its verdict.
    waiting: HashMap<EntryHash, Vec<EntryHash>>,
    pub(super) history: History,
    pub(super) document: Document,
}

impl Author {
    /// Who wrote an entry.
    #[must_use]
    pub const fn of(authored: &Authored) -> Self {
        Self { node: authored.node, organisation: authored.organisation, grant: authored.grant }
    }
}

impl Record {
    /// A record without entries.
    ///
    /// # Errors
    /// When a newer version made the identifier.
    pub fn new(id: RecordId) -> Result<Self, UnknownKind> {
        let kind = kind_of(&id).ok_or(UnknownKind)?;
        Ok(Self {
            id,
            kind,
            entries: HashMap::new(),
            verdicts: HashMap::new(),
            logs: HashMap::new(),
            waiting: HashMap::new(),
            history: History::default(),
            document: Document::default(),
        })
    }

    /// About how much memory the record takes, in bytes: by what it holds, rather too much. A
    /// change that was refused may be as large as a payload.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        const CHANGE: u64 = 1_024;
        const OPERATION: u64 = 256;
        let weight = self.history.whole_weight();
        let refused = (self.entries.len() as u64).saturating_sub(weight.changes);
        (weight.changes.saturating_mul(CHANGE))
            .saturating_add(weight.operations.saturating_mul(OPERATION))
            .saturating_add(weight.bytes.saturating_mul(2))
            .saturating_add(refused.saturating_mul(PAYLOAD_BYTES_MAX as u64))
    }

    /// A record from its entries, in any order.
    ///
    /// # Errors
    /// When a newer version made the identifier.
    pub fn rebuild(id: RecordId, entries: Vec<Authored>) -> Result<Self, UnknownKind> {
        let mut record = Self::new(id)?;
        record.extend(entries);
        Ok(record)
    }

    /// Adds entries, in any order; those it has are passed over.
    pub fn extend(&mut self, mut entries: Vec<Authored>) {
        entries.sort_unstable_by_key(|entry| (entry.position, entry.entry));
        let (mut arrived, mut again) = (Vec::new(), false);
        for authored in entries {
            let hash = authored.entry;
            if self.entries.contains_key(&hash) {
                continue;
            }
            again |= self.arrives_late(&authored);
            let log = self.logs.entry((authored.node, authored.grant)).or_default();
            log.insert((authored.position, hash));
            self.entries.insert(hash, authored);
            arrived.push(hash);
        }
        if again {
            arrived = self.forget_verdicts();
        }
        for hash in arrived {
            self.judge_with_followers(hash);
        }
        self.document.flush();
    }

    /// The identifier.
    #[must_use]
    pub const fn id(&self) -> RecordId {
        self.id
    }

    /// What the record is about.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The organisation that created the record, once its creation is there.
    #[must_use]
    pub fn organisation(&self) -> Option<OrganisationId> {
        self.history.creator().map(|creator| creator.organisation)
    }

    /// What became of an entry; `None` if it is not here.
    #[must_use]
    pub fn verdict(&self, entry: &EntryHash) -> Option<Verdict> {
        self.verdicts.get(entry).copied()
    }

    /// An entry of this record.
    #[must_use]
    pub fn entry(&self, entry: &EntryHash) -> Option<&Authored> {
        self.entries.get(entry)
    }

    /// What became of every entry.
    pub fn verdicts(&self) -> impl Iterator<Item = (&EntryHash, &Verdict)> {
        self.verdicts.iter()
    }

    /// Proves that the document holds the accepted changes and would load again. A failure never
    /// decides what counts: it is for an alarm, and for rebuilding the record.
    ///
    /// # Errors
    /// What does not hold.
    pub fn self_check(&self) -> Result<(), DocumentError> {
        self.document.check(self.changes())
    }

    /// What the document is built from.
    pub(super) const fn changes(&self) -> Changes<'_> {
        Changes { kind: self.kind, history: &self.history, entries: &self.entries }
    }

    /// The entry before this place in the author's log, under the same grant.
    pub(super) fn previous(&self, author: &Author, before: (u64, EntryHash)) -> Option<EntryHash> {
        let log = self.logs.get(&(author.node, author.grant))?;
        log.range(..before).next_back().map(|(_, entry)| *entry)
    }

    /// Whether verdicts given already may depend on an entry that arrives only now.
    fn arrives_late(&self, authored: &Authored) -> bool {
        let place = (authored.position, authored.entry);
        let log = self.logs.get(&(authored.node, authored.grant));
        let behind_own = log.and_then(|log| log.last()).is_some_and(|last| *last > place);
        let creation = self.history.changes().first();
        let behind_creation = authored.change.dependencies.is_empty()
            && creation.and_then(|creation| self.entries.get(&creation.entry)).is_some_and(
                |creation| {
                    creation.node == authored.node && (creation.position, creation.entry) > place
                },
            );
        behind_own || behind_creation
    }

    /// Everything is to be judged again, in the order of the logs.
    fn forget_verdicts(&mut self) -> Vec<EntryHash> {
        self.verdicts.clear();
        self.waiting.clear();
        self.history = History::default();
        self.document = Document::default();
        let mut all: Vec<&Authored> = self.entries.values().collect();
        all.sort_unstable_by_key(|entry| (entry.position, entry.entry));
        all.into_iter().map(|entry| entry.entry).collect()
    }

    fn judge_with_followers(&mut self, first: EntryHash) {
        let mut ready = vec![first];
        while let Some(hash) = ready.pop() {
            let verdict = self.judge(&hash);
            self.verdicts.insert(hash, verdict);
            if verdict != Verdict::Waiting {
                ready.extend(self.waiting.remove(&hash).unwrap_or_default());
            }
        }
    }

    fn judge(&mut self, hash: &EntryHash) -> Verdict {
        if let Some(decided @ (Verdict::Applied | Verdict::Refused(_))) = self.verdict(hash) {
            return decided;
        }
        let Some(authored) = self.entries.get(hash) else { return Verdict::Waiting };
        let author = Author::of(authored);
        let dependencies = match self.resolve(authored, &author) {
            Ok(dependencies) => dependencies,
            Err(missing) => {
                self.waiting.entry(missing).or_default().push(*hash);
                return Verdict::Waiting;
            }
        };
        if dependencies.iter().any(|entry| self.history.index_of(entry).is_none()) {
            return Verdict::Refused(GateError::DependencyRefused);
        }
        let change = &authored.change;
        match gate::admit(&self.id, self.kind, &self.history, &author, change, &dependencies) {
            Ok(plan) => {
                self.history.accept(&self.id, *hash, author, &plan);
                self.document.push(&self.history, plan);
                Verdict::Applied
            }
            Err(error) => Verdict::Refused(error),
        }
    }

    /// The entries that a change builds on, if all of them, and the author's entry before this one,
    /// have been judged; otherwise one that has not.
    fn resolve(&self, authored: &Authored, author: &Author) -> Result<Vec<EntryHash>, EntryHash> {
        let judged = |entry: &EntryHash| {
            self.verdict(entry).is_some_and(|verdict| verdict != Verdict::Waiting)
        };
        let dependencies = &authored.change.dependencies;
        let previous = self.previous(author, (authored.position, authored.entry));
        // Also one that builds on nothing waits: it would let those behind it pass the one before.
        if let Some(previous) = previous.filter(|previous| !judged(previous)) {
            return Err(previous);
        }
        let entries = dependencies.iter().map(|dependency| match dependency {
            // If another entry stands there, the one that is meant is missing. When it arrives it
            // arrives late, and everything is judged again.
            Dependency::Own(_) => previous
                .filter(|previous| Dependency::own(previous) == *dependency)
                .ok_or(EntryHash::ZERO),
            Dependency::Entry(entry) if judged(entry) => Ok(*entry),
            Dependency::Entry(entry) => Err(*entry),
        });
        entries.collect()
    }
}
