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
    RecordsQuery, SearchQuery, VerifyStoreRequest,
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

/// What a search for a word of the duty finds, and what the other lists of a node say of it.
fn remembers(client: &Client, space: &str, record: &str) -> bool {
    let query = SearchQuery { q: "INAIL".into(), ..SearchQuery::default() };
    let is_found = !client.search(&query).unwrap().is_empty();
    let all = client.records(&RecordsQuery::default()).unwrap();
    let is_listed = all.iter().any(|one| one.id == record);
    let is_late = client.quarantine().unwrap().iter().any(|one| one.record == record);
    let is_told = client.history(space, record).is_ok() || client.record(space, record).is_ok();
    is_found || is_listed || is_late || is_told
}

/// A backup holds what was erased after it was made, and so does the machine that died before it
/// heard: the one erases again as soon as it hears a partner, the other is named.
#[test]
fn a_backup_from_before_the_erasure_brings_nothing_back_and_the_dead_machine_is_named() {
    let aulla = Node::found("Comune di Aulla");
    let (mut casa, words) = Node::found_with_words("Comunità");
    assert!(!casa.join(&aulla).name.is_empty());
    let made = shared_convention(&aulla, &casa);
    let space = &made.space.id;
    let duty = json!({"kind": "responsibility", "fields": {
        "convention": made.convention.id, "duty_text": "copertura INAIL", "responsible": "altro",
        "topic": "assicurazioni",
    }});
    let duty = aulla.client().create_record(space, &serde_json::from_value(duty).unwrap());
    let duty = duty.unwrap().id;
    casa.wait("the duty", |client| remembers(client, space, &duty));
    let mut bytes = Vec::new();
    assert!(casa.client().backup(&mut bytes).unwrap() > 0);
    let dead = casa.client().status().unwrap().node;
    casa.kill();
    aulla.client().erase_record(space, &duty).unwrap();

    let (mut restored, _) = Node::restore(&bytes, &words);
    restored.start_offline();
    assert!(remembers(restored.client(), space, &duty), "it has heard nothing yet");
    restored.client().network(&NetworkRequest { online: true }).unwrap();
    for node in [&aulla, &restored] {
        node.wait("the erasure, confirmed by both", |client| is_complete(client, 1));
        node.wait("the dead machine", |client| !erasures(client)[0].out_of_reach.is_empty());
        assert!(!remembers(node.client(), space, &duty));
        let [erased] = erasures(node.client()).try_into().unwrap();
        assert_eq!(erased.confirmed.len(), 2, "{erased:?}");
        let [silent] = erased.out_of_reach.try_into().unwrap();
        assert_eq!(
            (silent.node, silent.organisation),
            (Some(dead.clone()), casa.organisation.clone())
        );
        let report = node.client().verify(&VerifyStoreRequest { deep: true }).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
    }
}
