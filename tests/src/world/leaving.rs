//! Nodes taken out of the world as they are on their disks, for tests that go on with them alone.

use super::{PeerIndex, World};
use sincronia_protocol::replica::Credentials;
use sincronia_protocol::storage::MemoryStorage;

/// A node that stands still.
pub struct Acquainted {
    /// Its keys.
    pub credentials: Credentials,
    /// What is on its disk.
    pub disk: MemoryStorage,
}

impl World {
    /// A copy of a node as it is on its disk now.
    #[must_use]
    pub fn leave(&self, peer: PeerIndex) -> Acquainted {
        let peer = &self.peers[peer];
        Acquainted { credentials: peer.credentials.clone(), disk: peer.disk.clone() }
    }
}
