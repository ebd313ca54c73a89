//! Real nodes, each a process of its own.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use serde_json::{Map, Value, json};
use sincronia_client::api::Client;
use sincronia_node::api::{
    BatchRequest, ConventionRequest, ConventionView, ConventionsQuery, EditRequest, ErrorCode,
    InviteRequest, JoinRequest, NetworkRequest, RawQuery, RecordView, RecordsQuery, ResolveRequest,
    VerifyRequest, VerifyStoreRequest,
};
use sincronia_tests::federation::{self, Node, last_words};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn convention(owner: &Node, party: &Node) -> ConventionView {
    let request: ConventionRequest = serde_json::from_value(json!({
        "fields": {
            "title": "Accoglienza residenziale adulti in difficoltà",
            "instrument_kind": "accoglienza",
            "parties": [
                {"org": owner.organisation, "role": "inviante"},
                {"org": party.organisation, "role": "gestore"},
            ],
            "effective_from": "2026-01-01",
            "end_date": "2027-12-31",
        },
        "objectives": [{"kind": "lavorativo", "text": "Inserimenti lavorativi completati"}],
        "operator": "segreteria",
    }))
    .unwrap();
    owner.client().create_convention(&request).unwrap()
}

fn edit(fields: Value) -> EditRequest {
    EditRequest {
        fields: object(fields),
        seen: None,
        operator: Some("prova".into()),
        comment: None,
    }
}

fn only_convention(client: &Client) -> Option<RecordView> {
    client.conventions(&ConventionsQuery::default()).unwrap().into_iter().next()
}

fn shows(client: &Client, field: &str, value: &Value) -> bool {
    only_convention(client).is_some_and(|one| one.fields.get(field) == Some(value))
}

#[test]
fn a_node_that_starts_offline_stays_so_until_it_is_told_otherwise() {
    let (aulla, mut casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let _ = casa.join(&aulla);
    casa.kill();
    casa.start_offline();
    let status = casa.client().status().unwrap();
    assert!(!status.online && status.addresses.is_empty(), "{status:?}");
    aulla.client().sync().unwrap();
    assert_eq!(casa.client().status().unwrap().counts.connected, 0);
    casa.client().network(&NetworkRequest { online: true }).unwrap();
    casa.wait_in_sync();
}

#[test]
fn the_last_exchange_is_when_a_partner_last_had_everything() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let _ = casa.join(&aulla);
    let made = convention(&aulla, &casa);
    let written = made.convention.changed.unwrap().written_at;
    casa.wait("the convention", |client| only_convention(client).is_some());
    let exchanged = |client: &Client| client.partners().unwrap()[0].last_exchange;
    aulla.wait("agreement after the change", |client| exchanged(client) >= Some(written));
    let agreed = exchanged(aulla.client());
    casa.client().network(&NetworkRequest { online: false }).unwrap();
    aulla.wait("the end", |client| !client.partners().unwrap()[0].sync.connected);
    assert!(exchanged(aulla.client()) >= agreed, "an end takes nothing back");
}

#[test]
fn two_offices_edit_offline_and_a_person_settles_the_conflict() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let partner = casa.join(&aulla);
    assert_eq!(partner.organisation, aulla.organisation);
    let made = convention(&aulla, &casa);
    let id = made.convention.id.clone();
    casa.wait("the convention", |client| only_convention(client).is_some());
    let offline = |node: &Node, online| node.client().network(&NetworkRequest { online }).unwrap();
    offline(&aulla, false);
    offline(&casa, false);
    aulla.client().edit_convention(&id, &edit(json!({"end_date": "2028-06-30"}))).unwrap();
    let other = json!({"end_date": "2029-06-30", "seats_total": 3});
    casa.client().edit_convention(&id, &edit(other)).unwrap();
    offline(&aulla, true);
    offline(&casa, true);
    for node in [&aulla, &casa] {
        node.wait("the conflict", |client| client.conflicts().unwrap().len() == 1);
        assert!(shows(node.client(), "seats_total", &json!(3)));
    }
    let seen = casa.client().conflicts().unwrap();
    let values = &seen[0].conflicts[0].values;
    let names: Vec<_> = values.iter().map(NameAndValue::organisation_name_and_value).collect();
    assert!(names.contains(&("Comune di Aulla".into(), json!("2028-06-30"))), "{names:?}");
    // What stands on two sides is a person's to settle: an ordinary edit does not bury one of them.
    let third = edit(json!({"end_date": "2031-06-30"}));
    let refused = aulla.client().edit_convention(&id, &third).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    let entry = values.iter().find(|one| one.value == "2028-06-30").unwrap().origin.entry.clone();
    let settle = ResolveRequest {
        field: "end_date".into(),
        value: None,
        entry: Some(entry),
        operator: Some("prova".into()),
        comment: Some("come da delibera".into()),
    };
    casa.client().resolve(&made.space.id, &id, &settle).unwrap();
    aulla.wait("no conflict", |client| client.conflicts().unwrap().is_empty());
    assert!(shows(aulla.client(), "end_date", &json!("2028-06-30")));
}

