//! The state of the node.

use super::Core;
use crate::api::{ApiError, Counts, PartnerState, Status};
use sincronia_protocol::access::Role;
use sincronia_protocol::identity::Identity;
use sincronia_protocol::record::Kind;
use std::collections::BTreeMap;

impl Core {
    /// The state of the node.
    pub fn status(&mut self) -> Result<Status, ApiError> {
        let partners = self.partners()?;
        let active = partners.iter().filter(|one| one.state != PartnerState::Blocked);
        let own = self.replica.organisation();
        let roles = || self.replica.summaries().filter_map(|(_, one)| one.role(&own));
        let (spaces, carried) = (roles().count(), roles().filter(|one| *one == Role::Carrier));
        let carried = carried.count() as u64;
        let traffic = self.network.traffic();
        let counts = Counts {
            partners: active.clone().count() as u64,
            connected: active.clone().filter(|one| one.sync.connected).count() as u64,
            in_sync: active.filter(|one| one.sync.phase == "in_sync").count() as u64,
            spaces: spaces as u64,
            carried,
            records: self.record_counts()?,
            conflicts: self.replica.summaries().map(|(_, one)| one.conflicts).sum(),
            quarantined: self.late_undecided()?,
        };
        let identity = self.replica.identity(&own);
        let revoked_aside = self.replica.removed_aside().iter().map(ToString::to_string).collect();
        let divided = identity.is_some_and(Identity::is_divided);
        Ok(Status {
            organisation: own.to_string(),
            name: self.name.clone(),
            node: self.replica.node().to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            addresses: self.announced(),
            online: self.online,
            closed: self.closed,
            cloned: self.replica.is_cloned(),
            revoked: self.replica.is_revoked(),
            set_aside: self.replica.is_set_aside(),
            divided,
            revoked_aside,
            spaces_aside: self.spaces_aside()?,
            sealing_replaced: self.replica.is_sealing_replaced(),
            short_of_room: self.room.is_short(),
            catching_up: self.catching_up_view(),
            primary: self.replica.primary().map(|node| node.to_string()),
            projecting: self.replica.lags(),
            counts,
            bytes_sent: traffic.sent,
            bytes_received: traffic.received,
            bytes_stored: self.store.bytes(),
            passed: self.passed_from_here()?,
            awaited_keys: self.awaited_keys(),
            awaited_bundles: self.awaited_bundles()?,
            missing: self.missing_bodies()?,
            decisions: self.decisions()?,
            partners,
        })
    }

    fn record_counts(&mut self) -> Result<BTreeMap<String, u64>, ApiError> {
        let counts = self.step(|replica, disk, _| replica.count_records(disk))?;
        let named = |(kind, count): (Kind, u64)| (kind.to_string(), count);
        Ok(counts.into_iter().map(named).collect())
    }
}
