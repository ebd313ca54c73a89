//! A local edit: made, sealed, chained, signed, and reflected in its row, in one step.

use super::portion::Portion;
use super::projection::Opened;
use super::stored::{Head, StoredEntry};
use super::{Growth, Replica, ReplicaError, keys};
use crate::access::Role;
use crate::codec;
use crate::ids::{EntryHash, RecordId, SpaceId};
use crate::limits;
use crate::log::{Header, LogPosition, OPERATION_CHANGE, Payload};
use crate::record::{Author, Edits, Kind, Record, derive_id};
use crate::storage::{Storage, Table};
use crate::text;
use crate::time::Timestamp;
use rand_core::CryptoRng;

/// What a person wants written.
#[derive(Clone, Debug)]
pub struct WriteRequest {
    /// Where.
    pub space: SpaceId,
    /// Which record, or a new one of a kind.
    pub target: WriteTarget,
    /// The wanted field values.
    pub edits: Edits,
    /// Who.
    pub operator: String,
    /// Why.
    pub comment: Option<String>,
}

/// The record to write.
#[derive(Clone, Copy, Debug)]
pub enum WriteTarget {
    /// A record that does not exist yet.
    New(Kind),
    /// One that does.
    Existing(RecordId),
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The record.
    pub record: RecordId,
    /// The entry.
    pub entry: EntryHash,
}

impl Replica {
    /// Writes a change of one record.
    ///
    /// # Errors
    /// [`ReplicaError::Edit`] when a value is not possible; [`ReplicaError::NotPermitted`] when
    /// this organisation is not a contributor; [`ReplicaError::KeyMissing`] before the first sync
    /// brought the key; [`ReplicaError::Cloned`] when another copy of this node runs.
    pub fn write(
        &mut self,
        disk: &dyn Storage,
        request: WriteRequest,
        now: Timestamp,
        random: &mut dyn CryptoRng,
    ) -> Result<Written, ReplicaError> {
        if self.cloned {
            return Err(ReplicaError::Cloned);
        }
        if self.doubts_own_logs() {
            return Err(ReplicaError::CatchingUp);
        }
        self.check_speaks()?;
        check_texts(&request)?;
        let space = request.space;
        if self.dirty.contains(&space) {
            self.project_space(disk, &space, &mut Portion::of(usize::MAX))?;
        }
        let author = self.author(disk, &space)?;
        let (record, change) = match request.target {
            WriteTarget::New(kind) => {
                let mut nonce = [0; 8];
                random.fill_bytes(&mut nonce);
                let record = derive_id(kind, &author.node, nonce);
                let unknown = |_| ReplicaError::Unknown("kind of record");
                let document = Record::new(record).map_err(unknown)?;
                (record, document.edit_on(&author, &request.edits, Some(nonce), now)?)
            }
            WriteTarget::Existing(record) => {
                let document = self.record(disk, &space, &record)?;
                (record, document.edit_on(&author, &request.edits, None, now)?)
            }
        };
        let payload = Payload {
            record,
            operation_code: OPERATION_CHANGE,
            operation: change.encode(),
            operator: request.operator,
            written_at: now,
            comment: request.comment,
        };
        let opened = self.append_own(disk, &space, payload)?;
        let entry = opened.hash;
        self.absorb(disk, &space, &record, vec![opened])?;
        self.refresh_summary(disk, &space)?;
        Ok(Written { record, entry })
    }

    fn author(&mut self, disk: &dyn Storage, space: &SpaceId) -> Result<Author, ReplicaError> {
        let (node, organisation) = (self.node(), self.organisation());
        let summary = self.summaries.get(space).ok_or(ReplicaError::Unknown("space"))?;
        if summary.is_aside {
            return Err(ReplicaError::NotPermitted);
        }
        let state = self.space(disk, space)?;
        if state.forks.contains_key(&node) {
            // Nobody takes more of a forked log: what is written into it is written for nobody.
            return Err(ReplicaError::Cloned);
        }
        let access = &state.access;
        let interval = access
            .members()
            .get(&organisation)
            .and_then(|member| member.intervals.last())
            .filter(|last| last.ended.is_none() && last.role == Role::Contributor);
        let interval = interval.ok_or(ReplicaError::NotPermitted)?;
        if access.role(&organisation) != Some(Role::Contributor)
            || access.cut_nodes().contains_key(&node)
        {
            return Err(ReplicaError::NotPermitted);
        }
        Ok(Author { node, organisation, grant: interval.from })
    }

    fn append_own(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        payload: Payload,
    ) -> Result<Opened, ReplicaError> {
        let (node, organisation) = (self.node(), self.organisation());
        let state = self.space(disk, space)?;
        let begun = || Head::begin(space, &node, organisation);
        let head = state.heads.get(&node).copied().unwrap_or_else(begun);
        let epoch = state.access.epoch();
        let header = Header {
            space: *space,
            author: node,
            sequence: head.position.length,
            previous: head.position.head,
            access: state.access.access_point(),
            epoch,
        };
        let key = state.key_at(epoch).ok_or(ReplicaError::KeyMissing)?;
        let text = zeroize::Zeroizing::new(codec::encode(&payload));
        let body = key
            .seal_body(&header.associated_data(), &text)
            .map_err(|_| ReplicaError::Limit("bytes of one change"))?;
        let hash = header.hash(&body);
        let signature = Header::sign(&hash, &self.credentials.node_key);
        let stored = StoredEntry {
            previous: header.previous,
            access: header.access,
            epoch,
            body: body.into(),
            signature: Some(signature),
        };
        let length = header.sequence + 1;
        self.pending.put(
            Table::Entries,
            keys::entry(space, &node, header.sequence),
            stored.encode(),
        );
        let position = LogPosition { length, head: hash };
        self.put_head(disk, space, &node, Head { position, projected: length, ..head })?;
        self.settle_grown(disk, space, &node)?;
        self.growth.push(Growth::Entries { space: *space, author: node, from: header.sequence });
        Ok(Opened { header, hash, payload })
    }
}

fn check_texts(request: &WriteRequest) -> Result<(), ReplicaError> {
    if request.operator.len() > limits::OPERATOR_BYTES_MAX {
        return Err(ReplicaError::Limit("length of the operator's name"));
    }
    if request.comment.as_ref().is_some_and(|text| text.len() > limits::COMMENT_BYTES_MAX) {
        return Err(ReplicaError::Limit("length of the comment"));
    }
    if !text::is_line(&request.operator) {
        return Err(ReplicaError::Text("the operator's name"));
    }
    if !request.comment.as_deref().is_none_or(text::is_prose) {
        return Err(ReplicaError::Text("the comment"));
    }
    Ok(())
}
