//! Work that grows with what there is, and not with its square: it is counted, never timed.

use super::branches::copy_of;
use super::circle::Circle;
use super::organisation::Node;
use super::parcel::Parcel;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::replica::{Portion, ReplicaError};
use sincronia_protocol::storage::{MemoryStorage, Storage, StorageError, Table, Visit};
use std::cell::Cell;

/// A disk that counts the values of one table that are read.
struct Counting<'a> {
    disk: &'a MemoryStorage,
    table: Table,
    read: Cell<usize>,
}

impl<'a> Counting<'a> {
    fn new(disk: &'a MemoryStorage, table: Table) -> Self {
        Self { disk, table, read: Cell::new(0) }
    }

    fn count(&self, table: Table) {
        self.read.set(self.read.get() + usize::from(table == self.table));
    }
}

impl Storage for Counting<'_> {
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.count(table);
        self.disk.read(table, key)
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        self.disk.scan(table, from, to, &mut |key, value| {
            self.count(table);
            visit(key, value)
        })
    }
}

/// The owner admits the member and removes it again, so many times: each begins keys afresh.
fn admit_and_remove(circle: &mut Circle, times: usize) {
    let (space, member) = (circle.space, circle.member.organisation());
    for _ in 0..times {
        circle.owner.revoke(&space, member).expect("a member");
        circle.owner.grant(&space, member, Role::Reader, History::Now).expect("a primary");
    }
}

/// For each keyring that came, a carrier looked on its disk for all of them.
#[test]
fn a_carrier_looks_for_each_keyring_as_often_as_it_comes() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    admit_and_remove(&mut circle, 20);
    let carrier = circle.outsider.organisation();
    let parcels = circle.owner.access_parcels(&space, &carrier);
    let (access, keyrings): (Vec<_>, Vec<_>) =
        parcels.into_iter().partition(|parcel| matches!(parcel, Parcel::Access { .. }));
    circle.outsider.take_all(&access);
    let node = &mut circle.outsider;
    let mut read = 0;
    for keyring in &keyrings {
        let Parcel::Sealed { bytes, .. } = keyring else { continue };
        let disk = Counting::new(&node.disk, Table::Sealed);
        node.replica.admit_sealed(&disk, &space, [bytes.clone()]).expect("a keyring of the log");
        read += disk.read.get();
        node.commit();
    }
    assert!(keyrings.len() > 40, "{} keyrings", keyrings.len());
    assert!(read <= 2 * keyrings.len(), "{read} values read for {} keyrings", keyrings.len());
    assert_eq!(node.digests(), circle.owner.digests(), "and it lacks none");
    circle.outsider.restart();
    assert_eq!(circle.outsider.digests(), circle.owner.digests());
}

/// Each keyring of a message had everything looked through that was ever sealed in the space.
#[test]
fn the_keyrings_of_a_message_are_one_change() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    admit_and_remove(&mut circle, 20);
    let carrier = circle.outsider.organisation();
    let parcels = circle.owner.access_parcels(&space, &carrier);
    let (access, keyrings): (Vec<_>, Vec<_>) =
        parcels.into_iter().partition(|parcel| matches!(parcel, Parcel::Access { .. }));
    circle.outsider.take_all(&access);
    let mut sealed: Vec<_> = keyrings
        .into_iter()
        .filter_map(|parcel| match parcel {
            Parcel::Sealed { bytes, .. } => Some(bytes),
            _ => None,
        })
        .collect();
    assert!(sealed.len() > 40, "{} keyrings", sealed.len());
    let node = &mut circle.outsider;
    node.replica.take_growth();
    // One that nobody sealed keeps no other out.
    sealed.insert(3, vec![7; 64]);
    let taken = node.replica.admit_sealed(&node.disk, &space, sealed);
    assert_eq!(taken, Err(ReplicaError::NotPermitted));
    assert_eq!(node.replica.take_growth().len(), 1);
    node.commit();
    assert_eq!(node.digests(), circle.owner.digests(), "and it lacks none");
}

/// Who signed one entry was read out of the whole access log.
#[test]
fn who_signed_an_entry_is_told_without_reading_the_others() {
    let mut circle = Circle::of_contributors();
    let (space, member) = (circle.space, circle.member.organisation());
    admit_and_remove(&mut circle, 10);
    circle.owner.revoke(&space, member).expect("a member");
    circle.admit(member, Role::Contributor);
    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, member)).expect("a primary");
    circle.owner.give(&mut circle.member, &space);
    circle.member.act(|replica, disk, _| replica.take_over(disk, &space)).expect("an offer");
    let node: &mut Node = &mut circle.member;
    let length = node.access_log(&space).len() as u64;
    assert!(length > 20);
    let mut told = Vec::new();
    for at in 0..length {
        let disk = Counting::new(&node.disk, Table::Access);
        told.push(node.replica.signers(&disk, &space, at..at + 1).expect("a sound disk"));
        assert_eq!(disk.read.get(), 1, "for entry {at}");
    }
    let owner = circle.owner.organisation();
    let signed = |at: usize| told[at].keys().copied().collect::<Vec<_>>();
    let last = told.len() - 1;
    assert_eq!([signed(0), signed(last - 2), signed(last)], [[owner], [owner], [member]]);
    // A space that is not in memory is read from its beginning, and says the same.
    let all = node.replica.signers(&node.disk, &space, 0..length).expect("a sound disk");
    node.replica.forget(&node.disk).expect("a sound disk");
    for (at, told) in (0..).zip(&told) {
        let disk = &node.disk;
        assert_eq!(node.replica.signers(disk, &space, at..at + 1).as_ref(), Ok(told));
    }
    assert_eq!(node.replica.signers(&node.disk, &space, 0..length), Ok(all));
}

/// Whoever has the key of a machine that was cut forks its log at an ever earlier place beyond the
/// cut. For each the owner went through the whole space again.
#[test]
fn threat_25_a_fork_beyond_the_cut_has_the_owner_read_no_whole_space() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    for number in 0..50 {
        circle.colleague.note(&space, &format!("Nota {number}"));
    }
    circle.member.note(&space, "Nota del membro");
    circle.settle();
    circle.remove_member();
    let mut copies = Vec::new();
    for number in 0..6 {
        copies.push(copy_of(&circle.member, &circle));
        circle.member.note(&space, &format!("Tardi {number}"));
    }
    circle.member.give(&mut circle.owner, &space);
    let owner = &mut circle.owner;
    for (late, mut copy) in copies.into_iter().enumerate().rev() {
        copy.note(&space, "Altro");
        let from = 1 + late as u64;
        let run = copy.replica.read_run(&copy.disk, &space, &copy.id(), from, usize::MAX);
        let disk = Counting::new(&owner.disk, Table::Entries);
        owner.replica.admit_run(&disk, run.unwrap().unwrap()).expect("the proof of a fork");
        while owner.replica.project(&disk, Portion::of(7)).expect("a sound disk") {}
        assert!(disk.read.get() < 20, "{} entries read", disk.read.get());
        owner.commit();
        assert_eq!(owner.disk.values(Table::Forks).count(), 1, "one proof says it");
    }
    assert_eq!(circle.quarantine().len(), 6);
    let findings = circle.owner.replica.verify(&circle.owner.disk, true).unwrap();
    assert_eq!(findings.problems, Vec::<String>::new());
}
