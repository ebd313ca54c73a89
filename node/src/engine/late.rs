//! Entries that do not count: what they would change, and what a person decided of them.
//!
//! What a person decides counts on this machine alone: it changes nothing that others hold, and
//! an entry that counts one day after all counts whatever was decided.

use super::Core;
use super::members::parse;
use crate::api::{ApiError, QuarantineView};
use sincronia_protocol::ids::{EntryHash, SpaceId};
use sincronia_protocol::replica::{LateContent, QuarantineReason, Quarantined};

impl Core {
    /// Entries that do not count.
    pub fn quarantine(&mut self) -> Result<Vec<QuarantineView>, ApiError> {
        let found = self.step(|replica, disk, _| replica.quarantine(disk))?;
        found.iter().map(|one| self.quarantine_view(one)).collect()
    }

    fn quarantine_view(&mut self, one: &Quarantined) -> Result<QuarantineView, ApiError> {
        let reason = match one.reason {
            QuarantineReason::Late => "late",
            QuarantineReason::Unauthorised => "unauthorised",
            QuarantineReason::Refused => "refused",
            QuarantineReason::Forked => "forked",
        };
        let mut view = QuarantineView {
            space: one.space.to_string(),
            record: one.record.to_string(),
            author: one.author.to_string(),
            organisation_name: one.organisation.map(|id| self.name_of(&id)).unwrap_or_default(),
            sequence: one.sequence,
            reason: reason.into(),
            ..QuarantineView::default()
        };
        let content = self.step(|replica, disk, _| replica.late_content(disk, one))?;
        if let Some(content) = content {
            let noted = self.replica.setting(&self.disk, &decided_name(one))?;
            view.dismissed = noted.is_some_and(|noted| noted == content.entry.as_bytes());
            note_content(&mut view, content);
        }
        Ok(view)
    }

    /// Whether a person decided of an entry. Of a forked log another one may have taken the place
    /// of the one that was decided of.
    fn is_decided(&mut self, one: &Quarantined) -> Result<bool, ApiError> {
        let Some(noted) = self.replica.setting(&self.disk, &decided_name(one))? else {
            return Ok(false);
        };
        let content = self.step(|replica, disk, _| replica.late_content(disk, one))?;
        Ok(content.is_none_or(|content| noted == content.entry.as_bytes()))
    }

    /// How many of them nobody decided of yet. The state of the node is asked for often: as long
    /// as nobody decided of any, they are not looked at.
    pub(super) fn late_undecided(&mut self) -> Result<u64, ApiError> {
        let all = self.replica.summaries().map(|(_, one)| one.quarantined).sum();
        self.undecided_of(all, None)
    }

    /// As [`Self::late_undecided`], in one space, of which `all` do not count.
    pub(super) fn late_undecided_in(&mut self, space: &SpaceId, all: u64) -> Result<u64, ApiError> {
        self.undecided_of(all, Some(space))
    }

    fn undecided_of(&mut self, all: u64, space: Option<&SpaceId>) -> Result<u64, ApiError> {
        if all == 0 || self.replica.setting(&self.disk, DECIDED)?.is_none() {
            return Ok(all);
        }
        let mut found = self.step(|replica, disk, _| replica.quarantine(disk))?;
        found.retain(|one| space.is_none_or(|space| one.space == *space));
        let mut undecided = 0;
        for one in found {
            undecided += u64::from(!self.is_decided(&one)?);
        }
        Ok(undecided)
    }

    /// Notes that a person decided of an entry that does not count: nobody is warned of it again.
    pub fn dismiss_late(&mut self, entry: &str) -> Result<QuarantineView, ApiError> {
        let hash: EntryHash = parse(entry)?;
        for one in self.step(|replica, disk, _| replica.quarantine(disk))? {
            let content = self.step(|replica, disk, _| replica.late_content(disk, &one))?;
            if content.is_some_and(|content| content.entry == hash) {
                let name = decided_name(&one);
                self.step(|replica, _, _| {
                    replica.put_setting(DECIDED, &[])?;
                    replica.put_setting(&name, hash.as_bytes())
                })?;
                let view = self.quarantine_view(&one)?;
                // What was written a moment ago may not be read back yet.
                return Ok(QuarantineView { dismissed: true, ..view });
            }
        }
        Err(ApiError::not_found("entry"))
    }
}

fn note_content(view: &mut QuarantineView, content: LateContent) {
    view.entry = Some(content.entry.to_string());
    view.operator = content.operator;
    view.comment = content.comment;
    view.written_at = Some(content.written_at.milliseconds());
    view.is_new = content.is_new;
    view.fields = content.fields;
    view.inserted = content.inserted;
}

/// The setting that says whether a person decided of any entry.
const DECIDED: &str = "late decided";

/// The setting under which stands which entry a person decided of at a place.
fn decided_name(one: &Quarantined) -> String {
    format!("late decided {} {} {}", one.space, one.author, one.sequence)
}
