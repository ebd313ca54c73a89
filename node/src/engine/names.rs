//! Names of organisations, as far as they are known here.

use super::Core;
use sincronia_protocol::ids::OrganisationId;

impl Core {
    /// The name an organisation gave itself, or the beginning of its id.
    pub(super) fn name_of(&self, organisation: &OrganisationId) -> String {
        if *organisation == self.replica.organisation() {
            return self.name.clone();
        }
        let known = self.replica.partner(organisation).map(|partner| partner.name.clone());
        known.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{organisation:?}…"))
    }
}
