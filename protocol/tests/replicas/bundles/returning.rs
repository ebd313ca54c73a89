//! Bundles of nodes that are not what they were: put back to an older disk, or revoked.

use super::{BundleError, NOW, Outcome, export, import, pair, request};
use crate::organisation::Node;
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
