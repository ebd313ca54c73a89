//! Where a node is, that it lives, and how far its own logs go: its own signed word.
//!
//! Whoever holds a beacon can pass it on: the signature says whose it is, the number which of two
//! is newer. It serves three ends. Addresses are found again through common partners; they are
//! hints: whoever answers there must prove its node key. The lengths of logs tell that somebody
//! holds back what was written. And a node that meets a later beacon of its own, of another
//! running, learns that it runs twice.
//!
//! Spaces stand in it as tags that only who knows the space can tell, another one for each node:
//! who merely passes a beacon on learns how many there are, and no more.

use crate::codec;
use crate::crypto::{CryptoError, Domain, NodeKey, Signature};
use crate::ids::{NodeId, SpaceId};
use crate::limits;
use crate::time::Timestamp;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

/// The version of the format.
const VERSION: u8 = 1;

/// What tells one running of a node from another.
pub type Running = [u8; 16];

/// A space in a beacon.
pub type SpaceTag = [u8; 8];

/// What a beacon says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeaconContent {
    /// When, by the node's clock.
    pub at: Timestamp,
    /// Which running of it.
    pub running: Running,
    /// Where it can be reached, if anywhere.
    pub addresses: Vec<String>,
    /// The lengths of its own logs, by space.
    pub lengths: Vec<(SpaceTag, u64)>,
}

/// What a node says of itself, signed by it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Beacon {
    /// Format version.
    #[n(0)]
    version: u8,
    /// The node.
    #[n(1)]
    pub node: NodeId,
    /// Of two beacons of one node the greater number holds.
    #[n(2)]
    pub number: u64,
    /// When, by the node's clock.
    #[n(3)]
    pub at: Timestamp,
    /// Which running of it.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub running: Running,
    /// Where it can be reached, if anywhere.
    #[n(5)]
    pub addresses: Vec<String>,
    /// The lengths of its own logs, by space.
    #[n(6)]
    pub lengths: Vec<(ByteArray<8>, u64)>,
    /// The node's signature.
    #[n(7)]
    signature: Signature,
}

impl std::fmt::Debug for Beacon {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Beacon({:?}, {}, …)", self.node, self.number)
    }
}

impl Beacon {
    /// Signs what the node of `key` says of itself: of addresses and lengths as many as a beacon
    /// holds.
    #[must_use]
    pub fn sign(number: u64, content: BeaconContent, key: &NodeKey) -> Self {
        let BeaconContent { at, running, addresses, mut lengths } = content;
        lengths.truncate(limits::BEACON_SPACES_MAX);
        let lengths = lengths.into_iter().map(|(tag, length)| (tag.into(), length)).collect();
        let mut beacon = Self {
            version: VERSION,
            node: key.id(),
            number,
            at,
            running,
            addresses: Self::fitting(&addresses),
            lengths,
            signature: Signature::from_bytes([0; 64]),
        };
        beacon.signature = key.sign(Domain::BEACON, &beacon.message());
        beacon
    }

    /// Of these addresses those that a beacon holds.
    #[must_use]
    pub fn fitting(addresses: &[String]) -> Vec<String> {
        let short = addresses.iter().filter(|one| one.len() <= limits::ADDRESS_BYTES_MAX);
        short.take(limits::ADDRESSES_MAX).cloned().collect()
    }

    /// The number of the beacon after one with the number `last`: the time, so that it grows even
    /// when the last one was lost, or one more, so that it grows even when a clock went back.
    #[must_use]
    pub fn number_after(last: Option<u64>, now: Timestamp) -> u64 {
        now.milliseconds().max(last.map_or(0, |last| last.saturating_add(1)))
    }

    /// How a space stands in the beacons of a node.
    #[must_use]
    pub fn tag(node: &NodeId, space: &SpaceId) -> SpaceTag {
        let hash = Domain::BEACON_SPACE.hash(&[node.as_bytes(), space.as_bytes()]);
        let mut tag = SpaceTag::default();
        tag.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        tag
    }

    /// How long its node's log in a space is by its word, if it says.
    #[must_use]
    pub fn length_in(&self, space: &SpaceId) -> Option<u64> {
        let tag = Self::tag(&self.node, space);
        self.lengths.iter().find(|(known, _)| **known == tag).map(|(_, length)| *length)
    }

