//! Records: lists, edits, conflicts, search, batches.

use super::former::FormerNames;
use super::members::parse;
use super::{Core, now};
use crate::api::{
    ApiError, BatchRequest, BatchResult, BatchRow, ConflictView, ContactsQuery, EditRequest,
    ErrorCode, FieldProblem, HistoryView, NewRecordRequest, OriginView, RecordView, RecordsQuery,
    ResolveRequest, SearchHit, SearchQuery, ValueView,
};
use crate::foreign::one_line;
use crate::limits;
use serde_json::{Map, Value};
use sincronia_protocol::ids::{EntryHash, RecordId, SpaceId};
use sincronia_protocol::record::{Edits, FieldChange, Kind, Origin, View};
use sincronia_protocol::replica::{EntryCount, RecordRow, WriteRequest, WriteTarget};
use std::ops::ControlFlow;

/// A way in which a text can mean a record: by its name in small letters, by an identifier.
type Way<'a> = &'a dyn Fn(&str, &str) -> bool;

/// Who and why, as a request says it.
pub(super) struct Act {
    pub operator: Option<String>,
    pub comment: Option<String>,
}

/// Parses a kind.
pub(super) fn kind(text: &str) -> Result<Kind, ApiError> {
    text.parse().map_err(|_| {
        let kinds: Vec<_> = Kind::ALL.iter().map(ToString::to_string).collect();
        ApiError::new(
            ErrorCode::Invalid,
            format!("“{text}” is not a kind of record"),
            format!("a kind is one of: {}", kinds.join(", ")),
        )
    })
}

impl Core {
    /// Writes a record and returns it.
    pub(super) fn write(
        &mut self,
        space: SpaceId,
        target: WriteTarget,
        fields: Map<String, Value>,
        act: Act,
    ) -> Result<RecordView, ApiError> {
        self.check_audience(&space, &fields)?;
        let request = WriteRequest {
            space,
            target,
            edits: Edits { fields },
            operator: act.operator.unwrap_or_default(),
            comment: act.comment,
        };
        let at = now();
        let written = self.step(|replica, disk, random| replica.write(disk, request, at, random));
        let written = written.map_err(|error| match error.code {
            ErrorCode::KeyMissing => self.key_missing(&space, error),
            ErrorCode::NotPermitted => self.not_contributor(&space, error),
            _ => error,
        })?;
        self.record(&space, &written.record)
    }

    /// Creates a record.
    pub fn create_record(
        &mut self,
        space: &SpaceId,
        request: NewRecordRequest,
    ) -> Result<RecordView, ApiError> {
        let NewRecordRequest { kind: text, fields, operator, comment } = request;
        let kind = kind(&text)?;
        self.check_place(space, kind)?;
        self.write(*space, WriteTarget::New(kind), fields, Act { operator, comment })
    }

