//! From accepted entries to rows.
//!
//! Entries that arrived are opened, grouped by record, and each record concerned is brought up to
//! date: its cached document is extended when all that is new simply counts, and built again from
//! its entries otherwise. What cannot be opened yet, or was written with a longer access log than
//! is known here, stands in `Waiting` and is tried again when keys or access entries arrive. What
//! does not open with the right key stands there marked, and is not tried again.
//!
//! Progress is durable (`Head::projected`), so projection may lag behind admission: a first sync
//! admits whole frames and projects when the line is quiet, and a crash in between loses nothing.

use super::portion::Portion;
use super::row::{QuarantineReason, Row};
use super::settling::BuiltUpon;
use super::space::SpaceState;
use super::stored::{Head, StoredEntry};
use super::waiting::{JUDGED_ANEW, UNREADABLE};
use super::{Event, RECORD_CACHED_BYTES_MIN, RECORDS_CACHED_BYTES, Replica, ReplicaError, keys};
use crate::access::Standing;
use crate::ids::{EntryHash, NodeId, OrganisationId, RecordId, SpaceId};
use crate::log::{Header, LogPosition, OPERATION_CHANGE, Payload};
use crate::record::{Authored, Change, Dependency, Record, Verdict, kind_of};
use crate::storage::{Storage, Table};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

/// An entry opened: what it says and where it stands.
#[derive(Clone)]
pub(super) struct Opened {
    pub header: Header,
    pub hash: EntryHash,
    pub payload: Payload,
}

/// What comes of reading an entry.
pub(super) enum Reading {
    Opened(Box<Opened>),
    /// Its key, or the access log that its author had seen, is not here yet.
    Waits,
    /// Its body was erased.
    Erased,
    /// The key is the right one, and still it does not open or says nothing that can be read.
    Never,
}

/// An opened entry with its standing.
struct Judged {
    opened: Opened,
    change: Option<Change>,
    /// For whom its author wrote it.
    organisation: Option<OrganisationId>,
    standing: Standing,
    forked: bool,
}

impl Judged {
    /// Whether it stands before every cut of its log.
    const fn is_within(&self) -> bool {
        !matches!(self.standing, Standing::BeyondCut { .. })
    }
}

type Judgement = HashMap<EntryHash, Judged>;

impl Replica {
    /// Brings rows up to date with a portion of the admitted entries. Returns whether more remains.
    ///
    /// # Errors
    /// When the store cannot be read or holds damaged data.
    pub fn project(
        &mut self,
        disk: &dyn Storage,
        mut portion: Portion<'_>,
    ) -> Result<bool, ReplicaError> {
        while let Some(space) = self.dirty.first().copied().filter(|_| !portion.is_used_up()) {
            let before = portion.done();
            self.project_space(disk, &space, &mut portion)?;
            if portion.done() == before {
                portion.spend_one();
            }
        }
        Ok(!self.dirty.is_empty())
    }

    /// Whether rows lag behind admitted entries.
    #[must_use]
    pub fn lags(&self) -> bool {
        !self.dirty.is_empty()
    }

    pub(super) fn project_space(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        portion: &mut Portion<'_>,
    ) -> Result<(), ReplicaError> {
        let lagging: Vec<_> = self
            .space(disk, space)?
            .heads
            .iter()
            .filter(|(_, head)| head.projected < head.position.length)
            .map(|(author, head)| (*author, *head))
            .collect();
        let mut opened: BTreeMap<RecordId, Vec<Opened>> = BTreeMap::new();
        for (author, head) in &lagging {
            let reached = self.open_entries(disk, space, author, *head, portion, &mut opened)?;
            self.put_head(disk, space, author, Head { projected: reached, ..*head })?;
        }
        for (record, entries) in opened {
            self.absorb(disk, space, &record, entries)?;
        }
        self.name_built_upon(disk, space)?;
        let state = self.space(disk, space)?;
        if state.heads.values().all(|head| head.projected >= head.position.length) {
            self.dirty.remove(space);
        }
        Ok(())
    }

