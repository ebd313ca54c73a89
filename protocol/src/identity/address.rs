//! Where a node can be reached, by its own signed word.
//!
//! Whoever holds a record can pass it on: the signature says whose it is, the number which of two
//! is newer. Addresses are hints: whoever answers there must prove its node key.

use crate::codec;
use crate::crypto::{CryptoError, Domain, NodeKey, Signature};
use crate::ids::NodeId;
use crate::limits;
use crate::time::Timestamp;
use minicbor::{Decode, Encode};

/// The version of the format.
const VERSION: u8 = 1;

/// Where a node can be reached, signed by it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct AddressRecord {
    /// Format version.
    #[n(0)]
    version: u8,
    /// The node.
    #[n(1)]
    pub node: NodeId,
    /// Of two records of one node the greater number holds.
    #[n(2)]
    pub number: u64,
    /// Where it can be reached.
    #[n(3)]
    pub addresses: Vec<String>,
    /// The node's signature.
    #[n(4)]
    signature: Signature,
}

impl std::fmt::Debug for AddressRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "AddressRecord({:?}, {}, …)", self.node, self.number)
    }
}

impl AddressRecord {
    /// Signs where the node of `key` can be reached: of `addresses` as many as a record holds.
    #[must_use]
    pub fn sign(number: u64, addresses: &[String], key: &NodeKey) -> Self {
        let addresses = Self::fitting(addresses);
        let node = key.id();
        let message = message(VERSION, &node, number, &addresses);
        let signature = key.sign(Domain::ADDRESS_RECORD, &message);
        Self { version: VERSION, node, number, addresses, signature }
    }

    /// Of these addresses those that a record holds.
    #[must_use]
    pub fn fitting(addresses: &[String]) -> Vec<String> {
        let short = addresses.iter().filter(|one| one.len() <= limits::ADDRESS_BYTES_MAX);
        short.take(limits::ADDRESSES_MAX).cloned().collect()
    }

    /// The number of the record after one with the number `last`: the time, so that it grows even
    /// when the last one was lost, or one more, so that it grows even when a clock went back.
    #[must_use]
    pub fn number_after(last: Option<u64>, now: Timestamp) -> u64 {
        now.milliseconds().max(last.map_or(0, |last| last.saturating_add(1)))
    }

    /// Checks size and signature.
    ///
    /// # Errors
    /// [`CryptoError`] when it is too long, of an unknown format, or not signed by its node.
    pub fn verify(&self) -> Result<(), CryptoError> {
        let is_sound = self.version == VERSION
            && self.addresses.len() <= limits::ADDRESSES_MAX
            && self.addresses.iter().all(|one| one.len() <= limits::ADDRESS_BYTES_MAX);
        if !is_sound {
            return Err(CryptoError::Signature);
        }
        let message = message(self.version, &self.node, self.number, &self.addresses);
        self.signature.verify(Domain::ADDRESS_RECORD, &self.node, &message)
    }
}

fn message(version: u8, node: &NodeId, number: u64, addresses: &[String]) -> Vec<u8> {
    codec::encode(&(version, node, number, addresses))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;

    fn key(seed: u8) -> NodeKey {
        NodeKey::from_seed(&Secret::from_bytes([seed; 32]))
    }

    fn record() -> AddressRecord {
        let addresses = ["/ip4/192.0.2.1/tcp/4001", "/dns/nodo.example/tcp/4001"];
        AddressRecord::sign(7, &addresses.map(String::from), &key(1))
    }

    #[test]
    fn every_byte_of_an_address_record_is_authenticated() {
        assert!(record().verify().is_ok());
        let bytes = codec::encode(&record());
        for position in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[position] ^= 1;
            let read = codec::decode::<AddressRecord>(&tampered);
            assert!(!read.is_ok_and(|one| one.verify().is_ok()), "byte {position}");
        }
    }

    #[test]
    fn a_record_in_the_name_of_another_node_does_not_hold() {
        let stolen = AddressRecord { node: key(2).id(), ..record() };
        assert!(stolen.verify().is_err());
    }

    #[test]
    fn too_many_or_too_long_addresses_are_neither_signed_nor_taken() {
        let many = vec!["a".repeat(limits::ADDRESS_BYTES_MAX); limits::ADDRESSES_MAX + 1];
        assert_eq!(AddressRecord::sign(1, &many, &key(1)).addresses.len(), limits::ADDRESSES_MAX);
        let long = vec!["a".repeat(limits::ADDRESS_BYTES_MAX + 1)];
        assert!(AddressRecord::sign(1, &long, &key(1)).addresses.is_empty());
        for addresses in [many, long] {
            let signature = {
                let signed = message(VERSION, &key(1).id(), 1, &addresses);
                key(1).sign(Domain::ADDRESS_RECORD, &signed)
            };
            let node = key(1).id();
            let record = AddressRecord { version: VERSION, node, number: 1, addresses, signature };
            assert!(record.verify().is_err());
        }
    }

    #[test]
    fn numbers_only_grow() {
        let at = Timestamp::from_milliseconds;
        assert_eq!(AddressRecord::number_after(None, at(5)), 5);
        assert_eq!(AddressRecord::number_after(Some(9), at(5)), 10, "a clock that went back");
        assert_eq!(AddressRecord::number_after(Some(u64::MAX), at(5)), u64::MAX);
    }
}