#[test]
fn an_edit_made_upon_an_old_sight_of_the_record_changes_nothing() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let _ = casa.join(&aulla);
    let made = convention(&aulla, &casa);
    let id = made.convention.id.as_str();
    casa.wait("the convention", |client| only_convention(client).is_some());
    let looked_at = only_convention(casa.client()).unwrap().version;
    assert_eq!(looked_at, made.convention.version, "the same sight has the same name on each node");
    aulla.client().edit_convention(id, &edit(json!({"seats_total": 4}))).unwrap();
    casa.wait("the edit", |client| shows(client, "seats_total", &json!(4)));
    let upon = |seen: String| EditRequest { seen: Some(seen), ..edit(json!({"seats_total": 5})) };
    let refused = casa.client().edit_convention(id, &upon(looked_at)).unwrap_err();
    assert_eq!(refused.code, ErrorCode::ChangedSince);
    assert!(shows(casa.client(), "seats_total", &json!(4)));
    let now = only_convention(casa.client()).unwrap().version;
    casa.client().edit_convention(id, &upon(now)).unwrap();
    aulla.wait("the second edit", |client| shows(client, "seats_total", &json!(5)));
}

/// A table of conventions was written into the directory, which every partner reads.
#[test]
fn a_convention_is_never_written_where_every_partner_reads_it() {
    let aulla = Node::found("Comune di Aulla");
    let row = json!({"title": "Riservata", "kind": "inserimento"});
    let batch = BatchRequest {
        space: None,
        kind: "convention".into(),
        rows: vec![row.as_object().unwrap().clone()],
        dry_run: true,
        partial: false,
        operator: None,
    };
    let refused = aulla.client().batch(&batch).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Invalid);
    assert!(refused.remedy.contains("convention new"), "{refused:?}");
    assert!(only_convention(aulla.client()).is_none());
}

trait NameAndValue {
    fn organisation_name_and_value(&self) -> (String, Value);
}

impl NameAndValue for sincronia_node::api::ValueView {
    fn organisation_name_and_value(&self) -> (String, Value) {
        (self.origin.organisation_name.clone(), self.value.clone())
    }
}

#[test]
fn threat_16_a_removed_party_gets_nothing_more_and_opens_nothing_more() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let _ = casa.join(&aulla);
    let made = convention(&aulla, &casa);
    let (space, id) = (made.space.id.as_str(), made.convention.id.as_str());
    casa.wait("the convention", |client| only_convention(client).is_some());
    casa.wait_in_sync();
    aulla.client().remove_member(space, &casa.organisation).unwrap();
    aulla.client().edit_convention(id, &edit(json!({"seats_total": 9}))).unwrap();
    casa.wait("to learn of the removal", |client| client.space(space).unwrap().role.is_none());
    aulla.wait_in_sync();
    assert!(!shows(casa.client(), "seats_total", &json!(9)));
    let raw = aulla.client().raw(space, &RawQuery::default()).unwrap();
    let by_removed = casa.client().examine(space, &raw).unwrap();
    let by_owner = aulla.client().examine(space, &raw).unwrap();
    assert_eq!(by_owner.opened, by_owner.entries);
    assert_eq!(by_removed.authentic, by_removed.entries, "the entries are what they are");
    assert_eq!(by_removed.opened, by_removed.entries - 1, "all but the one written afterwards");
    // A convention is found by what people call it, in any case of letters.
    for name in ["Accoglienza residenziale adulti in difficoltà", "accoglienza resid", "ADULTI"] {
        assert_eq!(aulla.client().convention(name).unwrap().convention.id, id, "{name}");
    }
    // Nobody is advised to invite again whom a person removed.
    let view = aulla.client().convention(id).unwrap();
    assert_eq!(view.not_shared_yet, Vec::<String>::new());
    // Naming it as a party still, the convention is not shared with it again by an edit.
    assert_eq!(aulla.client().space(space).unwrap().members.len(), 1);
}

