//! Every method of the client reaches the method of the node that it is named after, with what it
//! was given.

use super::running::Running;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sincronia_node::api::ApiError;

/// A request as its type, from the fields it travels with.
fn given<T: DeserializeOwned>(fields: &Value) -> T {
    serde_json::from_value(fields.clone()).unwrap()
}

/// Checks that `$method` with names and at most one request arrives as such.
macro_rules! arrives {
    ($running:ident, $client:ident, $method:ident($($name:literal),*)) => {
        answered($client.$method($($name),*));
        assert_eq!($running.probe.take(), [(stringify!($method), json!([$($name),*]))]);
    };
    ($running:ident, $client:ident, $method:ident($($name:literal),*; $fields:tt)) => {
        let fields = json!($fields);
        answered($client.$method($($name,)* &given(&fields)));
        let calls = $running.probe.take();
        assert_eq!((calls.len(), calls[0].0), (1, stringify!($method)));
        let arguments = calls[0].1.as_array().unwrap();
        let (request, names) = arguments.split_last().unwrap();
        assert_eq!(Value::from(names), json!([$($name),*]));
        for (field, value) in fields.as_object().unwrap() {
            assert_eq!(&request[field], value, "{} {field}", stringify!($method));
        }
    };
}

/// An answer is not lost on its way.
fn answered<T: Serialize>(answer: Result<T, ApiError>) {
    let answer = serde_json::to_value(answer.unwrap()).unwrap();
    assert_ne!(answer, json!([]));
}

#[test]
fn calls_about_the_node_and_its_partners_arrive() {
    let running = Running::start();
    let client = running.client();
    arrives!(running, client, status());
    arrives!(running, client, doctor());
    arrives!(running, client, verify(; {"deep": true}));
    arrives!(running, client, network(; {"online": false}));
    arrives!(running, client, invite(; {"valid_hours": 1, "note": "n"}));
    arrives!(running, client, invitations());
    arrives!(running, client, revoke_invitation("i"));
    arrives!(running, client, join(; {"invitation": "invito1", "addresses": ["a"]}));
    let wanted = given(&json!({"organisation": "ente1", "all": true}));
    let made = client.export_bundle(&wanted).unwrap();
    assert_eq!((made.number, made.is_complete, made.bytes.as_slice()), (3, true, &b"parts"[..]));
    assert_eq!(running.probe.take()[0].0, "export_bundle");
    let wanted = given(&json!({"invitation": "invito1"}));
    assert_eq!(client.join_by_bundle(&wanted).unwrap().bytes, b"request");
    assert_eq!(running.probe.take()[0].1[0]["invitation"], "invito1");
    arrives!(running, client, withdraw_bundle(; {"organisation": "ente1", "number": 3}));
    assert_eq!(client.import_bundle(b"parts").unwrap()[0].missing, [2]);
    assert_eq!(running.probe.take(), [("import_bundle", json!([{ "bytes": 5 }]))]);
    let mut file = Vec::new();
    assert_eq!((client.backup(&mut file).unwrap(), file.as_slice()), (12, &b"first second"[..]));
    assert_eq!(running.probe.take()[0].0, "backup");
    arrives!(running, client, put_backup_recipient(; {"key": "82"}));
    arrives!(running, client, finish_catching_up());
    arrives!(running, client, introduce(; {"one": "ente1", "other": "ente2"}));
    arrives!(running, client, introductions());
    arrives!(running, client, accept_introduction("ente2"));
    arrives!(running, client, refuse_introduction("ente2"));
    arrives!(running, client, partners());
    arrives!(running, client, partner("ente1"));
    arrives!(running, client, verify_partner("ente1"; {"phrase": "pane"}));
    arrives!(running, client, block_partner("ente1"));
    arrives!(running, client, unblock_partner("ente1"));
    running.probe.gate.notify_one();
    client.sync().unwrap();
    assert_eq!(running.probe.take().len(), 2);
    arrives!(running, client, shutdown());
}

#[test]
fn calls_about_spaces_arrive() {
    let running = Running::start();
    let client = running.client();
    arrives!(running, client, spaces());
    arrives!(running, client, create_space());
    arrives!(running, client, space("fascicolo1"));
    arrives!(running, client, add_member("s"; {"organisation": "ente1", "role": "reader"}));
    arrives!(running, client, remove_member("s", "ente1"));
    arrives!(running, client, rotate("s"));
    arrives!(running, client, successions());
    arrives!(running, client, offer_space("s"; {"organisation": "ente1"}));
    arrives!(running, client, follow_successions("s"; {"operator": "operator"}));
    arrives!(running, client, take_space("s"; {"operator": "operator"}));
    arrives!(running, client, raw("s"; {"author": "nodo1", "from": 7, "after": "nodo1:9"}));
    arrives!(running, client, examine("s"; {"runs": ["00ff"]}));
    arrives!(running, client, quarantine());
    arrives!(running, client, dismiss_late("v"));
}

#[test]
fn calls_about_records_arrive() {
    let running = Running::start();
    let client = running.client();
    arrives!(running, client, conventions(; {"organisation": "ente1", "changed_since": 3}));
    arrives!(running, client, convention("Lavoro e giustizia / 100 %"));
    arrives!(running, client, create_convention(; {"fields": {"title": "t"}, "share": false}));
    arrives!(running, client, edit_convention("c"; {"fields": {"title": null}}));
    arrives!(running, client, contacts(; {"function": "protocollo"}));
    arrives!(running, client, contact("c"));
    arrives!(running, client, create_contact(; {"fields": {"name": "Ser.D"}, "operator": "Anna"}));
    arrives!(running, client, edit_contact("c"; {"fields": {}, "comment": "moved"}));
    arrives!(running, client, records(; {"kind": "cover", "space": "s", "after": "r", "limit": 9}));
    arrives!(running, client, record("s", "r"));
    arrives!(running, client, create_record("s"; {"kind": "cover", "fields": {}}));
    arrives!(running, client, edit_record("s", "r"; {"fields": {"a": [1, {"b": 2}]}}));
    arrives!(running, client, history("s", "r"));
    arrives!(running, client, conflicts());
    arrives!(running, client, erase_record("s", "r"));
    arrives!(running, client, erasures());
    arrives!(running, client, resolve("s", "r"; {"field": "title", "entry": "voce1"}));
    arrives!(running, client, batch(; {"kind": "contact", "rows": [{"a": 1}], "dry_run": true}));
    arrives!(running, client, search(; {"q": "posti liberi", "limit": 5}));
}
