//! Every endpoint of the document: asked as described, it reaches the node; otherwise it does not.

use super::server::{Reply, Server, request};
use serde_json::{Value, json};

/// A body for each request type, with only what is required.
fn body(schema: &str) -> Value {
    match schema {
        "VerifyStoreRequest" | "InviteRequest" | "VerifyRequest" | "TakeRequest" => json!({}),
        "NetworkRequest" => json!({"online": true}),
        "JoinRequest" | "JoinByBundleRequest" => json!({"invitation": "invito1"}),
        "WithdrawBundleRequest" => json!({"organisation": "ente1", "number": 3}),
        "ExportBundleRequest" | "OfferRequest" => json!({"organisation": "ente1"}),
        "MemberRequest" => json!({"organisation": "ente1", "role": "reader"}),
        "IntroduceRequest" => json!({"one": "ente1", "other": "ente2"}),
        "RecipientRequest" => json!({"key": "82"}),
        "IdentityRequest" => json!({"entries": []}),
        "RawEntries" => json!({"runs": []}),
        "ConventionRequest" | "EditRequest" => json!({"fields": {}}),
        "NewRecordRequest" => json!({"kind": "contact", "fields": {}}),
        "ResolveRequest" => json!({"field": "title"}),
        "BatchRequest" => json!({"kind": "contact", "rows": []}),
        other => panic!("{other} has no sample"),
    }
}

async fn document(server: &Server) -> Value {
    serde_json::from_str(&server.ask("GET", "/api/v1/openapi.json", None).await.body).unwrap()
}

fn endpoints(document: &Value) -> Vec<(String, String, Option<String>)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let schema = &described["requestBody"]["content"]["application/json"]["schema"];
            let name = schema["$ref"].as_str().and_then(|text| text.rsplit('/').next());
            let body = name.map(|name| body(name).to_string());
            found.push((method.to_uppercase(), path.clone(), body));
        }
    }
    found
}

fn filled(path: &str) -> String {
    let path = path.replace('{', "a%2F").replace('}', "");
    if path.ends_with("/search") { path + "?q=x" } else { path }
}

fn is_hardened(reply: &Reply) -> bool {
    let header = |name: &str| reply.headers.get(name).map(String::as_str);
    header("content-security-policy") == Some("default-src 'none'; frame-ancestors 'none'")
        && header("x-content-type-options") == Some("nosniff")
        && header("cache-control") == Some("no-store")
        && header("referrer-policy") == Some("no-referrer")
        && header("access-control-allow-origin").is_none()
        && header("set-cookie").is_none()
}

#[tokio::test]
async fn every_endpoint_asked_as_described_reaches_the_node_once() {
    let server = Server::start();
    let document = document(&server).await;
    let mut asked = 0;
    for (method, path, body) in endpoints(&document) {
        let free = ["/api/v1/health", "/api/v1/openapi.json"].contains(&path.as_str());
        if path.ends_with("/shutdown") || path.ends_with("/events") {
            continue;
        }
        server.probe.gate.notify_one();
        let reply = if path.ends_with("/bundles/import") {
            server.hand_in(&path, "application/octet-stream", "parts").await
        } else {
            server.ask(&method, &filled(&path), body.as_deref()).await
        };
        assert!((200..300).contains(&reply.status), "{method} {path}: {reply:?}");
        let status = reply.status.to_string();
        let described = &document["paths"][&path][method.to_lowercase()]["responses"][&status];
        assert!(!described.is_null(), "{method} {path} answers {status}");
        assert!(is_hardened(&reply), "{method} {path}");
        let mut calls = server.probe.take();
        calls.retain(|(method, _)| *method != "synced");
        assert_eq!(calls.len(), usize::from(!free), "{method} {path}");
        for argument in calls.iter().flat_map(|(_, arguments)| arguments.as_array().unwrap()) {
            // A name in the path may hold anything, a slash too.
            assert!(argument.as_str().is_none_or(|text| text.starts_with("a/")), "{argument}");
        }
        asked += 1;
    }
    assert!(asked > 40, "{asked}");
}

#[tokio::test]
async fn no_endpoint_answers_without_a_token_or_to_another_method() {
    let server = Server::start();
    let document = document(&server).await;
    let host = server.address.to_string();
    for (method, path, body) in endpoints(&document) {
        let free = ["/api/v1/health", "/api/v1/openapi.json"].contains(&path.as_str());
        let headers = [("content-type", "application/json")];
        let text = request(&method, &filled(&path), Some(&host), &headers, body.as_deref());
        let reply = server.send(&text).await;
        assert_eq!(reply.status, if free { 200 } else { 401 }, "{method} {path}");
        assert!(is_hardened(&reply));
        let described = document["paths"][&path][method.to_lowercase()].get("security");
        assert_eq!(described.is_some_and(|security| *security == json!([{}])), free, "{path}");

        let reply = server.ask("PUT", &filled(&path), None).await;
        assert_eq!((reply.status, reply.code().as_str()), (405, "method"), "{path}");
        assert!(is_hardened(&reply));
    }
    assert!(server.probe.take().is_empty());
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let server = Server::start();
    for path in ["/", "/api", "/api/v1", "/api/v1/", "/api/v2/status", "/api/v1/spaces/"] {
        let reply = server.ask("GET", path, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{path}");
        assert!(is_hardened(&reply));
    }
    for path in ["/api/v1/search", "/api/v1/records?limit=x", "/api/v1/records?kinds=contact"] {
        let reply = server.ask("GET", path, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"), "{path}");
    }
    // A list that does not know a limit does not answer with everything to who asked for ten.
    for path in ["/api/v1/partners?limit=10", "/api/v1/spaces?limit=10", "/api/v1/status?x"] {
        let reply = server.ask("GET", path, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"), "{path}");
        assert!(is_hardened(&reply));
    }
    assert_eq!(server.ask("POST", "/api/v1/sync?deep=true", None).await.code(), "invalid");
    assert_eq!(server.ask("GET", "/api/v1/spaces?", None).await.status, 200, "nothing asked");
    server.probe.take();
    assert_eq!(server.ask("GET", "/api/v1/spaces/%ff", None).await.code(), "invalid");
    assert!(server.probe.take().is_empty());
}
