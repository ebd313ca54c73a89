//! Somebody takes the disk: nothing that people wrote, no name of a partner and no secret stands on
//! it in clear.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use serde_json::{Map, Value, json};
use sincronia_node::api::{
    BatchRequest, ConventionRequest, EditRequest, InviteRequest, SearchQuery,
};
use sincronia_tests::federation::{self, Node};
use std::path::Path;

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

/// Two hundred words that stand nowhere else.
fn canaries() -> Vec<String> {
    (0..200).map(|number| format!("canarino{number:03}zq")).collect()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn scan(place: &Path, words: &[String], found: &mut Vec<String>, bytes: &mut usize) {
    for entry in std::fs::read_dir(place).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            scan(&path, words, found, bytes);
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        *bytes += content.len();
        for word in words {
            // UTF-16 too, and either case: an index may fold letters.
            let lower = content.to_ascii_lowercase();
            let wide: Vec<u8> = word.bytes().flat_map(|byte| [byte, 0]).collect();
            let holds = |bytes: &[u8]| lower.windows(bytes.len()).any(|part| part == bytes);
            if holds(word.as_bytes()) || holds(&wide) {
                found.push(format!("{word} in {}", path.display()));
            }
        }
    }
}

#[test]
fn threat_33_nothing_that_people_wrote_and_no_secret_stands_on_the_disk_in_clear() {
    let words = canaries();
    let mut at = words.iter();
    let mut next = || at.next().unwrap().clone();
    let partner_name = format!("Cooperativa {}", next());
    let (mut comune, recovery) = Node::found_with_words("Comune di Aulla");
    let partner = Node::found(&partner_name);
    let _ = partner.join(&comune);
    comune.wait_in_sync();
    let invite = InviteRequest { note: Some(next()), ..InviteRequest::default() };
    let invitation = comune.client().invite(&invite).unwrap().text;
    let request: ConventionRequest = serde_json::from_value(json!({
        "fields": {
            "title": next(),
            "subject": next(),
            "notes": next(),
            "instrument_kind": "accoglienza",
            "parties": [
                {"org": comune.organisation, "role": "inviante"},
                {"org": partner.organisation, "role": "gestore"},
            ],
        },
        "operator": next(),
        "comment": next(),
    }))
    .unwrap();
    let made = comune.client().create_convention(&request).unwrap();
    let edit = EditRequest {
        fields: object(&json!({ "notes": next() })),
        seen: None,
        operator: Some(next()),
        comment: Some(next()),
    };
    comune.client().edit_convention(&made.convention.id, &edit).unwrap();
    let rows = (0..80).map(|_| {
        json!({
            "name": next(),
            "contact_kind": "casella_funzione",
            "email": format!("{}@esempio.example", next()),
        })
    });
    let rows: Vec<_> = rows.collect();
    let batch: BatchRequest =
        serde_json::from_value(json!({ "kind": "contact", "rows": rows, "operator": next() }))
            .unwrap();
    assert_eq!(comune.client().batch(&batch).unwrap().refused, 0);
    let theirs: ConventionRequest = serde_json::from_value(json!({
        "fields": {
            "title": next(),
            "instrument_kind": "accoglienza",
            "parties": [
                {"org": partner.organisation, "role": "inviante"},
                {"org": comune.organisation, "role": "gestore"},
            ],
        },
        "operator": next(),
    }))
    .unwrap();
    let theirs = partner.client().create_convention(&theirs).unwrap().convention.id;
    comune.wait("what the partner wrote", |client| client.convention(&theirs).is_ok());
    let query = SearchQuery { q: words.get(3).unwrap().clone(), ..SearchQuery::default() };
    assert!(!comune.client().search(&query).unwrap().is_empty(), "it is there to be read");
    let mut backup = Vec::new();
    comune.client().backup(&mut backup).unwrap();
    let token = std::fs::read_to_string(comune.directory.join("api-token")).unwrap();
    let seed = comune.seed();
    comune.kill();

    std::fs::write(comune.directory.join("copia.backup"), backup).unwrap();
    // The token of a run ends with the run; what else is secret is never there.
    std::fs::remove_file(comune.directory.join("api-token")).unwrap();
    // An invitation ends with its secret.
    let secret = invitation.get(invitation.len() - 40..).unwrap();
    let mut secrets = words.clone();
    secrets.extend(recovery.split(' ').filter(|word| word.len() > 7).map(str::to_owned));
    secrets.extend([token.trim().to_owned(), secret.to_lowercase()]);
    let (mut found, mut bytes) = (Vec::new(), 0);
    scan(&comune.directory, &secrets, &mut found, &mut bytes);
    assert!(found.is_empty(), "{found:?}");
    let store = std::fs::read(comune.directory.join("store.redb")).unwrap();
    assert!(!store.windows(32).any(|part| part == seed.as_slice()), "the node key");
    println!("{} words looked for in {bytes} bytes: none found", secrets.len());
}
