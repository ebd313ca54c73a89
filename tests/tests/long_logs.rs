//! An organisation whose identity log is longer than one message holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use serde_json::json;
use sincronia_client::root::Signing;
use sincronia_node::api::{InviteRequest, JoinRequest};
use sincronia_protocol::crypto::{SealingSecret, Secret};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::recovery::restore_entropy;
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

/// Entries of more than a kilobyte each, within what one root key may sign.
fn lengthen(node: &Node, words: &str) {
    let own = node.client().status().unwrap().node.parse().unwrap();
    let secret = SealingSecret::from_seed(&Secret::from_bytes([7; 32]));
    let entropy = || restore_entropy(words).unwrap();
    let mut signing = Signing::begin(&node.client().identity().unwrap(), entropy()).unwrap();
    for number in 0..860 {
        if number % 60 == 0 {
            signing.rotate().unwrap();
        } else {
            let sealing = secret.public().clone();
            signing.say(IdentityOperation::RotateSealing { node: own, sealing }).unwrap();
        }
    }
    for entries in signing.request().entries.chunks(8) {
        let request = sincronia_node::api::IdentityRequest { entries: entries.to_vec() };
        node.client().extend_identity(&request).unwrap();
    }
}

/// The line was closed without a word: the invited side was told to try again, or to ask for a new
/// invitation, and the inviting side nothing. A partner's new machine was not heard either.
#[test]
fn both_sides_are_told_that_an_identity_log_is_too_long_for_the_line() {
    let (comune, words) = Node::found_with_words("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let fits = |node: &Node| {
        let checks = node.client().doctor().unwrap();
        checks.iter().any(|check| check.name == "joined_by_line" && check.ok)
    };
    let invitation = comune.client().invite(&InviteRequest::default()).unwrap();
    lengthen(&comune, &words);
    let request = JoinRequest { invitation: invitation.text, addresses: Vec::new() };
    let refused = casa.client().join(&request).unwrap_err();
    assert!(refused.message.contains("too long"), "{refused:?}");
    assert!(refused.remedy.contains("--bundle"), "{refused:?}");
    assert_eq!(json!(refused.code), "too_large", "{refused:?}");
    assert!(fits(&casa) && !fits(&comune), "the inviting side is told, too");
}
