//! Promises of access and replicas, without sessions: what arrives is handed over piece by piece,
//! in any order and any number of times, also pieces that no honest program would make.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test that cannot go on says so by panicking"
)]

mod admission;
mod adversary;
mod aside;
mod bare_proofs;
mod beacons;
mod bodies;
mod bounds;
mod branches;
mod bundles;
mod circle;
mod clocks;
mod cuts;
mod erased_apart;
mod erasure;
mod flooding;
mod forgetting;
mod forging;
mod forgotten;
mod forked;
mod forks;
mod frames;
mod holders;
mod identities;
mod joining;
mod kept_erasures;
mod line;
mod lost_keys;
mod machines;
mod maintenance;
mod order;
mod organisation;
mod origin;
mod owed;
mod parcel;
mod receipts;
mod removal;
mod restoring;
mod roles;
mod rules;
mod settled;
mod tampering;
mod thief;
mod threats;
mod traps;
mod unknown_places;
mod versions;
mod work;
