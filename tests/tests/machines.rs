//! Several machines of one organisation, each a process of its own; one of them is lost.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use serde_json::{Map, Value, json};
use sincronia_client::api::Client;
use sincronia_client::root::Signing;
use sincronia_node::api::{
    BatchRequest, ConventionsQuery, EditRequest, ErrorCode, IdentityRequest, NetworkRequest,
    PartnerState, RecordView,
};
use sincronia_protocol::identity::{Admission, IdentityOperation};
use sincronia_protocol::recovery::restore_entropy;
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn edit(node: &Node, id: &str, fields: &Value) -> Result<(), ErrorCode> {
    let request = EditRequest {
        fields: object(fields),
        seen: None,
        operator: Some("prova".into()),
        comment: None,
    };
    node.client().edit_convention(id, &request).map(drop).map_err(|error| error.code)
}

fn found(client: &Client, id: &str) -> Option<RecordView> {
    let all = client.conventions(&ConventionsQuery::default()).unwrap();
    all.into_iter().find(|one| one.id == id)
}

fn shows(client: &Client, id: &str, seats: u64) -> bool {
    found(client, id).is_some_and(|one| one.fields.get("seats_total") == Some(&json!(seats)))
}

/// Signs with the root key of the recovery words and hands the entries to a node.
fn sign(node: &Node, words: &str, operations: Vec<IdentityOperation>) -> IdentityRequest {
    let entropy = restore_entropy(words).unwrap();
    let mut signing = Signing::begin(&node.client().identity().unwrap(), entropy).unwrap();
    for operation in operations {
        signing.say(operation).unwrap();
    }
    let request = signing.request();
    node.client().extend_identity(&request).unwrap();
    request
}

/// A second machine of the organisation of `first`, admitted there and running.
fn second(first: &Node, words: &str) -> Node {
    let (machine, request) = Node::request(&first.organisation);
    sign(first, words, vec![IdentityOperation::AddNode { admission: request.admission }]);
    let admission = first.client().identity().unwrap().admission;
    machine.admit(&Admission::from_text(&admission).unwrap())
}

fn id_of(node: &Node) -> String {
    node.client().status().unwrap().node
}

fn knows_sibling(client: &Client) -> bool {
    client.nodes().unwrap().iter().any(|one| !one.this && one.connected)
}

