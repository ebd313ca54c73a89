//! What must hold after every step, and after quiet.

use super::{PeerIndex, World};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::storage::Table;

/// Two members that show different things after quiet.
#[derive(Debug)]
pub struct Disagreement {
    /// The members.
    pub between: (PeerIndex, PeerIndex),
    /// What they show.
    pub shows: (String, String),
}

impl World {
    /// After quiet, all members that may read the whole history of a space show the same. A member
    /// admitted "from now" lacks earlier keys, and with them whatever builds on earlier entries.
    ///
    /// # Errors
    /// The first pair that does not.
    pub fn check_agreement(
        &mut self,
        owner: PeerIndex,
        space: &SpaceId,
    ) -> Result<(), Box<Disagreement>> {
        let reference = self.peer(owner).shows(space);
        for member in self.members(owner, space) {
            if self.peer_mut(member).unreadable(space) > 0 {
                continue;
            }
            let shown = self.peer(member).shows(space);
            if shown != reference {
                return Err(Box::new(Disagreement {
                    between: (owner, member),
                    shows: (format!("{reference:#?}"), format!("{shown:#?}")),
                }));
            }
        }
        Ok(())
    }

    /// No disk holds `canary` in clear: not where it may be read, much less where it may not.
    ///
    /// # Panics
    /// When one does.
    pub fn check_no_plaintext(&self, canary: &str) {
        for peer in 0..self.len() {
            for table in Table::ALL {
                for (_, value) in self.peer(peer).disk.values(table) {
                    let found = value.windows(canary.len()).any(|part| part == canary.as_bytes());
                    assert!(!found, "seed {}: peer {peer}, {}", self.seed(), table.name());
                }
            }
        }
    }
}
