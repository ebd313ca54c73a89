//! Bundles of nodes that are not what they were: put back to an older disk, or revoked.

use super::{BundleError, ExportRequest, NOW, Outcome, export, import, pair, request};
use crate::organisation::Node;
use crate::restoring::{back_up, restore};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::time::Timestamp;

/// The next bundle of a node, so many days later.
fn bundle_after(node: &mut Node, recipient: &Node, days: u64) -> Vec<u8> {
    let now = Timestamp::from_milliseconds(NOW.milliseconds() + days * 24 * 60 * 60 * 1000);
    let (replica, disk, random) = (&mut node.replica, &node.disk, &mut node.random);
    let made = export(&request(recipient.organisation()), replica, disk, now, random);
    node.keep(made).expect("a partner").parts.concat()
}

/// What a node had said it has was believed although its disk had been put back since: it was sent
/// what followed on that, and could take none of it until its numbers had caught up.
#[test]
fn a_node_that_was_put_back_to_an_older_disk_is_sent_what_it_lost() {
    let mut pair = pair();
    pair.exchange();
    let older = pair.member.disk.clone();
    for title in ["Seconda scheda", "Terza scheda"] {
        pair.owner.note(&pair.space, title);
        pair.exchange();
    }
    pair.member.disk = older;
    pair.member.restart();
    pair.owner.note(&pair.space, "Quarta scheda");
    let back = bundle_after(&mut pair.member, &pair.owner, 1);
    pair.owner.read(&back);
    let there = pair.owner.bundle(pair.member.organisation());
    assert!(pair.member.read(&there).refused.is_empty());
    assert_eq!(pair.owner.shows(&pair.space), pair.member.shows(&pair.space));
}

/// What it had signed itself never came back to it by bundles, and it signed the same places again.
#[test]
fn a_node_that_was_put_back_hears_by_bundle_what_it_signed_since() {
    let mut pair = pair();
    pair.exchange();
    let older = pair.member.disk.clone();
    pair.member.note(&pair.space, "Scritta prima del ritorno");
    pair.exchange();
    pair.exchange();
    pair.member.disk = older;
    pair.member.restart();
    let back = bundle_after(&mut pair.member, &pair.owner, 1);
    pair.owner.read(&back);
    let there = pair.owner.bundle(pair.member.organisation());
    pair.member.read(&there);
    assert!(pair.member.replica.is_cloned());
    let again = pair.member.try_note(&pair.space, "Scritta dopo");
    assert_eq!(again, Err(ReplicaError::Cloned));
}

/// The key of a space that the owner made after its last backup was with the member alone, whose
/// bundles brought everything but that: the owner never read its own space again.
#[test]
fn a_restored_node_without_a_line_gets_keys_made_since_its_backup_by_bundle() {
    for all in [false, true] {
        let mut pair = pair();
        pair.exchange();
        let (old, backup) = (pair.owner.id(), back_up(&pair.owner));
        let member = pair.member.organisation();
        let space = pair.owner.create_space();
        pair.owner.grant(&space, member, Role::Contributor, History::Start).unwrap();
        let record = pair.owner.note(&space, "Scritta dopo la copia");
        pair.exchange();
        pair.owner = restore(&mut pair.organisations[0], old, &backup);
        let sibling = pair.organisations[0].add_node(11);
        pair.owner.learn(&pair.organisations[0]);
        for _ in 0..2 {
            let there = pair.owner.bundle(member);
            pair.member.read(&there);
            let request = ExportRequest { all, ..request(pair.owner.organisation()) };
            let back = pair.member.bundle_as(&request).unwrap().parts.concat();
            assert!(pair.owner.read(&back).refused.is_empty());
            // The keys in it are none of another machine's.
            let known = [&pair.organisations[0], &pair.organisations[1]];
            let mut other = Node::start(&sibling, &known);
            assert!(other.read(&back).refused.is_empty());
            assert_eq!(other.title(&space, &record), None);
        }
        assert_eq!(pair.owner.title(&space, &record).as_deref(), Some("Scritta dopo la copia"));
        assert_eq!(pair.owner.replica.lacking_spaces().count(), 0);
    }
}

/// A machine that was revoked talks to nobody, and made and read bundles all the same.
#[test]
fn a_revoked_node_makes_and_reads_no_bundle() {
    let mut pair = pair();
    pair.exchange();
    let last = pair.owner.bundle(pair.member.organisation());
    let node = pair.member.id();
    pair.organisations[1].say(IdentityOperation::RevokeNode { node });
    pair.member.learn(&pair.organisations[1]);
    let revoked = BundleError::Replica(ReplicaError::Revoked);
    let made = pair.member.bundle_as(&request(pair.owner.organisation()));
    assert_eq!(made.map(drop), Err(revoked.clone()));
    let (replica, disk) = (&mut pair.member.replica, &pair.member.disk);
    let read: Result<Vec<Outcome>, _> = import(&last, replica, disk, NOW, &mut pair.member.random);
    assert_eq!(read, Err(revoked));
}