#[test]
fn a_killed_node_keeps_every_acknowledged_edit() {
    let (mut aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let _ = casa.join(&aulla);
    let made = convention(&aulla, &casa);
    let id = made.convention.id.clone();
    for round in 1..=5_u64 {
        let acknowledged = Arc::new(AtomicU64::new(0));
        std::thread::scope(|scope| {
            let (client, counter, id) = (aulla.client(), Arc::clone(&acknowledged), id.clone());
            let writer = scope.spawn(move || {
                for number in 1.. {
                    let seats = edit(json!({"seats_total": round * 1_000 + number}));
                    if client.edit_convention(&id, &seats).is_err() {
                        return;
                    }
                    counter.store(number, Ordering::SeqCst);
                }
            });
            while acknowledged.load(Ordering::SeqCst) < 10 * round && !writer.is_finished() {
                std::thread::yield_now();
            }
            aulla.kill_now();
        });
        let last = acknowledged.load(Ordering::SeqCst);
        aulla.kill();
        aulla.start();
        let kept = only_convention(aulla.client()).unwrap().fields["seats_total"].as_u64().unwrap();
        assert!(kept >= round * 1_000 + last, "round {round}: {kept} after {last} acknowledged");
        casa.wait("the last edit", |client| shows(client, "seats_total", &json!(kept)));
    }
    let report = aulla.client().verify(&VerifyStoreRequest { deep: true }).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
}

#[test]
fn a_first_synchronisation_that_is_killed_goes_on_where_it_was() {
    let (aulla, mut casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let rows = (0..1_500).map(|number| {
        object(json!({
            "contact_kind": "casella_funzione",
            "name": format!("Ufficio numero {number}"),
            "functions": ["protocollo"],
            "email": format!("ufficio{number}@comune.example"),
        }))
    });
    let batch = BatchRequest {
        space: None,
        kind: "contact".into(),
        rows: rows.collect(),
        dry_run: false,
        partial: false,
        operator: None,
    };
    assert_eq!(aulla.client().batch(&batch).unwrap().written, 1_500);
    let _ = casa.join(&aulla);
    casa.wait("some entries", |client| client.status().unwrap().bytes_received > 20_000);
    casa.kill();
    casa.start();
    // Wherever the second start is interrupted: while it connects, compares or receives.
    casa.wait("the line", |client| client.status().unwrap().counts.connected == 1);
    casa.kill();
    casa.start();
    let contacts = RecordsQuery { kind: Some("contact".into()), ..Default::default() };
    casa.wait("all contacts", |client| client.records(&contacts).unwrap().len() == 1_500);
    casa.wait_in_sync();
}

#[test]
fn threat_06_a_bad_invitation_says_what_is_wrong_with_it() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let other = Node::found("Comune di Comano");
    let fresh = || aulla.client().invite(&InviteRequest::default()).unwrap();
    let join = |node: &Node, text: &str| {
        let request = JoinRequest { invitation: text.into(), addresses: Vec::new() };
        node.client().join(&request)
    };
    let used = fresh();
    join(&casa, &used.text).unwrap();
    join(&casa, &used.text).expect("whoever did not hear the answer asks again");
    let error = join(&other, &used.text).unwrap_err();
    assert!(error.message.contains("used already"), "{error}");
    let withdrawn = fresh();
    aulla.client().revoke_invitation(&withdrawn.id).unwrap();
    let error = join(&other, &withdrawn.text).unwrap_err();
    assert!(error.message.contains("withdrawn"), "{error}");
    let mistyped = fresh().text.replacen('q', "p", 1);
    let error = join(&other, &mistyped).unwrap_err();
    assert!(error.message.contains("typing error"), "{error}");
    let error = join(&aulla, &fresh().text).unwrap_err();
    assert!(error.message.contains("your own organisation"), "{error}");
    let mut gone = Node::found("Comune di Mulazzo");
    let late = gone.client().invite(&InviteRequest::default()).unwrap();
    gone.kill();
    let error = join(&other, &late.text).unwrap_err();
    assert_eq!(error.code, ErrorCode::Partner);
    assert!(error.message.contains("nobody answers"), "{error}");
}

#[test]
fn the_failures_of_others_do_not_keep_out_who_has_an_open_invitation() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let other = Node::found("Comune di Comano");
    let fresh = || aulla.client().invite(&InviteRequest::default()).unwrap();
    let join = |node: &Node, text: &str| {
        let request = JoinRequest { invitation: text.into(), addresses: Vec::new() };
        node.client().join(&request)
    };
    let used = fresh();
    join(&casa, &used.text).unwrap();
    let mut last = String::new();
    for _ in 0..8 {
        last = join(&other, &used.text).unwrap_err().message;
    }
    assert!(last.contains("too many attempts"), "{last}");
    join(&other, &fresh().text).unwrap();
}

