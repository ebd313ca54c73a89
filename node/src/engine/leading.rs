//! Where successions lead: from a body that is no more to the one that stands there now, to
//! several of which a person has to name one, or back to where they began.

use super::Core;
use crate::api::{ApiError, ErrorCode};
use crate::limits::PREDECESSORS_NAMED_MAX;
use sincronia_protocol::identity::{IdentityEntry, IdentityOperation, Succession};
use sincronia_protocol::ids::OrganisationId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// By organisation, who took its place: of one that was divided, several.
pub(super) type Steps = BTreeMap<OrganisationId, BTreeSet<OrganisationId>>;

/// The steps that these successions are.
fn steps(successions: impl IntoIterator<Item = Succession>) -> Steps {
    let mut steps = Steps::new();
    for one in successions {
        steps.entry(one.predecessor).or_default().insert(one.successor);
    }
    steps
}

/// Whom steps lead to from `start`, itself among them if they lead back.
pub(super) fn reached(steps: &Steps, start: &OrganisationId) -> BTreeSet<OrganisationId> {
    let (mut found, mut open) = (BTreeSet::new(), vec![*start]);
    while let Some(one) = open.pop() {
        let next = steps.get(&one).into_iter().flatten();
        open.extend(next.filter(|to| found.insert(**to)).copied());
    }
    found
}

/// The shortest way from one to the other, both among it; nothing if no steps lead there.
fn way_to(
    steps: &Steps,
    start: OrganisationId,
    end: OrganisationId,
) -> Option<Vec<OrganisationId>> {
    let (mut before, mut open) = (BTreeMap::new(), VecDeque::from([start]));
    while let Some(one) = open.pop_front().filter(|one| *one != end) {
        for next in steps.get(&one).into_iter().flatten().filter(|next| **next != start) {
            before.entry(*next).or_insert_with(|| {
                open.push_back(*next);
                one
            });
        }
    }
    let mut way = vec![end];
    let mut here = end;
    while let Some(one) = before.get(&here).filter(|_| here != start) {
        way.push(*one);
        here = *one;
    }
    way.reverse();
    (here == start && start != end).then_some(way)
}

impl Core {
    /// What both sides signed.
    pub(super) fn mutual_steps(&self) -> Steps {
        steps(self.replica.successions().into_iter().filter(Succession::is_mutual))
    }

    /// What both sides signed, and what this organisation signed itself. What another one says
    /// alone of it is a word that stops nobody.
    fn own_steps(&self) -> Steps {
        let own = self.replica.organisation();
        let counts = |one: &Succession| {
            let declared = one.predecessor == own && one.declared;
            let accepted = one.successor == own && one.accepted;
            declared || accepted || one.is_mutual()
        };
        steps(self.replica.successions().into_iter().filter(counts))
    }

    /// Whose place this organisation took, and who took its own, directly or by way of others.
    pub(super) fn around(&self) -> (BTreeSet<OrganisationId>, BTreeSet<OrganisationId>) {
        let own = self.replica.organisation();
        let steps = self.own_steps();
        let mut back = Steps::new();
        for (predecessor, successors) in &steps {
            for successor in successors {
                back.entry(*successor).or_default().insert(*predecessor);
            }
        }
        (reached(&back, &own), reached(&steps, &own))
    }

    /// Those of whom this organisation says, or both say, that they take its place, and by way of
    /// others it theirs.
    pub(super) fn in_circle(&self) -> Vec<OrganisationId> {
        let own = self.replica.organisation();
        let (before, after) = self.around();
        after.intersection(&before).filter(|one| **one != own).copied().collect()
    }

    /// Whether each of the two would take the other's place, once the second took the first's.
    pub(super) fn leads_back(
        &self,
        predecessor: &OrganisationId,
        successor: &OrganisationId,
    ) -> bool {
        reached(&self.own_steps(), successor).contains(predecessor)
    }

    /// Nobody takes the place of a body that took its own: of two that do, nobody knows which goes
    /// on, and what was signed is never unsaid. So it is not taken into the log at all.
    pub(super) fn check_leads_on(&self, entries: &[IdentityEntry]) -> Result<(), ApiError> {
        let own = self.replica.organisation();
        let mut steps = self.own_steps();
        for entry in entries {
            let (predecessor, successor, other) = match &entry.statement.operation {
                IdentityOperation::SucceededBy { organisation } => {
                    (own, *organisation, organisation)
                }
                IdentityOperation::Succeeds { organisation } => (*organisation, own, organisation),
                _ => continue,
            };
            if reached(&steps, &successor).contains(&predecessor) {
                return Err(self.circle(other, SEE_SIGNED));
            }
            steps.entry(predecessor).or_default().insert(successor);
        }
        Ok(())
    }

