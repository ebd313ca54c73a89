//! What a partner's bundle may say: whoever leaves one of these checks away finds its test here.

use super::super::crafted::Party;
use super::*;
use crate::replica::SpaceHeads;
use crate::sync::Message;

/// A body that is a partner of the first.
fn partners() -> (Party, Party) {
    let (mut host, mut guest) = (Party::new(1), Party::new(2));
    let invitation = host.invite();
    let request = guest.ask(&invitation, |manifest| manifest);
    host.read(&request).unwrap();
    host.commit();
    (host, guest)
}

/// It would count as the answer to an invitation that was used long ago.
#[test]
fn a_bundle_answers_no_invitation() {
    let (mut host, mut guest) = partners();
    let invitation = Some(host.invite().key().id);
    let stray = guest.bundle(&host, &[], |manifest| Manifest { invitation, ..manifest });
    let sender = guest.replica.organisation();
    assert_eq!(host.read(&stray), Err(BundleError::NotPartner(sender)));
    let sound = guest.bundle(&host, &[], |manifest| manifest);
    assert!(matches!(host.read(&sound).unwrap()[..], [Outcome::Imported(_)]));
}

/// The disk would fill with them, and the next bundle would tell of a space that is not shared.
#[test]
fn a_partner_says_what_it_has_of_shared_spaces_alone() {
    let (mut host, mut guest) = partners();
    let own = host.replica.create_space(&host.disk, &mut host.random).unwrap();
    host.commit();
    let foreign = [own, SpaceId::from_bytes([9; 32])].map(SpaceHeads::absent).to_vec();
    let told = Message::Heads { is_answer: true, heads: foreign };
    let bundle = guest.bundle(&host, &[told], |manifest| manifest);
    assert!(matches!(host.read(&bundle).unwrap()[..], [Outcome::Imported(_)]));
    host.commit();
    let kept = host.replica.acknowledged(&host.disk, &guest.replica.organisation());
    assert_eq!(kept, Ok(Vec::new()));
}

/// A partner could otherwise say of any body that this one knows what that never told it.
#[test]
fn an_identity_log_in_which_the_sender_has_no_part_is_not_taken_from_it() {
    let (mut host, mut guest) = partners();
    let third = Party::new(3);
    host.replica.admit_identity(&host.disk, &third.identity[..2]).unwrap();
    host.commit();
    let told = Message::Identities(third.identity.clone());
    let bundle = guest.bundle(&host, &[told], |manifest| manifest);
    assert!(matches!(host.read(&bundle).unwrap()[..], [Outcome::Imported(_)]));
    let known = host.replica.identity_position(&third.replica.organisation());
    assert_eq!(known.length, 2);
}
