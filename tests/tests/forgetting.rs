//! Real nodes forget a record, each a process of its own.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use serde_json::{Value, json};
use sincronia_client::api::Client;
use sincronia_node::api::{
    ConventionRequest, ConventionView, EditRequest, ErasureView, ErrorCode, NetworkRequest,
    SearchQuery, VerifyStoreRequest,
};
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn shared_convention(owner: &Node, party: &Node) -> ConventionView {
    let request: ConventionRequest = serde_json::from_value(json!({
        "fields": {
            "title": "Accoglienza di persone senza dimora",
            "instrument_kind": "accoglienza",
            "parties": [
                {"org": owner.organisation, "role": "inviante"},
                {"org": party.organisation, "role": "gestore"},
            ],
        },
    }))
    .unwrap();
    let made = owner.client().create_convention(&request).unwrap();
    party.wait("the convention", |client| client.convention(&made.convention.id).is_ok());
    made
}

fn edit(fields: Value) -> EditRequest {
    serde_json::from_value(json!({ "fields": fields })).unwrap()
}

fn erasures(client: &Client) -> Vec<ErasureView> {
    client.erasures().unwrap()
}

fn is_complete(client: &Client, entries: u64) -> bool {
    erasures(client).first().is_some_and(|one| one.complete && one.entries == entries)
}

#[test]
fn a_record_is_forgotten_on_both_sides_with_an_edit_that_was_made_without_a_line() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let _ = casa.join(&aulla);
    let made = shared_convention(&aulla, &casa);
    let (space, id) = (made.space.id.as_str(), made.convention.id.as_str());
    assert_eq!(erasures(aulla.client()), []);
    let refused = casa.client().erase_record(space, id).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted);
    assert!(refused.message.contains("Comune di Aulla"), "{refused:?}");

    casa.client().network(&NetworkRequest { online: false }).unwrap();
    casa.client().edit_convention(id, &edit(json!({"seats_total": 7}))).unwrap();
    let erased = aulla.client().erase_record(space, id).unwrap();
    assert_eq!((erased.entries, erased.confirmed.len(), erased.missing.len()), (1, 1, 1));
    assert_eq!((erased.complete, erased.kind.as_deref()), (false, Some("convention")));
    casa.client().network(&NetworkRequest { online: true }).unwrap();
    for node in [&aulla, &casa] {
        node.wait("both to confirm, the late edit too", |client| is_complete(client, 2));
    }
    for node in [&aulla, &casa] {
        let gone = node.client().record(space, id).unwrap_err();
        assert_eq!((gone.code, gone.status()), (ErrorCode::Erased, 410));
        let refused = node.client().edit_record(space, id, &edit(json!({"title": "x"})));
        assert_eq!(refused.unwrap_err().code, ErrorCode::Erased);
        let query = SearchQuery { q: "dimora".into(), ..SearchQuery::default() };
        assert_eq!(node.client().search(&query).unwrap(), []);
        let report = node.client().verify(&VerifyStoreRequest { deep: true }).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
    }
    let again = aulla.client().erase_record(space, id).unwrap_err();
    assert_eq!(again.code, ErrorCode::Erased);
}

#[test]
fn everybody_is_told_what_was_erased_from_which_convention_by_whom_and_when() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    assert!(!casa.join(&aulla).name.is_empty());
    let made = shared_convention(&aulla, &casa);
    let space = &made.space.id;
    let title = made.convention.fields["title"].as_str().unwrap();
    let duty = json!({"kind": "responsibility", "fields": {
        "convention": made.convention.id, "duty_text": "copertura INAIL", "responsible": "altro",
        "topic": "assicurazioni",
    }});
    let duty = aulla.client().create_record(space, &serde_json::from_value(duty).unwrap());
    let duty = duty.unwrap().id;
    casa.wait("the duty", |client| client.record(space, &duty).is_ok());
    aulla.client().erase_record(space, &duty).unwrap();
    for node in [&aulla, &casa] {
        node.wait("the erasure, confirmed by both", |client| is_complete(client, 1));
        let [erased] = erasures(node.client()).try_into().unwrap();
        let said = (erased.title.as_str(), erased.kind.as_deref(), erased.by_name.as_deref());
        assert_eq!(said, (title, Some("responsibility"), Some("Comune di Aulla")));
        assert!(erased.at.is_some_and(|at| at > 0), "{erased:?}");
    }
}