#[test]
fn a_second_machine_has_everything_and_takes_over_when_the_first_is_lost() {
    let (mut first, words) = Node::found_with_words("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&first);
    let made = first.agree(&casa, "Accoglienza residenziale");
    let id = made.convention.id.as_str();
    casa.wait("the convention", |client| found(client, id).is_some());

    let second = second(&first, &words);
    second.wait("the convention", |client| found(client, id).is_some());
    second.wait("its partner", |client| client.partners().unwrap().len() == 1);
    second
        .wait("a session with the partner", |client| client.partners().unwrap()[0].sync.connected);
    second.wait("the other machine", knows_sibling);
    // Each writes what all three see.
    second.wait("the key", |client| client.space(&made.space.id).unwrap().has_key);
    edit(&second, id, &json!({"seats_total": 3})).unwrap();
    first.wait("the edit of the second", |client| shows(client, id, 3));
    edit(&first, id, &json!({"seats_total": 4})).unwrap();
    second.wait("the edit of the first", |client| shows(client, id, 4));
    casa.wait("both edits", |client| shows(client, id, 4));
    // What the partner owns is there too.
    let theirs = casa.agree(&first, "Accoglienza diurna");
    second.wait("a convention of the partner", |client| {
        found(client, &theirs.convention.id).is_some()
    });
    let refused = second.client().create_space().unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPrimary);
    let (lost, this) = (id_of(&first), id_of(&second));
    assert!(refused.remedy.contains(&lost), "{}", refused.remedy);

    // The first machine is lost for good.
    first.kill();
    let operations = vec![
        IdentityOperation::SetPrimary { node: this.parse().unwrap() },
        IdentityOperation::RevokeNode { node: lost.parse().unwrap() },
    ];
    let signed = sign(&second, &words, operations);
    let again = second.client().extend_identity(&signed).unwrap_err();
    assert_eq!(again.code, ErrorCode::Conflict, "never two entries at one place");
    let report = |client: &Client| client.node_report(&lost).unwrap();
    second.wait("every key replaced", |client| report(client).waiting == 0);
    let told = report(second.client());
    let titles: Vec<_> = told.spaces.iter().map(|one| one.title.as_str()).collect();
    for title in ["Accoglienza residenziale", "Accoglienza diurna", "directory"] {
        assert!(titles.contains(&title), "{titles:?}");
    }
    assert!(titles.iter().all(|title| !title.is_empty()), "{titles:?}");
    assert!(told.revoked && told.records >= 2, "{told:?}");
    casa.wait("the revocation, in the partner's sheet", |client| {
        let partner = &client.partners().unwrap()[0];
        json!(partner)["revoked"] == json!([lost])
    });
    let own = told.spaces.iter().find(|one| one.space == made.space.id).unwrap();
    assert!(own.written >= 2 && own.state == "rotated", "{own:?}");
    casa.wait("its own cut", |client| {
        client.space(&theirs.space.id).unwrap().epoch > theirs.space.epoch
    });

    // Life goes on with the second machine as primary.
    edit(&second, id, &json!({"seats_total": 5})).unwrap();
    casa.wait("the edit after the loss", |client| shows(client, id, 5));
    let fresh = second.agree(&casa, "Accoglienza notturna");
    casa.wait("a new convention", |client| found(client, &fresh.convention.id).is_some());

    // The lost machine is started again: it is told, and says so.
    first.start();
    first.wait("that it was revoked", |client| client.status().unwrap().revoked);
    assert!(!shows(first.client(), id, 5), "it gets nothing that was written since");
    assert!(found(first.client(), &fresh.convention.id).is_none());
    assert_eq!(edit(&first, id, &json!({"seats_total": 9})), Err(ErrorCode::Revoked));
    // Of a file it is said once, and not of each of its rows.
    let rows = vec![serde_json::Map::new(); 3];
    let kind = "contact".into();
    let (space, operator, dry_run, partial) = (None, None, true, false);
    let file = BatchRequest { space, kind, rows, dry_run, partial, operator };
    assert_eq!(first.client().batch(&file).unwrap_err().code, ErrorCode::Revoked);
    // What was signed with the words on it reached nobody, and it said that all was well.
    assert_eq!(first.client().extend_identity(&signed).unwrap_err().code, ErrorCode::Revoked);
    let checks = first.client().doctor().unwrap();
    assert!(checks.iter().any(|one| one.name == "certified" && !one.ok && one.remedy.is_some()));
    // It said that it was online, then that it was not, and told to go online.
    let refused = first.client().network(&NetworkRequest { online: true }).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Revoked);
    assert_eq!(first.client().sync().unwrap_err().code, ErrorCode::Revoked);
    assert!(!first.client().status().unwrap().online);
    first.kill();
    first.start();
    assert!(first.client().status().unwrap().revoked, "it knows after a restart too");
    assert!(shows(casa.client(), id, 5) && shows(second.client(), id, 5));
}

/// A new machine took its admission when the one that gave it was gone: it had nothing, reached
/// nobody, and said that all was well.
#[test]
fn a_new_machine_that_meets_no_other_says_so_and_how_it_will() {
    let (mut first, words) = Node::found_with_words("Comune di Aulla");
    let (machine, request) = Node::request(&first.organisation);
    let add = IdentityOperation::AddNode { admission: request.admission };
    sign(&first, &words, vec![add]);
    let admission = first.client().identity().unwrap().admission;
    let id = id_of(&first);
    first.kill();
    let second = machine.admit(&Admission::from_text(&admission).unwrap());
    let met = |client: &Client| {
        let checks = client.doctor().unwrap();
        checks.into_iter().find(|one| one.name == "machines_met").unwrap()
    };
    let check = met(second.client());
    assert!(!check.ok && check.warning && check.detail == id, "{check:?}");
    assert!(check.remedy.unwrap().contains("node add"));
    first.start();
    assert!(met(first.client()).ok, "it has what is to be had");
    second.wait("the other machine", |client| met(client).ok);
}

#[test]
fn a_partner_that_joins_at_one_machine_is_a_partner_of_all() {
    let (first, words) = Node::found_with_words("Comune di Aulla");
    let second = second(&first, &words);
    second.wait("the other machine", knows_sibling);
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&second);
    first.wait("the partner", |client| {
        client.partners().unwrap().iter().any(|one| one.organisation == casa.organisation)
    });
    // The primary gives it what it is due, though it joined elsewhere.
    casa.wait("the directory of its new partner", |client| {
        client.spaces().unwrap().iter().any(|one| one.owner == first.organisation)
    });
    let made = first.agree(&casa, "Accoglienza residenziale");
    let id = made.convention.id.as_str();
    casa.wait("a convention", |client| found(client, id).is_some());
    second.client().block_partner(&casa.organisation).unwrap();
    first.wait("the block", |client| {
        let partners = client.partners().unwrap();
        partners.iter().any(|one| one.state == PartnerState::Blocked && !one.sync.connected)
    });
}