    /// That conventions would only go back and forth between this organisation and another.
    pub(super) fn check_passes_on(
        &self,
        predecessor: &OrganisationId,
        successor: &OrganisationId,
    ) -> Result<(), ApiError> {
        if !self.leads_back(predecessor, successor) {
            return Ok(());
        }
        let own = self.replica.organisation();
        let other = if *predecessor == own { successor } else { predecessor };
        Err(self.circle(other, MAKE_ANEW))
    }

    fn circle(&self, other: &OrganisationId, remedy: &str) -> ApiError {
        let name = self.name_of(other);
        let message = format!("this organisation and another would each take the place of: {name}");
        ApiError::new(ErrorCode::NotPermitted, message, remedy)
    }

    /// Whether a body named several that take its place: none of them is that body under another
    /// name, also while not all of them have accepted.
    pub(super) fn is_divided(&self, organisation: &OrganisationId) -> bool {
        self.replica.identity(organisation).is_some_and(|one| one.successors().len() > 1)
    }

    /// From a body that stands somewhere to the one that stands there now, both among them; nothing
    /// if nobody took its place, or steps do not lead to the one that is `meant`.
    ///
    /// # Errors
    /// When a body on the way was divided or steps lead back, and nobody says who is meant.
    pub(super) fn way_on(
        &self,
        steps: &Steps,
        start: OrganisationId,
        meant: Option<OrganisationId>,
    ) -> Result<Vec<OrganisationId>, ApiError> {
        if let Some(meant) = meant {
            return Ok(way_to(steps, start, meant).unwrap_or_default());
        }
        let mut way = vec![start];
        let mut here = start;
        while let Some(all) = steps.get(&here) {
            let (Some(next), false) = (all.first(), self.is_divided(&here)) else {
                return Err(self.divided(&here, all));
            };
            if way.contains(next) {
                return Err(self.in_turn(&way));
            }
            way.push(*next);
            here = *next;
        }
        Ok(if way.len() > 1 { way } else { Vec::new() })
    }

    fn divided(
        &self,
        predecessor: &OrganisationId,
        accepted: &BTreeSet<OrganisationId>,
    ) -> ApiError {
        let declared = self.replica.identity(predecessor).map(|one| one.successors().keys());
        let shown = declared.into_iter().flatten().take(PREDECESSORS_NAMED_MAX);
        let shown = shown.map(|one| {
            let mark = if accepted.contains(one) { "" } else { " (?)" };
            format!("{}{mark}", self.name_of(one))
        });
        let names = shown.collect::<Vec<_>>().join("; ");
        ApiError::new(
            ErrorCode::Ambiguous,
            format!("several were named to take the place of a body that stands there: {names}"),
            "say which of them stands there now: `sincronia succession follow --to ORGANISATION \
             CONVENTION`; with (?): it has not accepted, as far as is known here",
        )
    }

    fn in_turn(&self, way: &[OrganisationId]) -> ApiError {
        let names = way.iter().take(PREDECESSORS_NAMED_MAX).map(|one| self.name_of(one));
        let names = names.collect::<Vec<_>>().join("; ");
        ApiError::new(
            ErrorCode::Conflict,
            format!(
                "each takes the other's place, as was signed, and nobody stands there: {names}"
            ),
            "agree which of them goes on, and say so: `sincronia succession follow --to \
             ORGANISATION CONVENTION`",
        )
    }
}

/// What to do about a circle that was not signed.
const SEE_SIGNED: &str = "see in `sincronia succession list` what was signed: nobody unsays it";
/// What to do about a circle that was signed.
const MAKE_ANEW: &str = "agree which of the two goes on; it makes anew what is to pass: \
                         `sincronia convention new`";

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> OrganisationId {
        OrganisationId::from_bytes([number; 32])
    }

    fn known(pairs: &[(u8, u8)]) -> Steps {
        let mut steps = Steps::new();
        for (from, to) in pairs {
            steps.entry(id(*from)).or_default().insert(id(*to));
        }
        steps
    }

    #[test]
    fn a_way_is_found_where_steps_part_and_lead_back() {
        let steps = known(&[(1, 2), (2, 1), (2, 4), (4, 3), (2, 5)]);
        let way = |start, end| way_to(&steps, id(start), id(end));
        assert_eq!(way(1, 3), Some([1, 2, 4, 3].map(id).to_vec()));
        assert_eq!(way(2, 1), Some([2, 1].map(id).to_vec()));
        assert_eq!((way(3, 1), way(1, 1), way(6, 6)), (None, None, None));
    }

    #[test]
    fn who_is_reached_is_itself_only_in_a_circle() {
        let steps = known(&[(1, 2), (2, 3), (3, 2)]);
        assert_eq!(reached(&steps, &id(1)), [2, 3].map(id).into());
        assert!(reached(&steps, &id(2)).contains(&id(2)));
    }
}