#[test]
fn what_commands_a_terminal_is_written_nowhere() {
    let aulla = Node::found("Comune di Aulla");
    let fields = json!({"contact_kind": "persona", "name": "Sportello", "functions": ["tutor"]});
    let (good, hostile) = (edit(fields), "\u{1b}]0;p\u{7}".to_owned());
    let operator = EditRequest { operator: Some(hostile.clone()), ..good.clone() };
    let comment = EditRequest { comment: Some(hostile.clone()), ..good.clone() };
    for request in [operator, comment] {
        let refused = aulla.client().create_contact(&request).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Invalid, "{refused}");
    }
    let noted = InviteRequest { note: Some(hostile), ..InviteRequest::default() };
    assert_eq!(aulla.client().invite(&noted).unwrap_err().code, ErrorCode::Invalid);
    aulla.client().create_contact(&good).unwrap();
}

#[test]
fn the_phrase_is_the_same_on_both_sides_and_a_wrong_one_is_refused() {
    let (aulla, casa) = (Node::found("Comune di Aulla"), Node::found("Comunità"));
    let seen_by_casa = casa.join(&aulla);
    let seen_by_aulla = aulla.client().partner(&casa.organisation).unwrap();
    assert_eq!(seen_by_casa.verification_phrase, seen_by_aulla.verification_phrase);
    let say = |phrase: &str| VerifyRequest { phrase: Some(phrase.into()) };
    let wrong = aulla.client().verify_partner(&casa.organisation, &say("uno due tre"));
    assert_eq!(wrong.unwrap_err().code, ErrorCode::NotPermitted);
    let right = seen_by_casa.verification_phrase.join(" ");
    let verified = aulla.client().verify_partner(&casa.organisation, &say(&right)).unwrap();
    assert_eq!(serde_json::to_value(verified.state).unwrap(), "verified");
}

#[test]
fn two_processes_never_share_a_directory() {
    let aulla = Node::found("Comune di Aulla");
    let words = last_words(&aulla.directory);
    assert!(words.contains("uses this node's directory already"), "{words}");
    assert!(aulla.client().status().is_ok());
}

#[test]
fn a_damaged_store_is_named_and_never_a_panic() {
    let mut aulla = Node::found("Comune di Aulla");
    aulla.kill();
    let store = aulla.directory.join("store.redb");
    let mut bytes = std::fs::read(&store).unwrap();
    let middle = bytes.len() / 2;
    bytes[..64].fill(0);
    bytes[middle..].fill(0xFF);
    std::fs::write(&store, &bytes).unwrap();
    let words = last_words(&aulla.directory);
    assert!(words.contains("damaged"), "{words}");
    assert!(!words.contains("panicked"), "{words}");
}