    /// Every partner reads the directory: a convention there would be read by those who are no
    /// parties of it, and whoever shared it would share all contacts.
    fn check_place(&self, space: &SpaceId, kind: Kind) -> Result<(), ApiError> {
        if kind != Kind::Convention || self.directory()? != Some(*space) {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCode::Invalid,
            "every partner reads this organisation's directory; a convention is for its parties",
            "make it with `sincronia convention new`, which gives it a space of its own",
        ))
    }

    /// Who reads a record follows from where it lies. A field that says fewer would be a promise
    /// that nothing keeps.
    fn check_audience(&self, space: &SpaceId, fields: &Map<String, Value>) -> Result<(), ApiError> {
        let Some(said) = fields.get("visibility").and_then(Value::as_str) else { return Ok(()) };
        let own = self.replica.organisation();
        let summary = self.replica.summary(space);
        let is_shared = summary.is_some_and(|one| one.members.iter().any(|(id, _)| *id != own));
        let reads = match said {
            "private" | "parties" if self.directory()? == Some(*space) => {
                "every partner reads what lies in the directory"
            }
            "private" if is_shared => "others read what lies in this space",
            _ => return Ok(()),
        };
        Err(ApiError::field("visibility", "visibility_wider", reads))
    }

    /// Before somebody comes to read a space: what says that nobody else does is told first.
    /// Whoever knows already what the convention says leaves it out.
    pub(super) fn check_nothing_private(
        &self,
        space: &SpaceId,
        left_out: Option<Kind>,
    ) -> Result<(), ApiError> {
        let mut is_private = false;
        self.visit(Some(space), None, &mut |row| {
            is_private =
                Some(row.kind) != left_out && super::conventions::is_private(&row.view.fields);
            if is_private { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let reads = format!(
            "it says that only this organisation reads it: first `sincronia convention edit \
             {space} --field visibility=parties`, which shares it with its parties"
        );
        let refused = || ApiError::field("visibility", "visibility_wider", &reads);
        if is_private { Err(refused()) } else { Ok(()) }
    }

    /// Changes a record.
    pub fn edit_record(
        &mut self,
        space: &SpaceId,
        record: &RecordId,
        request: EditRequest,
    ) -> Result<RecordView, ApiError> {
        let EditRequest { fields, seen, operator, comment } = request;
        let has_conflicts = self.replica.summary(space).is_some_and(|one| one.conflicts > 0);
        if has_conflicts || seen.is_some() {
            self.may_edit((space, record), fields.keys(), seen.as_deref())?;
        }
        let act = Act { operator, comment };
        self.write(*space, WriteTarget::Existing(*record), fields, act)
    }

    /// A record.
    pub fn record(&mut self, space: &SpaceId, record: &RecordId) -> Result<RecordView, ApiError> {
        let row = self.row(space, record)?;
        Ok(self.record_view(row))
    }

    /// Records of one kind or all, in one space or all.
    pub fn records(&self, query: &RecordsQuery) -> Result<Vec<RecordView>, ApiError> {
        let space = query.space.as_deref().map(parse::<SpaceId>).transpose()?;
        let kind = query.kind.as_deref().map(kind).transpose()?;
        let after = query.after.as_deref().map(parse::<RecordId>).transpose()?;
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok());
        let mut skipping = after.is_some();
        let mut found = Vec::new();
        self.visit(space.as_ref(), kind, &mut |row| {
            if skipping {
                skipping = after != Some(row.record);
                return ControlFlow::Continue(());
            }
            let changed = row.view.latest.as_ref().map_or(0, |one| one.written_at.milliseconds());
            if query.changed_since.is_none_or(|since| changed >= since) {
                found.push(self.record_view(row));
            }
            if limit.is_some_and(|limit| found.len() >= limit) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(found)
    }

    pub(super) fn visit(
        &self,
        space: Option<&SpaceId>,
        kind: Option<Kind>,
        visit: &mut dyn FnMut(RecordRow) -> ControlFlow<()>,
    ) -> Result<(), ApiError> {
        Ok(self.replica.rows(&self.disk, space, kind, visit)?)
    }

    /// Contacts with a function, of an organisation.
    pub fn contacts(&self, query: &ContactsQuery) -> Result<Vec<RecordView>, ApiError> {
        let mut found = Vec::new();
        self.visit(None, Some(Kind::Contact), &mut |row| {
            let functions = row.view.fields.get("functions").and_then(Value::as_array);
            let has = |wanted: &String| {
                functions.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(wanted)))
            };
            let creator = row.view.creation.as_ref().map(|one| one.organisation.to_string());
            if query.function.as_ref().is_none_or(has)
                && query.organisation.as_ref().is_none_or(|one| creator.as_ref() == Some(one))
            {
                found.push(self.record_view(row));
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// A record of a kind by its id or the beginning of it.
    pub(super) fn find(&self, kind: Kind, text: &str) -> Result<(SpaceId, RecordId), ApiError> {
        let wanted = text.trim().trim_end_matches('…').to_lowercase();
        let mut every = Vec::new();
        self.visit(None, Some(kind), &mut |row| {
            let name = ["title", "name"].iter().find_map(|field| row.view.fields.get(*field));
            let name = name.and_then(Value::as_str).unwrap_or_default().to_lowercase();
            every.push((name, row.space, row.record));
            ControlFlow::Continue(())
        })?;
        // The whole title says more than its beginning, and that more than a part of it.
        let ways: [Way<'_>; 4] = [
            &|_, id| id.starts_with(&wanted),
            &|name, _| name == wanted,
            &|name, _| name.starts_with(&wanted),
            &|name, _| name.contains(&wanted),
        ];
        let fitting = |way: &Way<'_>| -> Vec<(SpaceId, RecordId)> {
            let fits = |(name, space, record): &&(String, SpaceId, RecordId)| {
                way(name, &record.to_string()) || way(name, &space.to_string())
            };
            every.iter().filter(fits).map(|(_, space, record)| (*space, *record)).collect()
        };
        let ways = ways.iter().filter(|_| !wanted.is_empty());
        let found = ways.map(fitting).find(|found| !found.is_empty()).unwrap_or_default();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(ApiError::not_found(kind.name())),
            _ => Err(ApiError::new(
                ErrorCode::Ambiguous,
                format!("{} records fit “{text}”", found.len()),
                "give more of the identifier",
            )),
        }
    }

    /// Who changed what in a record.
    pub fn history(
        &mut self,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<Vec<HistoryView>, ApiError> {
        let items = self.step(|replica, disk, _| replica.history(disk, space, record))?;
        let view = |item: &sincronia_protocol::record::HistoryItem| HistoryView {
            origin: self.origin_view(&item.origin),
            comment: item.comment.clone(),
            changes: item
                .changes
                .iter()
                .map(|one| (one.field.clone(), one.from.clone(), one.to.clone()))
                .collect(),
            settled: item.changes.iter().filter_map(settled).collect(),
        };
        Ok(items.iter().map(view).collect())
    }

    /// Records in conflict.
    pub fn conflicts(&self) -> Result<Vec<RecordView>, ApiError> {
        let concerned: Vec<_> = self
            .replica
            .summaries()
            .filter(|(_, summary)| summary.conflicts > 0)
            .map(|(space, _)| *space)
            .collect();
        let mut found = Vec::new();
        for space in concerned {
            self.visit(Some(&space), None, &mut |row| {
                if !row.view.conflicts.is_empty() {
                    found.push(self.record_view(row));
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(found)
    }

    /// Ends a conflict by writing the value that stands.
    pub fn resolve(
        &mut self,
        space: &SpaceId,
        record: &RecordId,
        request: ResolveRequest,
    ) -> Result<RecordView, ApiError> {
        let row = self.row(space, record)?;
        let conflict = row.view.conflicts.iter().find(|one| one.field == request.field);
        let conflict = conflict.ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                "this field is not in conflict",
                "list what is: `sincronia conflict list`",
            )
        })?;
        let chosen = match (&request.value, &request.entry) {
            (Some(value), None) => Some(value.clone()),
            (None, Some(entry)) => {
                let entry: EntryHash = parse(entry)?;
                let values = conflict.values.iter();
                values.filter(|one| one.origin.entry == entry).map(|one| one.value.clone()).next()
            }
            _ => None,
        };
        let chosen = chosen.ok_or_else(|| {
            ApiError::new(
                ErrorCode::Invalid,
                "it is not said which value stands",
                "give either a value, or the entry whose value stands",
            )
        })?;
        let fields = Map::from_iter([(request.field, chosen)]);
        let act = Act { operator: request.operator, comment: request.comment };
        self.write(*space, WriteTarget::Existing(*record), fields, act)
    }

    /// Finds records in which every word stands somewhere.
    pub fn search(&mut self, query: &SearchQuery) -> Result<Vec<SearchHit>, ApiError> {
        let words: Vec<String> =
            query.q.split_whitespace().map(str::to_lowercase).take(16).collect();
        if words.is_empty() {
            return Err(ApiError::new(ErrorCode::Invalid, "nothing to look for", "give a word"));
        }
        let kind = query.kind.as_deref().map(kind).transpose()?;
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(50).min(limits::SEARCH_RESULTS_MAX);
        let mut hits = Vec::new();
        let former = self.former_names(&words)?;
        self.visit(None, kind, &mut |row| {
            hits.extend(self.hit(&row, &words, &former));
            if hits.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(hits)
    }

    fn hit(&self, row: &RecordRow, words: &[String], former: &FormerNames) -> Option<SearchHit> {
        let mut texts = self.named_in(row, former);
        let fields = row.view.fields.iter();
        texts.extend(fields.map(|(name, value)| (name.as_str(), plain(value))));
        let contains = |word: &String| texts.iter().any(|(_, text)| lower(text).contains(word));
        if !words.iter().all(contains) {
            return None;
        }
        let first = words.first()?;
        let (field, text) = texts.iter().find(|(_, text)| lower(text).contains(first))?;
        let creator = row.view.creation.as_ref().map(|origin| self.name_of(&origin.organisation));
        Some(SearchHit {
            space: row.space.to_string(),
            record: row.record.to_string(),
            kind: row.kind.to_string(),
            title: title(&row.view),
            organisation_name: creator.unwrap_or_default(),
            field: (*field).to_owned(),
            text: text.chars().take(160).collect(),
        })
    }

    /// Writes many records: all of them, or with `partial` the good ones.
    pub fn batch(&mut self, request: BatchRequest) -> Result<BatchResult, ApiError> {
        if request.rows.len() > limits::IMPORT_ROWS_MAX {
            return Err(ApiError::new(ErrorCode::TooLarge, "too many rows", "split the file"));
        }
        // Said once, and not of each row.
        self.check_speaks()?;
        let space = match request.space.as_deref() {
            Some(text) => parse(text)?,
            None => self.directory()?.ok_or_else(|| ApiError::not_found("directory"))?,
        };
        let kind = kind(&request.kind)?;
        self.check_place(&space, kind)?;
        let mut result = BatchResult { written: 0, refused: 0, rows: Vec::new() };
        let outcome = self.atomically(|core| {
            for (number, fields) in (1..).zip(request.rows) {
                let act = Act { operator: request.operator.clone(), comment: None };
                let row = core.batch_row(space, kind, number, fields, act);
                result.written += u64::from(row.problems.is_empty());
                result.refused += u64::from(!row.problems.is_empty());
                result.rows.push(row);
            }
            let keep = !request.dry_run && (request.partial || result.refused == 0);
            if keep { Ok(()) } else { Err(ApiError::not_found("row")) }
        });
        if outcome.is_err() {
            result.written = 0;
            for row in &mut result.rows {
                row.record = None;
            }
        }
        Ok(result)
    }

    fn batch_row(
        &mut self,
        space: SpaceId,
        kind: Kind,
        number: u64,
        fields: Map<String, Value>,
        act: Act,
    ) -> BatchRow {
        match self.write(space, WriteTarget::New(kind), fields, act) {
            Ok(record) => BatchRow { row: number, record: Some(record.id), problems: Vec::new() },
            Err(error) => {
                let whole = || FieldProblem {
                    row: Some(number),
                    field: String::new(),
                    code: "refused".into(),
                    message: error.message.clone(),
                    allowed: Vec::new(),
                };
                let mut problems = error.problems.clone();
                for problem in &mut problems {
                    problem.row = Some(number);
                }
                if problems.is_empty() {
                    problems.push(whole());
                }
                BatchRow { row: number, record: None, problems }
            }
        }
    }

    pub(super) fn record_view(&self, row: RecordRow) -> RecordView {
        let EntryCount { all, quarantined, waiting, newer } = row.entries;
        let conflicts = row.view.conflicts.iter().map(|conflict| ConflictView {
            field: conflict.field.clone(),
            values: conflict
                .values
                .iter()
                .map(|one| ValueView {
                    value: one.value.clone(),
                    origin: self.origin_view(&one.origin),
                })
                .collect(),
        });
        RecordView {
            space: row.space.to_string(),
            id: row.record.to_string(),
            kind: row.kind.to_string(),
            version: super::editing::version(&row.view),
            conflicts: conflicts.collect(),
            created: row.view.creation.as_ref().map(|origin| self.origin_view(origin)),
            changed: row.view.latest.as_ref().map(|origin| self.origin_view(origin)),
            fields: row.view.fields,
            entries: all,
            quarantined,
            waiting,
            newer,
        }
    }

    fn origin_view(&self, origin: &Origin) -> OriginView {
        OriginView {
            entry: origin.entry.to_string(),
            organisation: origin.organisation.to_string(),
            organisation_name: self.name_of(&origin.organisation),
            node: origin.node.to_string(),
            operator: origin.operator.clone(),
            written_at: origin.written_at.milliseconds(),
        }
    }
}

/// The values among which a change chose, if there were several.
fn settled(change: &FieldChange) -> Option<(String, Vec<Value>)> {
    let values = change.settled.iter().chain([&change.from]).cloned().collect();
    (!change.settled.is_empty()).then(|| (change.field.clone(), values))
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a record is called.
fn title(view: &View) -> String {
    let named = ["title", "name", "family_name", "text", "duty_text", "policy_no", "month"];
    let found = named.iter().find_map(|field| view.fields.get(*field)?.as_str());
    one_line(found.unwrap_or_default())
}
