//! `verify`: everything stored, checked again.

use super::Core;
use crate::api::{ApiError, VerifyReport};

impl Core {
    /// Checks chains and signatures, and with `deep` every record.
    pub fn verify(&mut self, deep: bool) -> Result<VerifyReport, ApiError> {
        let found = self.step(|replica, disk, _| replica.verify(disk, deep))?;
        Ok(VerifyReport {
            identity_entries: found.identity_entries,
            access_entries: found.access_entries,
            author_entries: found.author_entries,
            records: found.records,
            problems: found.problems,
        })
    }
}
