//! What a request to join must be for its sender to become a partner.

use super::super::Outcome;
use super::super::crafted::Party;
use super::*;

/// Whoever held an invitation could otherwise make a third body, whose identity is known to the
/// host, a partner that is reached at the machine of whoever asks.
#[test]
fn a_request_makes_nobody_a_partner_but_whoever_signs_it() {
    let (mut host, mut guest, third) = (Party::new(1), Party::new(2), Party::new(3));
    host.replica.admit_identity(&host.disk, &third.identity).unwrap();
    host.disk.commit(&host.replica.take_batch());
    let sender = third.replica.organisation();
    let invitation = host.invite();
    let forged = guest.ask(&invitation, |manifest| Manifest { sender, ..manifest });
    assert_eq!(host.read(&forged), Err(Refusal::Identity.into()));
    assert!(!host.replica.is_partner(&sender));
    let sound = guest.ask(&invitation, |manifest| manifest);
    assert!(matches!(host.read(&sound).unwrap()[..], [Outcome::Imported(_)]));
}

/// Whoever holds two invitations opens the answer to one; under the other it says nothing.
#[test]
fn a_request_answers_the_invitation_that_it_names_and_no_other() {
    let (mut host, mut guest) = (Party::new(1), Party::new(2));
    let (mine, other) = (host.invite(), host.invite().key().id);
    for invitation in [Some(other), None] {
        let moved = guest.ask(&mine, |manifest| Manifest { invitation, ..manifest });
        assert_eq!(host.read(&moved), Err(Refusal::Identity.into()));
        assert!(!host.replica.is_partner(&guest.replica.organisation()));
    }
}