/// Has a machine that starts without a line change the root key, and then go on line.
fn change_root_alone(machine: &mut Node, words: &str) {
    machine.start_offline();
    let entropy = restore_entropy(words).unwrap();
    let mut signing = Signing::begin(&machine.client().identity().unwrap(), entropy).unwrap();
    signing.rotate().unwrap();
    machine.client().extend_identity(&signing.request()).unwrap();
    machine.client().network(&NetworkRequest { online: true }).unwrap();
}

/// The root key was changed at one machine while another was made primary and founded a convention:
/// nobody was a member of it any more, and every node said that all was in order.
#[test]
fn a_convention_that_a_change_of_the_root_key_set_aside_is_named() {
    const TITLE: &str = "Accoglienza residenziale";
    let (mut first, words) = Node::found_with_words("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&first);
    let mut second = second(&first, &words);
    second.wait("its partner in sync", |client| {
        client.partners().unwrap().iter().any(|one| one.sync.phase == "in_sync")
    });
    second.wait("the other machine", knows_sibling);
    first.kill();
    let node = id_of(&second).parse().unwrap();
    sign(&second, &words, vec![IdentityOperation::SetPrimary { node }]);
    let made = second.agree(&casa, TITLE);
    let id = made.convention.id.as_str();
    casa.wait("the convention", |client| found(client, id).is_some());
    second.kill();
    change_root_alone(&mut first, &words);
    second.start();
    let aside = format!("{TITLE} (Comune di Aulla)");
    for node in [&second, &casa] {
        node.wait("what was set aside", |client| {
            client.status().unwrap().spaces_aside == [&*aside]
        });
        let checks = node.client().doctor().unwrap();
        let named = checks.iter().find(|one| one.name == "spaces_hold").unwrap();
        assert!(!named.ok && named.detail == aside, "{named:?}");
        assert!(found(node.client(), id).is_some(), "it can be read");
    }
    // So does that it is primary, which it had been told it was.
    let checks = second.client().doctor().unwrap();
    let named = checks.iter().find(|one| one.name == "signed_holds").unwrap();
    let lost = format!("primary node: {}", id_of(&second));
    assert!(!named.ok && named.warning && named.detail == lost, "{named:?}");
    // It is made again, and nobody is told any more.
    let again = first.agree(&casa, TITLE);
    for node in [&second, &casa] {
        node.wait("it again", |client| found(client, &again.convention.id).is_some());
        node.wait("nothing set aside", |client| client.status().unwrap().spaces_aside.is_empty());
    }
}

/// As above, of a record: the machine that was primary apart erased it, and it was gone there for
/// good, while the node called itself in sync.
#[test]
fn a_record_that_was_erased_apart_from_a_change_of_the_root_key_comes_back() {
    let (mut first, words) = Node::found_with_words("Comune di Aulla");
    let mut second = second(&first, &words);
    second.wait("the other machine", knows_sibling);
    let space = first.client().create_space().unwrap().id;
    let practice = json!({"kind": "practice", "fields": {
        "title": "Scheda unica", "area": "accoglienza", "problem": "Ogni servizio ne ha una.",
        "procedure": "Una scheda sola, uguale per tutti.", "maturity": "sperimentata",
    }});
    let practice = serde_json::from_value(practice).unwrap();
    let record = first.client().create_record(&space, &practice).unwrap().id;
    second.wait("the record", |client| client.record(&space, &record).is_ok());
    first.kill();
    let node = id_of(&second).parse().unwrap();
    sign(&second, &words, vec![IdentityOperation::SetPrimary { node }]);
    second.client().erase_record(&space, &record).unwrap();
    second.kill();
    change_root_alone(&mut first, &words);
    second.start_offline();
    assert!(second.client().record(&space, &record).is_err());
    second.client().network(&NetworkRequest { online: true }).unwrap();
    second.wait("the record again", |client| client.record(&space, &record).is_ok());
    second.wait("nothing missing", |client| client.status().unwrap().missing.is_empty());
    let checks = second.client().doctor().unwrap();
    assert!(checks.iter().any(|one| one.name == "contents_here" && one.ok));
    assert!(first.client().record(&space, &record).is_ok());
}
