//! One answer of each kind, spelled as it travels: a renamed field breaks other programs, and here.

use serde_json::{Value, json};

pub fn status() -> Value {
    let counts = json!({
        "partners": 1, "connected": 1, "in_sync": 1, "spaces": 1, "records": {"convention": 1},
        "conflicts": 0, "quarantined": 0,
    });
    json!({
        "organisation": "ente1", "name": "Comune di Mulazzo", "node": "nodo1", "version": "0.1.0",
        "addresses": [], "online": true, "cloned": false, "projecting": false, "counts": counts,
        "bytes_sent": 1, "bytes_received": 2, "bytes_stored": 3, "partners": [partner()],
    })
}

pub fn check() -> Value {
    json!({"name": "store", "ok": true, "detail": "opens"})
}

pub fn verify_report() -> Value {
    json!({
        "identity_entries": 1, "access_entries": 2, "author_entries": 3, "records": 4,
        "problems": [],
    })
}

pub fn new_invitation() -> Value {
    json!({"id": "i", "text": "invito1", "expires_at": 7, "addresses": ["/ip4/127.0.0.1"]})
}

pub fn invitation() -> Value {
    json!({"id": "i", "state": "open", "created_at": 1, "expires_at": 7})
}

pub fn partner() -> Value {
    json!({
        "organisation": "ente1", "name": "Comune di Aulla", "state": "joined",
        "verification_phrase": ["pane"], "addresses": [["nodo1", ["/ip4/127.0.0.1"]]],
        "joined_at": 1, "spaces": 1, "sync": {
            "connected": true, "phase": "in_sync", "outgoing": 0, "differences": 0,
        },
    })
}

pub fn introduction() -> Value {
    json!({
        "organisation": "ente2", "name": "ASL", "by": "ente1", "by_name": "Comune di Aulla",
        "at": 1, "expires_at": 2, "refused": false,
    })
}

pub fn node() -> Value {
    json!({
        "node": "nodo1", "this": true, "primary": true, "revoked": false, "connected": false,
        "last_seen": 7, "addresses": ["/ip4/127.0.0.1"],
    })
}

pub fn identity() -> Value {
    json!({
        "organisation": "ente1", "length": 3, "known_length": 3, "witnesses": 1,
        "entries": ["82"], "admission": "ammissione1",
    })
}

pub fn exposure() -> Value {
    json!({
        "node": "nodo1", "revoked": true, "records": 1, "safe": 1, "waiting": 0, "spaces": [{
            "space": "fascicolo1", "title": "Accoglienza", "owner": "ente1",
            "owner_name": "Comune di Aulla", "from_epoch": 0, "to_epoch": 1, "records": 1,
            "written": 2, "state": "rotated",
        }],
    })
}

pub fn space() -> Value {
    json!({
        "id": "fascicolo1", "owner": "ente1", "owner_name": "Comune di Aulla", "directory": false,
        "members": [{"organisation": "ente1", "name": "Comune di Aulla", "role": "contributor"}],
        "epoch": 1, "has_key": true, "records": 1, "conflicts": 0, "quarantined": 0, "waiting": 0,
        "unreadable": 0,
    })
}

pub fn erasure() -> Value {
    json!({
        "space": "fascicolo1", "record": "scheda1", "kind": "contact", "entries": 2, "late": 0,
        "confirmed": [{"organisation": "ente1", "name": "CSSA", "node": "nodo1"}],
        "missing": [], "out_of_reach": [], "complete": true,
    })
}

pub fn succession() -> Value {
    json!({
        "predecessor": "ente1", "predecessor_name": "CSSA", "successor": "ente2",
        "successor_name": "UEPE", "declared": true, "accepted": false,
    })
}

pub fn revocation() -> Value {
    json!({"epoch": 2, "kept": [["nodo1", 3]], "members": []})
}

pub fn raw_entries() -> Value {
    json!({"runs": ["00"], "next": "nodo1:9"})
}

pub fn examine_report() -> Value {
    json!({"entries": 1, "authentic": 1, "opened": 0})
}

pub fn quarantine() -> Value {
    json!({
        "space": "fascicolo1", "record": "scheda1", "author": "nodo1", "sequence": 1,
        "organisation_name": "Comune di Aulla", "reason": "late",
    })
}

pub fn record() -> Value {
    json!({
        "space": "fascicolo1", "id": "scheda1", "kind": "convention", "fields": {"title": "t"},
        "conflicts": [], "version": "01", "entries": 1, "quarantined": 0, "waiting": 0, "newer": 0,
    })
}

pub fn convention() -> Value {
    json!({
        "space": space(), "convention": record(), "records": [record()],
        "not_shared_yet": ["ente1"],
    })
}

pub fn history() -> Value {
    json!({
        "entry": "voce1", "organisation": "ente1", "organisation_name": "Comune di Aulla",
        "node": "nodo1", "operator": "Anna", "written_at": 1, "changes": [["title", null, "t"]],
    })
}

pub fn batch_result() -> Value {
    json!({"written": 1, "refused": 0, "rows": [{"row": 1, "record": "scheda1", "problems": []}]})
}

pub fn search_hit() -> Value {
    json!({
        "space": "fascicolo1", "record": "scheda1", "kind": "contact", "title": "Ser.D",
        "organisation_name": "Comune di Aulla", "field": "name", "text": "Ser.D",
    })
}
