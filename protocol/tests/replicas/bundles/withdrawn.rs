//! A bundle that was never handed out leaves nothing behind.

use super::{Pair, pair};
use sincronia_protocol::replica::ReplicaError;

#[test]
fn the_last_bundle_is_taken_back_and_only_that_one() {
    let Pair { mut owner, mut member, .. } = pair();
    let recipient = member.organisation();
    let withdraw = |owner: &mut super::Node, number| {
        let outcome = owner.replica.withdraw_bundle(&owner.disk, &recipient, number);
        owner.commit();
        outcome
    };
    let unknown = Err(ReplicaError::Unknown("bundle"));
    assert_eq!(withdraw(&mut owner, 1), unknown, "none was made");
    let _ = owner.bundle(recipient);
    assert_eq!(withdraw(&mut owner, 2), unknown);
    assert_eq!(withdraw(&mut owner, 1), Ok(()));
    let ledger = owner.replica.ledger(&owner.disk, &recipient).expect("a sound disk");
    assert!(ledger.out.is_none());
    let told = owner.replica.acknowledged(&owner.disk, &recipient).expect("a sound disk");
    assert_eq!(told, [], "it was told of nothing");
    let first = owner.bundle(recipient);
    let _ = owner.bundle(recipient);
    assert_eq!(withdraw(&mut owner, 2), Ok(()));
    assert_eq!(withdraw(&mut owner, 1), unknown, "which was before it nobody knows any more");
    assert_eq!(member.read(&first).number, 1);
    let second = owner.bundle(recipient);
    assert_eq!(member.read(&second).number, 2, "the number is used once");
}