    /// Opens an author's entries from where rows left off; returns how far it came.
    fn open_entries(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        head: Head,
        portion: &mut Portion<'_>,
        opened: &mut BTreeMap<RecordId, Vec<Opened>>,
    ) -> Result<u64, ReplicaError> {
        let (mut aside, mut late) = (Vec::new(), Vec::new());
        let mut reached = head.projected;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let from = keys::entry(space, author, head.projected);
        let to = keys::entry(space, author, head.position.length);
        self.scan(disk, Table::Entries, &from, &to, &mut |_, value| {
            if !portion.take() {
                return ControlFlow::Break(());
            }
            match read(state, space, author, reached, value) {
                Reading::Opened(entry) if state.access.is_erased(&entry.payload.record) => {
                    late.push((entry.payload.record, (*author, reached)));
                }
                Reading::Erased => {}
                Reading::Opened(entry) => {
                    if !state.access.contains(&entry.header.access) {
                        aside.push((reached, JUDGED_ANEW.to_vec()));
                    }
                    opened.entry(entry.payload.record).or_default().push(*entry);
                }
                Reading::Waits => aside.push((reached, Vec::new())),
                Reading::Never => aside.push((reached, UNREADABLE.to_vec())),
            }
            reached += 1;
            ControlFlow::Continue(())
        })?;
        if reached < head.position.length && !portion.is_used_up() {
            return Err(ReplicaError::Damaged(Table::Entries.name()));
        }
        for (sequence, mark) in aside {
            self.pending.put(Table::Waiting, keys::entry(space, author, sequence), mark);
        }
        for (record, place) in late {
            if self.await_erasure(disk, space, &record, place)? {
                self.events.push(Event::Erased { space: *space, record, own_edit: true });
            }
        }
        Ok(reached)
    }

    /// Adds opened entries to their record and writes its row.
    pub(super) fn absorb(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
        fresh: Vec<Opened>,
    ) -> Result<(), ReplicaError> {
        let old = self.load_row(disk, space, record)?;
        let mut row = old.clone().unwrap_or_default();
        let mut places: BTreeSet<_> = row.places().collect();
        for place in row.places() {
            // Bodies are dropped before rows are built again.
            let is_touched = self.space(disk, space)?.access.touches_place(&place.0, place.1);
            if is_touched && self.stored_entry(disk, space, &place.0, place.1)?.body.is_erased() {
                places.remove(&place);
            }
        }
        if let Some(old) = old.as_ref().filter(|_| places.is_empty() && fresh.is_empty()) {
            self.drop_row(space, record, old);
            return Ok(());
        }
        if kind_of(record).is_none() {
            return self.absorb_unknown(space, record, places, &fresh);
        }
        let added: Vec<_> = fresh
            .into_iter()
            .filter(|entry| places.insert((entry.header.author, entry.header.sequence)))
            .collect();
        let simple = self.judge(disk, space, added.clone())?;
        let cached = self.records.remove(&(*space, *record));
        // What is new may bring a late entry along that the cached document was built without.
        let has_late = row.quarantined.iter().any(|(_, reason)| *reason == QuarantineReason::Late);
        let is_simple = !has_late
            && simple.values().all(|one| {
                let counts = matches!(one.standing, Standing::Counts { .. });
                counts && !one.forked && one.change.is_some()
            });
        let document = match cached {
            Some(mut document) if is_simple && !simple.is_empty() => {
                document.extend(authored(simple.into_values())?);
                note_new(&mut row, &places, &added);
                document
            }
            _ => self.rebuild(disk, space, record, &places, added, &mut row)?,
        };
        show(&document, &mut row)?;
        self.count_row(space, old.as_ref(), &row);
        self.put_row(space, record, &row)?;
        self.events.push(Event::Record {
            space: *space,
            record: *record,
            conflict: row.conflicts > 0,
        });
        self.remember(space, record, document);
        Ok(())
    }

    /// Keeps a document loaded. A first synchronisation builds many in one step: they must not all
    /// stay in memory until its commit.
    fn remember(&mut self, space: &SpaceId, record: &RecordId, document: Record) {
        let bytes = document.memory_bytes().max(RECORD_CACHED_BYTES_MIN);
        self.records.insert((*space, *record), bytes, document);
        self.records.trim(RECORDS_CACHED_BYTES);
    }