    /// Checks size and signature.
    ///
    /// # Errors
    /// [`CryptoError`] when it is too long, of an unknown format, or not signed by its node.
    pub fn verify(&self) -> Result<(), CryptoError> {
        let is_sound = self.version == VERSION
            && self.addresses.len() <= limits::ADDRESSES_MAX
            && self.lengths.len() <= limits::BEACON_SPACES_MAX
            && self.addresses.iter().all(|one| one.len() <= limits::ADDRESS_BYTES_MAX);
        if !is_sound {
            return Err(CryptoError::Signature);
        }
        self.signature.verify(Domain::BEACON, &self.node, &self.message())
    }

    fn message(&self) -> Vec<u8> {
        let running: &minicbor::bytes::ByteSlice = self.running.as_slice().into();
        let Self { version, node, number, at, addresses, lengths, .. } = self;
        codec::encode(&(version, node, number, at, running, addresses, lengths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;

    fn key(seed: u8) -> NodeKey {
        NodeKey::from_seed(&Secret::from_bytes([seed; 32]))
    }

    fn space(number: u8) -> SpaceId {
        SpaceId::from_bytes([number; 32])
    }

    fn content() -> BeaconContent {
        let addresses = ["/ip4/192.0.2.1/tcp/4001", "/dns/nodo.example/tcp/4001"];
        BeaconContent {
            at: Timestamp::from_milliseconds(6),
            running: [5; 16],
            addresses: addresses.map(String::from).to_vec(),
            lengths: vec![(Beacon::tag(&key(1).id(), &space(1)), 12)],
        }
    }

    #[test]
    fn every_byte_of_a_beacon_is_authenticated() {
        let beacon = Beacon::sign(7, content(), &key(1));
        assert!(beacon.verify().is_ok());
        let bytes = codec::encode(&beacon);
        for position in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[position] ^= 1;
            let read = codec::decode::<Beacon>(&tampered);
            assert!(!read.is_ok_and(|one| one.verify().is_ok()), "byte {position}");
        }
    }

    #[test]
    fn a_beacon_in_the_name_of_another_node_does_not_hold() {
        let stolen = Beacon { node: key(2).id(), ..Beacon::sign(7, content(), &key(1)) };
        assert!(stolen.verify().is_err());
    }

    #[test]
    fn a_space_is_told_only_to_who_knows_it_and_otherwise_by_each_node() {
        let beacon = Beacon::sign(7, content(), &key(1));
        assert_eq!(beacon.length_in(&space(1)), Some(12));
        assert_eq!(beacon.length_in(&space(2)), None);
        assert_ne!(Beacon::tag(&key(1).id(), &space(1)), Beacon::tag(&key(2).id(), &space(1)));
    }

    #[test]
    fn too_much_is_neither_signed_nor_taken() {
        let many = vec!["a".repeat(limits::ADDRESS_BYTES_MAX); limits::ADDRESSES_MAX + 1];
        let long = vec!["a".repeat(limits::ADDRESS_BYTES_MAX + 1)];
        let spaces = vec![([1; 8], 1); limits::BEACON_SPACES_MAX + 1];
        let given = |addresses: &Vec<String>, lengths: &Vec<(SpaceTag, u64)>| BeaconContent {
            addresses: addresses.clone(),
            lengths: lengths.clone(),
            ..content()
        };
        let signed = Beacon::sign(1, given(&many, &spaces), &key(1));
        assert!(signed.verify().is_ok());
        assert_eq!(signed.addresses.len(), limits::ADDRESSES_MAX);
        assert_eq!(signed.lengths.len(), limits::BEACON_SPACES_MAX);
        assert!(Beacon::sign(1, given(&long, &spaces), &key(1)).addresses.is_empty());
        for (addresses, lengths) in [(many, vec![]), (long, vec![]), (vec![], spaces)] {
            let mut beacon = Beacon::sign(1, content(), &key(1));
            beacon.addresses = addresses;
            beacon.lengths =
                lengths.into_iter().map(|(tag, length)| (tag.into(), length)).collect();
            beacon.signature = key(1).sign(Domain::BEACON, &beacon.message());
            assert!(beacon.verify().is_err());
        }
    }

    #[test]
    fn numbers_only_grow() {
        let at = Timestamp::from_milliseconds;
        assert_eq!(Beacon::number_after(None, at(5)), 5);
        assert_eq!(Beacon::number_after(Some(9), at(5)), 10, "a clock that went back");
        assert_eq!(Beacon::number_after(Some(u64::MAX), at(5)), u64::MAX);
    }
}
