//! The state of the node, and what is well or not.

use super::Core;
use crate::api::{ApiError, Check, Counts, PartnerState, Status};
use sincronia_protocol::record::Kind;
use std::collections::BTreeMap;

impl Core {
    /// The state of the node.
    pub fn status(&mut self) -> Result<Status, ApiError> {
        let partners = self.partners()?;
        let active = partners.iter().filter(|one| one.state != PartnerState::Blocked);
        let own = self.replica.organisation();
        let spaces = self.replica.summaries().filter(|(_, one)| one.role(&own).is_some());
        let traffic = self.network.traffic();
        let counts = Counts {
            partners: active.clone().count() as u64,
            connected: active.clone().filter(|one| one.sync.connected).count() as u64,
            in_sync: active.filter(|one| one.sync.phase == "in_sync").count() as u64,
            spaces: spaces.count() as u64,
            records: self.record_counts()?,
            conflicts: self.replica.summaries().map(|(_, one)| one.conflicts).sum(),
            quarantined: self.replica.summaries().map(|(_, one)| one.quarantined).sum(),
        };
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
            short_of_room: self.room.is_short(),
            catching_up: self.catching_up_view(),
            primary: self.replica.primary().map(|node| node.to_string()),
            projecting: self.replica.lags(),
            counts,
            bytes_sent: traffic.sent,
            bytes_received: traffic.received,
            bytes_stored: self.store.bytes(),
            partners,
        })
    }

    fn record_counts(&mut self) -> Result<BTreeMap<String, u64>, ApiError> {
        let counts = self.step(|replica, disk, _| replica.count_records(disk))?;
        let named = |(kind, count): (Kind, u64)| (kind.to_string(), count);
        Ok(counts.into_iter().map(named).collect())
    }

    /// What is well and what is not, each with what to do.
    pub fn doctor(&mut self) -> Result<Vec<Check>, ApiError> {
        let status = self.status()?;
        let unreached: Vec<_> = status
            .partners
            .iter()
            .filter(|one| !one.sync.connected && one.state != PartnerState::Blocked)
            // Who is reached by files is not waited for.
            .filter(|one| one.bundles.is_none())
            .map(|one| match &one.sync.last_failure {
                Some(failure) => format!("{}: {failure}", one.name),
                None => one.name.clone(),
            })
            .collect();
        let unverified: Vec<_> = status
            .partners
            .iter()
            .filter(|one| one.state == PartnerState::Joined)
            .map(|one| one.name.clone())
            .collect();
        let counts = &status.counts;
        Ok(vec![
            check("store", true, format!("{} bytes", status.bytes_stored), ""),
            check(
                "room",
                !status.short_of_room,
                self.room.free().map_or_else(|| "unknown".into(), |free| format!("{free} bytes")),
                "make room on the disk, or lower store.reserve_megabytes; until then nothing is \
                 exchanged",
            ),
            check(
                "addresses",
                status.closed || !status.addresses.is_empty(),
                status.addresses.join(", "),
                "check the listen addresses in sincronia.toml",
            ),
            check(
                "online",
                status.online || status.closed || status.revoked,
                on(&status),
                "run `sincronia online`",
            ),
            check(
                "one_copy",
                !status.cloned,
                "this node's log is nowhere longer than here".into(),
                "stop the other copy of this node",
            ),
            check(
                "certified",
                !status.revoked,
                if status.revoked { "revoked" } else { "this node speaks for its organisation" }
                    .into(),
                "this node was revoked: work on another one; keep its data or delete it",
            ),
            check(
                "caught_up",
                status.catching_up.is_none(),
                awaited(&status),
                "the restored node gives and takes access again once it has heard them; to go on \
                 without them: `sincronia backup finish`",
            ),
            check(
                "partners_reached",
                unreached.is_empty(),
                if unreached.is_empty() { "all".into() } else { unreached.join("; ") },
                "offline partners are reached when they return; check addresses if it stays so",
            ),
            check(
                "partners_verified",
                unverified.is_empty(),
                if unverified.is_empty() { "all".into() } else { unverified.join(", ") },
                "compare the six words by telephone: `sincronia partner verify`",
            ),
            check(
                "conflicts",
                counts.conflicts == 0,
                counts.conflicts.to_string(),
                "a person decides: `sincronia conflict list`",
            ),
            check(
                "quarantine",
                counts.quarantined == 0,
                counts.quarantined.to_string(),
                "late edits of removed members; write again what is still wanted",
            ),
        ])
    }
}

fn on(status: &Status) -> String {
    let text = match (status.closed, status.online) {
        (true, _) => "closed by its settings",
        (false, true) => "online",
        (false, false) => "offline",
    };
    text.into()
}

fn awaited(status: &Status) -> String {
    let names = status.catching_up.as_ref().map(|one| one.awaited.join("; "));
    names.unwrap_or_else(|| "nobody is waited for".into())
}

fn check(name: &str, ok: bool, detail: String, remedy: &str) -> Check {
    let remedy = (!ok).then(|| remedy.to_owned());
    Check { name: name.into(), ok, detail, remedy }
}
