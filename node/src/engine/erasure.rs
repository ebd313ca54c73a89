//! Erasing records, and the certificates of erasures.

use super::{Core, now};
use crate::api::{ApiError, ErasureSeat, ErasureView, ErrorCode, OutOfReach};
use sincronia_protocol::codec;
use sincronia_protocol::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::kind_of;
use sincronia_protocol::replica::{Certificate, Event, RecordRow, ReplicaError};
use std::collections::BTreeMap;
use tracing::warn;

impl Core {
    /// Erases a record for every member of its space.
    pub fn erase_record(
        &mut self,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<ErasureView, ApiError> {
        self.check_owner(space)?;
        let primary = |error| match error {
            // Whose space it is was checked: it is this node that may not.
            ReplicaError::NotPermitted => ApiError::new(
                ErrorCode::NotPermitted,
                "this is not the primary node of this organisation",
                "erase the record on the organisation's primary node",
            ),
            other => other.into(),
        };
        self.replica.erase(&self.disk, space, record).map_err(primary)?;
        let certificates = self.step(|replica, disk, _| replica.certificates(disk, space))?;
        let found = certificates.into_iter().find(|one| one.record == *record);
        let found = found.ok_or_else(|| ApiError::not_found("record"))?;
        let mut view = self.erasure_view(space, found)?;
        view.at.get_or_insert(now().milliseconds());
        Ok(view)
    }

    /// Notes when this node carried an erasure out: the access log, which has no clock, does not
    /// say. It is noted once.
    pub(super) fn note_erased(&mut self, event: &Event) {
        let Event::Erased { space, record, own_edit } = event else { return };
        if *own_edit && let Err(error) = self.note_lost(space, record) {
            warn!(%error, "that an edit went with an erasure was not noted");
        }
        let at = now().milliseconds().to_be_bytes();
        let noted = match self.erased_at(space, record) {
            Ok(None) => self.replica.put_setting(&erased_name(space, record), &at),
            Ok(Some(_)) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            warn!(%error, "when a record was erased was not noted");
        }
    }

    /// Notes that an edit of this node, which whoever erased had not seen, went with a record.
    fn note_lost(&mut self, space: &SpaceId, record: &RecordId) -> Result<(), ReplicaError> {
        let mut lost = self.lost()?;
        lost.retain(|(_, one)| one != record);
        lost.push((*space, *record));
        lost.drain(..lost.len().saturating_sub(LOST_MAX));
        self.replica.put_setting(LOST, &codec::encode(&lost))
    }

    fn lost(&self) -> Result<Vec<(SpaceId, RecordId)>, ReplicaError> {
        let noted = self.replica.setting(&self.disk, LOST)?;
        Ok(noted.and_then(|bytes| codec::decode(&bytes).ok()).unwrap_or_default())
    }

    /// The records, each with what its space is called, with which an edit of this node went
    /// lately. After a while nobody is told any more: nothing brings it back.
    pub(super) fn lost_lately(&self) -> Result<Vec<String>, ApiError> {
        let mut told = Vec::new();
        for (space, record) in self.lost()? {
            let at = self.erased_at(&space, &record)?.unwrap_or_default();
            if now().milliseconds().saturating_sub(at) < LOST_TOLD_MS {
                let title = self.title_of_space(&space)?;
                let title = (!title.is_empty()).then(|| format!(" ({title})"));
                told.push(format!("{record}{}", title.unwrap_or_default()));
            }
        }
        Ok(told)
    }

    fn erased_at(&self, space: &SpaceId, record: &RecordId) -> Result<Option<u64>, ReplicaError> {
        let noted = self.replica.setting(&self.disk, &erased_name(space, record))?;
        Ok(noted.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes))
    }

    /// The title of the convention of a space, or that the space is a directory.
    fn title_of_space(&self, space: &SpaceId) -> Result<String, ApiError> {
        let title = self.space_title(space)?;
        let is_kind = title.parse::<sincronia_protocol::record::Kind>().is_ok();
        Ok(if is_kind { String::new() } else { title })
    }