    /// A record of a kind that only a newer version knows: its entries are kept and counted.
    fn absorb_unknown(
        &mut self,
        space: &SpaceId,
        record: &RecordId,
        mut places: BTreeSet<(NodeId, u64)>,
        fresh: &[Opened],
    ) -> Result<(), ReplicaError> {
        places.extend(fresh.iter().map(|one| (one.header.author, one.header.sequence)));
        let mut row = Row { newer: places.len() as u64, ..Row::default() };
        note_places(&mut row, &places);
        self.put_row(space, record, &row)
    }

    /// The record, loaded.
    pub(super) fn record(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<&Record, ReplicaError> {
        if !self.records.contains_key(&(*space, *record)) {
            let Some(mut row) = self.load_row(disk, space, record)? else {
                let is_erased = self.is_erased(disk, space, record)?;
                let unknown = ReplicaError::Unknown("record");
                return Err(if is_erased { ReplicaError::Erased } else { unknown });
            };
            let places = row.places().collect();
            let document = self.rebuild(disk, space, record, &places, Vec::new(), &mut row)?;
            self.remember(space, record, document);
        }
        self.records.get(&(*space, *record)).ok_or(ReplicaError::Unknown("record"))
    }

    fn rebuild(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        record: &RecordId,
        places: &BTreeSet<(NodeId, u64)>,
        at_hand: Vec<Opened>,
        row: &mut Row,
    ) -> Result<Record, ReplicaError> {
        let mut entries: BTreeMap<_, _> = at_hand
            .into_iter()
            .map(|entry| ((entry.header.author, entry.header.sequence), entry))
            .collect();
        self.space(disk, space)?;
        for place in places {
            if entries.contains_key(place) {
                continue;
            }
            let value = self.stored_bytes(disk, space, &place.0, place.1)?;
            let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
            if let Reading::Opened(entry) = read(state, space, &place.0, place.1, &value) {
                entries.insert(*place, *entry);
            }
        }
        let mut judgement = self.judge(disk, space, entries.into_values().collect())?;
        let counted = close(&mut judgement);
        *row = list(places, &judgement, &counted);
        if self.summaries.get(space).is_some_and(|known| known.owner == self.organisation()) {
            let built_upon = self.built_upon.entry(*space).or_default();
            note_built_upon(built_upon, &judgement, &counted);
        }
        let accepted: Vec<_> = counted.iter().filter_map(|hash| judgement.remove(hash)).collect();
        Record::rebuild(*record, authored(accepted.into_iter())?)
            .map_err(|_| ReplicaError::Unknown("kind of record"))
    }

    fn judge(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        entries: Vec<Opened>,
    ) -> Result<Judgement, ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let mut judgement = Judgement::with_capacity(entries.len());
        for opened in entries {
            let organisation = state.author(&opened.header.author);
            let seated = organisation.filter(|_| !state.aside.contains(&opened.header.author));
            let standing = seated.map_or(Standing::Unauthorised, |organisation| {
                state.standing(&organisation, &opened.header)
            });
            let fork = state.forks.get(&opened.header.author);
            let forked = fork.is_some_and(|fork| opened.header.sequence >= *fork);
            let is_change = opened.payload.operation_code == OPERATION_CHANGE;
            let change =
                is_change.then(|| Change::decode(&opened.payload.operation).ok()).flatten();
            judgement
                .insert(opened.hash, Judged { opened, change, organisation, standing, forked });
        }
        Ok(judgement)
    }

    /// An entry opened; nothing when it cannot be read here.
    pub(super) fn opened(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        (author, sequence): (&NodeId, u64),
    ) -> Result<Option<Opened>, ReplicaError> {
        self.space(disk, space)?;
        let value = self.stored_bytes(disk, space, author, sequence)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        Ok(match read(state, space, author, sequence, &value) {
            Reading::Opened(opened) => Some(*opened),
            _ => None,
        })
    }

    pub(super) fn count_row(&mut self, space: &SpaceId, old: Option<&Row>, new: &Row) {
        let Some(mut summary) = self.summaries.get(space).cloned() else { return };
        let weigh = |row: &Row| {
            let shown = u64::from(row.view.is_some());
            (shown, u64::from(row.conflicts > 0), row.quarantined.len() as u64)
        };
        let (before, after) = (old.map_or((0, 0, 0), weigh), weigh(new));
        summary.records = (summary.records + after.0).saturating_sub(before.0);
        summary.conflicts = (summary.conflicts + after.1).saturating_sub(before.1);
        summary.quarantined = (summary.quarantined + after.2).saturating_sub(before.2);
        self.put_summary(space, summary);
    }
}

