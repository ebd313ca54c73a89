//! One organisation takes the place of another, and a convention passes with it.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use serde_json::json;
use sincronia_client::root::Signing;
use sincronia_node::api::{ConventionRequest, ErrorCode, OfferRequest, TakeRequest};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::recovery::restore_entropy;
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn convention(owner: &Node, party: &Node) -> ConventionRequest {
    serde_json::from_value(json!({
        "fields": {
            "title": "Accoglienza residenziale",
            "instrument_kind": "accoglienza",
            "parties": [
                {"org": owner.organisation, "role": "inviante", "protocol_no": "12/2010"},
                {"org": party.organisation, "role": "gestore"},
            ],
        },
        "operator": "segreteria",
    }))
    .unwrap()
}

/// Signs with the root key of the recovery words and hands the entry to the node.
fn sign(node: &Node, words: &str, operation: IdentityOperation) {
    let entropy = restore_entropy(words).unwrap();
    let mut signing = Signing::begin(&node.client().identity().unwrap(), entropy).unwrap();
    signing.say(operation).unwrap();
    node.client().extend_identity(&signing.request()).unwrap();
}

#[test]
fn a_body_that_was_merged_passes_its_conventions_to_the_new_one() {
    let (old, old_words) = Node::found_with_words("A.S.L. n. 1");
    let (new, new_words) = Node::found_with_words("Azienda USL");
    let community = Node::found("Comunità residenziale");
    let joined = [new.join(&old), community.join(&old), community.join(&new)];
    assert!(joined.iter().all(|partner| !partner.name.is_empty()));
    let made = old.client().create_convention(&convention(&old, &community)).unwrap();
    let (space, id) = (made.space.id, made.convention.id);
    community.wait("the convention", |client| client.convention(&id).is_ok());

    // Nobody takes what was not offered, and nothing is offered to who takes no part.
    let refused = new.client().take_space(&space, &TakeRequest::default()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);

    let successor = new.organisation.parse().unwrap();
    let predecessor = old.organisation.parse().unwrap();
    sign(&new, &new_words, IdentityOperation::Succeeds { organisation: predecessor });
    sign(&old, &old_words, IdentityOperation::SucceededBy { organisation: successor });
    for node in [&old, &new] {
        node.wait("a succession that both signed", |client| {
            let known = client.successions().unwrap();
            known.iter().any(|one| one.declared && one.accepted)
        });
    }
    let offer = OfferRequest { organisation: new.organisation.clone() };
    let offered = old.client().offer_space(&space, &offer).unwrap();
    assert_eq!(offered.offered_to.as_deref(), Some(new.organisation.as_str()));
    new.wait("the offer", |client| {
        client.space(&space).is_ok_and(|one| one.offered_to.is_some() && one.has_key)
    });
    let taken = new.client().take_space(&space, &TakeRequest::default()).unwrap();
    assert_eq!((taken.owner.as_str(), taken.offered_to), (new.organisation.as_str(), None));

    for node in [&old, &community] {
        node.wait("the new party and owner", |client| {
            let view = client.convention(&id).unwrap();
            let party = &view.convention.fields["parties"][0];
            view.space.owner == new.organisation
                && party["org"] == json!(new.organisation)
                && party["protocol_no"] == json!("12/2010")
        });
    }
    // The history keeps who stood there before.
    let history = community.client().history(&space, &id).unwrap();
    assert_eq!(history.len(), 2);
    let before = serde_json::to_string(&history[0]).unwrap();
    assert!(before.contains(&old.organisation) && !before.contains(&new.organisation));
    // The old body shares no more, the new one may.
    let refused = old.client().rotate(&space).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted);
    new.client().remove_member(&space, &old.organisation).unwrap();
    old.wait("its own removal", |client| client.space(&space).is_ok_and(|one| one.role.is_none()));
}
