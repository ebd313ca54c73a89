//! Erasing records, and the certificates of erasures.

use super::Core;
use crate::api::{ApiError, ErasureSeat, ErasureView, ErrorCode, FormerMember};
use sincronia_protocol::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::record::kind_of;
use sincronia_protocol::replica::{Certificate, RecordRow, ReplicaError};
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
        Ok(self.erasure_view(space, found))
    }

    /// Every erased record of which this node knows.
    pub fn erasures(&mut self) -> Result<Vec<ErasureView>, ApiError> {
        let spaces = self.replica.spaces_with_erasures(&self.disk)?;
        let mut found = Vec::new();
        for space in spaces {
            let certificates = self.step(|replica, disk, _| replica.certificates(disk, &space))?;
            found.extend(certificates.into_iter().map(|one| self.erasure_view(&space, one)));
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

    fn erasure_view(&self, space: &SpaceId, certificate: Certificate) -> ErasureView {
        let Certificate { record, entries, late, confirmed, missing, out_of_reach } = certificate;
        ErasureView {
            space: space.to_string(),
            record: record.to_string(),
            kind: kind_of(&record).map(|kind| kind.name().to_owned()),
            entries,
            late,
            complete: missing.is_empty() && late == 0,
            confirmed: self.erasure_seats(&confirmed),
            missing: self.erasure_seats(&missing),
            out_of_reach: out_of_reach
                .iter()
                .map(|organisation| FormerMember {
                    organisation: organisation.to_string(),
                    name: self.name_of(organisation),
                })
                .collect(),
        }
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