/// Reads an entry as it stands in the store.
pub(super) fn read(
    state: &SpaceState,
    space: &SpaceId,
    author: &NodeId,
    sequence: u64,
    value: &[u8],
) -> Reading {
    let Some(stored) = StoredEntry::decode(value) else { return Reading::Never };
    let Some(body) = stored.body.sealed() else { return Reading::Erased };
    let header = stored.header(*space, *author, sequence);
    let Some(key) = state.key_of(&header) else { return Reading::Waits };
    let payload = key
        .open_body(&header.associated_data(), body)
        .ok()
        .and_then(|text| Payload::decode(&text).ok());
    match payload {
        Some(payload) => {
            let hash = header.hash(body);
            Reading::Opened(Box::new(Opened { header, hash, payload }))
        }
        None if state.access.contains(&header.access) => Reading::Never,
        // On the branch that its author had seen the epoch has another key.
        None => Reading::Waits,
    }
}

/// The entries that count: those whose standing says so, and those beyond a cut that one of them
/// depends on, so that nobody's work is lost because it was built on a colleague's last edits.
fn close(judgement: &mut Judgement) -> BTreeSet<EntryHash> {
    let mut counted = BTreeSet::new();
    let mut open: Vec<EntryHash> = judgement
        .iter()
        .filter(|(_, one)| !one.forked && matches!(one.standing, Standing::Counts { .. }))
        .map(|(hash, _)| *hash)
        .collect();
    while let Some(hash) = open.pop() {
        if !counted.insert(hash) {
            continue;
        }
        let Some(one) = judgement.get(&hash) else { continue };
        for dependency in one.change.iter().flat_map(|change| &change.dependencies) {
            let target = match dependency {
                Dependency::Entry(entry) => Some(*entry),
                Dependency::Own(_) => own_previous(judgement, one),
            };
            let reachable = target.filter(|target| {
                judgement.get(target).is_some_and(|found| {
                    !found.forked && matches!(found.standing, Standing::BeyondCut { .. })
                })
            });
            open.extend(reachable);
        }
    }
    counted
}

/// Notes what the entries that count build on beyond cuts, whichever version of it is here.
fn note_built_upon(found: &mut BuiltUpon, judgement: &Judgement, counted: &BTreeSet<EntryHash>) {
    for one in counted.iter().filter_map(|hash| judgement.get(hash)) {
        for dependency in one.change.iter().flat_map(|change| &change.dependencies) {
            let target = match dependency {
                Dependency::Entry(entry) => Some(*entry),
                Dependency::Own(_) => own_previous(judgement, one),
            };
            match target.map(|hash| (hash, judgement.get(&hash))) {
                Some((hash, Some(target))) if !target.is_within() => {
                    let Header { author, sequence, .. } = target.opened.header;
                    let length = sequence.saturating_add(1);
                    found.note(author, LogPosition { length, head: hash });
                }
                Some((hash, None)) => {
                    found.elsewhere.insert(hash);
                }
                _ => {}
            }
        }
    }
}

/// The author's entry before this one in the record, under the same grant.
fn own_previous(judgement: &Judgement, one: &Judged) -> Option<EntryHash> {
    judgement
        .values()
        .filter(|other| {
            other.opened.header.author == one.opened.header.author
                && other.opened.header.sequence < one.opened.header.sequence
                && other.standing.grant() == one.standing.grant()
        })
        .max_by_key(|other| other.opened.header.sequence)
        .map(|other| other.opened.hash)
}

