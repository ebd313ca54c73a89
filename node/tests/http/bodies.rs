//! Bodies: JSON, bounded in size and time.

use super::probe::Probe;
use super::server::{Server, TOKEN, read, request};
use std::fmt::Write;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const PATCH: (&str, &str) = ("PATCH", "/api/v1/contacts/x");

#[tokio::test]
async fn only_json_that_fits_reaches_the_node() {
    let server = Server::start();
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"{"fields":{}}x"#,
        r#"{"fields":[]}"#,
        r#"{"fields":{},"overwrite":true}"#,
        r#"{"fields":{},"fields":{"a":1}}"#,
        r#"{"fields":{"a":1e999}}"#,
        "\u{feff}{\"fields\":{}}",
    ] {
        let reply = server.ask(PATCH.0, PATCH.1, Some(body)).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"), "{body}");
    }
    let deep = format!(r#"{{"fields":{{"a":{}}}}}"#, "[".repeat(50_000));
    assert_eq!(server.ask(PATCH.0, PATCH.1, Some(&deep)).await.status, 422);
    assert!(server.probe.take().is_empty());
    let reply = server.ask(PATCH.0, PATCH.1, Some(r#"{"fields":{"a":null}}"#)).await;
    assert_eq!(reply.status, 200);
    let calls = server.probe.take();
    assert_eq!(calls[0].0, "edit_contact");
    assert_eq!(calls[0].1[0], "x");
    assert_eq!(calls[0].1[1]["fields"], serde_json::json!({"a": null}));
}

#[tokio::test]
async fn parts_of_bundles_are_bytes_and_bounded() {
    let server = Server::start();
    let (import, bytes) = ("/api/v1/bundles/import", "application/octet-stream");
    let reply = server.hand_in(import, bytes, "parts").await;
    assert_eq!((reply.status, server.probe.take()[0].0), (200, "import_bundle"));
    let reply = server.hand_in(import, "application/json", "parts").await;
    assert_eq!((reply.status, reply.code().as_str()), (415, "media_type"));
    let reply = server.hand_in(import, bytes, "").await;
    assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"));
    let endless = "x".repeat(sincronia_protocol::limits::PART_BYTES_MAX + 1);
    let reply = server.hand_in(import, bytes, &endless).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "too_large"));
    assert!(server.probe.take().is_empty());
    let wanted = r#"{"organisation":"ente1"}"#;
    let reply = server.ask("POST", "/api/v1/bundles", Some(wanted)).await;
    assert_eq!(reply.headers.get("sincronia-bundle-number").map(String::as_str), Some("3"));
    assert_eq!(reply.body, "parts");
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_refused() {
    let server = Server::start();
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let declared: [&[(&str, &str)]; 8] = [
        &[],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "multipart/form-data; boundary=application/json")],
        &[("content-type", "text/plain; application/json")],
        &[("content-type", "application/jsonp")],
        &[("content-type", "application/json"), ("content-type", "text/plain")],
        &[("content-type", "application/json"), ("content-encoding", "gzip")],
    ];
    for headers in declared {
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        let text = request(PATCH.0, PATCH.1, Some(&host), &all, Some(r#"{"fields":{}}"#));
        let reply = server.send(&text).await;
        assert_eq!((reply.status, reply.code().as_str()), (415, "media_type"), "{headers:?}");
    }
    assert!(server.probe.take().is_empty());
    let all =
        [("authorization", bearer.as_str()), ("content-type", "Application/JSON; charset=utf-8")];
    let text = request(PATCH.0, PATCH.1, Some(&host), &all, Some(r#"{"fields":{}}"#));
    assert_eq!(server.send(&text).await.status, 200);
}

/// Half a body, meant for another address, made a space that nobody wanted.
#[tokio::test]
async fn what_takes_no_body_is_not_done_when_there_is_one() {
    let server = Server::start();
    for path in ["spaces", "spaces/fascicolo1/rotate", "sync", "partners/ente1/block"] {
        let path = format!("/api/v1/{path}");
        for body in [r#"{"a":"#, r#"{"a":1}"#, "[]", "x"] {
            let reply = server.ask("POST", &path, Some(body)).await;
            assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"), "{path} {body}");
        }
    }
    assert!(server.probe.take().is_empty());
    for body in [None, Some(""), Some("{}")] {
        assert_eq!(server.ask("POST", "/api/v1/spaces", body).await.status, 201);
    }
}

#[tokio::test]
async fn a_body_beyond_its_limit_is_refused_declared_or_not() {
    let server = Server::start();
    let row = format!(r#"{{"note":"{}"}}"#, "x".repeat(1_200_000));
    let body = format!(r#"{{"fields":{row}}}"#);
    let reply = server.ask(PATCH.0, PATCH.1, Some(&body)).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "too_large"));

    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
    ];
    let mut text = request(PATCH.0, PATCH.1, Some(&host), &headers, None);
    write!(text, "{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).unwrap();
    let reply = server.send(&text).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "too_large"));
    assert!(server.probe.take().is_empty());

    let import = format!(r#"{{"kind":"contact","rows":[{row}]}}"#);
    assert_eq!(server.ask("POST", "/api/v1/records/batch", Some(&import)).await.status, 200);
    assert_eq!(server.probe.take().len(), 1);
    let rows = vec!["{}"; 50_001].join(",");
    let import = format!(r#"{{"kind":"contact","rows":[{rows}]}}"#);
    let reply = server.ask("POST", "/api/v1/records/batch", Some(&import)).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "too_large"));
    assert!(server.probe.take().is_empty());
}

#[tokio::test]
async fn threat_04_a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::with(Probe::new(8), |settings| {
        settings.patience.body = Duration::from_millis(200);
    });
    let (host, bearer) = (server.address.to_string(), format!("Bearer {TOKEN}"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("content-length", "100"),
    ];
    let text = request(PATCH.0, PATCH.1, Some(&host), &headers, None) + r#"{"fields":"#;
    let mut stream = server.connect().await;
    stream.write_all(text.as_bytes()).await.unwrap();
    let reply = read(&mut stream).await;
    assert_eq!((reply.status, reply.code().as_str()), (408, "timeout"));
    assert!(server.probe.take().is_empty());
}
