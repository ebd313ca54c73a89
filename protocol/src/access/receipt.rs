//! What a node says of the erasures it carried out.

use crate::codec;
use crate::crypto::{CryptoError, Domain, NodeKey, Signature};
use crate::ids::{NodeId, SpaceId};
use crate::log::LogPosition;
use minicbor::{Decode, Encode};

/// The version of the format.
const VERSION: u8 = 1;

/// A node carried out every erasure up to a position of an access log. Of two of one node the
/// greater holds: numbers come first, since another branch that holds may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Confirmation {
    /// The node.
    #[n(0)]
    pub node: NodeId,
    /// How many it gave before in this space.
    #[n(1)]
    pub number: u64,
    /// The access log as the node knew it.
    #[n(2)]
    pub access: LogPosition,
}

/// A confirmation with its node's signature.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// Format version.
    #[n(0)]
    version: u8,
    /// The space.
    #[n(1)]
    pub space: SpaceId,
    /// What is confirmed.
    #[n(2)]
    pub confirmation: Confirmation,
    /// The node's signature.
    #[n(3)]
    signature: Signature,
}

impl Receipt {
    /// Signs a confirmation; `key` is the node's.
    #[must_use]
    pub fn sign(space: SpaceId, confirmation: Confirmation, key: &NodeKey) -> Self {
        let message = message(VERSION, &space, &confirmation);
        let signature = key.sign(Domain::ERASURE_RECEIPT, &message);
        Self { version: VERSION, space, confirmation, signature }
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`CryptoError`] when it does not hold or the format is unknown.
    pub fn verify(&self) -> Result<(), CryptoError> {
        let message = message(self.version, &self.space, &self.confirmation);
        if self.version != VERSION {
            return Err(CryptoError::Signature);
        }
        self.signature.verify(Domain::ERASURE_RECEIPT, &self.confirmation.node, &message)
    }
}

fn message(version: u8, space: &SpaceId, confirmation: &Confirmation) -> Vec<u8> {
    codec::encode(&(version, space, confirmation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;
    use crate::ids::EntryHash;

    #[test]
    fn every_byte_of_a_receipt_is_authenticated() {
        let key = NodeKey::from_seed(&Secret::from_bytes([1; 32]));
        let access = LogPosition { length: 7, head: EntryHash::from_bytes([2; 32]) };
        let confirmation = Confirmation { node: key.id(), number: 0, access };
        let receipt = Receipt::sign(SpaceId::from_bytes([3; 32]), confirmation, &key);
        assert!(receipt.verify().is_ok());
        let bytes = codec::encode(&receipt);
        for position in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[position] ^= 1;
            let holds = codec::decode::<Receipt>(&tampered).is_ok_and(|one| one.verify().is_ok());
            assert!(!holds, "byte {position}");
        }
    }
}