/// The row's list of entries, with those that do not count.
fn list(
    places: &BTreeSet<(NodeId, u64)>,
    judgement: &Judgement,
    counted: &BTreeSet<EntryHash>,
) -> Row {
    let mut row = Row::default();
    note_places(&mut row, places);
    let authors = row.authors.clone();
    for (hash, one) in judgement {
        let header = &one.opened.header;
        let index = authors.iter().position(|author| *author == header.author);
        let index = index.and_then(|index| u32::try_from(index).ok()).unwrap_or(u32::MAX);
        let place = (index, header.sequence);
        if one.change.is_none() && one.opened.payload.operation_code != OPERATION_CHANGE {
            row.newer += 1;
        } else if one.forked {
            row.quarantined.push((place, QuarantineReason::Forked));
        } else if one.change.is_none() {
            row.quarantined.push((place, QuarantineReason::Refused));
        } else if !counted.contains(hash) {
            let reason = match one.standing {
                Standing::BeyondCut { .. } => QuarantineReason::Late,
                _ => QuarantineReason::Unauthorised,
            };
            row.quarantined.push((place, reason));
        }
    }
    row.quarantined.sort_unstable();
    row
}

pub(super) fn note_places(row: &mut Row, places: &BTreeSet<(NodeId, u64)>) {
    row.authors = places.iter().map(|(author, _)| *author).collect();
    row.authors.dedup();
    let index_of: HashMap<_, _> = row.authors.iter().zip(0_u32..).collect();
    row.entries = places
        .iter()
        .filter_map(|(author, sequence)| Some((*index_of.get(author)?, *sequence)))
        .collect();
}

/// Adds entries that count to a row whose list is otherwise unchanged.
fn note_new(row: &mut Row, places: &BTreeSet<(NodeId, u64)>, added: &[Opened]) {
    let is_known = |author: &NodeId| row.authors.contains(author);
    if added.iter().all(|entry| is_known(&entry.header.author)) || row.quarantined.is_empty() {
        let quarantined = std::mem::take(&mut row.quarantined);
        note_places(row, places);
        row.quarantined = quarantined;
    } else {
        let old = row.authors.clone();
        note_places(row, places);
        let authors = row.authors.clone();
        let moved = |index: u32| {
            let author = usize::try_from(index).ok().and_then(|index| old.get(index))?;
            let index = authors.iter().position(|one| one == author)?;
            u32::try_from(index).ok()
        };
        row.quarantined = std::mem::take(&mut row.quarantined)
            .into_iter()
            .filter_map(|((index, sequence), reason)| Some(((moved(index)?, sequence), reason)))
            .collect();
    }
}

/// Writes what the record shows, and what became of its changes, into the row.
fn show(document: &Record, row: &mut Row) -> Result<(), ReplicaError> {
    let view = document.view();
    row.conflicts = view.conflicts.len() as u64;
    row.waiting = 0;
    row.quarantined.retain(|(_, reason)| *reason != QuarantineReason::Refused);
    let mut applied = 0_u64;
    for (hash, verdict) in document.verdicts() {
        match (verdict, document.entry(hash)) {
            (Verdict::Applied, _) => applied += 1,
            (Verdict::Waiting, _) => row.waiting += 1,
            (Verdict::Refused(_), Some(entry)) => {
                let index = row.authors.iter().position(|one| *one == entry.node);
                if let Some(index) = index.and_then(|index| u32::try_from(index).ok()) {
                    let place = (index, entry.position);
                    row.quarantined.push((place, QuarantineReason::Refused));
                }
            }
            (Verdict::Refused(_), None) => {}
        }
    }
    row.quarantined.sort_unstable();
    row.quarantined.dedup();
    let json = serde_json::to_vec(&view).map_err(|_| ReplicaError::Damaged("rows/1"))?;
    row.view = (applied > 0).then_some(json);
    Ok(())
}

/// The changes among `judged`, each with who wrote it and when.
fn authored(judged: impl Iterator<Item = Judged>) -> Result<Vec<Authored>, ReplicaError> {
    let changes = judged
        .filter_map(|Judged { opened, change, organisation, standing, .. }| {
            Some((opened, change?, organisation, standing))
        })
        .map(|(opened, change, organisation, standing)| {
            Ok(Authored {
                entry: opened.hash,
                node: opened.header.author,
                organisation: organisation.ok_or(ReplicaError::Unknown("organisation"))?,
                grant: standing.grant().ok_or(ReplicaError::NotPermitted)?,
                position: opened.header.sequence,
                operator: opened.payload.operator,
                comment: opened.payload.comment,
                written_at: opened.payload.written_at,
                change,
            })
        });
    changes.collect()
}