    /// Every erased record of which this node knows.
    pub fn erasures(&mut self) -> Result<Vec<ErasureView>, ApiError> {
        let spaces = self.replica.spaces_with_erasures(&self.disk)?;
        let mut found = Vec::new();
        for space in spaces {
            let certificates = self.step(|replica, disk, _| replica.certificates(disk, &space))?;
            for certificate in certificates {
                found.push(self.erasure_view(&space, certificate)?);
            }
        }
        Ok(found)
    }

    fn check_owner(&self, space: &SpaceId) -> Result<(), ApiError> {
        let summary = self.replica.summary(space);
        let owner = summary.ok_or_else(|| ApiError::not_found("space"))?.owner;
        if owner == self.replica.organisation() {
            return Ok(());
        }
        let name = self.name_of(&owner);
        Err(ApiError::new(
            ErrorCode::NotPermitted,
            format!("only the owner of the space may erase its records: {name}"),
            "ask the owner to erase it",
        ))
    }

    /// The row of a record, or that it was erased.
    pub(super) fn row(
        &mut self,
        space: &SpaceId,
        record: &RecordId,
    ) -> Result<RecordRow, ApiError> {
        self.step(|replica, disk, _| match replica.row(disk, space, record) {
            Err(ReplicaError::Unknown(_))
                if replica.is_erased(disk, space, record).unwrap_or(false) =>
            {
                Err(ReplicaError::Erased)
            }
            outcome => outcome,
        })
    }

    /// Has entries erased that came after the erasure of their record, where that is for this node
    /// to say.
    pub(super) fn settle_erasures(&mut self) {
        for space in self.replica.erasures_due() {
            if let Err(error) = self.replica.settle_erasures(&self.disk, &space) {
                warn!(%error, "late entries of an erased record could not be erased");
            }
        }
    }

    fn erasure_view(
        &self,
        space: &SpaceId,
        certificate: Certificate,
    ) -> Result<ErasureView, ApiError> {
        let Certificate { record, entries, late, confirmed, missing, out_of_reach, since } =
            certificate;
        let by = match since {
            Some(at) => self.replica.signers(&self.disk, space, at..at.saturating_add(1))?,
            None => BTreeMap::new(),
        };
        let by = by.into_keys().next();
        Ok(ErasureView {
            space: space.to_string(),
            record: record.to_string(),
            kind: kind_of(&record).map(|kind| kind.name().to_owned()),
            title: self.title_of_space(space)?,
            by: by.map(|organisation| organisation.to_string()),
            by_name: by.map(|organisation| self.name_of(&organisation)),
            at: self.erased_at(space, &record)?,
            entries,
            late,
            complete: missing.is_empty() && late == 0,
            confirmed: self.erasure_seats(&confirmed),
            missing: self.erasure_seats(&missing),
            out_of_reach: out_of_reach
                .iter()
                .map(|(organisation, node)| OutOfReach {
                    organisation: organisation.to_string(),
                    name: self.name_of(organisation),
                    node: node.map(|node| node.to_string()),
                })
                .collect(),
        })
    }

    fn erasure_seats(&self, seats: &[(OrganisationId, NodeId)]) -> Vec<ErasureSeat> {
        let seat = |(organisation, node): &(OrganisationId, NodeId)| ErasureSeat {
            organisation: organisation.to_string(),
            name: self.name_of(organisation),
            node: node.to_string(),
        };
        seats.iter().map(seat).collect()
    }
}

/// The setting under which stand records with which an edit of this node was erased.
const LOST: &str = "own edits erased";
/// So many of them are remembered.
const LOST_MAX: usize = 64;
/// So long they are told: a month, within which somebody looks.
const LOST_TOLD_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The setting under which stands when this node carried out an erasure.
fn erased_name(space: &SpaceId, record: &RecordId) -> String {
    format!("erasure noted {space} {record}")
}
