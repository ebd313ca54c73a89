//! Names of organisations, as far as they are known here.

use super::conventions::parties;
use super::{Core, now};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::RecordRow;
use std::collections::BTreeMap;

/// By organisation, the names of those whose place it took.
pub(super) type FormerNames = BTreeMap<OrganisationId, Vec<String>>;

impl Core {
    /// The name an organisation gave itself, or by which a common partner presented it, or by which
    /// its predecessor calls it; else the beginning of its id.
    pub(super) fn name_of(&self, organisation: &OrganisationId) -> String {
        if *organisation == self.replica.organisation() {
            return self.name.clone();
        }
        let known = self.replica.partner(organisation).map(|partner| partner.name.clone());
        known
            .filter(|name| !name.is_empty())
            .or_else(|| self.name_presented(organisation))
            .or_else(|| self.name_by_predecessor(organisation))
            .unwrap_or_else(|| format!("{organisation:?}…"))
    }

    fn name_presented(&self, organisation: &OrganisationId) -> Option<String> {
        let mut waiting = self.replica.introduced(now());
        let found = waiting.find(|one| one.organisation == *organisation);
        found.map(|one| one.presentation.name.clone()).filter(|name| !name.is_empty())
    }

    /// The old names that find the bodies of today.
    pub(super) fn former_names(&self) -> FormerNames {
        let mut found = FormerNames::new();
        for one in self.replica.successions().iter().filter(|one| one.is_mutual()) {
            found.entry(one.successor).or_default().push(self.name_of(&one.predecessor));
        }
        found
    }

    /// The names, of today and before, by which a search finds a record that holds identifiers.
    pub(super) fn named_in(
        &self,
        row: &RecordRow,
        former: &FormerNames,
    ) -> Vec<(&'static str, String)> {
        let before = |one: &OrganisationId| former.get(one).into_iter().flatten().cloned();
        match row.kind {
            Kind::Organisation => {
                let creator = row.view.creation.as_ref().map(|origin| origin.organisation);
                let names = creator.iter().flat_map(before);
                names.map(|name| ("formerly", name)).collect()
            }
            Kind::Convention => {
                let parties = parties(&row.view.fields).filter_map(|party| party.parse().ok());
                let names = parties.flat_map(|party: OrganisationId| {
                    std::iter::once(self.name_of(&party)).chain(before(&party))
                });
                let names: Vec<_> = names.collect();
                vec![("parties", names.join("; "))]
            }
            _ => Vec::new(),
        }
    }
}
