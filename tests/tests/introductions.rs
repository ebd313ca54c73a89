//! A partner presents two others to each other; people on both sides accept.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use sincronia_node::api::{ErrorCode, IntroduceRequest, PartnerState};
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

#[test]
fn two_that_a_third_presents_become_partners_when_both_accept() {
    let third = Node::found("Comunità residenziale");
    let one = Node::found("Comune di Aulla");
    let mut other = Node::found("Comune di Parma");
    let joined = [one.join(&third), other.join(&third)];
    assert!(joined.iter().all(|partner| partner.organisation == third.organisation));
    third.wait_in_sync();
    // The two need not be there at the same time.
    other.kill();
    let request =
        IntroduceRequest { one: one.organisation.clone(), other: other.organisation.clone() };
    assert!(one.client().introductions().unwrap().is_empty(), "nothing before somebody asks");
    third.client().introduce(&request).unwrap();
    one.wait("the introduction", |client| client.introductions().unwrap().len() == 1);
    let seen = one.client().introductions().unwrap().remove(0);
    assert_eq!((&seen.organisation, seen.name.as_str()), (&other.organisation, "Comune di Parma"));
    assert_eq!(seen.by, third.organisation);
    let partner = one.client().accept_introduction(&other.organisation).unwrap();
    assert_eq!(partner.state, PartnerState::Joined, "the words are still to be compared");

    other.start();
    other.wait("the introduction", |client| client.introductions().unwrap().len() == 1);
    // One side alone makes no partners.
    assert_eq!(other.client().partners().unwrap().len(), 1);
    let unknown = other.client().accept_introduction(&third.organisation).unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    other.client().refuse_introduction(&one.organisation).unwrap();
    assert!(other.client().introductions().unwrap()[0].refused);
    // Whoever accepted was shown a partner that is offline, and waited.
    one.wait("being told that it is refused", |client| {
        let partners = client.partners().unwrap();
        let sync = partners.into_iter().find(|partner| partner.name == "Comune di Parma");
        sync.is_some_and(|partner| partner.sync.phase == "refused")
    });
    let partner = other.client().accept_introduction(&one.organisation).unwrap();
    assert_eq!(partner.name, "Comune di Aulla");
    for node in [&one, &other] {
        node.wait_in_sync();
        assert_eq!(node.client().partners().unwrap().len(), 2);
    }
    assert!(other.client().introductions().unwrap().is_empty());
    // Each reads the directory of the other, without the third.
    other.wait("the directory of its new partner", |client| {
        client.spaces().unwrap().iter().any(|space| space.owner == one.organisation)
    });
    let itself =
        IntroduceRequest { one: one.organisation.clone(), other: third.organisation.clone() };
    let refused = third.client().introduce(&itself).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted, "nobody presents itself");
}
