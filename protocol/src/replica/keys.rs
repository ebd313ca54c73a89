//! Keys of the tables.

use crate::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use crate::storage::{Table, prefix_end};

/// organisation ‖ sequence.
pub fn identity(organisation: &OrganisationId, sequence: u64) -> Vec<u8> {
    [organisation.as_bytes().as_slice(), &sequence.to_be_bytes()].concat()
}

/// space ‖ sequence.
pub fn numbered(space: &SpaceId, number: u64) -> Vec<u8> {
    [space.as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

/// space ‖ author.
pub fn author(space: &SpaceId, author: &NodeId) -> Vec<u8> {
    [space.as_bytes().as_slice(), author.as_bytes()].concat()
}

/// space ‖ author ‖ sequence.
pub fn entry(space: &SpaceId, author: &NodeId, sequence: u64) -> Vec<u8> {
    [space.as_bytes().as_slice(), author.as_bytes(), &sequence.to_be_bytes()].concat()
}

/// space ‖ hash.
pub fn hashed(space: &SpaceId, hash: &[u8; 32]) -> Vec<u8> {
    [space.as_bytes().as_slice(), hash].concat()
}

/// space ‖ record.
pub fn row(space: &SpaceId, record: &RecordId) -> Vec<u8> {
    [space.as_bytes().as_slice(), record.as_bytes()].concat()
}

/// organisation ‖ space.
pub fn acknowledged(organisation: &OrganisationId, space: &SpaceId) -> Vec<u8> {
    [organisation.as_bytes().as_slice(), space.as_bytes()].concat()
}

/// bundle ‖ number.
pub fn part_of(bundle: &[u8; 32], number: u32) -> Vec<u8> {
    [bundle.as_slice(), &number.to_be_bytes()].concat()
}

/// Everything that begins with `prefix`.
pub fn all(prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (prefix.to_vec(), prefix_end(prefix))
}

/// Where a value is sealed at rest: its table and key.
pub fn place(table: Table, key: &[u8]) -> Vec<u8> {
    [table.name().as_bytes(), &[0], key].concat()
}

/// The last `N` bytes of a key.
pub fn tail<const N: usize>(key: &[u8]) -> Option<[u8; N]> {
    key.get(key.len().checked_sub(N)?..)?.try_into().ok()
}

/// `N` bytes of a key from `start`.
pub fn part<const N: usize>(key: &[u8], start: usize) -> Option<[u8; N]> {
    key.get(start..start.checked_add(N)?)?.try_into().ok()
}
