//! What waits for a person of this organisation, and what was declared of successions that no
//! program can settle.

use super::Core;
use super::doctor::check;
use crate::api::{ApiError, Check, DecisionsView};
use crate::foreign::one_line;
use crate::limits;
use sincronia_protocol::identity::Identity;
use sincronia_protocol::ids::{OrganisationId, SpaceId};
use sincronia_protocol::record::Kind;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

impl Core {
    /// What waits for a person here.
    pub(super) fn decisions(&mut self) -> Result<DecisionsView, ApiError> {
        let own = self.replica.organisation();
        let waiting = self.introductions().iter().filter(|one| !one.refused).count();
        let (mut to_accept, mut to_declare) = (BTreeSet::new(), BTreeSet::new());
        let (before, after) = self.around();
        for one in self.replica.successions() {
            // What would lead back is not signed.
            if one.successor == own && !one.accepted && !after.contains(&one.predecessor) {
                to_accept.insert(one.predecessor);
            }
            if one.predecessor == own && !one.declared && !before.contains(&one.successor) {
                to_declare.insert(one.successor);
            }
        }
        let names = |found: BTreeSet<OrganisationId>| {
            let shown = found.iter().take(limits::PASSED_SHOWN_MAX);
            shown.map(|one| self.name_of(one)).collect::<Vec<_>>()
        };
        let (to_accept, to_declare) = (names(to_accept), names(to_declare));
        let successors_apart =
            self.successors_apart().iter().map(|one| self.name_of(one)).collect();
        Ok(DecisionsView {
            introductions: waiting as u64,
            to_accept,
            to_declare,
            offers: self.offers_here()?,
            late: self.late_undecided()?,
            successors_apart,
        })
    }

    /// How many spaces are offered to this organisation by a body whose place it is said to take.
    fn offers_here(&mut self) -> Result<u64, ApiError> {
        let own = self.replica.organisation();
        let successions = self.replica.successions().into_iter();
        let before: BTreeSet<_> =
            successions.filter(|one| one.successor == own).map(|one| one.predecessor).collect();
        let theirs = self.replica.summaries().filter(|(_, one)| before.contains(&one.owner));
        let theirs: Vec<SpaceId> = theirs.map(|(space, _)| *space).collect();
        let mut offered = 0;
        for space in theirs {
            let to = self.step(|replica, disk, _| replica.offered(disk, &space))?;
            offered += u64::from(to == Some(own));
        }
        Ok(offered)
    }

    /// Those that two machines declared apart to take this organisation's place, while nobody
    /// united what they signed.
    fn successors_apart(&self) -> Vec<OrganisationId> {
        let identity = self.replica.identity(&self.replica.organisation());
        let divided = identity.filter(|one| one.is_divided() && one.successors().len() > 1);
        divided.map(Identity::successors_apart).unwrap_or_default()
    }

    /// What was declared of successions that no program can settle, and conventions that lie where
    /// every partner reads them.
    pub(super) fn placement_checks(
        &mut self,
        status: &DecisionsView,
    ) -> Result<[Check; 3], ApiError> {
        let circle: Vec<_> = self.in_circle().iter().map(|one| self.name_of(one)).collect();
        let apart = &status.successors_apart;
        let lying = self.conventions_in_directory()?;
        let or_none = |found: &[String]| match found {
            [] => "none".to_owned(),
            found => found.join("; "),
        };
        Ok([
            check(
                "successors_agreed",
                apart.is_empty(),
                or_none(apart),
                "each was declared at another machine, and nobody unsays it: once `sincronia node \
                 unite` was run both stand; offer each convention to the one that is meant, and \
                 tell the other that nothing passes to it",
            ),
            check(
                "successions_lead_on",
                circle.is_empty(),
                or_none(&circle),
                "each takes the other's place, as was signed, and nobody unsays it: agree which of \
                 them goes on; it makes anew what the other one had, and in others' conventions \
                 their owner says who stands there: “sincronia succession follow --to ORGANISATION \
                 CONVENTION”",
            ),
            check(
                "conventions_apart",
                lying.is_empty(),
                or_none(&lying),
                "they lie in the directory, which every partner reads: make each again with \
                 `sincronia convention new`, then erase this one with `sincronia erase RECORD`",
            ),
        ])
    }

    /// Spaces that can be read here and nobody is a member of any more, with their
    /// owners: a change of the root key set aside who founded them. A convention of the same title
    /// elsewhere is taken for the one that was made in its place.
    pub(super) fn spaces_aside(&self) -> Result<Vec<String>, ApiError> {
        let known = self.replica.summaries().filter(|(_, summary)| summary.is_aside);
        let aside: Vec<_> = known.map(|(space, summary)| (*space, summary.owner)).collect();
        if aside.is_empty() {
            return Ok(Vec::new());
        }
        let mut titles = BTreeSet::new();
        self.visit(None, Some(Kind::Convention), &mut |row| {
            if self.replica.own_role(&row.space).is_some() {
                let title = row.view.fields.get("title").and_then(serde_json::Value::as_str);
                titles.extend(title.map(one_line));
            }
            ControlFlow::Continue(())
        })?;
        let mut found = Vec::new();
        for (space, owner) in aside {
            let title = self.space_title(&space)?;
            // Of what this organisation only carried there is no record, and so no title.
            let is_read = !title.is_empty() && !titles.contains(&title);
            if is_read && found.len() < limits::PASSED_SHOWN_MAX {
                found.push(format!("{title} ({})", self.name_of(&owner)));
            }
        }
        Ok(found)
    }

    /// Conventions that lie in this organisation's directory, by title and identifier.
    fn conventions_in_directory(&self) -> Result<Vec<String>, ApiError> {
        let Some(directory) = self.directory()? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        self.visit(Some(&directory), Some(Kind::Convention), &mut |row| {
            let title = row.view.fields.get("title").and_then(serde_json::Value::as_str);
            found.push(format!("{} ({})", title.unwrap_or_default(), row.record));
            if found.len() < limits::PASSED_SHOWN_MAX {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(found)
    }
}
